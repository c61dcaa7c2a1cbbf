use std::{collections::VecDeque, vec::Vec};

use crate::{
    client::{connection::Connection, error::Error},
    model::flow::Flow,
    wire::{DecodeError, Entries, Entry, FlowStatsRef, Message, Writer},
};

/// The entries of a reply, each given as soon as the message that has it is there. It holds the entries
/// of one message, however long the reply is.
///
/// If it is dropped early, the rest of the reply is passed over.
#[derive(Debug)]
pub struct Dump<'c, T> {
    connection: &'c mut Connection,
    xid: u32,
    decode: Decode<T>,
    entries: VecDeque<Result<T, BadEntry>>,
    last: bool,
}

/// An entry that cannot be read: its bytes, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BadEntry {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What is wrong, and where in the message.
    #[source]
    pub error: DecodeError,
}

/// The entries of a message.
pub(crate) type Decode<T> = fn(&Message<'_>) -> Result<VecDeque<Result<T, BadEntry>>, DecodeError>;

impl<'c, T> Dump<'c, T> {
    pub(crate) fn new(connection: &'c mut Connection, xid: u32, decode: Decode<T>) -> Self {
        Dump {
            connection,
            xid,
            decode,
            entries: VecDeque::new(),
            last: false,
        }
    }

    /// The next entry, or `None` at the end. One that is malformed costs only itself.
    ///
    /// # Errors
    ///
    /// If the switch refuses the request, the next message does not come in time, or the connection
    /// ends. What was given before is good.
    pub async fn next(&mut self) -> Result<Option<Result<T, BadEntry>>, Error> {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                return Ok(Some(entry));
            }
            if self.last {
                return Ok(None);
            }
            let bytes = self.connection.reply(self.xid).await?;
            let message = Message::parse(&bytes)?;
            self.last = !message.more();
            self.entries = (self.decode)(&message)?;
        }
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and if one is malformed.
    pub async fn collect(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(entry) = self.next().await? {
            all.push(entry.map_err(|bad| bad.error)?);
        }
        Ok(all)
    }
}

/// The entries that make the body of a message.
pub(crate) fn decode_entries<T: for<'a> Entry<'a>>(
    message: &Message<'_>,
) -> Result<VecDeque<Result<T, BadEntry>>, DecodeError> {
    let entries = Entries::of(message);
    Ok(entries.map(|entry| entry.map_err(BadEntry::from)).collect())
}

/// The flows of a message, in OpenFlow's form or Nicira's.
pub(crate) fn decode_flows(message: &Message<'_>) -> Result<VecDeque<Result<Flow, BadEntry>>, DecodeError> {
    let flow = |entry: Result<FlowStatsRef<'_>, crate::wire::BadEntry<'_>>| {
        let entry = entry.map_err(BadEntry::from)?;
        entry.to_flow().map_err(|error| {
            let mut bytes = Vec::new();
            // It has the length that it was read with.
            let _ = entry.encode(&mut Writer::new(&mut bytes));
            BadEntry { bytes, error }
        })
    };
    Ok(FlowStatsRef::entries(message)?.map(flow).collect())
}

impl From<crate::wire::BadEntry<'_>> for BadEntry {
    fn from(bad: crate::wire::BadEntry<'_>) -> Self {
        BadEntry {
            bytes: bad.bytes.into(),
            error: bad.error,
        }
    }
}
