//! Hashes: a fast one for our own maps, and those by which Open vSwitch chooses (`lib/hash.h`, `lib/jhash.c`).

/// A fast hash of words, for our own maps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) fn add(&mut self, word: u64) {
        // The multiplier of FxHash.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    pub(crate) fn get(self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// The hash that Open vSwitch takes where the compiler may not use instructions for CRC32.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Murmur(u32);

impl Murmur {
    pub(crate) const fn new(basis: u32) -> Self {
        Self(basis)
    }

    pub(crate) fn add(self, data: u32) -> Self {
        let data = data
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593);
        Self(
            (self.0 ^ data)
                .rotate_left(13)
                .wrapping_mul(5)
                .wrapping_add(0xe654_6b64),
        )
    }

    pub(crate) fn add64(self, data: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = data.to_le_bytes();
        self.add(u32::from_le_bytes([a, b, c, d]))
            .add(u32::from_le_bytes([e, f, g, h]))
    }

    pub(crate) fn finish(self, last: u32) -> u32 {
        let mut hash = self.0 ^ last;
        hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        hash ^ hash >> 16
    }
}

/// `hash_2words`, and with a basis `hash_int`.
pub(crate) fn two_words(x: u32, y: u32) -> u32 {
    Murmur::new(x).add(0).add(y).finish(8)
}

/// `hash_uint64`.
pub(crate) fn uint64(x: u64) -> u32 {
    Murmur::new(0).add64(x).finish(8)
}

/// `hash_bytes`.
pub(crate) fn bytes(bytes: &[u8], basis: u32) -> u32 {
    let hash = bytes
        .chunks(4)
        .fold(Murmur::new(basis), |hash, chunk| hash.add(word(chunk)));
    hash.finish(u32::try_from(bytes.len()).unwrap_or(0))
}

/// Jenkins' hash, which is the same in every build.
pub(crate) fn jenkins(bytes: &[u8], basis: u32) -> u32 {
    let start = 0xdead_beef_u32
        .wrapping_add(u32::try_from(bytes.len()).unwrap_or(0))
        .wrapping_add(basis);
    let [mut a, mut b, mut c] = [start; 3];
    let mut chunks = bytes.chunks_exact(12);
    for chunk in &mut chunks {
        a = a.wrapping_add(word(&chunk[..4]));
        b = b.wrapping_add(word(&chunk[4..8]));
        c = c.wrapping_add(word(&chunk[8..]));
        for (x, y, z, by) in [
            (0, 2, 1, 4),
            (1, 0, 2, 6),
            (2, 1, 0, 8),
            (0, 2, 1, 16),
            (1, 0, 2, 19),
            (2, 1, 0, 4),
        ] {
            let mut words = [a, b, c];
            words[x] = words[x].wrapping_sub(words[y]) ^ words[y].rotate_left(by);
            words[y] = words[y].wrapping_add(words[z]);
            [a, b, c] = words;
        }
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0; 12];
        last[..rest.len()].copy_from_slice(rest);
        a = a.wrapping_add(word(&last[..4]));
        b = b.wrapping_add(word(&last[4..8]));
        c = c.wrapping_add(word(&last[8..]));
        for (x, y, by) in [
            (2, 1, 14),
            (0, 2, 11),
            (1, 0, 25),
            (2, 1, 16),
            (0, 2, 4),
            (1, 0, 14),
            (2, 1, 24),
        ] {
            let mut words = [a, b, c];
            words[x] = (words[x] ^ words[y]).wrapping_sub(words[y].rotate_left(by));
            [a, b, c] = words;
        }
    }
    c
}

/// Up to four bytes as a word of a host with little end first, as all are that Open vSwitch is hashed on here.
pub(crate) fn word(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u32::from(*byte))
}
