//! `ssl:` remotes of a real server, with certificates of `ovs-pki`.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use ovsdb_proto::client::{
    Client, ClientOptions, Error, Event, Listener, Passive, Remote, Session, SessionOptions, TlsOptions,
};
use ovsdb_proto::connection::End;
use testbed::{OvsdbServer, Pki, or_skip};
use tokio::time::timeout;

use super::passive::dialing;
use super::session::{next, request, synced};

pub(crate) fn options(pki: &Pki) -> TlsOptions {
    let (private_key, certificate) = pki.client();
    TlsOptions {
        private_key,
        certificate,
        ca_cert: pki.server_authority(),
    }
}

pub(crate) fn with(tls: Option<TlsOptions>) -> ClientOptions {
    let mut options = ClientOptions::default();
    options.tls = tls;
    options
}

#[tokio::test]
async fn a_server_is_reached_by_tls_and_no_other_certificate_will_do() {
    let (Some(mut server), Some(pki)) = (or_skip(OvsdbServer::start()), or_skip(Pki::new())) else {
        return;
    };
    let remote = server
        .restart_with_tls(&pki, "pssl:0:127.0.0.1")
        .unwrap()
        .parse()
        .unwrap();
    let connect = |tls| async { Client::connect_with(&remote, with(tls)).await };
    let client = connect(Some(options(&pki))).await.unwrap();
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    // Larger than a record of TLS, and than a socket's buffer.
    let long = [serde_json::Value::from("x".repeat(4 << 20))];
    assert_eq!(client.echo(&long).await.unwrap(), long);

    // The authority is not that of the server.
    let mut other = options(&pki);
    other.ca_cert = pki.client_authority();
    let Err(Error::Connect { kind, message, .. }) = connect(Some(other)).await else {
        panic!("the server is not trusted");
    };
    assert_eq!(kind, ErrorKind::InvalidData);
    assert!(message.contains("invalid peer certificate"), "{message}");

    // We are none of the clients.
    let mut other = options(&pki);
    (other.private_key, other.certificate) = pki.server();
    let refused = match connect(Some(other)).await {
        // TLS 1.3 says so only after our first bytes.
        Ok(client) => client.closed().await,
        Err(error) => error,
    };
    assert!(refused.is_connection_lost(), "{refused}");

    let mut other = options(&pki);
    other.private_key = PathBuf::from("/nothing/there.pem");
    let Err(Error::Connect { kind, message, .. }) = connect(Some(other)).await else {
        panic!("there is no key");
    };
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(message.starts_with("/nothing/there.pem: "), "{message}");
    let mut other = options(&pki);
    other.certificate = other.private_key.clone();
    let refused = connect(Some(other)).await.unwrap_err();
    assert!(refused.to_string().contains("client-privkey.pem: "), "{refused}");
    let refused = connect(None).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Connect {
                kind: ErrorKind::InvalidInput,
                ..
            }
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn a_session_follows_a_server_by_tls_and_notices_its_silence() {
    let (Some(mut server), Some(pki)) = (or_skip(OvsdbServer::start()), or_skip(Pki::new())) else {
        return;
    };
    let remote = server
        .restart_with_tls(&pki, "pssl:0:127.0.0.1")
        .unwrap()
        .parse()
        .unwrap();
    let mut session_options = SessionOptions::default();
    session_options.client = with(Some(options(&pki)));
    session_options.client.connection.probe_interval = Some(Duration::from_millis(500));
    let mut session = Session::new([remote], request(), session_options);
    assert!(synced(&mut session).await.1.is_empty());
    server.vsctl(&["create", "QoS", "type=new"]).unwrap();
    assert!(matches!(next(&mut session).await, Event::Changes(changes) if changes.len() == 1));
    server.pause().unwrap();
    let lost = timeout(Duration::from_secs(10), session.next()).await.unwrap();
    server.resume().unwrap();
    let Event::Lost { reason, .. } = lost else {
        panic!("{lost:?}");
    };
    assert!(matches!(reason, Error::Ended(End::Silent { .. })), "{reason}");
    assert!(synced(&mut session).await.1.is_empty());
}

/// The server goes to us, and is the one that says hello.
#[tokio::test]
async fn a_server_comes_to_us_by_tls_and_no_other_certificate_will_do() {
    let (Some(mut server), Some(pki)) = (or_skip(OvsdbServer::start()), or_skip(Pki::new())) else {
        return;
    };
    let bind = async |tls| {
        let mut options = with(tls);
        options.connect_timeout = 2 * PATIENCE;
        Listener::bind(&"pssl:0:127.0.0.1".parse().unwrap(), options).await
    };
    let mut trusting = bind(Some(options(&pki))).await.unwrap();
    let mut other = options(&pki);
    other.ca_cert = pki.client_authority();
    let mut distrusting = bind(Some(other)).await.unwrap();
    // One that says nothing holds up nobody.
    let Passive::Ssl(address) = trusting.passive() else {
        panic!("it is bound to it");
    };
    let _silent = std::net::TcpStream::connect(address).unwrap();
    let remotes = [dialing(&trusting), dialing(&distrusting)];
    let args = [&remotes[..], &pki.server_options()].concat();
    server.restart_with(&args).unwrap();

    let (client, remote) = timeout(PATIENCE, trusting.accept()).await.unwrap().unwrap();
    assert!(matches!(remote, Remote::Ssl(_)), "{remote}");
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    // The authority is not that of the server.
    let refused = timeout(PATIENCE, distrusting.accept()).await.unwrap();
    let Err(Error::Connect { kind, message, .. }) = refused else {
        panic!("the server is not trusted");
    };
    assert_eq!(kind, ErrorKind::InvalidData);
    assert!(message.contains("invalid peer certificate"), "{message}");

    let refused = bind(None).await.unwrap_err();
    let no_keys = matches!(
        refused,
        Error::Listen {
            kind: ErrorKind::InvalidInput,
            ..
        }
    );
    assert!(no_keys, "{refused}");
}

/// For a server that comes to us again and again.
const PATIENCE: Duration = Duration::from_secs(30);
