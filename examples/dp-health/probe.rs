//! One line for a monitoring system, or one JSON object.

use examples::cli::{Failure, Status};
use examples::flood::{percent, used};
use examples::judge::State;
use examples::upcalls::Upcalls;
use serde_json::{Value, json};

use crate::look::{Datapath, Look};

/// What two looks say together.
pub struct Probe {
    pub status: Status,
    /// What is to be seen to, the most pressing first, each with its status.
    findings: Vec<(Status, String)>,
    /// Name, number and unit.
    figures: Vec<(&'static str, Value, &'static str)>,
}

impl Probe {
    /// Of two looks, `seconds` apart.
    pub fn of(before: &Look, now: &Look, seconds: f64) -> Self {
        let mut findings = Vec::new();
        let mut find = |status, text: String| findings.push((status, text));
        for (source, why) in now.sources() {
            if let Some(why) = why {
                find(Status::Blind, format!("{source} not read: {why}"));
            }
        }
        let lost = now.lost().saturating_sub(before.lost());
        let lost_rate = f64::from(u32::try_from(lost).unwrap_or(u32::MAX)) / seconds;
        if lost > 0 {
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
                n => find(Status::Finding, format!("{n} sockets lost")),
            }
        }
        let faults = |look: &Look, fault: fn(State) -> bool| {
            let states = look.states().into_iter().filter(|(state, _)| fault(*state));
            states.map(|(_, n)| n).sum::<usize>()
        };
        // What only one of the looks has seen may just be coming or going.
        let stale = faults(now, State::is_stale).min(faults(before, State::is_stale));
        if stale > 0 {
            find(Status::Finding, format!("{stale} stale ports"));
        }
        let other = |state: State| state != State::Ok && !state.is_stale();
        match faults(now, other).min(faults(before, other)) {
            0 => {}
            n => find(Status::Warning, format!("{n} ports in error")),
        }
        let floods = now.floods.as_deref().unwrap_or_default();
        for flood in floods {
            let status = flood.status(flood.endpoint.count);
            if status == Status::Fine {
                continue;
            }
            let (first, count) = (flood.capacity.first(), flood.endpoint.count);
            let (limit, last) = (first.limit.name(), first.last.unwrap_or(0));
            find(
                status,
                format!("{} floods to {count} of {last} ports ({limit})", flood.bridge),
            );
        }
        let in_use = floods
            .iter()
            .map(|flood| used(flood.endpoint.count, flood.capacity.first().last));
        let in_use = percent(in_use.max().unwrap_or(0));
        findings.sort_by_key(|(status, _)| match status {
            Status::Finding => 0,
            Status::Warning => 1,
            _ => 2,
        });
        let sum = |value: fn(&Datapath) -> u64| -> u64 {
            let datapaths = now.datapaths.as_deref().unwrap_or_default();
            datapaths.iter().map(value).sum()
        };
        let orphaned = now.upcalls.as_ref().map_or(0, Upcalls::orphaned);
        let figures = vec![
            ("lost", now.lost().into(), "c"),
            ("flows", sum(|datapath| datapath.stats.flows).into(), ""),
            (
                "masks",
                sum(|datapath| datapath.megaflow_stats.masks.into()).into(),
                "",
            ),
            ("orphaned_sockets", orphaned.into(), ""),
            ("stale_ports", stale.into(), ""),
            ("flood_used", in_use.into(), "%"),
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
            .map(|(_, text)| text.replace('|', "/"))
            .collect();
        let texts = match texts.is_empty() {
            true => "nothing lost, nothing stale".to_owned(),
            false => texts.join("; "),
        };
        let figures: Vec<_> = self
            .figures
            .iter()
            .map(|(name, value, unit)| format!("{name}={value}{unit}"))
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
