//! Schemas as the server writes them: what says nothing is left out.

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{BaseType, ColumnSchema, ColumnType, DatabaseSchema, RefType, TableSchema};

impl DatabaseSchema {
    fn to_json(&self) -> Value {
        // As it was before there was garbage collection.
        let all_are_roots = self.tables.values().all(|table| table.is_root);
        let tables = self.tables.iter();
        let tables = tables.map(|(name, table)| (name.clone(), table.to_json(all_are_roots)));
        let mut members = Map::new();
        members.insert("name".to_owned(), json!(self.name));
        members.insert("tables".to_owned(), tables.collect::<Map<_, _>>().into());
        for (name, text) in [("version", &self.version), ("cksum", &self.cksum)] {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                members.insert(name.to_owned(), json!(text));
            }
        }
        members.into()
    }
}

impl TableSchema {
    fn to_json(&self, all_are_roots: bool) -> Value {
        let columns = self.columns.iter();
        let columns = columns.map(|(name, column)| (name.clone(), column.to_json()));
        let mut members = Map::new();
        members.insert("columns".to_owned(), columns.collect::<Map<_, _>>().into());
        if self.is_root != all_are_roots {
            members.insert("isRoot".to_owned(), json!(self.is_root));
        }
        if !self.mutable {
            members.insert("mutable".to_owned(), json!(false));
        }
        if let Some(max) = self.max_rows {
            members.insert("maxRows".to_owned(), json!(max));
        }
        if !self.indexes.is_empty() {
            members.insert("indexes".to_owned(), json!(self.indexes));
        }
        members.into()
    }
}

impl ColumnSchema {
    fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("type".to_owned(), self.ty.to_json());
        if !self.mutable {
            members.insert("mutable".to_owned(), json!(false));
        }
        if self.ephemeral {
            members.insert("ephemeral".to_owned(), json!(true));
        }
        members.into()
    }
}

impl ColumnType {
    fn to_json(&self) -> Value {
        let key = self.key.to_json();
        if self.is_scalar() && key.is_string() {
            return key;
        }
        let mut members = Map::new();
        members.insert("key".to_owned(), key);
        if let Some(value) = &self.value {
            members.insert("value".to_owned(), value.to_json());
        }
        if self.min != 1 {
            members.insert("min".to_owned(), json!(self.min));
        }
        match self.max {
            Some(1) => {}
            Some(max) => {
                members.insert("max".to_owned(), json!(max));
            }
            None => {
                members.insert("max".to_owned(), json!("unlimited"));
            }
        }
        members.into()
    }
}

impl BaseType {
    fn to_json(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("enum", self.allowed.as_ref().map(|allowed| json!(allowed)));
        put(
            "minInteger",
            self.min_integer.filter(|min| *min > i64::MIN).map(Value::from),
        );
        put(
            "maxInteger",
            self.max_integer.filter(|max| *max < i64::MAX).map(Value::from),
        );
        put(
            "minReal",
            self.min_real.filter(|min| *min > f64::MIN).map(Value::from),
        );
        put(
            "maxReal",
            self.max_real.filter(|max| *max < f64::MAX).map(Value::from),
        );
        put(
            "minLength",
            self.min_length.filter(|min| *min > 0).map(Value::from),
        );
        put(
            "maxLength",
            self.max_length
                .filter(|max| *max < u64::from(u32::MAX))
                .map(Value::from),
        );
        put("refTable", self.ref_table.as_ref().map(|table| json!(table)));
        let is_weak = self.ref_table.is_some() && self.ref_type == RefType::Weak;
        put("refType", is_weak.then(|| json!("weak")));
        let name = json!(self.atomic.name());
        if members.is_empty() {
            return name;
        }
        members.insert("type".to_owned(), name);
        members.into()
    }
}

/// The JSON that a server has of it.
impl Serialize for DatabaseSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
