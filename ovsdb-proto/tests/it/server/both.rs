//! The server in memory and a real one, with the same database and asked the same.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ovsdb_proto::server::Server;
use ovsdb_proto::value::Uuid;
use serde_json::{Value, json};
use testbed::{OvsdbServer, or_skip};

/// A connection that sends raw messages.
pub(super) struct Peer {
    pub(super) socket: UnixStream,
    received: Vec<u8>,
    /// What was sent last.
    sent: String,
}

impl Peer {
    pub(super) fn connect(path: &Path) -> Self {
        let socket = UnixStream::connect(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self {
            socket,
            received: Vec::new(),
            sent: String::new(),
        }
    }

    pub(super) fn send(&mut self, message: &Value) {
        self.socket.write_all(message.to_string().as_bytes()).unwrap();
    }

    pub(super) fn message(&mut self) -> Value {
        let message = self.next_message();
        message.unwrap_or_else(|| panic!("the server has closed the connection after {}", self.sent))
    }

    /// `None`: the server has closed the connection.
    fn next_message(&mut self) -> Option<Value> {
        loop {
            let mut messages = serde_json::Deserializer::from_slice(&self.received).into_iter();
            if let Some(Ok(message)) = messages.next() {
                let taken = messages.byte_offset();
                self.received.drain(..taken);
                return Some(message);
            }
            let mut buf = [0; 4096];
            let len = self.socket.read(&mut buf);
            let len = len.unwrap_or_else(|error| panic!("{error} after {}", self.sent));
            if len == 0 {
                return None;
            }
            self.received.extend_from_slice(&buf[..len]);
        }
    }

    /// Calls, and gives what comes up to the reply, as it comes. If it may last, it is canceled.
    /// `None`: the server has closed the connection.
    pub(super) fn call_text(&mut self, method: &str, params: &str, may_last: bool) -> Option<Vec<Value>> {
        let mut text = format!(r#"{{"id":"x","method":"{method}","params":{params}}}"#);
        if may_last {
            text += r#"{"id":null,"method":"cancel","params":["x"]}"#;
        }
        self.socket.write_all(text.as_bytes()).unwrap();
        self.sent = text;
        let mut messages = vec![];
        loop {
            let message = self.next_message()?;
            let done = message["id"] == "x";
            messages.push(message);
            if done {
                return Some(messages);
            }
        }
    }

    /// Calls, and gives what comes up to the reply.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> Vec<Value> {
        self.send(&json!({"id": "x", "method": method, "params": params}));
        let mut messages = vec![];
        loop {
            let mut message = self.message();
            if let ("list_dbs", Some(names)) = (method, message["result"].as_array_mut()) {
                // RFC 7047 leaves the order open, and it has changed with release 3.3.
                names.sort_by_key(Value::to_string);
            }
            let done = message["id"] == "x";
            messages.push(normal(message));
            if done {
                // The order of the monitors of one client means nothing.
                let updates = messages.len() - 1;
                messages[..updates].sort_by_key(Value::to_string);
                return messages;
            }
        }
    }
}

/// Without what may differ: explanations, and UUIDs that the server chose.
pub(super) fn normal(mut value: Value) -> Value {
    match &mut value {
        Value::String(text) if text.parse::<Uuid>().is_ok() && !text.starts_with("00000000-") => {
            *text = "chosen by the server".to_owned();
        }
        Value::Array(elements) => {
            for element in elements {
                *element = normal(element.take());
            }
        }
        Value::Object(members) => {
            if members.get("error").is_some_and(|error| !error.is_null()) {
                members
                    .retain(|name, value| !matches!(name.as_str(), "details" | "syntax") && !value.is_null());
            }
            for (name, member) in members {
                *member = normal(member.take());
                if let ("rows", Value::Array(rows)) = (name.as_str(), member) {
                    rows.sort_by_key(Value::to_string);
                }
            }
        }
        _ => {}
    }
    value
}

pub(super) struct Both {
    pub(super) real: OvsdbServer,
    pub(super) ours: PathBuf,
    _dir: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

pub(super) fn both() -> Option<Both> {
    let real = or_skip(OvsdbServer::start())?;
    let schema = std::fs::read_to_string(testbed::schema().unwrap()).unwrap();
    Some(Both::new(real, &schema))
}

/// With a database of its own.
pub(super) fn both_with(schema: &str) -> Option<Both> {
    Some(Both::new(or_skip(OvsdbServer::with_schema(schema))?, schema))
}

impl Both {
    fn new(real: OvsdbServer, schema: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ours = dir.path().join("db.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = Server::new([schema]).unwrap();
        let socket = ours.clone();
        runtime.spawn(async move { server.listen(socket).await });
        while UnixStream::connect(&ours).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Self {
            real,
            ours,
            _dir: dir,
            _runtime: runtime,
        }
    }
}

pub(super) fn compare(both: &Both, script: &[(&str, Value)]) {
    let mut peers = [Peer::connect(both.real.socket()), Peer::connect(&both.ours)];
    let mut differences = Vec::new();
    for (method, params) in script {
        let [real, ours] = peers.each_mut().map(|peer| peer.call(method, params));
        if ours != real {
            differences.push(format!("{method} {params}\n  ours {ours:?}\n  real {real:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
