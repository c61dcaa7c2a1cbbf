//! How a family's attributes are written down: one row each.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::array;

use super::Attribute;
use crate::nlattr::{Attr, DecodeError, EncodeError, RawAttr, Sink};

/// Makes an enum of a family's attributes from rows of number, name and payload.
///
/// ```text
/// attributes! {
///     /// `enum ovs_ct_limit_attr`.
///     pub enum CtLimitAttr "OVS_CT_LIMIT_ATTR_" {
///         /// Limits of zones.
///         1 ZoneLimits(Vec<ZoneLimit>) "ZONE_LIMIT",
///     }
/// }
/// ```
///
/// makes `CtLimitAttr::ZoneLimits(..)`, and `CtLimitAttr::Unknown(RawAttr)` for any other number; `decode`, `encode`,
/// `number`, and `name`: `OVS_CT_LIMIT_ATTR_ZONE_LIMIT`. The payload's type is a [`Payload`].
macro_rules! attributes {
    (
        $(#[$meta:meta])*
        pub enum $type:ident $prefix:literal {
            $($(#[$doc:meta])* $number:literal $variant:ident($payload:ty) $name:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $variant($payload),)+
            /// An attribute that is not known here, byte for byte.
            Unknown($crate::nlattr::RawAttr),
        }

        impl $crate::ovs::Attribute for $type {
            fn decode(attr: &$crate::nlattr::Attr<'_>) -> Result<Self, $crate::nlattr::DecodeError> {
                Ok(match attr.kind() {
                    $($number => Self::$variant($crate::ovs::table::Payload::decode(attr)?),)+
                    _ => Self::Unknown((*attr).into()),
                })
            }

            fn encode<S: $crate::nlattr::Sink>(&self, sink: &mut S) -> Result<(), $crate::nlattr::EncodeError> {
                match self {
                    $(Self::$variant(payload) => $crate::ovs::table::Payload::encode(payload, $number, sink),)+
                    Self::Unknown(raw) => sink.attr(raw.raw_kind, &raw.payload),
                }
            }

            fn name(number: u16) -> Option<&'static str> {
                match number {
                    $($number => Some(concat!($prefix, $name)),)+
                    _ => None,
                }
            }

            fn name_at(path: &[u16]) -> Option<&'static str> {
                match path {
                    [number] => <Self as $crate::ovs::Attribute>::name(*number),
                    $([$number, inner @ ..] => <$payload as $crate::ovs::table::Payload>::name_at(inner),)+
                    _ => None,
                }
            }
        }
    };
}

/// What stands in an attribute.
pub(crate) trait Payload: Sized {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError>;
    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError>;

    /// The name of an attribute in here, as [`Attribute::name_at`].
    fn name_at(_path: &[u16]) -> Option<&'static str> {
        None
    }
}

macro_rules! numbers_as_payload {
    ($($type:ident)+) => {$(
        impl Payload for $type {
            fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
                attr.$type()
            }

            fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
                sink.attr(kind, &self.to_ne_bytes())
            }
        }
    )+};
}
numbers_as_payload! { u8 u16 u32 i32 u64 }

/// A flag, which is there or not.
impl Payload for () {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        attr.flag()
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.flag(kind)
    }
}

impl Payload for CString {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        Ok(attr.c_str()?.into())
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, self.to_bytes_with_nul())
    }
}

/// Bytes that others read.
impl Payload for Vec<u8> {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        Ok(attr.payload().to_vec())
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.attr(kind, self)
    }
}

impl Payload for Vec<u32> {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let words = chunks::<4>(attr)?;
        Ok(words.map(u32::from_ne_bytes).collect())
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| {
            self.iter().try_for_each(|word| s.put(&word.to_ne_bytes()))
        })
    }
}

/// Attributes in an attribute.
impl<T: Attribute> Payload for Vec<T> {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        attr.attrs().map(|attr| T::decode(&attr?)).collect()
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| self.iter().try_for_each(|attr| attr.encode(s)))
    }

    fn name_at(path: &[u16]) -> Option<&'static str> {
        T::name_at(path)
    }
}

/// What is not known stands behind what is.
pub(crate) fn encode_raw<S: Sink>(attrs: &[RawAttr], sink: &mut S) -> Result<(), EncodeError> {
    attrs
        .iter()
        .try_for_each(|attr| sink.attr(attr.raw_kind, &attr.payload))
}

/// Makes a struct of consecutive numbers a [`Payload`]: its size, and its fields in their order.
macro_rules! record {
    ($type:ident { $($field:ident: $number:ident,)+ }) => {
        impl $crate::ovs::table::Payload for $type {
            fn decode(attr: &$crate::nlattr::Attr<'_>) -> Result<Self, $crate::nlattr::DecodeError> {
                let bytes = attr.array::<{ 0 $(+ size_of::<$number>())+ }>()?;
                let mut rest = &bytes[..];
                Ok(Self { $($field: $number::from_ne_bytes($crate::ovs::table::take(&mut rest)),)+ })
            }

            fn encode<S: $crate::nlattr::Sink>(
                &self,
                kind: u16,
                sink: &mut S,
            ) -> Result<(), $crate::nlattr::EncodeError> {
                sink.nest(kind, |s| {
                    $(s.put(&self.$field.to_ne_bytes())?;)+
                    Ok(())
                })
            }
        }
    };
}

/// The next `N` bytes; zeros at the end.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (first, others) = rest.split_first_chunk().unwrap_or((&[0; N], &[]));
    *rest = others;
    *first
}

/// The payload in pieces of `N` bytes.
pub(crate) fn chunks<'a, const N: usize>(
    attr: &Attr<'a>,
) -> Result<impl Iterator<Item = [u8; N]> + 'a, DecodeError> {
    let pieces = attr.payload().chunks_exact(N);
    if !pieces.remainder().is_empty() {
        return Err(DecodeError::WrongSize {
            offset: attr.offset(),
            kind: attr.kind(),
            wanted: attr.payload().len().next_multiple_of(N),
            got: attr.payload().len(),
        });
    }
    Ok(pieces.map(|piece| array::from_fn(|byte| piece[byte])))
}
