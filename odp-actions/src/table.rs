//! The table of attributes: one row makes the variant, its number, its bytes and its text.

/// What every table of attributes has: the enum, and the number, the name and the bytes of each row. The codec of a row
/// has `encode` from the trait that is named first.
macro_rules! attribute_enum {
    ($Trait:path; $(#[$meta:meta])* $vis:vis enum $Enum:ident {
        $($(#[$row:meta])* $number:literal $Name:ident $(($Type:ty))? [$Codec:ty] $name:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $Enum {
            $($(#[$row])* $Name $(($Type))?,)*
            /// An attribute that no row names, or one of another form than its row says, byte for byte.
            Unknown(netlink_genl::nlattr::RawAttr),
        }

        impl $Enum {
            /// The attribute type, without flags.
            pub fn kind(&self) -> u16 {
                match self {
                    $(Self::$Name $((attribute_enum!(@any $Type)))? => $number & netlink_genl::nlattr::KIND_MASK,)*
                    Self::Unknown(unknown) => unknown.kind(),
                }
            }

            /// The name that Open vSwitch prints for it, or `unknown`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Name $((attribute_enum!(@any $Type)))? => $name,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            /// Appends the attribute to `sink`.
            ///
            /// # Errors
            /// [`EncodeError`](crate::EncodeError): it does not fit the sink, or the 16 bits of its length.
            pub fn encode<S: netlink_genl::nlattr::Sink>(&self, sink: &mut S) -> Result<(), crate::EncodeError> {
                match self {
                    $(attribute_enum!(@pattern $Name value $(($Type))?) =>
                        <$Codec as $Trait>::encode(attribute_enum!(@value value $(($Type))?), $number, sink),)*
                    Self::Unknown(unknown) => sink.attr(unknown.raw_kind, &unknown.payload),
                }
            }
        }
    };
    (@any $Type:ty) => { _ };
    (@pattern $Name:ident $value:ident) => { Self::$Name };
    (@pattern $Name:ident $value:ident ($Type:ty)) => { Self::$Name($value) };
    (@value $value:ident) => { &() };
    (@value $value:ident ($Type:ty)) => { $value };
    (@build $Name:ident $value:expr) => { { let () = $value; Self::$Name } };
    (@build $Name:ident $value:expr, $Type:ty) => { Self::$Name($value) };
}

/// Makes an enum of attributes out of rows `NUMBER Name(Type) Codec "name"`, some of them with `since MAJOR MINOR`.
///
/// The codec ([`crate::key::codec::Codec`] and its like) holds bytes and text of one value type; a row without a type is
/// a flag. What no row names becomes `Unknown` and keeps its bytes. For the row
/// `4 Ttl(u8) Dec8 "ttl"` the expansion is, in part:
///
/// ```text
/// enum TunnelAttr { Ttl(u8), .., Unknown(RawAttr) }
/// fn kind(&self)   { TunnelAttr::Ttl(_) => 4, .. }
/// fn name(&self)   { TunnelAttr::Ttl(_) => "ttl", .. }
/// fn encode(&self) { TunnelAttr::Ttl(v) => Dec8::encode(v, 4, sink), .. }
/// fn decode(attr)  { 4 => TunnelAttr::Ttl(Dec8::decode(attr)?), .. }
/// fn print(&self)  { TunnelAttr::Ttl(v) => Dec8::print(v, "ttl", f), .. }
/// fn parse("ttl")  { TunnelAttr::Ttl(Dec8::parse(lexer)?) }
/// ```
macro_rules! attributes {
    ($(#[$meta:meta])* $vis:vis enum $Enum:ident {
        $($(#[$row:meta])* $number:literal $Name:ident $(($Type:ty))? $Codec:ident $name:literal
            $(since $major:literal $minor:literal)?;)*
    }) => {
        attribute_enum! {
            $crate::key::codec::Codec;
            $(#[$meta])*
            $vis enum $Enum {
                $($(#[$row])* $number $Name $(($Type))? [$Codec] $name;)*
            }
        }

        impl $Enum {
            /// Number and name of every row of the table.
            pub const ROWS: &'static [(u16, &'static str)] =
                &[$(($number & netlink_genl::nlattr::KIND_MASK, $name)),*];

            /// Name of every row that says since which release it is there, and the two numbers of that.
            #[allow(dead_code, reason = "most tables do not say it")]
            const SINCE: &'static [(&'static str, u16, u16)] = &[$($(($name, $major, $minor),)?)*];

            /// Reads one attribute.
            ///
            /// # Errors
            /// [`DecodeError`](crate::DecodeError): a payload that is not what its type has, with its position.
            pub fn decode(attr: &netlink_genl::nlattr::Attr<'_>) -> Result<Self, crate::DecodeError> {
                let mut faults = $crate::key::codec::Faults::default();
                let decoded = Self::decode_in(attr, &mut faults)?;
                faults.strict(decoded)
            }

            pub(crate) fn decode_in(
                attr: &netlink_genl::nlattr::Attr<'_>,
                faults: &mut $crate::key::codec::Faults,
            ) -> Result<Self, crate::DecodeError> {
                // A type word with other flags is another type word: keeping it apart keeps its bytes.
                Ok(match attr.raw_kind() {
                    $($number => attribute_enum!(@build $Name <$Codec as $crate::key::codec::Codec>::decode_in(attr, faults)? $(, $Type)?),)*
                    _ => Self::Unknown((*attr).into()),
                })
            }

            #[allow(dead_code, reason = "some attributes stand in no text of their own")]
            fn print(&self, f: &mut $crate::text::print::Printer<'_>) -> core::fmt::Result {
                match self {
                    $(attribute_enum!(@pattern $Name value $(($Type))?) => <$Codec as $crate::key::codec::Codec>::print(attribute_enum!(@value value $(($Type))?), $name, f),)*
                    Self::Unknown(unknown) => match Self::without_flags(unknown) {
                        Some(known) => known.print(f),
                        None => Self::print_unknown(unknown, f),
                    },
                }
            }

            /// What it would be but for flags in its type word, which Open vSwitch passes over.
            #[allow(dead_code, reason = "as above")]
            fn without_flags(unknown: &netlink_genl::nlattr::RawAttr) -> Option<Self> {
                use netlink_genl::nlattr::{Attrs, KIND_MASK, Sink};

                let usual = match unknown.kind() {
                    $(kind if kind == $number & KIND_MASK => $number,)*
                    _ => return None,
                };
                if usual == unknown.raw_kind {
                    return None;
                }
                let mut bytes = alloc::vec::Vec::new();
                bytes.attr(usual, &unknown.payload).ok()?;
                let attr = Attrs::new(&bytes).next()?.ok()?;
                let decoded = Self::decode_in(&attr, &mut $crate::key::codec::Faults::default());
                Some(decoded.unwrap_or_else(|_| Self::Unknown(attr.into())))
            }

            #[allow(dead_code, reason = "as above")]
            fn parse(name: &str, lexer: &mut $crate::text::lex::Lexer<'_>) -> Option<Result<Self, $crate::text::ParseError>> {
                match name {
                    $($name => Some(<$Codec as $crate::key::codec::Codec>::parse(lexer).map(|value| attribute_enum!(@build $Name value $(, $Type)?))),)*
                    _ => None,
                }
            }
        }
    };
}
