//! A connection driven by chance: bytes, replies and updates of a peer, calls, and a clock that jumps. It keeps to its
//! bounds, every call is over once, and it never asks to be woken for nothing for ever.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use ovsdb_proto::connection::{Connection, ConnectionOptions, Event, Patience, Starts};
use ovsdb_proto::frame::Limits;

#[derive(Debug, Arbitrary)]
enum Step {
    Bytes(Vec<u8>),
    Reply { id: u8, text: Text },
    Update { monitor: u8, len: u8 },
    Canceled { monitor: u8 },
    Lock { owned: bool },
    Ask(Text),
    Sleep { ms: u16 },
    Call { ms: Option<u16>, quiet: bool, starts: u8 },
    Cancel(u8),
    Take(u8),
    Subscribe,
    Unsubscribe { monitor: u8, is_live: bool },
    Unlock,
    Sent(u16),
    Finish,
}

#[derive(Debug, Arbitrary)]
enum Text {
    Null,
    Locked,
    Canceled,
    Number(i8),
}

impl Text {
    fn json(&self) -> String {
        match self {
            Text::Null => "null".into(),
            Text::Locked => r#"{"locked":true}"#.into(),
            Text::Canceled => r#""canceled""#.into(),
            Text::Number(number) => number.to_string(),
        }
    }
}

const HOLD_BACK_AT: usize = 1000;
const MAX_QUEUED: usize = 2000;
const MAX_LEN: usize = 400;
/// Of what an update counts beside its bytes.
const OWN: usize = 100;

fuzz_target!(|input: (u16, Vec<Step>)| {
    let (interval, steps) = input;
    let mut options = ConnectionOptions::default();
    options.probe_interval = (interval > 0).then(|| Duration::from_millis(interval.into()));
    options.message = Limits { max_len: MAX_LEN, max_depth: 8 };
    options.hold_back_at = HOLD_BACK_AT;
    options.max_queued = MAX_QUEUED;
    let mut now = Duration::ZERO;
    let mut connection = Connection::new(options, now);
    let (mut calls, mut monitors, mut over) = (Vec::new(), Vec::new(), BTreeSet::new());
    // Messages that may have been written: a call with its cancellation and the end of what it started, a probe for
    // each look at the clock.
    let mut asked = 0;
    for step in steps {
        asked += match step {
            Step::Call { .. } => 3,
            Step::Sleep { .. } => 10,
            Step::Unsubscribe { .. } | Step::Unlock => 1,
            _ => 0,
        };
        let feed = |connection: &mut Connection, bytes: &[u8]| {
            // Whoever is asked to wait does.
            if connection.wants_bytes(now) {
                connection.receive(now, bytes);
            }
        };
        match step {
            Step::Bytes(bytes) => feed(&mut connection, &bytes),
            Step::Reply { id, text } => {
                let (result, error) = match text {
                    Text::Canceled => ("null".into(), text.json()),
                    _ => (text.json(), "null".into()),
                };
                let reply = format!(r#"{{"id":{id},"result":{result},"error":{error}}}"#);
                feed(&mut connection, reply.as_bytes());
            }
            Step::Update { monitor, len } => {
                let rows = "x".repeat(len.into());
                let update = format!(r#"{{"method":"update2","params":[{monitor},"{rows}"]}}"#);
                feed(&mut connection, update.as_bytes());
            }
            Step::Canceled { monitor } => {
                let canceled = format!(r#"{{"method":"monitor_canceled","params":[{monitor}]}}"#);
                feed(&mut connection, canceled.as_bytes());
            }
            Step::Lock { owned } => {
                let method = if owned { "locked" } else { "stolen" };
                feed(&mut connection, format!(r#"{{"method":"{method}","params":["L"]}}"#).as_bytes());
            }
            Step::Ask(text) => {
                let id = text.json();
                feed(&mut connection, format!(r#"{{"id":{id},"method":"echo","params":[{id}]}}"#).as_bytes());
            }
            Step::Sleep { ms } => now += Duration::from_millis(ms.into()),
            Step::Call { ms, quiet, starts } => {
                let after = ms.map(|ms| Duration::from_millis(ms.into()));
                let patience = if quiet { Patience::Quiet(after) } else { Patience::Total(after) };
                let starts = match (starts % 3, monitors.last()) {
                    (1, _) => Starts::Lock("L".into()),
                    (2, Some(monitor)) => Starts::Monitor(*monitor),
                    _ => Starts::Nothing,
                };
                let call = connection.call(now, "m", &[0; 0], patience, starts);
                assert_eq!(call.is_ok(), connection.ended().is_none());
                calls.extend(call);
            }
            Step::Cancel(at) => {
                if let Some(call) = calls.get(usize::from(at)) {
                    connection.cancel(*call);
                }
            }
            Step::Take(at) => {
                if let Some(monitor) = monitors.get(usize::from(at)) {
                    let _ = connection.take_notice(*monitor);
                }
            }
            Step::Subscribe => monitors.push(connection.subscribe()),
            Step::Unsubscribe { monitor, is_live } => {
                if let Some(monitor) = monitors.get(usize::from(monitor)) {
                    connection.unsubscribe(*monitor, is_live);
                }
            }
            Step::Unlock => connection.unlock("L"),
            Step::Sent(len) => connection.sent(len.into()),
            Step::Finish => connection.finish(),
        }
        while let Some(event) = connection.next(now) {
            if let Event::Completed(call) = event {
                assert!(over.insert(call), "{call:?} is over twice");
                if let Some(Err(error)) = connection.take_reply(call) {
                    let _ = error.to_string();
                }
                assert_eq!(connection.take_reply(call), None);
            }
        }
        // Nothing is left undone that was due, but for what takes a step each.
        for _ in 0..8 {
            if connection.ended().is_none() && connection.wake_at().is_some_and(|at| at <= now) {
                while let Some(event) = connection.next(now) {
                    if let Event::Completed(call) = event {
                        assert!(over.insert(call), "{call:?} is over twice");
                    }
                }
            }
        }
        assert!(connection.ended().is_some() || connection.wake_at().is_none_or(|at| at > now));
        // 64 replies to the peer, and what the steps asked for.
        assert!(connection.outgoing().len() <= 64 * 2 * MAX_LEN + 100 * (asked + 1));
    }
    let mut queued = 0;
    for monitor in monitors {
        while let Some(notice) = connection.take_notice(monitor) {
            queued += match notice {
                ovsdb_proto::connection::Notice::Update { params, .. } => params.len(),
                _ => 1,
            };
        }
    }
    assert!(queued <= MAX_QUEUED + MAX_LEN + OWN, "{queued}");
});
