//! A peer that answers as a test says.

use bytes::BytesMut;
use ovsdb_proto::client::{Client, ClientOptions};
use ovsdb_proto::frame::{Frame, FrameDecoder, Limits};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

pub(crate) struct Peer {
    io: DuplexStream,
    decoder: FrameDecoder,
    buf: BytesMut,
}

/// A client and its peer. `pipe` bytes fit between them.
pub(crate) fn pair(options: &ClientOptions, pipe: usize) -> (Client, Peer) {
    let (ours, theirs) = tokio::io::duplex(pipe);
    let peer = Peer {
        io: theirs,
        decoder: FrameDecoder::new(Limits::default()),
        buf: BytesMut::new(),
    };
    (Client::from_io(ours, options), peer)
}

impl Peer {
    /// The next message from the client.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(frame) = self.decoder.next_frame(&mut self.buf).unwrap() {
                return Some(parse(&frame));
            }
            if self.io.read_buf(&mut self.buf).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// The id of the next request, which must be for `method`. The request with which every
    /// connection starts is answered on the way.
    pub(crate) async fn request(&mut self, method: &str) -> u64 {
        self.request_with_params(method).await.0
    }

    pub(crate) async fn request_with_params(&mut self, method: &str) -> (u64, Value) {
        loop {
            let mut message = self.message().await.unwrap();
            let id = message["id"].as_u64();
            if message["method"] == "set_db_change_aware" {
                assert_eq!(message["params"], serde_json::json!([true]));
                self.reply(id.unwrap(), "{}").await;
                continue;
            }
            assert_eq!(message["method"], method, "{message}");
            return (id.unwrap(), message["params"].take());
        }
    }

    /// The next message, which must be a notification.
    pub(crate) async fn notification(&mut self, method: &str) -> Value {
        let mut message = self.message().await.unwrap();
        assert_eq!(message["method"], method, "{message}");
        assert_eq!(message["id"], Value::Null);
        message["params"].take()
    }

    pub(crate) async fn reply(&mut self, id: u64, result: &str) {
        self.send(&format!("{{\"id\":{id},\"result\":{result},\"error\":null}}"))
            .await;
    }

    pub(crate) async fn refuse(&mut self, id: u64, error: &str) {
        self.send(&format!("{{\"id\":{id},\"error\":{error}}}")).await;
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.io.write_all(text.as_bytes()).await.unwrap();
    }
}

fn parse(frame: &Frame) -> Value {
    serde_json::from_slice(&frame.bytes()[frame.spans().message()]).unwrap()
}
