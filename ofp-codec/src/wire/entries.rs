use core::marker::PhantomData;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, Fault},
        message::Message,
        read::Reader,
    },
};

/// One of the like things that a reply holds, one behind another.
pub trait Entry<'a>: Sized {
    /// What it is called in an error.
    const WHAT: &'static str;

    /// The length of the entry that begins here: in most versions its first two bytes say it.
    ///
    /// # Errors
    ///
    /// If the bytes that tell are not there.
    fn len(reader: Reader<'a>, version: Version) -> Result<usize, DecodeError>;

    /// Reads it; `entry` holds nothing else.
    ///
    /// # Errors
    ///
    /// If it is malformed.
    fn decode(entry: Reader<'a>, version: Version) -> Result<Self, DecodeError>;
}

/// Iterates over the entries of one message. An entry that is malformed costs only itself, as each
/// tells its length; if that length is no length, the rest of the message is one bad entry.
#[derive(Clone, Debug)]
pub struct Entries<'a, T> {
    left: Reader<'a>,
    version: Version,
    entry: PhantomData<T>,
}

/// An entry that cannot be read: where it stands, its bytes, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry at byte {offset}: {error}")]
pub struct BadEntry<'a> {
    /// Where in the message it begins.
    pub offset: usize,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What is wrong with it.
    #[source]
    pub error: DecodeError,
}

impl<'a, T: Entry<'a>> Entries<'a, T> {
    /// The entries that make the body of this message. What kind of message it is the caller knows.
    pub fn of(message: &Message<'a>) -> Self {
        Entries::new(message.body(), message.header().version)
    }

    /// The entries here.
    pub(crate) fn new(left: Reader<'a>, version: Version) -> Self {
        Entries {
            left,
            version,
            entry: PhantomData,
        }
    }

    fn split(&mut self) -> Result<Reader<'a>, DecodeError> {
        let wanted = T::len(self.left, self.version)?;
        if wanted == 0 {
            return Err(self.left.error(T::WHAT, Fault::Length { wanted: 1, got: 0 }));
        }
        self.left.part(wanted, T::WHAT)
    }
}

impl<'a, T: Entry<'a>> Iterator for Entries<'a, T> {
    type Item = Result<T, BadEntry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let (offset, rest) = (self.left.offset(), self.left.rest());
        let bad = |bytes, error| BadEntry { offset, bytes, error };
        Some(match self.split() {
            Ok(entry) => T::decode(entry, self.version).map_err(|error| bad(entry.rest(), error)),
            Err(error) => {
                self.left = Reader::at(&[], offset + rest.len());
                Err(bad(rest, error))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// A length and a byte that must not be 0.
    struct Byte(u8);

    impl<'a> Entry<'a> for Byte {
        const WHAT: &'static str = "byte";

        fn len(mut reader: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
            reader.u8("length").map(usize::from)
        }

        fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
            entry.u8("length")?;
            match entry.u8("value")? {
                0 => Err(entry.error("value", Fault::Value(0))),
                value => Ok(Byte(value)),
            }
        }
    }

    fn values(bytes: &[u8]) -> Vec<Result<u8, (usize, usize)>> {
        Entries::<Byte>::new(Reader::at(bytes, 100), Version::V1_3)
            .map(|entry| {
                entry
                    .map(|Byte(value)| value)
                    .map_err(|bad| (bad.offset, bad.bytes.len()))
            })
            .collect()
    }

    #[test]
    fn a_bad_entry_costs_only_itself() {
        assert_eq!(values(&[2, 7, 3, 0, 0, 2, 9]), [Ok(7), Err((102, 3)), Ok(9)]);
    }

    #[test]
    fn a_length_that_is_none_takes_the_rest() {
        assert_eq!(values(&[2, 7, 0, 5, 5]), [Ok(7), Err((102, 3))]);
        assert_eq!(values(&[2, 7, 4, 5, 5]), [Ok(7), Err((102, 3))]);
        assert_eq!(values(&[]), []);
    }
}
