//! Any bytes as a stream: cut anywhere, they give the same messages, which are the bytes that went in.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use ovsdb_proto::frame::{Frame, FrameDecoder, FrameError, Limits, Member};
use ovsdb_proto::rpc::Message;

const MAX_LEN: usize = 512;

fuzz_target!(|input: (u8, &[u8])| {
    let (chunk, stream) = input;
    let (frames, end) = split(stream, stream.len().max(1));
    assert_eq!(split(stream, usize::from(chunk).max(1)), (frames.clone(), end));
    let mut at = 0;
    for frame in &frames {
        // White space may have been dropped before a message.
        at += stream[at..].iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
        let message = &frame.bytes()[frame.spans().message()];
        assert!(message.len() <= MAX_LEN);
        assert_eq!(&stream[at..at + message.len()], message);
        at += message.len();
        let _ = Message::decode(frame.bytes(), frame.spans());
        // What serde_json takes for an object has the members that it finds.
        if let Ok(value) = serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(message) {
            for member in [Member::Id, Member::Method, Member::Params, Member::Result, Member::Error] {
                let found = frame.member(member).map(|text| serde_json::from_slice(&text).unwrap());
                assert_eq!(value.get(member.name()), found.as_ref());
            }
        }
    }
});

fn split(stream: &[u8], chunk: usize) -> (Vec<Frame>, Option<FrameError>) {
    let limits = Limits { max_len: MAX_LEN, max_depth: 8 };
    let mut decoder = FrameDecoder::new(limits);
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for part in stream.chunks(chunk) {
        buf.extend_from_slice(part);
        loop {
            match decoder.next_frame(&mut buf) {
                Ok(Some(frame)) => frames.push(trimmed(frame)),
                Ok(None) => break,
                // The offset counts from the first byte after the message before, and the first error stands.
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(buf.len() <= MAX_LEN + chunk);
    }
    let end = decoder.finish(&buf).err();
    (frames, end)
}

/// A frame without the white space before it, of which a chunk may have none.
fn trimmed(frame: Frame) -> Frame {
    let mut bytes = BytesMut::from(&frame.bytes()[frame.spans().message()]);
    let mut decoder = FrameDecoder::new(Limits::default());
    decoder.next_frame(&mut bytes).unwrap().expect("a message is a message")
}
