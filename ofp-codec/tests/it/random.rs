//! Random numbers that are the same on every run.

/// Vigna's xorshift64*: the same numbers on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// `seed` is not 0.
    pub(crate) fn seeded(seed: u64) -> Self {
        Random(seed)
    }

    /// 32 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit.max(1)
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
