//! Endpoints as Neutron and OVN make them, and such as cannot be told, in `action-budget` and `dp-health`.

use odp_actions::Actions;
use serde_json::{Value, json};
use testbed::{OvsdbServer, Switch, or_skip};

use crate::tool::{Run, run, run_on_terminal_of};

/// What Neutron sets for each tunnel but `remote_ip`.
const NEUTRON: [&str; 5] = [
    "options:df_default=true",
    "options:egress_pkt_mark=0",
    "options:in_key=flow",
    "options:out_key=flow",
    "options:local_ip=10.9.0.1",
];
const OVN: [&str; 2] = ["options:csum=true", "options:key=flow"];

/// Words of one `ovs-vsctl` that adds ports.
#[derive(Default)]
struct Ports(Vec<String>);

impl Ports {
    fn add(&mut self, bridge: &str, name: &str, columns: &[&str], settings: &[&str]) {
        let words = ["--", "--may-exist", "add-port", bridge, name];
        let set = ["--", "set", "Interface", name];
        let all = words.iter().chain(columns).chain(&set).chain(settings);
        self.0.extend(all.map(|word| (*word).to_owned()));
    }

    fn tunnels(&mut self, kind: &str, options: &[&str], ofports: std::ops::RangeInclusive<u32>) {
        for n in ofports {
            let (kind, remote) = (
                format!("type={kind}"),
                format!("options:remote_ip=10.8.{}.{}", n / 250, n % 250 + 1),
            );
            let (ofport, ofport_request) = (format!("ofport={n}"), format!("ofport_request={n}"));
            let settings = [&[&*kind, &remote, &ofport, &ofport_request], options].concat();
            self.add("br-tun", &format!("t{n}"), &[], &settings);
        }
    }

    fn patch(&mut self, (bridge, name): (&str, &str), (far, peer): (&str, &str)) {
        for (bridge, name, peer) in [(bridge, name, peer), (far, peer, name)] {
            let peer = format!("options:peer={peer}");
            self.add(
                bridge,
                name,
                &[],
                &["type=patch", &peer, "ofport=1", "ofport_request=1"],
            );
        }
    }

    fn words(&self) -> Vec<&str> {
        self.0[1..].iter().map(String::as_str).collect()
    }
}

fn budget(db: &str, args: &[&str], input: &str) -> Run {
    let common = ["--db", db, "--kernel", "6.1.192"];
    run("action-budget", &[&common[..], args].concat(), input)
}

fn health(server: &OvsdbServer, args: &[&str]) -> Run {
    let remote = server.remote();
    let common = ["--db", &remote, "--pid", "4194304", "--interval", "0"];
    run("dp-health", &[&common[..], args].concat(), "")
}

/// A database of `br-tun` with three plain ports and these tunnels.
fn with_tunnels(kind: &str, options: &[&str], count: u32) -> Option<OvsdbServer> {
    let server = or_skip(OvsdbServer::start())?;
    server.vsctl(&["add-br", "br-tun"]).unwrap();
    let mut ports = Ports::default();
    for n in 1..4 {
        ports.add(
            "br-tun",
            &format!("p{n}"),
            &[],
            &[&format!("ofport={}", n + 5000)],
        );
    }
    ports.tunnels(kind, options, 1..=count);
    server.vsctl(&ports.words()).unwrap();
    Some(server)
}

#[test]
fn a_tunnel_of_neutron_is_64_bytes_and_another_mark_12_more() {
    let Some(server) = with_tunnels("vxlan", &NEUTRON, 30) else {
        return;
    };
    let report = budget(
        &server.remote(),
        &["--ovs", "3.1", "--backlog", "1000", "--json"],
        "",
    )
    .json();
    assert_eq!(
        ["endpoints", "endpoints_of_this_size", "bytes", "other_mark_bytes"].map(|key| report[key].clone()),
        [json!(30), json!(30), json!(4 + 30 * 64), json!(12)],
        "{report}"
    );
}

#[test]
fn an_endpoint_that_cannot_be_told_makes_all_unknown() {
    let cases: [(&str, &[&str]); 9] = [
        ("vxlan", &["options:remote_ip=flow"]),
        ("vxlan", &["options:local_ip=flow"]),
        ("vxlan", &["options:of_next_year=1"]),
        ("gre", &["options:packet_type=legacy_l3"]),
        ("erspan", &["options:erspan_ver=flow"]),
        ("gtpu", &[]),
        ("stt", &[]),
        ("of_next_year", &[]),
        ("vxlan", &["ofport=[]"]),
    ];
    for (nth, (kind, odd)) in cases.into_iter().enumerate() {
        let Some(server) = with_tunnels("vxlan", &NEUTRON, 3) else {
            return;
        };
        let mut ports = Ports::default();
        let remote = ["options:remote_ip=10.7.0.1", "ofport=99"];
        let kind = format!("type={kind}");
        ports.add("br-tun", "odd", &[], &[&remote[..], &[&kind], odd].concat());
        server.vsctl(&ports.words()).unwrap();
        for only_odd in [false, true] {
            if only_odd {
                server
                    .vsctl(&["del-port", "t1", "--", "del-port", "t2", "--", "del-port", "t3"])
                    .unwrap();
            }
            let told = budget(&server.remote(), &["--json"], "");
            let report = told.json();
            assert_eq!(
                (told.status, &report["verdict"]),
                (3, &json!("unknown")),
                "{kind} {odd:?} {report}"
            );
            assert_eq!(report["endpoints"], Value::Null, "{report}");
            assert!(
                report["reason"].as_str().unwrap().starts_with("port odd: "),
                "{report}"
            );
            let text = budget(&server.remote(), &["--endpoints", "5"], "");
            assert_eq!(text.status, 3, "{text:?}");
            assert!(text.stdout.contains("unknown how many endpoints fit"), "{text:?}");
            let probe = health(&server, &[]);
            if nth > 0 {
                continue;
            }
            // Ports without a device are a finding, too.
            assert!([2, 3].contains(&probe.status), "{probe:?}");
            assert!(
                probe.stdout.contains("br-tun: unknown how many") && probe.stdout.contains(" flood_used=U"),
                "{probe:?}"
            );
            assert_eq!(
                health(&server, &["--json"]).json()["figures"]["flood_used_percent"],
                Value::Null
            );
            let page = health(&server, &["--prom"]).stdout;
            assert!(
                page.contains("ovs_bridge_flood_known{bridge=\"br-tun\"} 0\n"),
                "{page}"
            );
            assert!(!page.contains("flood_endpoints{"), "{page}");
        }
    }
}

#[test]
fn an_endpoint_of_ovn_is_72_bytes_and_its_packets_have_no_tag() {
    let Some(server) = with_tunnels("geneve", &OVN, 200) else {
        return;
    };
    let ask = |input: &str| {
        let args = ["--ovs", "3.1", "--backlog", "1000", "--json", "--flows", "-"];
        budget(&server.remote(), &args, input)
    };
    let flow =
        |fields: &str| format!("NXST_FLOW reply (xid=0x4):\n table=0, priority=1 actions={fields}output:1\n");
    // Somebody else's Geneve: the options decide, and a flow that sets some has the last word.
    let other = ask(&flow("set_tunnel:0x1,"));
    assert_eq!(
        (other.status, &other.json()["endpoint"]["bytes"]),
        (0, &json!(60)),
        "{other:?}"
    );
    assert!(
        other.json()["assumption"]
            .as_str()
            .unwrap()
            .contains("no Geneve options"),
        "{other:?}"
    );
    let other = ask(&flow("set_field:0x1->tun_metadata0,"));
    assert_eq!(
        (other.status, &other.json()["verdict"]),
        (3, &json!("unknown")),
        "{other:?}"
    );

    let mark = ["set", "Port", "t1", "external_ids:ovn-chassis-id=hv2@10.8.0.2"];
    server.vsctl(&mark).unwrap();
    let flow = flow(
        "load:0x1->NXM_NX_TUN_ID[0..23],set_field:0x8000->tun_metadata0,move:NXM_NX_REG14[0..14]->NXM_NX_TUN_METADATA0[16..30],",
    );
    let report = ask(&flow).json();
    assert_eq!(
        (
            &report["endpoint"]["bytes"],
            &report["once"]["bytes"],
            &report["limits"][1]["max_endpoints"]
        ),
        (&json!(72), &json!(0), &json!(910)),
        "{report}"
    );
    assert_eq!(
        (&report["assumption"], &report["flows"][0]["bytes"]),
        (&Value::Null, &json!(72)),
        "{report}"
    );
    for (endpoints, status) in [(910, 1), (911, 2)] {
        let endpoints = endpoints.to_string();
        let run = budget(
            &server.remote(),
            &["--ovs", "3.1", "--backlog", "1000", "--endpoints", &endpoints],
            "",
        );
        assert_eq!(run.status, status, "{run:?}");
    }
}

/// `br-int` with taps in one VLAN, joined to `br-tun` with tunnels, as Neutron has them.
struct Neutron {
    switch: Switch,
}

impl Neutron {
    fn start(taps: u32, tunnels: u32, backlog: u32) -> Option<Self> {
        let switch = or_skip(Switch::with_backlog(backlog))?;
        switch.add_bridge("br-int").unwrap();
        switch.add_bridge("br-tun").unwrap();
        switch
            .appctl(&["dpif/set-dp-features", "br-tun", "tnl_push_pop", "false"])
            .unwrap();
        let mut ports = Ports::default();
        ports.patch(("br-int", "patch-tun"), ("br-tun", "patch-int"));
        for n in 2..2 + taps {
            let ofport = format!("ofport_request={n}");
            ports.add("br-int", &format!("tap{n}"), &["tag=1"], &["type=dummy", &ofport]);
        }
        ports.tunnels("vxlan", &NEUTRON, 2..=1 + tunnels);
        // The switch gives the numbers itself.
        ports.0.retain(|word| !word.starts_with("ofport="));
        switch.vsctl(&ports.words()).unwrap();
        let add = |bridge: &str, flow: &str| switch.ofctl(&["add-flow", &switch.mgmt(bridge), flow]).unwrap();
        add("br-int", "table=0,actions=NORMAL");
        add("br-tun", "table=0,in_port=1,actions=resubmit(,22)");
        let outputs: Vec<_> = (2..=1 + tunnels).map(|port| format!("output:{port}")).collect();
        let outputs = outputs.join(",");
        add(
            "br-tun",
            &format!("table=22,dl_vlan=1,actions=strip_vlan,set_tunnel:0x4d1,{outputs}"),
        );
        Some(Self { switch })
    }

    /// What the switch does with a broadcast of a tap, and what the tool says of the flow that floods it.
    fn compare(&self, backlog: &str) -> (usize, bool, Value) {
        let packet = "in_port=tap2,arp,dl_dst=ff:ff:ff:ff:ff:ff";
        let trace = self.switch.appctl(&["ofproto/trace", "br-int", packet]).unwrap();
        let traced = trace
            .lines()
            .find_map(|line| line.strip_prefix("Datapath actions: "));
        let traced: Actions = traced.unwrap().parse().unwrap();
        let dump = self
            .switch
            .ofctl(&["dump-flows", &self.switch.mgmt("br-tun")])
            .unwrap();
        let db = self.switch.db().remote();
        let args = [
            "--bridge",
            "br-tun",
            "--flows",
            "-",
            "--backlog",
            backlog,
            "--json",
        ];
        let report = budget(&db, &args, &dump).json();
        let flow = report["flows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|flow| flow["table"] == 22);
        let flow = flow.unwrap().clone();
        let outputs = traced.output_count();
        let (least, most) = (flow["outputs"].as_u64(), flow["outputs_max"].as_u64());
        let count = u64::try_from(outputs).ok();
        assert!(least <= count && count <= most, "{outputs}: {flow}");
        let bytes = u64::try_from(traced.encoded_len().unwrap()).ok();
        assert!(
            flow["bytes"].as_u64() <= bytes && bytes <= flow["bytes_max"].as_u64(),
            "{bytes:?}: {flow}"
        );
        (outputs, trace.contains("userspace slow path"), flow)
    }
}

#[test]
fn a_flow_that_fits_alone_is_not_fast_if_the_packet_comes_from_another_bridge() {
    let Some(scene) = Neutron::start(13, 95, 101) else {
        return;
    };
    let (outputs, is_slow, flow) = scene.compare("101");
    assert_eq!((outputs > 101, is_slow), (true, true), "{outputs}");
    assert_eq!(
        (&flow["verdict"], &flow["headroom_endpoints"]),
        (&json!("unknown"), &Value::Null),
        "{flow}"
    );
    assert!(
        flow["reason"].as_str().unwrap().starts_with(
            "fast by itself, but other flows may send the packet to other ports of br-tun and br-int"
        ),
        "{flow}"
    );
    // Where there is room for all of them, it is fast, and the room is what is left beside them.
    let (outputs, _, flow) = scene.compare("200");
    assert_eq!(flow["verdict"], "fast", "{flow}");
    assert!(
        flow["headroom_endpoints"].as_u64().unwrap() + u64::try_from(outputs).unwrap() <= 200,
        "{flow}"
    );
}

#[test]
fn normal_goes_through_patch_ports_whatever_the_rows_are() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    for bridge in ["bra", "brb"] {
        switch.add_bridge(bridge).unwrap();
        switch.vsctl(&["del-fail-mode", bridge]).unwrap();
    }
    let ask = |db: &str| {
        let flows = "NXST_FLOW reply (xid=0x4):\n table=0, priority=0 actions=NORMAL\n";
        let run = budget(
            db,
            &["--bridge", "bra", "--flows", "-", "--backlog", "1000", "--json"],
            flows,
        );
        let flow = run.json()["flows"][0].clone();
        let figures = ["verdict", "bytes", "outputs"].map(|key| flow[key].clone());
        assert_eq!(figures, [json!("fast"), json!(80), json!(10)], "{flow}");
        // There is no other port.
        assert_eq!(
            (&flow["headroom_endpoints"], &flow["outputs_max"]),
            (&json!(990), &Value::Null),
            "{flow}"
        );
        assert!(
            flow["reason"]
                .as_str()
                .unwrap()
                .contains("if bridge brb has no flow but the NORMAL"),
            "{flow}"
        );
    };
    let scene = || {
        let mut ports = Ports::default();
        ports.patch(("bra", "pa"), ("brb", "pb"));
        ports.add("bra", "e2", &[], &["type=dummy", "ofport_request=2", "ofport=2"]);
        for n in 2..10 {
            ports.add(
                "brb",
                &format!("f{n}"),
                &[],
                &[
                    "type=dummy",
                    &format!("ofport_request={n}"),
                    &format!("ofport={n}"),
                ],
            );
        }
        ports
    };
    let mut ports = scene();
    ports.0.retain(|word| !word.starts_with("ofport="));
    switch.vsctl(&ports.words()).unwrap();
    ask(&switch.db().remote());
    let trace = switch
        .appctl(&["ofproto/trace", "bra", "in_port=e2,arp,dl_dst=ff:ff:ff:ff:ff:ff"])
        .unwrap();
    let traced = trace
        .lines()
        .find_map(|line| line.strip_prefix("Datapath actions: "));
    let traced: Actions = traced.unwrap().parse().unwrap();
    assert_eq!(
        (traced.output_count(), traced.encoded_len()),
        (10, Ok(80)),
        "{trace}"
    );
    // The order of rows follows their UUIDs.
    for _ in 0..4 {
        let Some(server) = or_skip(OvsdbServer::start()) else {
            return;
        };
        server.vsctl(&["add-br", "bra", "--", "add-br", "brb"]).unwrap();
        let local = [
            "set",
            "Interface",
            "bra",
            "ofport=65534",
            "--",
            "set",
            "Interface",
            "brb",
            "ofport=65534",
        ];
        server.vsctl(&local).unwrap();
        server.vsctl(&scene().words()).unwrap();
        ask(&server.remote());
    }
}

#[test]
fn flows_that_cannot_be_told_are_a_number_for_each_reason() {
    let Some(server) = with_tunnels("vxlan", &NEUTRON, 30) else {
        return;
    };
    let mut dump = "NXST_FLOW reply (xid=0x4):\n".to_owned();
    for n in 0..40 {
        dump += &format!(
            " table=0, priority=5,dl_src=02:00:00:00:00:{n:02x},dl_dst=02:00:00:00:01:{n:02x},dl_vlan=5 actions=resubmit(,{n})\n"
        );
        dump += &format!(" table=1, priority=6,ip,nw_src=10.0.0.{n} actions=ct(table={n})\n");
    }
    dump += " table=22, priority=1,dl_vlan=1,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff actions=strip_vlan,output:1,output:2\n";
    let db = server.remote();
    let args = ["--flows", "-", "--backlog", "1000"];
    let text = budget(&db, &args, &dump).stdout;
    let counts = ["   40  continues in another table\n", "   40  ct: not modelled"];
    assert!(counts.iter().all(|count| text.contains(count)), "{text}");
    assert!(
        !text.contains("resubmit(,7)") && text.contains("dl_vlan=1"),
        "{text}"
    );
    let all = budget(&db, &[&args[..], &["--all"]].concat(), &dump).stdout;
    assert!(
        all.contains("resubmit(,7): continues in another table") && !all.contains("--all"),
        "{all}"
    );
    let report = budget(&db, &[&args[..], &["--json"]].concat(), &dump).json();
    assert_eq!(report["flows"].as_array().unwrap().len(), 81);
    assert_eq!(
        report["unknown_flows"],
        json!({ "continues in another table": 40, "ct: not modelled": 40 })
    );

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, &dump).unwrap();
    let file = file.path().to_str().unwrap();
    let args = [
        "--db",
        &db,
        "--kernel",
        "6.1.192",
        "--backlog",
        "1000",
        "--ovs",
        "2.5",
        "--flows",
        file,
        "--all",
    ];
    let text = run_on_terminal_of(100, "action-budget", &args, "");
    let tables = text
        .split("\n\n")
        .filter(|part| part.starts_with("limit ") || part.starts_with("table "));
    let rows: Vec<_> = tables.flat_map(str::lines).collect();
    assert!(
        rows.len() > 80 && rows.iter().all(|row| row.chars().count() <= 100),
        "{text}"
    );
}

#[test]
fn groups_are_no_flows() {
    let dump = "OFPST_GROUP_DESC reply (OF1.5) (xid=0x2):\n \
                group_id=4,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:100,actions=output:1\n \
                group_id=3,type=all,bucket=actions=output:2\n";
    for input in [dump, dump.split_once('\n').unwrap().1] {
        let run = run("action-budget", &["--json", "--flows", "-"], input);
        assert_eq!((run.status, &run.json()["flows"]), (3, &json!([])), "{run:?}");
        assert!(run.stderr.contains("dump-groups"), "{run:?}");
    }
    let run = run("flow-dump", &["-"], dump);
    assert!(run.status == 3 && !run.stdout.contains("group_id"), "{run:?}");
}

#[test]
fn the_name_of_a_bridge_stays_in_its_line() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let name = "x\"} 1\novs_up{source=\"evil\"} 0\u{1b}[31m|lost=0c\\";
    server.vsctl(&["add-br", name]).unwrap();
    let mut ports = Ports::default();
    ports.add(name, "p1", &[], &["ofport=1"]);
    ports.add(name, "gone", &[], &["ofport=-1", "error=\"no such device\""]);
    server.vsctl(&ports.words()).unwrap();
    let db = server.remote();
    let dir = tempfile::tempdir().unwrap();
    let svg = dir.path().join("plot.svg").display().to_string();
    let health = |format: &[&'static str]| {
        let common = ["--db", &*db, "--pid", "4194304", "--interval", "0"];
        ("dp-health", [&common[..], format].concat())
    };
    let audit = |format: &[&'static str]| {
        (
            "port-audit",
            [&["--db", &*db, "--interval", "0"], format].concat(),
        )
    };
    for (tool, args) in [
        ("action-budget", vec!["--db", &db, "--svg", &svg]),
        ("action-budget", vec!["--db", &db, "--json"]),
        ("action-budget", vec!["--db", &db, "--bridge", "nobody"]),
        health(&[]),
        health(&["--json"]),
        health(&["--prom"]),
        audit(&["--all"]),
        audit(&["--suggest"]),
        audit(&["--json"]),
    ] {
        let run = run(tool, &args, "");
        let said = [&run.stdout, &run.stderr];
        let is_control = |c: char| c.is_control() && c != '\n';
        assert!(
            said.iter().all(|text| !text.contains(is_control)),
            "{tool} {args:?} {run:?}"
        );
        assert!(
            said.iter()
                .all(|text| text.lines().all(|line| !line.starts_with("ovs_up{source=\"evil"))),
            "{run:?}"
        );
        assert!(
            run.stderr
                .lines()
                .all(|line| line.starts_with(&format!("{tool}: "))),
            "{run:?}"
        );
        if tool == "dp-health" && args.len() == 6 {
            assert_eq!(
                (run.stdout.lines().count(), run.stdout.matches('|').count()),
                (1, 1),
                "{run:?}"
            );
        }
    }
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(
        svg.contains("&quot;} 1\\novs_up") && !svg.contains('\u{1b}'),
        "{svg}"
    );
}
