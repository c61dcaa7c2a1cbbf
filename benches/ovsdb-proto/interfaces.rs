//! Up to 140 000 interfaces of a real `ovsdb-server`: what it takes to have them, typed, beside a minimal client written by
//! hand for this one question, `ovsdb-client`, the IDLs of C and of Python, and other crates. Then calls one after the
//! other, beside the same kind of client. The server's share does not count.

use std::collections::BTreeMap;
use std::env;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use benches::race::{self, Race};
use ovsdb_proto::client::{Client, ClientOptions, Remote};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::value::Uuid;
use serde::{Deserialize, Deserializer};
use testbed::{OvsdbServer, or_skip};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What the contenders have of a row. The server leaves out columns with default values.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Row<S, N> {
    name: String,
    r#type: String,
    admin_state: Option<String>,
    link_state: Option<String>,
    ofport: Option<i64>,
    mtu: Option<i64>,
    mac_in_use: Option<String>,
    ifindex: Option<i64>,
    error: Option<String>,
    options: S,
    external_ids: S,
    status: S,
    statistics: N,
}

/// As a user of the crate writes it.
pub(super) type Interface = Row<BTreeMap<String, String>, BTreeMap<String, i64>>;

/// As it has to be without the crate.
pub(super) type ByHand = Row<Map<String>, Map<i64>>;

/// `["map", [[key, value], …]]`
#[derive(Default)]
pub(super) struct Map<V>(pub(super) BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (_, pairs) = <(&str, Vec<(String, V)>)>::deserialize(deserializer)?;
        Ok(Self(pairs.into_iter().collect()))
    }
}

#[derive(Deserialize)]
struct Initial {
    initial: ByHand,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    result: (bool, &'a str, BTreeMap<&'a str, BTreeMap<&'a str, Initial>>),
}

/// As many as `rivals` makes.
const CALLS: u32 = 20_000;
/// Rows of the servers. The last are 103 MB.
const SIZES: [u32; 4] = [1000, 10_000, 100_000, 140_000];

/// Takes a contender's part; `false` if it is not one of these.
pub(super) fn take_part(contender: &str, socket: &Path) -> bool {
    match contender {
        "bytes" => assert!(!read(&mut ask(socket, &question())).is_empty()),
        "by hand" => by_hand(socket),
        "calls by hand" => block_on(calls_by_hand(socket)),
        "typed" | "plain" | "calls" => block_on(ours(contender, socket)),
        _ => return false,
    }
    true
}

pub(super) fn compare() {
    let mut race = Race::new("ovsdb-proto/13 columns of interfaces of a server");
    // They run as long as they are asked.
    let servers: Vec<(u32, OvsdbServer)> = SIZES
        .into_iter()
        .filter_map(|rows| {
            Some((
                rows,
                or_skip(OvsdbServer::with_interfaces(rows.try_into().unwrap()))?,
            ))
        })
        .collect();
    for (rows, server) in &servers {
        for contender in contenders(server, *rows) {
            race.enter_sized(contender.0, *rows, contender.1);
        }
    }
    race.run().unwrap();

    let Some((_, server)) = servers.first() else {
        return;
    };
    let mut race = Race::new("ovsdb-proto/calls one after the other");
    for (name, job) in [("by hand", "calls by hand"), ("Client::list_dbs", "calls")] {
        race.enter(name, CALLS, race::ours(job, server.socket()).unwrap());
    }
    race.enter("ovsdb 0.0.6", CALLS, rival("ovsdb", server));
    race.run().unwrap();
}

/// Who can bring so many rows in time.
fn contenders(server: &OvsdbServer, rows: u32) -> Vec<(&'static str, Command)> {
    let ours = |job| race::ours(job, server.socket()).unwrap();
    let mut dump = Command::new("ovsdb-client");
    dump.args([
        "dump",
        &server.remote(),
        "Open_vSwitch",
        "Interface",
        "--format=json",
    ])
    .args(COLUMNS.split(','));
    let idl = |python: &str| {
        let mut command = Command::new(python);
        command.args(["-c", IDL, &server.remote()]);
        command
    };
    // It asks for the columns that it prints or compares, and this name is no interface's.
    let mut vsctl = Command::new("ovs-vsctl");
    vsctl
        .args(["--no-wait", "--db", &server.remote(), "--columns", COLUMNS])
        .args(["find", "Interface", "name=none"]);
    let mut contenders = vec![
        ("by hand", ours("by hand")),
        ("Client::monitor_typed", ours("typed")),
        ("ovsdb-client dump", dump),
        // Debian's has the parser in C.
        ("Python's IDL, parser in C", idl("/usr/bin/python3")),
    ];
    if rows <= 100_000 {
        contenders.push(("bytes alone", ours("bytes")));
        contenders.push(("Client::monitor", ours("plain")));
        contenders.push(("C's IDL: ovs-vsctl find", vsctl));
    }
    // PyPI's has not.
    if rows <= 10_000 {
        let pypi = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        contenders.push(("Python's IDL of PyPI (PYTHON=python3)", idl(&pypi)));
    }
    // Their time grows with the square of the rows.
    if rows <= 1000 {
        contenders.push(("rovs-ovsdb 0.2", rival("rovs-ovsdb", server)));
        contenders.push(("ovsdb-client 0.0.1 of crates.io", rival("ovsdb-client", server)));
    }
    contenders
}

/// Another crate, by the name that `rivals` has for it.
fn rival(name: &str, server: &OvsdbServer) -> Command {
    let mut command = Command::new(env::var_os("RIVALS").unwrap_or("rivals".into()));
    command.arg(name).arg(server.socket());
    command
}

pub(super) fn block_on(future: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future);
}

pub(super) async fn client(socket: &Path) -> Client {
    let mut options = ClientOptions::default();
    // On a busy machine the server thinks for long before the first byte.
    options.call_timeout = None;
    let remote = Remote::Unix(socket.to_owned());
    Client::connect_with(&remote, options).await.unwrap()
}

async fn ours(contender: &str, socket: &Path) {
    let client = client(socket).await;
    let request = MonitorRequest::new("Open_vSwitch").table_of::<Interface>("Interface");
    match contender {
        "typed" => {
            let monitor = client.monitor_typed::<Interface>(&request).await.unwrap();
            leave_with(monitor.replica().table("Interface").unwrap().len());
        }
        "plain" => {
            let monitor = client.monitor(&request).await.unwrap();
            leave_with(monitor.replica().table("Interface").unwrap().len());
        }
        _ => {
            for _ in 0..CALLS {
                assert_eq!(client.list_dbs().await.unwrap().len(), 2);
            }
        }
    }
}

/// Says how many rows are there. Taking them apart is no part of the question.
fn leave_with(rows: usize) -> ! {
    println!("{rows}");
    std::process::exit(0)
}

fn question() -> String {
    let columns: Vec<&str> = COLUMNS.split(',').collect();
    format!(
        r#"{{"id":0,"method":"monitor_cond_since","params":["Open_vSwitch",0,{{"Interface":[{{"columns":{columns:?}}}]}},"{}"]}}"#,
        Uuid::ZERO
    )
}

fn ask(socket: &Path, question: &str) -> UnixStream {
    let mut socket = UnixStream::connect(socket).unwrap();
    socket.write_all(question.as_bytes()).unwrap();
    socket
}

/// Reads one object, whose strings have neither brackets nor escapes.
fn read(socket: &mut UnixStream) -> Vec<u8> {
    let (mut reply, mut depth) = (Vec::new(), 0);
    loop {
        let start = reply.len();
        reply.resize(start + 65536, 0);
        let len = socket.read(&mut reply[start..]).unwrap();
        assert!(len > 0);
        reply.truncate(start + len);
        for byte in &reply[start..] {
            depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        }
        if depth == 0 {
            return reply;
        }
    }
}

fn by_hand(socket: &Path) {
    let reply = read(&mut ask(socket, &question()));
    let reply: Reply<'_> = serde_json::from_str(std::str::from_utf8(&reply).unwrap()).unwrap();
    let rows = reply.result.2.into_values().flatten();
    let rows = rows.map(|(uuid, row)| (uuid.parse::<Uuid>().unwrap(), row.initial));
    let rows: BTreeMap<_, _> = rows.collect();
    leave_with(rows.len());
}

/// On the same runtime: the price of that is not the question.
async fn calls_by_hand(socket: &Path) {
    #[derive(Deserialize)]
    struct Reply {
        id: u32,
        result: Vec<String>,
    }
    let mut socket = tokio::net::UnixStream::connect(socket).await.unwrap();
    for id in 0..CALLS {
        let request = format!(r#"{{"id":{id},"method":"list_dbs","params":[]}}"#);
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::with_capacity(4096);
        let reply: Reply = loop {
            assert!(socket.read_buf(&mut reply).await.unwrap() > 0);
            if let Ok(reply) = serde_json::from_slice(&reply) {
                break reply;
            }
        };
        assert_eq!((reply.id, reply.result.len()), (id, 2));
    }
}

const COLUMNS: &str = "name,type,admin_state,link_state,ofport,mtu,mac_in_use,ifindex,error,options,external_ids,status,statistics";

/// What comes behind the initial state is not waited for.
const IDL: &str = r#"
import sys, ovs.db.idl, ovs.poller
schema = ovs.db.idl.SchemaHelper("/usr/share/openvswitch/vswitch.ovsschema")
schema.register_columns("Interface", ["name", "type", "admin_state", "link_state", "ofport", "mtu",
    "mac_in_use", "ifindex", "error", "options", "external_ids", "status", "statistics"])
idl = ovs.db.idl.Idl(sys.argv[1], schema)
while True:
    idl.run()
    if idl.tables["Interface"].rows:
        break
    poller = ovs.poller.Poller()
    idl.wait(poller)
    poller.block()
"#;
