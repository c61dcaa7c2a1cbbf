//! Runs of numbers of fixed length: the `struct`s of OpenFlow's header files.

use crate::wire::{error::DecodeError, read::Reader, write::Writer};

/// A member of a record.
pub(crate) trait Member: Sized {
    const LEN: usize;
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, DecodeError>;
    fn write(&self, writer: &mut Writer<'_>);
}

impl<const N: usize> Member for [u8; N] {
    const LEN: usize = N;

    #[inline]
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, DecodeError> {
        reader.array(what)
    }

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes(self);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Member for $number {
            const LEN: usize = size_of::<$number>();

            #[inline]
            fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, DecodeError> {
                reader.array(what).map(<$number>::from_be_bytes)
            }

            #[inline]
            fn write(&self, writer: &mut Writer<'_>) {
                writer.bytes(&self.to_be_bytes());
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64);

/// Makes a record, its length and its bytes of a row a member. Padding is a member like any other,
/// so that what decodes encodes to the same bytes.
///
/// `record! { struct Example "example" { length: u16, pad: [u8; 2], } }` becomes a struct of these
/// members with `Example::LEN == 4`, `decode` and `encode`.
macro_rules! record {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident $what:literal {
        $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$member_doc])* $vis $member: $type,)*
        }

        impl $name {
            /// How many bytes it has.
            $vis const LEN: usize = 0 $(+ <$type as $crate::wire::record::Member>::LEN)*;

            /// Reads it.
            ///
            /// # Errors
            ///
            /// [`Fault::Truncated`](crate::wire::Fault::Truncated) if there are fewer than
            /// [`LEN`](Self::LEN) bytes; nothing is read then.
            #[inline]
            $vis fn decode(reader: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::DecodeError> {
                let reader = &mut reader.part(Self::LEN, $what)?;
                Ok($name { $($member: $crate::wire::record::Member::read(reader, $what)?,)* })
            }

            /// Writes it.
            #[inline]
            $vis fn encode(&self, writer: &mut $crate::wire::Writer<'_>) {
                $($crate::wire::record::Member::write(&self.$member, writer);)*
            }
        }
    )*};
}
pub(crate) use record;
