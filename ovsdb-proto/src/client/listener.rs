//! Servers that connect to us.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::task::{Context, Poll, ready};

use tokio::net::{TcpListener, UnixListener};
use tracing::debug;

#[cfg(feature = "tls")]
use self::secured::Secured;
use super::{Client, ClientOptions, Error, Passive, Remote};

#[cfg(feature = "tls")]
mod secured;

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
/// let mut listener = Listener::bind(&"ptcp:6640".parse()?, ClientOptions::default()).await?;
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

type Accepted = Result<(Client, Remote), Error>;

#[derive(Debug)]
enum Socket {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, SocketAddr),
    #[cfg(feature = "tls")]
    Ssl(Secured, SocketAddr),
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
    /// Dropping the future loses nothing. Connections by TLS are made side by side, so that a slow
    /// peer does not hold up the others.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if the system gives no connection; [`Error::Connect`] and
    /// [`Error::ConnectTimeout`] if it gave one, but it came to nothing by TLS. The listener is good
    /// for more after each of them.
    pub async fn accept(&mut self) -> Result<(Client, Remote), Error> {
        let accepted = poll_fn(|cx| self.socket.poll_accept(&self.options, cx)).await;
        let (client, remote) =
            accepted.unwrap_or_else(|error| Err(Error::listen(&self.passive(), &error)))?;
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
                Ok(Self::Ssl(Secured::new(listener), address))
            }
            #[cfg(not(feature = "tls"))]
            Passive::Ssl(_) => Err(super::without_tls()),
        }
    }

    /// The error without a peer is the system's.
    fn poll_accept(&mut self, options: &ClientOptions, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let accepted = match self {
            Self::Unix(listener, file) => {
                let (socket, _) = ready!(listener.poll_accept(cx))?;
                let (read, write) = socket.into_split();
                (
                    Client::from_halves(read, write, options),
                    Remote::Unix(file.clone()),
                )
            }
            Self::Tcp(listener, _) => {
                let (socket, address) = ready!(listener.poll_accept(cx))?;
                socket.set_nodelay(true)?;
                let (read, write) = socket.into_split();
                (Client::from_halves(read, write, options), Remote::Tcp(address))
            }
            #[cfg(feature = "tls")]
            Self::Ssl(listener, _) => return listener.poll_accept(options, cx),
        };
        Poll::Ready(Ok(Ok(accepted)))
    }
}
