use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::{
        action::Action,
        canonical::printed::PrintedActions,
        print::{BytesHex, Hex},
        version::Version,
    },
    wire::{
        action::decode_actions,
        error::{DecodeError, Fault},
        property::{BAD_LEN, check_property},
        read::Reader,
    },
};

/// What a switch keeps of a packet that it gave to a controller, to go on with it: the properties in
/// [`PacketIn::continuation`](crate::wire::PacketIn::continuation).
///
/// It is the switch's own business, may change with its release, and goes back as it came; this is to look
/// at. Properties that are not known are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Continuation {
    /// The bridge, as the number of its row in the database; in the byte order of the switch's machine.
    pub bridge: Option<[u8; 16]>,
    /// The stack of `push` and `pop`, the top first.
    pub stack: Vec<Vec<u8>>,
    /// The mirrors that have the packet already, as bits.
    pub mirrors: u32,
    /// Whether it was tracked.
    pub conntracked: bool,
    /// The actions that are still to be done, by the flow that they are of.
    pub actions: Vec<Continued>,
    /// The action set.
    pub action_set: Vec<Action>,
    /// The port of the datapath that it came in on; 0 for none.
    pub odp_port: u32,
}

/// Actions of a flow that are still to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continued {
    /// The table of the flow.
    pub table: u8,
    /// Its cookie.
    pub cookie: u64,
    /// The actions.
    pub actions: Vec<Action>,
}

impl Continuation {
    /// Reads it, in a message of this version.
    ///
    /// # Errors
    ///
    /// If a property is malformed.
    pub fn decode(bytes: &[u8], version: Version) -> Result<Self, DecodeError> {
        let mut left = Reader::new(bytes);
        let mut continuation = Continuation::default();
        let (mut table, mut cookie) = (0, 0);
        while !left.is_empty() {
            let (kind, mut value) = check_property(&mut left, u16::MAX)?;
            let len = value.len();
            let exactly = |wanted| match len == wanted {
                true => Ok(()),
                false => Err(value
                    .named(BAD_LEN)
                    .error("continuation", Fault::Length { wanted, got: len })),
            };
            match kind {
                BRIDGE => {
                    exactly(16)?;
                    let bridge = value.array("bridge")?;
                    continuation.bridge = (bridge != [0; 16]).then_some(bridge);
                }
                STACK if len > MAX_VALUE => exactly(MAX_VALUE)?,
                STACK => continuation.stack.push(value.rest().into()),
                MIRRORS => {
                    exactly(4)?;
                    continuation.mirrors = value.u32("mirrors")?;
                }
                CONNTRACKED => continuation.conntracked = true,
                TABLE_ID => table = value.u8("table")?,
                COOKIE => {
                    exactly(12)?;
                    value.u32("padding")?;
                    cookie = value.u64("cookie")?;
                }
                ACTIONS => {
                    value.u32("padding")?;
                    let actions = decode_actions(value, version)?;
                    continuation.actions.push(Continued {
                        table,
                        cookie,
                        actions,
                    });
                }
                ACTION_SET => {
                    value.u32("padding")?;
                    continuation.action_set.extend(decode_actions(value, version)?);
                }
                ODP_PORT => {
                    exactly(4)?;
                    continuation.odp_port = value.u32("port")?;
                }
                _ => {}
            }
        }
        Ok(continuation)
    }
}

/// As `ovs-ofctl` prints it, in lines.
impl fmt::Display for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bridge) = self.bridge {
            let [a, b, c, d] = [0, 4, 8, 12].map(|at| {
                let part = [bridge[at], bridge[at + 1], bridge[at + 2], bridge[at + 3]];
                u32::from_ne_bytes(part)
            });
            let (b, b_low, c, c_low) = (b >> 16, b & 0xffff, c >> 16, c & 0xffff);
            writeln!(
                f,
                " continuation.bridge={a:08x}-{b:04x}-{b_low:04x}-{c:04x}-{c_low:04x}{d:08x}"
            )?;
        }
        if !self.stack.is_empty() {
            f.write_str(" continuation.stack=(top)")?;
            self.stack
                .iter()
                .try_for_each(|value| write!(f, " {}", BytesHex(value)))?;
            f.write_str(" (bottom)\n")?;
        }
        if self.mirrors != 0 {
            writeln!(f, " continuation.mirrors={}", Hex(self.mirrors.into()))?;
        }
        if self.conntracked {
            writeln!(f, " continuation.conntracked=true")?;
        }
        if !self.actions.is_empty() {
            let flows = self.actions.iter().flat_map(|continued| {
                let (table, cookie) = (continued.table, continued.cookie);
                let of = Action::UnrollXlate { table, cookie };
                [of].into_iter().chain(continued.actions.iter().cloned())
            });
            let all: Vec<Action> = flows.collect();
            writeln!(f, " continuation.actions={}", PrintedActions(&all))?;
        }
        if !self.action_set.is_empty() {
            writeln!(f, " continuation.action_set={}", PrintedActions(&self.action_set))?;
        }
        match self.odp_port {
            0 => Ok(()),
            port => writeln!(f, " continuation.odp_port={port}"),
        }
    }
}

// `enum nx_continuation_prop_type` of `lib/ofp-packet.c`.
const BRIDGE: u16 = 0x8000;
const STACK: u16 = 0x8001;
const MIRRORS: u16 = 0x8002;
const CONNTRACKED: u16 = 0x8003;
const TABLE_ID: u16 = 0x8004;
const COOKIE: u16 = 0x8005;
const ACTIONS: u16 = 0x8006;
const ACTION_SET: u16 = 0x8007;
const ODP_PORT: u16 = 0x8008;

/// The bytes of the widest field.
const MAX_VALUE: usize = 128;
