//! How a schema is written: RFC 7047 section 3.2, with the rules of `ovsdb_schema_from_json()`.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

use super::{
    AtomicType, BaseType, ColumnSchema, ColumnType, DatabaseSchema, RefType, TableSchema, TypeError,
};
use crate::json::{Fault, Json, Members, is_id};
use crate::value::{Datum, Set};

/// What becomes of a member that the RFC does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is an error, as for Open vSwitch.
    Refused,
    /// It is left out: a newer server may have it.
    LeftOut,
}

type Parsed<'a, T> = Result<T, Fault<'a>>;

pub(super) fn database(json: Json<'_>, unknown: Unknown) -> Parsed<'_, DatabaseSchema> {
    let mut members = Members::of(json)?;
    let name = members.required("name", Json::id)?;
    let version = members.optional("version", Json::string)?;
    let cksum = members.optional("cksum", Json::string)?;
    let tables = members.required("tables", Json::object)?;
    unknown.finish(members)?;
    if version.as_deref().is_some_and(|version| !is_version(version)) {
        return Err(json.fault("version is not x.y.z"));
    }
    let tables = tables.into_iter().map(|(name, table)| {
        check_name(&name, table)?;
        Ok((name, self::table(table, unknown)?))
    });
    let mut tables: BTreeMap<String, TableSchema> = tables.collect::<Parsed<'_, _>>()?;
    // Before there was garbage collection, there were no roots, and every row stayed.
    if !tables.values().any(|table| table.is_root) {
        tables.values_mut().for_each(|table| table.is_root = true);
    }
    let roots: BTreeMap<String, bool> = tables
        .iter()
        .map(|(name, table)| (name.clone(), table.is_root))
        .collect();
    for (table, column) in tables.iter_mut().flat_map(|(name, table)| {
        let columns = table.columns.values_mut();
        columns.map(move |column| (name, column))
    }) {
        for base in [Some(&column.ty.key), column.ty.value.as_ref()]
            .into_iter()
            .flatten()
        {
            let Some(to) = &base.ref_table else { continue };
            match roots.get(to) {
                None => {
                    return Err(json.fault(format!("table {table} refers to table {to}, which is not there")));
                }
                // The row would be lost with the only reference to it.
                Some(false) if base.ref_type == RefType::Strong => column.ephemeral = false,
                Some(_) => {}
            }
        }
    }
    Ok(DatabaseSchema {
        name,
        version,
        cksum,
        tables,
    })
}

fn table(json: Json<'_>, unknown: Unknown) -> Parsed<'_, TableSchema> {
    let mut members = Members::of(json)?;
    let columns = members.required("columns", Json::object)?;
    let mutable = members.optional("mutable", Json::boolean)?;
    let max_rows = members.optional("maxRows", Json::integer)?;
    let is_root = members.optional("isRoot", Json::boolean)?;
    let indexes = members.optional("indexes", Json::array)?.unwrap_or_default();
    unknown.finish(members)?;
    let max_rows = max_rows.map(|max| u64::try_from(max).ok().filter(|max| *max > 0));
    if max_rows == Some(None) {
        return Err(json.fault("maxRows is less than 1"));
    }
    if columns.is_empty() {
        return Err(json.fault("table has no columns"));
    }
    let columns = columns.into_iter().map(|(name, column)| {
        check_name(&name, column)?;
        Ok((name, self::column(column, unknown)?))
    });
    let mut table = TableSchema {
        columns: columns.collect::<Parsed<'_, _>>()?,
        // The server counts no further than that.
        max_rows: max_rows.flatten().filter(|max| *max < MANY),
        is_root: is_root.unwrap_or_default(),
        mutable: mutable.unwrap_or(true),
        indexes: Vec::new(),
    };
    for index in indexes {
        let columns = self::index(&table, index)?;
        table.indexes.push(columns);
    }
    Ok(table)
}

fn index<'a>(table: &TableSchema, json: Json<'a>) -> Parsed<'a, Vec<String>> {
    let names = json.array().ok_or_else(|| json.fault("wanted an array"))?;
    let mut columns = Vec::new();
    for name in names {
        let column = name
            .string()
            .ok_or_else(|| name.fault("wanted the name of a column"))?;
        match table.columns.get(&column) {
            _ if columns.contains(&column) => return Err(name.fault("index has a column twice")),
            Some(schema) if schema.ephemeral => {
                return Err(name.fault(format!("column {column} is ephemeral and cannot be in an index")));
            }
            None if column != "_uuid" => return Err(name.fault(format!("there is no column {column}"))),
            _ => columns.push(column),
        }
    }
    match columns.is_empty() {
        true => Err(json.fault("index has no columns")),
        false => Ok(columns),
    }
}

fn column(json: Json<'_>, unknown: Unknown) -> Parsed<'_, ColumnSchema> {
    let mut members = Members::of(json)?;
    let mutable = members.optional("mutable", Json::boolean)?;
    let ephemeral = members.optional("ephemeral", Json::boolean)?;
    let ty = members.required("type", Some)?;
    unknown.finish(members)?;
    let ty = self::ty(ty, unknown)?;
    let bases = [Some(&ty.key), ty.value.as_ref()].into_iter().flatten();
    // It changes when the row goes that it refers to.
    let is_weak = bases
        .into_iter()
        .any(|base| base.ref_table.is_some() && base.ref_type == RefType::Weak);
    Ok(ColumnSchema {
        mutable: mutable.unwrap_or(true) || is_weak,
        ephemeral: ephemeral.unwrap_or_default(),
        ty,
    })
}

fn ty(json: Json<'_>, unknown: Unknown) -> Parsed<'_, ColumnType> {
    if json.string().is_some() {
        return atomic(json).map(ColumnType::scalar);
    }
    let mut members = Members::of(json)?;
    let key = members.required("key", Some)?;
    let value = members.optional("value", Some)?;
    let min = members.optional("min", Json::integer)?;
    let max = members.optional("max", Some)?;
    unknown.finish(members)?;
    let key = base(key, unknown)?;
    let value = value.map(|value| base(value, unknown)).transpose()?;
    let min = match min {
        None => 1,
        Some(min) => u64::try_from(min)
            .ok()
            .filter(|min| *min <= 1)
            .ok_or_else(|| json.fault("min is neither 0 nor 1"))?,
    };
    let max = match max.map(|max| (max, max.string(), max.integer())) {
        None => Some(1),
        Some((_, Some(word), _)) if word == "unlimited" => None,
        Some((max, _, number)) => {
            let number = number.and_then(|max| u64::try_from(max).ok());
            let number = number.filter(|max| (1..MANY).contains(max));
            Some(number.ok_or_else(|| max.fault("max is neither a number from 1 on nor \"unlimited\""))?)
        }
    };
    Ok(ColumnType { key, value, min, max })
}

fn base(json: Json<'_>, unknown: Unknown) -> Parsed<'_, BaseType> {
    if json.string().is_some() {
        return atomic(json).map(BaseType::plain);
    }
    let mut members = Members::of(json)?;
    let ty = members.required("type", Some)?;
    let mut base = BaseType::plain(atomic(ty)?);
    // Values leave nothing for a range to say.
    if let Some(values) = members.optional("enum", Some)? {
        base.allowed = Some(allowed(base.atomic, values)?);
        unknown.finish(members)?;
        return Ok(base);
    }
    match base.atomic {
        AtomicType::Integer => {
            base.min_integer = members.optional("minInteger", Json::integer)?;
            base.max_integer = members.optional("maxInteger", Json::integer)?;
            check_range(json, base.min_integer, base.max_integer)?;
        }
        AtomicType::Real => {
            base.min_real = members.optional("minReal", Json::real)?;
            base.max_real = members.optional("maxReal", Json::real)?;
            check_range(json, base.min_real, base.max_real)?;
        }
        AtomicType::String => {
            base.min_length = members.optional("minLength", length)?;
            base.max_length = members.optional("maxLength", length)?;
            check_range(json, base.min_length, base.max_length)?;
        }
        AtomicType::Uuid => {
            base.ref_table = members.optional("refTable", Json::id)?;
            if base.ref_table.is_some() {
                base.ref_type = members.optional("refType", ref_type)?.unwrap_or_default();
            }
        }
        AtomicType::Boolean => {}
    }
    unknown.finish(members)?;
    Ok(base)
}

fn atomic(json: Json<'_>) -> Parsed<'_, AtomicType> {
    let kinds = [
        AtomicType::Integer,
        AtomicType::Real,
        AtomicType::Boolean,
        AtomicType::String,
        AtomicType::Uuid,
    ];
    let name = json.string().unwrap_or_default();
    let found = kinds.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| json.fault("invalid atomic type"))
}

/// The values of an `enum`: at least one.
fn allowed(atomic: AtomicType, json: Json<'_>) -> Parsed<'_, Set> {
    let wrong = |error: String| json.fault(format!("invalid enum: {error}"));
    let ty = ColumnType {
        max: None,
        ..ColumnType::scalar(atomic)
    };
    let datum: Datum = serde_json::from_str(json.text()).map_err(|error| wrong(error.to_string()))?;
    let datum = ty
        .conform(datum)
        .map_err(|error: TypeError| wrong(error.to_string()))?;
    match datum {
        Datum::Set(set) => Ok(set.into_vec().into_iter().collect::<Set>()),
        Datum::Map(_) => Err(wrong("found a map".to_owned())),
    }
}

fn length(json: Json<'_>) -> Option<u64> {
    u64::try_from(json.integer()?)
        .ok()
        .filter(|length| *length <= MANY)
}

fn ref_type(json: Json<'_>) -> Option<RefType> {
    match json.string()?.as_str() {
        "strong" => Some(RefType::Strong),
        "weak" => Some(RefType::Weak),
        _ => None,
    }
}

fn check_range<T: PartialOrd>(json: Json<'_>, min: Option<T>, max: Option<T>) -> Parsed<'_, ()> {
    match (min, max) {
        (Some(min), Some(max)) if min > max => Err(json.fault("the least value exceeds the greatest")),
        _ => Ok(()),
    }
}

/// The name of a table or a column.
fn check_name<'a>(name: &str, json: Json<'a>) -> Parsed<'a, ()> {
    match name {
        _ if name.starts_with('_') => {
            Err(json.fault(format!("{name}: names that begin with \"_\" are reserved")))
        }
        _ if is_id(name) => Ok(()),
        _ => Err(json.fault(format!("{name:?} is not an identifier"))),
    }
}

/// `x.y.z`, as `scanf()` reads it.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| {
        let digits = part.trim_start_matches(|c: char| c == '\u{b}' || c.is_ascii_whitespace());
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    parts.len() == 3 && parts.iter().all(is_number)
}

impl Unknown {
    fn finish(self, members: Members<'_>) -> Parsed<'_, ()> {
        match self {
            Self::Refused => members.finish(),
            Self::LeftOut => Ok(()),
        }
    }
}

/// Reads each from the JSON text of `serde_json`, and leaves out what the RFC does not have.
macro_rules! deserialize {
    ($($ty:ident by $parse:ident;)*) => {
        $(
            impl<'de> Deserialize<'de> for $ty {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = Box::<RawValue>::deserialize(deserializer)?;
                    $parse(Json::from(&*text), Unknown::LeftOut)
                        .map_err(|fault| D::Error::custom(fault.message()))
                }
            }
        )*
    };
}

deserialize! {
    DatabaseSchema by database;
    TableSchema by table;
    ColumnSchema by column;
    ColumnType by ty;
}

/// As many as the server can count: `UINT_MAX`.
const MANY: u64 = u32::MAX as u64;
