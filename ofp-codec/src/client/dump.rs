use std::{marker::PhantomData, vec::Vec};

use crate::{
    client::{connection::Connection, error::Error},
    wire::{BadEntry, Entries, Entry, Message, Reader},
};

/// The entries of a reply, each given when the message that has it is there. It holds one message at
/// a time, however long the reply is.
///
/// If it is dropped early, the rest of the reply is passed over.
#[derive(Debug)]
pub struct Dump<'c, T> {
    connection: &'c mut Connection,
    xid: u32,
    message: Vec<u8>,
    /// Where in the message the next entry begins.
    at: usize,
    last: bool,
    entry: PhantomData<T>,
}

impl<'c, T: for<'a> Entry<'a>> Dump<'c, T> {
    pub(crate) fn new(connection: &'c mut Connection, xid: u32) -> Self {
        Dump {
            connection,
            xid,
            message: Vec::new(),
            at: 0,
            last: false,
            entry: PhantomData,
        }
    }

    /// The next entry, or `None` at the end. One that is malformed costs only itself.
    ///
    /// # Errors
    ///
    /// If the switch refuses the request, the next message does not come in time, or the connection
    /// ends. What was given before is good.
    pub async fn next(&mut self) -> Result<Option<Result<T, BadEntry<'_>>>, Error> {
        while self.at == self.message.len() {
            if self.last {
                return Ok(None);
            }
            self.message = self.connection.reply(self.xid).await?;
            let message = Message::parse(&self.message)?;
            self.last = !message.more();
            self.at = message.body().offset();
        }
        let left = Reader::at(&self.message[self.at..], self.at);
        let mut entries = Entries::new(left, self.connection.version());
        let entry = entries.next();
        self.at = entries.offset();
        Ok(entry)
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), and if one is malformed.
    pub async fn collect(&mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(entry) = self.next().await? {
            all.push(entry.map_err(|bad| bad.error)?);
        }
        Ok(all)
    }
}
