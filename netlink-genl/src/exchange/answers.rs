//! The objects of an answer.

use alloc::collections::VecDeque;
use core::fmt;

use super::Event;
use crate::Error;
use crate::message::{DecodeError, Message};

/// Reads one object from a message: `Vport::decode`, for one.
pub type Decode<T> = fn(&Message<'_>) -> Result<T, DecodeError>;

/// What an [`Exchange`](super::Exchange) gave out and nobody took yet, each object read.
///
/// A message that cannot be read is an error item, and the others are delivered. The answer is complete if no item was
/// an error.
///
/// ```
/// use netlink_genl::Error;
/// use netlink_genl::exchange::{Answers, Event};
/// use netlink_genl::ovs::vport::Vport;
///
/// let mut answers = Answers::new(Vport::decode);
/// answers.add(Ok(Event::Done { interrupted: true }));
/// assert!(matches!(answers.next(), Some(Err(Error::DumpInterrupted))));
/// assert!(answers.next().is_none());
/// ```
pub struct Answers<T> {
    decode: Decode<T>,
    ready: VecDeque<Result<T, Error>>,
}

impl<T> Answers<T> {
    /// None yet; objects will be read by `decode`.
    pub fn new(decode: Decode<T>) -> Self {
        Self {
            decode,
            ready: VecDeque::new(),
        }
    }

    /// Takes in a piece of an answer.
    pub fn add(&mut self, event: Result<Event<'_>, DecodeError>) {
        self.ready.extend(match event {
            Ok(Event::Reply(message)) => Some((self.decode)(&message).map_err(Error::from)),
            Ok(Event::Done { interrupted: false }) => None,
            Ok(Event::Done { interrupted: true }) => Some(Err(Error::DumpInterrupted)),
            Ok(Event::Failed(status)) => Some(Err(Error::Kernel(status))),
            Err(error) => Some(Err(error.into())),
        });
    }

    /// Takes in that something is missing.
    pub fn fail(&mut self, error: Error) {
        self.ready.push_back(Err(error));
    }
}

/// `None` says that there is nothing yet, not that there will be nothing.
impl<T> Iterator for Answers<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ready.pop_front()
    }
}

impl<T: fmt::Debug> fmt::Debug for Answers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.ready).finish()
    }
}
