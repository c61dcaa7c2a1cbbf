use std::io;

use super::*;
use crate::rpc::Unnumbered;

/// Milliseconds.
fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A connection that has said what it says first.
fn connection(options: ConnectionOptions) -> Connection {
    let mut connection = Connection::new(options, at(0));
    assert_eq!(
        sent(&mut connection),
        r#"{"id":0,"method":"set_db_change_aware","params":[true]}"#
    );
    connection.receive(at(0), br#"{"id":0,"result":{},"error":null}"#);
    assert_eq!(connection.next(at(0)), None);
    connection
}

fn quiet() -> ConnectionOptions {
    ConnectionOptions {
        probe_interval: None,
        ..ConnectionOptions::default()
    }
}

/// What is to be sent is.
fn sent(connection: &mut Connection) -> String {
    let bytes = String::from_utf8(connection.outgoing().to_vec()).unwrap();
    connection.sent(bytes.len());
    bytes
}

fn call(connection: &mut Connection, now: Duration, patience: Patience, starts: Starts) -> CallId {
    connection.call(now, "m", &[(); 0], patience, starts).unwrap()
}

fn total(ms: u64) -> Patience {
    Patience::Total(Some(at(ms)))
}

fn text(reply: Option<Result<Bytes, CallError>>) -> String {
    String::from_utf8(reply.unwrap().unwrap().to_vec()).unwrap()
}

fn update(monitor: MonitorId, len: usize) -> Vec<u8> {
    let rows = "x".repeat(len);
    format!(
        r#"{{"id":null,"method":"update","params":[{},"{rows}"]}}"#,
        monitor.0
    )
    .into_bytes()
}

#[test]
fn replies_find_their_calls_wherever_the_stream_is_cut() {
    let stream = br#"{"id":2,"result":["b"],"error":null} {"error":"no","id":1}{"id":"echo","method":"echo","params":[]}"#;
    for cut in 0..=stream.len() {
        let mut connection = connection(quiet());
        let first = call(&mut connection, at(1), Patience::Total(None), Starts::Nothing);
        let second = call(&mut connection, at(1), Patience::Total(None), Starts::Nothing);
        let requests = r#"{"id":1,"method":"m","params":[]}{"id":2,"method":"m","params":[]}"#;
        assert_eq!(sent(&mut connection), requests);
        let mut events = Vec::new();
        for part in [&stream[..cut], &stream[cut..]] {
            connection.receive(at(2), part);
            events.extend(std::iter::from_fn(|| connection.next(at(2))));
        }
        assert_eq!(events, [Event::Completed(second), Event::Completed(first)]);
        assert_eq!(text(connection.take_reply(second)), r#"["b"]"#);
        let refused = connection.take_reply(first).unwrap().unwrap_err();
        assert_eq!(refused.to_string(), "no");
        assert_eq!(connection.take_reply(first), None);
        assert_eq!(sent(&mut connection), r#"{"id":"echo","result":[],"error":null}"#);
    }
}

#[test]
fn a_peer_is_asked_when_it_is_quiet_and_given_up_when_it_stays_so() {
    let mut connection = connection(ConnectionOptions::default());
    assert_eq!(connection.wake_at(), Some(at(4000)));
    assert_eq!(connection.next(at(3999)), None);
    assert_eq!(connection.outgoing(), b"");
    assert_eq!(connection.next(at(4000)), None);
    assert_eq!(sent(&mut connection), r#"{"id":1,"method":"echo","params":[]}"#);
    // The answer says that it is there.
    connection.receive(at(4500), br#"{"id":1,"result":[],"error":null}"#);
    assert_eq!(connection.next(at(8000)), None);
    assert_eq!(connection.outgoing(), b"");
    assert_eq!(connection.wake_at(), Some(at(8500)));
    assert_eq!(connection.next(at(8500)), None);
    assert_eq!(sent(&mut connection), r#"{"id":2,"method":"echo","params":[]}"#);
    // The program slept. What came meanwhile may be read before the peer is judged.
    assert_eq!(connection.next(at(60_000)), None);
    assert_eq!(connection.ended(), None);
    assert_eq!(connection.wake_at(), Some(at(60_100)));
    assert_eq!(connection.next(at(60_100)), None);
    assert_eq!(connection.ended(), Some(&End::Silent { after: at(8000) }));
}

#[test]
fn a_peer_that_may_think_long_is_asked_and_not_given_up() {
    let mut connection = connection(ConnectionOptions::default());
    let patience = Patience::Quiet(Some(at(30_000)));
    let call = call(&mut connection, at(0), patience, Starts::Nothing);
    for s in 0..29 {
        assert_eq!(connection.next(at(s * 1000)), None);
        assert_eq!(connection.ended(), None);
    }
    // Bytes of a reply that is not whole yet: it may take as long again.
    connection.receive(at(29_000), br#"{"id":1,"#);
    assert_eq!(connection.next(at(58_999)), None);
    assert_eq!(connection.next(at(59_000)), Some(Event::Completed(call)));
    let given_up = Err(CallError::Timeout { after: at(30_000) });
    assert_eq!(connection.take_reply(call), Some(given_up));
}

#[test]
fn a_call_that_is_due_is_canceled_and_its_late_reply_ignored() {
    let mut connection = connection(quiet());
    let slow = call(&mut connection, at(10), total(50), Starts::Nothing);
    let other = call(&mut connection, at(10), total(100), Starts::Nothing);
    sent(&mut connection);
    assert_eq!(connection.wake_at(), Some(at(60)));
    assert_eq!(connection.next(at(59)), None);
    assert_eq!(connection.next(at(60)), Some(Event::Completed(slow)));
    assert_eq!(connection.next(at(60)), None);
    assert_eq!(
        connection.take_reply(slow),
        Some(Err(CallError::Timeout { after: at(50) }))
    );
    assert_eq!(
        sent(&mut connection),
        r#"{"id":null,"method":"cancel","params":[1]}"#
    );
    assert_eq!(connection.wake_at(), Some(at(110)));
    // What has arrived counts, also if it is read late.
    connection.receive(
        at(200),
        br#"{"id":1,"error":"canceled"}{"id":2,"result":1,"error":null}"#,
    );
    assert_eq!(connection.next(at(200)), Some(Event::Completed(other)));
    assert_eq!(text(connection.take_reply(other)), "1");
    assert_eq!(connection.next(at(200)), None);
    assert_eq!(connection.outgoing(), b"");
}

#[test]
fn what_a_given_up_call_starts_is_ended_when_it_has_started() {
    let mut connection = connection(quiet());
    let monitor = connection.subscribe();
    let starting = call(&mut connection, at(0), total(9), Starts::Monitor(monitor));
    let locking = call(&mut connection, at(0), total(9), Starts::Lock("L".into()));
    sent(&mut connection);
    connection.cancel(starting);
    assert_eq!(connection.next(at(1)), None);
    assert_eq!(connection.take_reply(starting), None);
    assert_eq!(connection.next(at(9)), Some(Event::Completed(locking)));
    let cancels = r#"{"id":null,"method":"cancel","params":[2]}{"id":null,"method":"cancel","params":[3]}"#;
    assert_eq!(sent(&mut connection), cancels);
    // Both were too late: the server had done it.
    connection.receive(
        at(10),
        br#"{"id":2,"result":{},"error":null}{"id":3,"result":{"locked":true}}"#,
    );
    assert_eq!(connection.next(at(10)), None);
    assert_eq!(
        sent(&mut connection),
        r#"{"id":4,"method":"monitor_cancel","params":[1]}{"id":5,"method":"unlock","params":["L"]}"#
    );
    assert_eq!(connection.lock("L"), None);
}

#[test]
fn a_call_that_is_over_before_it_is_sent_never_is() {
    let mut connection = connection(quiet());
    let held = |connection: &mut Connection, patience| {
        connection
            .prepare_call(
                at(0),
                Unnumbered::encode("m", &[1]).unwrap(),
                patience,
                Starts::Nothing,
            )
            .unwrap()
    };
    let (dropped, due) = (held(&mut connection, total(50)), held(&mut connection, total(50)));
    connection.cancel(dropped);
    assert_eq!(connection.next(at(60)), Some(Event::Completed(due)));
    for call in [dropped, due] {
        connection.send_call(call);
        assert_eq!(connection.next(at(60)), None);
    }
    assert_eq!(connection.outgoing(), b"");
    assert_eq!(connection.take_reply(dropped), None);
    assert_eq!(
        connection.take_reply(due),
        Some(Err(CallError::Timeout { after: at(50) }))
    );
}

#[test]
fn a_call_says_whether_it_may_have_reached_a_peer_that_is_gone() {
    let mut connection = connection(quiet());
    let reached = call(&mut connection, at(0), total(9), Starts::Nothing);
    let unsent = call(&mut connection, at(0), total(9), Starts::Nothing);
    connection.sent(1);
    connection.receive(at(1), b" {\"id\"");
    assert_eq!(connection.next(at(1)), None);
    connection.finish();
    let end = End::Truncated {
        partial: 5,
        received: 39,
    };
    assert_eq!(connection.ended(), Some(&end));
    for (call, sent) in [(reached, true), (unsent, false)] {
        let end = end.clone();
        assert_eq!(
            connection.take_reply(call),
            Some(Err(CallError::Ended { end, sent }))
        );
    }
    let refused = connection.call(at(2), "m", &[1], total(1), Starts::Nothing);
    assert_eq!(refused, Err(CallError::Ended { end, sent: false }));
    assert_eq!(connection.outgoing(), b"");
}

#[test]
fn the_last_words_of_a_peer_that_takes_no_more_are_heard() {
    let io = End::Io {
        kind: io::ErrorKind::BrokenPipe,
        message: "broken pipe".into(),
    };
    let mut connection = connection(quiet());
    let call = call(&mut connection, at(0), Patience::Total(None), Starts::Nothing);
    connection.broken(at(1), io.clone());
    assert_eq!(connection.wake_at(), Some(at(1001)));
    connection.receive(at(2), br#"{"id":1,"result":1,"error":null}"#);
    assert_eq!(connection.next(at(2)), Some(Event::Completed(call)));
    assert_eq!(connection.next(at(1000)), None);
    assert_eq!(connection.ended(), None);
    assert_eq!(connection.next(at(1001)), None);
    assert_eq!(connection.ended(), Some(&io));
}

#[test]
fn too_many_updates_hold_the_peer_back_but_for_a_little_each_second() {
    let mut connection = connection(ConnectionOptions {
        hold_back_at: 1000,
        ..ConnectionOptions::default()
    });
    let monitor = connection.subscribe();
    connection.receive(at(10), &update(monitor, 1000));
    assert_eq!(connection.next(at(10)), Some(Event::Arrived(monitor)));
    assert!(!connection.wants_bytes(at(10)));
    assert_eq!(connection.wake_at(), Some(at(1010)));
    // Who does not read does not judge.
    for s in 1..30 {
        assert_eq!(connection.next(at(s * 1000 + 10)), None);
        assert!(connection.wants_bytes(at(s * 1000 + 10)));
        connection.receive(at(s * 1000 + 10), &[b' '; 1 << 20]);
        assert!(!connection.wants_bytes(at(s * 1000 + 10)));
        assert_eq!(connection.ended(), None);
    }
    // A call opens the gate: its reply stands behind the updates.
    let waiting = call(&mut connection, at(30_000), total(9), Starts::Nothing);
    assert!(connection.wants_bytes(at(30_000)));
    connection.cancel(waiting);
    assert!(!connection.wants_bytes(at(30_000)));
    // And so does who takes the updates.
    assert!(matches!(
        connection.take_notice(monitor),
        Some(Notice::Update { method: "update", .. })
    ));
    assert!(connection.wants_bytes(at(30_000)));
}

#[test]
fn updates_that_pile_up_behind_a_call_end_the_connection_and_can_still_be_taken() {
    let mut connection = connection(ConnectionOptions {
        max_queued: 3000,
        ..quiet()
    });
    let monitor = connection.subscribe();
    call(&mut connection, at(0), total(9000), Starts::Nothing);
    let mut arrived = 0;
    while connection.ended().is_none() {
        connection.receive(at(1), &update(monitor, 1000));
        arrived += usize::from(connection.next(at(1)).is_some());
    }
    assert!(matches!(
        connection.ended(),
        Some(End::Lagged {
            queued: 3001..=4200,
            limit: 3000
        })
    ));
    assert_eq!(arrived, 2);
    for _ in 0..=arrived {
        assert!(connection.take_notice(monitor).is_some());
    }
    assert_eq!(connection.take_notice(monitor), None);
    // One message alone may be larger.
    connection = Connection::new(
        ConnectionOptions {
            max_queued: 10,
            ..quiet()
        },
        at(0),
    );
    let monitor = connection.subscribe();
    connection.receive(at(1), &update(monitor, 1000));
    assert_eq!(connection.next(at(1)), Some(Event::Arrived(monitor)));
}

#[test]
fn a_lock_comes_and_goes() {
    let mut connection = connection(quiet());
    let locking = call(&mut connection, at(0), total(9), Starts::Lock("L".into()));
    connection.receive(
        at(1),
        br#"{"id":1,"result":{"locked":false}}{"id":null,"method":"locked","params":["L"]}"#,
    );
    assert_eq!(connection.next(at(1)), Some(Event::Completed(locking)));
    assert!(connection.take_reply(locking).is_some());
    assert_eq!(connection.next(at(1)), Some(Event::Lock));
    assert_eq!(connection.lock("L"), Some(true));
    connection.receive(
        at(2),
        br#"{"method":"stolen","params":["L"]}{"method":"stolen","params":["other"]}"#,
    );
    assert_eq!(connection.next(at(2)), Some(Event::Lock));
    assert_eq!(connection.next(at(2)), None);
    assert_eq!(connection.lock("L"), Some(false));
    sent(&mut connection);
    connection.unlock("L");
    assert_eq!(
        sent(&mut connection),
        r#"{"id":2,"method":"unlock","params":["L"]}"#
    );
}

#[test]
fn a_peer_that_asks_and_takes_no_reply_is_given_up() {
    let mut connection = connection(quiet());
    let echo = br#"{"id":1,"method":"echo","params":[]}"#;
    for _ in 0..64 {
        connection.receive(at(1), echo);
        assert_eq!(connection.next(at(1)), None);
    }
    assert_eq!(connection.ended(), None);
    connection.receive(at(1), echo);
    assert_eq!(connection.next(at(1)), None);
    assert_eq!(connection.ended(), Some(&End::Flooded { limit: 64 }));
}
