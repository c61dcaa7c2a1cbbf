use std::{collections::VecDeque, fmt, io, net::IpAddr, time::Duration, vec::Vec};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use crate::{
    client::{
        dump::{Decode, Dump},
        error::Error,
        link::Link,
    },
    model::version::Version,
    wire::{EncodeError, ErrorMessage, Header, Message, MessageKind, Versions, Writer},
};

/// How to connect, and how long to wait.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The versions to offer; the newest that the switch allows, too, is spoken. All by default.
    pub versions: Versions,
    /// How long a connection may take, and how long the next message of a reply: 30 seconds.
    pub deadline: Duration,
    /// After how much silence the switch is probed, and how long it then has to answer: 5 seconds.
    pub probe_interval: Duration,
    /// How many messages that nobody asked for are kept while a reply is waited for: 1024. Further
    /// ones are dropped and counted.
    pub max_events: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            versions: Versions::ALL,
            deadline: Duration::from_secs(30),
            probe_interval: Duration::from_secs(5),
            max_events: 1024,
        }
    }
}

/// A connection to a switch, for reading.
///
/// It works while one of its methods is awaited, and never behind the caller's back. All can be
/// dropped half-way: a reply that nobody waits for any longer is passed over.
pub struct Connection {
    link: Link,
    version: Version,
    options: Options,
    events: VecDeque<Event>,
    events_lost: u64,
}

/// A message that nobody asked for, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event(Vec<u8>);

impl Event {
    /// The message.
    ///
    /// # Errors
    ///
    /// If its headers are malformed.
    pub fn message(&self) -> Result<Message<'_>, Error> {
        Ok(Message::parse(&self.0)?)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to `unix:FILE` or `tcp:HOST:PORT`; without a port it is 6653.
    ///
    /// # Errors
    ///
    /// If there is no connection within the deadline, or no version that both sides speak.
    pub async fn connect(remote: &str, options: Options) -> Result<Self, Error> {
        let failed = |error| Error::Connect {
            remote: remote.into(),
            error,
        };
        let after = options.deadline;
        let late = |_| Error::Deadline { after };
        match remote.split_once(':') {
            Some(("unix", file)) => {
                let stream = timeout(after, UnixStream::connect(file)).await;
                Connection::over(stream.map_err(late)?.map_err(failed)?, options).await
            }
            Some(("tcp", address)) => {
                let stream = timeout(after, tcp(address)).await;
                Connection::over(stream.map_err(late)?.map_err(failed)?, options).await
            }
            _ => Err(Error::Remote {
                remote: remote.into(),
            }),
        }
    }

    /// Speaks over any stream: says hello and waits for the peer's.
    ///
    /// # Errors
    ///
    /// If the peer does not say hello within the deadline, or speaks none of the versions.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        options: Options,
    ) -> Result<Self, Error> {
        let mut link = Link::new(stream, options.versions, options.probe_interval);
        let after = options.deadline;
        let version = timeout(after, link.handshake()).await;
        let version = version.map_err(|_| Error::Deadline { after })??;
        Ok(Connection {
            link,
            version,
            options,
            events: VecDeque::new(),
            events_lost: 0,
        })
    }

    /// The version that both sides speak.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The next message that nobody asked for: a packet, a flow that was removed, a port that changed.
    /// Which ones a switch sends is set by its configuration and by the role of the connection.
    ///
    /// Meanwhile the switch is probed, so that it may wait for ever.
    ///
    /// # Errors
    ///
    /// If the connection ends.
    pub async fn event(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let message = self.link.message().await?;
            self.keep(message);
        }
    }

    /// How many such messages were dropped because nobody took them.
    pub fn events_lost(&self) -> u64 {
        self.events_lost
    }

    /// Begins a request whose reply may come in many messages.
    pub(crate) fn dump<T>(
        &mut self,
        encode: impl FnOnce(Version, u32, &mut Vec<u8>) -> Result<(), EncodeError>,
        decode: Decode<T>,
    ) -> Result<Dump<'_, T>, Error> {
        let xid = self.send(encode)?;
        Ok(Dump::new(self, xid, decode))
    }

    /// Sends a request and waits for its reply.
    pub(crate) async fn call(
        &mut self,
        kind: MessageKind,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<Vec<u8>, Error> {
        let xid = self.send(|version, xid, out| kind.encode(version, xid, out, body))?;
        self.reply(xid).await
    }

    /// Adds a message to what is to be sent; it is sent while something is waited for.
    pub(crate) fn send(
        &mut self,
        encode: impl FnOnce(Version, u32, &mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<u32, Error> {
        self.link.send(encode)
    }

    /// The next message of the reply to this request.
    pub(crate) async fn reply(&mut self, xid: u32) -> Result<Vec<u8>, Error> {
        self.reply_among(xid, |_| false).await
    }

    /// The same, where `other` may take messages that come before it.
    pub(crate) async fn reply_among(
        &mut self,
        xid: u32,
        mut other: impl FnMut(&Message<'_>) -> bool,
    ) -> Result<Vec<u8>, Error> {
        let after = self.options.deadline;
        let reply = timeout(after, async {
            loop {
                let bytes = self.link.message().await?;
                let header = bytes.first_chunk().map(Header::decode);
                if header.is_none_or(|header| header.xid != xid) {
                    self.sort(bytes, &mut other);
                    continue;
                }
                let message = Message::parse(&bytes)?;
                if message.kind() == Some(MessageKind::Error) {
                    return Err(Error::Refused(ErrorMessage::decode(&message)?));
                }
                return Ok(bytes);
            }
        });
        reply.await.map_err(|_| Error::Deadline { after })?
    }

    /// Waits until the switch is done with the message of this number, to which there is no reply.
    pub(crate) async fn done(&mut self, xid: u32) -> Result<(), Error> {
        let kind = MessageKind::BarrierRequest;
        let barrier = self.send(|version, xid, out| kind.encode(version, xid, out, |_| Ok(())))?;
        let mut refused = None;
        let take = |message: &Message<'_>| {
            let is_error = message.header().xid == xid && message.kind() == Some(MessageKind::Error);
            if is_error {
                refused = ErrorMessage::decode(message).ok();
            }
            is_error
        };
        self.reply_among(barrier, take).await?;
        refused.map_or(Ok(()), |error| Err(Error::Refused(error)))
    }

    /// Sends, if much is to be sent, until less is; `other` may take messages that come meanwhile.
    pub(crate) async fn make_room(
        &mut self,
        mut other: impl FnMut(&Message<'_>) -> bool,
    ) -> Result<(), Error> {
        if self.link.unsent() <= MAX_UNSENT {
            return Ok(());
        }
        let after = self.options.deadline;
        let room = timeout(after, async {
            while self.link.unsent() > MAX_UNSENT {
                self.link.exchange().await?;
                while let Some(bytes) = self.link.received()? {
                    self.sort(bytes, &mut other);
                }
            }
            Ok(())
        });
        room.await.map_err(|_| Error::Deadline { after })?
    }

    /// Gives a message to `other`, and keeps it if it is an event.
    fn sort(&mut self, bytes: Vec<u8>, other: &mut impl FnMut(&Message<'_>) -> bool) {
        let taken = Message::parse(&bytes).is_ok_and(|message| other(&message));
        if !taken {
            self.keep(bytes);
        }
    }

    /// Keeps what is an event; the late reply to a request that was given up is none.
    fn keep(&mut self, bytes: Vec<u8>) {
        let is_event = match Message::parse(&bytes) {
            Ok(message) => message.header().xid == 0 || !message.is_reply(),
            Err(_) => true,
        };
        if is_event && self.events.len() < self.options.max_events {
            self.events.push_back(Event(bytes));
        } else if is_event {
            self.events_lost += 1;
        }
    }
}

async fn tcp(address: &str) -> io::Result<TcpStream> {
    let ip = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let stream = match ip.unwrap_or(address).parse::<IpAddr>() {
        Ok(ip) => TcpStream::connect((ip, DEFAULT_PORT)).await?,
        Err(_) if address.contains(':') => TcpStream::connect(address).await?,
        Err(_) => TcpStream::connect((address, DEFAULT_PORT)).await?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How much may wait to be sent before a caller that has more waits, too.
const MAX_UNSENT: usize = 256 * 1024;

/// The port that IANA gave to OpenFlow.
const DEFAULT_PORT: u16 = 6653;
