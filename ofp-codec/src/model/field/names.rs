//! From a name to its field: a hash table that the compiler fills.

use crate::model::field::table::{Field, SPELLINGS};

/// The field of a name, and that name as the table has it.
pub(super) fn find(name: &[u8]) -> Option<(Field, &'static str)> {
    let mut slot = hash(name) % SLOTS;
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
        let mut slot = hash(SPELLINGS[place as usize].0.as_bytes()) % SLOTS;
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

/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash as usize
}

const SLOTS: usize = 2048;
static INDEX: [u16; SLOTS] = index();
