//! Messages as `ovs-ofctl ofp-print` prints them.

mod body;
mod lists;
mod raw_match;

use alloc::string::{String, ToString as _};
use core::fmt::{self, Write as _};

use crate::{
    model::version::Version,
    wire::{header::Header, message::Message},
};

/// What `ovs-ofctl ofp-print` prints of it, without the end of the last line. Of a body that is
/// malformed, and of a kind that is not known, it is the error and the bytes in hexadecimal.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(whole(self, Level::DEFAULT).trim_end_matches('\n'))
    }
}

/// How much is printed, and how deep in other messages the message stands.
#[derive(Clone, Copy)]
struct Level {
    verbosity: u8,
    depth: u32,
}

impl Level {
    const DEFAULT: Level = Level {
        verbosity: 2,
        depth: 0,
    };
}

/// The text of the message.
fn whole(message: &Message<'_>, level: Level) -> String {
    if message.kind().is_none() {
        let mut text = String::new();
        decode_error(&mut text, message.unknown_kind().name(), message.bytes());
        return text;
    }
    let mut text = head(message);
    let head_len = text.len();
    flags(message, &mut text);
    let written = body::write(message, level, &mut text);
    if text.ends_with(' ') {
        text.pop();
    }
    if let Err(error) = written {
        match text.len() > head_len {
            true => end_line(&mut text),
            false => text.push(' '),
        }
        decode_error(&mut text, error.name, message.bytes());
    } else if level.verbosity >= 5 {
        end_line(&mut text);
        hex_dump(&mut text, message.bytes());
    }
    end_line(&mut text);
    text
}

fn decode_error(text: &mut String, name: &str, bytes: &[u8]) {
    // Nothing fails that only appends to a string.
    let _ = writeln!(text, "***decode error: {name}***");
    hex_dump(text, bytes);
}

/// `OFPST_FLOW reply (OF1.3) (xid=0x2):`.
fn head(message: &Message<'_>) -> String {
    let header = message.header();
    let mut text = match (message.form(), message.kind()) {
        (Some(form), Some(kind)) => {
            let name = kind.name();
            let name = match form.namespace.is_multipart() {
                true => name.replace("_REPLY", " reply").replace("_REQUEST", " request"),
                false => name.to_string(),
            };
            alloc::format!("{}_{name}", form.prefix())
        }
        _ => String::new(),
    };
    let _ = match header.version {
        Version::V1_0 => Ok(()),
        Version(number @ 2..=6) => write!(text, " (OF1.{})", number - 1),
        Version(number) => write!(text, " (OF 0x{number:02x})"),
    };
    let _ = write!(text, " (xid={:#x}):", header.xid);
    text
}

/// ` flags=[more]`, of statistics.
fn flags(message: &Message<'_>, text: &mut String) {
    let mut flags = message.flags();
    if flags == 0 {
        return;
    }
    text.push_str(" flags=");
    if message.more() && (message.number().reply || message.header().version >= Version::V1_3) {
        text.push_str("[more]");
        flags &= !1;
    }
    if flags != 0 {
        let _ = write!(text, "[***unknown flags 0x{flags:04x}***]");
    }
}

/// What `ovs-ofctl ofp-print` prints of these bytes, whether they are a whole message, the beginning of
/// one, or none.
pub fn print(bytes: &[u8]) -> String {
    print_verbose(bytes, Level::DEFAULT.verbosity)
}

/// What `ovs-ofctl ofp-print HEX VERBOSITY` prints of these bytes. [`print`] prints with verbosity 2, `ovs-ofctl -m`
/// with one more.
///
/// - 0: of port and queue statistics how many there are; of packets their length.
/// - 1: the statistics, and the headers of packets.
/// - 2: also the payload of echo messages, in hexadecimal.
/// - 3: also packets in hexadecimal, and in OpenFlow 1.0 the match of a `FLOW_MOD` as it stands there: the entries of
///   Nicira's form by the names of their headers, of the fixed form those that do not count as `*`.
/// - 5: also the whole message in hexadecimal.
///
/// ```
/// use ofp_codec::wire::print_verbose;
///
/// let echo = [4, 2, 0, 9, 0, 0, 0, 1, 0x41];
/// assert_eq!(print_verbose(&echo, 1), "OFPT_ECHO_REQUEST (OF1.3) (xid=0x1): 1 bytes of payload\n");
/// assert!(print_verbose(&echo, 2).ends_with("payload\n00000000  41                                              |A               |\n"));
/// ```
pub fn print_verbose(bytes: &[u8], verbosity: u8) -> String {
    let mut text = String::new();
    self::bytes(bytes, Level { verbosity, depth: 0 }, &mut text);
    text
}

/// Bytes that should be a message.
fn bytes(data: &[u8], level: Level, text: &mut String) {
    match data.first_chunk().map(Header::decode) {
        _ if data.is_empty() => text.push_str("OpenFlow message is empty\n"),
        None => put(
            text,
            &format_args!("OpenFlow packet too short (only {} bytes):\n", data.len()),
        ),
        Some(header) if usize::from(header.len) == data.len() && level.depth < MAX_DEPTH => {
            match Message::parse(data) {
                Ok(message) => {
                    let depth = level.depth + 1;
                    text.push_str(&whole(&message, Level { depth, ..level }));
                }
                Err(error) => decode_error(text, error.name, data),
            }
            return;
        }
        Some(header) if usize::from(header.len) > data.len() => {
            let start = Message::parse_start(data).ok();
            if let Some(message) = start.filter(|message| message.kind().is_some()) {
                put(text, &format_args!("{}\n", head(&message)));
            }
            put(
                text,
                &format_args!("(***truncated to {} bytes from {}***)\n", data.len(), header.len),
            );
        }
        Some(header) => put(
            text,
            &format_args!("(***only uses {} bytes out of {}***)\n", header.len, data.len()),
        ),
    }
    hex_dump(text, data);
}

fn put(text: &mut String, part: &dyn fmt::Display) {
    let _ = write!(text, "{part}");
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// Sixteen bytes a line: offset, hexadecimal, characters.
fn hex_dump(text: &mut String, bytes: &[u8]) {
    hex_lines(text, bytes, true);
}

/// The same, perhaps without the characters.
fn hex_lines(text: &mut String, bytes: &[u8], with_chars: bool) {
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let _ = write!(text, "{:08x}  ", 16 * line);
        for at in 0..16 {
            let _ = match bytes.get(at) {
                Some(byte) => write!(text, "{byte:02x}{}", if at == 7 { '-' } else { ' ' }),
                None => text.write_str("   "),
            };
        }
        if !with_chars {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            continue;
        }
        text.push('|');
        let shown = |byte: u8| {
            if (32..127).contains(&byte) {
                char::from(byte)
            } else {
                '.'
            }
        };
        text.extend(bytes.iter().map(|byte| shown(*byte)));
        text.extend((bytes.len()..16).map(|_| ' '));
        text.push_str("|\n");
    }
}

/// How deep an error may stand in the data of errors.
const MAX_DEPTH: u32 = 8;
