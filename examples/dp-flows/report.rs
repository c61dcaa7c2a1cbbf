//! The flows as `ovs-dpctl` prints them, as JSON lines, or counted by mask.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use examples::cli::{Failure, printable, table};
use examples::datapath::{Dump, Seen};
use netlink_genl::nlattr::MAX_PAYLOAD;
use odp_actions::{Actions, PortNames};
use serde_json::{Value, json};

/// A flow with what is to be said of it.
pub struct Row<'a> {
    seen: &'a Seen,
    ports: &'a PortNames,
    /// Why its packets go through `ovs-vswitchd`, as the flow itself says.
    pub reasons: Vec<&'static str>,
    /// Bytes of its actions, as the kernel has them.
    pub bytes: Option<usize>,
}

impl<'a> Row<'a> {
    pub fn of(seen: &'a Seen, ports: &'a PortNames) -> Self {
        let actions = seen.flow.actions.parsed();
        Self {
            seen,
            ports,
            reasons: actions.map(Actions::slow_path_reasons).unwrap_or_default(),
            bytes: actions.and_then(|actions| actions.encoded_len().ok()),
        }
    }

    pub fn packets(&self) -> u64 {
        self.seen.flow.packets
    }

    pub fn octets(&self) -> u64 {
        self.seen.flow.bytes
    }

    fn outputs(&self) -> Option<usize> {
        self.seen.flow.actions.parsed().map(Actions::output_count)
    }

    fn actions(&self) -> String {
        match self.seen.flow.actions.parsed() {
            Some(actions) if !actions.is_empty() => actions.named(self.ports).to_string(),
            _ => self.seen.flow.actions.to_string(),
        }
    }

    pub fn json(&self) -> Result<String, Failure> {
        let flow = &self.seen.flow;
        let line = flow.named(self.ports).to_string();
        let object = json!({
            "ufid": flow.ufid.map(|ufid| ufid.to_string().trim_start_matches("ufid:").to_owned()),
            "key": key(&line),
            "mask": flow.shape(),
            "packets": flow.packets,
            "bytes": flow.bytes,
            "used_ms": flow.used_ms,
            "tcp_flags": flow.tcp_flags,
            "actions": self.actions(),
            "actions_bytes": self.bytes,
            "outputs": self.outputs(),
            "source": self.seen.source.name(),
            "slow": self.reasons,
            "why": self.reasons.iter().map(|reason| explanation(reason)).collect::<Vec<_>>(),
        });
        serde_json::to_string(&object).map_err(Failure::blind)
    }

    /// The line of the flow; unless `full`, without the middle of long actions.
    pub fn text(&self, full: bool) -> String {
        let mut line = printable(&self.seen.flow.named(self.ports).to_string());
        if let (false, Some(start)) = (full, line.find(", actions:")) {
            let cut = line[start..].char_indices().nth(ACTIONS_MAX);
            if let Some((cut, _)) = cut {
                line.truncate(start + cut);
                let _ = write!(line, "…");
                if let (Some(outputs), Some(bytes)) = (self.outputs(), self.bytes) {
                    let _ = write!(line, " ({outputs} outputs, {bytes} bytes)");
                }
            }
        }
        line
    }
}

/// What stands below the flows.
pub fn summary(dump: &Dump, rows: &[Row<'_>]) -> String {
    let masks = by_mask(dump).len();
    let mut out = format!("{} flows, {masks} masks", dump.flows.len());
    if let Some(kernel) = dump.masks.filter(|kernel| usize::try_from(*kernel) != Ok(masks)) {
        // Masks go later than their last flow.
        let _ = write!(out, " ({kernel} in the kernel)");
    }
    let mut slow: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for row in rows {
        for reason in &row.reasons {
            let (flows, packets) = slow.entry(reason).or_default();
            *flows += 1;
            *packets += row.packets();
        }
    }
    for (reason, (flows, packets)) in slow {
        let _ = write!(
            out,
            "\n{flows} slow by {reason}, {packets} packets: {}",
            explanation(reason)
        );
    }
    out
}

/// Flows and packets of each mask.
pub fn by_mask(dump: &Dump) -> BTreeMap<String, (usize, u64)> {
    let mut masks: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for seen in &dump.flows {
        let (flows, packets) = masks.entry(seen.flow.shape()).or_default();
        *flows += 1;
        *packets += seen.flow.packets;
    }
    masks
}

/// The masks, those with most flows first.
pub fn histogram(dump: &Dump, limit: usize) -> String {
    let mut masks: Vec<_> = by_mask(dump).into_iter().collect();
    masks.sort_by_key(|(_, (flows, _))| std::cmp::Reverse(*flows));
    let most = masks.first().map_or(1, |(_, (flows, _))| *flows);
    let left_out = masks.len().saturating_sub(limit);
    let rows = masks.iter().take(limit).map(|(mask, (flows, packets))| {
        let bar = "█".repeat((flows * BAR).div_ceil(most));
        [flows.to_string(), bar, packets.to_string(), mask.clone()]
    });
    let mut out = table(["flows>", "", "packets>", "mask"], rows);
    if left_out > 0 {
        let _ = write!(out, "\nand {left_out} masks more");
    }
    out
}

pub fn histogram_json(dump: &Dump) -> Result<String, Failure> {
    let masks: Vec<Value> = by_mask(dump)
        .into_iter()
        .map(|(mask, (flows, packets))| json!({ "mask": mask, "flows": flows, "packets": packets }))
        .collect();
    serde_json::to_string(&json!({ "masks": masks, "kernel_masks": dump.masks })).map_err(Failure::blind)
}

/// What a word of `slow_path(..)` means.
fn explanation(reason: &str) -> String {
    match reason {
        "action" => format!(
            "the datapath cannot have these actions: more than {MAX_PAYLOAD} bytes, more outputs than \
             net.core.netdev_max_backlog, or one that it does not know; `action-budget` tells which"
        ),
        "match" => {
            "the datapath cannot match as specifically as the OpenFlow flows do, as on ND options without \
                    support for them"
                .to_owned()
        }
        protocol => format!(
            "ovs-vswitchd speaks {}: this is as it should be",
            protocol.to_uppercase()
        ),
    }
}

/// The key in a printed flow.
fn key(line: &str) -> &str {
    let key = line.split_once(", packets:").map_or(line, |(key, _)| key);
    match key.starts_with("ufid:") {
        true => key
            .split_once([',', ' '])
            .map_or(key, |(_, rest)| rest.trim_start()),
        false => key,
    }
}

const ACTIONS_MAX: usize = 120;
const BAR: usize = 30;
