//! What is to be sent.

use bytes::{Buf, BytesMut};

use super::End;

/// Requests, cancellations and replies, in the order in which they came. Requests need no bound:
/// they are the program's own, and it waits for them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: BytesMut,
    /// Bytes sent since the connection was made.
    sent: u64,
    /// Replies since everything was sent.
    replies: usize,
}

impl Outbox {
    /// Gives the place of the message in the stream.
    pub(super) fn push(&mut self, message: &[u8]) -> u64 {
        let place = self.sent + u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        self.bytes.extend_from_slice(message);
        place
    }

    pub(super) fn push_reply(&mut self, reply: &[u8]) -> Result<(), End> {
        if self.replies == MAX_REPLIES {
            return Err(End::Flooded { limit: MAX_REPLIES });
        }
        self.replies += 1;
        self.push(reply);
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn sent(&mut self, len: usize) {
        let len = len.min(self.bytes.len());
        self.bytes.advance(len);
        self.sent += u64::try_from(len).unwrap_or(u64::MAX);
        if self.bytes.is_empty() {
            self.replies = 0;
            if self.bytes.capacity() > KEPT_LEN {
                self.bytes = BytesMut::new();
            }
        }
    }

    /// Whether a byte of the message at this place is sent.
    pub(super) fn is_begun(&self, place: u64) -> bool {
        place < self.sent
    }

    pub(super) fn clear(&mut self) {
        self.bytes = BytesMut::new();
    }
}

/// The server sends one echo and then waits. A peer that sends this many requests and takes no
/// reply wants our memory.
const MAX_REPLIES: usize = 64;

/// Memory that is kept for the next messages.
const KEPT_LEN: usize = 64 * 1024;
