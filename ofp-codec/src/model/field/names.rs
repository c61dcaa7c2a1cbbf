//! From a name to its field: a hash table that the compiler fills.

use crate::model::field::table::{Field, SPELLINGS};

/// The field of a name, and that name as the table has it.
pub(super) fn find(name: &[u8]) -> Option<(Field, &'static str)> {
    let mut slot = hash(name);
    loop {
        // 0 is an empty slot; more than half of them are.
        let place = usize::from(INDEX[slot]).checked_sub(1)?;
        let (known, field) = SPELLINGS[place];
        if known.as_bytes() == name {
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
        let mut slot = hash(SPELLINGS[place as usize].0.as_bytes());
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

/// The slot of a name, by its first and last bytes: what is between tells few names apart. Multiplied with 2^64 over the
/// golden ratio, as Knuth has it (The Art of Computer Programming, 6.4), of which the upper bits are used.
const fn hash(name: &[u8]) -> usize {
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
    let both = first ^ last.rotate_left(24);
    let upper = (both.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    upper >> (32 - SLOTS.trailing_zeros())
}

const SLOTS: usize = 2048;
static INDEX: [u16; SLOTS] = index();
