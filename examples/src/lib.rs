//! What the reference tools beside this folder share.
//!
//! What tools have in common: [`cli`], the command line and what is printed; [`page`], tables as Open vSwitch prints them;
//! [`picture`], SVG; [`prometheus`] and [`http`].
//!
//! Who is asked: [`db`], the database; [`openflow`], a switch; [`dump`], what `ovs-ofctl` has printed; [`kernel`], its
//! datapaths, with [`datapath`] for their flows; [`kmsg`], its messages; [`upcalls`], `ovs-vswitchd` and its sockets.
//!
//! What follows from several of them: [`bridge`], how a bridge forwards, [`predict`], what becomes of a flow there, and
//! [`flood`], how near that is to a limit; [`sight`], where each port is, and [`judge`], whether that is well; [`follow`],
//! what happens to ports.

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
pub mod kmsg;
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
