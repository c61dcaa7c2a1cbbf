//! The asynchronous client, on tokio.
//!
//! A [`Client`] is one connection. It is cheap to clone, and any number of calls may be under way
//! at once. Dropping the future of a call at any point is safe: the call is canceled, and the
//! connection goes on. The server's `echo` probe is answered whatever the program does, as long
//! as the runtime runs.
//!
//! A [`Session`] follows a database over one connection after the other, and a [`Listener`] takes
//! the connections that servers make to us.
//!
//! ```no_run
//! use ovsdb_proto::client::{Client, Remote};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let remote: Remote = "unix:/run/openvswitch/db.sock".parse()?;
//! let client = Client::connect(&remote).await?;
//! for database in client.list_dbs().await? {
//!     let schema = client.get_schema(&database).await?;
//!     println!("{database}: {} tables", schema.tables.len());
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tracing::debug;

use self::engine::Engine;
use self::link::{Call, Link};
use crate::connection::{ConnectionOptions, Patience, Starts};
use crate::monitor::MonitorRequest;
use crate::replica::{Replica, RowForm, Typed};
use crate::rpc::JsonError;
use crate::schema::DatabaseSchema;
use crate::value::Uuid;

mod engine;
mod error;
mod link;
mod listener;
mod lock;
mod monitor;
mod remote;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod transact;
mod transport;
mod vswitch;

pub use self::error::Error;
pub use self::listener::Listener;
pub use self::lock::Lock;
pub use self::monitor::Monitor;
pub use self::remote::{Passive, Remote, RemoteError};
pub use self::session::{Changes, Event, Session, SessionClient, SessionOptions, SyncKind};
#[cfg(feature = "tls")]
pub use self::tls::TlsOptions;
pub use self::transact::{Resolution, TransactError};
pub use self::vswitch::{Configured, Vswitch, VswitchError};

/// One connection to a server.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// Time and memory that a connection may take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// How long making the connection may take. Default 10 s.
    pub connect_timeout: Duration,
    /// How long a call waits for its reply; the initial state of a monitor may take longer, as
    /// long as something arrives within this time. `None`: for ever. Default 30 s: a server that
    /// sends a large initial state to somebody else may answer nothing for more than 10 s.
    pub call_timeout: Option<Duration>,
    /// What the connection may take, once it is made.
    pub connection: ConnectionOptions,
    /// Keys and certificates for `ssl:` and `pssl:`, without which there is no such connection.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsOptions>,
}

struct Inner {
    engine: Engine,
    link: Arc<Link>,
    call_timeout: Option<Duration>,
    /// Schemas by database, as they were when they were last asked for.
    schemas: Mutex<BTreeMap<String, Arc<DatabaseSchema>>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            call_timeout: Some(Duration::from_secs(30)),
            connection: ConnectionOptions::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

#[cfg(feature = "tls")]
impl ClientOptions {
    fn wanted_tls(&self) -> io::Result<&TlsOptions> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "no private key and certificates");
        self.tls.as_ref().ok_or_else(missing)
    }
}

impl Client {
    /// Connects with the default options.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] if the system refuses, [`Error::ConnectTimeout`] if it takes too long.
    pub async fn connect(remote: &Remote) -> Result<Self, Error> {
        Self::connect_with(remote, ClientOptions::default()).await
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] if the system refuses, [`Error::ConnectTimeout`] if it takes too long.
    pub async fn connect_with(remote: &Remote, options: ClientOptions) -> Result<Self, Error> {
        let connecting = Self::connect_socket(remote, &options);
        let client = within(options.connect_timeout, remote, connecting).await?;
        debug!(%remote, "connected");
        Ok(client)
    }

    /// Takes a connection that is made already: anything that reads and writes bytes.
    ///
    /// Must be called inside a tokio runtime with time enabled. The connection has a few tasks
    /// there, which end when the last handle is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn from_io(io: impl AsyncRead + AsyncWrite + Send + 'static, options: &ClientOptions) -> Self {
        let (read, write) = tokio::io::split(io);
        Self::from_halves(read, write, options)
    }

    /// The names of the databases that the server has.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn list_dbs(&self) -> Result<Vec<String>, Error> {
        let result = self.call_json("list_dbs", &[(); 0]).await?;
        JsonError::decode(&result).map_err(Error::json("list_dbs"))
    }

    /// The schema of a database.
    ///
    /// # Errors
    ///
    /// [`Error::Rpc`] if the server has no such database; else as [`call`](Self::call).
    pub async fn get_schema(&self, database: &str) -> Result<DatabaseSchema, Error> {
        let result = self.call_json("get_schema", &[database]).await?;
        JsonError::decode(&result).map_err(Error::json("get_schema"))
    }

    /// The UUID of the server: that of its present run, not of its database.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn server_id(&self) -> Result<Uuid, Error> {
        let result = self.call_json("get_server_id", &[(); 0]).await?;
        JsonError::decode(&result).map_err(Error::json("get_server_id"))
    }

    /// Converts a database to another schema, given as its JSON text. Every monitor of the
    /// database ends with [`Error::MonitorCanceled`], those of other clients, too.
    ///
    /// # Errors
    ///
    /// [`Error::Rpc`] if the schema is of another database, or the data does not fit it; else as
    /// [`call`](Self::call).
    pub async fn convert(&self, database: &str, schema: &str) -> Result<(), Error> {
        let schema: &RawValue = JsonError::decode(schema.as_bytes()).map_err(Error::json("convert"))?;
        self.call_json("convert", &(database, schema)).await.map(drop)
    }

    /// Sends `params`, an array, and gets it back.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn echo(&self, params: &[Value]) -> Result<Vec<Value>, Error> {
        let result = self.call_json("echo", params).await?;
        JsonError::decode(&result).map_err(Error::json("echo"))
    }

    /// Calls a method by its name. `params` must be an array.
    ///
    /// # Errors
    ///
    /// [`Error::Rpc`] if the server refuses, [`Error::Timeout`] if it does not reply in time,
    /// [`Error::Json`] if the reply is not what it must be. If the connection has ended, or ends
    /// before the reply, why it did.
    pub async fn call(&self, method: &'static str, params: &[Value]) -> Result<Value, Error> {
        let result = self.call_json(method, params).await?;
        JsonError::decode(&result).map_err(Error::json(method))
    }

    /// Follows columns of tables: their rows now, and then every change of them.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] if the database does not have them, [`Error::Replica`] if the initial
    /// state does not fit its schema; else as [`get_schema`](Self::get_schema). The initial state
    /// may take any time, as long as bytes arrive within [`ClientOptions::call_timeout`].
    pub async fn monitor(&self, request: &MonitorRequest) -> Result<Monitor, Error> {
        self.monitor_as(request).await
    }

    /// As [`monitor`](Self::monitor), with rows kept as a type of yours: see [`Typed`]. That takes
    /// less memory, and half the time. A row that does not fit the type is kept as it is, beside
    /// why it does not fit.
    ///
    /// ```no_run
    /// use ovsdb_proto::client::{Client, Error};
    /// use ovsdb_proto::monitor::MonitorRequest;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Interface {
    ///     name: String,
    ///     ofport: Option<i64>,
    /// }
    ///
    /// # async fn example(client: &Client) -> Result<(), Error> {
    /// let request = MonitorRequest::new("Open_vSwitch").table_of::<Interface>("Interface");
    /// let monitor = client.monitor_typed::<Interface>(&request).await?;
    /// let interfaces = monitor.replica().table("Interface").expect("it is monitored");
    /// for (_, interface) in interfaces.rows() {
    ///     match interface.value() {
    ///         Ok(interface) => println!("{} {:?}", interface.name, interface.ofport),
    ///         Err(misfit) => println!("{misfit}: {}", misfit.error()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`monitor`](Self::monitor).
    pub async fn monitor_typed<T>(&self, request: &MonitorRequest) -> Result<Monitor<Typed<T>>, Error>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.monitor_as(request).await
    }

    async fn monitor_as<R: RowForm>(&self, request: &MonitorRequest) -> Result<Monitor<R>, Error> {
        let started = Monitor::start(self.clone(), request, None).await?;
        let (monitor, _) = started.finish(&mut None)?;
        Ok(monitor)
    }

    /// The rows now, of columns of tables.
    ///
    /// # Errors
    ///
    /// As [`monitor`](Self::monitor).
    pub async fn snapshot(&self, request: &MonitorRequest) -> Result<Replica, Error> {
        Ok(self.monitor(request).await?.into_replica())
    }

    /// Waits until the connection has ended, and says why.
    pub async fn closed(&self) -> Error {
        self.inner.link.closed().await.into()
    }

    async fn connect_socket(remote: &Remote, options: &ClientOptions) -> io::Result<Self> {
        match remote {
            Remote::Unix(file) => {
                let (read, write) = UnixStream::connect(file).await?.into_split();
                Ok(Self::from_halves(read, write, options))
            }
            Remote::Tcp(address) => {
                let (read, write) = connect_tcp(*address).await?.into_split();
                Ok(Self::from_halves(read, write, options))
            }
            #[cfg(feature = "tls")]
            Remote::Ssl(address) => {
                let tls = options.wanted_tls()?;
                let socket = connect_tcp(*address).await?;
                Ok(Self::from_io(tls.connect(*address, socket).await?, options))
            }
            #[cfg(not(feature = "tls"))]
            Remote::Ssl(_) => Err(without_tls()),
        }
    }

    fn from_halves(
        read: impl AsyncRead + Unpin + Send + 'static,
        write: impl AsyncWrite + Send + 'static,
        options: &ClientOptions,
    ) -> Self {
        let link = Link::new(options.connection.clone(), write);
        let engine = Engine::start(Arc::clone(&link), read);
        Self {
            inner: Arc::new(Inner {
                engine,
                link,
                call_timeout: options.call_timeout,
                schemas: Mutex::default(),
            }),
        }
    }

    /// Calls a method within the call timeout. Gives the JSON of the result.
    async fn call_json(
        &self,
        method: &'static str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<Bytes, Error> {
        self.call_starting(method, params, Starts::Nothing).await
    }

    /// Calls a method that starts something. The initial state of a monitor may take any time, as
    /// long as bytes arrive.
    async fn call_starting(
        &self,
        method: &'static str,
        params: &(impl Serialize + ?Sized),
        starts: Starts,
    ) -> Result<Bytes, Error> {
        let call = self.start_call(method, params, starts)?;
        let reply = self.inner.engine.make(&call).await;
        reply.map_err(Error::call(method))
    }

    fn start_call(
        &self,
        method: &'static str,
        params: &(impl Serialize + ?Sized),
        starts: Starts,
    ) -> Result<Call, Error> {
        let after = self.inner.call_timeout;
        let patience = match starts {
            Starts::Monitor(_) => Patience::Quiet(after),
            _ => Patience::Total(after),
        };
        self.link().call(method, params, patience, starts)
    }

    fn link(&self) -> &Arc<Link> {
        &self.inner.link
    }
}

#[cfg(not(feature = "tls"))]
fn without_tls() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "feature tls is off")
}

/// Makes a connection in time.
async fn within(
    after: Duration,
    remote: &Remote,
    connecting: impl Future<Output = io::Result<Client>>,
) -> Result<Client, Error> {
    match timeout(after, connecting).await {
        Ok(connected) => connected.map_err(|error| Error::connect(remote, &error)),
        Err(_) => Err(Error::ConnectTimeout {
            remote: remote.clone(),
            after,
        }),
    }
}

async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    // Requests are small, and somebody waits for each.
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.link.close();
    }
}
