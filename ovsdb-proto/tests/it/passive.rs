//! Real servers that connect to us.

use std::io::ErrorKind;
use std::time::Duration;

use ovsdb_proto::client::{
    Client, ClientOptions, Error, Event, Listener, Passive, Remote, Session, SessionOptions, SyncKind,
};
use testbed::{OvsdbServer, or_skip};
use tokio::time::timeout;

use super::session::{next, offline, request, synced, types};

async fn listener(passive: &str) -> Listener {
    let options = ClientOptions::default();
    Listener::bind(&passive.parse().unwrap(), options).await.unwrap()
}

async fn accept(listener: &mut Listener) -> (Client, Remote) {
    let accepted = timeout(Duration::from_secs(30), listener.accept()).await;
    accepted.expect("the server comes").unwrap()
}

/// As the server is told of it.
pub(crate) fn dialing(listener: &Listener) -> String {
    match listener.passive() {
        Passive::Unix(file) => format!("--remote=unix:{}", file.display()),
        Passive::Tcp(address) => format!("--remote=tcp:{address}"),
        Passive::Ssl(address) => format!("--remote=ssl:{address}"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_server_that_comes_to_us_is_asked_as_any_other() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let mut tcp = listener("ptcp:0:127.0.0.1").await;
    let file = server.dir().join("ours.sock");
    let mut unix = listener(&format!("punix:{}", file.display())).await;
    server.restart_with(&[dialing(&tcp), dialing(&unix)]).unwrap();
    server.vsctl(&["create", "QoS", "type=a"]).unwrap();

    let (client, remote) = accept(&mut tcp).await;
    assert!(matches!(remote, Remote::Tcp(address) if address.ip().is_loopback()));
    let replica = client.snapshot(&request()).await.unwrap();
    assert_eq!(replica.table("QoS").unwrap().len(), 1);
    let (client, remote) = accept(&mut unix).await;
    assert_eq!(remote, Remote::Unix(file));
    assert_eq!(client.list_dbs().await.unwrap().len(), 2);
    server.kill();
    assert!(client.closed().await.is_connection_lost());
}

#[tokio::test]
async fn a_session_over_a_listener_outlives_its_connections() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let listener = listener("ptcp:0:127.0.0.1").await;
    let dialing = dialing(&listener);
    let mut session = Session::accepting(listener, request(), SessionOptions::default());
    server.restart_with(std::slice::from_ref(&dialing)).unwrap();
    server.vsctl(&["create", "QoS", "type=deleted"]).unwrap();
    let (sync, changes) = synced(&mut session).await;
    assert_eq!(
        (sync, types(&changes)),
        (SyncKind::Initial, vec!["+deleted".into()])
    );

    server.kill();
    let Event::Lost { remote, .. } = next(&mut session).await else {
        panic!("the connection is lost");
    };
    assert!(matches!(remote, Remote::Tcp(_)));
    offline(
        &server,
        r#"{"op":"delete","table":"QoS","where":[]},{"op":"insert","table":"QoS","row":{"type":"new"}}"#,
    );
    server.restart_with(&[dialing]).unwrap();
    let (sync, changes) = synced(&mut session).await;
    assert_eq!(sync, SyncKind::Compared);
    assert_eq!(types(&changes), ["+new", "-deleted"]);
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_no_other_file() {
    let dir = tempfile::tempdir().unwrap();
    let passive = Passive::Unix(dir.path().join("db.sock"));
    let bind = async || Listener::bind(&passive, ClientOptions::default()).await;
    drop(bind().await.unwrap());
    drop(bind().await.unwrap());
    let file = dir.path().join("db.sock");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "of somebody else").unwrap();
    let Err(Error::Listen { kind, message, .. }) = bind().await else {
        panic!("there is a file");
    };
    assert_eq!(
        (kind, &*message),
        (ErrorKind::AddrInUse, "address already in use")
    );
    assert_eq!(std::fs::read_to_string(file).unwrap(), "of somebody else");
}
