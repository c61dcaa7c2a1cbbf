//! Walks over JSON text, and hands values to serde where they stand.
//!
//! The objects around the rows of an update are walked by hand, so that each row is read once, by
//! whoever keeps it, and its text is known afterwards.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, IgnoredAny};

use crate::rpc::JsonError;

/// A place in a text.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Takes bytes that must be text.
    pub(crate) fn over(bytes: &'a [u8]) -> Result<Self, JsonError> {
        JsonError::text(bytes).map(Self::new)
    }

    /// The offset of the next value.
    pub(crate) fn next_value(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// The offset behind the last value.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Walks over the members of an object. `each` gets the name and must take the value.
    pub(crate) fn object<E: From<JsonError>>(
        &mut self,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.take(b'{')?;
        if self.take_if(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.take(b':')?;
            each(self, &name)?;
            if !self.take_if(b',') {
                return Ok(self.take(b'}')?);
            }
        }
    }

    /// Reads the next value.
    pub(crate) fn value<'v, S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, serde_json::Error>
    where
        'a: 'v,
    {
        let mut json = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let value = seed.deserialize(&mut json)?;
        self.at += json.into_iter::<IgnoredAny>().byte_offset();
        Ok(value)
    }

    /// An error of [`value`](Self::value), with its place in the whole text.
    pub(crate) fn place(&self, error: &serde_json::Error) -> JsonError {
        JsonError::within(self.text, self.at, error)
    }

    pub(crate) fn error(&self, message: &str) -> JsonError {
        self.place(&serde::de::Error::custom(message))
    }

    /// Says that nothing may follow.
    pub(crate) fn finish(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        match self.at == self.text.len() {
            true => Ok(()),
            false => Err(self.error("trailing characters")),
        }
    }

    fn name(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.take(b'"')?;
        let rest = &self.text[self.at..];
        match rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(len) if rest.as_bytes()[len] == b'"' => {
                self.at += len + 1;
                Ok(Cow::Borrowed(&rest[..len]))
            }
            _ => {
                self.at -= 1;
                let name = self.value(PhantomData::<String>);
                name.map(Cow::Owned).map_err(|error| self.place(&error))
            }
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), JsonError> {
        match self.take_if(byte) {
            true => Ok(()),
            false => Err(self.error(&format!("expected `{}`", char::from(byte)))),
        }
    }

    fn take_if(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += space.count();
    }
}

/// Arrays, as the updates of a connection stand in.
#[cfg(feature = "client")]
impl Cursor<'_> {
    /// Enters an array.
    pub(crate) fn array(&mut self) -> Result<(), JsonError> {
        self.take(b'[')
    }

    /// Reads an element that is not the last.
    pub(crate) fn element<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, JsonError> {
        let value = self.value(PhantomData);
        let value = value.map_err(|error| self.place(&error))?;
        self.take(b',')?;
        Ok(value)
    }
}
