//! `action-budget` beside `ofproto/trace` of a real ovs-vswitchd.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use odp_actions::Actions;
use serde_json::{Value, json};
use testbed::{OvsdbServer, Switch, or_skip};

use crate::tool::{Run, run, run_without_reader};

fn budget(args: &[&str], input: &str) -> Run {
    run("action-budget", args, input)
}

/// The last endpoint counts that fit, in the order backlog, attribute, kernel.
fn last(report: &Value) -> Vec<Option<u64>> {
    report["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| limit["max_endpoints"].as_u64())
        .collect()
}

#[test]
fn tells_the_incident_without_any_argument() {
    let run = budget(&["--json", "--backlog", "1000", "--kernel", "6.1.192"], "");
    let report = run.json();
    assert_eq!(run.status, 2);
    assert_eq!(report["bridge"], "br-tun");
    assert_eq!(report["endpoints"], 1171);
    assert_eq!(report["endpoint"]["bytes"], 56);
    let parts = report["endpoint"]["parts"].as_array().unwrap();
    let parts: Vec<_> = parts
        .iter()
        .map(|part| (part["name"].as_str().unwrap(), part["bytes"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        parts,
        [
            ("set", 4),
            ("tunnel", 4),
            ("tun_id", 12),
            ("src", 8),
            ("dst", 8),
            ("ttl", 8),
            ("df", 4),
            ("output", 8)
        ]
    );
    assert_eq!(last(&report), [Some(1000), Some(1170), None]);
    assert_eq!(report["newest_ovs"]["endpoint"]["bytes"], 64);
    assert_eq!(last(&report["newest_ovs"]), [Some(1000), Some(1023), None]);
    assert_eq!(report["first_limit"], "netdev_max_backlog");
    let flow = &report["flows"][0];
    assert_eq!(
        (&flow["table"], &flow["outputs"], &flow["bytes"]),
        (&json!(22), &json!(1171), &json!(65_580))
    );
    assert_eq!(
        (&flow["verdict"], &flow["headroom_endpoints"]),
        (&json!("slow"), &json!(0))
    );
}

#[test]
fn old_kernels_take_585_endpoints_of_the_incident() {
    let at = |endpoints: &str| {
        budget(
            &[
                "--json",
                "--backlog",
                "20000",
                "--kernel",
                "4.14.336",
                "--endpoints",
                endpoints,
            ],
            "",
        )
    };
    let report = at("585").json();
    assert_eq!(last(&report), [Some(20_000), Some(1170), Some(585)]);
    assert_eq!((&report["verdict"], at("585").status), (&json!("fast"), 1));
    assert_eq!(
        (&at("586").json()["verdict"], at("586").status),
        (&json!("kernel-reject"), 2)
    );
    assert_eq!(at("467").status, 0, "79.8 %");
    assert_eq!(at("468").status, 1, "80 %");
}

#[test]
fn a_range_names_each_place_where_the_verdict_changes() {
    let run = budget(
        &[
            "--json",
            "--backlog",
            "1000",
            "--kernel",
            "6.1.192",
            "--endpoints",
            "900..1200",
        ],
        "",
    );
    let steps: Vec<_> = run.json()["sweep"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["from"].clone(), s["to"].clone()))
        .collect();
    assert_eq!(
        steps,
        [
            (json!(900), json!(1000)),
            (json!(1001), json!(1170)),
            (json!(1171), json!(1200))
        ]
    );
    assert_eq!(run.status, 2);
}

#[test]
fn draws_the_limits_and_the_place_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plot.svg");
    let draw = || {
        let run = budget(
            &[
                "--svg",
                file.to_str().unwrap(),
                "--backlog",
                "1000",
                "--endpoints",
                "500",
            ],
            "",
        );
        assert_eq!(run.status, 0, "{run:?}");
        std::fs::read_to_string(&file).unwrap()
    };
    let svg = draw();
    for label in [
        "netlink attribute, 65\u{a0}531 bytes",
        "netdev_max_backlog, 1\u{a0}000 outputs",
        "now: 500 endpoints",
    ] {
        assert!(svg.contains(label), "{label}: {svg}");
    }
    assert_eq!(draw(), svg, "the same input gives the same picture");
    let range = [
        "--svg",
        file.to_str().unwrap(),
        "--backlog",
        "1000",
        "--endpoints",
        "900..1100",
    ];
    assert_eq!(budget(&range, "").status, 2);
    let svg = std::fs::read_to_string(&file).unwrap();
    for label in ["now: 900 endpoints", "then: 1\u{a0}100 endpoints"] {
        assert!(svg.contains(label), "{label}: {svg}");
    }
}

#[test]
fn a_wrong_command_line_is_one_line_and_status_64() {
    for args in [
        &["--bogus"][..],
        &["--db", "udp:127.0.0.1:6640"],
        &["--endpoints", "many"],
        &["--endpoints", "9..3"],
        &["--endpoints", "0"],
        &["--endpoints", "1..65279"],
        &["--ovs", "new"],
        &["--bridge", "br0"],
        &["--openflow", "br0"],
        &["--flows", "unix:/run/openvswitch/br0.mgmt"],
        &["--flows", "-", "--openflow", "tcp:127.0.0.1"],
    ] {
        let run = budget(args, "");
        assert_eq!((run.status, run.stdout.as_str()), (64, ""), "{args:?}");
        assert_eq!(run.stderr.lines().count(), 2, "{run:?}");
        assert!(run.stderr.ends_with("see action-budget --help\n"));
    }
    let help = budget(&["--help"], "");
    assert_eq!(help.status, 0);
    assert!(help.stdout.contains("Exit status"));
}

#[test]
fn what_it_cannot_look_at_is_one_line_and_status_3() {
    let run = budget(&["--db", "unix:/nonexistent/db.sock"], "");
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("unix:/nonexistent/db.sock"), "{run:?}");

    let run = budget(&["--flows", "/nonexistent/flows"], "");
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("/nonexistent/flows"), "{run:?}");

    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server
        .vsctl(&["init", "--", "add-br", "br0", "--", "add-br", "br1"])
        .unwrap();
    let run = budget(&["--db", &server.remote(), "--bridge", "br-tun"], "");
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("no bridge br-tun; it has br"), "{run:?}");
    let run = budget(&["--db", &server.tcp_remote()], "");
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("--bridge"), "{run:?}");
}

#[test]
fn a_truncated_reply_is_one_line_and_status_3() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!("tcp:{}", listener.local_addr().unwrap());
    // Half of what a server answers to the first request, and the end of the connection.
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(peer.read(&mut request).unwrap() > 0);
        peer.write_all(br#"{"id":0,"result":{"#).unwrap();
    });
    let run = budget(&["--db", &remote], "");
    server.join().unwrap();
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains(&remote), "{run:?}");
}

#[test]
fn never_takes_the_ports_of_its_example_for_those_of_a_flow() {
    let dump = " cookie=0x0, table=0, n_packets=0, n_bytes=0, priority=1 actions=output:2\n";
    let run = budget(&["--json", "--flows", "-"], dump);
    let flow = &run.json()["flows"][0];
    assert_eq!(
        (&flow["verdict"], &flow["bytes"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(
        flow["reason"],
        "output:2: without --db nothing is known of port 2"
    );
    assert_eq!(run.status, 0);
}

#[test]
fn one_garbage_line_costs_that_line_only() {
    let flow = |priority| {
        format!(" cookie=0x0, duration=1s, table=0, n_packets=0, n_bytes=0, priority={priority} actions=drop")
    };
    let dump = format!(
        "NXST_FLOW reply (xid=0x4):\n{}\n%% garbage %%\n{}\n",
        flow(1),
        flow(2)
    );
    let run = budget(&["--json", "--flows", "-", "--endpoints", "10"], &dump);
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("line 3"), "{run:?}");
    let report = run.json();
    let flows: Vec<_> = report["flows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flow| flow["priority"].clone())
        .collect();
    assert_eq!(flows, [1, 2]);
    assert_eq!(report["unread_lines"], 1);
}

#[test]
fn goes_as_far_as_there_are_port_numbers() {
    let run = budget(&["--json", "--endpoints", "1..65278"], "");
    let report = run.json();
    assert_eq!(report["sweep"].as_array().unwrap().last().unwrap()["to"], 65_278);
    assert_eq!(report["flows"][0]["outputs"], 65_278);
}

#[test]
fn an_empty_dump_may_be_a_failed_ovs_ofctl() {
    let run = budget(&["--json", "--flows", "-"], "");
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("empty"), "{run:?}");
    assert_eq!(run.json()["flows"], json!([]));
    let run = budget(&["--json", "--flows", "-"], "NXST_FLOW reply (xid=0x4):\n");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for args in [
        &["--endpoints", "10"][..],
        &["--json", "--endpoints", "10"],
        &["--help"],
    ] {
        let run = run_without_reader("action-budget", args);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn a_picture_that_cannot_be_written_costs_the_picture_only() {
    let run = budget(
        &["--json", "--endpoints", "10", "--svg", "/nonexistent/plot.svg"],
        "",
    );
    assert_eq!(run.status, 3);
    assert!(run.complaint().contains("/nonexistent/plot.svg"), "{run:?}");
    assert_eq!(run.json()["endpoints"], 10);
}

#[test]
fn control_characters_of_a_dump_do_not_reach_the_terminal() {
    let run = budget(
        &["--flows", "-"],
        " table=0,priority=1,new=\u{1b}]0;x\u{7} actions=weird\u{1b}[2J\n",
    );
    assert!(run.stdout.contains("weird"), "{run:?}");
    assert!(
        !run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'),
        "{run:?}"
    );
}

#[test]
fn says_what_it_waits_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!("tcp:{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let peer = listener.accept().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        drop(peer);
    });
    let run = budget(&["--db", &remote], "");
    server.join().unwrap();
    assert_eq!(run.status, 3);
    let (progress, failure) = run.stderr.trim_end().split_once('\n').unwrap();
    assert_eq!(progress, format!("action-budget: waiting for {remote}"));
    assert!(failure.contains(&remote), "{run:?}");
}

#[test]
fn endpoints_of_several_sizes_all_count_as_the_largest() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let shape = |net, endpoints, options| Shape {
        bridge: "br-tun",
        net,
        endpoints,
        options,
    };
    shape(4, 3, "key=flow").add(&switch);
    switch
        .vsctl(&["set", "Interface", "br-tun-2", "options:remote_ip=\"fd00::2\""])
        .unwrap();
    let db = switch.db().remote();
    let args = [
        "--db",
        &db,
        "--backlog",
        "1000",
        "--kernel",
        "6.1.192",
        "--ovs",
        "3.1",
    ];
    let run = budget(&args, "");
    assert!(
        run.stdout
            .contains("1 of 3 endpoints have this size, the others less"),
        "{run:?}"
    );
    let report = budget(&[&args[..], &["--json"]].concat(), "").json();
    assert_eq!(
        (&report["endpoints"], &report["endpoints_of_this_size"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(report["endpoint"]["bytes"], 68);
}

/// Endpoints of a bridge: how many, and the options of each beside `remote_ip`.
struct Shape {
    bridge: &'static str,
    net: u8,
    endpoints: u32,
    options: &'static str,
}

impl Shape {
    fn add(&self, switch: &Switch) {
        switch.add_bridge(self.bridge).unwrap();
        // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
        switch
            .appctl(&["dpif/set-dp-features", self.bridge, "tnl_push_pop", "false"])
            .unwrap();
        let mut args: Vec<String> = Vec::new();
        for n in 1..=self.endpoints {
            let name = format!("{}-{n}", self.bridge);
            args.extend(
                [
                    "--",
                    "add-port",
                    self.bridge,
                    &name,
                    "--",
                    "set",
                    "Interface",
                    &name,
                ]
                .map(str::to_owned),
            );
            args.push(format!("ofport_request={n}"));
            args.push("type=vxlan".to_owned());
            args.push(format!(
                "options:remote_ip=10.{}.{}.{}",
                self.net,
                n / 256,
                n % 256
            ));
            args.extend(
                self.options
                    .split_whitespace()
                    .map(|option| format!("options:{option}")),
            );
        }
        switch
            .vsctl(&args.iter().map(String::as_str).collect::<Vec<_>>())
            .unwrap();
    }

    /// Floods to `outputs` endpoints: what the tool says must be what the switch does.
    fn compare(&self, switch: &Switch, outputs: u32, backlog: &str, fast: bool) {
        let ports: Vec<String> = (1..=outputs).map(|n| format!("output:{n}")).collect();
        let flow = format!(
            "in_port=LOCAL,dl_vlan=7,actions=strip_vlan,set_tunnel:0x7,{}",
            ports.join(",")
        );
        let mgmt = switch.mgmt(self.bridge);
        switch.ofctl_stdin(&["add-flows", &mgmt, "-"], &flow).unwrap();
        let trace = switch
            .appctl(&[
                "ofproto/trace",
                self.bridge,
                "in_port=LOCAL,dl_vlan=7,dl_type=0x0806",
            ])
            .unwrap();
        let traced = trace
            .lines()
            .find_map(|line| line.strip_prefix("Datapath actions: "))
            .unwrap();
        let traced: Actions = traced.parse().unwrap();
        assert_eq!(
            !trace.contains("userspace slow path"),
            fast,
            "{outputs} outputs on {}",
            self.bridge
        );

        let dump = switch.ofctl(&["dump-flows", &mgmt]).unwrap();
        let db = switch.db().remote();
        let args = [
            "--json",
            "--db",
            &db,
            "--bridge",
            self.bridge,
            "--flows",
            "-",
            "--backlog",
            backlog,
        ];
        let run = budget(
            &[&args[..], &["--kernel", "6.1.192", "--ovs", "3.1"]].concat(),
            &dump,
        );
        let report = run.json();
        let flow = &report["flows"][0];
        assert_eq!(flow["verdict"], if fast { "fast" } else { "slow" }, "{flow}");
        assert_eq!(flow["outputs"], outputs);
        assert_eq!(flow["outputs"], traced.output_count());
        assert_eq!(flow["bytes"], traced.encoded_len().unwrap());
    }
}

#[test]
fn the_verdict_is_that_of_ofproto_trace_at_the_byte_limits() {
    let Some(switch) = or_skip(Switch::with_backlog(20_000)) else {
        return;
    };
    let plain = Shape {
        bridge: "br-plain",
        net: 1,
        endpoints: 1171,
        options: "key=flow",
    };
    plain.add(&switch);
    plain.compare(&switch, 1170, "20000", true);
    plain.compare(&switch, 1171, "20000", false);
    let local = Shape {
        bridge: "br-local",
        net: 2,
        endpoints: 1024,
        options: "key=flow local_ip=10.9.9.9",
    };
    local.add(&switch);
    local.compare(&switch, 1023, "20000", true);
    local.compare(&switch, 1024, "20000", false);
}

#[test]
fn the_verdict_is_that_of_ofproto_trace_at_the_backlog() {
    let Some(switch) = or_skip(Switch::with_backlog(1000)) else {
        return;
    };
    let shape = Shape {
        bridge: "br-tun",
        net: 3,
        endpoints: 1001,
        options: "key=flow local_ip=10.9.9.9",
    };
    shape.add(&switch);
    shape.compare(&switch, 1000, "1000", true);
    shape.compare(&switch, 1001, "1000", false);
}

#[test]
fn asks_a_switch_for_its_flows() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-tun").unwrap();
    let (db, mgmt) = (switch.db().remote(), switch.mgmt("br-tun"));
    for n in 1..=40 {
        let port = format!("vx{n}");
        let remote = format!("options:remote_ip=10.0.0.{n}");
        switch
            .add_port(
                "br-tun",
                &port,
                &[
                    "type=vxlan",
                    &remote,
                    "options:key=flow",
                    &format!("ofport_request={n}"),
                ],
            )
            .unwrap();
    }
    let outputs: Vec<_> = (1..=40).map(|n| format!("output:{n}")).collect();
    let flow = format!(
        "table=22,dl_vlan=1,actions=strip_vlan,set_field:7->tun_id,{}",
        outputs.join(",")
    );
    switch
        .ofctl(&["-O", "OpenFlow13", "add-flow", &mgmt, &flow])
        .unwrap();
    let budget = |option: &str, flows: &str, input: &str| {
        run(
            "action-budget",
            &["--db", &db, option, flows, "--json", "--backlog", "1000"],
            input,
        )
    };
    let live = budget("--openflow", &mgmt, "");
    let text = switch.ofctl(&["-O", "OpenFlow15", "dump-flows", &mgmt]).unwrap();
    let read = budget("--flows", "-", &text);
    assert_eq!((live.status, live.json()), (read.status, read.json()), "{live:?}");
    let flows = live.json()["flows"].clone();
    assert_eq!(
        (&flows[0]["outputs"], &flows[0]["verdict"]),
        (&40.into(), &"fast".into()),
        "{flows}"
    );
    // Ports that nobody tells of, and a switch that is not there.
    let alone = run("action-budget", &["--openflow", &mgmt, "--json"], "");
    assert_eq!(alone.json()["flows"][0]["verdict"], "unknown", "{alone:?}");
    let gone = budget("--openflow", "unix:/nonexistent/br0.mgmt", "");
    assert_eq!(gone.status, 3);
    assert!(
        gone.complaint().contains("unix:/nonexistent/br0.mgmt"),
        "{gone:?}"
    );
}

#[test]
fn what_ofproto_trace_says_of_vlans_and_mirrors_lies_within_the_bounds() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    switch.add_bridge("br-int").unwrap();
    let (db, mgmt) = (switch.db().remote(), switch.mgmt("br-int"));
    for (number, column) in [
        "tag=5",
        "tag=5",
        "trunks=5,6",
        "tag=6",
        "vlan_mode=trunk",
        "vlan_mode=trunk",
    ]
    .iter()
    .enumerate()
    {
        let (name, number) = (format!("p{}", number + 1), number + 1);
        let interface = format!("ofport_request={number}");
        let words = ["--", "set", "Interface", &name, "type=dummy", &interface];
        switch
            .vsctl(&[&["add-port", "br-int", &name, column], &words[..]].concat())
            .unwrap();
    }
    let mirror = [
        "--id=@m",
        "create",
        "Mirror",
        "name=m",
        "select_all=true",
        "output_port=@p",
        "--",
        "add",
        "Bridge",
    ];
    switch
        .vsctl(
            &[
                &["--id=@p", "get", "Port", "p6", "--"],
                &mirror[..],
                &["br-int", "mirrors", "@m"],
            ]
            .concat(),
        )
        .unwrap();
    for action in ["NORMAL", "output:3,NORMAL", "output:3,output:1,output:4"] {
        switch
            .ofctl(&["add-flow", &mgmt, &format!("actions={action}")])
            .unwrap();
        let dump = switch.ofctl(&["dump-flows", &mgmt]).unwrap();
        let report = budget(&["--json", "--db", &db, "--ovs", "3.1", "--flows", "-"], &dump).json();
        let flow = &report["flows"][0];
        assert_eq!(flow["verdict"], "fast", "{action}: {flow}");
        let (least, most) = (
            flow["bytes_min"].as_u64().unwrap(),
            flow["bytes"].as_u64().unwrap(),
        );
        assert!(most < 120, "{flow}");
        for in_port in 1..=6 {
            for tag in [
                "",
                ",dl_vlan=5,dl_vlan_pcp=0",
                ",dl_vlan=6,dl_vlan_pcp=2",
                ",dl_vlan=7,dl_vlan_pcp=0",
            ] {
                let packet = format!("in_port={in_port},arp,dl_dst=ff:ff:ff:ff:ff:ff{tag}");
                let trace = switch.appctl(&["ofproto/trace", "br-int", &packet]).unwrap();
                let traced = trace
                    .lines()
                    .find_map(|line| line.strip_prefix("Datapath actions: "))
                    .unwrap();
                let traced: Actions = traced.trim_start_matches("drop").parse().unwrap();
                let bytes = u64::try_from(traced.encoded_len().unwrap()).unwrap();
                assert!(
                    (least..=most).contains(&bytes),
                    "{action}: {packet}: {traced}: {flow}"
                );
            }
        }
    }
}
