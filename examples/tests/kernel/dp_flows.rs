//! `dp-flows` on flows that `ovs-dpctl` has put there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testbed::sh;

use crate::tool::run;

pub(crate) fn beside_ovs_dpctl() {
    sh("ovs-dpctl add-dp f0 && ip link set f0 up");
    let many = vec!["0"; 600].join(",");
    for (key, actions) in [
        ("in_port(0),eth(),eth_type(0x9001)", many.as_str()),
        (
            "in_port(0),eth(),eth_type(0x9002)",
            "userspace(pid=1,slow_path(action))",
        ),
        (
            "in_port(0),eth(),eth_type(0x9003)",
            "sample(sample=50%,actions(userspace(pid=1,slow_path(lacp))))",
        ),
        ("in_port(0),eth(src=02:00:00:00:00:01),eth_type(0x9005)", "0"),
        (
            "in_port(0),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0/255.0.0.0,frag=no)",
            "0",
        ),
        (
            "in_port(0),eth(),eth_type(0x0800),ipv4(dst=11.1.0.0/255.255.0.0,frag=no)",
            "0",
        ),
        (
            "in_port(0),eth(),eth_type(0x0800),ipv4(dst=11.2.0.0/255.255.0.0,frag=no)",
            "0",
        ),
        (
            "in_port(0),eth(),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(dst=80),tcp_flags(syn)",
            "0",
        ),
        (
            "in_port(0),eth(),eth_type(0x86dd),ipv6(dst=fe80::/ffff::,frag=no)",
            "0",
        ),
        (
            "ct_state(+est-rel),ct_mark(0x1/0x3),in_port(0),eth(),eth_type(0x86dd),ipv6(frag=no)",
            "0",
        ),
    ] {
        sh(&format!("ovs-dpctl add-flow f0 '{key}' '{actions}'"));
    }

    // Only a long list says of its flows what ovs-dpctl does.
    let full = run("dp-flows", &["--dp", "f0", "--full"], "");
    assert_eq!(full.status, 2, "{full:?}");
    let mut ours: Vec<&str> = full
        .stdout
        .lines()
        .filter(|line| line.contains(", actions:"))
        .collect();
    let dumped = sh("ovs-dpctl dump-flows f0");
    let mut theirs: Vec<&str> = dumped.lines().collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs);

    let flows: Vec<Value> = run("dp-flows", &["--dp", "f0", "--json", "--top", "actions"], "")
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let big = &flows[0];
    assert_eq!(
        (&big["outputs"], &big["actions_bytes"], &big["source"]),
        (&json!(600), &json!(4800), &json!("list"))
    );
    let slow: BTreeMap<String, i32> = flows
        .iter()
        .filter(|flow| flow["slow"] != json!([]))
        .map(|flow| (flow["slow"].to_string(), 1))
        .collect();
    assert_eq!(slow.keys().collect::<Vec<_>>(), [r#"["action"]"#, r#"["lacp"]"#]);

    let masks = run("dp-flows", &["--dp", "f0", "--masks", "--json"], "").json();
    let counted = masks["masks"].as_array().unwrap().len();
    assert_eq!(json!(counted), masks["kernel_masks"], "{masks}");

    // 8 bytes an output, and a part of the answer has 32 KiB.
    let huge = vec!["0"; 8000].join(",");
    sh(&format!(
        "ovs-dpctl add-flow f0 'in_port(0),eth(),eth_type(0x9004)' '{huge}'"
    ));
    let top = run(
        "dp-flows",
        &["--dp", "f0", "--json", "--top", "actions", "--limit", "1"],
        "",
    )
    .json();
    assert_eq!(
        (&top["outputs"], &top["actions_bytes"], &top["source"]),
        (&json!(8000), &json!(64000), &json!("get"))
    );
    sh("ovs-dpctl del-dp f0");
    let gone = run("dp-flows", &["--dp", "f0"], "");
    assert_eq!(gone.status, 3, "{gone:?}");
}
