//! A socket that packets come to.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::DATAGRAM_MAX;
use crate::Error;
use crate::exchange::UnexpectedSource;
use crate::message::Messages;
use crate::ovs::packet::Packet;
use crate::socket::{Options, Protocol, Socket};

/// Takes packets, and never waits.
#[derive(Debug)]
pub(crate) struct Inbox {
    socket: Arc<Socket>,
    family: u16,
    buffer: Vec<u8>,
}

impl Inbox {
    /// For the packets of the family with this number, on a socket of the same namespace as `opened`.
    pub(crate) fn open(family: u16, opened: &Options, options: &Options) -> Result<Self, Error> {
        let mut options = options.clone();
        options.namespace.clone_from(&opened.namespace);
        options.protocol = Protocol::Generic;
        Ok(Self {
            socket: Arc::new(Socket::open(&options)?),
            family,
            buffer: vec![0; DATAGRAM_MAX],
        })
    }

    pub(crate) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// The next packet, if there is one.
    pub(crate) fn take(&mut self) -> Result<Option<Packet>, Error> {
        while let Some(datagram) = self.socket.try_receive(&mut self.buffer)? {
            if datagram.source != 0 {
                let port = datagram.source;
                return Err(UnexpectedSource { port }.into());
            }
            // The kernel sends each packet in a datagram of its own.
            for message in Messages::new(datagram.bytes) {
                let message = message?;
                if message.kind().0 == self.family {
                    return Ok(Some(Packet::decode(&message)?));
                }
            }
        }
        Ok(None)
    }
}
