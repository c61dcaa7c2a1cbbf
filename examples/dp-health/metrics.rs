//! What a look found, as metrics.

use examples::prometheus::{Label, Page};
use netlink_genl::accounting::Role;

use crate::look::{Datapath, Look};

/// The page.
pub fn page(look: &Look) -> String {
    let mut page = Page::default();
    let sources = look.sources();
    page.family(
        "gauge",
        "ovs_up",
        "Whether this could be read.",
        sources.map(|(source, why)| (label("source", source), u64::from(why.is_none()))),
    );
    datapaths(look.datapaths.as_deref().unwrap_or_default(), &mut page);
    if let Ok(upcalls) = &look.upcalls {
        let roles = [
            ("referenced", Role::Referenced),
            ("own", Role::Own),
            ("orphaned", Role::Orphaned),
            ("unknown", Role::Unknown),
        ];
        // Without the right to read whose they are, none of them is known to be its own or lost.
        let is_known =
            |role: &Role| upcalls.accounting.attributed || !matches!(role, Role::Own | Role::Orphaned);
        let roles = roles.into_iter().filter(|(_, role)| is_known(role));
        page.family(
            "gauge",
            "ovs_vswitchd_netlink_sockets",
            "Generic netlink sockets of ovs-vswitchd; orphaned ones are lost until it is restarted.",
            roles.map(|(name, role)| (label("role", name), upcalls.accounting.count(role))),
        );
        page.family(
            "gauge",
            "ovs_vswitchd_open_fds",
            "Open descriptors of ovs-vswitchd.",
            upcalls.open.map(|open| ([], open)),
        );
        page.family(
            "gauge",
            "ovs_vswitchd_max_fds",
            "How many descriptors ovs-vswitchd may have open.",
            upcalls.limit.map(|limit| ([], limit)),
        );
    }
    if look.ports.is_ok() {
        let states = look.states().into_iter();
        page.family(
            "gauge",
            "ovs_interfaces",
            "Interfaces of the database by what is behind them.",
            states.map(|(state, n)| (label("state", state.name()), n)),
        );
    }
    let floods = look.floods.as_deref().unwrap_or_default().iter();
    page.family(
        "gauge",
        "ovs_bridge_flood_known",
        "Whether it can be told what a packet to all endpoints of the bridge takes.",
        floods
            .clone()
            .map(|flood| (label("bridge", &flood.bridge), u64::from(flood.flood.is_ok()))),
    );
    let floods = floods.filter_map(|flood| flood.flood.as_ref().ok());
    page.family(
        "gauge",
        "ovs_bridge_flood_endpoints",
        "Ports that a packet to all endpoints of the bridge goes to.",
        floods
            .clone()
            .map(|flood| (label("bridge", &flood.bridge), flood.endpoint.count)),
    );
    page.family(
        "gauge",
        "ovs_bridge_flood_endpoints_max",
        "How many of them fit the limit that is met first; beyond it every such packet goes through ovs-vswitchd.",
        floods.filter_map(|flood| {
            let first = flood.capacity.first();
            let [bridge] = label("bridge", &flood.bridge);
            let [limit] = label("limit", first.limit.name());
            Some(([bridge, limit], first.last?))
        }),
    );
    page.text()
}

fn datapaths(datapaths: &[Datapath], page: &mut Page) {
    let lookups = datapaths.iter().flat_map(|datapath| {
        let stats = datapath.stats;
        let results = [("hit", stats.hit), ("missed", stats.missed), ("lost", stats.lost)];
        results.map(|(result, n)| {
            let [of] = label("datapath", &datapath.name);
            ([of, ("result", result.to_owned())], n)
        })
    });
    page.family(
        "counter",
        "ovs_datapath_lookups_total",
        "Packets that met a flow, that met none and went to ovs-vswitchd, and that were lost on the way there.",
        lookups,
    );
    let mut gauge = |name: &str, help: &str, value: fn(&Datapath) -> u64| {
        let samples = datapaths.iter();
        let samples = samples.map(|datapath| (label("datapath", &datapath.name), value(datapath)));
        page.family("gauge", name, help, samples);
    };
    gauge("ovs_datapath_flows", "Flows of the datapath.", |datapath| {
        datapath.stats.flows
    });
    gauge(
        "ovs_datapath_masks",
        "Masks of the datapath's flows; each costs lookups.",
        |datapath| datapath.megaflow_stats.masks.into(),
    );
    gauge("ovs_datapath_ports", "Ports of the datapath.", |datapath| {
        u64::try_from(datapath.ports).unwrap_or(u64::MAX)
    });
}

fn label(name: &'static str, value: &str) -> [Label; 1] {
    [(name, value.to_owned())]
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use examples::bridge::{Bridge, NEWEST};
    use examples::flood::Flood;
    use examples::upcalls::Upcalls;
    use netlink_genl::accounting::Accounting;
    use netlink_genl::ovs::datapath::{MegaflowStats, Stats};
    use odp_actions::Limits;
    use odp_actions::xlate::Packet;
    use testbed::or_skip;

    use super::*;
    use crate::look::BridgeFlood;

    /// Every family, with labels that have to be escaped.
    fn look() -> Look {
        let mut bridge = Bridge::incident(859);
        bridge.name = "br-\n tun".to_owned();
        let flood = Flood::of(&bridge, NEWEST, Limits::host(), Packet::default());
        let flood = flood.unwrap().unwrap();
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
            release: None,
            ports: Ok(vec![]),
            floods: Ok(vec![
                BridgeFlood {
                    bridge: bridge.name,
                    flood: Ok(flood),
                },
                BridgeFlood {
                    bridge: "br-int".to_owned(),
                    flood: Err("an option".to_owned()),
                },
            ]),
        }
    }

    #[test]
    fn promtool_finds_no_fault_with_any_family() {
        let Some(promtool) = or_skip(testbed::program("promtool")) else {
            return;
        };
        let page = page(&look());
        assert_eq!(page.matches("# TYPE ").count(), 12, "{page}");
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
        let of_int: Vec<_> = page.lines().filter(|line| line.contains("br-int")).collect();
        assert_eq!(of_int, [r#"ovs_bridge_flood_known{bridge="br-int"} 0"#]);
    }
}
