//! OpenFlow's framing for `tokio_util::codec::Framed`: for programs that bring their own connection.
//!
//! ```
//! use bytes::BytesMut;
//! use ofp_codec::{codec::OpenflowCodec, wire::Message};
//! use tokio_util::codec::{Decoder, Encoder};
//!
//! let mut stream = BytesMut::new();
//! OpenflowCodec.encode(&[4, 20, 0, 8, 0, 0, 0, 1], &mut stream)?;
//! let frame = OpenflowCodec.decode(&mut stream)?.unwrap();
//! assert_eq!(Message::parse(&frame).unwrap().kind().unwrap().name(), "BARRIER_REQUEST");
//! # Ok::<(), ofp_codec::codec::CodecError>(())
//! ```

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::wire::{FrameError, frame_len};

/// Cuts a stream into messages of at most 65535 bytes, and joins messages to a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenflowCodec;

/// What can go wrong with a framed stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A header whose length is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What is to be sent is not one message, as its header has it.
    #[error("{len} bytes are to be sent that are not one message")]
    NotAMessage {
        /// How many.
        len: usize,
    },
    /// The system reports an error, or the stream ends inside a message.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Decoder for OpenflowCodec {
    type Item = Bytes;
    type Error = CodecError;

    fn decode(&mut self, stream: &mut BytesMut) -> Result<Option<Bytes>, CodecError> {
        let Some(len) = frame_len(stream)? else {
            return Ok(None);
        };
        if stream.len() < len {
            stream.reserve(len - stream.len());
            return Ok(None);
        }
        Ok(Some(stream.split_to(len).freeze()))
    }
}

impl<M: AsRef<[u8]>> Encoder<M> for OpenflowCodec {
    type Error = CodecError;

    fn encode(&mut self, message: M, stream: &mut BytesMut) -> Result<(), CodecError> {
        let bytes = message.as_ref();
        match frame_len(bytes) {
            Ok(Some(len)) if len == bytes.len() => {
                stream.extend_from_slice(bytes);
                Ok(())
            }
            _ => Err(CodecError::NotAMessage { len: bytes.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_at_every_cut() {
        let messages: [&[u8]; 2] = [&[4, 20, 0, 8, 0, 0, 0, 1], &[4, 2, 0, 10, 0, 0, 0, 2, 7, 8]];
        let mut whole = BytesMut::new();
        for message in messages {
            OpenflowCodec.encode(message, &mut whole).unwrap();
        }
        for cut in 0..=whole.len() {
            let mut stream = BytesMut::from(&whole[..cut]);
            let mut got = std::vec::Vec::new();
            while let Some(frame) = OpenflowCodec.decode(&mut stream).unwrap() {
                got.push(frame);
            }
            stream.extend_from_slice(&whole[cut..]);
            while let Some(frame) = OpenflowCodec.decode(&mut stream).unwrap() {
                got.push(frame);
            }
            assert_eq!(got, messages);
        }
    }

    #[test]
    fn what_is_no_message_is_not_sent() {
        for bytes in [&[][..], &[4, 20, 0, 8, 0, 0, 0], &[4, 20, 0, 9, 0, 0, 0, 1]] {
            let error = OpenflowCodec.encode(bytes, &mut BytesMut::new()).unwrap_err();
            assert!(matches!(error, CodecError::NotAMessage { .. }), "{error}");
        }
        let mut stream = BytesMut::from(&[4, 20, 0, 7, 0, 0, 0, 1][..]);
        assert!(matches!(
            OpenflowCodec.decode(&mut stream),
            Err(CodecError::Frame(_))
        ));
    }
}
