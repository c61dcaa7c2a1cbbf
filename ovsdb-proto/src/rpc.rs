//! JSON-RPC 1.0 messages, as OVSDB uses them (RFC 7047 section 4).
//!
//! A message has the members `id`, `method`, `params`, `result` and `error`, and no other: the
//! server closes the connection when it meets one, `"jsonrpc":"2.0"` included. Which of them are
//! there and not `null` says what the message is.
//!
//! ```
//! use ovsdb_proto::frame::{Limits, Splitter};
//! use ovsdb_proto::rpc::{self, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let request = rpc::encode_request(7, "get_schema", &["nope"])?;
//! assert_eq!(request, br#"{"id":7,"method":"get_schema","params":["nope"]}"#);
//!
//! let reply = br#"{"id":7,"error":{"details":"no database nope","error":"unknown database"}}"#;
//! let spans = Splitter::new(Limits::default()).split(reply)?.expect("it is complete");
//! let Message::Error { error, .. } = Message::decode(reply, &spans)? else {
//!     panic!("it has an error");
//! };
//! assert_eq!(error.to_string(), "unknown database: no database nope");
//! # Ok(())
//! # }
//! ```

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::frame::{Member, Spans};

mod error_kind;

pub use self::error_kind::ErrorKind;

/// One message from the peer. Values that may be large stay bytes, and are not checked; values
/// that are sent back as they are stay JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// A call: `method` with an `id`.
    Request {
        /// To be repeated in the reply, byte for byte.
        id: &'a str,
        /// The method.
        method: String,
        /// A JSON array.
        params: &'a str,
    },
    /// A call that wants no reply: `method` with no `id`, or with `null`.
    Notification {
        /// The method.
        method: String,
        /// A JSON array, of which only the bracket is checked.
        params: &'a [u8],
    },
    /// What a call gave.
    Reply {
        /// The request's.
        id: &'a str,
        /// Any JSON but `null`, not checked.
        result: &'a [u8],
    },
    /// Why a call gave nothing.
    Error {
        /// The request's.
        id: &'a str,
        /// What the peer says.
        error: ErrorReply,
    },
}

/// What the peer says about a call that it refused. It sends a string or an object, with or
/// without a `result` of `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorReply {
    /// What went wrong: `unknown method`, `unknown database`, `syntax error`, `canceled` and so
    /// on. If the peer sent neither a string nor an object that has one, the JSON that it sent.
    pub error: String,
    /// More about it, for people.
    pub details: Option<String>,
    /// The JSON that it is about.
    pub syntax: Option<String>,
    /// The system's error behind it.
    pub io_error: Option<String>,
}

/// Why an object is not a JSON-RPC message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A member is not what it must be.
    #[error("member \"{member}\" is malformed")]
    Member {
        /// The member.
        member: Member,
        /// What is wrong in its value.
        #[source]
        source: JsonError,
    },
    /// A member that must be there is not, or is `null`.
    #[error("member \"{member}\" is missing")]
    Missing {
        /// The member.
        member: Member,
    },
    /// Two members that exclude each other.
    #[error("members \"{first}\" and \"{second}\" exclude each other")]
    Exclusive {
        /// One of them.
        first: Member,
        /// The other.
        second: Member,
    },
}

/// Why a text is not JSON, or not the JSON that it must be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct JsonError {
    message: String,
    line: usize,
    column: usize,
}

impl<'a> Message<'a> {
    /// Says what a message is.
    ///
    /// `buf` and `spans` are what [`Splitter::split`](crate::frame::Splitter::split) took and
    /// gave.
    ///
    /// # Errors
    ///
    /// [`MessageError`] if a member is missing, malformed, or excludes another.
    pub fn decode(buf: &'a [u8], spans: &Spans) -> Result<Self, MessageError> {
        // In JSON-RPC 1.0 a member that is null is as good as absent.
        let member = |member: Member| {
            let bytes = spans.slice(buf, member).filter(|bytes| bytes != b"null");
            bytes.map(|bytes| (member, bytes))
        };
        let id = member(Member::Id);
        let missing = |member| MessageError::Missing { member };
        match (
            member(Member::Method),
            member(Member::Result),
            member(Member::Error),
        ) {
            (Some(method), None, None) => {
                let params = member(Member::Params).ok_or_else(|| missing(Member::Params))?;
                let params = array(params)?;
                let method = decode_member(method)?;
                Ok(match id {
                    Some(id) => Self::Request {
                        id: raw(id)?,
                        method,
                        params: raw(params)?,
                    },
                    None => Self::Notification {
                        method,
                        params: params.1,
                    },
                })
            }
            (None, Some((_, result)), None) => Ok(Self::Reply {
                id: raw(id.ok_or_else(|| missing(Member::Id))?)?,
                result,
            }),
            (None, None, Some(error)) => Ok(Self::Error {
                id: raw(id.ok_or_else(|| missing(Member::Id))?)?,
                error: ErrorReply::from_value(&decode_member(error)?),
            }),
            (None, None, None) => Err(missing(Member::Result)),
            (Some((first, _)), Some((second, _)), _)
            | (Some((first, _)), _, Some((second, _)))
            | (_, Some((first, _)), Some((second, _))) => Err(MessageError::Exclusive { first, second }),
        }
    }
}

impl ErrorReply {
    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::from_name(&self.error)
    }

    pub(crate) fn from_value(value: &Value) -> Self {
        let plain = |error| Self {
            error,
            details: None,
            syntax: None,
            io_error: None,
        };
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        match (value, text("error")) {
            (Value::String(error), _) => plain(error.clone()),
            (_, Some(error)) => Self {
                error,
                details: text("details"),
                syntax: text("syntax"),
                io_error: text("io-error"),
            },
            _ => plain(value.to_string()),
        }
    }
}

/// One line: control characters, which a terminal would obey, are escaped.
impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Line(&self.error).fmt(f)?;
        if let Some(details) = &self.details {
            write!(f, ": {}", Line(details))?;
        }
        if let Some(io_error) = &self.io_error {
            write!(f, " ({})", Line(io_error))?;
        }
        Ok(())
    }
}

/// A text of the peer as one line.
struct Line<'a>(&'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => c.escape_default().fmt(f),
            c => f.write_char(c),
        })
    }
}

impl JsonError {
    /// The line of the JSON text, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The byte in the line, from 1; 0 if the line is empty.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Decodes JSON. The text is checked for UTF-8 as a whole first: that is faster than string
    /// by string.
    pub(crate) fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Self> {
        serde_json::from_str(Self::text(bytes)?).map_err(|error| Self::new(&error))
    }

    pub(crate) fn text(bytes: &[u8]) -> Result<&str, Self> {
        std::str::from_utf8(bytes).map_err(|error| Self::not_utf8(bytes, error.valid_up_to()))
    }

    pub(crate) fn new(error: &serde_json::Error) -> Self {
        Self {
            message: error.to_string(),
            line: error.line(),
            column: error.column(),
        }
    }

    /// An error in the part of `text` that starts at `start`.
    pub(crate) fn within(text: &str, start: usize, error: &serde_json::Error) -> Self {
        let before = text.get(..start).unwrap_or(text);
        let lines = before.matches('\n').count();
        // An error that is not about a byte stands at line 0.
        let line = lines + error.line().max(1);
        let column = match error.line() {
            0 | 1 => error.column() + before.len() - before.rfind('\n').map_or(0, |newline| newline + 1),
            _ => error.column(),
        };
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&place).unwrap_or(&message);
        Self {
            message: format!("{message} at line {line} column {column}"),
            line,
            column,
        }
    }

    /// An error about the value at `offset`.
    pub(crate) fn at(text: &str, offset: usize, message: &str) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            message: format!("{message} at line {line} column {column}"),
            line,
            column,
        }
    }

    /// What serde cannot say.
    pub(crate) fn custom(message: impl fmt::Display) -> Self {
        Self::new(&serde::ser::Error::custom(message))
    }

    fn not_utf8(bytes: &[u8], valid: usize) -> Self {
        let before = bytes.get(..valid).unwrap_or(bytes);
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        Self {
            message: format!("invalid UTF-8 at line {line} column {column}"),
            line,
            column,
        }
    }
}

/// Writes a call.
///
/// # Errors
///
/// [`JsonError`] if `params` cannot be written as JSON.
pub fn encode_request(
    id: u64,
    method: &str,
    params: &(impl Serialize + ?Sized),
) -> Result<Vec<u8>, JsonError> {
    Ok(Unnumbered::encode(method, params)?.numbered(Some(id)))
}

/// Writes a call that wants no reply.
///
/// # Errors
///
/// [`JsonError`] if `params` cannot be written as JSON.
pub fn encode_notification(method: &str, params: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, JsonError> {
    Ok(Unnumbered::encode(method, params)?.numbered(None))
}

/// Writes the reply to a request of the peer, with its `id` as it came.
#[must_use]
pub fn encode_reply(id: &str, result: &str) -> Vec<u8> {
    format!("{{\"id\":{id},\"result\":{result},\"error\":null}}").into_bytes()
}

/// Writes the refusal of a request of the peer, with its `id` as it came. `error` is JSON text.
#[must_use]
pub fn encode_error(id: &str, error: &str) -> Vec<u8> {
    format!("{{\"id\":{id},\"result\":null,\"error\":{error}}}").into_bytes()
}

/// A call whose number is not known yet. Writing it may take long, so that is done first.
#[derive(Debug)]
pub(crate) struct Unnumbered(Vec<u8>);

impl Unnumbered {
    pub(crate) fn encode(method: &str, params: &(impl Serialize + ?Sized)) -> Result<Self, JsonError> {
        #[derive(Serialize)]
        struct Call<'a, P: ?Sized> {
            method: &'a str,
            params: &'a P,
        }
        let call = serde_json::to_vec(&Call { method, params });
        call.map(Self).map_err(|error| JsonError::new(&error))
    }

    /// The message, in two parts.
    pub(crate) fn parts(&self, id: Option<u64>) -> (String, &[u8]) {
        let head = match id {
            Some(id) => format!("{{\"id\":{id},"),
            None => "{\"id\":null,".to_owned(),
        };
        (head, self.0.get(1..).unwrap_or_default())
    }

    fn numbered(&self, id: Option<u64>) -> Vec<u8> {
        let (head, rest) = self.parts(id);
        [head.as_bytes(), rest].concat()
    }
}

fn decode_member<'de, T: Deserialize<'de>>((member, bytes): (Member, &'de [u8])) -> Result<T, MessageError> {
    JsonError::decode(bytes).map_err(|source| MessageError::Member { member, source })
}

/// Checks that a value is JSON, and keeps it as text.
fn raw((member, bytes): (Member, &[u8])) -> Result<&str, MessageError> {
    let malformed = |source| MessageError::Member { member, source };
    let text = JsonError::text(bytes).map_err(malformed)?;
    let value: &RawValue = serde_json::from_str(text).map_err(|error| malformed(JsonError::new(&error)))?;
    Ok(value.get())
}

fn array((member, bytes): (Member, &[u8])) -> Result<(Member, &[u8]), MessageError> {
    if bytes.first() != Some(&b'[') {
        let source = JsonError {
            message: "wanted an array at line 1 column 1".to_owned(),
            line: 1,
            column: 1,
        };
        return Err(MessageError::Member { member, source });
    }
    Ok((member, bytes))
}

#[cfg(test)]
mod tests;
