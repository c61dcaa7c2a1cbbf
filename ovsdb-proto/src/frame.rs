//! Splits a byte stream into JSON-RPC messages.
//!
//! OVSDB sends JSON objects one after the other, with no length, no newline and possibly no
//! space between them. [`Splitter`] finds where each ends, looks at every byte once over all
//! reads, and notes on the way where the members of the message stand, so that nothing has to
//! parse the message again to learn what it is.
//!
//! It works on bytes: one read may end inside a UTF-8 character. What is inside the values is
//! not judged here; whoever decodes a value does that.
//!
//! ```
//! use ovsdb_proto::frame::{Limits, Member, Splitter};
//!
//! # fn main() -> Result<(), ovsdb_proto::frame::FrameError> {
//! let stream = br#"{"id":0,"result":["a"],"error":null}{"id":1,"resu"#;
//! let mut splitter = Splitter::new(Limits::default());
//!
//! let spans = splitter.split(stream)?.expect("one whole message is there");
//! assert_eq!(spans.slice(stream, Member::Result), Some(&br#"["a"]"#[..]));
//!
//! // The caller removes what was taken. The rest is the start of the next message.
//! let rest = &stream[spans.len()..];
//! assert_eq!(splitter.split(rest)?, None);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::ops::Range;

use thiserror::Error;

use self::value::{ValueEnd, ValueScanner};

mod decoder;
mod value;

pub use self::decoder::{Frame, FrameDecoder};

/// How large and how deep one message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, white space before it included. Default [`DEFAULT_MAX_LEN`].
    pub max_len: usize,
    /// Objects and arrays inside each other, the message itself included. Default
    /// [`DEFAULT_MAX_DEPTH`].
    pub max_depth: usize,
}

/// The members that a JSON-RPC 1.0 message may have. The server closes the connection when it
/// meets another one, so another one is an error here, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    /// `id`: any JSON value; `null` in a notification.
    Id,
    /// `method`: the name of the method called.
    Method,
    /// `params`: an array.
    Params,
    /// `result`: any JSON value.
    Result,
    /// `error`: `null`, a string or an object.
    Error,
}

/// Where one message, and each member's value, stands in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    message: Range<usize>,
    members: [Option<Range<usize>>; MEMBERS],
}

/// Finds the end of each message in a stream.
///
/// [`split`](Self::split) takes the whole of what is not consumed yet, and remembers how far it
/// has looked.
#[derive(Debug, Clone)]
pub struct Splitter {
    limits: Limits,
    /// Bytes of the buffer that have been looked at.
    scanned: usize,
    state: State,
    start: usize,
    members: [Option<Range<usize>>; MEMBERS],
}

/// Why a byte stream is not a sequence of JSON-RPC messages. The connection cannot be used any
/// more: where the next message starts is not known.
///
/// Offsets count from the first byte of the buffer that was given, which is the first byte after
/// the message before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A message has more bytes than [`Limits::max_len`].
    #[error("message exceeds {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Objects and arrays are nested deeper than [`Limits::max_depth`].
    #[error("nesting exceeds {limit} levels at offset {offset}")]
    TooDeep {
        /// Where the level too many opens.
        offset: usize,
        /// The limit.
        limit: usize,
    },
    /// A byte that cannot stand where it stands.
    #[error("found byte {found:#04x} at offset {offset}, wanted {wanted}")]
    UnexpectedByte {
        /// Where it stands.
        offset: usize,
        /// The byte.
        found: u8,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A member that JSON-RPC 1.0 does not have.
    #[error("unknown member {name:?} at offset {offset}")]
    UnknownMember {
        /// Where its name starts, the quote included.
        offset: usize,
        /// The name, cut after 32 bytes.
        name: String,
    },
    /// A member for the second time.
    #[error("duplicate member \"{member}\" at offset {offset}")]
    DuplicateMember {
        /// Where its name starts, the quote included.
        offset: usize,
        /// The member.
        member: Member,
    },
    /// The stream ends inside a message.
    #[error("stream ends after {len} bytes of a message")]
    Truncated {
        /// Bytes of the message that are there.
        len: usize,
    },
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_len: DEFAULT_MAX_LEN,
            max_depth: DEFAULT_MAX_DEPTH,
        }
    }
}

impl Member {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Method => "method",
            Self::Params => "params",
            Self::Result => "result",
            Self::Error => "error",
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Id => 0,
            Self::Method => 1,
            Self::Params => 2,
            Self::Result => 3,
            Self::Error => 4,
        }
    }

    /// Takes the name as it stands between its quotes: it may hold escapes.
    fn from_key(key: &[u8]) -> Option<Self> {
        match key {
            b"id" => Some(Self::Id),
            b"method" => Some(Self::Method),
            b"params" => Some(Self::Params),
            b"result" => Some(Self::Result),
            b"error" => Some(Self::Error),
            _ if key.contains(&b'\\') && key.len() <= MAX_ESCAPED_KEY => {
                let quoted = [b"\"", key, b"\""].concat();
                let plain: String = serde_json::from_slice(&quoted).ok()?;
                (!plain.contains('\\')).then(|| Self::from_key(plain.as_bytes()))?
            }
            _ => None,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Spans {
    /// Bytes to remove from the front of the buffer: the message and white space before it.
    #[allow(clippy::len_without_is_empty)] // a message is never empty
    #[must_use]
    pub fn len(&self) -> usize {
        self.message.end
    }

    /// The message, from its `{` to its `}`.
    #[must_use]
    pub fn message(&self) -> Range<usize> {
        self.message.clone()
    }

    /// The value of a member, if the message has it.
    #[must_use]
    pub fn member(&self, member: Member) -> Option<Range<usize>> {
        self.members.get(member.index()).cloned().flatten()
    }

    /// The bytes of a member's value, out of the buffer that was split.
    #[must_use]
    pub fn slice<'a>(&self, buf: &'a [u8], member: Member) -> Option<&'a [u8]> {
        buf.get(self.member(member)?)
    }
}

impl Splitter {
    /// A splitter at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            scanned: 0,
            state: State::Start,
            start: 0,
            members: [const { None }; MEMBERS],
        }
    }

    /// Whether the bytes seen so far end between two messages: nothing but white space since the
    /// last one. The caller may then drop that white space, through [`forget`](Self::forget).
    #[must_use]
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Start)
    }

    /// Says that the caller has removed everything that was looked at. Only between messages;
    /// inside one it does nothing.
    pub fn forget(&mut self) {
        if self.is_between() {
            self.scanned = 0;
        }
    }

    /// Looks for the end of the first message in `buf`.
    ///
    /// `buf` is everything received since the last message that was found: the same bytes as in
    /// the last call, and then new ones. `None` means that more bytes are needed. After a message
    /// was found the caller removes [`Spans::len`] bytes from the front.
    ///
    /// # Errors
    ///
    /// Any [`FrameError`] but [`FrameError::Truncated`]. The splitter must not be used after one.
    pub fn split(&mut self, buf: &[u8]) -> Result<Option<Spans>, FrameError> {
        // A byte beyond the limit is never looked at.
        let visible = buf.get(..self.limits.max_len).unwrap_or(buf);
        while self.scanned < visible.len() {
            if self.step(visible)? {
                let message = self.start..self.scanned;
                let members = std::mem::take(&mut self.members);
                *self = Self::new(self.limits);
                return Ok(Some(Spans { message, members }));
            }
        }
        if buf.len() > self.limits.max_len {
            let limit = self.limits.max_len;
            return Err(FrameError::TooLong { limit });
        }
        Ok(None)
    }

    /// Says that the stream has ended with `buf` not consumed.
    ///
    /// # Errors
    ///
    /// [`FrameError::Truncated`] if that is inside a message.
    pub fn finish(&self, buf: &[u8]) -> Result<(), FrameError> {
        match buf.iter().position(|&byte| !is_space(byte)) {
            None => Ok(()),
            Some(start) => Err(FrameError::Truncated {
                len: buf.len() - start,
            }),
        }
    }

    /// Consumes at least one byte. True when the message is complete.
    fn step(&mut self, buf: &[u8]) -> Result<bool, FrameError> {
        let offset = self.scanned;
        let byte = buf[offset];
        let unexpected = |wanted| FrameError::UnexpectedByte {
            offset,
            found: byte,
            wanted,
        };
        if let State::Value {
            member,
            start,
            scanner,
        } = &mut self.state
        {
            let (used, end) = scanner.scan(&buf[offset..]).map_err(|at| FrameError::TooDeep {
                offset: offset + at,
                limit: self.limits.max_depth,
            })?;
            self.scanned += used;
            if end == ValueEnd::Found {
                self.members[member.index()] = Some(*start..self.scanned);
                self.state = State::AfterValue;
            }
            return Ok(false);
        }
        if let State::Key { start, escaped } = self.state {
            self.scanned += 1;
            match byte {
                _ if escaped => {
                    self.state = State::Key {
                        start,
                        escaped: false,
                    };
                }
                b'\\' => {
                    self.state = State::Key { start, escaped: true };
                }
                b'"' => self.state = State::Colon(self.key(buf, start, offset)?),
                _ => {}
            }
            return Ok(false);
        }
        if is_space(byte) {
            self.scanned += 1;
            return Ok(false);
        }
        match (&self.state, byte) {
            (State::Start, b'{') if self.limits.max_depth == 0 => {
                return Err(FrameError::TooDeep { offset, limit: 0 });
            }
            (State::Start, b'{') => {
                self.start = offset;
                self.state = State::FirstKey;
            }
            (State::FirstKey | State::NextKey, b'"') => {
                self.state = State::Key {
                    start: offset,
                    escaped: false,
                };
            }
            (State::Colon(member), b':') => self.state = State::BeforeValue(*member),
            (State::BeforeValue(member), _) => {
                let depth_left = self.limits.max_depth - 1;
                // The scanner takes the first byte, too.
                self.state = State::Value {
                    member: *member,
                    start: offset,
                    scanner: ValueScanner::start(byte, depth_left).ok_or_else(|| unexpected("a value"))?,
                };
                return Ok(false);
            }
            (State::AfterValue, b',') => self.state = State::NextKey,
            (State::FirstKey | State::AfterValue, b'}') => {
                self.scanned += 1;
                return Ok(true);
            }
            (State::Start, _) => return Err(unexpected("'{'")),
            (State::FirstKey, _) => return Err(unexpected("'\"' or '}'")),
            (State::NextKey, _) => return Err(unexpected("'\"'")),
            (State::Colon(_), _) => return Err(unexpected("':'")),
            (State::AfterValue, _) => return Err(unexpected("',' or '}'")),
            (State::Key { .. } | State::Value { .. }, _) => return Ok(false),
        }
        self.scanned += 1;
        Ok(false)
    }

    fn key(&self, buf: &[u8], start: usize, end: usize) -> Result<Member, FrameError> {
        let key = &buf[start + 1..end];
        let Some(member) = Member::from_key(key) else {
            let shown = key.get(..MAX_SHOWN_KEY).unwrap_or(key);
            return Err(FrameError::UnknownMember {
                offset: start,
                name: String::from_utf8_lossy(shown).into_owned(),
            });
        };
        if self.members[member.index()].is_some() {
            return Err(FrameError::DuplicateMember {
                offset: start,
                member,
            });
        }
        Ok(member)
    }
}

#[derive(Debug, Clone)]
enum State {
    /// Before the `{`.
    Start,
    /// After the `{`.
    FirstKey,
    /// After a comma.
    NextKey,
    /// Inside a member's name, whose quote is at `start`.
    Key { start: usize, escaped: bool },
    /// After a name.
    Colon(Member),
    /// After the colon.
    BeforeValue(Member),
    /// Inside a value.
    Value {
        member: Member,
        start: usize,
        scanner: ValueScanner,
    },
    /// After a value.
    AfterValue,
}

/// White space as RFC 8259 section 2 has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Default of [`Limits::max_len`]: 1 GiB. The initial state of 100 000 Interface rows is about
/// 100 MB.
pub const DEFAULT_MAX_LEN: usize = 1 << 30;

/// Default of [`Limits::max_depth`]: 128. `serde_json` goes no deeper than 127 levels, and the
/// message itself is one. An OVSDB update has about ten.
pub const DEFAULT_MAX_DEPTH: usize = 128;

const MEMBERS: usize = 5;

/// `params` with every letter as `\u0070`.
const MAX_ESCAPED_KEY: usize = 36;

const MAX_SHOWN_KEY: usize = 32;

#[cfg(test)]
mod tests;
