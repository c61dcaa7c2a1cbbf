use core::fmt;

/// An Ethernet address: six bytes in the order in which they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EthAddr(pub [u8; 6]);

impl EthAddr {
    /// The address whose bytes are the low 48 bits of `bits`, the most significant first.
    pub(crate) fn from_bits(bits: u128) -> Self {
        let b = bits.to_be_bytes();
        EthAddr([b[10], b[11], b[12], b[13], b[14], b[15]])
    }

    /// The address as a number, its first byte the most significant.
    pub fn to_bits(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl fmt::Display for EthAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
