//! Random input that is the same in every run with the same `OVS_RS_SEED`.

/// xorshift64*.
pub(crate) struct Random(u64);

/// Rounds of a test with random input: as many as `OVS_RS_ROUNDS` says, or these.
pub(crate) fn rounds(usual: usize) -> usize {
    let told = std::env::var("OVS_RS_ROUNDS").ok();
    told.map_or(usual, |told| told.parse().unwrap())
}

impl Random {
    pub(crate) fn new() -> Self {
        let seed = std::env::var("OVS_RS_SEED").map_or(0, |seed| seed.parse::<u32>().unwrap());
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::from(seed))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % limit
    }
}
