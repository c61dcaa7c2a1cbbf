//! The flow and its parts, the same whether they came from text or from the wire.
//!
//! ```
//! use ofp_codec::{Action, Flow, Port, PortRef};
//!
//! let flow = Flow { priority: 10, actions: vec![Action::Output(Port::LOCAL.into())], ..Flow::default() };
//! assert_eq!(flow.actions[0].to_string(), "LOCAL");
//! assert_eq!(flow.actions[0], Action::Output(PortRef::Number(Port::LOCAL)));
//! ```

pub(crate) mod action;
pub(crate) mod addr;
pub(crate) mod canonical;
pub(crate) mod field;
pub(crate) mod flags;
pub(crate) mod flow;
pub(crate) mod flow_mod;
pub(crate) mod group;
#[cfg(feature = "serde")]
pub(crate) mod json;
pub(crate) mod matches;
pub(crate) mod meter;
pub(crate) mod names;
pub(crate) mod normal;
pub(crate) mod port;
pub(crate) mod print;
pub(crate) mod protocol;
pub(crate) mod subfield;
pub(crate) mod validity;
pub(crate) mod version;
