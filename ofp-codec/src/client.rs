//! A connection to a switch over tokio.
//!
//! ```no_run
//! use ofp_codec::client::{Connection, Error, Options};
//!
//! # async fn example() -> Result<(), Error> {
//! let mut switch = Connection::connect("unix:/run/openvswitch/br0.mgmt", Options::default()).await?;
//! for port in switch.ports().await? {
//!     print!("{port}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Connection`] only reads. It works while one of its methods is awaited and spawns nothing, and all
//! methods can be dropped half-way. To wait for nothing in particular, await [`Connection::event`]: it
//! answers the switch's probes and probes the switch.

mod admin;
mod connection;
mod dump;
mod error;
mod link;
mod monitor;
mod requests;
mod watch;

pub use admin::Admin;
pub use connection::{Connection, Event, Options};
pub use dump::{BadEntry, Dump};
pub use error::Error;
pub use monitor::{FlowMonitor, MonitorEvent};
pub use watch::{FlowWatch, WatchEvent};
