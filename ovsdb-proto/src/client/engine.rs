//! Calls, through jsonrpsee: it hands requests from the callers to the connection's task, and wakes
//! each caller when its call is over, or when the connection has ended.
//!
//! This file and `transport` are all that knows jsonrpsee.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jsonrpsee::async_client::{Client, ClientBuilder, RpcService};
use jsonrpsee::core::middleware::{RpcServiceBuilder, RpcServiceT};
use jsonrpsee::types::{Id, Request};
use tokio::io::AsyncRead;

use super::link::{Call, Link};
use super::transport::{Receiver, Sender};
use crate::connection::CallError;

pub(super) struct Engine {
    link: Arc<Link>,
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
        // The service gives ids of our own, no timer per call and no copy of what is sent. The
        // client does not show it, so a layer takes it on the way.
        let service = Arc::new(OnceLock::new());
        let seen = Arc::clone(&service);
        let layers = RpcServiceBuilder::new().layer_fn(move |inner: RpcService| {
            seen.get_or_init(|| inner.clone());
            inner
        });
        let sender = Sender::new(Arc::clone(&link));
        let receiver = Receiver::new(Arc::clone(&link), reader);
        let client = ClientBuilder::default()
            .set_rpc_middleware(layers)
            .build_with_tokio(sender, receiver);
        let service = service.get().cloned();
        Self {
            link,
            service: service.expect("the builder applies its layers"),
            _client: client,
        }
    }

    /// Makes a call: sends it and waits for the JSON of its result.
    pub(super) async fn make(&self, call: &Call) -> Result<Bytes, CallError> {
        // What is sent is known to the link. The engine carries the number.
        let request = Request::borrowed("", None, Id::Number(call.id().0));
        let answered = self.service.call(request).await;
        if let Some(reply) = call.take() {
            return reply;
        }
        // The engine gave up before the connection ended. It does not outlive it for long.
        drop(answered);
        let end = self.link.closed().await;
        call.take().unwrap_or(Err(CallError::Ended { end, sent: true }))
    }
}
