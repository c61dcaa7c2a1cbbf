//! What a session follows if it is there, while the real server converts its database both ways.

use std::time::Duration;

use ovsdb_proto::client::{Client, Error, Event, Session, SessionOptions, SyncKind};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, SchemaError};
use testbed::{OvsdbServer, or_skip};
use tokio::time::timeout;

use crate::session::next;

const OLD: &str =
    r#"{"name":"db","version":"1.0.0","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true}}}"#;
const NEW: &str = r#"{"name":"db","version":"2.0.0","tables":{"T":{"columns":{"n":{"type":"integer"},"m":{"type":"integer"}},"isRoot":true},"U":{"columns":{"n":{"type":"integer"}},"isRoot":true}}}"#;

/// Converts the database with `ovsdb-client convert`.
fn convert(server: &OvsdbServer, schema: &str) {
    let file = server.dir().join("schema.json");
    std::fs::write(&file, schema).unwrap();
    let args = ["convert", &server.remote(), file.to_str().unwrap()];
    server.client(&args).unwrap();
}

fn insert(server: &OvsdbServer, table: &str, row: &str) {
    let transaction = format!(r#"["db",{{"op":"insert","table":"{table}","row":{row}}}]"#);
    server
        .client(&["transact", &server.remote(), &transaction])
        .unwrap();
}

/// The next event but those of connections that were lost, of which there may be one.
async fn told(session: &mut Session) -> Event {
    for _ in 0..2 {
        match next(session).await {
            Event::Lost { .. } => {}
            event => return event,
        }
    }
    panic!("lost again");
}

#[tokio::test]
async fn what_need_not_be_there_comes_and_goes_with_conversions() {
    let Some(server) = or_skip(OvsdbServer::with_schema(OLD)) else {
        return;
    };
    insert(&server, "T", r#"{"n":1}"#);
    let request = MonitorRequest::new("db")
        .table("T", ["n"])
        .columns_if_there("T", ["m"])
        .table("U", ["n"])
        .if_there("U");
    let remote = server.remote().parse().unwrap();
    let mut session = Session::new([remote], request, SessionOptions::default());
    assert!(matches!(next(&mut session).await, Event::Connected { .. }));
    assert!(matches!(next(&mut session).await, Event::Changes(changes) if changes.len() == 1));
    let absent = |session: &Session| -> Vec<String> {
        let replica = session.replica().unwrap();
        replica.absent().map(str::to_owned).collect()
    };
    assert_eq!(absent(&session), ["T.m", "U"]);
    for _ in 0..3 {
        convert(&server, NEW);
        let Event::Converted { came, went } = told(&mut session).await else {
            panic!("not converted");
        };
        assert_eq!((came, went), (vec!["T.m".to_owned(), "U".to_owned()], vec![]));
        assert!(matches!(
            next(&mut session).await,
            Event::Connected {
                sync: SyncKind::Compared,
                ..
            }
        ));
        assert!(matches!(next(&mut session).await, Event::Changes(_)));
        insert(&server, "U", r#"{"n":5}"#);
        let Event::Changes(changes) = next(&mut session).await else {
            panic!("no change");
        };
        assert!(matches!(&changes[..], [change] if matches!(change.change, Change::Insert(_))));
        assert!(absent(&session).is_empty());

        convert(&server, OLD);
        let Event::Converted { came, went } = told(&mut session).await else {
            panic!("not converted");
        };
        assert_eq!((came, went), (vec![], vec!["T.m".to_owned(), "U".to_owned()]));
        assert!(matches!(next(&mut session).await, Event::Connected { .. }));
        let Event::Changes(changes) = next(&mut session).await else {
            panic!("no changes");
        };
        assert!(
            changes
                .iter()
                .any(|change| &*change.table == "U" && matches!(change.change, Change::Delete(_)))
        );
        assert_eq!(absent(&session), ["T.m", "U"]);
        // Nothing else happens: no connection is lost and made again.
        assert!(timeout(Duration::from_secs(1), session.next()).await.is_err());
    }
}

#[tokio::test]
async fn a_table_or_column_that_the_schema_lacks_is_a_permanent_error() {
    let Some(server) = or_skip(OvsdbServer::with_schema(OLD)) else {
        return;
    };
    let remote = server.remote().parse().unwrap();
    let client = Client::connect(&remote).await.unwrap();
    for (request, text) in [
        (
            MonitorRequest::new("db").all_columns("U"),
            "database db has no table U in version 1.0.0 of its schema",
        ),
        (
            MonitorRequest::new("db").table("T", ["m"]),
            "table T of database db has no column m in version 1.0.0 of its schema",
        ),
    ] {
        let error = client.monitor(&request).await.unwrap_err();
        assert!(error.is_permanent() && !error.is_connection_lost());
        assert!(matches!(
            error,
            Error::Schema(SchemaError::NoTable { .. } | SchemaError::NoColumn { .. })
        ));
        assert_eq!(error.to_string(), text);
    }
}
