//! Numbers of a protocol that have names.

/// Makes a newtype over a wire number, with a constant and a name for each number that is known here.
///
/// An unknown number keeps its value. One row,
///
/// ```text
/// numbers! {
///     /// A kind of port.
///     pub struct Kind(u32);
///     /// `OVS_VPORT_TYPE_NETDEV`: a network device.
///     NETDEV = 1 "netdev",
/// }
/// ```
///
/// makes `pub struct Kind(pub u32)`, `Kind::NETDEV`, `Kind(1).name() == Some("netdev")`, and a `Display` that prints
/// `netdev` for 1 and `9` for 9.
macro_rules! numbers {
    (
        $(#[$meta:meta])*
        pub struct $type:ident($repr:ty);
        $($(#[$doc:meta])* $constant:ident = $number:literal $name:literal,)+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $repr);

        impl $type {
            $($(#[$doc])* pub const $constant: Self = Self($number);)+

            /// The name of the number, if it is one of the constants.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)+
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => core::fmt::Display::fmt(&self.0, f),
                }
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
