//! The metrics in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use netlink_genl::accounting::Role;

use crate::look::{Datapath, Look};

/// Name, help and value.
type Gauge = (&'static str, &'static str, fn(&Datapath) -> u64);

/// The page.
pub fn page(look: &Look) -> String {
    let mut page = Page(String::new());
    page.family("ovs_up", "gauge", "Whether this could be read.", || {
        look.sources()
            .map(|(source, why)| ([("source", source.to_owned())], u64::from(why.is_none())))
    });
    let datapaths = look.datapaths.as_deref().unwrap_or_default();
    page.family(
        "ovs_datapath_lookups_total",
        "counter",
        "Packets that met a flow, that met none and went to ovs-vswitchd, and that were lost on the way there.",
        || {
            datapaths.iter().flat_map(|datapath| {
                let stats = datapath.stats;
                [("hit", stats.hit), ("missed", stats.missed), ("lost", stats.lost)]
                    .map(|(result, n)| ([("datapath", datapath.name.clone()), ("result", result.to_owned())], n))
            })
        },
    );
    let gauges: [Gauge; 3] = [
        ("ovs_datapath_flows", "Flows of the datapath.", |datapath| {
            datapath.stats.flows
        }),
        (
            "ovs_datapath_masks",
            "Masks of the datapath's flows; each costs lookups.",
            |datapath| datapath.megaflow_stats.masks.into(),
        ),
        ("ovs_datapath_ports", "Ports of the datapath.", |datapath| {
            u64::try_from(datapath.ports).unwrap_or(u64::MAX)
        }),
    ];
    for (name, help, value) in gauges {
        page.family(name, "gauge", help, || {
            datapaths
                .iter()
                .map(|datapath| ([("datapath", datapath.name.clone())], value(datapath)))
        });
    }
    if let Ok(upcalls) = &look.upcalls {
        let roles = [
            ("referenced", Role::Referenced),
            ("own", Role::Own),
            ("orphaned", Role::Orphaned),
            ("unknown", Role::Unknown),
        ];
        page.family(
            "ovs_vswitchd_netlink_sockets",
            "gauge",
            "Generic netlink sockets of ovs-vswitchd; orphaned ones are lost until it is restarted.",
            || roles.map(|(name, role)| ([("role", name.to_owned())], upcalls.accounting.count(role))),
        );
        page.family(
            "ovs_vswitchd_open_fds",
            "gauge",
            "Open descriptors of ovs-vswitchd.",
            || upcalls.open.map(|open| ([], open)),
        );
        page.family(
            "ovs_vswitchd_max_fds",
            "gauge",
            "How many descriptors ovs-vswitchd may have open.",
            || upcalls.limit.map(|limit| ([], limit)),
        );
    }
    if look.ports.is_ok() {
        page.family(
            "ovs_interfaces",
            "gauge",
            "Interfaces of the database by what is behind them.",
            || {
                let states = look.states().into_iter();
                states.map(|(state, n)| ([("state", state.name().to_owned())], n))
            },
        );
    }
    let floods = look.floods.as_deref().unwrap_or_default();
    page.family(
        "ovs_bridge_flood_endpoints",
        "gauge",
        "Ports that a packet to all endpoints of the bridge goes to.",
        || {
            floods
                .iter()
                .map(|flood| ([("bridge", flood.bridge.clone())], flood.endpoints))
        },
    );
    page.family(
        "ovs_bridge_flood_endpoints_max",
        "gauge",
        "How many of them fit the limit that is met first; beyond it every such packet goes through ovs-vswitchd.",
        || {
            floods.iter().filter_map(|flood| {
                let limit = flood.bound.limit.name().to_owned();
                Some(([("bridge", flood.bridge.clone()), ("limit", limit)], flood.bound.last?))
            })
        },
    );
    page.0
}

struct Page(String);

impl Page {
    /// A family of samples, each with its labels. Without samples there is no family.
    fn family<const N: usize, V: Display, I>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl FnOnce() -> I,
    ) where
        I: IntoIterator<Item = ([(&'static str, String); N], V)>,
    {
        let mut samples = samples().into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            let _ = match labels.is_empty() {
                true => writeln!(self.0, "{name} {value}"),
                false => writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")),
            };
        }
    }
}

/// The value of a label.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', r#"\""#)
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use examples::upcalls::Upcalls;
    use netlink_genl::accounting::Accounting;
    use netlink_genl::ovs::datapath::{MegaflowStats, Stats};
    use odp_actions::{Bound, Limit};
    use testbed::or_skip;

    use super::*;
    use crate::look::Flood;

    /// Every family, with labels that have to be escaped.
    fn look() -> Look {
        Look {
            datapaths: Ok(vec![Datapath {
                name: r#"a"b\c"#.to_owned(),
                ports: 3,
                stats: Stats {
                    hit: u64::MAX,
                    missed: 2,
                    lost: 1,
                    flows: 7,
                },
                megaflow_stats: MegaflowStats {
                    mask_hit: 9,
                    masks: 4,
                    cache_hit: 0,
                },
            }]),
            upcalls: Ok(Upcalls {
                accounting: Accounting {
                    attributed: true,
                    sockets: vec![],
                    dangling: [].into(),
                    dispatch: [].into(),
                },
                dispatch: None,
                deaf: false,
                ports: 0,
                per_port: 0,
                open: Some(41),
                limit: Some(65535),
            }),
            ports: Ok(vec![]),
            floods: Ok(vec![Flood {
                bridge: "br-\n tun".to_owned(),
                endpoints: 859,
                bound: Bound {
                    limit: Limit::Outputs,
                    value: Some(1000),
                    last: Some(1000),
                },
            }]),
        }
    }

    #[test]
    fn promtool_finds_no_fault_with_any_family() {
        let Some(promtool) = or_skip(testbed::program("promtool")) else {
            return;
        };
        let page = page(&look());
        assert_eq!(page.matches("# TYPE ").count(), 11, "{page}");
        let mut check = Command::new(promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.is_empty(), "{said}\n{page}");
        assert!(page.contains(r#"{datapath="a\"b\\c",result="lost"} 1"#), "{page}");
    }
}
