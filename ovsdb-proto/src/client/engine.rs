//! Calls, through jsonrpsee: it keeps the pending calls, hands requests to the writer so that a
//! dropped caller never leaves half a message on the wire, and fails every pending call when the
//! connection ends.
//!
//! This file and `transport` are all that knows jsonrpsee.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jsonrpsee::async_client::{Client, ClientBuilder, RpcService};
use jsonrpsee::core::middleware::{RpcServiceBuilder, RpcServiceT};
use jsonrpsee::types::{Id, Request};
use serde_json::value::RawValue;
use tokio::io::AsyncRead;

use super::error::Error;
use super::link::{Call, Link};
use super::transport::{Receiver, Sender};

pub(super) struct Engine {
    link: Arc<Link>,
    service: RpcService,
    /// Dropped, it ends the engine's tasks.
    _client: Client<RpcService>,
}

impl Engine {
    /// Starts the engine's tasks on the current runtime.
    pub(super) fn start<R>(link: Arc<Link>, sender: Sender, receiver: Receiver<R>) -> Self
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
    pub(super) async fn make(
        &self,
        call: &Call,
        method: &'static str,
        params: &RawValue,
    ) -> Result<Bytes, Error> {
        let request = Request::borrowed(method, Some(params), Id::Number(call.id()));
        if self.service.call(request).await.is_err() {
            return Err(self.link.closed().await);
        }
        match call.take() {
            Some(Ok(result)) => Ok(result),
            Some(Err(error)) => Err(Error::Rpc { method, error }),
            None => Err(Error::Closed {
                received: self.link.received(),
            }),
        }
    }
}
