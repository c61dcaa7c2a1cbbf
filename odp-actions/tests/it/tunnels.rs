//! Tunnel ports of every kind, with every option that Open vSwitch reads, beside `ofproto/trace`.

use std::collections::BTreeMap;

use odp_actions::Actions;
use odp_actions::key::Gbp;
use odp_actions::xlate::{
    Bridge, BridgePort, Forwarding, GeneveField, Interface, Last, OvsVersion, Packet, Port, Prediction,
    Rules, Unpredictable, Xlate,
};
use testbed::{Switch, or_skip};

use crate::random::{Random, rounds};
use crate::trace::{traced, version};

#[test]
fn random_tunnel_ports_cost_what_ofproto_trace_shows() {
    let Some(switch) = or_skip(Switch::start()) else {
        return;
    };
    let ovs = version();
    let mut random = Random::new();
    let mut seen = Seen::default();
    for round in 0..rounds(12) {
        let scene = Scene::new(&switch, &mut random, round % 2 == 0);
        for _ in 0..12 {
            seen.count(&scene.check(&switch, &mut random, ovs, round));
        }
    }
    println!("{ovs}: {seen:?}");
    let all = seen.exact + seen.within + seen.unknown;
    assert!(seen.exact * 2 > all && seen.within > 0, "{seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    exact: usize,
    within: usize,
    unknown: usize,
}

impl Seen {
    fn count(&mut self, prediction: &Prediction) {
        *match prediction {
            Prediction::Exact(_) => &mut self.exact,
            Prediction::Within { .. } => &mut self.within,
            Prediction::Unknown(_) => &mut self.unknown,
        } += 1;
    }
}

/// A bridge, and what our translation knows of it.
struct Scene {
    bridge: Bridge,
    /// Those that can be told, by their OpenFlow numbers.
    outputs: Vec<u32>,
    all_told: bool,
    options: Vec<String>,
}

impl Scene {
    /// A bridge of eight ports; if `all_told`, only of such as can be told.
    fn new(switch: &Switch, random: &mut Random, all_told: bool) -> Self {
        let mut args: Vec<String> = Vec::new();
        let mut rows = Vec::new();
        while rows.len() < 8 {
            let (kind, options) = tunnel(random);
            let told = Port::of_interface(kind, 0, pairs(&options)).is_ok();
            if all_told && !told {
                continue;
            }
            let name = format!("t{}", rows.len());
            args.extend(["--", "add-port", "br0", &name, "--", "set", "Interface", &name].map(str::to_owned));
            args.push(format!("type={kind}"));
            args.extend(pairs(&options).map(|(name, value)| format!("options:{name}={value:?}")));
            rows.push((name, kind, options));
        }
        args.extend(
            [
                "--",
                "add-port",
                "br0",
                "p",
                "--",
                "set",
                "Interface",
                "p",
                "type=dummy",
            ]
            .map(str::to_owned),
        );
        rows.push(("p".to_owned(), "dummy", Vec::new()));
        switch.vsctl(&["--if-exists", "del-br", "br0"]).unwrap();
        switch.add_bridge("br0").unwrap();
        // Without this the dummy datapath encapsulates by itself, as the kernel's does not.
        switch
            .appctl(&["dpif/set-dp-features", "br0", "tnl_push_pop", "false"])
            .unwrap();
        // A port that Open vSwitch does not take up is a complaint, and is not there.
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let _ = switch.vsctl(&args);
        let map = "{class=0x102,type=0x80,len=4}->tun_metadata0,{class=0xffff,type=1,len=124}->tun_metadata9";
        switch.ofctl(&["add-tlv-map", &switch.mgmt("br0"), map]).unwrap();
        let show = switch.appctl(&["dpif/show"]).unwrap();
        let port = |ofport, port| {
            BridgePort::new(Interface {
                ofport,
                port,
                floods: true,
            })
        };
        let mut ports = vec![port(LOCAL, Port::of_interface("internal", 0, []))];
        for (name, kind, options) in &rows {
            if let Some((ofport, odp_port)) = numbers(&show, name) {
                ports.push(port(ofport, Port::of_interface(kind, odp_port, pairs(options))));
            }
        }
        let told = ports.iter().map(|port| &port.interfaces[0]);
        let told = told.filter(|interface| interface.port.is_ok() && interface.ofport != LOCAL);
        Self {
            outputs: told.map(|interface| interface.ofport).collect(),
            bridge: Bridge {
                ports,
                ..Bridge::default()
            },
            all_told,
            options: rows.into_iter().map(|row| format!("{row:?}")).collect(),
        }
    }

    fn check(&self, switch: &Switch, random: &mut Random, ovs: OvsVersion, round: usize) -> Prediction {
        let mark = [0, 0, 5][random.below(3)];
        let (headers, ip_tos) = [
            ("arp", None),
            ("ip,nw_ttl=64", Some(0)),
            ("ip,nw_ttl=64,nw_tos=32,nw_ecn=3", Some(35)),
        ][random.below(3)];
        let packet = format!("in_port=LOCAL,{headers},pkt_mark={mark}");
        let xlate = Xlate::new(
            Rules::try_from(ovs).unwrap(),
            Packet {
                ip_tos,
                mark,
                vlan: None,
            },
        );
        let mut forwarding = self.bridge.receive(xlate, Some(LOCAL)).unwrap();
        let (mut openflow, mut unknown, mut has_group) = (Vec::new(), None, false);
        for _ in 0..=random.below(10) {
            let words = match random.below(12) {
                // A packet of Ethernet that goes to a port without and then to one with it would end ovs-vswitchd.
                0 if self.all_told => {
                    unknown = unknown.or(forwarding.flood(false, Last::No).err());
                    "FLOOD".to_owned()
                }
                1 if !has_group => {
                    has_group = true;
                    let buckets: Vec<_> = (0..1 + random.below(3))
                        .map(|_| {
                            let bucket = self.bucket(random, &mut forwarding, &mut unknown);
                            format!(",bucket={bucket}")
                        })
                        .collect();
                    let group = format!("group_id=1,type=all{}", buckets.concat());
                    let mod_group = [
                        "-O",
                        "OpenFlow13",
                        "--may-create",
                        "mod-group",
                        &switch.mgmt("br0"),
                        &group,
                    ];
                    switch.ofctl(&mod_group).unwrap();
                    "group:1".to_owned()
                }
                2..=4 => set(random, &mut forwarding),
                _ => self.output(random, &mut forwarding, &mut unknown),
            };
            openflow.push(words);
        }
        let openflow = openflow.join(",");
        let flow = format!("table=0,priority=1,actions={openflow}");
        switch
            .ofctl(&["-O", "OpenFlow13", "add-flow", &switch.mgmt("br0"), &flow])
            .unwrap();
        let theirs = traced(switch, "br0", &packet);
        let ours = unknown.map_or_else(|| forwarding.xlate.predict(), Prediction::Unknown);
        let what = || {
            let options = self.options.join("\n");
            format!("round {round}: {packet}: {openflow}\n{options}\n{ours:?}\n{theirs}")
        };
        let list: Actions = if theirs == "drop" { "" } else { &theirs }.parse().unwrap();
        match &ours {
            Prediction::Exact(actions) => {
                assert_eq!(actions.to_string(), theirs, "{}", what());
                assert_eq!(actions.encoded_len(), list.encoded_len(), "{}", what());
            }
            Prediction::Within { bytes, outputs, .. } => {
                let len = list.encoded_len().unwrap();
                assert!((bytes.least..=bytes.most).contains(&len), "{}", what());
                assert_eq!(
                    (outputs.least, outputs.most),
                    (list.output_count(), list.output_count()),
                    "{}",
                    what()
                );
            }
            Prediction::Unknown(
                Unpredictable::MetadataOrder | Unpredictable::Option { .. } | Unpredictable::Type { .. },
            ) => {}
            Prediction::Unknown(why) => panic!("{why}: {}", what()),
        }
        ours
    }

    fn output(
        &self,
        random: &mut Random,
        to: &mut Forwarding<'_>,
        unknown: &mut Option<Unpredictable>,
    ) -> String {
        let ofport = self.outputs[random.below(self.outputs.len())];
        *unknown = unknown.take().or(to.output(ofport, Last::No).err());
        format!("output:{ofport}")
    }

    /// A field at most, and an output.
    fn bucket(
        &self,
        random: &mut Random,
        to: &mut Forwarding<'_>,
        unknown: &mut Option<Unpredictable>,
    ) -> String {
        let mut text = String::new();
        let done = to.bucket(|bucket| {
            if random.below(2) == 0 {
                text = set(random, bucket) + ",";
            }
            text += &self.output(random, bucket, unknown);
            Ok::<(), Unpredictable>(())
        });
        done.unwrap();
        text
    }
}

/// Sets a field that goes with the packet.
fn set(random: &mut Random, to: &mut Forwarding<'_>) -> String {
    let fields = to.xlate.tunnel_fields();
    let number = [0, 1, 7, 0xffff][random.below(4)];
    let mut option = |place, class, kind, len: usize| {
        let number: u32 = number;
        let mut data = vec![0; len - 4];
        data.extend(number.to_be_bytes());
        fields.options.insert(place, GeneveField { class, kind, data });
        format!("set_field:{number:#x}->tun_metadata{place}")
    };
    match random.below(6) {
        0 => option(0, 0x102, 0x80, 4),
        1 => option(9, 0xffff, 1, 124),
        2 => {
            let id = u16::try_from(number).unwrap();
            fields.gbp = Gbp::new(id, fields.gbp.flags());
            format!("set_field:{id}->tun_gbp_id")
        }
        3 => {
            let [.., flags] = number.to_be_bytes();
            fields.gbp = Gbp::new(fields.gbp.id(), flags);
            format!("set_field:{flags}->tun_gbp_flags")
        }
        4 => {
            to.xlate.set_mark(number);
            format!("set_field:{number}->pkt_mark")
        }
        _ => {
            fields.id = number.into();
            format!("set_field:{number}->tun_id")
        }
    }
}

/// The type and the options of a tunnel port, often such as Open vSwitch takes and now and then such as it does not.
fn tunnel(random: &mut Random) -> (&'static str, Vec<(&'static str, &'static str)>) {
    let kinds = [
        "vxlan",
        "vxlan",
        "geneve",
        "geneve",
        "gre",
        "ip6gre",
        "erspan",
        "erspan",
        "ip6erspan",
        "gtpu",
        "bareudp",
        "lisp",
        "stt",
        "srv6",
    ];
    let kind = kinds[random.below(kinds.len())];
    let mut options = BTreeMap::new();
    let is_v6 = random.below(4) == 0 || kind.starts_with("ip6");
    let remotes = if is_v6 { REMOTES_V6 } else { REMOTES };
    options.insert("remote_ip", remotes[random.below(remotes.len())]);
    for _ in 0..random.below(7) {
        let (name, values) = OPTIONS[random.below(OPTIONS.len())];
        options.insert(name, values[random.below(values.len())]);
    }
    if random.below(2) == 0 {
        options.insert("local_ip", if is_v6 { "fc00::9" } else { "10.0.0.9" });
    }
    if kind.contains("erspan") && random.below(2) == 0 {
        options.insert("erspan_ver", ["1", "2"][random.below(2)]);
    }
    (kind, options.into_iter().collect())
}

fn pairs<'a>(options: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    options.iter().copied()
}

/// The OpenFlow number and the datapath number of an interface, if the switch took it up.
fn numbers(show: &str, name: &str) -> Option<(u32, u32)> {
    let mut lines = show.lines();
    let rest = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '))?;
    let (ofport, rest) = rest.split_once('/')?;
    Some((ofport.parse().ok()?, rest.split_once(':')?.0.parse().ok()?))
}

const LOCAL: u32 = 65534;

const REMOTES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "10.0.0.5",
    "10.0.0.6",
    "10.0.0.7",
    "::ffff:10.0.0.8",
    "flow",
    "224.0.0.1",
    "0.0.0.0",
];
const REMOTES_V6: &[&str] = &[
    "fc00::1", "fc00::2", "fc00::3", "fc00::4", "flow", "ff02::1", "::", "10.0.0.1",
];

/// Those of `lib/netdev-vport.c`, with values at and beyond what it takes.
const OPTIONS: &[(&str, &[&str])] = &[
    (
        "local_ip",
        &["10.0.0.9", "fc00::9", "flow", "::ffff:10.0.0.9", "0.0.0.0"],
    ),
    ("tos", &["inherit", "8", "0x20", "010", "3", "256"]),
    ("ttl", &["inherit", "0", "1", "255", "256"]),
    ("dst_port", &["0", "4789", "6081", "8472", "65535", "65536"]),
    ("csum", &["true", "false", "yes"]),
    ("csum", &["true", "false"]),
    ("seq", &["true", "false"]),
    ("df_default", &["true", "false", "no"]),
    ("key", &["flow", "0", "7", "0x10", "010", "08"]),
    ("in_key", &["flow", "0", "7"]),
    ("out_key", &["flow", "0", "7", "0xffffffff"]),
    ("packet_type", &["legacy_l2", "legacy_l3", "ptap"]),
    ("exts", &["gbp", "gpe"]),
    ("egress_pkt_mark", &["0", "1", "5", "4294967295", "0x1"]),
    ("egress_pkt_mark", &["0", "5"]),
    ("erspan_ver", &["1", "2", "flow", "3"]),
    ("erspan_idx", &["flow", "0", "3", "fffff", "100000"]),
    ("erspan_dir", &["flow", "0", "1", "2"]),
    ("erspan_hwid", &["flow", "0", "4", "3f", "40"]),
    ("payload_type", &["mpls", "ip"]),
    ("srv6_segs", &["fc00::1"]),
    ("srv6_flowlabel", &["zero", "compute"]),
    ("remote_cert", &["x"]),
    ("remote_name", &["x"]),
    ("psk", &["x"]),
    ("ipsec_encapsulation", &["yes"]),
    ("of_next_year", &["x"]),
];
