//! A small OVSDB server in memory, for the tests of programs that use a real one.
//!
//! It checks and executes every operation of RFC 7047, has monitors of all three forms with
//! conditions, locks, `convert` and the database `_Server`, and says the same as `ovsdb-server` but
//! for the words of `details`; but it does not crash at a negative integer times zero, and forgets no reference: the
//! server does where a row with weak references is written in the transaction in which their target goes, and where a pair
//! of a map is a weak and a strong one. It keeps nothing on disk, and the history that `monitor_cond_since`
//! asks for is never there, as in a server that is not clustered.
//!
//! ```
//! use ovsdb_proto::monitor::MonitorRequest;
//! use ovsdb_proto::server::Server;
//! use ovsdb_proto::transaction::Transaction;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new([r#"{"name":"db","tables":{"T":{"isRoot":true,"columns":{"n":{"type":"integer"}}}}}"#])?;
//! let client = server.client();
//! let mut monitor = client.monitor(&MonitorRequest::new("db").all_columns("T")).await?;
//! assert_eq!(monitor.next().await?.len(), 0);
//!
//! let mut transaction = Transaction::new("db");
//! transaction.insert("T", [("n", 7.into())]);
//! client.transact(&transaction).await?;
//! assert_eq!(monitor.next().await?.len(), 1);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

use self::database::Database;
use self::state::{ClientId, Output, State};
use crate::client::{Client, ClientOptions};
use crate::frame::{FrameDecoder, Limits};
use crate::rpc::{JsonError, Message};
use crate::schema::DatabaseSchema;

mod commit;
mod database;
mod evaluate;
mod execute;
mod parse;
mod state;
mod watch;

/// A server. It goes on as long as there is a handle or a connection.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    state: State,
    outboxes: BTreeMap<ClientId, Outbox>,
}

/// Where messages to a client go. A client that does not read loses its connection when too much
/// waits.
struct Outbox {
    messages: mpsc::UnboundedSender<String>,
    /// Bytes that wait.
    len: Arc<AtomicUsize>,
}

impl Server {
    /// A server with an empty database for each schema, given as its JSON text.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if a text is not a schema.
    pub fn new<'a>(schemas: impl IntoIterator<Item = &'a str>) -> Result<Self, JsonError> {
        let database = |text: &str| {
            let schema = DatabaseSchema::parse(text)?;
            Ok::<_, JsonError>((schema.name.clone(), Database::new(schema)))
        };
        let databases = schemas.into_iter().map(database).collect::<Result<_, _>>()?;
        let (_, own) = database(OWN)?;
        let shared = Shared {
            state: State::new(databases, own),
            outboxes: BTreeMap::new(),
        };
        Ok(Self {
            shared: Arc::new(Mutex::new(shared)),
        })
    }

    /// A server with the database of a switch that has no bridge: the tables `Open_vSwitch`,
    /// `Bridge`, `Port` and `Interface`, with the columns that most programs look at, and the one
    /// row of `Open_vSwitch`. There is no `ovs-vswitchd`: who wants `ofport`, writes it.
    ///
    /// For all tables and columns give the schema of your version of Open vSwitch to
    /// [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// None, as long as a test of this crate passes.
    pub fn switch() -> Result<Self, JsonError> {
        let server = Self::new([SWITCH])?;
        let row = serde_json::json!({"op": "insert", "table": "Open_vSwitch", "row": {}});
        if let Some(database) = server.shared().state.databases.get_mut("Open_vSwitch") {
            database.write(&[row]);
        }
        Ok(server)
    }

    /// A new connection to it, in memory. Must be called inside a tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[must_use]
    pub fn client(&self) -> Client {
        let (ours, theirs) = tokio::io::duplex(PIPE_LEN);
        let server = self.clone();
        tokio::spawn(async move { server.serve(ours).await });
        Client::from_io(theirs, &ClientOptions::default())
    }

    /// Takes connections at a Unix socket, until the future is dropped. The file must not be
    /// there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn listen(&self, socket: impl AsRef<Path>) -> io::Result<()> {
        let listener = UnixListener::bind(socket)?;
        loop {
            let (io, _) = listener.accept().await?;
            let server = self.clone();
            tokio::spawn(async move { server.serve(io).await });
        }
    }

    /// Serves one connection until it ends: by the peer, or because it is not JSON-RPC.
    pub async fn serve(&self, io: impl AsyncRead + AsyncWrite) {
        let (sender, mut messages) = mpsc::unbounded_channel();
        let len = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox {
            messages: sender,
            len: Arc::clone(&len),
        };
        let client = {
            let mut shared = self.shared();
            let client = shared.state.connect();
            shared.outboxes.insert(client, outbox);
            client
        };
        let _connection = Connection { server: self, client };
        let (mut read, mut write) = tokio::io::split(io);
        let reading = async {
            let mut decoder = FrameDecoder::new(Limits::default());
            let mut buf = BytesMut::new();
            loop {
                while let Ok(Some(frame)) = decoder.next_frame(&mut buf) {
                    let Ok(message) = Message::decode(frame.bytes(), frame.spans()) else {
                        return;
                    };
                    self.receive(client, &message);
                }
                match read.read_buf(&mut buf).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        let writing = async {
            while let Some(message) = messages.recv().await {
                if write.write_all(message.as_bytes()).await.is_err() {
                    return;
                }
                len.fetch_sub(message.len(), Ordering::Relaxed);
            }
        };
        tokio::select! {
            () = reading => {}
            () = writing => {}
        }
    }

    fn receive(&self, client: ClientId, message: &Message<'_>) {
        let mut shared = self.shared();
        let deadline = shared.state.receive(client, message);
        shared.send();
        drop(shared);
        if let Some(deadline) = deadline {
            let server = Arc::downgrade(&self.shared);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(deadline.millis)).await;
                if let Some(shared) = server.upgrade() {
                    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    shared.state.expire(deadline.number);
                    shared.send();
                }
            });
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn send(&mut self) {
        for (client, output) in self.state.take_output() {
            let stays = match (self.outboxes.get(&client), output) {
                (Some(outbox), Output::Message(message)) => outbox.push(message),
                (Some(_), Output::End) => false,
                (None, _) => continue,
            };
            if !stays {
                // What waits is still sent, and then the connection is closed.
                self.outboxes.remove(&client);
                self.state.disconnect(client);
            }
        }
    }
}

impl Outbox {
    /// False: the client is gone, or does not read.
    fn push(&self, message: String) -> bool {
        let len = self.len.fetch_add(message.len(), Ordering::Relaxed);
        // However large, one message alone is no backlog.
        (len == 0 || len + message.len() <= MAX_WAITING) && self.messages.send(message).is_ok()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// However a connection ends, its locks and monitors go.
struct Connection<'a> {
    server: &'a Server,
    client: ClientId,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let mut shared = self.server.shared();
        shared.state.disconnect(self.client);
        shared.outboxes.remove(&self.client);
        shared.send();
    }
}

const SWITCH: &str = include_str!("server/switch.ovsschema");

const OWN: &str = include_str!("server/_server.ovsschema");

const PIPE_LEN: usize = 64 * 1024;

/// Bytes that may wait for one client.
const MAX_WAITING: usize = 16 << 20;
