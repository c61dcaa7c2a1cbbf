//! Random schemas, values and operations, as JSON text.

use ovsdb_proto::schema::DatabaseSchema;
use serde_json::{Value, json};

mod parts;

/// A generator. Of the operation that it makes at most one thing is wrong on purpose, so that it is clear what a server
/// finds first.
pub(super) struct Dice {
    state: u64,
    /// Something may still be made wrong.
    may_fail: bool,
}

/// An operation.
pub(super) struct Made {
    pub(super) text: String,
    /// Of a `select`: the columns by which it is sorted, which are all selected.
    pub(super) sort: Vec<String>,
    /// It may last until it is canceled.
    pub(super) waits: bool,
}

pub(super) const TABLES: [&str; 3] = ["A", "B", "C"];

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            may_fail: false,
        }
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % n
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    fn fails(&mut self, one_in: usize) -> bool {
        let fails = self.may_fail && self.one_in(one_in);
        self.may_fail &= !fails;
        fails
    }

    pub(super) fn schema(&mut self) -> String {
        let tables = TABLES.iter().map(|name| ((*name).to_owned(), self.table()));
        let tables: serde_json::Map<_, _> = tables.collect();
        json!({"name": "db", "version": "1.0.0", "tables": tables}).to_string()
    }

    fn table(&mut self) -> Value {
        let count = 2 + self.below(5);
        let columns = (0..count).map(|n| (format!("c{n}"), self.column()));
        let columns: serde_json::Map<_, _> = columns.collect();
        let lasting = |name: &&String| columns[*name].get("ephemeral").is_none();
        let lasting: Vec<String> = columns.keys().filter(lasting).cloned().collect();
        let mut table = json!({});
        if self.one_in(3) && !lasting.is_empty() {
            let first = self.below(lasting.len());
            let index: Vec<&String> = lasting.iter().skip(first).take(1 + self.below(2)).collect();
            table["indexes"] = json!([index]);
        }
        table["columns"] = columns.into();
        if !self.one_in(3) {
            table["isRoot"] = json!(!self.one_in(6));
        }
        if self.one_in(5) {
            table["maxRows"] = json!(1 + self.below(5));
        }
        if self.one_in(8) {
            table["mutable"] = json!(self.one_in(2));
        }
        table
    }

    fn column(&mut self) -> Value {
        let key = self.base();
        let mut ty = json!({ "key": key });
        match self.below(10) {
            0..4 => {}
            4..6 => ty["min"] = json!(0),
            6..8 => {
                ty["min"] = json!(usize::from(self.one_in(3)));
                ty["max"] = [json!(2), json!(3), json!("unlimited")][self.below(3)].clone();
            }
            _ => {
                ty["value"] = self.base();
                // With the weak half of a pair the server forgets that the strong one goes.
                let refers = |base: &Value| base.get("refType").cloned();
                let (key, value) = (refers(&ty["key"]), refers(&ty["value"]));
                if key.is_some() && value.is_some() && key != value {
                    ty["value"] = json!("uuid");
                }
                ty["min"] = json!(usize::from(self.one_in(4)));
                ty["max"] =
                    [json!(1), json!(3), json!("unlimited"), json!("unlimited")][self.below(4)].clone();
            }
        }
        let mut column = json!({ "type": ty });
        if self.one_in(6) {
            column["mutable"] = json!(false);
        }
        if self.one_in(8) {
            column["ephemeral"] = json!(true);
        }
        column
    }

    fn base(&mut self) -> Value {
        let has_limits = self.one_in(2);
        match (self.below(6), has_limits) {
            (0, true) if self.one_in(3) => json!({"type": "integer", "enum": ["set", [0, 1, 2, -3]]}),
            (0, true) => json!({"type": "integer", "minInteger": -2, "maxInteger": self.below(5)}),
            (0, false) => json!("integer"),
            (1, true) if self.one_in(3) => json!({"type": "real", "enum": ["set", [0, 0.5, 2]]}),
            (1, true) => json!({"type": "real", "minReal": -1.5, "maxReal": self.below(3)}),
            (1, false) => json!("real"),
            (2, _) => json!("boolean"),
            (3, true) if self.one_in(3) => {
                json!({"type": "string", "enum": ["set", ["", "a", "b", "\u{e9}"]]})
            }
            (3, true) => json!({"type": "string", "minLength": self.below(2), "maxLength": 2}),
            (3, false) => json!("string"),
            (4, true) => json!("uuid"),
            _ => {
                let weak = if self.one_in(2) { "weak" } else { "strong" };
                json!({"type": "uuid", "refTable": self.pick(&TABLES), "refType": weak})
            }
        }
    }

    pub(super) fn operation(&mut self, schema: &DatabaseSchema) -> Made {
        self.may_fail = self.one_in(10);
        let mut made = Made {
            text: String::new(),
            sort: Vec::new(),
            waits: false,
        };
        let (name, table) = self.any_table(schema);
        let mut members: Vec<(&str, String)> = Vec::new();
        let op = match self.below(100) {
            0..32 => {
                members.push(("table", quoted(name)));
                members.push(("row", self.row(table, true)));
                if !self.one_in(7) {
                    let uuid = self.row_uuid(name);
                    let uuid = if self.one_in(20) {
                        uuid.to_uppercase()
                    } else {
                        uuid
                    };
                    members.push(("uuid", quoted(&uuid)));
                }
                if self.one_in(3) {
                    let uuid_name = if self.fails(3) { "1a" } else { self.pick(&NAMES) };
                    members.push(("uuid-name", quoted(uuid_name)));
                }
                "insert"
            }
            32..42 => {
                members.push(("table", quoted(name)));
                members.push(("where", self.conditions(table, name)));
                let columns = if self.one_in(3) {
                    None
                } else {
                    Some(self.columns(table))
                };
                if let Some(columns) = columns {
                    members.push(("columns", self.list(&columns)));
                    if self.one_in(2) {
                        let sort = columns.iter().filter(|column| !column.starts_with('_'));
                        made.sort = sort.take(1 + self.below(2)).cloned().collect();
                        members.push(("sort", self.list(&made.sort.clone())));
                    }
                }
                "select"
            }
            42..56 => {
                members.push(("table", quoted(name)));
                members.push(("where", self.conditions(table, name)));
                members.push(("row", self.row(table, false)));
                "update"
            }
            56..77 => {
                members.push(("table", quoted(name)));
                members.push(("where", self.conditions(table, name)));
                let mutations: Vec<String> = (0..self.below(3)).map(|_| self.mutation(table, name)).collect();
                members.push(("mutations", format!("[{}]", mutations.join(","))));
                "mutate"
            }
            77..83 => {
                members.push(("table", quoted(name)));
                members.push(("where", self.conditions(table, name)));
                "delete"
            }
            83..93 => {
                members.push(("table", quoted(name)));
                members.push(("where", self.conditions(table, name)));
                if !self.one_in(4) {
                    let columns = self.columns(table);
                    members.push(("columns", self.list(&columns)));
                }
                let until = if self.fails(5) {
                    "<"
                } else {
                    self.pick(&["==", "!="])
                };
                members.push(("until", quoted(until)));
                let rows: Vec<String> = (0..self.below(3)).map(|_| self.row(table, true)).collect();
                members.push(("rows", format!("[{}]", rows.join(","))));
                match self.below(6) {
                    0 => made.waits = true,
                    1 => members.push(("timeout", if self.fails(3) { "-1" } else { "2" }.into())),
                    _ => members.push(("timeout", self.pick(&["0", "0", "0.0", "-0", "0e5"]).into())),
                }
                "wait"
            }
            93 => {
                members.push(("durable", self.pick(&["true", "false"]).into()));
                "commit"
            }
            94 => "abort",
            95 | 96 => {
                members.push(("comment", "\"x\"".into()));
                "comment"
            }
            97 | 98 => {
                members.push(("lock", quoted(self.pick(&["mine", "other"]))));
                "assert"
            }
            _ => "jump",
        };
        members.insert(0, ("op", quoted(op)));
        if self.fails(2) {
            self.spoil(&mut members);
        }
        let members: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        made.text = format!("{{{}}}", members.join(","));
        if self.fails(9) {
            made.text = self.pick(&["7", "[]", "null", "\"select\"", "{}"]).into();
        }
        made
    }

    /// Makes something wrong with the members.
    fn spoil(&mut self, members: &mut Vec<(&str, String)>) {
        let at = self.below(members.len());
        match self.below(5) {
            0 => drop(members.remove(at)),
            1 => {
                let name = self.pick(&[
                    "colums",
                    "columns",
                    "rows",
                    "row",
                    "uuid",
                    "where",
                    "x",
                    "uuid_name",
                    "sort",
                    "comment",
                    "durable",
                    "timeout",
                ]);
                let value = self.pick(&["[]", "true", "\"x\"", "{}", "0"]);
                members.push((name, value.into()));
            }
            _ => {
                members[at].1 = self
                    .pick(&[
                        "null",
                        "7",
                        "1.5",
                        "\"a-b\"",
                        "\"\"",
                        "[]",
                        "[7]",
                        "{}",
                        "true",
                        "{\"c9\":1}",
                        "[[]]",
                    ])
                    .into();
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

const NAMES: [&str; 3] = ["n0", "n1", "_n2"];
