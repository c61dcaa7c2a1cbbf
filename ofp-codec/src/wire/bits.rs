use core::fmt;

/// The names of the set bits, the lowest first, with this between two; bits without a name are one
/// number at the end, and none at all is `0` (`ofp_print_bit_names` in `lib/ofp-print.c`).
pub(crate) fn write_bit_names(
    f: &mut fmt::Formatter<'_>,
    bits: u32,
    names: &[(u32, &str)],
    between: &str,
) -> fmt::Result {
    if bits == 0 {
        return f.write_str("0");
    }
    let mut space = "";
    let mut left = bits;
    for (bit, name) in names.iter().filter(|(bit, _)| bits & bit != 0) {
        write!(f, "{space}{name}")?;
        left &= !bit;
        space = between;
    }
    match left {
        0 => Ok(()),
        left => write!(f, "{space}{left:#x}"),
    }
}

/// Makes a newtype of flags with named bits from rows `NAME = bit, "printed";`.
///
/// `BLOCKED = 1 << 1, "BLOCKED";` becomes a constant, and a word of `Display`.
macro_rules! bits {
    ($(#[$doc:meta])* $type:ident { $($(#[$bit_doc:meta])* $name:ident = $bit:expr, $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $type(pub u32);

        impl $type {
            $($(#[$bit_doc])* pub const $name: $type = $type($bit);)*

            /// The bits and what Open vSwitch prints for them.
            pub(crate) const NAMES: &[(u32, &str)] = &[$(($bit, $word)),*];

            /// Whether every bit of `other` is set.
            pub fn contains(self, other: $type) -> bool {
                self.0 & other.0 == other.0
            }
        }

        /// The names of the bits as Open vSwitch prints them, with a space between two; `0` for none.
        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::wire::bits::write_bit_names(f, self.0, Self::NAMES, " ")
            }
        }
    };
}

pub(crate) use bits;
