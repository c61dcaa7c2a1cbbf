//! With whom a session may have its connections.

use std::sync::Arc;

use crate::client::{Client, ClientOptions, Error, Listener, Passive, Remote};

/// Those that it goes to, one after the other, or those that come.
#[derive(Debug)]
pub(super) enum Peers {
    Remotes {
        all: Vec<Remote>,
        /// The one that is used, or tried next.
        at: usize,
    },
    Listener(Arc<Listener>),
}

/// The way to one of them.
pub(super) enum Way {
    To(Remote),
    From(Arc<Listener>),
}

impl Peers {
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
    /// A connection, and with whom it is; of a listener that fails, with nobody but itself.
    pub(super) async fn connect(self, options: ClientOptions) -> (Remote, Result<Client, Error>) {
        match self {
            Self::To(remote) => {
                let connected = Client::connect_with(&remote, options).await;
                (remote, connected)
            }
            Self::From(listener) => match listener.accept().await {
                Ok((client, remote)) => (remote, Ok(client)),
                Err(error) => {
                    let remote = match &error {
                        Error::Connect { remote, .. } | Error::ConnectTimeout { remote, .. } => {
                            remote.clone()
                        }
                        _ => own_address(&listener),
                    };
                    (remote, Err(error))
                }
            },
        }
    }
}

fn own_address(listener: &Listener) -> Remote {
    match listener.passive() {
        Passive::Unix(file) => Remote::Unix(file),
        Passive::Tcp(address) => Remote::Tcp(address),
        Passive::Ssl(address) => Remote::Ssl(address),
    }
}
