//! The verdicts, as a table for people or as one JSON object.

use std::collections::BTreeMap;

use examples::cli::{Failure, printable, table};
use examples::judge::{State, Verdict};
use examples::picture::matrix::{Matrix, Row, Tone};
use examples::sight::Vport;
use serde_json::{Value, json};

/// What the tool says.
pub struct Report<'a> {
    pub verdicts: &'a [Verdict],
    /// Those that are ok, too.
    pub all: bool,
    pub suggest: bool,
}

impl Report<'_> {
    pub fn json(&self) -> Result<String, Failure> {
        let ports: Vec<Value> = self.verdicts.iter().map(|verdict| self.port(verdict)).collect();
        let counts: BTreeMap<_, _> = self
            .counts()
            .into_iter()
            .map(|(state, n)| (state.name(), n))
            .collect();
        serde_json::to_string(&json!({ "ports": ports, "states": counts })).map_err(Failure::blind)
    }

    pub fn text(&self) -> String {
        let shown = self.verdicts.iter();
        let shown = shown.filter(|verdict| self.all || verdict.state != State::Ok);
        let rows: Vec<_> = shown.map(cells).collect();
        let mut out = String::new();
        if !rows.is_empty() {
            let headings = [
                "bridge", "port", "type", "ofport>", "netdev", "vport", "openflow", "state", "iface-id",
                "why",
            ];
            out = table(headings, rows) + "\n\n";
        }
        let counts = self.counts().into_iter();
        let counts: Vec<_> = counts.map(|(state, n)| format!("{n} {}", state.name())).collect();
        out += &match self.verdicts.len() {
            0 => "no interfaces".to_owned(),
            n => format!("{n} interfaces: {}", counts.join(", ")),
        };
        let transient = self.verdicts.iter().filter(|verdict| verdict.port.transient);
        match transient.filter(|verdict| verdict.state.is_stale()).count() {
            0 => {}
            n => out += &format!("; {n} of the stale ones are transient"),
        }
        if self.suggest {
            out += "\n";
            for suggestion in self.verdicts.iter().filter_map(suggestion) {
                // To a shell it is a comment.
                let line = suggestion.unwrap_or_else(|why| format!("# {why}"));
                out += &format!("\n{line}");
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for verdict in self.verdicts {
            *counts.entry(verdict.state).or_default() += 1;
        }
        counts
    }

    fn port(&self, verdict: &Verdict) -> Value {
        let port = &verdict.port;
        let mut object = json!({
            "bridge": port.bridge,
            "port": port.port,
            "interface": port.interface,
            "row": port.uuid.is_some(),
            "type": port.kind,
            "ofport": port.ofport,
            "error": port.error,
            "iface_id": port.iface_id,
            "transient": port.transient,
            "netdev": port.netdev,
            "vport": port.vport.map(|vport| vport != Vport::Absent),
            "openflow": port.is_listed(),
            "state": verdict.state.name(),
            "reason": verdict.reason,
        });
        if self.suggest {
            object["suggestion"] = suggestion(verdict).and_then(Result::ok).into();
        }
        object
    }
}

/// Where each port was found, those with a fault first.
pub fn matrix(verdicts: &[Verdict]) -> Matrix<'static> {
    let mut shown: Vec<&Verdict> = verdicts.iter().collect();
    shown.sort_by_key(|verdict| verdict.state);
    let row = |verdict: &Verdict| {
        let port = &verdict.port;
        Row {
            name: format!("{}  {}", port.bridge, port.interface),
            marks: vec![
                Some(port.uuid.is_some()),
                (port.uuid.is_some() || port.ofport.is_some())
                    .then_some(port.ofport.is_some_and(|ofport| ofport >= 0)),
                port.has_netdev(),
                port.has_vport(),
                port.is_listed(),
            ],
            note: state(verdict),
            tone: match verdict.state {
                State::Ok => Tone::Plain,
                State::Undecided => Tone::Unsure,
                _ => Tone::Bad,
            },
        }
    };
    Matrix {
        title: "Where each port was found",
        columns: vec!["database", "ofport", "netdev", "vport", "openflow"],
        rows: shown.into_iter().map(row).collect(),
    }
}

fn cells(verdict: &Verdict) -> [String; 10] {
    let port = &verdict.port;
    let name = match port.bonded {
        true => format!("{} of {}", port.interface, port.port),
        false => port.port.clone(),
    };
    [
        port.bridge.clone(),
        name,
        port.kind.clone(),
        port.ofport.map_or(String::new(), |ofport| ofport.to_string()),
        mark(port.has_netdev()).to_owned(),
        mark(port.has_vport()).to_owned(),
        mark(port.is_listed()).to_owned(),
        state(verdict),
        port.iface_id.clone().unwrap_or_default(),
        verdict.reason.clone().unwrap_or_default(),
    ]
}

/// The state, and that Open vSwitch itself removes the port at the next boot.
fn state(verdict: &Verdict) -> String {
    let transient = if verdict.port.transient { ", transient" } else { "" };
    format!("{}{transient}", verdict.state.name())
}

/// There, not there, or not wanted there.
fn mark(there: Option<bool>) -> &'static str {
    match there {
        Some(true) => "●",
        Some(false) => "○",
        None => "",
    }
}

/// What would remove a stale port, or why no command line can say that.
fn suggestion(verdict: &Verdict) -> Option<Result<String, String>> {
    let port = &verdict.port;
    // Who deletes the local port deletes the bridge.
    if !verdict.state.is_stale() || port.port == port.bridge {
        return None;
    }
    let names = [&*port.bridge, &*port.port];
    let is_sayable = |name: &&str| **name != *"--" && !name.chars().any(char::is_control);
    if let Some(name) = names.into_iter().find(|name| !is_sayable(name)) {
        return Some(Err(format!(
            "port {} of bridge {}: no command is suggested, since none can be printed that names {}",
            printable(&port.port),
            printable(&port.bridge),
            printable(name)
        )));
    }
    Some(Ok(match port.bonded {
        true => format!(
            "ovs-vsctl remove Port {} interfaces {}",
            quoted(&port.port),
            port.uuid?
        ),
        false => format!(
            "ovs-vsctl --if-exists del-port {} {}",
            quoted(&port.bridge),
            quoted(&port.port)
        ),
    }))
}

/// One word of a shell's command line.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
