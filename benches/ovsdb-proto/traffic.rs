//! A connection that is in use: one update after the other of a real `ovsdb-server`, and calls with many on their way at
//! once, beside a minimal client written by hand for this one question. The server's share does not count.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use benches::race::{self, Race};
use ovsdb_proto::client::Monitor;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, RowChange, RowForm, Typed};
use ovsdb_proto::value::{Row, Uuid};
use serde::Deserialize;
use testbed::{OvsdbServer, or_skip};
use tokio::task::JoinSet;

use super::interfaces::{Map, block_on, client};

/// One transaction each.
const UPDATES: u32 = 20_000;
const ROWS: u32 = 1000;
const CALLS: u32 = 20_000;
const IN_FLIGHT: usize = 64;

/// What is followed of an interface.
#[derive(Deserialize)]
struct Interface {
    name: String,
    external_ids: BTreeMap<String, String>,
}

/// Takes a contender's part; `false` if it is not one of these.
pub(super) fn take_part(contender: &str, socket: &Path) -> bool {
    match contender {
        "updates by hand" => updates_by_hand(socket),
        "updates typed" => block_on(updates_typed(socket)),
        "updates plain" => block_on(updates_plain(socket)),
        "flight by hand" => flight_by_hand(socket),
        "flight" => block_on(flight(socket)),
        _ => return false,
    }
    true
}

pub(super) fn compare() {
    let mut race = Race::new("ovsdb-proto/updates of a row each");
    for (name, job) in [
        ("by hand", "updates by hand"),
        ("Client::monitor_typed", "updates typed"),
        ("Client::monitor", "updates plain"),
    ] {
        race.enter_with(name, UPDATES, move || {
            // Anew for each, so that the last state is not there yet.
            let server = or_skip(OvsdbServer::with_interfaces(ROWS.try_into().unwrap()))?;
            let socket = server.socket().to_owned();
            let writer = thread::spawn(move || write(&socket));
            let taken = race::measure(&mut race::ours(job, server.socket()).unwrap());
            writer.join().unwrap();
            taken
        });
    }
    race.run().unwrap();

    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let mut race = Race::new("ovsdb-proto/calls, 64 on their way");
    for (name, job) in [("by hand", "flight by hand"), ("Client::list_dbs", "flight")] {
        race.enter(name, CALLS, race::ours(job, server.socket()).unwrap());
    }
    race.run().unwrap();
}

/// Changes a row with each transaction, and waits for each reply so that the server has none to merge.
fn write(socket: &Path) {
    // The contender is to be there first; what it misses of the start is little.
    thread::sleep(Duration::from_millis(500));
    let mut socket = UnixStream::connect(socket).unwrap();
    let mut reply = [0; 4096];
    for n in 1..=UPDATES {
        let transact = format!(
            r#"{{"id":{n},"method":"transact","params":["Open_vSwitch",{{"op":"update","table":"Interface","where":[["ofport","==",{}]],"row":{{"external_ids":["map",[["n","{n}"]]]}}}}]}}"#,
            1 + n % ROWS
        );
        socket.write_all(transact.as_bytes()).unwrap();
        let mut len = 0;
        let reply: Counted = loop {
            let read = socket.read(&mut reply[len..]).unwrap();
            assert!(read > 0, "the server is gone");
            len += read;
            if let Ok(reply) = serde_json::from_slice(&reply[..len]) {
                break reply;
            }
        };
        assert_eq!(reply.result[0].count, 1);
    }
}

fn followed() -> MonitorRequest {
    MonitorRequest::new("Open_vSwitch").table_of::<Interface>("Interface")
}

async fn updates_typed(socket: &Path) {
    let monitor = client(socket).await.monitor_typed(&followed()).await.unwrap();
    until_last(monitor, |_, row: &Typed<Interface>| is_last(row.value().unwrap())).await;
}

async fn updates_plain(socket: &Path) {
    let monitor = client(socket).await.monitor(&followed()).await.unwrap();
    until_last(monitor, |uuid, row: &Row| is_last(&row.read(uuid).unwrap())).await;
}

async fn until_last<R: RowForm>(mut monitor: Monitor<R>, is_last: impl Fn(Uuid, &R) -> bool) {
    loop {
        for RowChange { uuid, change, .. } in monitor.next().await.unwrap() {
            if let Change::Initial(new) | Change::Modify { new, .. } = change {
                if is_last(uuid, &new) {
                    return;
                }
            }
        }
    }
}

/// Whether the last update made the row what it is.
fn is_last(interface: &Interface) -> bool {
    black_box(&interface.name);
    let n = interface.external_ids.get("n");
    n.is_some_and(|n| n.parse() == Ok(UPDATES))
}

/// Rows by their UUID, each kept up to date by what changed of its map.
fn updates_by_hand(socket: &Path) {
    #[derive(Deserialize)]
    struct Columns {
        #[serde(default)]
        name: String,
        #[serde(default)]
        external_ids: Map<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Row {
        Initial(Columns),
        Modify(Columns),
    }
    type Rows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Row>>;
    /// An update, or the reply with the initial state.
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        params: Option<(&'a str, Rows<'a>)>,
        #[serde(borrow)]
        result: Option<Rows<'a>>,
    }

    let mut socket = UnixStream::connect(socket).unwrap();
    socket
        .write_all(br#"{"id":0,"method":"monitor_cond","params":["Open_vSwitch","m",{"Interface":[{"columns":["name","external_ids"]}]}]}"#)
        .unwrap();
    let last = UPDATES.to_string();
    let mut rows = BTreeMap::<Uuid, Columns>::new();
    let mut received = Vec::new();
    loop {
        let start = received.len();
        received.resize(start + 65536, 0);
        let len = socket.read(&mut received[start..]).unwrap();
        assert!(len > 0);
        received.truncate(start + len);
        let mut messages = serde_json::Deserializer::from_slice(&received).into_iter::<Message<'_>>();
        let mut done = 0;
        // The last one may have come in part.
        while let Some(Ok(Message { params, result })) = messages.next() {
            let tables = params.map(|(_, tables)| tables).or(result).unwrap();
            done = messages.byte_offset();
            for (uuid, row) in tables.into_values().flatten() {
                let uuid = uuid.parse().unwrap();
                match row {
                    Row::Initial(columns) => drop(rows.insert(uuid, columns)),
                    Row::Modify(columns) => {
                        let row = rows.get_mut(&uuid).unwrap();
                        for (key, value) in columns.external_ids.0 {
                            if row.external_ids.0.get(&key) == Some(&value) {
                                row.external_ids.0.remove(&key);
                            } else {
                                row.external_ids.0.insert(key, value);
                            }
                        }
                        if row.external_ids.0.get("n") == Some(&last) {
                            println!("{}", row.name);
                            return;
                        }
                    }
                }
            }
        }
        received.drain(..done);
    }
}

async fn flight(socket: &Path) {
    let client = client(socket).await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        if calls.len() == IN_FLIGHT {
            assert_eq!(calls.join_next().await.unwrap().unwrap(), 2);
        }
        let client = client.clone();
        calls.spawn(async move { client.list_dbs().await.unwrap().len() });
    }
    while let Some(databases) = calls.join_next().await {
        assert_eq!(databases.unwrap(), 2);
    }
}

fn flight_by_hand(socket: &Path) {
    #[derive(Deserialize)]
    struct Reply {
        id: usize,
        result: Vec<String>,
    }
    let mut socket = UnixStream::connect(socket).unwrap();
    let (mut asked, mut answered) = (0, 0);
    let mut received = Vec::new();
    let calls = usize::try_from(CALLS).unwrap();
    while answered < calls {
        let more = (answered + IN_FLIGHT).min(calls) - asked;
        let requests =
            (asked..asked + more).map(|id| format!(r#"{{"id":{id},"method":"list_dbs","params":[]}}"#));
        socket.write_all(requests.collect::<String>().as_bytes()).unwrap();
        asked += more;
        let start = received.len();
        received.resize(start + 65536, 0);
        let len = socket.read(&mut received[start..]).unwrap();
        assert!(len > 0);
        received.truncate(start + len);
        let mut replies = serde_json::Deserializer::from_slice(&received).into_iter::<Reply>();
        let mut done = 0;
        while let Some(Ok(reply)) = replies.next() {
            assert_eq!((reply.id, reply.result.len()), (answered, 2));
            answered += 1;
            done = replies.byte_offset();
        }
        received.drain(..done);
    }
}

#[derive(Deserialize)]
struct Counted {
    result: [Count; 1],
}

#[derive(Deserialize)]
struct Count {
    count: u32,
}
