//! Requests and their answers, without a socket: what belongs to which, and when it is complete.
//!
//! An [`Exchange`] has one request under way, or several that were sent together. It numbers them, takes datagrams, and
//! gives out the answers, which [`Answers`] reads as objects.
//! What it takes care of:
//!
//! - answers to other requests, of this socket or another, are passed over;
//! - a datagram that does not come from the kernel is refused whole;
//! - a dump goes on over any number of datagrams up to `NLMSG_DONE`, and an error number in there is an error;
//! - `NLM_F_DUMP_INTR` on any part makes the whole dump interrupted;
//! - where the kernel finds fault with the request, the attribute that stands there is named by its type;
//! - a bad message is an error item, and its neighbours are delivered.
//!
//! ```
//! use netlink_genl::exchange::{Event, Exchange};
//! use netlink_genl::ovs::{DpIfindex, vport};
//!
//! let mut exchange = Exchange::new(4711, 1);
//! let mut sent = Vec::new();
//! exchange.begin(&vport::dump(0x21, DpIfindex(9999)), &mut sent)?;
//!
//! // NLMSG_DONE with -ENODEV, as the kernel answers if there is no such datapath.
//! let mut answer = Vec::new();
//! answer.extend(20u32.to_ne_bytes());
//! answer.extend([3u16, 2].map(u16::to_ne_bytes).as_flattened());
//! answer.extend([1, 4711].map(u32::to_ne_bytes).as_flattened());
//! answer.extend((-19i32).to_ne_bytes());
//! let events: Vec<_> = exchange.datagram(0, &answer)?.collect();
//! assert!(matches!(&events[..], [Ok(Event::Failed(status))] if status.errno.name() == Some("ENODEV")));
//! assert!(!exchange.is_pending());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

pub use self::answers::{Answers, Decode};

use crate::message::{DecodeError, EncodeError, Flags, Message, MessageType, Messages, Request, Status};

/// The requests under way on one socket.
#[derive(Clone, Debug)]
pub struct Exchange {
    port: u32,
    next_seq: u32,
    pending: VecDeque<Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    seq: u32,
    end: End,
    interrupted: bool,
}

/// What ends an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The first object.
    Reply,
    /// `NLMSG_ERROR` with errno 0.
    Ack,
    /// `NLMSG_DONE`.
    Done,
}

impl Exchange {
    /// For the socket whose own port number is `port`. The first request gets the number `first_seq`.
    pub fn new(port: u32, first_seq: u32) -> Self {
        Self {
            port,
            next_seq: first_seq,
            pending: VecDeque::new(),
        }
    }

    /// Appends `request` to `datagram` under the next sequence number. It joins the requests under way: the kernel
    /// works on those of one datagram in their order.
    ///
    /// # Errors
    /// As [`Request::encode`]; nothing is begun then.
    pub fn begin(&mut self, request: &Request, datagram: &mut Vec<u8>) -> Result<(), EncodeError> {
        // 0 is the number of what the kernel says by itself.
        let seq = self.next_seq.max(1);
        request.encode(seq, datagram)?;
        let flags = request.flags();
        self.next_seq = seq.wrapping_add(1);
        self.pending.push_back(Pending {
            request: request.clone(),
            seq,
            end: if flags.contains(Flags::DUMP) {
                End::Done
            } else if flags.contains(Flags::ACK) {
                End::Ack
            } else {
                End::Reply
            },
            interrupted: false,
        });
        Ok(())
    }

    /// Whether an answer is still incomplete.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Gives all answers up: what still comes of them is passed over.
    pub fn abandon(&mut self) {
        self.pending.clear();
    }

    /// Takes a datagram that came from the socket with port `source`.
    ///
    /// Dropping the events early loses them, not the state of the exchange.
    ///
    /// # Errors
    /// [`UnexpectedSource`] if `source` is not the kernel.
    pub fn datagram<'a>(
        &mut self,
        source: u32,
        datagram: &'a [u8],
    ) -> Result<Events<'_, 'a>, UnexpectedSource> {
        if source != 0 {
            return Err(UnexpectedSource { port: source });
        }
        Ok(Events {
            exchange: self,
            messages: Messages::new(datagram),
        })
    }

    fn message<'a>(&mut self, message: Message<'a>) -> Result<Option<Event<'a>>, DecodeError> {
        if message.port() != self.port {
            return Ok(None);
        }
        let of_message = |pending: &Pending| pending.seq == message.seq();
        let Some(at) = self.pending.iter().position(of_message) else {
            return Ok(None);
        };
        let pending = &mut self.pending[at];
        pending.interrupted |= message.flags().contains(Flags::DUMP_INTR);
        let (kind, end, interrupted) = (pending.request.kind(), pending.end, pending.interrupted);
        match message.kind() {
            MessageType::NOOP => Ok(None),
            MessageType::ERROR | MessageType::DONE => {
                let acked = message.kind() == MessageType::ERROR;
                let status = message.status();
                // The acknowledgement of a request to dump is not the end of the dump.
                if acked && end == End::Done && status.as_ref().is_ok_and(Status::is_ok) {
                    return Ok(None);
                }
                let request = self.pending.remove(at).map(|pending| pending.request);
                let mut status = status?;
                if let Some(request) = request {
                    request.explain(&mut status);
                }
                Ok(Some(if status.is_ok() {
                    Event::Done { interrupted }
                } else {
                    Event::Failed(status)
                }))
            }
            got => {
                if end == End::Reply {
                    self.pending.remove(at);
                }
                if got != kind {
                    let offset = message.offset();
                    return Err(DecodeError::UnexpectedType {
                        offset,
                        wanted: kind,
                        got,
                    });
                }
                Ok(Some(Event::Reply(message)))
            }
        }
    }
}

/// The part of an answer that one datagram holds.
#[derive(Debug)]
pub struct Events<'e, 'a> {
    exchange: &'e mut Exchange,
    messages: Messages<'a>,
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = Result<Event<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self
                .messages
                .next()?
                .and_then(|message| self.exchange.message(message))
            {
                Ok(None) => {}
                Ok(Some(event)) => return Some(Ok(event)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Drop for Events<'_, '_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An object. It ends the answer if the request asked for neither a dump nor an acknowledgement.
    Reply(Message<'a>),
    /// The end of a dump, or an acknowledgement.
    Done {
        /// The dump is not consistent: what it lists changed meanwhile (`NLM_F_DUMP_INTR`).
        interrupted: bool,
    },
    /// The kernel refused the request, or broke off the dump.
    Failed(Status),
}

/// A datagram came from another process, not from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a datagram came from netlink port {port}, not from the kernel")]
pub struct UnexpectedSource {
    /// Port of the socket that sent it.
    pub port: u32,
}
