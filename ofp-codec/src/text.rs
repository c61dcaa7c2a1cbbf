//! The text of flow dumps, as `ovs-ofctl dump-flows` and `ovs-appctl bridge/dump-flows` print it.
//!
//! Two layers. A [`FlowRef`] is a line that was looked over once: it knows where the statistics,
//! the match and the actions are, borrows them and allocates nothing. [`FlowRef::to_flow`] types
//! all of it. Both keep what they do not know.
//!
//! [`items`] reads a dump that is in memory, `DumpReader` (feature `std`) one that streams. Both have `flows()` for who
//! wants typed flows and nothing else; a little quicker is `DumpReader::read_flow`, which types each flow in the memory of
//! the one before. A line that cannot be read is an error that costs this line only, and says where in it what was expected.
//! The dialects need no switch: with or without reply headers and statistics, with port and table
//! names, coloured, and the one of `bridge/dump-flows`.
//!
//! ```
//! use ofp_codec::text::{Item, items};
//!
//! let dump = b"OFPST_FLOW reply (OF1.3) (xid=0x2):\n cookie=0x0, table=0, priority=1 actions=drop\n???\n";
//! let mut flows = 0;
//! for item in items(dump) {
//!     match item {
//!         Ok(Item::Flow(flow)) => flows += usize::from(flow.to_flow()?.priority == 1),
//!         Ok(_) => {}
//!         Err(error) => assert_eq!(error.to_string(), "line 3, column 1: expected a key, found \"?\""),
//!     }
//! }
//! assert_eq!(flows, 1);
//! # Ok::<(), ofp_codec::text::ParseError>(())
//! ```

mod action;
mod ansi;
pub(crate) mod command;
mod error;
mod field;
mod filter;
mod flow;
pub(crate) mod group;
mod item;
#[cfg(feature = "serde")]
pub(crate) mod json;
mod lex;
mod line;
#[cfg(feature = "std")]
mod reader;
mod scan;
mod typed;
mod value;

#[cfg(feature = "std")]
pub use crate::text::reader::{DumpReader, ReadError};
pub use crate::text::{
    error::{ErrorKind, ParseError},
    filter::Filter,
    flow::{ActionItem, ActionItems, FlowRef, Pair, Pairs},
    group::{group_stats, groups, meter_stats, meters},
    item::{DecodeError, HexLine, Item, Items, ReplyHeader, items},
};

/// How much is read before a line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of a line, without its end. Default: 1 MiB. A flow fits in an OpenFlow message
    /// of 64 KiB; an action of 8 bytes prints as some 50, with colours.
    pub line_len: usize,
    /// How deep parentheses nest. Default: 100, `MAX_OFPACT_PARSE_DEPTH` of Open vSwitch.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            line_len: 1 << 20,
            depth: 100,
        }
    }
}

impl Limits {
    /// These limits with lines of up to `line_len` bytes.
    pub fn with_line_len(self, line_len: usize) -> Self {
        Limits { line_len, ..self }
    }

    /// These limits with parentheses nested up to `depth`.
    pub fn with_depth(self, depth: usize) -> Self {
        Limits { depth, ..self }
    }
}
