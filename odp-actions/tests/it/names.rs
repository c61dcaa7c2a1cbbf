//! Ports by name: flows of a real datapath, as it dumps them with `--names` and without.

use odp_actions::{Actions, Flow, PortNames};
use testbed::{Switch, or_skip};

use crate::dpctl::list;
use crate::random::Random;

const DATAPATH: &str = "dummy@names";

/// Some of them are words of the language, too.
const PORTS: [&str; 6] = ["eth0", "vnet-1.2", "push_vlan", "clone", "0x7", "tnl_pop"];

#[test]
fn ports_print_by_name_as_the_switch_prints_them_and_are_read() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    // From a datapath with bridges the switch removes flows that are not its own.
    switch.appctl(&["dpctl/add-dp", DATAPATH]).unwrap();
    for port in PORTS {
        let port = format!("{port},type=dummy");
        switch.appctl(&["dpctl/add-if", DATAPATH, &port]).unwrap();
    }
    let ports = ports(&switch);
    assert!(PORTS.iter().all(|name| ports.number(name).is_some()), "{ports:?}");
    let mut random = Random::new();
    let pushes = include_str!("../vectors/actions.tsv").lines().filter_map(|row| {
        let text = row.split('\t').nth(2)?;
        text.starts_with("tnl_push(")
            .then(|| text.parse::<Actions>().unwrap())
    });
    let lists: Vec<Actions> = pushes
        .step_by(8)
        .chain((0..250).map(|_| list(&mut random, 2)))
        .collect();
    let mut added = 0;
    for (number, list) in lists.iter().enumerate() {
        let key = format!(
            "in_port({}),eth(src=00:00:00:00:{:02x}:{:02x},dst=00:00:00:00:00:01),eth_type(0x1234)",
            number % 8,
            number / 256,
            number % 256
        );
        // Some it cannot do, and some it has no room for in its answer.
        added += usize::from(
            switch
                .appctl(&["dpctl/add-flow", DATAPATH, &key, &list.to_string()])
                .is_ok(),
        );
    }
    assert!(added > lists.len() / 2, "{added} of {}", lists.len());
    for option in [&[][..], &["-m"]] {
        let dump = |names| {
            let args = [&["dpctl/dump-flows"], option, names, &[DATAPATH]].concat();
            let dump = switch.appctl(&args).unwrap();
            let flows = dump.lines().filter(|line| !line.starts_with("flow-dump from"));
            flows.map(str::to_owned).collect::<Vec<_>>()
        };
        let (numbered, named) = (dump(&["--no-names"]), dump(&["--names"]));
        assert_eq!((numbered.len(), named.len()), (added, added));
        let mut different = 0;
        for (numbered, named) in numbered.iter().zip(&named) {
            let numbered: Flow = numbered.parse().unwrap();
            assert!(numbered.actions.parsed().is_some(), "{numbered:?}");
            assert_eq!(&numbered.named(&ports).to_string(), named);
            assert_eq!(Flow::parse_named(named, &ports).unwrap(), numbered);
            different += usize::from(&numbered.to_string() != named);
        }
        assert!(different > added / 2, "{different} of {added}");
    }
}

/// `  port 1: eth0 (dummy)`
fn ports(switch: &Switch) -> PortNames {
    let show = switch.appctl(&["dpctl/show", DATAPATH]).unwrap();
    let ports = show.lines().filter_map(|line| {
        let (number, rest) = line.trim().strip_prefix("port ")?.split_once(": ")?;
        Some((number.parse().ok()?, rest.split(' ').next()?.to_owned()))
    });
    ports.collect()
}
