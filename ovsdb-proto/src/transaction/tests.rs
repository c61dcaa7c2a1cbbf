use serde::Deserialize;

use super::*;
use crate::rpc::ErrorKind;
use crate::rpc::{ErrorReply, JsonError};

fn schema() -> DatabaseSchema {
    DatabaseSchema::parse(r#"{"name":"db","tables":{"T":{"columns":{"r":{"type":"real"}}}}}"#).unwrap()
}

fn transaction() -> Transaction {
    let mut transaction = Transaction::new("db");
    transaction.comment("first");
    transaction.insert("T", [("r", 1.5.into())]);
    transaction.select("T", [], ["_uuid", "r"]);
    transaction.delete("T", []);
    transaction
}

fn results(text: &str) -> Result<Result<Committed, Aborted>, JsonError> {
    transaction().results(&schema(), text.as_bytes())
}

const UUID: &str = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d";

#[test]
fn results_belong_to_their_operations() {
    let mut transaction = Transaction::new("db");
    transaction.comment("first");
    let row = transaction.insert("T", [("r", 1.5.into())]);
    let select = transaction.select("T", [], ["_uuid", "r"]);
    let delete = transaction.delete("T", []);
    // The name is that of the place, whatever stands before.
    assert_eq!(Atom::from(&row), Atom::NamedUuid("row1".into()));

    // A real may come as an integer.
    let text = format!(
        r#"[{{}},{{"uuid":["uuid","{UUID}"]}},{{"rows":[{{"_uuid":["uuid","{UUID}"],"r":100}}]}},{{"count":2}}]"#
    );
    let committed = transaction.results(&schema(), text.as_bytes()).unwrap().unwrap();
    assert_eq!(committed.uuid(&row), Some(UUID.parse().unwrap()));
    assert_eq!(committed.count(delete), Some(2));
    assert_eq!(committed.count(select), None);
    assert_eq!(committed.rows(select).unwrap()[0].get("r"), Some(&100.0.into()));

    #[derive(Debug, PartialEq, Deserialize)]
    struct T {
        _uuid: Uuid,
        r: f64,
    }
    let read: Vec<T> = committed.read(select).collect::<Result<_, _>>().unwrap();
    let expected = T {
        _uuid: UUID.parse().unwrap(),
        r: 100.0,
    };
    assert_eq!(read, [expected]);
}

#[test]
fn the_operation_that_failed_is_named() {
    let aborted = results(r#"[{},{"error":"constraint violation","details":"d"},null,null]"#);
    let aborted = aborted.unwrap().unwrap_err();
    assert_eq!(aborted.operation.unwrap().index(), 1);
    assert_eq!(aborted.error.kind(), ErrorKind::ConstraintViolation);
    assert_eq!(
        aborted.to_string(),
        "operation 1 (insert): constraint violation: d"
    );

    let text = format!(
        r#"[{{}},{{"uuid":["uuid","{UUID}"]}},{{"rows":[]}},{{"count":0}},{{"error":"referential integrity violation"}}]"#
    );
    let aborted = results(&text).unwrap().unwrap_err();
    assert_eq!(aborted.operation, None);
    assert_eq!(aborted.error.kind(), ErrorKind::ReferentialIntegrityViolation);
    assert_eq!(aborted.to_string(), "commit: referential integrity violation");
}

#[test]
fn a_reply_to_other_operations_is_refused() {
    for (text, reason) in [
        ("[]", "0 results of 4 operations"),
        ("[{},{},{},{}]", "result 1 is not that of insert"),
        ("[{},null,{},{}]", "result 1 is not that of insert"),
        ("{}", "invalid type: map, expected a sequence at line 1 column 0"),
    ] {
        assert_eq!(results(text).unwrap_err().to_string(), reason, "{text}");
    }
}

#[test]
fn every_error_has_its_name() {
    for kind in ErrorKind::ALL {
        let error = ErrorReply::from_value(&kind.name().unwrap().into());
        assert_eq!(error.kind(), *kind);
    }
    assert_eq!(ErrorReply::from_value(&"new one".into()).kind(), ErrorKind::Other);
}

#[test]
fn an_operation_that_does_not_fit_is_named() {
    let mut transaction = transaction();
    assert_eq!(transaction.check(&schema()), Ok(()));
    transaction.update("T", [], [("r", "x".into())]);
    let invalid = transaction.check(&schema()).unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "operation 4 (update) does not fit the schema"
    );
    assert_eq!(
        invalid.source.to_string(),
        "column r of table T has a wrong value"
    );
}

#[test]
fn a_random_uuid_is_of_version_4_and_never_the_same() {
    let uuids: BTreeSet<Uuid> = (0..1000).map(|_| Uuid::random()).collect();
    assert_eq!(uuids.len(), 1000);
    for uuid in uuids {
        assert_eq!(uuid.as_bytes()[6] >> 4, 4);
        assert_eq!(uuid.as_bytes()[8] >> 6, 0b10);
    }
}

#[test]
fn two_new_rows_have_two_names() {
    let mut transaction = Transaction::new("db");
    for _ in 0..2 {
        transaction.push(Operation::Insert {
            table: "T".into(),
            row: Row::from([("r", 1.5.into())]),
            uuid_name: Some("a".into()),
            uuid: None,
        });
    }
    let invalid = transaction.check(&schema()).unwrap_err();
    assert_eq!((invalid.operation, invalid.name), (OperationId(1), "insert"));
    assert_eq!(invalid.source, CheckError::DuplicateName { name: "a".into() });
}
