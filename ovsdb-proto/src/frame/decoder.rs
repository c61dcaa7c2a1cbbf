//! The splitter over a buffer that grows, and as a `tokio_util` decoder.

use bytes::{Buf, Bytes, BytesMut};

use super::{FrameError, Limits, Member, Spans, Splitter, is_space};

/// One message, with the places of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    spans: Spans,
}

/// Cuts a [`BytesMut`] into [`Frame`]s.
///
/// With the feature `client` it is a `tokio_util::codec::Decoder`, too, whose error is the
/// [`FrameError`], inside an [`InvalidData`](std::io::ErrorKind::InvalidData) error.
///
/// ```
/// use bytes::BytesMut;
/// use ovsdb_proto::frame::{FrameDecoder, Limits, Member};
///
/// # fn main() -> Result<(), ovsdb_proto::frame::FrameError> {
/// let mut stream = BytesMut::from(&br#"{"id":null,"method":"stolen","params":["L"]} {"#[..]);
/// let mut decoder = FrameDecoder::new(Limits::default());
/// let frame = decoder.next_frame(&mut stream)?.expect("one whole message is there");
/// assert_eq!(frame.member(Member::Params).as_deref(), Some(&br#"["L"]"#[..]));
/// assert_eq!(decoder.next_frame(&mut stream)?, None);
/// assert!(decoder.finish(&stream).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    splitter: Splitter,
}

impl Frame {
    /// The bytes, white space before the message included.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Where things stand in [`bytes`](Self::bytes).
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// The value of a member. It shares the memory of the frame.
    #[must_use]
    pub fn member(&self, member: Member) -> Option<Bytes> {
        Some(self.bytes.slice(self.spans.member(member)?))
    }
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            splitter: Splitter::new(limits),
        }
    }

    /// Takes the first message out of `src`, if it is complete.
    ///
    /// # Errors
    ///
    /// Any [`FrameError`] but [`FrameError::Truncated`]. The decoder must not be used after one.
    pub fn next_frame(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if self.splitter.is_between() {
            let space = src.iter().take_while(|&&byte| is_space(byte)).count();
            src.advance(space);
            self.splitter.forget();
        }
        let Some(spans) = self.splitter.split(src)? else {
            return Ok(None);
        };
        // A large message takes the whole buffer with it, and only the tail is copied: else the
        // buffer would keep the memory of its largest message for as long as it lives. The tail
        // is no longer than the message, so that copying stays linear.
        let tail_len = src.len() - spans.len();
        let bytes = if spans.len() >= HAND_OVER_LEN && tail_len <= spans.len() {
            let tail = BytesMut::from(&src[spans.len()..]);
            let mut whole = std::mem::replace(src, tail);
            whole.truncate(spans.len());
            whole.freeze()
        } else {
            src.split_to(spans.len()).freeze()
        };
        Ok(Some(Frame { bytes, spans }))
    }

    /// Says that the stream has ended, with `src` not consumed.
    ///
    /// # Errors
    ///
    /// [`FrameError::Truncated`] if that is inside a message.
    pub fn finish(&self, src: &BytesMut) -> Result<(), FrameError> {
        self.splitter.finish(src)
    }
}

/// From this length on a message may take the read buffer with it.
const HAND_OVER_LEN: usize = 64 * 1024;

#[cfg(feature = "client")]
mod codec {
    use std::io;

    use bytes::BytesMut;
    use tokio_util::codec::Decoder;

    use super::{Frame, FrameDecoder, FrameError};

    impl Decoder for FrameDecoder {
        type Item = Frame;
        type Error = io::Error;

        fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Frame>> {
            self.next_frame(src).map_err(invalid_data)
        }

        fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Frame>> {
            let frame = self.decode(src)?;
            if frame.is_none() {
                self.finish(src).map_err(invalid_data)?;
            }
            Ok(frame)
        }
    }

    fn invalid_data(error: FrameError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}
