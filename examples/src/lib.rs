//! What the reference tools beside this folder share: exit status, tables, a plot, dumps of flows, and a bridge as the
//! database describes it.

pub mod bridge;
pub mod cli;
pub mod db;
pub mod dump;
pub mod plot;
pub mod predict;

/// The front page: its code is a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FrontPage;
