//! One line for a monitoring system, or one JSON object.

use examples::cli::{Failure, Status, printable};
use examples::flood::{percent, used};
use examples::judge::State;
use examples::upcalls::{HELD, Upcalls};
use serde_json::{Value, json};

use crate::look::{BridgeFlood, Look};

/// What two looks say together.
pub struct Probe {
    pub status: Status,
    /// What is to be seen to, the most pressing first, each with its status.
    findings: Vec<(Status, String)>,
    /// Name, number or null where that is not known, and unit.
    figures: Vec<(&'static str, Value, &'static str)>,
}

impl Probe {
    /// Of two looks, `seconds` apart.
    pub fn of(before: &Look, now: &Look, seconds: f64) -> Self {
        let mut findings = Vec::new();
        let mut find = |status, text: String| findings.push((status, text));
        for ((source, why), (_, earlier)) in now.sources().into_iter().zip(before.sources()) {
            match (why, earlier) {
                (Some(why), _) => find(Status::Blind, format!("{source} not read: {why}")),
                (None, Some(why)) => find(Status::Blind, format!("{source} not read at first: {why}")),
                (None, None) => {}
            }
        }
        let lost = |look: &Look| look.sum(|datapath| datapath.stats.lost);
        let grown = lost(now).zip(lost(before));
        let grown = grown.map_or(0, |(now, before)| now.saturating_sub(before));
        let lost_rate = f64::from(u32::try_from(grown).unwrap_or(u32::MAX)) / seconds;
        if grown > 0 {
            find(Status::Warning, format!("{lost_rate:.0} upcalls lost a second"));
        }
        if let Ok(upcalls) = &now.upcalls {
            if upcalls.deaf {
                find(
                    Status::Finding,
                    "the datapath has no socket to send packets to".to_owned(),
                );
            }
            match upcalls.orphaned() {
                0 if upcalls.accounting.attributed => {}
                0 => find(Status::Blind, "no right to read whose the sockets are".to_owned()),
                _ if upcalls.is_held(now.release) => find(Status::Fine, HELD.to_owned()),
                n => find(Status::Finding, format!("{n} sockets lost")),
            }
        }
        // What only one of the looks has seen may just be coming or going.
        let faults = |is_fault| {
            let both = now.faults(is_fault).zip(before.faults(is_fault));
            both.map(|(now, before)| now.min(before))
        };
        let stale = faults(State::is_stale);
        if let Some(stale @ 1..) = stale {
            find(Status::Finding, format!("{stale} stale ports"));
        }
        if let Some(n @ 1..) = faults(|state| state != State::Ok && !state.is_stale()) {
            find(Status::Warning, format!("{n} ports in error"));
        }
        let mut in_use = now.floods.is_ok().then_some(0);
        for BridgeFlood { bridge, flood } in now.floods.as_deref().unwrap_or_default() {
            let flood = match flood {
                Ok(flood) => flood,
                Err(why) => {
                    in_use = None;
                    find(
                        Status::Blind,
                        format!("{bridge}: unknown how many ports a flood may go to: {why}"),
                    );
                    continue;
                }
            };
            let (first, count) = (flood.capacity.first(), flood.endpoint.count);
            in_use = in_use.map(|in_use| in_use.max(used(count, first.last)));
            let status = flood.status(count);
            if status != Status::Fine {
                let (limit, last) = (first.limit.name(), first.last.unwrap_or(0));
                find(
                    status,
                    format!("{bridge} floods to {count} of {last} ports ({limit})"),
                );
            }
        }
        findings.sort_by_key(|(status, _)| match status {
            Status::Finding => 0,
            Status::Warning => 1,
            _ => 2,
        });
        let flows = now.sum(|datapath| datapath.stats.flows);
        let masks = now.sum(|datapath| datapath.megaflow_stats.masks.into());
        let orphaned = now
            .upcalls
            .as_ref()
            .ok()
            .filter(|upcalls| upcalls.accounting.attributed);
        let figures = vec![
            ("lost", json!(lost(now)), "c"),
            ("flows", json!(flows), ""),
            ("masks", json!(masks), ""),
            ("orphaned_sockets", json!(orphaned.map(Upcalls::orphaned)), ""),
            ("stale_ports", json!(stale), ""),
            ("flood_used", json!(in_use.map(percent)), "%"),
        ];
        Self {
            status: findings
                .iter()
                .fold(Status::Fine, |status, (other, _)| status.or(*other)),
            findings,
            figures,
        }
    }

    /// `OVS OK: .. | figures`, as monitoring plugins print it.
    pub fn line(&self) -> String {
        let word = match self.status {
            Status::Fine => "OK",
            Status::Warning => "WARNING",
            Status::Finding => "CRITICAL",
            Status::Blind | Status::Usage => "UNKNOWN",
        };
        let texts: Vec<_> = self
            .findings
            .iter()
            .map(|(_, text)| printable(text).replace('|', "/"))
            .collect();
        let texts = match texts.is_empty() {
            true => "nothing lost, nothing stale".to_owned(),
            false => texts.join("; "),
        };
        let figures: Vec<_> = self
            .figures
            .iter()
            .map(|(name, value, unit)| match value {
                // What plugins print where they could not look.
                Value::Null => format!("{name}=U"),
                value => format!("{name}={value}{unit}"),
            })
            .collect();
        format!("OVS {word}: {texts} | {}", figures.join(" "))
    }

    pub fn json(&self) -> Result<String, Failure> {
        let figures: serde_json::Map<String, Value> = self
            .figures
            .iter()
            .map(|(name, value, unit)| {
                let name = if *unit == "%" {
                    format!("{name}_percent")
                } else {
                    (*name).to_owned()
                };
                (name, json!(value))
            })
            .collect();
        let findings: Vec<_> = self.findings.iter().map(|(_, text)| text).collect();
        serde_json::to_string(&json!({ "findings": findings, "figures": figures })).map_err(Failure::blind)
    }
}
