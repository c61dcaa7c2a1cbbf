//! The figures, as tables for people or as one JSON object.

use examples::bridge::Bridge;
use examples::cli::{Failure, printable, table};
use examples::flood::{Flood, Flows, Row, parts, percent, used, words};
use examples::picture::grouped;
use odp_actions::xlate::OvsVersion;
use odp_actions::{Actions, Limit, Limits, Part, Verdict};
use serde_json::{Map, Value, json};

use crate::budget::Budget;

/// What the tool says.
pub struct Report<'a> {
    /// Or why nothing can be said of the endpoints.
    pub budget: Result<&'a Budget, &'a str>,
    pub bridge: &'a Bridge,
    pub ovs: OvsVersion,
    pub limits: Limits,
    pub flows: &'a Flows<'a>,
    /// Flows that cannot be told are to be listed.
    pub all: bool,
    /// The deployment is the embedded one.
    pub example: bool,
    /// Nothing says which release of Open vSwitch it is.
    pub ovs_assumed: bool,
}

impl Report<'_> {
    pub fn json(&self) -> Result<String, Failure> {
        let mut report = match self.budget {
            Ok(budget) => budget.json(),
            Err(why) => json!({
                "bridge": self.bridge.name,
                "ovs": self.ovs.to_string(),
                "kernel": self.limits.kernel().to_string(),
                "endpoints": null,
                "bytes": null,
                "verdict": "unknown",
                "reason": why,
            }),
        };
        report["example"] = self.example.into();
        report["ovs_assumed"] = self.ovs_assumed.into();
        report["assumption"] = self.assumption().into();
        report["patch_ports_to"] = json!(self.bridge.others);
        report["flows"] = json!(self.flows.rows);
        let untold = self.flows.untold().into_iter();
        report["unknown_flows"] = untold
            .map(|(count, why)| (why.to_owned(), count.into()))
            .collect::<Map<String, Value>>()
            .into();
        report["unread_lines"] = self.flows.unread.lines.into();
        serde_json::to_string(&report).map_err(Failure::blind)
    }

    pub fn text(&self) -> String {
        let mut paragraphs = Vec::new();
        if self.example {
            paragraphs.push("The deployment of the incident; --db reads yours.".to_owned());
        }
        let assumed = match self.ovs_assumed {
            true => " (assumed: the database does not say; --ovs does)",
            false => "",
        };
        let name = printable(&self.bridge.name);
        match self.budget {
            Ok(budget) => {
                let Budget { endpoints, .. } = budget;
                paragraphs.push(format!(
                    "{name}: {endpoints} endpoints, Open vSwitch {}{assumed}",
                    self.ovs
                ));
                paragraphs.push(budget.sizes());
                paragraphs.push(budget.limits_table());
                paragraphs.push(budget.sentences());
            }
            Err(why) => paragraphs.push(format!(
                "{name}: unknown how many endpoints fit, Open vSwitch {}{assumed}\n{}",
                self.ovs,
                printable(why)
            )),
        }
        paragraphs.extend(self.assumptions());
        let is_listed = |row: &&Row| self.all || row.untold.is_none();
        let rows: Vec<_> = self.flows.rows.iter().filter(is_listed).collect();
        if !rows.is_empty() {
            paragraphs.push(flows_table(&rows));
        }
        if !self.all {
            paragraphs.extend(self.untold());
        }
        if self.flows.unread.lines > 0 {
            let unread = self.flows.unread.lines;
            paragraphs.push(format!(
                "lines of the dump that could not be read, see above: {unread}"
            ));
        }
        paragraphs.join("\n\n")
    }

    /// What is taken for granted of flows and packets.
    fn assumption(&self) -> Option<String> {
        let mirrored = !self.bridge.own().mirrors.is_empty();
        let mirrored =
            mirrored.then_some("no mirror selects the packet, which would get an output for each copy");
        let all: Vec<_> = self.bridge.assumption().into_iter().chain(mirrored).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// What is to be said of that and of patch ports.
    fn assumptions(&self) -> Option<String> {
        let fields = self.assumption().filter(|_| self.budget.is_ok());
        let fields = fields.map(|assumption| format!("Taken for granted: {assumption}."));
        let patches = (!self.bridge.others.is_empty()).then(|| {
            let others: Vec<_> = self.bridge.others.iter().map(|name| printable(name)).collect();
            let others = others.join(", ");
            format!("Patch ports lead to {others}: what a packet is put out to there comes to this.")
        });
        let lines: Vec<_> = fields.into_iter().chain(patches).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Why flows cannot be told.
    fn untold(&self) -> Option<String> {
        let untold = self.flows.untold();
        let count: usize = untold.iter().map(|(count, _)| count).sum();
        let rows = untold
            .into_iter()
            .map(|(count, why)| [count.to_string(), why.to_owned()]);
        (count > 0).then(|| {
            let headings = ["flows>", "cannot be told, because of (--all lists them)"];
            table(headings, rows)
        })
    }
}

impl Budget {
    fn json(&self) -> Value {
        let Self { flood, endpoints, .. } = self;
        let first = flood.capacity.first();
        let (verdict, reason) = words(&self.verdict());
        let marked = self.marked.as_ref().map(|marked| {
            json!({ "endpoint_bytes": marked.bytes_each(), "max_endpoints": marked.capacity.first().last })
        });
        let sweep = self.sweep().into_iter().map(|(from, to, verdict)| {
            let (verdict, reason) = words(&verdict);
            json!({ "from": from, "to": to, "verdict": verdict, "reason": reason })
        });
        let mut report = flood.json();
        report["endpoints"] = json!(endpoints);
        report["bytes"] = flood.template.bytes(*endpoints).into();
        report["verdict"] = verdict.into();
        report["reason"] = reason.into();
        report["first_limit"] = first.last.map(|_| first.limit.name()).into();
        report["used_percent"] = percent(used(*endpoints, first.last)).into();
        report["ecn"] = json!(marked);
        report["other_mark_bytes"] = self.remarked.into();
        report["newest_ovs"] = self.newest.as_ref().map(Flood::json).into();
        report["sweep"] = sweep.collect();
        report
    }

    /// How the bytes come together.
    fn sizes(&self) -> String {
        let Self { flood, endpoints, .. } = self;
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
        let Self { flood, endpoints, .. } = self;
        let first = flood.capacity.first();
        let first = match first.last {
            Some(last) => format!("{} is met first, behind {last} endpoints", first.limit),
            None => "no limit is ever met".to_owned(),
        };
        let mut lines = vec![match words(&self.verdict()).1 {
            None => format!("{endpoints} endpoints fit; {first}."),
            Some(reason) => format!("{endpoints} endpoints do not fit: {reason}; {first}."),
        }];
        if let Some(marked) = &self.marked {
            let bytes = marked.bytes_each();
            let fit = marked.capacity.first().last;
            let fit = fit.map(|last| {
                format!("An IP packet with ECN bits takes {bytes} bytes per endpoint: {last} fit.")
            });
            lines.extend(fit);
        }
        if let Some(bytes) = self.remarked {
            lines.push(format!(
                "A packet with another mark takes {bytes} bytes more, once."
            ));
        }
        lines.extend(self.sweep().into_iter().map(|(from, to, verdict)| {
            let (verdict, reason) = words(&verdict);
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            format!("  {from} to {to}: {verdict}{reason}")
        }));
        lines.join("\n")
    }

    fn sweep(&self) -> Vec<(usize, usize, Verdict)> {
        let Self {
            flood,
            endpoints,
            from,
            ..
        } = self;
        from.map_or(Vec::new(), |from| flood.sweep(from, *endpoints))
    }

    fn limits_table(&self) -> String {
        let Self {
            flood,
            endpoints,
            newest,
            ..
        } = self;
        let newest = newest.as_ref();
        let fits = |last: Option<usize>| last.map_or("all".to_owned(), |last| last.to_string());
        let first = flood.capacity.first();
        let limits = flood.capacity.bounds().iter().enumerate().map(|(n, bound)| {
            let in_use = percent(used(*endpoints, bound.last));
            [
                match bound.limit.name() {
                    "netdev_max_backlog" => "netdev_max_backlog, outputs".to_owned(),
                    "nlattr" => "netlink attribute, bytes".to_owned(),
                    _ => "kernel, bytes".to_owned(),
                },
                number(bound.value),
                fits(bound.last),
                bound.last.map_or(String::new(), |_| format!("{in_use:.1} %")),
                newest.map_or(String::new(), |newest| fits(newest.capacity.bounds()[n].last)),
                match (bound.limit == first.limit && first.last.is_some(), bound.limit) {
                    (true, Limit::Kernel) => format!("<- first: {}", flood.limits.kernel()),
                    (true, _) => "<- first".to_owned(),
                    (false, Limit::Kernel) => flood.limits.kernel().to_string(),
                    (false, _) => String::new(),
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

fn flows_table(rows: &[&Row]) -> String {
    let cells = |row: &&Row| {
        let why = row.reason.iter().map(|why| format!(": {why}"));
        let matches = match &*row.matches {
            "" => "all packets",
            matches => matches,
        };
        [
            row.table
                .as_str()
                .map_or_else(|| row.table.to_string(), str::to_owned),
            row.priority.to_string(),
            number(row.outputs),
            number(row.bytes),
            row.verdict.to_owned(),
            number(row.headroom_endpoints),
            [matches.to_owned()].into_iter().chain(why).collect(),
        ]
    };
    let headings = [
        "table>",
        "priority>",
        "outputs>",
        "bytes>",
        "verdict",
        "room for>",
        "match, and why",
    ];
    table(headings, rows.iter().map(cells))
}

fn number(number: Option<usize>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}
