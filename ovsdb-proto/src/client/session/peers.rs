//! With whom a session may have its connections.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::client::{Client, ClientOptions, Error, Listener, Passive, Remote};

/// Those that it goes to, one after the other, or those that come.
#[derive(Debug)]
pub(super) enum Peers {
    Remotes {
        all: Vec<Remote>,
        /// The one that is used, or tried next.
        at: usize,
    },
    /// No two ask it at once.
    Listener(Arc<Mutex<Listener>>),
}

/// The way to one of them.
pub(super) enum Way {
    To(Remote),
    From(Arc<Mutex<Listener>>),
}

impl Peers {
    pub(super) fn listener(listener: Listener) -> Self {
        Self::Listener(Arc::new(Mutex::new(listener)))
    }

    pub(super) fn remotes(remotes: impl IntoIterator<Item = Remote>) -> Self {
        Self::Remotes {
            all: remotes.into_iter().collect(),
            at: 0,
        }
    }

    /// How many there are to be tried, as far as is known.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Remotes { all, .. } => all.len(),
            Self::Listener(_) => 1,
        }
    }

    /// Goes on to the next.
    pub(super) fn advance(&mut self) {
        if let Self::Remotes { all, at } = self {
            *at = (*at + 1) % all.len();
        }
    }

    pub(super) fn way(&self) -> Way {
        match self {
            Self::Remotes { all, at } => Way::To(all[*at].clone()),
            Self::Listener(listener) => Way::From(Arc::clone(listener)),
        }
    }
}

impl Way {
    /// A connection, and with whom it is, or is not.
    pub(super) async fn connect(self, options: ClientOptions) -> (Remote, Result<Client, Error>) {
        match self {
            Self::To(remote) => {
                let connected = Client::connect_with(&remote, options).await;
                (remote, connected)
            }
            Self::From(listener) => {
                let mut listener = listener.lock().await;
                match listener.accept().await {
                    Ok((client, remote)) => (remote, Ok(client)),
                    Err(error) => (about(&listener, &error), Err(error)),
                }
            }
        }
    }
}

/// With whom a connection was not made: if nobody came, with the listener itself.
fn about(listener: &Listener, error: &Error) -> Remote {
    match (error, listener.passive()) {
        (Error::Connect { remote, .. } | Error::ConnectTimeout { remote, .. }, _) => remote.clone(),
        (_, Passive::Unix(file)) => Remote::Unix(file),
        (_, Passive::Tcp(address)) => Remote::Tcp(address),
        (_, Passive::Ssl(address)) => Remote::Ssl(address),
    }
}
