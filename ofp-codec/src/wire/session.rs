use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError},
        error_message::ErrorMessage,
        frame::{FrameError, Frames},
        hello::{Hello, Versions},
        kind::MessageKind,
        message::Message,
        ofperr::Ofperr,
        write::Writer,
    },
};

/// A connection without a socket: bytes of the peer in, messages out, and the other way round.
///
/// It says hello, agrees on a version, answers the peer's echo requests, and numbers requests. Where
/// the bytes come from and go to is the caller's business.
///
/// ```
/// use ofp_codec::{Version, wire::{MessageKind, Session, Versions}};
///
/// let mut session = Session::new(Versions::ALL);
/// assert_eq!(session.outgoing()[..2], [6, 0]); // our hello: OpenFlow 1.5, and no type but 0
/// session.receive(&[4, 0, 0, 8, 0, 0, 0, 1]); // the peer's: OpenFlow 1.3
/// assert_eq!(session.next()?.map(|message| message.bytes().len()), None);
/// assert_eq!(session.version(), Some(Version::V1_3));
/// let xid = session.request(MessageKind::FeaturesRequest, |_| Ok(()))?;
/// # let _ = xid;
/// # Ok::<(), ofp_codec::wire::SessionError>(())
/// ```
#[derive(Debug)]
pub struct Session {
    frames: Frames,
    out: Vec<u8>,
    sent: usize,
    ours: Versions,
    version: Option<Version>,
    next_xid: u32,
    /// Why it ended.
    failed: Option<SessionError>,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The stream is no stream of messages, or no longer.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer's first message was no hello.
    #[error("the first message is of type {message_type}, and no hello")]
    NoHello {
        /// The type that it has.
        message_type: u8,
    },
    /// No version is spoken by both.
    #[error("we speak OpenFlow {ours}, the peer {theirs}")]
    NoCommonVersion {
        /// What we offered.
        ours: Versions,
        /// What the peer did.
        theirs: Versions,
    },
    /// The peer said that it does not speak with us.
    #[error("the peer refused: {0}")]
    Refused(ErrorMessage),
    /// A message is of another version than the one agreed on.
    #[error("message of version {}, agreed was {}", .got.0, .agreed.0)]
    WrongVersion {
        /// The version agreed on.
        agreed: Version,
        /// The version of the message.
        got: Version,
    },
    /// There is no version yet: the peer has not said hello.
    #[error("the peer has not said hello yet")]
    NotConnected,
    /// What was to be sent has no bytes.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The peer asks for echoes and does not read them.
    #[error("the peer leaves {unsent} bytes unread and asks for more")]
    Unread {
        /// How many bytes are to be sent.
        unsent: usize,
    },
}

/// What a session received.
#[derive(Clone, Copy, Debug)]
pub enum Received<'a> {
    /// A message.
    Message(Message<'a>),
    /// A message whose headers are malformed; the next one is not affected.
    Malformed {
        /// Its bytes.
        bytes: &'a [u8],
        /// What is wrong with it.
        error: DecodeError,
    },
}

impl Received<'_> {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Received::Message(message) => message.bytes(),
            Received::Malformed { bytes, .. } => bytes,
        }
    }
}

impl Session {
    /// How many bytes may wait to be sent before an echo request ends the session. What the caller sends is
    /// not limited: it knows how much there is ([`outgoing`](Self::outgoing)).
    pub const MAX_UNSENT: usize = 1 << 20;

    /// Begins with a hello that offers these versions.
    pub fn new(versions: Versions) -> Self {
        let mut session = Session {
            frames: Frames::new(),
            out: Vec::new(),
            sent: 0,
            ours: versions,
            version: None,
            next_xid: 1,
            failed: None,
        };
        let hello = Hello {
            versions,
            unknown: false,
        };
        let newest = versions.newest().unwrap_or(Version::V1_0);
        // A hello has at most 16 bytes, and every version has one.
        let _ = session.write(newest, |version, xid, out| {
            MessageKind::Hello.encode(version, xid, out, |writer| hello.encode(writer))
        });
        session
    }

    /// The version agreed on, once the peer has said hello.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Reads the peer's hello, if it is there, and gives the version agreed on. What follows the hello
    /// is left to [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn handshake(&mut self) -> Result<Option<Version>, SessionError> {
        while self.version.is_none() && self.take()?.is_some() {}
        Ok(self.version)
    }

    /// Takes bytes of the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.frames.push(bytes);
    }

    /// The next message that is not the session's own business; `None` if it is not there as a whole.
    ///
    /// # Errors
    ///
    /// If the session cannot go on, and every time from then on; what is left to send then tells the peer
    /// why.
    #[allow(clippy::should_implement_trait, reason = "the message borrows from here")]
    pub fn next(&mut self) -> Result<Option<Received<'_>>, SessionError> {
        loop {
            match self.take()? {
                None => return Ok(None),
                Some((_, true)) => {}
                Some((range, false)) => {
                    let bytes = self.frames.get(range);
                    return Ok(Some(match Message::parse(bytes) {
                        Ok(message) => Received::Message(message),
                        Err(error) => Received::Malformed { bytes, error },
                    }));
                }
            }
        }
    }

    /// How many bytes there are of a message that is not whole yet.
    pub fn pending(&self) -> usize {
        self.frames.pending()
    }

    /// Adds a message of the version agreed on to what is to be sent, and gives its number.
    ///
    /// # Errors
    ///
    /// If there is no version yet, or the message has no bytes in it.
    pub fn request(
        &mut self,
        kind: MessageKind,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<u32, SessionError> {
        self.send(|version, xid, out| kind.encode(version, xid, out, body))
    }

    /// The same with a message that `encode` appends, given the version and the number.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub fn send(
        &mut self,
        encode: impl FnOnce(Version, u32, &mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<u32, SessionError> {
        let version = self.version.ok_or(SessionError::NotConnected)?;
        Ok(self.write(version, encode)?)
    }

    /// What is to be sent.
    pub fn outgoing(&self) -> &[u8] {
        &self.out[self.sent..]
    }

    /// Takes note that the first `len` bytes of it are sent.
    pub fn sent(&mut self, len: usize) {
        self.sent = self.sent.saturating_add(len).min(self.out.len());
        // A peer that is always a little behind must not let it grow.
        if self.sent > self.out.len() / 2 {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// The next message, and whether it was the session's own business, which is dealt with then.
    fn take(&mut self) -> Result<Option<(Range<usize>, bool)>, SessionError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.frames.next_range().map_err(SessionError::from);
        let taken = next.and_then(|range| match range {
            None => Ok(None),
            Some(range) => self.handle(range.clone()).map(|own| Some((range, own))),
        });
        if let Err(error) = &taken {
            self.failed = Some(error.clone());
        }
        taken
    }

    /// Deals with a message that is the session's own business; tells whether it was one.
    fn handle(&mut self, range: Range<usize>) -> Result<bool, SessionError> {
        let bytes = self.frames.get(range);
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(_) if self.version.is_some() => return Ok(false),
            // Its type is the second byte.
            Err(_) => {
                return Err(SessionError::NoHello {
                    message_type: bytes[1],
                });
            }
        };
        let header = message.header();
        match (self.version, message.kind()) {
            (_, Some(MessageKind::Hello)) => {
                let theirs = Hello::decode(&message).versions;
                self.agree(theirs).map(|()| true)
            }
            (None, Some(MessageKind::Error)) => match ErrorMessage::decode(&message) {
                Ok(error) => Err(SessionError::Refused(error)),
                Err(_) => Err(SessionError::NoHello {
                    message_type: header.message_type,
                }),
            },
            (None, _) => Err(SessionError::NoHello {
                message_type: header.message_type,
            }),
            (Some(agreed), _) if agreed != header.version => Err(SessionError::WrongVersion {
                agreed,
                got: header.version,
            }),
            (Some(version), Some(MessageKind::EchoRequest)) => {
                let unsent = self.out.len() - self.sent;
                if unsent > Session::MAX_UNSENT {
                    return Err(SessionError::Unread { unsent });
                }
                let payload = message.body().rest();
                // A reply is as long as the request was.
                let _ = MessageKind::EchoReply.encode(version, header.xid, &mut self.out, |writer| {
                    writer.bytes(payload);
                    Ok(())
                });
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn agree(&mut self, theirs: Versions) -> Result<(), SessionError> {
        let ours = self.ours;
        let common = ours.common(theirs).newest();
        let Some(version) = common else {
            // "The peer should understand it in whatever version": OFPHFC_INCOMPATIBLE has the same
            // number in all.
            let version = ours.newest().unwrap_or(Version::V1_0);
            let number = Ofperr::OFPHFC_INCOMPATIBLE.number(version);
            if let Some(number) = number {
                let error = ErrorMessage {
                    version,
                    number,
                    data: alloc::format!("we speak {ours}, you {theirs}").into_bytes(),
                };
                self.write(version, |version, xid, out| {
                    MessageKind::Error.encode(version, xid, out, |writer| error.encode(writer))
                })?;
            }
            return Err(SessionError::NoCommonVersion { ours, theirs });
        };
        // A second hello changes nothing.
        self.version.get_or_insert(version);
        Ok(())
    }

    fn write(
        &mut self,
        version: Version,
        encode: impl FnOnce(Version, u32, &mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<u32, EncodeError> {
        let xid = self.next_xid;
        encode(version, xid, &mut self.out)?;
        // 0 is the number of what nobody asked for.
        self.next_xid = xid.checked_add(1).unwrap_or(1);
        Ok(xid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn connected() -> Session {
        let mut session = Session::new(Versions::ALL);
        session.receive(&[4, 0, 0, 8, 0, 0, 0, 1]);
        assert!(session.next().unwrap().is_none());
        session.sent(session.outgoing().len());
        session
    }

    #[test]
    fn echo_requests_are_answered_with_their_payload() {
        let mut session = connected();
        session.receive(&[4, 2, 0, 10, 0, 0, 0, 9, 0xaa, 0xbb]);
        assert!(session.next().unwrap().is_none());
        assert_eq!(session.outgoing(), [4, 3, 0, 10, 0, 0, 0, 9, 0xaa, 0xbb]);
    }

    #[test]
    fn a_peer_that_asks_for_echoes_and_reads_none_ends_the_session() {
        let mut session = connected();
        let mut echo = alloc::vec![0; 32_768];
        echo[..8].copy_from_slice(&[4, 2, 0x80, 0, 0, 0, 0, 9]);
        let mut asked = 0;
        let error = loop {
            session.receive(&echo);
            match session.next() {
                Ok(_) => asked += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((asked, session.outgoing().len()), (33, 33 * echo.len()));
        let unsent = session.outgoing().len();
        assert_eq!(error, SessionError::Unread { unsent });
    }

    #[test]
    fn what_is_sent_is_forgotten_also_if_there_is_always_more() {
        let mut session = connected();
        for _ in 0..1000 {
            session.receive(&[4, 2, 0, 8, 0, 0, 0, 9, 4, 2, 0, 8, 0, 0, 0, 9]);
            assert!(session.next().unwrap().is_none());
            session.sent(session.outgoing().len() - 8);
        }
        assert!(session.out.capacity() < 200, "{}", session.out.capacity());
    }

    #[test]
    fn a_peer_without_a_common_version_is_told_so() {
        let mut session = Session::new(Versions::from_iter([Version::V1_3]));
        session.sent(session.outgoing().len());
        session.receive(&[1, 0, 0, 8, 0, 0, 0, 1]);
        let error = session.next().unwrap_err();
        assert_eq!(error.to_string(), "we speak OpenFlow 0x04, the peer 0x01");
        let message = Message::parse(session.outgoing()).unwrap();
        let sent = ErrorMessage::decode(&message).unwrap();
        assert_eq!(sent.error(), Some(Ofperr::OFPHFC_INCOMPATIBLE));
    }

    #[test]
    fn what_comes_before_the_hello_or_in_another_version_ends_the_session() {
        let mut session = Session::new(Versions::ALL);
        session.receive(&[4, 2, 0, 8, 0, 0, 0, 1]);
        let error = session.next().unwrap_err();
        assert_eq!(error, SessionError::NoHello { message_type: 2 });
        // Headers of an experimenter's message that end too early.
        let mut session = Session::new(Versions::ALL);
        session.receive(&[4, 4, 0, 8, 0, 0, 0, 1]);
        let error = session.handshake().unwrap_err();
        assert_eq!(error, SessionError::NoHello { message_type: 4 });
        let mut session = connected();
        session.receive(&[1, 2, 0, 8, 0, 0, 0, 1]);
        let error = session.next().unwrap_err();
        assert!(matches!(error, SessionError::WrongVersion { .. }), "{error}");
        // And it has ended for good.
        session.receive(&[4, 21, 0, 8, 0, 0, 0, 1]);
        assert_eq!(session.next().unwrap_err(), error);
    }

    #[test]
    fn a_peer_that_refuses_says_why() {
        let mut session = Session::new(Versions::ALL);
        session.receive(&[1, 1, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, b'n', b'o']);
        let error = session.next().unwrap_err();
        assert_eq!(error.to_string(), "the peer refused: OFPHFC_INCOMPATIBLE: no");
    }

    #[test]
    fn a_message_with_malformed_headers_does_not_disturb_the_next() {
        let mut session = connected();
        // A multipart reply that ends before its headers do, and a barrier reply.
        session.receive(&[4, 19, 0, 10, 0, 0, 0, 2, 0, 1, 4, 21, 0, 8, 0, 0, 0, 3]);
        let received = session.next().unwrap().unwrap();
        assert!(matches!(received, Received::Malformed { bytes, .. } if bytes.len() == 10));
        let Some(Received::Message(message)) = session.next().unwrap() else {
            panic!("no message");
        };
        assert_eq!(message.kind(), Some(MessageKind::BarrierReply));
    }

    #[test]
    fn requests_have_numbers_of_their_own() {
        let mut session = connected();
        let first = session.request(MessageKind::BarrierRequest, |_| Ok(())).unwrap();
        let second = session.request(MessageKind::BarrierRequest, |_| Ok(())).unwrap();
        assert_ne!(first, second);
        assert_eq!(session.outgoing().len(), 16);
        let error = Session::new(Versions::ALL).request(MessageKind::BarrierRequest, |_| Ok(()));
        assert_eq!(error, Err(SessionError::NotConnected));
    }
}
