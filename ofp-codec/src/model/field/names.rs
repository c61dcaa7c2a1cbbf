//! From a name to its field: a hash table that the compiler fills.

use core::fmt;

use crate::model::field::table::{Field, SPELLINGS};

/// A name of a field, by its place in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spelling(u16);

impl Spelling {
    /// The name `name`, if it is one.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        let ends = Ends::of(name);
        let mut slot = ends.slot();
        loop {
            // 0 is an empty slot; more than half of them are.
            let found = Spelling(INDEX[slot].checked_sub(1)?);
            // The ends of most names are all of it, and a call of `memcmp` costs more than comparing these.
            if ENDS[usize::from(found.0)] == ends {
                let all = matches!(ends.len, 4..=16);
                if all || found.name().as_bytes() == name {
                    return Some(found);
                }
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The name that `load` prints: of the first header, which is NXM's where there is one.
    pub(crate) fn of_header(field: Field) -> Self {
        let header = field.info().headers.first();
        let found = header.and_then(|header| Spelling::of(header.name.as_bytes()));
        found.unwrap_or_else(|| field.into())
    }

    pub(crate) fn field(self) -> Field {
        SPELLINGS[usize::from(self.0)].1
    }

    pub(crate) fn name(self) -> &'static str {
        SPELLINGS[usize::from(self.0)].0
    }
}

/// The name that `set_field` prints: these are the first, in the order of the fields.
impl From<Field> for Spelling {
    fn from(field: Field) -> Self {
        Spelling(field as u16)
    }
}

impl fmt::Debug for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

const fn index() -> [u16; SLOTS] {
    let mut index = [0; SLOTS];
    // More names than this type counts, and the compiler stops here.
    let mut place = 0_u16;
    while (place as usize) < SPELLINGS.len() {
        let mut slot = ENDS[place as usize].slot();
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
    len: usize,
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
        let len = name.len();
        Ends { first, last, len }
    }

    /// Multiplied with 2^64 over the golden ratio, as Knuth has it (The Art of Computer Programming, 6.4), of which the
    /// upper bits are used.
    #[inline]
    const fn slot(self) -> usize {
        let both = self.first ^ self.last.rotate_left(24);
        let upper = (both.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        upper >> (32 - SLOTS.trailing_zeros())
    }
}

const SLOTS: usize = 2048;
static INDEX: [u16; SLOTS] = index();

static ENDS: [Ends; SPELLINGS.len()] = {
    let mut ends = [Ends::of(b""); SPELLINGS.len()];
    let mut place = 0;
    while place < ends.len() {
        ends[place] = Ends::of(SPELLINGS[place].0.as_bytes());
        place += 1;
    }
    ends
};
