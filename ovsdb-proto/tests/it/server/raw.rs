//! Random transactions in random schemas, sent as raw text to the server in memory and to a real one.

use std::collections::BTreeMap;

use ovsdb_proto::operation::Operation;
use ovsdb_proto::schema::{DatabaseSchema, RefType};
use ovsdb_proto::transaction::Transaction;
use serde_json::{Value, json};

use super::both::{Both, Peer, both_with};
use super::dice::{Dice, Made, TABLES};

#[test]
fn raw_transactions_end_as_on_the_real_server() {
    let rounds = std::env::var("OVS_RS_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let rounds: u64 = rounds.unwrap_or(400);
    let first = std::env::var("OVS_RS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let mut differences = Vec::new();
    let mut done = Tally::default();
    for seed in first..first + rounds.div_ceil(PER_SCHEMA) {
        let mut dice = Dice::new(seed);
        let schema = dice.schema();
        let Some(both) = both_with(&schema) else { return };
        if let Err(difference) = compare(&both, &mut dice, &schema, &mut done) {
            differences.push(format!("seed {seed}: {difference}\nin {schema}\n"));
        }
    }
    println!("{done:?}");
    // A negative integer times zero is too much for it.
    assert!(
        done.crashes.iter().all(|crash| crash.contains("\"*=\"")),
        "the real server crashed"
    );
    assert!(done.committed > done.transactions / 4 && done.dangling < 2 + done.transactions / 500);
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// What was seen, lest nothing was.
#[derive(Debug, Default)]
struct Tally {
    transactions: usize,
    committed: usize,
    errors: BTreeMap<String, usize>,
    updates: usize,
    /// What has made the real server go away.
    crashes: Vec<String>,
    /// Times that the real server has forgotten a weak reference.
    dangling: usize,
}

fn compare(both: &Both, dice: &mut Dice, schema: &str, done: &mut Tally) -> Result<(), String> {
    let parsed = DatabaseSchema::parse(schema).map_err(|error| format!("refused: {error}"))?;
    let mut peers = [Peer::connect(both.real.socket()), Peer::connect(&both.ours)];
    let mut script = vec![
        ("set_db_change_aware", json!([true]).to_string()),
        ("get_schema", json!(["db"]).to_string()),
        ("lock", json!(["mine"]).to_string()),
    ];
    script.extend(monitors(dice, &parsed));
    for (method, params) in script {
        let Some([real, ours]) = call(&mut peers, method, &params, false, done)? else {
            return Ok(());
        };
        same(method, &params, &real, &ours)?;
    }
    for _ in 0..PER_SCHEMA {
        let made: Vec<Made> = (0..=dice.below(4)).map(|_| dice.operation(&parsed)).collect();
        let texts: Vec<&str> = made.iter().map(|made| made.text.as_str()).collect();
        let params = format!("[\"db\",{}]", texts.join(","));
        let waits = made.iter().any(|made| made.waits);
        let Some([real, ours]) = call(&mut peers, "transact", &params, waits, done)? else {
            return Ok(());
        };
        done.note(&real);
        let selects = TABLES.map(|table| json!({"op": "select", "table": table, "where": []}).to_string());
        let select = format!("[\"db\",{}]", selects.join(","));
        let Some(states) = call(&mut peers, "transact", &select, false, done)? else {
            return Ok(());
        };
        if has_dangling_weak_reference(&parsed, &states[0]) {
            done.dangling += 1;
            return Ok(());
        }
        same("transact", &params, &real, &ours)?;
        same("the state after", &params, &states[0], &states[1])?;
        same_order(&made, &params, &real, &ours)?;
        check_before(&parsed, &texts, &real).map_err(|error| format!("{error}\n{params}\n{real:?}"))?;
    }
    Ok(())
}

/// Whether the real server has forgotten to remove a weak reference. It does when it looks at the row before it looks at
/// the one that goes, in the order of its hashes; then its rows are no rule.
fn has_dangling_weak_reference(schema: &DatabaseSchema, state: &[Value]) -> bool {
    let tables = TABLES.iter().enumerate().map(|(at, name)| {
        let rows = state[0]["result"][at]["rows"].as_array().unwrap();
        (*name, rows)
    });
    let tables: BTreeMap<&str, &Vec<Value>> = tables.collect();
    let is_there = |table: &str, uuid: &Value| tables[table].iter().any(|row| row["_uuid"] == *uuid);
    tables.iter().any(|(name, rows)| {
        schema.tables[*name].columns.iter().any(|(column, schema)| {
            let bases = [Some(&schema.ty.key), schema.ty.value.as_ref()];
            rows.iter().any(|row| {
                let elements = match (row[column].as_array(), &schema.ty.value) {
                    (Some(datum), value) if value.is_some() || datum[0] == "set" => {
                        datum[1].as_array().unwrap().clone()
                    }
                    _ => vec![row[column].clone()],
                };
                elements.iter().any(|element| {
                    let halves = match &schema.ty.value {
                        Some(_) => [Some(&element[0]), Some(&element[1])],
                        None => [Some(element), None],
                    };
                    halves
                        .into_iter()
                        .zip(bases)
                        .any(|(half, base)| match (half, base) {
                            (Some(uuid), Some(base)) if base.ref_type == RefType::Weak => base
                                .ref_table
                                .as_ref()
                                .is_some_and(|table| !is_there(table, uuid)),
                            _ => false,
                        })
                })
            })
        })
    })
}

type Messages = Vec<Value>;

/// Calls both. `None`: the real server has crashed, as it does here and there.
fn call(
    [real, ours]: &mut [Peer; 2],
    method: &str,
    params: &str,
    may_last: bool,
    done: &mut Tally,
) -> Result<Option<[Messages; 2]>, String> {
    let ours = ours
        .call_text(method, params, may_last)
        .ok_or("ours has closed the connection")?;
    let Some(real) = real.call_text(method, params, may_last) else {
        done.crashes.push(format!("{method} {params}"));
        return Ok(None);
    };
    Ok(Some([real, ours]))
}

/// Monitors of all three forms, of some columns and rows.
fn monitors(dice: &mut Dice, schema: &DatabaseSchema) -> Vec<(&'static str, String)> {
    let forms = ["monitor", "monitor_cond", "monitor_cond_since"];
    let monitors = forms.into_iter().enumerate().map(|(id, method)| {
        let tables = TABLES.map(|name| {
            let table = &schema.tables[name];
            let mut request = json!({});
            if dice.one_in(2) {
                let columns: Vec<&String> = table.columns.keys().filter(|_| !dice.one_in(3)).collect();
                request["columns"] = json!(columns);
            }
            if dice.one_in(3) {
                request["select"] =
                    json!({"modify": dice.one_in(2), "insert": dice.one_in(2), "delete": dice.one_in(2)});
            }
            if id > 0 && dice.one_in(2) {
                let conditions = format!(
                    "[{},{}]",
                    dice.condition(table, name),
                    dice.condition(table, name)
                );
                request["where"] = serde_json::from_str(&conditions).unwrap();
            }
            if !dice.one_in(4) {
                return format!("\"{name}\":[{request}]");
            }
            // Of two requests, each has its own columns. Whose conditions count is the server's secret.
            request.as_object_mut().unwrap().remove("where");
            request["columns"] = json!([table.columns.keys().next().unwrap()]);
            let columns: Vec<&String> = table.columns.keys().skip(1).collect();
            let select = json!({"modify": dice.one_in(2), "insert": dice.one_in(2)});
            let other = json!({"columns": columns, "select": select});
            format!("\"{name}\":[{request},{other}]")
        });
        let since = if id == 2 {
            ",\"00000000-0000-0000-0000-000000000000\""
        } else {
            ""
        };
        (method, format!("[\"db\",{id},{{{}}}{since}]", tables.join(",")))
    });
    monitors.collect()
}

fn same(what: &str, params: &str, real: &[Value], ours: &[Value]) -> Result<(), String> {
    let [real, ours] = [real, ours].map(|messages| {
        let mut messages: Vec<Value> = messages.iter().cloned().map(plain).collect();
        // The order of the monitors of one client means nothing.
        let updates = messages.len() - 1;
        messages[..updates].sort_by_key(Value::to_string);
        messages
    });
    if real == ours {
        return Ok(());
    }
    let text = |messages: &[Value]| {
        messages
            .iter()
            .map(|message| format!("    {message}\n"))
            .collect::<String>()
    };
    Err(format!(
        "{what} {params}\n  real\n{}  ours\n{}",
        text(&real),
        text(&ours)
    ))
}

/// Sorted rows come in the same order, as far as the order is said.
fn same_order(made: &[Made], params: &str, real: &[Value], ours: &[Value]) -> Result<(), String> {
    for (at, made) in made.iter().enumerate() {
        let [real, ours] = [real, ours].map(|messages| {
            let rows = messages.last()?["result"][at]["rows"].as_array()?;
            let rows = rows.iter().map(|row| {
                made.sort
                    .iter()
                    .map(|column| plain(row[column].clone()))
                    .collect()
            });
            Some(rows.collect::<Vec<Vec<Value>>>())
        });
        let chosen = format!("{real:?}").contains(CHOSEN);
        if real != ours && !chosen {
            return Err(format!(
                "sorted by {:?}: {params}\n  real {real:?}\n  ours {ours:?}",
                made.sort
            ));
        }
    }
    Ok(())
}

/// What a client can know before it sends is what the server says.
fn check_before(schema: &DatabaseSchema, texts: &[&str], real: &[Value]) -> Result<(), String> {
    let results = real.last().and_then(|reply| reply["result"].as_array());
    let Some(results) = results else { return Ok(()) };
    let failed = results.iter().position(|result| result.get("error").is_some());
    let kind = failed.map(|at| results[at]["error"].as_str().unwrap_or_default().to_owned());
    let mut transaction = Transaction::new("db");
    for (at, text) in texts.iter().enumerate() {
        // Integers that a real does not tell apart, and columns that the server takes and does not heed.
        if text.contains("922337203685477580.7") || text.contains("1e18") || text.contains("\"_uuid\":[") {
            return Ok(());
        }
        let checked = match serde_json::from_str::<Operation>(text) {
            Ok(operation) => {
                transaction.push(operation);
                transaction
                    .check(schema)
                    .map_err(|error| format!("{error}: {:?}", error.source))
            }
            Err(error) => Err(error.to_string()),
        };
        match (checked, failed) {
            (Err(error), None) => {
                return Err(format!("operation {at} is refused before it is sent: {error}"));
            }
            (Err(error), Some(failed)) if failed > at => {
                return Err(format!("operation {at} is refused before it is sent: {error}"));
            }
            (Err(_), _) => return Ok(()),
            (Ok(()), Some(failed)) if failed == at => {
                let is_known = matches!(
                    kind.as_deref(),
                    Some(
                        "syntax error"
                            | "unknown column"
                            | "unknown function"
                            | "unknown mutator"
                            | "ovsdb error"
                    )
                );
                // A name and a UUID may be of the same row.
                if is_known && !text.contains("named-uuid") {
                    return Err(format!("operation {at} passes before it is sent"));
                }
                return Ok(());
            }
            _ => {}
        }
    }
    Ok(())
}

impl Tally {
    fn note(&mut self, messages: &[Value]) {
        self.transactions += 1;
        self.updates += messages.len() - 1;
        let reply = messages.last().unwrap();
        let results = reply["result"].as_array().into_iter().flatten();
        let mut errors = results.filter_map(|result| result.get("error")?.as_str());
        match errors.next().or(reply["error"].as_str()) {
            None => self.committed += 1,
            Some(error) => *self.errors.entry(error.to_owned()).or_default() += 1,
        }
    }
}

/// Without what may differ: explanations, the order of rows, and UUIDs that the server chose.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) if is_chosen(&text) => CHOSEN.into(),
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.into_iter().map(plain).collect();
            if let [Value::String(tag), Value::Array(inner)] = elements.as_mut_slice() {
                let is_chosen = |element: &Value| element.to_string().contains(CHOSEN);
                if matches!(tag.as_str(), "set" | "map") && inner.iter().any(is_chosen) {
                    inner.sort_by_key(Value::to_string);
                }
            }
            elements.into()
        }
        Value::Object(members) => {
            let is_error = members.get("error").is_some_and(|error| !error.is_null());
            let members = members.into_iter().filter(|(name, value)| {
                !is_error || !matches!(name.as_str(), "details" | "syntax") && !value.is_null()
            });
            let members = members.map(|(name, member)| {
                let mut member = plain(member);
                if let ("rows", Value::Array(rows)) = (name.as_str(), &mut member) {
                    rows.sort_by_key(Value::to_string);
                }
                match is_chosen(&name) {
                    true => (format!("{CHOSEN} {member}"), member),
                    false => (name, member),
                }
            });
            Value::Object(members.collect())
        }
        other => other,
    }
}

fn is_chosen(text: &str) -> bool {
    text.parse::<ovsdb_proto::value::Uuid>().is_ok() && !text.starts_with("00000000-")
}

const CHOSEN: &str = "chosen by the server";

/// Transactions in one schema.
const PER_SCHEMA: u64 = 100;
