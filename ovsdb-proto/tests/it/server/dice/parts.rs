//! The parts of operations.

use ovsdb_proto::schema::{AtomicType, BaseType, ColumnType, DatabaseSchema, TableSchema};
use serde_json::json;

use super::{Dice, NAMES, TABLES, quoted};

impl Dice {
    pub(super) fn any_table<'s>(&mut self, schema: &'s DatabaseSchema) -> (&'static str, &'s TableSchema) {
        let name = self.pick(&TABLES);
        let table = &schema.tables[name];
        // Wrong for whatever it is used.
        (if self.fails(40) { "D" } else { name }, table)
    }

    pub(super) fn columns(&mut self, table: &TableSchema) -> Vec<String> {
        let own = ["_uuid".to_owned()];
        let all = table.columns.keys().cloned().chain(own);
        let mut columns: Vec<String> = all.filter(|_| self.one_in(3)).collect();
        if self.fails(4) {
            let wrong = columns.first().cloned().unwrap_or_else(|| "c9".to_owned());
            columns.push(self.pick(&[&*wrong, "c9"]).to_owned());
        }
        columns
    }

    pub(super) fn list(&mut self, columns: &[String]) -> String {
        match self.fails(10) {
            true => "[7]".to_owned(),
            false => json!(columns).to_string(),
        }
    }

    pub(super) fn row(&mut self, table: &TableSchema, is_new: bool) -> String {
        let mut columns = Vec::new();
        let share = 2 + self.below(4);
        for (name, column) in &table.columns {
            let is_taken = if is_new {
                !self.one_in(share + 1)
            } else {
                self.one_in(share)
            };
            if is_taken && (is_new || column.mutable || self.fails(3)) {
                columns.push(format!("\"{name}\":{}", self.datum(&column.ty)));
            }
        }
        if self.fails(8) {
            columns.push(
                self.pick(&["\"c9\":1", "\"_version\":7", "\"_uuid\":\"x\""])
                    .into(),
            );
        } else if self.fails(8) {
            columns.push(format!("\"_uuid\":[\"uuid\",\"{}\"]", self.row_uuid("A")));
        }
        format!("{{{}}}", columns.join(","))
    }

    pub(super) fn conditions(&mut self, table: &TableSchema, name: &str) -> String {
        let count = [0, 1, 1, 1, 2][self.below(5)];
        let conditions: Vec<String> = (0..count).map(|_| self.condition(table, name)).collect();
        format!("[{}]", conditions.join(","))
    }

    pub(in super::super) fn condition(&mut self, table: &TableSchema, name: &str) -> String {
        if self.one_in(15) {
            return self.pick(&["true", "true", "false"]).into();
        }
        if self.fails(8) {
            return self
                .pick(&[
                    "7",
                    "[]",
                    "[\"c0\",\"==\"]",
                    "[\"c9\",\"==\",1]",
                    "[\"c0\",\"=\",1]",
                    "[7,\"==\",1]",
                    "null",
                    "[\"c0\",7,1]",
                    "[\"c0\",\"==\",1,1]",
                    "{}",
                ])
                .into();
        }
        if self.one_in(3) {
            let function = self.pick(&["==", "==", "!=", "includes", "excludes"]);
            return format!(
                "[\"_uuid\",\"{function}\",[\"uuid\",\"{}\"]]",
                self.row_uuid(name)
            );
        }
        let at = self.below(table.columns.len());
        let (column, schema) = table.columns.iter().nth(at).unwrap();
        let mut ty = schema.ty.clone();
        let is_number = matches!(ty.key.atomic, AtomicType::Integer | AtomicType::Real);
        let has_order = is_number && !ty.is_map() && ty.max == Some(1);
        let function = match has_order || self.fails(4) {
            true => self.pick(&["<", "<=", ">", ">=", "==", "!=", "includes", "excludes"]),
            false => self.pick(&["==", "!=", "includes", "excludes"]),
        };
        match function {
            "includes" if !ty.is_scalar() => ty.min = 0,
            "excludes" if !ty.is_scalar() => (ty.min, ty.max) = (0, None),
            "<" | "<=" | ">" | ">=" => ty.min = 1,
            _ => {}
        }
        format!("[\"{column}\",\"{function}\",{}]", self.datum(&ty))
    }

    pub(super) fn mutation(&mut self, table: &TableSchema, name: &str) -> String {
        if self.fails(8) {
            return self
                .pick(&[
                    "7",
                    "[]",
                    "[\"c0\",\"insert\"]",
                    "[\"c9\",\"insert\",1]",
                    "[\"c0\",\"append\",1]",
                    "[\"_uuid\",\"insert\",1]",
                    "[\"c0\",\"+=\",1,1]",
                    "[\"c0\",\"+=\",\"1\"]",
                    "true",
                ])
                .into();
        }
        let fixed = self.fails(8);
        let columns = table.columns.iter().filter(|(_, column)| column.mutable || fixed);
        let columns: Vec<_> = columns.collect();
        if columns.is_empty() {
            return format!("[\"_version\",\"insert\",[\"uuid\",\"{}\"]]", self.row_uuid(name));
        }
        let (column, schema) = columns[self.below(columns.len())];
        let mut ty = schema.ty.clone();
        let is_number = matches!(ty.key.atomic, AtomicType::Integer | AtomicType::Real) && !ty.is_map();
        let mutator =
            match (is_number && (ty.is_scalar() || self.one_in(2))) || ty.is_scalar() || self.fails(4) {
                true => self.pick(&["+=", "-=", "*=", "/=", "%=", "+=", "*="]),
                false => self.pick(&["insert", "delete"]),
            };
        match mutator {
            "insert" => ty.min = 0,
            "delete" => {
                (ty.min, ty.max) = (0, None);
                if self.one_in(2) {
                    ty.value = None;
                }
            }
            _ => {
                let number = match ty.key.atomic {
                    AtomicType::Real if self.one_in(2) => {
                        self.pick(&["0.5", "-1", "-0.0", "1e300", "0.1", "3"])
                    }
                    AtomicType::Boolean | AtomicType::String | AtomicType::Uuid => "\"a\"",
                    _ => self.pick(&[
                        "1",
                        "2",
                        "-1",
                        "3",
                        "1.0",
                        "1e0",
                        "0",
                        "-0",
                        "10",
                        "9223372036854775807",
                        "-9223372036854775808",
                        "4611686018427387904",
                        "1e18",
                        "922337203685477580.7e1",
                        "1.5",
                    ]),
                };
                return format!("[\"{column}\",\"{mutator}\",{number}]");
            }
        }
        format!("[\"{column}\",\"{mutator}\",{}]", self.datum(&ty))
    }

    /// A value of a type.
    pub(super) fn datum(&mut self, ty: &ColumnType) -> String {
        if self.fails(12) {
            return self
                .pick(&[
                    "null",
                    "{}",
                    "[]",
                    "[\"set\"]",
                    "[\"set\",7]",
                    "[\"set\",[],1]",
                    "[\"map\",[7]]",
                    "[\"map\",[[1]]]",
                    "[\"map\",[[1,2,3]]]",
                    "\"x\"",
                    "7",
                    "1.5",
                    "true",
                    "[\"uuid\",\"x\"]",
                    "[\"named-uuid\",\"0\"]",
                    "[\"named-uuid\",7]",
                    "[\"set\",[null]]",
                    "[\"set\",[[]]]",
                ])
                .into();
        }
        let most = ty.max.unwrap_or(4).min(4);
        let most = if self.fails(12) { most + 1 } else { most };
        let least = if self.fails(12) { 0 } else { ty.min };
        let count = least + u64::try_from(self.below(usize::try_from(most - least + 1).unwrap())).unwrap();
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < usize::try_from(count).unwrap() {
            let key = self.atom(&ty.key);
            // A type may have fewer values than elements are wanted.
            let is_new = keys.iter().all(|there| !is_same(there, &key));
            if is_new || self.fails(4) {
                keys.push(key);
            } else if self.one_in(3) {
                break;
            }
        }
        let Some(value) = &ty.value else {
            return match keys.as_slice() {
                [atom] if !self.one_in(4) => atom.clone(),
                atoms => format!("[\"set\",[{}]]", atoms.join(",")),
            };
        };
        let pairs: Vec<String> = keys
            .iter()
            .map(|key| format!("[{key},{}]", self.atom(value)))
            .collect();
        format!("[\"map\",[{}]]", pairs.join(","))
    }

    pub(super) fn atom(&mut self, base: &BaseType) -> String {
        if self.fails(10) {
            return self
                .pick(&[
                    "9",
                    "-9",
                    "9.5",
                    "\"abcdef\"",
                    "null",
                    "true",
                    "[]",
                    "1e30",
                    "[\"uuid\",\"1\"]",
                ])
                .into();
        }
        let number = match (&base.allowed, base.atomic) {
            (Some(allowed), _) => {
                let at = self.below(allowed.len());
                let atom = serde_json::to_string(&allowed.as_slice()[at]).unwrap();
                return atom;
            }
            (None, AtomicType::Boolean) => return self.pick(&["true", "false"]).into(),
            (None, AtomicType::String) => {
                let texts = ["a", "b", "ab", "\u{e9}", "", "abc", "\\\"\\u00e9"];
                let fits = texts.iter().filter(|text| {
                    let len = u64::try_from(text.chars().count()).unwrap();
                    len >= base.min_length.unwrap_or(0) && len <= base.max_length.unwrap_or(9)
                });
                let fits: Vec<&str> = fits.copied().collect();
                return quoted(self.pick(&fits));
            }
            (None, AtomicType::Uuid) => {
                let table = base.ref_table.as_deref().unwrap_or("A");
                return match self.below(12) {
                    0 => format!("[\"named-uuid\",\"{}\"]", self.pick(&NAMES)),
                    1 => "[\"uuid\",\"00000000-0000-0000-0000-000000000000\"]".into(),
                    _ => format!("[\"uuid\",\"{}\"]", self.row_uuid(table)),
                };
            }
            (None, AtomicType::Integer) => {
                let min = base.min_integer.unwrap_or(-2);
                let max = base.max_integer.unwrap_or(3);
                min + i64::try_from(self.below(usize::try_from(max - min + 1).unwrap())).unwrap()
            }
            (None, _) => match (base.max_real, self.below(4)) {
                (_, 0) => return self.pick(&["-1.5", "-0.5", "-0.0", "0.0", "0"]).into(),
                (None, 1) => {
                    return self
                        .pick(&["0.1", "0.3", "1e300", "123456789.123456789", "1e-7", "100"])
                        .into();
                }
                (max, _) => {
                    let max = (0..3_i32)
                        .find(|n| max.is_some_and(|max| f64::from(*n) >= max))
                        .unwrap_or(3);
                    let max = usize::try_from(max).unwrap();
                    i64::try_from(self.below(max + 1)).unwrap()
                }
            },
        };
        match self.below(8) {
            0 => format!("{number}.0"),
            1 => format!("{number}e0"),
            2 if number != 0 => format!("{number}0.00e-1"),
            3 if number == 0 => "-0".into(),
            _ => number.to_string(),
        }
    }

    pub(super) fn row_uuid(&mut self, table: &str) -> String {
        // Some rows of different tables have the same.
        let table = if self.one_in(30) { "A" } else { table };
        let number = TABLES.iter().position(|name| *name == table).unwrap_or(0);
        format!("00000000-0000-4000-8000-0000000000{number}{}", self.below(5))
    }
}

/// However numbers are written.
fn is_same(a: &str, b: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    a == b || number(a).is_some() && number(a) == number(b)
}
