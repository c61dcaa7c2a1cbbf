use super::*;
use crate::value::Atom;

const ROW: &str = "17deb00b-9e3a-4b0c-9d6e-3b1c5a2f4e6d";

fn update(text: &str) -> Result<RowUpdate, JsonError> {
    TableUpdates::parse(&format!(r#"{{"T":{{"{ROW}":{text}}}}}"#)).map(|updates| {
        let mut tables = updates.into_tables();
        assert_eq!(tables.len(), 1);
        let (name, mut rows) = tables.remove(0);
        assert_eq!((name.as_str(), rows.len()), ("T", 1));
        let (uuid, update) = rows.remove(0);
        assert_eq!(uuid.to_string(), ROW);
        update
    })
}

fn row(value: i64) -> RawRow {
    vec![("c".to_owned(), Atom::from(value).into())]
}

#[test]
fn reads_every_form_of_a_row_update() {
    let cases = [
        (r#"{"new":{"c":1}}"#, RowUpdate::New(row(1))),
        (r#"{"old":{"c":1}}"#, RowUpdate::Old(row(1))),
        (
            r#"{"new":{"c":2},"old":{"c":1}}"#,
            RowUpdate::OldNew {
                old: row(1),
                new: row(2),
            },
        ),
        (
            r#"{"old":{"c":1},"new":{"c":2}}"#,
            RowUpdate::OldNew {
                old: row(1),
                new: row(2),
            },
        ),
        (r#"{"initial":{"c":1}}"#, RowUpdate::Initial(row(1))),
        (r#"{"insert":{"c":1}}"#, RowUpdate::Insert(row(1))),
        (r#"{"insert":{}}"#, RowUpdate::Insert(Vec::new())),
        (r#"{"modify":{"c":1}}"#, RowUpdate::Modify(row(1))),
        (r#"{"delete":null}"#, RowUpdate::Delete),
    ];
    for (text, expected) in cases {
        assert_eq!(update(text), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_other_row_updates() {
    let error = |text: &str| update(text).unwrap_err().to_string();
    assert_eq!(error("{}"), "row update without an action at line 1 column 47");
    for text in [
        r#"{"delete":null,"insert":{}}"#,
        r#"{"old":{},"old":{}}"#,
        r#"{"new":{},"initial":{}}"#,
    ] {
        assert!(error(text).starts_with("row update with two actions"));
    }
    assert!(error(r#"{"move":{}}"#).starts_with("unknown variant `move`"));
    assert!(error(r#"{"insert":null}"#).starts_with("invalid type: null, expected an object"));
    assert!(TableUpdates::parse(r#"{"T":{"no-uuid":{}}}"#).is_err());
}

#[test]
fn keeps_the_order_of_the_message() {
    let other = "00000000-0000-0000-0000-000000000001";
    let text = format!(r#"{{"B":{{"{ROW}":{{"delete":null}},"{other}":{{"delete":null}}}},"A":{{}}}}"#);
    let updates = TableUpdates::parse(&text).unwrap();
    let names: Vec<&str> = updates.tables().iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["B", "A"]);
    let rows: Vec<String> = updates.tables()[0]
        .1
        .iter()
        .map(|(uuid, _)| uuid.to_string())
        .collect();
    assert_eq!(rows, [ROW, other]);
}

#[test]
fn a_table_asked_for_twice_is_followed_once() {
    let request = MonitorRequest::new("db")
        .table("T", ["a"])
        .table("U", ["a"])
        .table("T", ["b"])
        .all_columns("U");
    assert_eq!(
        request.tables(),
        [
            TableRequest {
                name: "T".into(),
                columns: Columns::Named(vec!["a".into(), "b".into()]),
                conditions: vec![],
            },
            TableRequest {
                name: "U".into(),
                columns: Columns::All,
                conditions: vec![],
            }
        ]
    );
}
