//! Attributes and their masks, from text straight to bytes.

use alloc::vec::Vec;

use netlink_genl::nlattr::{Attrs, EncodeError, HEADER_LEN, MAX_PAYLOAD, Sink};

use super::payload::Payload;
use crate::text::ParseError;

/// Attributes as bytes beside their masks as bytes.
///
/// Hardly any text of a tunnel key has masks, and `set(..)` has no use for those that cover everything. So there are none
/// as long as they would be ones alone: making them takes a sixth of the time in which a flood is read.
pub(crate) struct Pairs {
    pub(super) values: Vec<u8>,
    /// Nothing if each bit of the values is covered.
    pub(super) masks: Option<Vec<u8>>,
}

impl Pairs {
    /// None yet, with room for what most tunnel keys have.
    pub(super) fn new(has_masks: bool) -> Self {
        Self {
            values: Vec::with_capacity(USUAL),
            masks: has_masks.then(|| Vec::with_capacity(USUAL)),
        }
    }

    /// Appends an attribute, which begins at `offset` of the text, and its mask.
    #[inline]
    pub(super) fn put<P: Payload>(
        &mut self,
        value: &P::Value,
        mask: &P::Value,
        kind: u16,
        offset: usize,
    ) -> Result<(), ParseError> {
        let mut ones = Ones(true);
        if self.masks.is_none() && P::encode(mask, kind, &mut ones).is_ok() && ones.0 {
            return fit(P::encode(value, kind, &mut self.values), offset);
        }
        fit(P::encode(mask, kind, self.masks()), offset)?;
        fit(P::encode(value, kind, &mut self.values), offset)
    }

    /// The masks of the attributes that are there, made of ones if there are none.
    pub(super) fn masks(&mut self) -> &mut Vec<u8> {
        let values = &self.values;
        self.masks.get_or_insert_with(|| {
            let mut masks = values.clone();
            for attr in Attrs::new(values).map_while(Result::ok) {
                let start = attr.offset() + HEADER_LEN;
                masks[start..start + attr.payload().len()].fill(u8::MAX);
            }
            masks
        })
    }
}

/// Says that attributes which begin at `offset` of the text are too long, if so.
pub(super) fn fit(encoded: Result<(), EncodeError>, offset: usize) -> Result<(), ParseError> {
    encoded.map_err(|_| ParseError::TooLong {
        offset,
        limit: MAX_PAYLOAD,
    })
}

/// Whether what is written is attributes, and their payloads ones alone.
struct Ones(bool);

impl Sink for Ones {
    fn position(&self) -> usize {
        0
    }

    fn put(&mut self, _: &[u8]) -> Result<(), EncodeError> {
        self.0 = false;
        Ok(())
    }

    fn patch(&mut self, _: usize, _: [u8; 2]) {}

    fn truncate(&mut self, _: usize) {}

    #[inline]
    fn attr(&mut self, _: u16, payload: &[u8]) -> Result<(), EncodeError> {
        self.0 &= payload.iter().all(|byte| *byte == u8::MAX);
        Ok(())
    }

    /// The headers inside are no ones.
    fn nest<E: From<EncodeError>>(
        &mut self,
        _: u16,
        _: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0 = false;
        Ok(())
    }
}

/// Bytes that most tunnel keys fit.
const USUAL: usize = 64;
