//! The flows that `ovs-ofctl dump-flows` could not read.
//!
//! A flow that it does not understand costs it the rest of the message. It prints an error and
//! the bytes of the whole message, of which each flow can be read on its own:
//!
//! ```
//! use ofp_codec::{recover::Recovery, text::items};
//!
//! let dump = b"NXST_FLOW reply (xid=0x4): ***decode error: OFPBAC_BAD_VENDOR_TYPE***
//! 00000000  01 11 00 58 00 00 00 04-ff ff 00 00 00 00 23 20 |...X..........# |
//! 00000010  00 00 00 00 00 00 00 00-00 40 03 00 00 00 00 01 |.........@......|
//! 00000020  00 00 00 00 80 00 00 00-00 00 00 00 00 01 00 01 |................|
//! 00000030  00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00 |................|
//! 00000040  00 00 00 00 00 00 00 00-ff ff 00 10 00 00 23 20 |..............# |
//! 00000050  00 30 00 00 00 00 00 00-                        |.0......        |
//! ";
//! let mut recovery = Recovery::default();
//! let lost = items(dump).filter_map(|item| recovery.push(&item.ok()?));
//! let flows: Vec<_> = lost.flat_map(|message| message.flows()).collect();
//! let [Ok(flow)] = &flows[..] else { panic!("{flows:?}") };
//! assert_eq!(flow.table.number(), Some(&3));
//! assert_eq!(flow.actions[0].to_string(), "dec_nsh_ttl");
//! ```

use alloc::{boxed::Box, vec::Vec};

use crate::{
    model::flow::Flow,
    text::{HexLine, Item},
    wire::{DecodeError, FlowStatsRef, Message},
};

/// Gathers the bytes of messages that could not be decoded from the items of a dump.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// What there is of a message.
    bytes: Vec<u8>,
    /// How many flows of it were printed before the error.
    printed: usize,
    /// How many errors were printed whose messages are not there yet.
    missing: usize,
}

/// A message of which not all flows were printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFlows {
    bytes: Vec<u8>,
    printed: usize,
}

/// A flow that is lost indeed: its bytes, and why they cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct LostFlow {
    /// Its bytes.
    pub bytes: Box<[u8]>,
    /// What is wrong with them.
    #[source]
    pub error: DecodeError,
}

impl Recovery {
    /// Looks at the next item. With the last line of a message it gives the message.
    pub fn push(&mut self, item: &Item<'_>) -> Option<LostFlows> {
        match item {
            Item::Header(header) => {
                *self = Recovery {
                    missing: self.missing + usize::from(header.decode_error.is_some()),
                    ..Recovery::default()
                }
            }
            Item::DecodeError(_) => self.missing += 1,
            Item::Flow(_) => self.printed += 1,
            Item::HexLine(line) => return self.line(line),
            _ => {}
        }
        None
    }

    fn line(&mut self, line: &HexLine<'_>) -> Option<LostFlows> {
        if line.offset == 0 {
            self.bytes.clear();
        }
        // A line that is missing costs the message.
        if u64::try_from(self.bytes.len()) != Ok(line.offset) {
            return None;
        }
        self.bytes.extend(line.bytes());
        let len = self.bytes.get(2..4)?;
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        if self.bytes.len() < len {
            return None;
        }
        let mut bytes = core::mem::take(&mut self.bytes);
        bytes.truncate(len);
        let printed = core::mem::take(&mut self.printed);
        self.missing = self.missing.saturating_sub(1);
        Some(LostFlows { bytes, printed })
    }

    /// How many errors were printed whose bytes are missing, or not there yet: their flows are lost indeed.
    pub fn missing(&self) -> usize {
        self.missing
    }
}

impl LostFlows {
    /// The message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The flows that were not printed. If the message is none of flows, it is one lost flow.
    pub fn flows(&self) -> Vec<Result<Flow, LostFlow>> {
        let lost = |bytes: &[u8], error| LostFlow {
            bytes: bytes.into(),
            error,
        };
        let message = Message::parse(&self.bytes);
        let entries = message.and_then(|message| FlowStatsRef::entries(&message));
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return alloc::vec![Err(lost(&self.bytes, error))],
        };
        let flow = |entry: Result<FlowStatsRef<'_>, _>| {
            let entry = entry.map_err(|bad: crate::wire::BadEntry<'_>| lost(bad.bytes, bad.error))?;
            entry.to_flow().map_err(|error| lost(entry.bytes(), error))
        };
        entries.skip(self.printed).map(flow).collect()
    }
}
