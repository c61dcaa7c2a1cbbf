//! Servers that connect to us.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use tokio::net::{TcpListener, UnixListener};
use tracing::debug;

#[cfg(feature = "tls")]
use super::within;
use super::{Client, ClientOptions, Error, Passive, Remote};

/// Waits for servers that connect to us, as an `ovsdb-server` does for which `--remote=tcp:IP:PORT`
/// says where we are, or the switch of `ovs-vsctl set-manager`. What happens on a connection is the
/// same, whoever made it.
///
/// One that listens for many switches makes a [`Client`] of each connection. A
/// [`Session`](super::Session) over a listener follows one server over all its connections:
/// [`Session::accepting`](super::Session::accepting).
///
/// ```no_run
/// use ovsdb_proto::client::{ClientOptions, Error, Listener};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = Listener::bind(&"ptcp:6640".parse()?, ClientOptions::default()).await?;
/// loop {
///     let (client, remote) = listener.accept().await?;
///     tokio::spawn(async move {
///         println!("{remote}: {:?}", client.list_dbs().await?);
///         Ok::<(), Error>(())
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    options: ClientOptions,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, SocketAddr),
    #[cfg(feature = "tls")]
    Ssl(TcpListener, SocketAddr),
}

impl Listener {
    /// Begins to listen. A Unix socket that is there already is replaced, as by all of Open
    /// vSwitch, and ours stays behind.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if the system refuses.
    pub async fn bind(passive: &Passive, options: ClientOptions) -> Result<Self, Error> {
        let refused = |error| Error::listen(passive, &error);
        #[cfg(feature = "tls")]
        if matches!(passive, Passive::Ssl(_)) {
            options.wanted_tls().map_err(refused)?;
        }
        let socket = Socket::bind(passive).await.map_err(refused)?;
        Ok(Self { socket, options })
    }

    /// Where it listens: with the port that the system chose, if it was asked to.
    #[must_use]
    pub fn passive(&self) -> Passive {
        match &self.socket {
            Socket::Unix(_, file) => Passive::Unix(file.clone()),
            Socket::Tcp(_, address) => Passive::Tcp(*address),
            #[cfg(feature = "tls")]
            Socket::Ssl(_, address) => Passive::Ssl(*address),
        }
    }

    /// The next connection, and who made it: of a Unix socket, its file.
    ///
    /// Dropping the future loses nothing but a connection by TLS that is being made.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if the system gives no connection; [`Error::Connect`] and
    /// [`Error::ConnectTimeout`] if it gave one, but it came to nothing by TLS. The listener is good
    /// for more after each of them.
    pub async fn accept(&self) -> Result<(Client, Remote), Error> {
        let listen = |error| Error::listen(&self.passive(), &error);
        let (client, remote) = match &self.socket {
            Socket::Unix(listener, file) => {
                let (socket, _) = listener.accept().await.map_err(listen)?;
                let (read, write) = socket.into_split();
                let client = Client::from_halves(read, write, &self.options);
                (client, Remote::Unix(file.clone()))
            }
            Socket::Tcp(listener, _) => {
                let (socket, address) = listener.accept().await.map_err(listen)?;
                socket.set_nodelay(true).map_err(listen)?;
                let (read, write) = socket.into_split();
                let client = Client::from_halves(read, write, &self.options);
                (client, Remote::Tcp(address))
            }
            #[cfg(feature = "tls")]
            Socket::Ssl(listener, _) => {
                let (socket, address) = listener.accept().await.map_err(listen)?;
                let remote = Remote::Ssl(address);
                let secured = async {
                    socket.set_nodelay(true)?;
                    let socket = self.options.wanted_tls()?.accept(socket).await?;
                    Ok(Client::from_io(socket, &self.options))
                };
                (
                    within(self.options.connect_timeout, &remote, secured).await?,
                    remote,
                )
            }
        };
        debug!(%remote, "connected to us");
        Ok((client, remote))
    }
}

impl Socket {
    async fn bind(passive: &Passive) -> io::Result<Self> {
        match passive {
            Passive::Unix(file) => {
                if fs::symlink_metadata(file).is_ok_and(|there| there.file_type().is_socket()) {
                    fs::remove_file(file)?;
                }
                Ok(Self::Unix(UnixListener::bind(file)?, file.clone()))
            }
            Passive::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = listener.local_addr()?;
                Ok(Self::Tcp(listener, address))
            }
            #[cfg(feature = "tls")]
            Passive::Ssl(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = listener.local_addr()?;
                Ok(Self::Ssl(listener, address))
            }
            #[cfg(not(feature = "tls"))]
            Passive::Ssl(_) => Err(super::without_tls()),
        }
    }
}
