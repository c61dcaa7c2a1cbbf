//! The figures, as tables for people or as one JSON object.

use std::fmt::Write as _;

use examples::cli::{Failure, table};
use examples::picture::grouped;
use odp_actions::{Actions, Bound, Part, Rejection, Verdict};
use serde::Serialize;

use crate::budget::{Budget, used};
use crate::flows::{Flows, Row};

/// What the tool says.
#[derive(Serialize)]
pub struct Report<'a> {
    bridge: &'a str,
    #[serde(flatten)]
    origin: Origin,
    ovs: String,
    kernel: String,
    endpoint: Shape,
    /// How many of those that are there have that size; the others have less.
    endpoints_of_this_size: usize,
    /// What a flood has besides endpoints.
    once: Shape,
    endpoints: usize,
    bytes: usize,
    verdict: &'static str,
    reason: Option<String>,
    first_limit: Option<&'static str>,
    used_percent: f64,
    limits: Vec<LimitRow>,
    other_kernels: Vec<KernelRow>,
    /// The same for an IP packet with ECN bits, which tunnels carry on.
    ecn: Option<Marked>,
    /// The same under the newest release, where an endpoint has another size there.
    newest_ovs: Option<Newest>,
    sweep: Vec<Step>,
    flows: Vec<Row>,
    unread_lines: usize,
    #[serde(skip)]
    budget: &'a Budget,
}

/// Where the figures come from.
#[derive(Clone, Copy, Serialize)]
pub struct Origin {
    /// The deployment is the embedded one.
    pub example: bool,
    /// Nothing says which release of Open vSwitch it is.
    pub ovs_assumed: bool,
}

#[derive(Serialize)]
struct Shape {
    bytes: usize,
    parts: Vec<PartRow>,
}

#[derive(Serialize)]
struct PartRow {
    name: &'static str,
    bytes: usize,
}

#[derive(Serialize)]
struct LimitRow {
    name: &'static str,
    limit: Option<usize>,
    max_endpoints: Option<usize>,
}

#[derive(Serialize)]
struct KernelRow {
    releases: &'static str,
    rule: String,
    limit: Option<usize>,
    max_endpoints: Option<usize>,
}

#[derive(Serialize)]
struct Marked {
    endpoint_bytes: usize,
    max_endpoints: Option<usize>,
}

#[derive(Serialize)]
struct Newest {
    ovs: String,
    endpoint: Shape,
    limits: Vec<LimitRow>,
    other_kernels: Vec<KernelRow>,
}

#[derive(Serialize)]
struct Step {
    from: usize,
    to: usize,
    verdict: &'static str,
    reason: Option<String>,
}

impl<'a> Report<'a> {
    pub fn new(budget: &'a Budget, flows: Flows<'_>, origin: Origin) -> Result<Self, Failure> {
        let first = budget.capacity.first();
        let (verdict, reason) = words(&budget.verdict());
        let newest = budget.newest.as_deref().map(Newest::new).transpose()?;
        Ok(Self {
            bridge: &budget.bridge,
            origin,
            ovs: budget.ovs.to_string(),
            kernel: budget.limits.kernel().to_string(),
            endpoint: Shape::new(&budget.endpoint.actions)?,
            endpoints_of_this_size: budget.endpoint.same,
            once: Shape::new(&budget.once)?,
            endpoints: budget.endpoints,
            bytes: budget.template.bytes(budget.endpoints),
            verdict,
            reason,
            first_limit: first.last.map(|_| first.limit.name()),
            used_percent: percent(used(budget.endpoints, first.last)),
            limits: limit_rows(budget),
            other_kernels: kernel_rows(budget),
            ecn: budget.marked.as_ref().map(|marked| Marked {
                endpoint_bytes: marked.bytes(1) - marked.bytes(0),
                max_endpoints: marked.capacity(&budget.limits).first().last,
            }),
            newest_ovs: newest,
            sweep: budget
                .sweep()
                .into_iter()
                .map(|(from, to, verdict)| {
                    let (verdict, reason) = words(&verdict);
                    Step {
                        from,
                        to,
                        verdict,
                        reason,
                    }
                })
                .collect(),
            flows: flows.rows,
            unread_lines: flows.unread.lines,
            budget,
        })
    }

    pub fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(Failure::blind)
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        if self.origin.example {
            let _ = writeln!(out, "The deployment of the incident; --db reads yours.\n");
        }
        let assumed = if self.origin.ovs_assumed {
            " (assumed: the database does not say; --ovs does)"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "{}: {} endpoints, Open vSwitch {}{assumed}\n",
            self.bridge, self.endpoints, self.ovs
        );
        let _ = writeln!(
            out,
            "{} bytes per endpoint: {}",
            self.endpoint.bytes,
            self.endpoint.sum()
        );
        if self.once.bytes > 0 {
            let _ = writeln!(out, "{} bytes once: {}", self.once.bytes, self.once.sum());
        }
        let endpoint = &self.budget.endpoint;
        if endpoint.same < endpoint.count {
            let _ = writeln!(
                out,
                "{} of {} endpoints have this size, the others less: the figures take all for as large",
                endpoint.same, endpoint.count
            );
        }
        let _ = writeln!(
            out,
            "{} bytes in all\n\n{}",
            grouped(self.bytes),
            self.limits_table()
        );
        let _ = writeln!(out, "\n{}", self.sentence());
        if let Some(Marked {
            endpoint_bytes,
            max_endpoints: Some(last),
        }) = self.ecn
        {
            let _ = writeln!(
                out,
                "An IP packet with ECN bits takes {endpoint_bytes} bytes per endpoint: {last} fit."
            );
        }
        for Step {
            from,
            to,
            verdict,
            reason,
        } in &self.sweep
        {
            let _ = writeln!(
                out,
                "  {from} to {to}: {verdict}{}",
                after(": ", reason.as_deref())
            );
        }
        if !self.flows.is_empty() {
            let _ = write!(out, "\n{}", flows_table(&self.flows));
        }
        if self.unread_lines > 0 {
            let _ = write!(
                out,
                "\nlines of the dump that could not be read, see above: {}",
                self.unread_lines
            );
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn sentence(&self) -> String {
        let first = self.budget.capacity.first();
        let first = match first.last {
            Some(last) => format!("{} is met first, behind {last} endpoints", first.limit),
            None => "no limit is ever met".to_owned(),
        };
        match &self.reason {
            None => format!("{} endpoints fit; {first}.", self.endpoints),
            Some(reason) => format!("{} endpoints do not fit: {reason}; {first}.", self.endpoints),
        }
    }

    fn limits_table(&self) -> String {
        let number = |number: Option<usize>| number.map_or(String::new(), |number| number.to_string());
        let fits = |last: Option<usize>| last.map_or("all".to_owned(), |last| last.to_string());
        let beside = |last: Option<Option<usize>>| last.map_or(String::new(), fits);
        let newest = self.newest_ovs.as_ref();
        let limits = self.limits.iter().enumerate().map(|(i, limit)| {
            let used = percent(used(self.endpoints, limit.max_endpoints));
            [
                match limit.name {
                    "netdev_max_backlog" => "netdev_max_backlog, outputs".to_owned(),
                    "nlattr" => "netlink attribute, bytes".to_owned(),
                    _ => format!("kernel: {}", self.kernel),
                },
                number(limit.limit),
                fits(limit.max_endpoints),
                limit
                    .max_endpoints
                    .map_or(String::new(), |_| format!("{used:.1} %")),
                beside(newest.map(|newest| newest.limits[i].max_endpoints)),
                if self.first_limit == Some(limit.name) {
                    "<- first".to_owned()
                } else {
                    String::new()
                },
            ]
        });
        let kernels = self.other_kernels.iter().enumerate().map(|(i, kernel)| {
            [
                format!("  on kernels {}", kernel.releases),
                number(kernel.limit),
                fits(kernel.max_endpoints),
                String::new(),
                beside(newest.map(|newest| newest.other_kernels[i].max_endpoints)),
                String::new(),
            ]
        });
        let newest = newest.map_or(String::new(), |newest| {
            format!("OVS {}, {} B>", newest.ovs, newest.endpoint.bytes)
        });
        table(
            ["limit", "value>", "endpoints that fit>", "used>", &newest, ""],
            limits.chain(kernels),
        )
    }
}

impl Newest {
    fn new(budget: &Budget) -> Result<Self, Failure> {
        Ok(Self {
            ovs: budget.ovs.to_string(),
            endpoint: Shape::new(&budget.endpoint.actions)?,
            limits: limit_rows(budget),
            other_kernels: kernel_rows(budget),
        })
    }
}

impl Shape {
    fn new(actions: &Actions) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for action in actions.iter() {
            let of_action = action.parts().map_err(Failure::blind)?;
            parts.extend(
                of_action
                    .into_iter()
                    .map(|Part { name, bytes }| PartRow { name, bytes }),
            );
        }
        Ok(Self {
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
        })
    }

    fn sum(&self) -> String {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| format!("{} {}", part.name, part.bytes))
            .collect();
        parts.join(" + ")
    }
}

/// The verdict by the name that JSON carries, and why it is not `fast`.
pub fn words(verdict: &Verdict) -> (&'static str, Option<String>) {
    let name = match verdict {
        Verdict::Fast => return ("fast", None),
        Verdict::Kernel(Rejection::Unknown { .. }) => "unknown",
        Verdict::Kernel(_) => "kernel-reject",
        _ => "slow",
    };
    (name, Some(verdict.to_string()))
}

fn limit_rows(budget: &Budget) -> Vec<LimitRow> {
    let row = |bound: &Bound| LimitRow {
        name: bound.limit.name(),
        limit: bound.value,
        max_endpoints: bound.last,
    };
    budget.capacity.bounds().iter().map(row).collect()
}

fn kernel_rows(budget: &Budget) -> Vec<KernelRow> {
    let rows = budget.other_kernels().into_iter();
    rows.map(|(releases, rule, last)| KernelRow {
        releases,
        rule: rule.to_string(),
        limit: rule.bytes(),
        max_endpoints: last,
    })
    .collect()
}

fn flows_table(rows: &[Row]) -> String {
    let number = |number: Option<usize>| number.map_or(String::new(), |number| number.to_string());
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
    table(
        [
            "table>",
            "priority>",
            "outputs>",
            "bytes>",
            "verdict",
            "room for>",
            "match",
            "why",
        ],
        rows.iter().map(cells),
    )
}

/// Tenths of a per cent as per cent.
fn percent(tenths: usize) -> f64 {
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

fn after(separator: &str, text: Option<&str>) -> String {
    text.map_or(String::new(), |text| format!("{separator}{text}"))
}
