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

    let limits = column(
        r#"{"key":{"type":"integer","enum":["set",[1,2]],"minInteger":-1,"maxInteger":9223372036854775807}}"#,
    )
    .key;
    assert_eq!(
        limits.allowed.unwrap().as_slice(),
        [Atom::Integer(1), Atom::Integer(2)]
    );
    assert_eq!(limits.min_integer, Some(-1));
    assert_eq!(limits.max_integer, Some(i64::MAX));

    let one = column(r#"{"key":{"type":"string","enum":"only","minLength":1,"maxLength":4}}"#).key;
    assert_eq!(one.allowed.unwrap().as_slice(), [Atom::from("only")]);
    assert_eq!((one.min_length, one.max_length), (Some(1), Some(4)));

    let real = column(r#"{"key":{"type":"real","minReal":0,"maxReal":0.5}}"#).key;
    assert_eq!((real.min_real, real.max_real), (Some(0.0), Some(0.5)));

    let weak = column(r#"{"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0}"#).key;
    assert_eq!(weak.ref_table.as_deref(), Some("T"));
    assert_eq!(weak.ref_type, RefType::Weak);
}

#[test]
fn refuses_what_is_no_column_type() {
    for text in ["\"float\"", r#"{"key":"float"}"#, "{}", "7"] {
        let error = serde_json::from_str::<ColumnType>(text).unwrap_err();
        assert_eq!(error.to_string(), "invalid column type", "{text}");
    }
    let error = serde_json::from_str::<ColumnType>(r#"{"key":"string","max":"many"}"#);
    assert_eq!(
        error.unwrap_err().to_string(),
        "invalid value: string \"many\", expected \"unlimited\""
    );
}

#[test]
fn leaves_out_members_that_it_does_not_know() {
    let schema = DatabaseSchema::parse(
        r#"{"name":"db","x":1,"tables":{"T":{"y":2,"columns":{"c":{"type":{"key":{"type":"string","z":3},"w":4},"v":5}}}}}"#,
    )
    .unwrap();
    let table = &schema.tables["T"];
    assert!(!table.is_root);
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
