//! From a name to its field: a hash table that the compiler fills.

use crate::model::field::table::{Field, SPELLINGS};

/// The field of a name, and that name as the table has it.
#[inline]
pub(super) fn find(name: &[u8]) -> Option<(Field, &'static str)> {
    let ends = Ends::of(name);
    let mut slot = ends.slot();
    loop {
        // 0 is an empty slot; more than half of them are.
        let place = usize::from(INDEX[slot]).checked_sub(1)?;
        let (known, field) = SPELLINGS[place];
        if ends.are_of(name, known.as_bytes()) {
            return Some((field, known));
        }
        slot = (slot + 1) % SLOTS;
    }
}

const fn index() -> [u16; SLOTS] {
    let mut index = [0; SLOTS];
    // More names than this type counts, and the compiler stops here.
    let mut place = 0_u16;
    while (place as usize) < SPELLINGS.len() {
        let mut slot = Ends::of(SPELLINGS[place as usize].0.as_bytes()).slot();
        // A name that is there already comes later in its chain, so the first wins.
        while index[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        place += 1;
        index[slot] = place;
    }
    assert!(SPELLINGS.len() < SLOTS / 2);
    index
}

/// The first and last bytes of a name, as many as fit: what is between tells few names apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
}

impl Ends {
    #[inline]
    const fn of(name: &[u8]) -> Self {
        let (first, last) = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (
                u32::from_le_bytes(*first) as u64,
                u32::from_le_bytes(*last) as u64,
            )
        } else if let (Some(first), Some(last)) = (name.first(), name.last()) {
            (*first as u64, *last as u64)
        } else {
            (0, 0)
        };
        Ends { first, last }
    }

    /// Multiplied with 2^64 over the golden ratio, as Knuth has it (The Art of Computer Programming, 6.4), of which the
    /// upper bits are used.
    #[inline]
    const fn slot(self) -> usize {
        let both = self.first ^ self.last.rotate_left(24);
        let upper = (both.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        upper >> (32 - SLOTS.trailing_zeros())
    }

    /// Whether `known` is the name that these ends are of. The ends of most names are all of it, and comparing these is
    /// quicker than a call of `memcmp`.
    #[inline]
    fn are_of(self, name: &[u8], known: &[u8]) -> bool {
        let all = matches!(name.len(), 4..=16);
        name.len() == known.len() && Ends::of(known) == self && (all || name == known)
    }
}

const SLOTS: usize = 2048;
static INDEX: [u16; SLOTS] = index();
