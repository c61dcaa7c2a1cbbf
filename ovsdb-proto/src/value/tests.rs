use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::*;

const UUID: &str = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d";

fn uuid() -> Uuid {
    UUID.parse().unwrap()
}

fn json<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

fn refusal<T: DeserializeOwned + fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

fn set(atoms: impl IntoIterator<Item = i64>) -> Set {
    Set::new(atoms.into_iter().map(Atom::from).collect()).unwrap()
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> Map {
    let pairs = pairs.into_iter().map(|(k, v)| (k.into(), v.into()));
    Map::new(pairs.collect()).unwrap()
}

#[test]
fn atoms_are_written_as_they_were_read() {
    let cases: [(&str, Atom); 12] = [
        ("0", Atom::Integer(0)),
        ("-1", Atom::Integer(-1)),
        ("9223372036854775807", Atom::Integer(i64::MAX)),
        ("-9223372036854775808", Atom::Integer(i64::MIN)),
        ("9007199254740993", Atom::Integer(9_007_199_254_740_993)),
        ("0.1", Atom::Real(0.1)),
        ("1.0", Atom::Real(1.0)),
        ("2.2250738585072014e-308", Atom::Real(f64::MIN_POSITIVE)),
        ("true", Atom::Boolean(true)),
        (r#""""#, Atom::from("")),
        (r#""a\"\\é😀""#, Atom::from("a\"\\é😀")),
        (
            r#"["uuid","17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d"]"#,
            Atom::Uuid(uuid()),
        ),
    ];
    for (text, atom) in cases {
        assert_eq!(json::<Atom>(text), atom);
        assert_eq!(json::<Datum>(text), Datum::from(atom.clone()));
        assert_eq!(serde_json::to_string(&atom).unwrap(), text);
        assert_eq!(serde_json::to_string(&Datum::from(atom)).unwrap(), text);
    }
}

#[test]
fn reals_come_back_exactly() {
    let mut bits = 0x5eed_0123_4567_89abu64;
    for _ in 0..10_000 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        let real = f64::from_bits(bits);
        if real.is_finite() {
            let text = serde_json::to_string(&Atom::Real(real)).unwrap();
            assert_eq!(json::<Atom>(&text), Atom::Real(real), "{text}");
        }
    }
}

#[test]
fn an_integer_beyond_i64_is_a_real() {
    assert_eq!(
        json::<Atom>("9223372036854775808"),
        Atom::Real(9_223_372_036_854_775_808.0)
    );
    assert_eq!(
        json::<Atom>("-9223372036854775809"),
        Atom::Real(-9_223_372_036_854_775_809.0)
    );
}

#[test]
fn a_real_that_is_not_finite_is_not_written() {
    for real in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = serde_json::to_string(&Atom::Real(real)).unwrap_err();
        assert_eq!(error.to_string(), "a real must be finite");
    }
}

#[test]
fn strings_may_have_any_escape_but_a_lone_surrogate() {
    assert_eq!(
        json::<Atom>(r#""\u00e9\ud83d\ude00\/\b\f\n\r\t\u0041""#),
        Atom::from("é😀/\u{8}\u{c}\n\r\tA")
    );
    assert_eq!(
        refusal::<Atom>(r#""\ud83d""#),
        "unexpected end of hex escape at line 1 column 8"
    );
    assert_eq!(
        refusal::<Atom>(r#""\ude00x""#),
        "lone leading surrogate in hex escape at line 1 column 7"
    );
}

#[test]
fn both_forms_of_a_set_of_one_are_the_same_value() {
    for text in ["7", r#"["set",[7]]"#] {
        assert_eq!(json::<Datum>(text), Datum::Set(set([7])));
    }
    let uuid_set = format!(r#"["set",[["uuid","{UUID}"]]]"#);
    assert_eq!(json::<Datum>(&uuid_set), Datum::from(Atom::Uuid(uuid())));
    assert_eq!(json::<Datum>(r#"["set",["set"]]"#), Atom::from("set").into());
}

#[test]
fn sets_and_maps_are_in_order_whatever_the_wire_says() {
    assert_eq!(json::<Datum>(r#"["set",[3,-1,2]]"#), Datum::Set(set([-1, 2, 3])));
    let pairs = r#"["map",[["b","2"],["a","1"]]]"#;
    let datum: Datum = json(pairs);
    assert_eq!(datum, Datum::Map(map([("a", "1"), ("b", "2")])));
    assert_eq!(
        serde_json::to_string(&datum).unwrap(),
        r#"["map",[["a","1"],["b","2"]]]"#
    );
    assert_eq!(datum.as_map().unwrap().get(&"b".into()), Some(&Atom::from("2")));
    assert_eq!(serde_json::to_string(&Set::default()).unwrap(), r#"["set",[]]"#);
    assert_eq!(serde_json::to_string(&Map::default()).unwrap(), r#"["map",[]]"#);
}

#[test]
fn malformed_values_are_refused() {
    let cases = [
        (
            "null",
            "invalid type: null, expected an atom, [\"set\", array] or [\"map\", array] at line 1 column 4",
        ),
        (
            "[]",
            "invalid length 0, expected an atom, [\"set\", array] or [\"map\", array] at line 1 column 2",
        ),
        (
            r#"["set"]"#,
            "invalid length 1, expected an atom, [\"set\", array] or [\"map\", array] at line 1 column 7",
        ),
        (
            r#"["set",[],1]"#,
            "invalid length 3, expected an atom, [\"set\", array] or [\"map\", array] at line 1 column 12",
        ),
        (
            r#"["bag",[]]"#,
            "unknown variant `bag`, expected one of `set`, `map`, `uuid`, `named-uuid` at line 1 column 6",
        ),
        (
            r#"["set",[1,1]]"#,
            "set holds an element twice at line 1 column 13",
        ),
        (
            r#"["map",[["a",1],["a",2]]]"#,
            "map holds a key twice at line 1 column 25",
        ),
        (
            r#"["uuid","17deb00b"]"#,
            "uuid has 8 bytes, wanted 36 at line 1 column 18",
        ),
    ];
    for (text, reason) in cases {
        assert_eq!(refusal::<Datum>(text), reason, "{text}");
    }
}

#[test]
fn uuids_are_checked_character_by_character() {
    assert_eq!(uuid().to_string(), UUID);
    assert_eq!(UUID.to_uppercase().parse(), Ok(uuid()));
    assert_eq!(Uuid::from_bytes(*uuid().as_bytes()), uuid());
    let all = "01234567-89ab-cdef-FEDC-BA9876543210";
    assert_eq!(all.parse::<Uuid>().unwrap().to_string(), all.to_lowercase());
    for at in 0..UUID.len() {
        let other = if &UUID[at..=at] == "-" { "0" } else { "-" };
        for character in ["/", ":", "@", "G", "`", "g", "\u{7f}", other] {
            let mut wrong = UUID.to_owned();
            wrong.replace_range(at..=at, character);
            assert_eq!(wrong.parse::<Uuid>(), Err(UuidError::Character { offset: at }));
        }
    }
    for len in [0, 35, 37] {
        assert_eq!("a".repeat(len).parse::<Uuid>(), Err(UuidError::Length { len }));
    }
    assert_eq!(json::<Uuid>(&format!("\"{UUID}\"")), uuid());
    assert_eq!(json::<Uuid>(&format!("[\"uuid\",\"{UUID}\"]")), uuid());
    assert_eq!(
        refusal::<Uuid>(&format!("[\"named-uuid\",\"{UUID}\"]")),
        "unknown variant `named-uuid`, expected `uuid` at line 1 column 13"
    );
}

#[test]
fn a_set_diff_toggles_each_element() {
    let steps = [
        (vec![5], vec![5]),
        (vec![6], vec![5, 6]),
        (vec![5, 7, 8], vec![6, 7, 8]),
        (vec![6, 7], vec![8]),
    ];
    let mut value = Set::default();
    for (diff, expected) in steps {
        value = value.symmetric_difference(&set(diff));
        assert_eq!(value, set(expected));
    }
}

#[test]
fn a_map_diff_adds_removes_and_replaces() {
    let old = map([("iface-id", "x1"), ("vm", "y")]);
    let diff = map([("iface-id", "x2"), ("new", "n"), ("vm", "y")]);
    assert_eq!(old.apply_diff(&diff), map([("iface-id", "x2"), ("new", "n")]));
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailMode {
    Standalone,
    Secure,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped(String);

#[derive(Debug, PartialEq, Deserialize)]
struct Everything {
    #[serde(rename = "_uuid")]
    uuid: Uuid,
    name: Wrapped,
    ofport: Option<i64>,
    cleared: Option<i64>,
    load: f64,
    ratio: f64,
    up: bool,
    fail_mode: FailMode,
    no_fail_mode: Option<FailMode>,
    ports: Vec<Uuid>,
    vlans: BTreeSet<u16>,
    one: Vec<i64>,
    none: Vec<i64>,
    external_ids: BTreeMap<String, String>,
    queues: BTreeMap<i64, Uuid>,
    raw: Datum,
}

fn everything() -> Row {
    [
        ("name", Atom::from("p1").into()),
        ("ofport", Atom::from(7).into()),
        ("cleared", Set::default().into()),
        ("load", Atom::from(0.5).into()),
        ("ratio", Atom::from(2).into()),
        ("up", Atom::from(true).into()),
        ("fail_mode", Atom::from("secure").into()),
        ("no_fail_mode", Set::default().into()),
        ("ports", Atom::from(uuid()).into()),
        ("vlans", set([4095, 0]).into()),
        ("one", Atom::from(1).into()),
        ("none", Set::default().into()),
        ("external_ids", map([("iface-id", "x1")]).into()),
        (
            "queues",
            Datum::Map(Map::new(vec![(0.into(), uuid().into())]).unwrap()),
        ),
        ("raw", Atom::from("raw").into()),
        ("ignored", set([1, 2]).into()),
    ]
    .into_iter()
    .collect()
}

#[test]
fn a_row_is_read_into_a_derived_type() {
    let row = everything();
    let read: Everything = row.read(Uuid::ZERO).unwrap();
    assert_eq!(
        read,
        Everything {
            uuid: Uuid::ZERO,
            name: Wrapped("p1".into()),
            ofport: Some(7),
            cleared: None,
            load: 0.5,
            ratio: 2.0,
            up: true,
            fail_mode: FailMode::Secure,
            no_fail_mode: None,
            ports: vec![uuid()],
            vlans: [0, 4095].into(),
            one: vec![1],
            none: vec![],
            external_ids: [("iface-id".into(), "x1".into())].into(),
            queues: [(0, uuid())].into(),
            raw: Atom::from("raw").into(),
        }
    );
}

#[test]
fn a_column_that_does_not_fit_is_named() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Name<T> {
        value: T,
    }
    fn reason<T: DeserializeOwned + fmt::Debug>(value: impl Into<Datum>) -> String {
        let row: Row = [("value", value.into())].into_iter().collect();
        let error = row.read::<Name<T>>(Uuid::ZERO).unwrap_err();
        assert_eq!(error.column(), Some("value"));
        error.to_string()
    }
    assert_eq!(
        reason::<i64>(Set::default()),
        "column value: invalid type: sequence, expected i64"
    );
    assert_eq!(
        reason::<Option<i64>>(set([1, 2])),
        "column value: invalid type: sequence, expected i64"
    );
    assert_eq!(
        reason::<u8>(Atom::from(256)),
        "column value: invalid value: integer `256`, expected u8"
    );
    assert_eq!(
        reason::<String>(Atom::from(1)),
        "column value: invalid type: integer `1`, expected a string"
    );
    assert_eq!(
        reason::<String>(map([])),
        "column value: invalid type: map, expected a string"
    );
    assert_eq!(
        reason::<BTreeMap<String, String>>(Set::default()),
        "column value: invalid type: sequence, expected a map"
    );
    let missing = everything().read::<Name<i64>>(Uuid::ZERO).unwrap_err();
    assert_eq!(missing.to_string(), "column value: not in the row");
}

#[derive(Debug, Deserialize)]
struct Ports<T> {
    ports: T,
}

#[test]
fn a_dynamic_value_is_read_out_of_a_row_unchanged() {
    let row = everything();
    let read: BTreeMap<String, Datum> = row.read(uuid()).unwrap();
    assert_eq!(read["_uuid"], Atom::from(uuid()).into());
    assert_eq!(read.len(), row.len() + 1);
    for (name, value) in row.iter() {
        assert_eq!(read.get(name), Some(value), "{name}");
    }
    let ports: Row = [("ports", Datum::from(Atom::from(uuid())))].into_iter().collect();
    assert_eq!(
        ports.read::<Ports<Vec<Atom>>>(uuid()).unwrap().ports,
        [uuid().into()]
    );
    assert_eq!(ports.read::<Ports<Vec<String>>>(uuid()).unwrap().ports, [UUID]);
}

#[test]
fn a_row_is_written_as_an_object() {
    let row: Row = [("b", Datum::from(set([]))), ("a", Atom::from(1).into())]
        .into_iter()
        .collect();
    assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"a":1,"b":["set",[]]}"#);
    assert_eq!(row.get("a"), Some(&Atom::from(1).into()));
    assert_eq!(row.get("c"), None);
}

#[test]
fn what_was_read_out_of_a_row_is_written_as_it_was() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        _uuid: Uuid,
        text: String,
        number: i64,
        small: u16,
        real: f64,
        flag: bool,
        reference: Uuid,
        none: Option<i64>,
        some: Option<String>,
        set: BTreeSet<i64>,
        references: Vec<Uuid>,
        pairs: BTreeMap<String, i64>,
        mode: Mode,
        atom: Atom,
        datum: Datum,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Secure,
    }
    let value = Everything {
        _uuid: uuid(),
        text: UUID.into(),
        number: i64::MIN,
        small: 7,
        real: 0.1,
        flag: true,
        reference: uuid(),
        none: None,
        some: Some("x".into()),
        set: [3, 1, 2].into(),
        references: vec![Uuid::ZERO, uuid()],
        pairs: [("a".into(), 1)].into(),
        mode: Mode::Secure,
        atom: Atom::Uuid(uuid()),
        datum: set([1, 2]).into(),
    };
    let row = Row::write(&value).unwrap();
    assert_eq!(row.get("_uuid"), None);
    // Of two equal texts one is a UUID.
    assert_eq!(row.get("text"), Some(&UUID.into()));
    assert_eq!(row.get("reference"), Some(&uuid().into()));
    assert_eq!(row.get("mode"), Some(&"secure".into()));
    assert_eq!(row.read(uuid()), Ok(value));
    let columns: BTreeMap<&str, i64> = [("a", 1)].into();
    assert_eq!(Row::write(&columns).unwrap(), Row::from([("a", 1.into())]));
}

#[test]
fn what_no_column_can_hold_is_not_written() {
    fn reason<T: Serialize>(value: T) -> String {
        Row::write(&BTreeMap::from([("c", value)]))
            .unwrap_err()
            .to_string()
    }
    assert_eq!(
        reason(u64::MAX),
        "column c: 18446744073709551615 exceeds 9223372036854775807"
    );
    assert_eq!(reason(vec![1, 1]), "column c: set holds an element twice");
    assert_eq!(reason(vec![vec![1, 2]]), "column c: wanted one atom");
    assert_eq!(
        reason(BTreeMap::from([("k", Some(()))])),
        "column c: no column holds this"
    );
    assert_eq!(
        Row::write(&1).unwrap_err().to_string(),
        "a row is a struct or a map"
    );
}

/// `ovsdb_atom_compare_3way()` of Open vSwitch.
#[test]
fn minus_zero_is_zero() {
    let (zero, minus) = (Atom::from(0.0), Atom::from(-0.0));
    assert_eq!(zero, minus);
    assert!(Set::new(vec![zero.clone(), minus.clone()]).is_err());
    assert!(Map::new(vec![(zero.clone(), 1.into()), (minus.clone(), 2.into())]).is_err());
    assert_eq!(Row::from([("r", (-0.0).into())]), Row::from([("r", 0.0.into())]));
    let (one, other): (Set, Set) = (
        [minus.clone()].into_iter().collect(),
        [zero].into_iter().collect(),
    );
    assert!(one.symmetric_difference(&other).is_empty());
    assert_eq!(minus.to_string(), "-0", "it is printed as it came");
    assert!(Atom::from(f64::MIN) < Atom::from(f64::MAX) && Atom::from(f64::NAN) == Atom::from(f64::NAN));
}
