//! What the reference tools beside this folder share: the command line, pictures, dumps of flows, and what database, kernel and
//! switch say at one moment or as it happens.

pub mod bridge;
pub mod cli;
pub mod datapath;
pub mod db;
pub mod dump;
pub mod flood;
pub mod follow;
pub mod http;
pub mod judge;
pub mod kernel;
pub mod openflow;
pub mod page;
pub mod picture;
pub mod predict;
pub mod prometheus;
pub mod sight;
pub mod upcalls;

/// The front page: its code is a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FrontPage;
