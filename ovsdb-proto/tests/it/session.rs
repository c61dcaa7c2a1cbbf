//! Sessions over connections that break, on real servers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ovsdb_proto::client::{Client, Error, Event, Session, SessionOptions, SyncKind};
use ovsdb_proto::connection::End;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::operation::Condition;
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::transaction::Transaction;
use ovsdb_proto::value::Row;
use testbed::{OvsdbServer, or_skip};
use tokio::time::timeout;

pub(crate) const DATABASE: &str = "Open_vSwitch";

/// QoS is a root table: its rows stay without references.
pub(crate) fn request() -> MonitorRequest {
    MonitorRequest::new(DATABASE).table("QoS", ["type", "external_ids"])
}

fn session(server: &OvsdbServer) -> Session {
    Session::new(
        [server.remote().parse().unwrap()],
        request(),
        SessionOptions::default(),
    )
}

pub(crate) async fn next(session: &mut Session) -> Event {
    timeout(Duration::from_secs(30), session.next()).await.unwrap()
}

/// Until the changes that follow a new connection.
pub(crate) async fn synced(session: &mut Session) -> (SyncKind, Vec<RowChange>) {
    loop {
        if let Event::Connected { sync, .. } = next(session).await {
            let Event::Changes(changes) = next(session).await else {
                panic!("changes follow");
            };
            return (sync, changes);
        }
    }
}

pub(crate) fn offline(server: &OvsdbServer, operations: &str) {
    server
        .transact_offline(&format!("[\"{DATABASE}\",{operations}]"))
        .unwrap();
}

/// `+type`, `-type` or `type` for an insertion, a deletion and a modification.
pub(crate) fn types(changes: &[RowChange]) -> Vec<String> {
    let ty = |row: &Row| {
        row.get("type")
            .unwrap()
            .as_scalar()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut types: Vec<String> = changes
        .iter()
        .map(|change| match &change.change {
            Change::Initial(row) | Change::Insert(row) => format!("+{}", ty(row)),
            Change::Delete(row) => format!("-{}", ty(row)),
            Change::Modify { new, .. } => ty(new),
            other => panic!("{other:?}"),
        })
        .collect();
    types.sort();
    types
}

#[tokio::test]
async fn what_happened_while_the_server_was_down_is_exactly_the_next_batch() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    for ty in ["kept", "changed", "deleted"] {
        server.vsctl(&["create", "QoS", &format!("type={ty}")]).unwrap();
    }
    let mut session = session(&server);
    assert!(session.replica().is_none());
    let (sync, changes) = synced(&mut session).await;
    assert_eq!(sync, SyncKind::Initial);
    assert_eq!(types(&changes), ["+changed", "+deleted", "+kept"]);

    server.kill();
    let Event::Lost { reason, .. } = next(&mut session).await else {
        panic!("the connection is lost");
    };
    assert!(reason.is_connection_lost());
    // Nobody is there, but the rows are.
    let Event::Unreachable { remote, .. } = next(&mut session).await else {
        panic!("nobody is there");
    };
    assert_eq!(remote.to_string(), server.remote());
    assert_eq!(session.replica().unwrap().table("QoS").unwrap().len(), 3);

    offline(
        &server,
        r#"{"op":"delete","table":"QoS","where":[["type","==","deleted"]]},
           {"op":"insert","table":"QoS","row":{"type":"new"}},
           {"op":"update","table":"QoS","where":[["type","==","changed"]],
            "row":{"external_ids":["map",[["a","b"]]]}}"#,
    );
    server.restart().unwrap();
    let (sync, changes) = synced(&mut session).await;
    assert_eq!(sync, SyncKind::Compared);
    assert_eq!(types(&changes), ["+new", "-deleted", "changed"]);
    let modified = changes.iter().find_map(|change| match &change.change {
        Change::Modify { old, new, changed } => Some((old, new, changed)),
        _ => None,
    });
    let (old, new, changed) = modified.unwrap();
    assert_eq!(
        changed.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["external_ids"]
    );
    assert!(old.get("external_ids").unwrap().is_empty());
    assert_eq!(
        new.get("external_ids"),
        Some(&BTreeMap::from([("a", "b")]).into())
    );

    // And it goes on.
    server.vsctl(&["create", "QoS", "type=later"]).unwrap();
    let Event::Changes(changes) = next(&mut session).await else {
        panic!("it is connected");
    };
    assert_eq!(types(&changes), ["+later"]);
}

#[tokio::test]
async fn a_change_of_the_schema_is_survived_and_told_apart() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["create", "QoS", "type=a"]).unwrap();
    let request = MonitorRequest::new(DATABASE).all_columns("QoS");
    let remotes = [server.remote().parse().unwrap()];
    let mut session = Session::new(remotes, request, SessionOptions::default());
    synced(&mut session).await;
    let schema = std::fs::read_to_string(testbed::schema().unwrap()).unwrap();
    let qos = schema.find("\"QoS\": {").unwrap();
    let columns = qos + schema[qos..].find("\"columns\": {").unwrap() + "\"columns\": {".len();
    let wider = format!(
        "{} \"added\": {{\"type\": \"integer\"}}, {}",
        &schema[..columns],
        &schema[columns..]
    );
    let client = Client::connect(&server.remote().parse().unwrap()).await.unwrap();
    client.convert(DATABASE, &wider).await.unwrap();

    let Event::Lost { reason, .. } = next(&mut session).await else {
        panic!("the monitor was canceled");
    };
    assert!(matches!(reason, Error::MonitorCanceled { .. }));
    let (sync, changes) = synced(&mut session).await;
    assert_eq!(sync, SyncKind::Compared);
    let Change::Modify { old, new, changed } = &changes[0].change else {
        panic!("{changes:?}");
    };
    assert_eq!(changed.iter().map(|name| &**name).collect::<Vec<_>>(), ["added"]);
    assert_eq!((old.get("added"), new.get("added")), (None, Some(&0.into())));
    server.kill();
}

#[tokio::test]
async fn new_conditions_hold_on_the_next_connection_too() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    for ty in ["a", "b"] {
        server.vsctl(&["create", "QoS", &format!("type={ty}")]).unwrap();
    }
    let mut session = session(&server);
    synced(&mut session).await;
    session
        .set_conditions("QoS", [Condition::equal("type", "a")])
        .await
        .unwrap();
    let Event::Changes(changes) = next(&mut session).await else {
        panic!("a row goes");
    };
    assert_eq!(types(&changes), ["-b"]);
    server.restart().unwrap();
    assert_eq!(synced(&mut session).await, (SyncKind::Compared, vec![]));
    // Without a connection.
    server.kill();
    while !matches!(next(&mut session).await, Event::Unreachable { .. }) {}
    session
        .set_conditions("QoS", [Condition::equal("type", "b")])
        .await
        .unwrap();
    server.restart().unwrap();
    let (_, changes) = synced(&mut session).await;
    assert_eq!(types(&changes), ["+b", "-a"]);
}

#[tokio::test]
async fn a_client_of_the_session_is_there_while_it_is_connected() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let mut session = session(&server);
    let mut client = session.client();
    assert!(client.current().is_none());
    let writer = tokio::spawn(async move {
        let mut transaction = Transaction::new(DATABASE);
        transaction.insert("QoS", [("type", "x".into())]);
        let connection = client.connected().await.unwrap();
        connection.transact(&transaction).await.unwrap();
        client
    });
    synced(&mut session).await;
    let Event::Changes(changes) = next(&mut session).await else {
        panic!("a row comes");
    };
    assert_eq!(types(&changes), ["+x"]);
    let mut client = writer.await.unwrap();
    drop(session);
    assert!(client.connected().await.is_none());
}

/// Dropping the future of `next` every few milliseconds costs nothing but time.
#[tokio::test]
async fn a_session_that_is_polled_in_pieces_still_connects() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["create", "QoS", "type=a"]).unwrap();
    let mut session = session(&server);
    let mut events = Vec::new();
    for _ in 0..5000 {
        if let Ok(event) = timeout(Duration::from_millis(1), session.next()).await {
            events.push(event);
        }
        if events.len() == 2 {
            break;
        }
    }
    assert!(
        matches!(&events[..], [Event::Connected { .. }, Event::Changes(_)]),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_paused_server_is_given_up_and_the_next_remote_used() {
    let (Some(first), Some(second)) = (or_skip(OvsdbServer::start()), or_skip(OvsdbServer::start())) else {
        return;
    };
    second.vsctl(&["create", "QoS", "type=a"]).unwrap();
    let mut options = SessionOptions::default();
    options.client.connection.probe_interval = Some(Duration::from_millis(500));
    let remotes = [first.remote(), second.remote()].map(|remote| remote.parse().unwrap());
    let mut session = Session::new(remotes, request(), options);
    synced(&mut session).await;
    first.pause().unwrap();
    let start = Instant::now();
    let Event::Lost { reason, .. } = next(&mut session).await else {
        panic!("it says nothing any more");
    };
    assert!(matches!(reason, Error::Ended(End::Silent { .. })), "{reason}");
    let (_, changes) = synced(&mut session).await;
    assert_eq!(types(&changes), ["+a"]);
    assert!(start.elapsed() < Duration::from_secs(5));
    first.resume().unwrap();
}
