//! The tables of flow keys: one row makes the variant or field, its number, its bytes, its mask and its text.

/// Makes an enum of key attributes out of rows `NUMBER Name(Type): Codec, "name"`.
///
/// The codec is a [`Payload`](super::payload::Payload); a row without a type is a flag. What no row names, and what
/// its codec does not take, becomes `Unknown` and keeps its bytes. [`key_bytes!`] and [`key_text!`] make the two halves.
/// For the row `2 Priority(u32): Single<Hex32>, "skb_priority"` the expansion is, in part:
///
/// ```text
/// enum Key { Priority(u32), .., Unknown(RawAttr) }
/// fn encode(&self) { Key::Priority(v) => Single::<Hex32>::encode(v, 2, sink), .. }
/// fn decode(attr)  { 2 => Single::<Hex32>::decode(payload).map(Key::Priority), .. }
/// fn print(&self)  { Key::Priority(v) => Single::<Hex32>::print("skb_priority", v, mask, ..), .. }
/// fn parse("skb_priority") { Single::<Hex32>::parse(lexer) }
/// ```
macro_rules! keys {
    ($(#[$meta:meta])* $vis:vis enum $Enum:ident {
        $($(#[$row:meta])* $number:literal $Name:ident $(($Type:ty))?: $Codec:ty, $name:literal;)*
    }) => {
        attribute_enum! {
            $crate::key::payload::Payload;
            $(#[$meta])*
            $vis enum $Enum {
                $($(#[$row])* $number $Name $(($Type))? [$Codec] $name;)*
            }
        }

        impl $Enum {
            /// Reads one attribute. What is not of the form that its row says becomes `Unknown`.
            pub fn decode(attr: &netlink_genl::nlattr::Attr<'_>) -> Self {
                <Self as $crate::key::payload::Attribute>::decode_at(attr.raw_kind(), attr.payload(), 0)
            }
        }

        key_bytes! { $Enum { $($number $Name $(($Type))? [$Codec];)* } }
        key_text! { $Enum { $($number $Name $(($Type))? [$Codec] $name;)* } }
    };
}

/// Bytes of the attributes that [`keys!`] makes.
macro_rules! key_bytes {
    ($Enum:ident { $($number:literal $Name:ident $(($Type:ty))? [$Codec:ty];)* }) => {
        impl $crate::key::payload::Attribute for $Enum {
            fn kind(&self) -> u16 {
                self.kind()
            }

            fn encode_to<S: netlink_genl::nlattr::Sink>(&self, sink: &mut S) -> Result<(), crate::EncodeError> {
                self.encode(sink)
            }

            fn decode_at(raw_kind: u16, payload: &[u8], depth: usize) -> Self {
                let known = match raw_kind {
                    $($number => <$Codec as $crate::key::payload::Payload>::decode(payload, depth)
                        .map(|value| attribute_enum!(@build $Name value $(, $Type)?)),)*
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Unknown(netlink_genl::nlattr::RawAttr { raw_kind, payload: payload.to_vec() }))
            }

            fn raw(&self) -> Option<&netlink_genl::nlattr::RawAttr> {
                match self {
                    Self::Unknown(raw) => Some(raw),
                    _ => None,
                }
            }

            fn expected_len(kind: u16) -> Option<usize> {
                match kind {
                    $($number => <$Codec as $crate::key::payload::Payload>::LEN,)*
                    _ => Self::len_of_unknown(kind),
                }
            }

            fn is_nest(kind: u16) -> bool {
                Self::NESTS.contains(&kind)
            }
        }
    };
}

/// Text of the attributes that [`keys!`] makes.
macro_rules! key_text {
    ($Enum:ident { $($number:literal $Name:ident $(($Type:ty))? [$Codec:ty] $name:literal;)* }) => {
        impl $crate::key::payload::TextAttribute for $Enum {
            fn print_known(
                &self,
                mask: Option<&Self>,
                verbose: bool,
                list: &mut $crate::key::list::List<'_, '_>,
            ) -> core::fmt::Result {
                match self {
                    $(attribute_enum!(@pattern $Name value $(($Type))?) => {
                        let mask = match mask {
                            Some(attribute_enum!(@pattern $Name mask $(($Type))?)) => Some(attribute_enum!(@value mask $(($Type))?)),
                            _ => None,
                        };
                        <$Codec as $crate::key::payload::Payload>::print(
                            $name, attribute_enum!(@value value $(($Type))?), mask, verbose, list)
                    })*
                    Self::Unknown(_) => Ok(()),
                }
            }

            fn parse_known(
                name: &str,
                lexer: &mut $crate::text::lex::Lexer<'_>,
                context: $crate::key::payload::Context,
            ) -> Option<Result<(Self, Self), $crate::text::ParseError>> {
                match name {
                    $($name => Some(<$Codec as $crate::key::payload::Payload>::parse(lexer, context).map(|(value, mask)|
                        (attribute_enum!(@build $Name value $(, $Type)?), attribute_enum!(@build $Name mask $(, $Type)?)))),)*
                    _ => None,
                }
            }

            #[inline]
            fn parse_into(
                lexer: &mut $crate::text::lex::Lexer<'_>,
                context: $crate::key::payload::Context,
                pairs: &mut $crate::key::pairs::Pairs,
            ) -> Option<Result<(), $crate::text::ParseError>> {
                let offset = lexer.offset();
                $(if <$Codec as $crate::key::payload::Payload>::HAS_TEXT && lexer.eat_word($name) {
                    let parsed = <$Codec as $crate::key::payload::Payload>::parse(lexer, context);
                    return Some(parsed.and_then(|(value, mask)| pairs.put::<$Codec>(&value, &mask, $number, offset)));
                })*
                None
            }

            fn is_all(&self, ones: bool) -> bool {
                match self {
                    $(attribute_enum!(@pattern $Name value $(($Type))?) =>
                        <$Codec as $crate::key::payload::Payload>::is_all(attribute_enum!(@value value $(($Type))?), ones),)*
                    Self::Unknown(_) => false,
                }
            }
        }
    };
}

/// Makes a struct that is the payload of an attribute out of rows `field: Type, OFFSET Format "name"`, in the order of
/// the text; a second name is one that is only read, a field without a name is not in the text.
///
/// For the row `src: MacAddr, 0 Mac "src"` of `Ethernet` the expansion is, in part:
///
/// ```text
/// struct Ethernet { src: MacAddr, .. }
/// fn encode { Mac::write(value.src, &mut bytes[0..6]); .. }
/// fn decode { Ethernet { src: Mac::read(&payload[0..6]), .. } }
/// fn print  { Mac::print("src", value.src, mask.src, ..)?; .. }
/// fn parse  { if lexer.eat("src=") { (value.src, mask.src) = Mac::scan(lexer)?; } .. }
/// ```
macro_rules! headers {
    ($($(#[$meta:meta])* pub struct $Header:ident {
        $($(#[$row:meta])* $field:ident: $Type:ty, $at:literal $Format:ident $($name:literal $(or $alias:literal)?)?;)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $Header {
            $($(#[$row])* pub $field: $Type,)*
        }

        impl $Header {
            /// Bytes of the struct.
            const SIZE: usize = 0 $(+ <$Format as Format>::LEN)*;
        }

        /// All zeros.
        impl Default for $Header {
            fn default() -> Self {
                Self { $($field: $Format::ZERO,)* }
            }
        }

        impl Payload for $Header {
            type Value = Self;
            const LEN: Option<usize> = Some(Self::SIZE);

            fn encode<S: Sink>(value: &Self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                let mut bytes = [0; Self::SIZE];
                $($Format::write(value.$field, &mut bytes[$at..$at + $Format::LEN]);)*
                sink.attr(kind, &bytes)
            }

            fn decode(payload: &[u8], _: usize) -> Option<Self> {
                let bytes: &[u8; Self::SIZE] = payload.try_into().ok()?;
                Some(Self { $($field: $Format::read(&bytes[$at..$at + $Format::LEN])),* })
            }

            fn print(
                name: &str,
                value: &Self,
                mask: Option<&Self>,
                verbose: bool,
                list: &mut List<'_, '_>,
            ) -> fmt::Result {
                list.nest(name, |list| {
                    $($($Format::print($name, value.$field, mask.map(|mask| mask.$field), verbose, list)?;)?)*
                    Ok(())
                })
            }

            /// Fields in any order, of which the last of a name counts; a comma may stand before the `)`.
            fn parse(lexer: &mut Lexer<'_>, _: Context) -> Result<(Self, Self), ParseError> {
                let (mut value, mut mask) = (Self::default(), Self::default());
                lexer.expect("(")?;
                loop {
                    $($(if lexer.eat(concat!($name, "=")) $(|| lexer.eat(concat!($alias, "=")))? {
                        (value.$field, mask.$field) = $Format::scan(lexer)?;
                    } else)?)* {
                        lexer.expect(")")?;
                        return Ok((value, mask));
                    }
                    if !lexer.eat(",") {
                        lexer.expect(")")?;
                        return Ok((value, mask));
                    }
                }
            }

            fn is_all(value: &Self, ones: bool) -> bool {
                true $(&& $Format::is_all(value.$field, ones))*
            }
        }
    )*};
}
