//! Messages as `ovs-ofctl ofp-print` prints them.

mod body;
mod lists;

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
        f.write_str(whole(self, 0).trim_end_matches('\n'))
    }
}

/// The text of the message; `depth` is that of an error in whose data it stands.
fn whole(message: &Message<'_>, depth: u32) -> String {
    if message.kind().is_none() {
        let mut text = String::new();
        decode_error(&mut text, message.unknown_kind().name(), message.bytes());
        return text;
    }
    let mut text = head(message);
    let head_len = text.len();
    let written = body::write(message, depth, &mut text);
    if text.ends_with(' ') {
        text.pop();
    }
    if let Err(error) = written {
        match text.len() > head_len {
            true => end_line(&mut text),
            false => text.push(' '),
        }
        decode_error(&mut text, error.name, message.bytes());
    }
    end_line(&mut text);
    text
}

fn decode_error(text: &mut String, name: &str, bytes: &[u8]) {
    // Nothing fails that only appends to a string.
    let _ = writeln!(text, "***decode error: {name}***");
    hex_dump(text, bytes);
}

/// `OFPST_FLOW reply (OF1.3) (xid=0x2): flags=[more]`.
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
    let mut flags = message.flags();
    if flags != 0 {
        text.push_str(" flags=");
        if message.more() && (message.number().reply || header.version >= Version::V1_3) {
            text.push_str("[more]");
            flags &= !1;
        }
        if flags != 0 {
            let _ = write!(text, "[***unknown flags 0x{flags:04x}***]");
        }
    }
    text
}

/// What `ovs-ofctl ofp-print` prints of these bytes, whether they are a whole message, the beginning of
/// one, or none.
pub fn print(bytes: &[u8]) -> String {
    let mut text = String::new();
    self::bytes(bytes, 0, &mut text);
    text
}

/// Bytes that should be a message.
fn bytes(data: &[u8], depth: u32, text: &mut String) {
    match data.first_chunk().map(Header::decode) {
        _ if data.is_empty() => text.push_str("OpenFlow message is empty\n"),
        None => put(
            text,
            &format_args!("OpenFlow packet too short (only {} bytes):\n", data.len()),
        ),
        Some(header) if usize::from(header.len) == data.len() && depth < MAX_DEPTH => {
            match Message::parse(data) {
                Ok(message) => text.push_str(&whole(&message, depth + 1)),
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
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let _ = write!(text, "{:08x}  ", 16 * line);
        for at in 0..16 {
            let _ = match bytes.get(at) {
                Some(byte) => write!(text, "{byte:02x}{}", if at == 7 { '-' } else { ' ' }),
                None => text.write_str("   "),
            };
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
