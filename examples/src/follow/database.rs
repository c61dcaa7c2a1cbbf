//! What happens to the rows of ports and interfaces.

use ovsdb_proto::client::Event;
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::value::{Atom, Datum, Row};

use super::{Lane, Step, Steps, What};
use crate::cli::{self, Failure, chain, complain, patiently};
use crate::db::Server;

/// Tells of rows until nobody listens, over lost connections. What changed meanwhile is told when there is another one.
///
/// # Errors
/// The first connection cannot be made.
pub(super) fn rows(tool: &str, db: &Server, steps: &Steps) -> Result<(), Failure> {
    let request = MonitorRequest::new("Open_vSwitch")
        .table("Port", ["name", "tag"])
        .table(
            "Interface",
            [
                "name",
                "type",
                "ofport",
                "error",
                "admin_state",
                "link_state",
                "external_ids",
            ],
        );
    cli::block_on(async {
        let mut session = db.session(request)?;
        let mut event = patiently(tool, db, session.next()).await;
        loop {
            match event {
                Event::Changes(changes) => {
                    let mut told = changes.iter().filter_map(tell);
                    if !told.all(|told| steps.send(Ok(told)).is_ok()) {
                        return Ok(());
                    }
                }
                Event::Unreachable { reason, .. } if session.replica().is_none() => {
                    return Err(Failure::blind(chain(&reason)));
                }
                Event::Lost { remote, reason } => {
                    complain(tool, format_args!("{remote}: {}; trying again", chain(&reason)));
                }
                _ => {}
            }
            event = session.next().await;
        }
    })
}

fn tell(change: &RowChange) -> Option<Step> {
    let lane = match &*change.table {
        "Port" => Lane::Port,
        _ => Lane::Interface,
    };
    let (what, row) = match &change.change {
        Change::Initial(row) => (What::Is, row),
        Change::Insert(row) => (What::Came, row),
        Change::Modify { new, .. } => (What::Changed, new),
        Change::Delete(row) => (What::Went, row),
        _ => return None,
    };
    let text = match &change.change {
        Change::Modify { old, new, changed } => {
            let value = |row: &Row, column: &str| row.get(column).map_or(String::new(), Datum::to_string);
            let changes = changed
                .iter()
                .map(|column| format!("{column} {} -> {}", value(old, column), value(new, column)));
            changes.collect::<Vec<_>>().join(", ")
        }
        Change::Delete(_) => "row deleted".to_owned(),
        Change::Initial(_) => format!("row is there{}", values(row)),
        _ => format!("row inserted{}", values(row)),
    };
    let ofport = row
        .get("ofport")
        .and_then(Datum::as_scalar)
        .and_then(Atom::as_integer);
    Some(Step {
        // -1 is none.
        ofports: ofport
            .into_iter()
            .filter_map(|ofport| ofport.try_into().ok())
            .collect(),
        iface_id: row.get("external_ids").and_then(iface_id),
        ..Step::now(string(row.get("name")?.as_scalar()?)?, lane, what, text)
    })
}

fn iface_id(external_ids: &Datum) -> Option<String> {
    string(external_ids.as_map()?.get(&Atom::from("iface-id"))?)
}

fn string(atom: &Atom) -> Option<String> {
    atom.as_str().map(str::to_owned)
}

/// The columns that say something.
fn values(row: &Row) -> String {
    // An empty type is that of the system.
    let is_empty = |value: &Datum| value.is_empty() || value.as_scalar().and_then(Atom::as_str) == Some("");
    let values = row
        .iter()
        .filter(|(column, value)| *column != "name" && !is_empty(value));
    values
        .map(|(column, value)| format!(", {column} {value}"))
        .collect()
}
