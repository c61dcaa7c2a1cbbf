//! Whatever a peer sends, in whatever pieces: a session gives the same messages and the same error, keeps what it
//! holds bounded, and what it sends is messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ofp_codec::wire::{MessageKind, Session, SessionError, Versions, frame_len};

fuzz_target!(|input: &[u8]| {
    let Some((step, bytes)) = input.split_first() else {
        return;
    };
    let whole = run(bytes, bytes.len().max(1));
    assert_eq!(whole, run(bytes, 1 + usize::from(*step)));
});

/// The messages, what was sent, and why it ended.
fn run(bytes: &[u8], step: usize) -> (Vec<Vec<u8>>, Vec<u8>, Option<SessionError>) {
    let mut session = Session::new(Versions::ALL);
    let (mut messages, mut sent, mut ended) = (Vec::new(), Vec::new(), None);
    for part in bytes.chunks(step) {
        session.receive(part);
        while ended.is_none() {
            match session.next() {
                Ok(Some(received)) => messages.push(received.bytes().to_vec()),
                Ok(None) => break,
                Err(error) => ended = Some(error),
            }
        }
        let len = session.outgoing().len();
        sent.extend_from_slice(session.outgoing());
        session.sent(len);
    }
    if let Some(error) = &ended {
        assert_eq!(session.next().unwrap_err(), *error);
    } else if session.version().is_some() {
        session.request(MessageKind::BarrierRequest, |_| Ok(())).unwrap();
        sent.extend_from_slice(session.outgoing());
    }
    let mut left = &sent[..];
    while !left.is_empty() {
        let len = frame_len(left).unwrap().unwrap();
        left = &left[len..];
    }
    (messages, sent, ended)
}
