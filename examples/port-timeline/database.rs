//! What happens to the rows of ports and interfaces.

use std::sync::mpsc::Sender;

use examples::cli::{self, Failure, chain, complain, patiently};
use ovsdb_proto::client::{Event, Remote, Session, SessionOptions};
use ovsdb_proto::monitor::MonitorRequest;
use ovsdb_proto::replica::{Change, RowChange};
use ovsdb_proto::value::{Atom, Datum, Row};

use crate::TOOL;
use crate::event::{Lane, Said, What};

/// Tells of rows until nobody listens, over lost connections. What changed meanwhile is told when there is another one.
///
/// # Errors
/// The first connection cannot be made.
pub fn rows(db: &Remote, said: &Sender<Result<Said, Failure>>) -> Result<(), Failure> {
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
        let mut session = Session::new([db.clone()], request, SessionOptions::default());
        let mut event = patiently(TOOL, db, session.next()).await;
        loop {
            match event {
                Event::Changes(changes) => {
                    let mut told = changes.iter().filter_map(tell);
                    if !told.all(|told| said.send(Ok(told)).is_ok()) {
                        return Ok(());
                    }
                }
                Event::Unreachable { reason, .. } if session.replica().is_none() => {
                    return Err(Failure::blind(chain(&reason)));
                }
                Event::Lost { remote, reason } => {
                    complain(TOOL, format_args!("{remote}: {}; trying again", chain(&reason)));
                }
                _ => {}
            }
            event = session.next().await;
        }
    })
}

fn tell(change: &RowChange) -> Option<Said> {
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
    let description = match &change.change {
        Change::Modify { old, new, changed } => {
            let changes = changed.iter().map(|column| {
                let value = |row: &Row| row.get(column).map_or(String::new(), shown);
                format!("{column} {} -> {}", value(old), value(new))
            });
            changes.collect::<Vec<_>>().join(", ")
        }
        Change::Delete(_) => "row deleted".to_owned(),
        _ => {
            let verb = if what == What::Is {
                "row is there"
            } else {
                "row inserted"
            };
            let values = row
                .iter()
                .filter(|(column, value)| *column != "name" && !is_empty(value));
            let values = values.map(|(column, value)| format!(", {column} {}", shown(value)));
            format!("{verb}{}", values.collect::<String>())
        }
    };
    let device = row.get("name").map(shown)?;
    let ofport = row.get("ofport").and_then(|ofport| shown(ofport).parse().ok());
    Some(Said {
        // -1 is none.
        ofports: ofport.into_iter().collect(),
        iface_id: row.get("external_ids").and_then(iface_id),
        ..Said::of(device, lane, what, description)
    })
}

fn iface_id(external_ids: &Datum) -> Option<String> {
    external_ids.as_map()?.get(&Atom::from("iface-id")).map(text)
}

fn is_empty(value: &Datum) -> bool {
    // An empty type is that of the system.
    value.is_empty() || shown(value).is_empty()
}

/// `21`, `[]`, `{iface-id=x1}`.
fn shown(value: &Datum) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Datum::Set(set) if set.len() == 1 => set.iter().map(text).collect(),
        Datum::Set(set) => format!("[{}]", joined(set.iter().map(text).collect())),
        Datum::Map(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| format!("{}={}", text(key), text(value)));
            format!("{{{}}}", joined(pairs.collect()))
        }
    }
}

/// Without quotes.
fn text(atom: &Atom) -> String {
    match atom {
        Atom::String(text) => text.to_string(),
        other => other.to_string(),
    }
}
