//! Where the options of tunnels are kept: the map of `ovs-ofctl dump-tlv-map`.

use crate::fields::{OPTIONS, Place};

/// The options that a bridge knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionMap {
    entries: Vec<TunnelOption>,
    /// The first word of each entry.
    starts: Vec<usize>,
}

/// An option of Geneve and the `tun_metadata` field that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TunnelOption {
    /// Which `tun_metadata` field.
    pub index: u8,
    /// The option's class.
    pub class: u16,
    /// Its type.
    pub kind: u8,
    /// The bytes of its value: 4 to 124, a multiple of 4.
    pub len: u8,
}

impl OptionMap {
    /// A map of these options. `None`: they do not fit into the 256 bytes that there are, an index stands twice, or a length is
    /// none.
    pub fn new(entries: Vec<TunnelOption>) -> Option<Self> {
        let mut starts = Vec::new();
        let mut word = OPTIONS.start;
        let mut bytes = 0;
        for (number, entry) in entries.iter().enumerate() {
            let len = usize::from(entry.len);
            let twice = entries[..number].iter().any(|other| other.index == entry.index);
            if !(4..=124).contains(&len) || len % 4 != 0 || entry.index > 63 || twice {
                return None;
            }
            bytes += len;
            starts.push(word);
            word += len.div_ceil(8);
        }
        (bytes <= 256 && word <= OPTIONS.end).then_some(Self { entries, starts })
    }

    /// The options, in the order in which they were mapped.
    pub fn entries(&self) -> &[TunnelOption] {
        &self.entries
    }

    /// Where the value of a `tun_metadata` field stands. `None`: it is not mapped, or has more than 16 bytes.
    pub(crate) fn place(&self, index: usize) -> Option<Place> {
        let number = self
            .entries
            .iter()
            .position(|entry| usize::from(entry.index) == index)?;
        let word = self.starts[number];
        match self.entries[number].len {
            len @ ..=8 => Some(Place::Bits {
                word,
                shift: 0,
                width: 8 * u32::from(len),
            }),
            12 | 16 => Some(Place::Wide(word)),
            _ => None,
        }
    }
}
