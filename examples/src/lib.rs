//! What the reference tools beside this folder share: exit status, tables, a plot, dumps of flows, a bridge as the
//! database describes it, and what the kernel says.

pub mod bridge;
pub mod cli;
pub mod db;
pub mod dump;
pub mod judge;
pub mod kernel;
pub mod openflow;
pub mod plot;
pub mod predict;
pub mod sight;
pub mod upcalls;

/// The front page: its code is a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FrontPage;
