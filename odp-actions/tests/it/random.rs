//! Random input that is the same in every run.

/// xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % limit
    }
}

/// How often a random test does what it does: `usual` times, or `OVS_RS_ROUNDS`.
pub(crate) fn rounds(usual: usize) -> usize {
    let rounds = std::env::var("OVS_RS_ROUNDS").ok();
    rounds.map_or(usual, |rounds| rounds.parse().expect("OVS_RS_ROUNDS is a number"))
}
