//! Fields whose bits have names: `+trk-new`, `syn|ack`.

use core::fmt;

use crate::model::{field::Format, print::Hex};

/// The names of the bits of a field, from bit 0.
pub(crate) struct Flags(&'static [&'static str]);

impl Flags {
    /// The names for a format, if it is one of flags.
    pub(crate) fn of(format: Format) -> Option<Flags> {
        match format {
            Format::CtState => Some(CT_STATE),
            Format::TcpFlags => Some(TCP),
            Format::TunnelFlags => Some(TUNNEL),
            _ => None,
        }
    }

    /// The bits that have names: a mask of exactly these is a full one.
    pub(crate) fn all(&self) -> u128 {
        (1 << self.0.len()) - 1
    }

    /// The bits in `+name-name` with their mask, or in `name|name`, which are exactly these.
    pub(crate) fn parse(&self, text: &[u8]) -> Option<(u128, Option<u128>)> {
        let [b'+' | b'-', ..] = text else {
            let mut set = text.split(|byte| *byte == b'|').map(|name| self.bit(name));
            let set = set.try_fold(0, |set, bit| Some(set | bit?))?;
            return Some((set, None));
        };
        let (mut set, mut mask) = (0, 0);
        let mut rest = text;
        while let [sign, tail @ ..] = rest {
            let len = tail.iter().position(|byte| b"+-".contains(byte));
            let (name, tail) = tail.split_at(len.unwrap_or(tail.len()));
            let bit = self.bit(name)?;
            mask |= bit;
            if *sign == b'+' {
                set |= bit;
            }
            rest = tail;
        }
        Some((set, Some(mask)))
    }

    /// Prints what [`parse`](Self::parse) reads. Bits without a name make it a number.
    pub(crate) fn print(&self, f: &mut fmt::Formatter<'_>, set: u128, mask: Option<u128>) -> fmt::Result {
        let mask = mask.filter(|mask| *mask != self.all());
        if (set | mask.unwrap_or(0)) & !self.all() != 0 {
            write!(f, "{}", Hex(set))?;
            return mask.map_or(Ok(()), |mask| write!(f, "/{}", Hex(mask)));
        }
        let named = |bits: u128| {
            let bit = |(at, name): (usize, &&'static str)| (1_u128 << at, *name);
            let named = self.0.iter().enumerate().map(bit);
            named.filter(move |(bit, _)| bits & bit != 0)
        };
        match mask {
            Some(0) => f.write_str("0/0"),
            Some(mask) => named(mask).try_for_each(|(bit, name)| {
                let sign = if set & bit != 0 { '+' } else { '-' };
                write!(f, "{sign}{name}")
            }),
            None if set == 0 => f.write_str("0"),
            None => {
                let mut bar = "";
                named(set).try_for_each(|(_, name)| {
                    write!(f, "{bar}{name}")?;
                    bar = "|";
                    Ok(())
                })
            }
        }
    }

    fn bit(&self, name: &[u8]) -> Option<u128> {
        // Few begin with the same letter, and a call of `memcmp` costs more.
        let same = |known: &&str| known.as_bytes().first() == name.first() && known.as_bytes() == name;
        let bit = self.0.iter().position(same);
        bit.map(|bit| 1 << bit)
    }
}

/// `ct_state_to_string` in lib/odp-util.c.
const CT_STATE: Flags = Flags(&["new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"]);
/// `packet_tcp_flag_to_string` in lib/packets.c.
const TCP: Flags = Flags(&[
    "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]",
]);
/// `flow_tun_flag_to_string` in lib/flow.c: the bit that OpenFlow shows.
const TUNNEL: Flags = Flags(&["oam"]);
