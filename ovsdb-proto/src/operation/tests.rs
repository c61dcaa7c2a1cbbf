use super::*;
use crate::schema::{AtomicType, DatabaseSchema, TypeError};

fn schema() -> DatabaseSchema {
    DatabaseSchema::parse(
        r#"{"name":"db","tables":{"T":{"columns":{
            "n":{"type":{"key":{"type":"integer","minInteger":1,"maxInteger":9}}},
            "o":{"type":{"key":"integer","min":0,"max":1}},
            "r":{"type":{"key":{"type":"real","maxReal":2.5}}},
            "s":{"type":{"key":{"type":"string","minLength":1,"maxLength":3},"min":0,"max":2}},
            "e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]},"min":0,"max":1}},
            "m":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
            "u":{"type":{"key":"uuid","min":0,"max":"unlimited"}},
            "fixed":{"type":"boolean","mutable":false}}}}}"#,
    )
    .unwrap()
}

fn conditions(condition: Condition) -> Operation {
    Operation::Delete {
        table: "T".into(),
        conditions: vec![condition],
    }
}

fn mutations(mutation: Mutation) -> Operation {
    Operation::Mutate {
        table: "T".into(),
        conditions: vec![],
        mutations: vec![mutation],
    }
}

fn update(column: &str, value: impl Into<Datum>) -> Operation {
    Operation::Update {
        table: "T".into(),
        conditions: vec![],
        row: Row::from([(column, value.into())]),
    }
}

fn type_error(operation: &Operation) -> TypeError {
    match operation.check(&schema()) {
        Err(CheckError::Value { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_at_the_limits_pass_and_beyond_them_do_not() {
    for n in [1, 9] {
        assert_eq!(update("n", n).check(&schema()), Ok(()));
    }
    for found in [0, 10] {
        let range = TypeError::IntegerRange {
            found,
            min: 1,
            max: 9,
        };
        assert_eq!(type_error(&update("n", found)), range);
    }
    assert_eq!(update("r", 2.5).check(&schema()), Ok(()));
    assert_eq!(
        update("r", 2).check(&schema()),
        Ok(()),
        "an integer stands for a real"
    );
    assert!(matches!(
        type_error(&update("r", 2.6)),
        TypeError::RealRange { .. }
    ));
    assert!(matches!(
        type_error(&update("r", f64::NAN)),
        TypeError::RealRange { .. }
    ));
    assert!(matches!(type_error(&update("r", 3)), TypeError::RealRange { .. }));

    assert_eq!(
        update("s", "\u{e9}\u{e9}\u{e9}").check(&schema()),
        Ok(()),
        "characters count"
    );
    for (text, found) in [("", 0), ("abcd", 4)] {
        let length = TypeError::Length {
            found,
            min: 1,
            max: Some(3),
        };
        assert_eq!(type_error(&update("s", text)), length);
    }
    let three: Set = ["a", "b", "c"].into_iter().collect();
    assert!(matches!(
        type_error(&update("s", three)),
        TypeError::Count { found: 3, .. }
    ));

    assert_eq!(update("e", "b").check(&schema()), Ok(()));
    assert_eq!(
        type_error(&update("e", "c")),
        TypeError::NotAllowed { found: "c".into() }
    );
    assert_eq!(type_error(&update("m", "a")), TypeError::NotAMap);
    assert_eq!(type_error(&update("n", Map::default())), TypeError::NotASet);
    let atom = TypeError::Atom {
        found: AtomicType::String,
        wanted: AtomicType::Integer,
    };
    assert_eq!(type_error(&update("n", "a")), atom);
    let name = Atom::NamedUuid("row0".into());
    assert_eq!(update("u", Datum::from(name)).check(&schema()), Ok(()));
}

#[test]
fn what_the_schema_does_not_have_is_named() {
    let table = Operation::Delete {
        table: "U".into(),
        conditions: vec![],
    };
    assert_eq!(
        table.check(&schema()),
        Err(CheckError::NoTable { table: "U".into() })
    );
    let column = |column: &str| {
        Err(CheckError::NoColumn {
            table: "T".into(),
            column: column.into(),
        })
    };
    assert_eq!(update("x", 1).check(&schema()), column("x"));
    assert_eq!(update("_uuid", Uuid::ZERO).check(&schema()), column("_uuid"));
    assert_eq!(conditions(Condition::equal("x", 1)).check(&schema()), column("x"));
    assert_eq!(conditions(Condition::uuid(Uuid::ZERO)).check(&schema()), Ok(()));
    let fixed = CheckError::Immutable {
        table: "T".into(),
        column: "fixed".into(),
    };
    assert_eq!(update("fixed", true).check(&schema()), Err(fixed));
    let insert = Operation::Insert {
        table: "T".into(),
        row: Row::from([("fixed", true.into()), ("n", 1.into()), ("s", "a".into())]),
        uuid_name: None,
        uuid: None,
    };
    assert_eq!(insert.check(&schema()), Ok(()));
    for name in ["", "1a", "a-b", "\u{e9}"] {
        let lock = Operation::Assert { lock: name.into() };
        assert_eq!(
            lock.check(&schema()),
            Err(CheckError::Identifier { name: name.into() })
        );
    }
}

#[test]
fn functions_and_mutators_are_those_that_the_type_has() {
    use Function::{Equal, Excludes, Greater, Includes, Less};
    use Mutator::{Add, Delete, Insert, Remainder};
    let check = |operation: Operation| operation.check(&schema());
    let empty = || Datum::from(Set::default());
    let many = || Datum::from(["a", "b", "c"].into_iter().collect::<Set>());

    for (column, function, value) in [
        ("n", Less, 5.into()),
        ("o", Greater, 5.into()),
        ("r", Less, 1.5.into()),
        ("o", Equal, empty()),
        ("s", Excludes, many()),
        ("s", Includes, empty()),
    ] {
        let condition = Condition::new(column, function, value);
        assert_eq!(check(conditions(condition)), Ok(()), "{column} {function}");
    }
    for column in ["s", "m", "e", "fixed"] {
        let condition = Condition::new(column, Less, 1);
        let function = CheckError::Function {
            table: "T".into(),
            column: column.into(),
            function: Less,
        };
        assert_eq!(check(conditions(condition)), Err(function));
    }
    for (column, function, value) in [
        ("o", Less, empty()),
        ("s", Includes, many()),
        ("n", Includes, empty()),
    ] {
        let condition = Condition::new(column, function, value);
        let error = check(conditions(condition)).unwrap_err();
        assert!(matches!(error, CheckError::Value { .. }), "{column} {function}");
    }

    for (column, mutator, value) in [
        // Beyond the range of the column: the result counts.
        ("n", Add, 100.into()),
        ("o", Remainder, 2.into()),
        ("r", Add, 0.5.into()),
        ("s", Insert, "a".into()),
        ("s", Delete, many()),
        ("m", Delete, many()),
        ("m", Insert, Map::default().into()),
    ] {
        let mutation = Mutation::new(column, mutator, value);
        assert_eq!(check(mutations(mutation)), Ok(()), "{column} {mutator}");
    }
    for (column, mutator) in [
        ("s", Add),
        ("m", Add),
        ("r", Remainder),
        ("n", Insert),
        ("n", Delete),
    ] {
        let error = CheckError::Mutator {
            table: "T".into(),
            column: column.into(),
            mutator,
        };
        assert_eq!(check(mutations(Mutation::new(column, mutator, 1))), Err(error));
    }
}

#[test]
fn operations_are_written_as_the_rfc_has_them() {
    let json = |operation: Operation| serde_json::to_string(&operation).unwrap();
    assert_eq!(
        json(Operation::Insert {
            table: "T".into(),
            row: Row::from([("n", 1.into())]),
            uuid_name: Some("row0".into()),
            uuid: None,
        }),
        r#"{"op":"insert","table":"T","row":{"n":1},"uuid-name":"row0"}"#
    );
    assert_eq!(
        json(Operation::Wait {
            table: "T".into(),
            conditions: vec![Condition::Constant(true)],
            columns: Some(vec!["n".into()]),
            until: Until::NotEqual,
            rows: vec![],
            timeout: Some(Duration::from_millis(1500)),
        }),
        r#"{"op":"wait","table":"T","where":[true],"columns":["n"],"until":"!=","rows":[],"timeout":1500}"#
    );
    assert_eq!(
        json(Operation::Select {
            table: "T".into(),
            conditions: vec![],
            columns: None,
            sort: None,
        }),
        r#"{"op":"select","table":"T","where":[]}"#
    );
    assert_eq!(
        json(mutations(Mutation::insert_pairs("m", [("a", "b")]))),
        r#"{"op":"mutate","table":"T","where":[],"mutations":[["m","insert",["map",[["a","b"]]]]]}"#
    );
    assert_eq!(
        json(update("n", 1)),
        r#"{"op":"update","table":"T","where":[],"row":{"n":1}}"#
    );
    assert_eq!(
        json(Operation::Commit { durable: true }),
        r#"{"op":"commit","durable":true}"#
    );
    assert_eq!(json(Operation::Abort), r#"{"op":"abort"}"#);
    assert_eq!(
        json(Operation::Comment { comment: "c".into() }),
        r#"{"op":"comment","comment":"c"}"#
    );
    assert_eq!(
        json(Operation::Assert { lock: "l".into() }),
        r#"{"op":"assert","lock":"l"}"#
    );
}

#[test]
fn what_an_operation_does_not_have_is_refused_when_it_is_read() {
    let select = r#"{"op":"select","table":"T","where":[],"columns":["n"],"sort":["n"]}"#;
    let read: Operation = serde_json::from_str(select).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), select);
    let wait = r#"{"op":"wait","table":"T","where":[],"until":"==","rows":[],"timeout":1.5e1}"#;
    let Operation::Wait {
        columns: None,
        timeout: Some(timeout),
        ..
    } = serde_json::from_str(wait).unwrap()
    else {
        panic!("it has no columns");
    };
    assert_eq!(timeout, Duration::from_millis(15));
    for text in [
        r#"{"op":"select","table":"T","where":[],"colums":["n"]}"#,
        r#"{"op":"select","table":"T","where":[],"columns":null}"#,
        r#"{"op":"insert","table":"T","row":{},"uuid_name":"x"}"#,
        r#"{"op":"insert","table":"T","row":{},"uuid":null}"#,
        r#"{"op":"update","table":"T","where":[],"row":{},"rows":[]}"#,
        r#"{"op":"delete","table":"T","where":[],"columns":[]}"#,
        r#"{"op":"comment","comment":"x","durable":true}"#,
        r#"{"op":"abort","comment":"x"}"#,
        r#"{"table":"T"}"#,
    ] {
        assert!(serde_json::from_str::<Operation>(text).is_err(), "{text}");
    }
    assert_eq!(
        serde_json::from_str::<Operation>(r#"{"op":"abort"}"#).unwrap(),
        Operation::Abort
    );
}

#[test]
fn names_defaults_and_lists_of_columns_are_checked() {
    let name = Atom::NamedUuid("0".into());
    let found = type_error(&update("u", Datum::from(name)));
    assert_eq!(found, TypeError::Identifier { name: "0".into() });
    let insert = Operation::Insert {
        table: "T".into(),
        row: Row::from([("s", "a".into())]),
        uuid_name: None,
        uuid: None,
    };
    // The default value 0 is below the least.
    assert!(matches!(
        type_error(&insert),
        TypeError::IntegerRange { found: 0, .. }
    ));
    let select = |columns: &[&str], sort: &[&str]| Operation::Select {
        table: "T".into(),
        conditions: vec![],
        columns: Some(columns.iter().map(|name| (*name).to_owned()).collect()),
        sort: Some(sort.iter().map(|name| (*name).to_owned()).collect()),
    };
    assert_eq!(select(&["n", "o"], &["o"]).check(&schema()), Ok(()));
    let twice = Err(CheckError::Twice {
        table: "T".into(),
        column: "n".into(),
    });
    assert_eq!(select(&["n", "n"], &[]).check(&schema()), twice);
    assert_eq!(select(&["o"], &["n", "n"]).check(&schema()), twice);
}
