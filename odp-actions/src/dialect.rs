//! The numbers of actions that moved between releases of Open vSwitch.
//!
//! A kernel's numbers never moved. Open vSwitch gave its userspace actions numbers behind the kernel's, and moved them up
//! whenever the kernel got another: 25 is `DROP` in 3.1 and `PSAMPLE` since 3.4. This crate uses the numbers of kernels
//! and of 3.4; a [`Dialect`] translates lists of other releases. Sizes are the same in all of them.
//!
//! ```
//! use odp_actions::dialect::Dialect;
//! use odp_actions::{Action, Actions};
//!
//! let drop = Actions::from_iter([Action::Output(1), Action::Drop(0)]);
//! let old = Dialect::of_ovs("3.1".parse()?);
//! let bytes = old.encode(&drop)?;
//! assert_eq!(u16::from_ne_bytes([bytes[10], bytes[11]]), 25);
//! assert_eq!(old.decode(&bytes)?, drop);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;

use netlink_genl::nlattr::{Attrs, DecodeError, EncodeError, KIND_MASK};

use crate::Actions;
use crate::version::OvsVersion;

/// The action numbers of a range of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Numbers up to this one are the same in all releases that have them.
    stable: u16,
    /// The other ones: here, and in this crate.
    moved: &'static [(u16, u16)],
}

impl Dialect {
    /// The numbers of kernels, and of Open vSwitch since 3.4.
    pub const CURRENT: Self = Self {
        stable: CURRENT_LAST,
        moved: &[],
    };

    /// The numbers of a release of Open vSwitch's userspace, 2.5 or later.
    pub fn of_ovs(ovs: OvsVersion) -> Self {
        // What is older than the first one is taken for it.
        let index = DIALECTS.iter().rposition(|(first, _)| *first <= ovs).unwrap_or(0);
        DIALECTS[index].1
    }

    /// Reads a list in this dialect.
    ///
    /// # Errors
    /// [`DialectError`]: a number that this dialect does not have, or bytes that are no list.
    pub fn decode(&self, bytes: &[u8]) -> Result<Actions, DialectError> {
        let mut bytes = bytes.to_vec();
        self.translate(&mut bytes, 0, 0, Direction::ToCurrent)?;
        Ok(Actions::decode(&bytes)?)
    }

    /// Writes a list in this dialect.
    ///
    /// # Errors
    /// [`DialectError`]: an action that this dialect has no number for, or that cannot be encoded.
    pub fn encode(&self, actions: &Actions) -> Result<Vec<u8>, DialectError> {
        let mut bytes = actions.to_bytes()?;
        self.translate(&mut bytes, 0, 0, Direction::FromCurrent)?;
        Ok(bytes)
    }

    /// Rewrites the type words of a list in place, and of the lists in it.
    fn translate(
        &self,
        bytes: &mut [u8],
        base: usize,
        depth: usize,
        direction: Direction,
    ) -> Result<(), DialectError> {
        let mut at = 0;
        while at < bytes.len() {
            let attr = Attrs::at(&bytes[at..], base + at).next().transpose()?;
            let Some(attr) = attr else { break };
            let (raw_kind, payload) = (attr.raw_kind(), at + 4..at + 4 + attr.payload().len());
            let unknown = DialectError::Number {
                offset: base + at,
                number: attr.kind(),
            };
            let (current, written) = self.numbers(attr.kind(), direction).ok_or(unknown)?;
            bytes[at + 2..at + 4].copy_from_slice(&(raw_kind & !KIND_MASK | written).to_ne_bytes());
            if depth >= MAX_DEPTH {
                return Err(DecodeError::TooDeep {
                    offset: base + at,
                    kind: current,
                    limit: MAX_DEPTH,
                }
                .into());
            }
            at = (payload.end + 3) & !3;
            let offset = base + payload.start;
            let lists: &[u16] = match current {
                SAMPLE => &[2],
                CHECK_PKT_LEN => &[2, 3],
                DEC_TTL => &[1],
                _ => &[],
            };
            if current == CLONE {
                self.translate(&mut bytes[payload], offset, depth + 1, direction)?;
            } else if !lists.is_empty() {
                self.translate_inside(&mut bytes[payload], offset, depth + 1, direction, lists)?;
            }
        }
        Ok(())
    }

    /// The same for the lists that stand in attributes of these types.
    fn translate_inside(
        &self,
        bytes: &mut [u8],
        base: usize,
        depth: usize,
        direction: Direction,
        kinds: &[u16],
    ) -> Result<(), DialectError> {
        let lists: Vec<_> = Attrs::new(bytes)
            .flatten()
            .filter(|attr| kinds.contains(&attr.kind()))
            .map(|attr| attr.offset() + 4..attr.offset() + 4 + attr.payload().len())
            .collect();
        lists.into_iter().try_for_each(|list| {
            let offset = base + list.start;
            self.translate(&mut bytes[list], offset, depth, direction)
        })
    }

    /// The number in this crate, and the one to write.
    fn numbers(&self, number: u16, direction: Direction) -> Option<(u16, u16)> {
        if number <= self.stable {
            return Some((number, number));
        }
        match direction {
            Direction::ToCurrent => self
                .moved
                .iter()
                .find(|(here, _)| *here == number)
                .map(|(_, current)| (*current, *current)),
            Direction::FromCurrent => self
                .moved
                .iter()
                .find(|(_, current)| *current == number)
                .map(|(here, current)| (*current, *here)),
        }
    }
}

/// Why a list cannot be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialectError {
    /// The dialect does not have this action.
    #[error("at byte {offset}: no action {number} in this dialect")]
    Number {
        /// Where the action stands.
        offset: usize,
        /// Its number as it stands there.
        number: u16,
    },
    /// The bytes are no list.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The list cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

#[derive(Clone, Copy)]
enum Direction {
    ToCurrent,
    FromCurrent,
}

/// The first release of each dialect. Read off `openvswitch.h` at each release's tag; the two NSH actions of 2.8 were
/// never used by a datapath and have no counterpart.
const DIALECTS: [(OvsVersion, Dialect); 9] = [
    (
        OvsVersion::new(2, 5),
        Dialect {
            stable: 12,
            moved: &[(13, TUNNEL_PUSH), (14, TUNNEL_POP)],
        },
    ),
    (
        OvsVersion::new(2, 8),
        Dialect {
            stable: 15,
            moved: &[(16, TUNNEL_PUSH), (17, TUNNEL_POP), (18, CLONE), (19, METER)],
        },
    ),
    (
        OvsVersion::new(2, 9),
        Dialect {
            stable: 18,
            moved: &[(19, TUNNEL_PUSH), (20, TUNNEL_POP), (21, CLONE), (22, METER)],
        },
    ),
    (
        OvsVersion::new(2, 10),
        Dialect {
            stable: 19,
            moved: &[(20, TUNNEL_PUSH), (21, TUNNEL_POP), (22, CLONE)],
        },
    ),
    (
        OvsVersion::new(2, 11),
        Dialect {
            stable: 20,
            moved: &[(21, TUNNEL_PUSH), (22, TUNNEL_POP)],
        },
    ),
    (
        OvsVersion::new(2, 12),
        Dialect {
            stable: 21,
            moved: &[(22, TUNNEL_PUSH), (23, TUNNEL_POP), (24, DROP)],
        },
    ),
    (
        OvsVersion::new(2, 14),
        Dialect {
            stable: 21,
            moved: &[(22, TUNNEL_PUSH), (23, TUNNEL_POP), (24, DROP), (25, LB_OUTPUT)],
        },
    ),
    (
        OvsVersion::new(2, 17),
        Dialect {
            stable: 22,
            moved: &[(23, TUNNEL_PUSH), (24, TUNNEL_POP), (25, DROP), (26, LB_OUTPUT)],
        },
    ),
    (OvsVersion::new(3, 4), Dialect::CURRENT),
];

const SAMPLE: u16 = 6;
const METER: u16 = 19;
const CLONE: u16 = 20;
const CHECK_PKT_LEN: u16 = 21;
const DEC_TTL: u16 = 23;
const DROP: u16 = 24;
const TUNNEL_PUSH: u16 = 26;
const TUNNEL_POP: u16 = 27;
const LB_OUTPUT: u16 = 28;
const CURRENT_LAST: u16 = KIND_MASK;
/// As deep as lists are decoded.
const MAX_DEPTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;

    fn dialect(ovs: &str) -> Dialect {
        Dialect::of_ovs(ovs.parse().unwrap())
    }

    #[test]
    fn finds_the_dialect_of_a_release() {
        assert_eq!(dialect("3.4.1"), Dialect::CURRENT);
        assert_eq!(dialect("4.0"), Dialect::CURRENT);
        assert_eq!(dialect("3.3"), dialect("2.17"));
        assert_eq!(dialect("2.16"), dialect("2.14"));
        assert_eq!(dialect("2.4"), dialect("2.5"), "nothing is known before 2.5");
        for (i, (ovs, _)) in DIALECTS.iter().enumerate() {
            assert_eq!(Dialect::of_ovs(*ovs), DIALECTS[i].1);
        }
    }

    #[test]
    fn translates_at_any_depth_and_back() {
        let text = "1,clone(tnl_pop(2),sample(sample=50.0%,actions(meter(3),clone(drop)))),check_pkt_len(size=9,gt(tnl_pop(1)),le(2))";
        let actions: Actions = text.parse().unwrap();
        for (ovs, _) in DIALECTS.iter().filter(|(ovs, _)| *ovs >= OvsVersion::new(2, 12)) {
            let dialect = Dialect::of_ovs(*ovs);
            let bytes = dialect.encode(&actions).unwrap();
            assert_eq!(bytes.len(), actions.encoded_len().unwrap());
            assert_eq!(dialect.decode(&bytes).unwrap(), actions, "{ovs}");
        }
    }

    #[test]
    fn refuses_what_a_dialect_does_not_have() {
        let psample: Actions = "1,clone(psample(group=1))".parse().unwrap();
        assert_eq!(
            dialect("3.1").encode(&psample),
            Err(DialectError::Number {
                offset: 12,
                number: 25
            })
        );
        let bytes = Actions::from_iter([Action::LbOutput(1)]).to_bytes().unwrap();
        assert_eq!(
            dialect("3.1").decode(&bytes),
            Err(DialectError::Number {
                offset: 0,
                number: 28
            })
        );
    }
}
