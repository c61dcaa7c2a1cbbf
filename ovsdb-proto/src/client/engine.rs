//! Calls, through jsonrpsee: it keeps the tasks of the connection, and hands requests from the
//! callers to them. Who waits for a reply is woken by the [`Link`]: the way back through the engine
//! would be a third of what a call costs.
//!
//! This file and `transport` are all that knows jsonrpsee.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jsonrpsee::async_client::{Client, ClientBuilder, RpcService};
use jsonrpsee::core::middleware::{Notification, RpcServiceBuilder, RpcServiceT};
use tokio::io::AsyncRead;

use super::link::{Call, Link};
use super::transport::{Receiver, Sender};
use crate::connection::CallError;

pub(super) struct Engine {
    service: RpcService,
    /// Dropped, it ends the engine's tasks.
    _client: Client<RpcService>,
}

impl Engine {
    /// Starts the engine's tasks on the current runtime.
    pub(super) fn start<R>(link: Arc<Link>, reader: R) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
    {
        // The service makes no timer per call and no copy of what is sent. The client does not show
        // it, so a layer takes it on the way.
        let service = Arc::new(OnceLock::new());
        let seen = Arc::clone(&service);
        let layers = RpcServiceBuilder::new().layer_fn(move |inner: RpcService| {
            seen.get_or_init(|| inner.clone());
            inner
        });
        let sender = Sender::new(Arc::clone(&link));
        let receiver = Receiver::new(link, reader);
        let client = ClientBuilder::default()
            .set_rpc_middleware(layers)
            .build_with_tokio(sender, receiver);
        let service = service.get().cloned();
        Self {
            service: service.expect("the builder applies its layers"),
            _client: client,
        }
    }

    /// Makes a call: sends it and waits for the JSON of its result.
    pub(super) async fn make(&self, call: &Call) -> Result<Bytes, CallError> {
        // What is sent is known to the link. The engine carries the number.
        let number = Notification::new(call.id().0.to_string().into(), None);
        // It refuses nothing but at its end, and the connection does not outlive it for long.
        let _ = self.service.notification(number).await;
        call.reply().await
    }
}
