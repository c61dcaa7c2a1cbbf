//! Values, conditions and mutations of raw operations, checked in the order in which `ovsdb-server` checks them.

use std::collections::BTreeMap;

use super::database::Columns;
use super::evaluate::Refusal;
use crate::json::Json;
use crate::operation::{Condition, Function, Mutation, Mutator};
use crate::schema::{AtomicType, BaseType, ColumnType, TableSchema, TypeError};
use crate::value::{Atom, Datum, Map, Set, Uuid};

/// The UUIDs that names stand for, whether their rows were inserted already or not.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, Name>);

#[derive(Debug)]
struct Name {
    uuid: Uuid,
    is_taken: bool,
}

impl Names {
    /// The UUID of a name.
    fn uuid(&mut self, name: String) -> Uuid {
        self.entry(name).uuid
    }

    /// Gives a name to a new row: with this UUID, or with the one that it stands for.
    pub(super) fn take(&mut self, name: String, uuid: Option<Uuid>) -> Result<Uuid, Refusal> {
        let details = format!("{name} is the name of another row, too");
        let name = self.entry(name);
        if name.is_taken {
            return Err(Refusal::new("duplicate uuid-name", details));
        }
        name.is_taken = true;
        // Who has used the name before had another UUID for it.
        name.uuid = uuid.unwrap_or(name.uuid);
        Ok(name.uuid)
    }

    fn entry(&mut self, name: String) -> &mut Name {
        self.0.entry(name).or_insert_with(|| Name {
            uuid: Uuid::random(),
            is_taken: false,
        })
    }
}

// Names stand for rows in transactions alone: where there are no `names`, they are wrong.

/// A row's columns, as they are written in `insert`, `update` and `wait`.
pub(super) fn row(
    table: &TableSchema,
    json: Json<'_>,
    mut names: Option<&mut Names>,
) -> Result<Columns, Refusal> {
    let columns = json.object().ok_or_else(|| syntax("a row is an object"))?;
    let columns = columns.into_iter().map(|(name, value)| {
        let ty = table.column_type(&name).ok_or_else(|| unknown_column(&name))?;
        Ok((name, datum(&ty, value, names.as_deref_mut())?))
    });
    columns.collect()
}

/// A list of columns, none of them twice.
pub(super) fn columns(table: &TableSchema, json: &[Json<'_>]) -> Result<Vec<String>, Refusal> {
    let mut columns = Vec::new();
    for name in json {
        let name = name.string().filter(|name| !columns.contains(name));
        let name = name.ok_or_else(|| syntax("wanted distinct names of columns"))?;
        if table.column_type(&name).is_none() {
            return Err(syntax(format!("{name} is not a valid column name")));
        }
        columns.push(name);
    }
    Ok(columns)
}

/// A `where` clause.
pub(super) fn conditions(
    table: &TableSchema,
    json: &[Json<'_>],
    mut names: Option<&mut Names>,
) -> Result<Vec<Condition>, Refusal> {
    let conditions = json
        .iter()
        .map(|json| condition(table, *json, names.as_deref_mut()));
    conditions.collect()
}

/// The changes of a `mutate`.
pub(super) fn mutations(
    table: &TableSchema,
    json: &[Json<'_>],
    mut names: Option<&mut Names>,
) -> Result<Vec<Mutation>, Refusal> {
    let mutations = json
        .iter()
        .map(|json| mutation(table, *json, names.as_deref_mut()));
    mutations.collect()
}

fn condition(table: &TableSchema, json: Json<'_>, names: Option<&mut Names>) -> Result<Condition, Refusal> {
    if let Some(constant) = json.boolean() {
        return Ok(Condition::Constant(constant));
    }
    let (column, function, value) = triple(json).ok_or_else(|| syntax("Parse error in condition."))?;
    let mut ty = table
        .column_type(&column)
        .ok_or_else(|| unknown_column(&column))?;
    let function = FUNCTIONS.into_iter().find(|known| known.name() == function);
    let function = function.ok_or_else(|| Refusal::new("unknown function", "no such function"))?;
    let is_scalar = ty.is_scalar();
    match function {
        Function::Equal | Function::NotEqual => {}
        Function::Includes if is_scalar => {}
        Function::Includes => ty.min = 0,
        Function::Excludes if is_scalar => {}
        Function::Excludes => (ty.min, ty.max) = (0, None),
        _ if (is_scalar || ty.is_optional_scalar()) && is_number(&ty) => ty.min = 1,
        _ => return Err(mismatch(&column, function.name())),
    }
    Ok(Condition::new(column, function, datum(&ty, value, names)?))
}

fn mutation(table: &TableSchema, json: Json<'_>, mut names: Option<&mut Names>) -> Result<Mutation, Refusal> {
    let (column, mutator, value) = triple(json).ok_or_else(|| syntax("Parse error in mutation."))?;
    let mut ty = table
        .column_type(&column)
        .ok_or_else(|| unknown_column(&column))?;
    if !is_mutable(table, &column) {
        return Err(immutable(&column));
    }
    let mutator = MUTATORS.into_iter().find(|known| known.name() == mutator);
    let mutator = mutator.ok_or_else(|| Refusal::new("unknown mutator", "no such mutator"))?;
    let value = match mutator {
        Mutator::Insert | Mutator::Delete if ty.is_scalar() => return Err(mismatch(&column, mutator.name())),
        Mutator::Insert => {
            ty.min = 0;
            datum(&ty, value, names)?
        }
        Mutator::Delete => {
            (ty.min, ty.max) = (0, None);
            // Of a map pairs, or keys alone.
            match datum(&ty, value, names.as_deref_mut()) {
                Err(_) if ty.is_map() => {
                    ty.value = None;
                    datum(&ty, value, names)?
                }
                other => other?,
            }
        }
        _ if ty.is_map() || !is_number(&ty) => return Err(mismatch(&column, mutator.name())),
        Mutator::Remainder if ty.key.atomic == AtomicType::Real => {
            return Err(mismatch(&column, mutator.name()));
        }
        _ => datum(&ColumnType::scalar(ty.key.atomic), value, names)?,
    };
    Ok(Mutation::new(column, mutator, value))
}

/// A value of this type: kinds and counts, then limits, element by element.
fn datum(ty: &ColumnType, json: Json<'_>, mut names: Option<&mut Names>) -> Result<Datum, Refusal> {
    let tag = |json: Json<'_>| json.array()?.first()?.string();
    if !ty.is_map() && tag(json).as_deref() != Some("set") {
        return Ok(atom(&ty.key, json, names)?.into());
    }
    let class = if ty.is_map() { "map" } else { "set" };
    let elements = tagged(json, class).and_then(Json::array);
    let elements = elements.ok_or_else(|| syntax(format!("expected [\"{class}\", <array>]")))?;
    let count = u64::try_from(elements.len()).unwrap_or(u64::MAX);
    if count < ty.min || ty.max.is_some_and(|max| count > max) {
        return Err(syntax(format!("{class} has {count} members")));
    }
    let duplicate = || Refusal::new("ovsdb error", format!("{class} contains duplicate"));
    let Some(value) = &ty.value else {
        let atoms = elements
            .into_iter()
            .map(|element| atom(&ty.key, element, names.as_deref_mut()));
        let set = Set::new(atoms.collect::<Result<_, _>>()?);
        return Ok(set.map_err(|_| duplicate())?.into());
    };
    let pairs = elements.into_iter().map(|element| {
        let pair = element
            .array()
            .and_then(|pair| <[Json<'_>; 2]>::try_from(pair).ok());
        let [key, of_key] = pair.ok_or_else(|| syntax("expected 2-element array"))?;
        let key = atom(&ty.key, key, names.as_deref_mut())?;
        Ok((key, atom(value, of_key, names.as_deref_mut())?))
    });
    let map = Map::new(pairs.collect::<Result<_, Refusal>>()?);
    Ok(map.map_err(|_| duplicate())?.into())
}

fn atom(base: &BaseType, json: Json<'_>, names: Option<&mut Names>) -> Result<Atom, Refusal> {
    let found = match base.atomic {
        AtomicType::Integer => json.integer().map(Atom::Integer),
        AtomicType::Real => json.real().map(Atom::Real),
        AtomicType::Boolean => json.boolean().map(Atom::Boolean),
        AtomicType::String => json.string().map(Atom::String),
        AtomicType::Uuid => match (tagged(json, "uuid"), tagged(json, "named-uuid")) {
            (Some(uuid), _) => uuid.string().and_then(|text| text.parse().ok()).map(Atom::Uuid),
            (None, Some(name)) => names
                .zip(name.id())
                .map(|(names, name)| Atom::Uuid(names.uuid(name))),
            (None, None) => None,
        },
    };
    let found = found.ok_or_else(|| syntax(format!("expected {}", base.atomic)))?;
    base.check(&found).map_err(|error| violation(&error))?;
    Ok(found)
}

/// The value of a `[tag, value]`.
fn tagged<'a>(json: Json<'a>, tag: &str) -> Option<Json<'a>> {
    let [found, value] = json.array()?.try_into().ok()?;
    (found.string()? == tag).then_some(value)
}

fn triple(json: Json<'_>) -> Option<(String, String, Json<'_>)> {
    let [column, operator, value] = json.array()?.try_into().ok()?;
    Some((column.string()?, operator.string()?, value))
}

pub(super) fn is_mutable(table: &TableSchema, column: &str) -> bool {
    table.columns.get(column).is_some_and(|column| column.mutable)
}

fn is_number(ty: &ColumnType) -> bool {
    matches!(ty.key.atomic, AtomicType::Integer | AtomicType::Real)
}

pub(super) fn syntax(details: impl Into<String>) -> Refusal {
    Refusal::new("syntax error", details)
}

pub(super) fn violation(error: &TypeError) -> Refusal {
    Refusal::new("constraint violation", error.to_string())
}

pub(super) fn immutable(column: &str) -> Refusal {
    Refusal::new(
        "constraint violation",
        format!("Cannot change immutable column {column}."),
    )
}

fn unknown_column(column: &str) -> Refusal {
    Refusal::new("unknown column", format!("No column {column}."))
}

fn mismatch(column: &str, operator: &str) -> Refusal {
    syntax(format!(
        "Type mismatch: \"{operator}\" operator may not be applied to column {column}."
    ))
}

const FUNCTIONS: [Function; 8] = [
    Function::Equal,
    Function::NotEqual,
    Function::Less,
    Function::LessOrEqual,
    Function::Greater,
    Function::GreaterOrEqual,
    Function::Includes,
    Function::Excludes,
];

const MUTATORS: [Mutator; 7] = [
    Mutator::Add,
    Mutator::Subtract,
    Mutator::Multiply,
    Mutator::Divide,
    Mutator::Remainder,
    Mutator::Insert,
    Mutator::Delete,
];
