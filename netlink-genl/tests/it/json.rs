//! What is read, as JSON.

use netlink_genl::ovs::datapath::{Datapath, Dispatch};
use netlink_genl::ovs::flow::Flow;
use netlink_genl::ovs::packet::Reason;
use netlink_genl::ovs::vport::Vport;
use netlink_genl::watch::Why;
use serde_json::json;

use crate::capture::{Capture, capture, first_message};

/// The first answer of a family.
fn answer(capture: &Capture, family: &str) -> Vec<u8> {
    let kind = capture.family(family);
    let answers = capture.datagrams.iter().filter(|datagram| datagram.from_kernel);
    let mut of_family = answers.filter(|datagram| first_message(&datagram.bytes).kind().0 == kind);
    of_family.next().unwrap().bytes.clone()
}

#[test]
fn numbers_are_numbers_names_are_text_and_bytes_are_hexadecimal() {
    let shown = capture!("dpctl-show-dp0");
    let bytes = answer(&shown, "ovs_vport");
    let port = Vport::decode(&first_message(&bytes)).unwrap();
    let stats = port.stats.unwrap();
    assert_eq!(
        serde_json::to_value(&port).unwrap(),
        json!({
            "datapath": port.datapath.0, "port_no": 0, "kind": "internal", "name": "dp0", "options": null,
            "upcall_pids": port.upcall_pids, "ifindex": port.ifindex, "netnsid": null, "upcall_stats": null,
            "other": [],
            "stats": {
                "rx_packets": stats.rx_packets, "tx_packets": stats.tx_packets,
                "rx_bytes": stats.rx_bytes, "tx_bytes": stats.tx_bytes,
                "rx_errors": stats.rx_errors, "tx_errors": stats.tx_errors,
                "rx_dropped": stats.rx_dropped, "tx_dropped": stats.tx_dropped,
            },
        })
    );
    let bytes = answer(&shown, "ovs_datapath");
    let datapath = Datapath::decode(&first_message(&bytes)).unwrap();
    let written = serde_json::to_value(&datapath).unwrap();
    assert_eq!(
        (&written["name"], &written["features"]),
        (&json!("dp0"), &json!(datapath.features.0))
    );

    let flow = Flow {
        datapath: port.datapath,
        key: Some(vec![8, 0, 0xab]),
        mask: None,
        actions: Some(vec![]),
        ufid: None,
        stats: None,
        tcp_flags: None,
        used_ms: Some(u64::MAX),
        other: vec![],
    };
    let written = serde_json::to_value(&flow).unwrap();
    assert_eq!(
        [
            &written["key"],
            &written["mask"],
            &written["actions"],
            &written["used_ms"]
        ],
        [&json!("0800ab"), &json!(null), &json!(""), &json!(u64::MAX)]
    );
    let others = json!([
        Dispatch::PerCpu,
        Reason::MISS,
        Reason(9),
        Why::Vanished { nsid: 3 }
    ]);
    assert_eq!(others, json!(["per_cpu", "miss", "9", {"vanished": {"nsid": 3}}]));
}
