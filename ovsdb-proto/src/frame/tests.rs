use super::*;

const REPLY: &[u8] = br#"{"id":0,"result":["Open_vSwitch","_Server"],"error":null}"#;
const UPDATE: &[u8] = "{\"id\":null,\"method\":\"update3\",\"params\":[7,\"00000000-0000-0000-0000-000000000000\",{\"T\":{\"u\":{\"modify\":{\"s\":\"}]{[\\\"\\\\ é€\"}}}}]}".as_bytes();

fn split(bytes: &[u8]) -> Result<Option<Spans>, FrameError> {
    Splitter::new(Limits::default()).split(bytes)
}

/// Splits a stream that arrives in pieces: the messages, and what `finish` says.
fn split_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: Limits,
) -> Result<Vec<(Vec<u8>, Spans)>, FrameError> {
    let mut splitter = Splitter::new(limits);
    let mut buf = Vec::new();
    let mut found = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        while let Some(spans) = splitter.split(&buf)? {
            let message = buf[spans.message()].to_vec();
            buf.drain(..spans.len());
            found.push((message, spans));
        }
    }
    splitter.finish(&buf)?;
    Ok(found)
}

fn messages(found: &[(Vec<u8>, Spans)]) -> Vec<&[u8]> {
    found.iter().map(|(message, _)| &message[..]).collect()
}

/// xorshift64, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn string(&mut self, out: &mut String) {
        const PIECES: &[&str] = &[
            "a",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            " ",
            "\\\"",
            "\\\\",
            "\\n",
            "\\u00e9",
            "\\ud83d\\ude00",
            "é",
            "€",
            "😀",
            "name",
            "0123456789abcdef0123456789abcdef",
        ];
        out.push('"');
        for _ in 0..self.below(12) {
            let nth = usize::try_from(self.below(PIECES.len() as u64)).unwrap();
            out.push_str(PIECES[nth]);
        }
        out.push('"');
    }

    fn value(&mut self, depth: u64, out: &mut String) {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => out.push_str("null"),
            1 => out.push_str("-1.5e+3"),
            2 => out.push_str("9223372036854775807"),
            3 => self.string(out),
            4 | 5 => {
                out.push('[');
                for nth in 0..self.below(6) {
                    out.push_str(if nth > 0 { " ,\n" } else { "" });
                    self.value(depth - 1, out);
                }
                out.push(']');
            }
            _ => {
                out.push('{');
                for nth in 0..self.below(6) {
                    out.push_str(if nth > 0 { "," } else { "" });
                    self.string(out);
                    out.push(':');
                    self.value(depth - 1, out);
                }
                out.push('}');
            }
        }
    }

    fn message(&mut self) -> String {
        let mut names = ["id", "method", "params", "result", "error"];
        for last in (1..names.len()).rev() {
            names.swap(last, usize::try_from(self.below(last as u64 + 1)).unwrap());
        }
        let mut out = String::from("{");
        for (nth, name) in names
            .iter()
            .take(usize::try_from(self.below(6)).unwrap())
            .enumerate()
        {
            out.push_str(if nth > 0 { " , " } else { "" });
            out.push_str(&format!("\"{name}\" :\t"));
            let depth = self.below(7);
            self.value(depth, &mut out);
        }
        out.push('}');
        out
    }
}

fn permutations(items: &[&'static str]) -> Vec<Vec<&'static str>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (nth, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(nth);
        for mut tail in permutations(&rest) {
            tail.insert(0, first);
            all.push(tail);
        }
    }
    all
}

#[test]
fn finds_the_members_in_any_order() {
    for names in permutations(&["id", "method", "params", "result", "error"]) {
        let mut message = String::from(" {");
        for (nth, name) in names.iter().enumerate() {
            message.push_str(if nth > 0 { "," } else { "" });
            message.push_str(&format!("\"{name}\":[\"{name}\",{{}}]"));
        }
        message.push('}');
        let spans = split(message.as_bytes()).unwrap().unwrap();
        assert_eq!(spans.len(), message.len());
        assert_eq!(spans.message(), 1..message.len());
        for member in [
            Member::Id,
            Member::Method,
            Member::Params,
            Member::Result,
            Member::Error,
        ] {
            let expected = format!("[\"{member}\",{{}}]");
            assert_eq!(spans.slice(message.as_bytes(), member), Some(expected.as_bytes()));
        }
    }
}

#[test]
fn a_missing_member_has_no_span() {
    let spans = split(br#"{"id":1}"#).unwrap().unwrap();
    assert_eq!(spans.member(Member::Id), Some(6..7));
    assert_eq!(spans.member(Member::Error), None);
    let spans = split(b"{ }").unwrap().unwrap();
    assert_eq!(spans.member(Member::Id), None);
}

#[test]
fn a_name_may_be_written_with_escapes() {
    let message = br#"{"\u0069d":1,"\u0070\u0061\u0072\u0061\u006d\u0073":[]}"#;
    let spans = split(message).unwrap().unwrap();
    assert_eq!(spans.slice(message, Member::Id), Some(&b"1"[..]));
    assert_eq!(spans.slice(message, Member::Params), Some(&b"[]"[..]));
}

#[test]
fn splits_glued_messages_at_every_split_point() {
    let stream = [REPLY, UPDATE, b" \r\n\t", REPLY, b" "].concat();
    let whole = split_pieces([&stream[..]], Limits::default()).unwrap();
    assert_eq!(messages(&whole), [REPLY, UPDATE, REPLY]);
    for at in 0..=stream.len() {
        let (head, tail) = stream.split_at(at);
        let halves = split_pieces([head, tail], Limits::default()).unwrap();
        assert_eq!(messages(&halves), messages(&whole), "split at {at}");
    }
}

#[test]
fn splits_a_stream_that_comes_one_byte_at_a_time() {
    let stream = [REPLY, UPDATE, REPLY].concat();
    let found = split_pieces(stream.chunks(1), Limits::default()).unwrap();
    assert_eq!(messages(&found), [REPLY, UPDATE, REPLY]);
}

#[test]
fn every_truncation_is_an_error_with_the_bytes_there() {
    for len in 1..UPDATE.len() {
        assert_eq!(
            split_pieces([&UPDATE[..len]], Limits::default()).map(|found| found.len()),
            Err(FrameError::Truncated { len })
        );
    }
    assert_eq!(
        split_pieces([&b"  \n {\"id\""[..]], Limits::default()).map(|found| found.len()),
        Err(FrameError::Truncated { len: 5 })
    );
}

#[test]
fn agrees_with_serde_json_on_random_messages() {
    let mut random = Random(0x5eed_0123_4567_89ab);
    for round in 0..300 {
        let written: Vec<String> = (0..1 + random.below(5)).map(|_| random.message()).collect();
        let stream = written.join(if round % 2 == 0 { "" } else { " \n" });
        let expected: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&stream)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        for chunk in [1, 2, 7, 63, 64, 65, 4096] {
            let pieces = stream.as_bytes().chunks(chunk);
            let found = split_pieces(pieces, Limits::default()).unwrap();
            assert_eq!(found.len(), expected.len());
            for ((message, spans), value) in found.iter().zip(&expected) {
                let start = spans.message().start;
                let mut members = serde_json::Map::new();
                for member in [
                    Member::Id,
                    Member::Method,
                    Member::Params,
                    Member::Result,
                    Member::Error,
                ] {
                    if let Some(span) = spans.member(member) {
                        let bytes = &message[span.start - start..span.end - start];
                        let value = serde_json::from_slice(bytes).unwrap();
                        members.insert(member.name().to_owned(), value);
                    }
                }
                assert_eq!(serde_json::Value::Object(members), *value);
            }
        }
    }
}

#[test]
fn refuses_a_message_above_the_length_limit() {
    let limits = |max_len| Limits {
        max_len,
        ..Limits::default()
    };
    let len = UPDATE.len();
    for chunk in [1, 16, 1024] {
        let with = |max_len| split_pieces(UPDATE.chunks(chunk), limits(max_len)).map(|found| found.len());
        assert_eq!(with(len - 1), Err(FrameError::TooLong { limit: len - 1 }));
        assert_eq!(with(len), Ok(1));
        assert_eq!(with(len + 1), Ok(1));
    }
}

#[test]
fn refuses_nesting_above_the_depth_limit() {
    // Brackets in a string do not count; padding makes the block path and the byte path see it.
    for padding in [0, 1, 63, 64, 200] {
        for depth in [1usize, 2, 63, 64, 65, 127, 128, 129] {
            let mut message = String::from("{\"id\":[\"[[[\",\"");
            message.push_str(&"x".repeat(padding));
            message.push_str("\",");
            let brackets = message.len();
            message.push_str(&"[".repeat(depth));
            message.push_str(&"]".repeat(depth));
            message.push_str("]}");
            let limits = |max_depth| Limits {
                max_depth,
                ..Limits::default()
            };
            let split = |max_depth| Splitter::new(limits(max_depth)).split(message.as_bytes());
            // The message and the outer array are two levels.
            let levels = depth + 2;
            assert_eq!(
                split(levels - 1),
                Err(FrameError::TooDeep {
                    offset: brackets + depth - 1,
                    limit: levels - 1
                })
            );
            assert!(split(levels).unwrap().is_some());
            assert!(split(levels + 1).unwrap().is_some());
        }
    }
    let none = Limits {
        max_depth: 0,
        ..Limits::default()
    };
    assert_eq!(
        Splitter::new(none).split(b" {"),
        Err(FrameError::TooDeep { offset: 1, limit: 0 })
    );
}

#[test]
fn refuses_unknown_and_duplicate_members() {
    assert_eq!(
        split(br#"{"id":1,"jsonrpc":"2.0"}"#),
        Err(FrameError::UnknownMember {
            offset: 8,
            name: "jsonrpc".into()
        })
    );
    assert_eq!(
        split(br#"{"id":1,"\\u0069d":1}"#),
        Err(FrameError::UnknownMember {
            offset: 8,
            name: r"\\u0069d".into()
        })
    );
    let long = format!("{{\"{}\":1}}", "x".repeat(1000));
    assert_eq!(
        split(long.as_bytes()),
        Err(FrameError::UnknownMember {
            offset: 1,
            name: "x".repeat(32)
        })
    );
    assert_eq!(
        split(br#"{"id":1,"\u0069d":2}"#),
        Err(FrameError::DuplicateMember {
            offset: 8,
            member: Member::Id
        })
    );
}

#[test]
fn names_the_byte_that_cannot_stand_where_it_stands() {
    let cases: [(&[u8], usize, &'static str); 9] = [
        (b"[]", 0, "'{'"),
        (b"  x", 2, "'{'"),
        (b"{,", 1, "'\"' or '}'"),
        (br#"{"id"1"#, 5, "':'"),
        (br#"{"id":}"#, 6, "a value"),
        (br#"{"id":,"#, 6, "a value"),
        (br#"{"id":1 2"#, 8, "',' or '}'"),
        (br#"{"id":1,}"#, 8, "'\"'"),
        (br#"{"id":"a"]"#, 9, "',' or '}'"),
    ];
    for (bytes, offset, wanted) in cases {
        assert_eq!(
            split(bytes),
            Err(FrameError::UnexpectedByte {
                offset,
                found: bytes[offset],
                wanted
            })
        );
        assert_eq!(
            split_pieces(bytes.chunks(1), Limits::default()).map(|found| found.len()),
            split(bytes).map(|_| 0)
        );
    }
}

#[test]
fn a_backslash_at_the_edge_of_a_block_escapes_the_next_byte() {
    for padding in 40..140 {
        for backslashes in 1..5 {
            let text = format!("{}{}\"", "x".repeat(padding), "\\\\".repeat(backslashes));
            let quoted = format!("{}{}\\\"]\"", "x".repeat(padding), "\\\\".repeat(backslashes));
            for text in [text, quoted] {
                let message = format!("{{\"id\":[\"{text}]}}");
                let spans = split(message.as_bytes()).unwrap().unwrap();
                assert_eq!(spans.len(), message.len());
            }
        }
    }
}

#[test]
fn white_space_between_messages_can_be_dropped() {
    let mut splitter = Splitter::new(Limits::default());
    assert_eq!(splitter.split(b"  \n").unwrap(), None);
    assert!(splitter.is_between());
    splitter.forget();
    let spans = splitter.split(REPLY).unwrap().unwrap();
    assert_eq!(spans.message(), 0..REPLY.len());
    assert_eq!(splitter.split(b"{").unwrap(), None);
    assert!(!splitter.is_between());
    splitter.forget();
    assert_eq!(splitter.split(b"{}").unwrap().map(|spans| spans.len()), Some(2));
}

#[cfg(feature = "client")]
mod decoder {
    use bytes::{BufMut, BytesMut};

    use super::*;

    #[test]
    fn the_decoder_gives_whole_messages_whatever_their_size() {
        let body = "x".repeat(100_000);
        let large = format!("{{\"id\":1,\"result\":[\"{body}\"],\"error\":null}}");
        let stream = [
            b" ",
            large.as_bytes(),
            b"\n \n",
            REPLY,
            b"   ",
            large.as_bytes(),
            UPDATE,
            b" ",
        ]
        .concat();
        for chunk in [1000, 4096, 65_536, stream.len()] {
            let mut decoder = FrameDecoder::new(Limits::default());
            let mut buf = BytesMut::new();
            let mut found = Vec::new();
            for piece in stream.chunks(chunk) {
                buf.put_slice(piece);
                while let Some(frame) = decoder.next_frame(&mut buf).unwrap() {
                    found.push(frame.bytes()[frame.spans().message()].to_vec());
                }
            }
            assert_eq!(decoder.finish(&buf), Ok(()));
            assert_eq!(found, [large.as_bytes(), REPLY, large.as_bytes(), UPDATE]);
        }
    }

    #[test]
    fn white_space_without_a_message_takes_no_memory() {
        let limits = Limits {
            max_len: 64,
            ..Limits::default()
        };
        let mut decoder = FrameDecoder::new(limits);
        let mut buf = BytesMut::new();
        for _ in 0..100 {
            buf.put_slice(&[b' '; 50]);
            assert_eq!(decoder.next_frame(&mut buf), Ok(None));
            assert!(buf.is_empty());
        }
        buf.put_slice(REPLY);
        assert!(decoder.next_frame(&mut buf).unwrap().is_some());
    }

    #[test]
    fn a_small_frame_after_a_large_one_does_not_keep_its_memory() {
        let large = format!("{{\"id\":1,\"result\":\"{}\"}}", "x".repeat(1 << 20));
        let mut buf = BytesMut::from(large.as_bytes());
        buf.put_slice(REPLY);
        let mut decoder = FrameDecoder::new(Limits::default());
        drop(decoder.next_frame(&mut buf).unwrap());
        assert_eq!(&buf[..], REPLY);
        assert!(buf.capacity() < 1 << 16);
    }
}
