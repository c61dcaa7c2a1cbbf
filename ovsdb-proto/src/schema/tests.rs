use super::*;

fn column(ty: &str) -> ColumnType {
    serde_json::from_str::<ColumnType>(ty).unwrap()
}

fn datum(text: &str) -> Datum {
    serde_json::from_str(text).unwrap()
}

#[test]
fn reads_every_form_of_a_column_type() {
    let plain = column("\"string\"");
    assert!(plain.is_scalar() && !plain.is_map() && !plain.is_optional_scalar());
    assert_eq!(column(r#"{"key":"string"}"#), plain);
    assert_eq!(column(r#"{"key":{"type":"string"},"min":1,"max":1}"#), plain);

    let map = column(r#"{"key":"string","value":"integer","min":0,"max":"unlimited"}"#);
    assert!(map.is_map());
    assert_eq!((map.min, map.max), (0, None));
    assert_eq!(map.value.unwrap().atomic, AtomicType::Integer);

    let values = column(r#"{"key":{"type":"integer","enum":["set",[2.0,1]]}}"#).key;
    assert_eq!(
        values.allowed.unwrap().as_slice(),
        [Atom::Integer(1), Atom::Integer(2)]
    );

    let limits =
        column(r#"{"key":{"type":"integer","minInteger":-1e0,"maxInteger":9223372036854775807}}"#).key;
    assert_eq!(limits.min_integer, Some(-1));
    assert_eq!(limits.max_integer, Some(i64::MAX));

    let one = column(r#"{"key":{"type":"string","enum":"only"}}"#).key;
    assert_eq!(one.allowed.unwrap().as_slice(), [Atom::from("only")]);
    let string = column(r#"{"key":{"type":"string","minLength":1,"maxLength":4}}"#).key;
    assert_eq!((string.min_length, string.max_length), (Some(1), Some(4)));

    let real = column(r#"{"key":{"type":"real","minReal":0,"maxReal":0.5}}"#).key;
    assert_eq!((real.min_real, real.max_real), (Some(0.0), Some(0.5)));

    let weak = column(r#"{"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0}"#).key;
    assert_eq!(weak.ref_table.as_deref(), Some("T"));
    assert_eq!(weak.ref_type, RefType::Weak);
}

#[test]
fn refuses_what_is_no_column_type() {
    for (text, why) in [
        ("\"float\"", "invalid atomic type"),
        (r#"{"key":"float"}"#, "invalid atomic type"),
        ("{}", "member \"key\" is missing"),
        ("7", "wanted an object"),
        (
            r#"{"key":"string","max":"many"}"#,
            "max is neither a number from 1 on nor \"unlimited\"",
        ),
    ] {
        let error = serde_json::from_str::<ColumnType>(text).unwrap_err();
        assert_eq!(error.to_string(), why, "{text}");
    }
}

#[test]
fn a_schema_that_is_sent_may_have_members_that_a_file_may_not() {
    let text = r#"{"name":"db","x":1,"tables":{"T":{"y":2,"columns":{"c":{"type":{"key":{"type":"string","z":3},"w":4},"v":5}}}}}"#;
    let error = DatabaseSchema::parse(text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "member \"x\" may not stand here at line 1 column 1"
    );
    let schema: DatabaseSchema = serde_json::from_str(text).unwrap();
    let table = &schema.tables["T"];
    assert!(table.is_root, "no table says that it is");
    assert_eq!(table.max_rows, None);
    let column = &table.columns["c"];
    assert!(column.mutable && !column.ephemeral);
    assert_eq!(column.ty, ColumnType::scalar(AtomicType::String));
    assert_eq!(
        table.column_type("_version"),
        Some(ColumnType::scalar(AtomicType::Uuid))
    );
    assert_eq!(table.column_type("d"), None);
}

#[test]
fn says_where_a_schema_is_malformed() {
    let error = DatabaseSchema::parse("{\"name\":\"db\",\n\"tables\":7}").unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 10));
}

#[test]
fn default_values_are_those_of_the_rfc() {
    let cases = [
        ("\"integer\"", "0"),
        ("\"real\"", "0.0"),
        ("\"boolean\"", "false"),
        ("\"string\"", "\"\""),
        ("\"uuid\"", r#"["uuid","00000000-0000-0000-0000-000000000000"]"#),
        (r#"{"key":"integer","min":0}"#, r#"["set",[]]"#),
        (r#"{"key":"integer","max":"unlimited"}"#, "0"),
        (r#"{"key":"string","value":"string","min":0}"#, r#"["map",[]]"#),
        (r#"{"key":"string","value":"integer"}"#, r#"["map",[["",0]]]"#),
    ];
    for (ty, value) in cases {
        assert_eq!(column(ty).default_value(), datum(value), "{ty}");
    }
}

#[test]
fn an_integer_in_a_real_column_becomes_a_real() {
    let real = column(r#"{"key":"real","min":0,"max":"unlimited"}"#);
    assert_eq!(
        real.conform(datum(r#"["set",[100,0.5]]"#)),
        Ok(datum(r#"["set",[0.5,100.0]]"#))
    );
    assert_eq!(
        real.conform(datum(r#"["set",[100,100.0]]"#)),
        Err(TypeError::Duplicate)
    );
    // As a real, 1 is the 1.0 that is there, and goes away.
    assert_eq!(
        real.apply_diff(&datum(r#"["set",[1.0,2.0]]"#), datum("1")),
        Ok(datum("2.0"))
    );
}

/// A server writes minus zero to its log, and reads zero from it.
#[test]
fn zero_takes_away_the_minus_zero_that_is_there() {
    let real = column(r#"{"key":"real","min":0,"max":"unlimited"}"#);
    let minus = real.conform(datum("-0")).unwrap();
    for zero in ["0", "0.0", "-0.0"] {
        assert_eq!(
            real.apply_diff(&minus, datum(zero)),
            Ok(datum(r#"["set",[]]"#)),
            "{zero}"
        );
    }
}

#[test]
fn values_of_another_type_are_refused() {
    let string = column("\"string\"");
    let map = column(r#"{"key":"string","value":"string","min":0,"max":2}"#);
    assert_eq!(
        string.conform(datum("1")),
        Err(TypeError::Atom {
            found: AtomicType::Integer,
            wanted: AtomicType::String
        })
    );
    assert_eq!(
        string.conform(datum(r#"["set",["a","b"]]"#)),
        Err(TypeError::Count {
            found: 2,
            min: 1,
            max: Some(1)
        })
    );
    assert_eq!(
        string.conform(datum(r#"["set",[]]"#)),
        Err(TypeError::Count {
            found: 0,
            min: 1,
            max: Some(1)
        })
    );
    assert_eq!(string.conform(datum(r#"["map",[]]"#)), Err(TypeError::NotASet));
    assert_eq!(map.conform(datum("\"a\"")), Err(TypeError::NotAMap));
    assert_eq!(
        map.conform(datum(r#"["map",[["a",1]]]"#)),
        Err(TypeError::Atom {
            found: AtomicType::Integer,
            wanted: AtomicType::String
        })
    );
    assert_eq!(
        TypeError::Count {
            found: 0,
            min: 1,
            max: None
        }
        .to_string(),
        "found 0 elements, wanted 1 to any number"
    );
}

#[test]
fn the_greatest_number_of_elements_decides_how_a_diff_is_applied() {
    let of_max = |max: &str| column(&format!(r#"{{"key":"integer","min":0,"max":{max}}}"#));
    let apply = |max: &str, old: &str, diff: &str| of_max(max).apply_diff(&datum(old), datum(diff));
    assert_eq!(apply("1", "5", "6"), Ok(datum("6")));
    assert_eq!(apply("1", "5", r#"["set",[]]"#), Ok(datum(r#"["set",[]]"#)));
    assert_eq!(apply("2", "5", "6"), Ok(datum(r#"["set",[5,6]]"#)));
    assert_eq!(apply("2", "5", "5"), Ok(datum(r#"["set",[]]"#)));
    assert_eq!(
        apply("2", r#"["set",[5,6]]"#, "7"),
        Err(TypeError::Count {
            found: 3,
            min: 0,
            max: Some(2)
        })
    );

    let map = |max: &str| {
        column(&format!(
            r#"{{"key":"string","value":"integer","min":0,"max":{max}}}"#
        ))
    };
    let (old, diff) = (r#"["map",[["a",1]]]"#, r#"["map",[["b",2]]]"#);
    assert_eq!(map("1").apply_diff(&datum(old), datum(diff)), Ok(datum(diff)));
    assert_eq!(
        map("\"unlimited\"").apply_diff(&datum(old), datum(diff)),
        Ok(datum(r#"["map",[["a",1],["b",2]]]"#))
    );
}

#[test]
fn a_real_in_an_integer_column_becomes_an_integer_if_it_is_one() {
    let integers = column(r#"{"key":"integer","min":0,"max":"unlimited"}"#);
    assert_eq!(
        integers.conform(datum(r#"["set",[1e3,-0,2.0]]"#)),
        Ok(datum(r#"["set",[0,2,1000]]"#))
    );
    assert_eq!(
        integers.conform(datum(r#"["set",[1,1.0]]"#)),
        Err(TypeError::Duplicate)
    );
    assert_eq!(
        integers.check(&datum(r#"["set",[1,1.0]]"#)),
        Err(TypeError::Duplicate)
    );
    assert_eq!(integers.check(&datum("2e10")), Ok(()));
    let real = TypeError::Atom {
        found: AtomicType::Real,
        wanted: AtomicType::Integer,
    };
    // From 2^53 on, reals do not tell integers apart.
    for text in ["0.5", "1e19", "9007199254740993.0e1"] {
        assert_eq!(integers.conform(datum(text)), Err(real.clone()), "{text}");
        assert_eq!(integers.check(&datum(text)), Err(real.clone()), "{text}");
    }
}

#[test]
fn a_schema_is_written_as_the_server_writes_it() {
    let text = r#"{"name":"d","version":"1.0.0","cksum":"","tables":{"T":{"isRoot":true,"mutable":true,"columns":{
        "c":{"mutable":true,"ephemeral":false,"type":{"key":{"type":"integer","minInteger":1.0},"min":1,"max":1e0}},
        "w":{"mutable":false,"type":{"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0,"max":"unlimited"}},
        "s":{"type":{"key":{"type":"string","minLength":0}}}}}}}"#;
    let schema = DatabaseSchema::parse(text).unwrap();
    let written = serde_json::to_value(&schema).unwrap();
    let wanted = serde_json::json!({"name": "d", "version": "1.0.0", "tables": {"T": {"columns": {
        "c": {"type": {"key": {"type": "integer", "minInteger": 1}}},
        "w": {"type": {"key": {"type": "uuid", "refTable": "T", "refType": "weak"}, "min": 0, "max": "unlimited"}},
        "s": {"type": "string"}}}}});
    assert_eq!(written, wanted);
}
