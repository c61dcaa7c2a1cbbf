//! The figures, as tables for people or as one JSON object.

use examples::cli::{Failure, table};
use examples::flood::{Flood, Flows, Row, parts, percent, used, words};
use examples::picture::grouped;
use odp_actions::{Actions, Part, Verdict};
use serde_json::json;

use crate::budget::Budget;

/// What the tool says.
pub struct Report<'a> {
    pub budget: &'a Budget,
    pub flows: &'a Flows<'a>,
    /// The deployment is the embedded one.
    pub example: bool,
    /// Nothing says which release of Open vSwitch it is.
    pub ovs_assumed: bool,
}

impl Report<'_> {
    pub fn json(&self) -> Result<String, Failure> {
        let Budget { flood, endpoints, .. } = self.budget;
        let first = flood.capacity.first();
        let (verdict, reason) = words(&self.budget.verdict());
        let marked = self.budget.marked.as_ref().map(|marked| {
            json!({ "endpoint_bytes": marked.bytes_each(), "max_endpoints": marked.capacity.first().last })
        });
        let sweep = self.sweep().into_iter().map(|(from, to, verdict)| {
            let (verdict, reason) = words(&verdict);
            json!({ "from": from, "to": to, "verdict": verdict, "reason": reason })
        });
        let mut report = flood.json();
        report["example"] = self.example.into();
        report["ovs_assumed"] = self.ovs_assumed.into();
        report["endpoints"] = json!(endpoints);
        report["bytes"] = flood.template.bytes(*endpoints).into();
        report["verdict"] = verdict.into();
        report["reason"] = reason.into();
        report["first_limit"] = first.last.map(|_| first.limit.name()).into();
        report["used_percent"] = percent(used(*endpoints, first.last)).into();
        report["ecn"] = json!(marked);
        report["newest_ovs"] = self.budget.newest.as_ref().map(Flood::json).into();
        report["sweep"] = sweep.collect();
        report["flows"] = json!(self.flows.rows);
        report["unread_lines"] = self.flows.unread.lines.into();
        serde_json::to_string(&report).map_err(Failure::blind)
    }

    pub fn text(&self) -> String {
        let Budget { flood, endpoints, .. } = self.budget;
        let mut paragraphs = Vec::new();
        if self.example {
            paragraphs.push("The deployment of the incident; --db reads yours.".to_owned());
        }
        let assumed = match self.ovs_assumed {
            true => " (assumed: the database does not say; --ovs does)",
            false => "",
        };
        paragraphs.push(format!(
            "{}: {endpoints} endpoints, Open vSwitch {}{assumed}",
            flood.bridge, flood.ovs
        ));
        paragraphs.push(self.sizes());
        paragraphs.push(self.limits_table());
        paragraphs.push(self.sentences());
        if !self.flows.rows.is_empty() {
            paragraphs.push(flows_table(&self.flows.rows));
        }
        if self.flows.unread.lines > 0 {
            let unread = self.flows.unread.lines;
            paragraphs.push(format!(
                "lines of the dump that could not be read, see above: {unread}"
            ));
        }
        paragraphs.join("\n\n")
    }

    /// How the bytes come together.
    fn sizes(&self) -> String {
        let Budget { flood, endpoints, .. } = self.budget;
        let sum = |actions: &Actions| {
            let parts = parts(actions).into_iter();
            let parts: Vec<_> = parts
                .map(|Part { name, bytes }| format!("{name} {bytes}"))
                .collect();
            parts.join(" + ")
        };
        let (each, once) = (flood.bytes_each(), flood.template.bytes(0));
        let mut lines = vec![format!(
            "{each} bytes per endpoint: {}",
            sum(&flood.endpoint.actions)
        )];
        if once > 0 {
            lines.push(format!("{once} bytes once: {}", sum(&flood.once)));
        }
        let (same, count) = (flood.endpoint.same, flood.endpoint.count);
        if same < count {
            lines.push(format!(
                "{same} of {count} endpoints have this size, the others less: the figures take all for as large"
            ));
        }
        lines.push(format!(
            "{} bytes in all",
            grouped(flood.template.bytes(*endpoints))
        ));
        lines.join("\n")
    }

    /// What follows from it.
    fn sentences(&self) -> String {
        let Budget { flood, endpoints, .. } = self.budget;
        let first = flood.capacity.first();
        let first = match first.last {
            Some(last) => format!("{} is met first, behind {last} endpoints", first.limit),
            None => "no limit is ever met".to_owned(),
        };
        let mut lines = vec![match words(&self.budget.verdict()).1 {
            None => format!("{endpoints} endpoints fit; {first}."),
            Some(reason) => format!("{endpoints} endpoints do not fit: {reason}; {first}."),
        }];
        if let Some(marked) = &self.budget.marked {
            let bytes = marked.bytes_each();
            let fit = marked.capacity.first().last;
            let fit = fit.map(|last| {
                format!("An IP packet with ECN bits takes {bytes} bytes per endpoint: {last} fit.")
            });
            lines.extend(fit);
        }
        lines.extend(self.sweep().into_iter().map(|(from, to, verdict)| {
            let (verdict, reason) = words(&verdict);
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            format!("  {from} to {to}: {verdict}{reason}")
        }));
        lines.join("\n")
    }

    fn sweep(&self) -> Vec<(usize, usize, Verdict)> {
        let Budget {
            flood,
            endpoints,
            from,
            ..
        } = self.budget;
        from.map_or(Vec::new(), |from| flood.sweep(from, *endpoints))
    }

    fn limits_table(&self) -> String {
        let Budget {
            flood,
            endpoints,
            newest,
            ..
        } = self.budget;
        let newest = newest.as_ref();
        let fits = |last: Option<usize>| last.map_or("all".to_owned(), |last| last.to_string());
        let first = flood.capacity.first();
        let limits = flood.capacity.bounds().iter().enumerate().map(|(n, bound)| {
            let in_use = percent(used(*endpoints, bound.last));
            [
                match bound.limit.name() {
                    "netdev_max_backlog" => "netdev_max_backlog, outputs".to_owned(),
                    "nlattr" => "netlink attribute, bytes".to_owned(),
                    _ => format!("kernel: {}", flood.limits.kernel()),
                },
                number(bound.value),
                fits(bound.last),
                bound.last.map_or(String::new(), |_| format!("{in_use:.1} %")),
                newest.map_or(String::new(), |newest| fits(newest.capacity.bounds()[n].last)),
                match bound.limit == first.limit && first.last.is_some() {
                    true => "<- first".to_owned(),
                    false => String::new(),
                },
            ]
        });
        let newest_kernels = newest.map(Flood::other_kernels);
        let kernels = flood.other_kernels().into_iter().enumerate();
        let kernels = kernels.map(|(n, (releases, rule, last))| {
            [
                format!("  on kernels {releases}"),
                number(rule.bytes()),
                fits(last),
                String::new(),
                newest_kernels.map_or(String::new(), |newest| fits(newest[n].2)),
                String::new(),
            ]
        });
        let newest = newest.map_or(String::new(), |newest| {
            format!("OVS {}, {} B>", newest.ovs, newest.bytes_each())
        });
        table(
            ["limit", "value>", "endpoints that fit>", "used>", &newest, ""],
            limits.chain(kernels),
        )
    }
}

fn flows_table(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        [
            row.table
                .as_str()
                .map_or_else(|| row.table.to_string(), str::to_owned),
            row.priority.to_string(),
            number(row.outputs),
            number(row.bytes),
            row.verdict.to_owned(),
            number(row.headroom_endpoints),
            row.matches.clone(),
            row.reason.clone().unwrap_or_default(),
        ]
    };
    let headings = [
        "table>",
        "priority>",
        "outputs>",
        "bytes>",
        "verdict",
        "room for>",
        "match",
        "why",
    ];
    table(headings, rows.iter().map(cells))
}

fn number(number: Option<usize>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}
