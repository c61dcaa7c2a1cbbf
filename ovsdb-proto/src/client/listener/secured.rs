//! Connections that are made by TLS, many at once.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};

use super::Accepted;
use crate::client::{Client, ClientOptions, Remote, within};

pub(super) struct Secured {
    listener: TcpListener,
    /// Each ends in its time.
    under_way: Vec<Pin<Box<dyn Future<Output = Accepted> + Send>>>,
}

impl Secured {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            under_way: Vec::new(),
        }
    }

    pub(super) fn poll_accept(
        &mut self,
        options: &ClientOptions,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Accepted>> {
        while self.under_way.len() < MAX_UNDER_WAY {
            let Poll::Ready(accepted) = self.listener.poll_accept(cx) else {
                break;
            };
            let (socket, address) = accepted?;
            let secured = secured(socket, Remote::Ssl(address), options.clone());
            self.under_way.push(Box::pin(secured));
        }
        for at in 0..self.under_way.len() {
            if let Poll::Ready(secured) = self.under_way[at].as_mut().poll(cx) {
                drop(self.under_way.swap_remove(at));
                return Poll::Ready(Ok(secured));
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured")
            .field("listener", &self.listener)
            .field("under_way", &self.under_way.len())
            .finish()
    }
}

async fn secured(socket: TcpStream, remote: Remote, options: ClientOptions) -> Accepted {
    let securing = async {
        socket.set_nodelay(true)?;
        let socket = options.wanted_tls()?.accept(socket).await?;
        Ok(Client::from_io(socket, &options))
    };
    let client = within(options.connect_timeout, &remote, securing).await?;
    Ok((client, remote))
}

/// More peers than that wait until one of these is done.
const MAX_UNDER_WAY: usize = 64;
