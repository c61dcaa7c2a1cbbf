//! A recorded scene as a switch.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use ofp_codec::{Field, Flow, Group, text::DumpReader};
use ofproto_xlate::{
    Bond, BridgeConfig, Bundle, Datapath, HashFunction, Ipfix, Mirror, MirrorOutput, OptionMap, Port,
    PortKind, PriorityTags, Queues, Rules, Switch, Tunnel, TunnelOption, VlanMode, probability,
};
use serde_json::Value;

/// The files of a scene, those of a version if it has its own.
pub(crate) struct Scene {
    dir: PathBuf,
    version: &'static str,
}

/// A row of what was traced.
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) round: usize,
    pub(crate) bridge: String,
    pub(crate) options: String,
    pub(crate) input: String,
    pub(crate) last_flow: String,
    pub(crate) megaflow: String,
    pub(crate) actions: String,
    pub(crate) notes: String,
    pub(crate) stable: String,
}

impl Scene {
    pub(crate) fn new(dir: &Path, version: &'static str) -> Self {
        Self {
            dir: dir.to_owned(),
            version,
        }
    }

    fn read(&self, name: &str) -> String {
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, "txt"));
        let own = self.dir.join(format!("{stem}.{}.{end}", self.version));
        let common = self.dir.join(name);
        fs::read(own).or_else(|_| fs::read(common)).map_or_else(
            |_| String::new(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// Lines by the heading `# NAME` above them.
    fn sections(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in self.read(name).lines() {
            match line.strip_prefix("# ") {
                Some(heading) => current = heading.to_owned(),
                None => sections.entry(current.clone()).or_default().push(line.to_owned()),
            }
        }
        sections
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let parse = |text: &str| -> Vec<Row> {
            text.lines()
                .skip(1)
                .map(|line| {
                    let columns: Vec<&str> = line.split('\t').collect();
                    let column =
                        |n: usize| columns.get(n).map_or_else(String::new, |text| (*text).to_owned());
                    Row {
                        id: column(0).parse().unwrap(),
                        round: column(1).parse().unwrap(),
                        bridge: column(2),
                        options: column(3),
                        input: column(4),
                        last_flow: column(7),
                        megaflow: column(8),
                        actions: column(9),
                        notes: column(10),
                        stable: column(11),
                    }
                })
                .collect()
        };
        let base = parse(&fs::read_to_string(self.dir.join("trace.3.1.0.tsv")).unwrap());
        if self.version == "3.1.0" {
            return base;
        }
        let own =
            fs::read_to_string(self.dir.join(format!("trace.{}.tsv", self.version))).unwrap_or_default();
        let own = parse(&own);
        let mut rows: Vec<Row> = base
            .into_iter()
            .filter(|row| own.iter().all(|other| other.id != row.id))
            .collect();
        rows.extend(own);
        rows
    }

    pub(crate) fn rules(&self) -> Rules {
        match self.version {
            "3.1.0" => Rules::debian_12(),
            "3.5.0" => Rules::of(3, 5, 0),
            _ => Rules::of(4, 0, 0),
        }
    }

    pub(crate) fn switch(&self) -> Switch {
        let tables = self.tables();
        let state = self.sections("state.txt");
        let flows = self.sections("flows.txt");
        let groups = self.sections("groups.txt");
        let tlv = self.sections("tlv.txt");
        let show = state.get("dpif/show").cloned().unwrap_or_default();
        let setup = self.read("setup.txt");
        let refused = self.read("refused.txt");
        let mut datapath = Datapath::default();
        datapath.native_tunnels = !setup.contains("tnl_push_pop false");
        datapath.queues = Queues::Userspace;
        datapath.hash = Some(HashFunction::Murmur);
        let vlan_limit = setup
            .split("other_config:vlan-limit=")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        datapath.vlan_limit = vlan_limit.and_then(|text| text.parse().ok()).unwrap_or(1);
        let mut bridges = Vec::new();
        for bridge in &tables["Bridge"] {
            let name = text(&bridge["name"]);
            let mut config = BridgeConfig::default();
            config.name = name.clone().into();
            config.unmodelled = unmodelled(bridge);
            config.flood_vlans = set(&bridge["flood_vlans"])
                .iter()
                .map(|vlan| vlan.as_u64().unwrap() as u16)
                .collect();
            config.forward_bpdu = map(&bridge["other_config"])
                .get("forward-bpdu")
                .is_some_and(|text| text == "true");
            let bonds = state.get("bond/show").cloned().unwrap_or_default();
            self.fill_ports(&mut config, bridge, &tables, &show, &bonds, &setup, &refused);
            config.flows = flows.get(&name).map_or_else(Vec::new, |lines| read_flows(lines));
            config.in_order_of_addition = true;
            config.mirrors = mirrors(bridge, &tables);
            samples(&mut config, bridge, &tables, self.rules());
            config.prefixes = prefixes(bridge, &tables);
            config.groups = groups
                .get(&name)
                .map_or_else(Vec::new, |lines| read_groups(lines));
            config.meters = meters(&setup, &name);
            let of_controller = config.meters.iter().find(|(id, _)| *id == CONTROLLER_METER);
            config.controller_meter = of_controller.map(|(_, meter)| *meter);
            config.options = tlv
                .get(&name)
                .map_or_else(OptionMap::default, |lines| options(lines));
            config.macs = state
                .get(&format!("fdb/show {name}"))
                .map_or_else(Vec::new, |lines| macs(lines));
            bridges.push(config);
        }
        Switch::new(self.rules(), datapath, bridges)
    }

    fn tables(&self) -> BTreeMap<String, Vec<BTreeMap<String, Value>>> {
        self.read("db.json")
            .lines()
            .map(|line| {
                let table: Value = serde_json::from_str(line).unwrap();
                let name = table["caption"]
                    .as_str()
                    .unwrap()
                    .trim_end_matches(" table")
                    .to_owned();
                let headings: Vec<String> = table["headings"].as_array().unwrap().iter().map(text).collect();
                let rows = table["data"].as_array().unwrap().iter().map(|row| {
                    headings
                        .iter()
                        .cloned()
                        .zip(row.as_array().unwrap().iter().cloned())
                        .collect()
                });
                (name, rows.collect())
            })
            .collect()
    }

    fn fill_ports(
        &self,
        config: &mut BridgeConfig,
        bridge: &BTreeMap<String, Value>,
        tables: &BTreeMap<String, Vec<BTreeMap<String, Value>>>,
        show: &[String],
        shown_bonds: &[String],
        setup: &str,
        refused: &str,
    ) {
        let ports = uuids(&bridge["ports"]);
        let by_uuid = |table: &str, uuid: &str| {
            tables[table]
                .iter()
                .find(|row| uuids(&row["_uuid"]) == [uuid])
                .cloned()
        };
        // A port is as old as its line in the commands.
        let age = |name: &str| {
            setup
                .lines()
                .position(|line| line.split_whitespace().any(|word| word == name))
                .unwrap_or(usize::MAX)
        };
        let mut rows: Vec<_> = ports.iter().filter_map(|uuid| by_uuid("Port", uuid)).collect();
        rows.sort_by_key(|row| (text(&row["name"]) != *config.name, age(&text(&row["name"]))));
        for row in rows {
            let name = text(&row["name"]);
            let mut numbers = Vec::new();
            for uuid in uuids(&row["interfaces"]) {
                let Some(interface) = by_uuid("Interface", &uuid) else {
                    continue;
                };
                let name = text(&interface["name"]);
                let shown = show.iter().find_map(|line| shown_port(line, &name));
                let Some((number, datapath)) = shown else { continue };
                let mut port = Port::new(number, &name, datapath, kind(&interface));
                port.unmodelled = unmodelled_interface(&interface, refused);
                self.apply_config(&config.name, &mut port);
                numbers.push(number);
                config.ports.push(port);
            }
            let mut bundle = Bundle::trunk(&name, 0);
            bundle.ports = numbers;
            let tag = row["tag"].as_u64();
            let trunks: Vec<u16> = set(&row["trunks"])
                .iter()
                .map(|vlan| vlan.as_u64().unwrap() as u16)
                .collect();
            let mode = row["vlan_mode"].as_str().unwrap_or_default().to_owned();
            bundle.mode = match (&*mode, tag) {
                ("access", _) => VlanMode::Access,
                ("trunk", _) => VlanMode::Trunk,
                ("native-tagged", _) => VlanMode::NativeTagged,
                ("native-untagged", _) => VlanMode::NativeUntagged,
                ("dot1q-tunnel", _) => VlanMode::Dot1qTunnel,
                (_, Some(_)) if trunks.is_empty() => VlanMode::Access,
                (_, Some(_)) => VlanMode::NativeTagged,
                (_, None) => VlanMode::Trunk,
            };
            bundle.tag = tag.unwrap_or(0) as u16;
            bundle.trunks = trunks;
            bundle.cvlans = set(&row["cvlans"])
                .iter()
                .map(|vlan| vlan.as_u64().unwrap() as u16)
                .collect();
            let other = map(&row["other_config"]);
            bundle.priority_tags = match other.get("priority-tags").map(String::as_str) {
                Some("true" | "if-nonzero") => PriorityTags::IfNonzero,
                Some("always") => PriorityTags::Always,
                _ => PriorityTags::Never,
            };
            if other.get("qinq-ethtype").is_some_and(|kind| kind == "802.1q") {
                bundle.qinq_ethtype = 0x8100;
            }
            bundle.protected = row["protected"].as_bool() == Some(true);
            if bundle.ports.len() > 1 {
                bundle.bond = Some(bond(shown_bonds, &name, config));
            }
            config.bundles.push(bundle);
        }
    }

    /// `ovs-ofctl mod-port`, as `dump-ports-desc` shows it.
    fn apply_config(&self, bridge: &str, port: &mut Port) {
        let sections = self.sections("ports.txt");
        let Some(lines) = sections.get(bridge) else { return };
        let mut inside = false;
        for line in lines {
            if !line.starts_with("     ") {
                inside = line.contains(&format!("({}): addr", port.name));
            } else if inside {
                if let Some(words) = line.trim().strip_prefix("config:") {
                    port.no_flood = words.contains("NO_FLOOD");
                    port.no_forward = words.contains("NO_FWD");
                    port.no_receive_stp = words.contains("NO_RECV_STP");
                    port.no_receive = words.split_whitespace().any(|word| word == "NO_RECV");
                    if words.contains("PORT_DOWN") {
                        port.up = false;
                    }
                }
                if let Some(words) = line.trim().strip_prefix("state:") {
                    port.up = port.up && !words.contains("LINK_DOWN");
                }
            }
        }
    }
}

/// The enabled and the active members of a bond.
fn bond(shown: &[String], name: &str, config: &BridgeConfig) -> Bond {
    let mut bond = Bond::default();
    let mut inside = false;
    for line in shown {
        if let Some(heading) = line.strip_prefix("---- ") {
            inside = heading.trim_end_matches(" ----") == name;
        } else if inside {
            bond.is_active_backup |= line == "bond_mode: active-backup";
            if let Some(member) = line
                .strip_prefix("member ")
                .and_then(|rest| rest.strip_suffix(": enabled"))
            {
                bond.enabled.extend(
                    config
                        .ports
                        .iter()
                        .filter(|port| &*port.name == member)
                        .map(|port| port.number),
                );
            }
            if let Some(rest) = line.strip_prefix("active member mac: ") {
                let active = rest.split('(').nth(1).unwrap_or_default().trim_end_matches(')');
                bond.active = config
                    .ports
                    .iter()
                    .find(|port| &*port.name == active)
                    .map(|port| port.number);
            }
        }
    }
    bond
}

fn samples(config: &mut BridgeConfig, bridge: &BTreeMap<String, Value>, tables: &Rows, rules: Rules) {
    let one = |column: &str, table: &str| {
        uuids(&bridge[column])
            .first()
            .and_then(|uuid| row(tables, table, uuid))
    };
    config.netflow = one("netflow", "NetFlow").is_some();
    if let Some(sflow) = one("sflow", "sFlow") {
        // The dummy's devices have no addresses.
        if sflow["agent"]
            .as_str()
            .is_some_and(|agent| agent.parse::<IpAddr>().is_ok())
        {
            config.sflow = Some(probability(sflow["sampling"].as_u64().unwrap_or(400) as u32));
        }
    }
    let uuid = uuids(&bridge["_uuid"]);
    config.flow_ipfix = tables["Flow_Sample_Collector_Set"]
        .iter()
        .any(|set| uuids(&set["bridge"]) == uuid);
    if let Some(row) = one("ipfix", "IPFIX") {
        let mut ipfix = Ipfix::new(row["sampling"].as_u64().unwrap_or(400) as u32);
        let other = map(&row["other_config"]);
        let samples = |key: &str| {
            let is_false = other.get(key).is_some_and(|text| text == "false");
            let is_true = other.get(key).is_some_and(|text| text == "true");
            if rules.ipfix_options_inverted {
                !is_true
            } else {
                !is_false
            }
        };
        ipfix.samples_input = samples("enable-input-sampling");
        ipfix.samples_output = samples("enable-output-sampling");
        ipfix.samples_tunnels = false;
        config.ipfix = Some(ipfix);
    }
}

type Rows = BTreeMap<String, Vec<BTreeMap<String, Value>>>;

fn row<'a>(tables: &'a Rows, table: &str, uuid: &str) -> Option<&'a BTreeMap<String, Value>> {
    tables[table].iter().find(|row| uuids(&row["_uuid"]) == [uuid])
}

fn mirrors(bridge: &BTreeMap<String, Value>, tables: &Rows) -> Vec<Mirror> {
    let names = |value: &Value| -> Vec<Box<str>> {
        uuids(value)
            .iter()
            .filter_map(|uuid| row(tables, "Port", uuid))
            .map(|port| text(&port["name"]).into())
            .collect()
    };
    uuids(&bridge["mirrors"])
        .iter()
        .filter_map(|uuid| row(tables, "Mirror", uuid))
        .map(|mirror| {
            let output = match names(&mirror["output_port"]).pop() {
                Some(port) => MirrorOutput::Port(port),
                None => MirrorOutput::Vlan(mirror["output_vlan"].as_u64().unwrap() as u16),
            };
            let mut config = Mirror::new(output);
            config.select_all = mirror["select_all"].as_bool() == Some(true);
            config.sources = names(&mirror["select_src_port"]);
            config.destinations = names(&mirror["select_dst_port"]);
            config.vlans = set(&mirror["select_vlan"])
                .iter()
                .map(|vlan| vlan.as_u64().unwrap() as u16)
                .collect();
            config.snaplen = mirror["snaplen"].as_u64().unwrap_or(0) as u16;
            config
        })
        .collect()
}

fn prefixes(bridge: &BTreeMap<String, Value>, tables: &Rows) -> BTreeMap<u8, Vec<Field>> {
    let pairs = bridge["flow_tables"][1].as_array().cloned().unwrap_or_default();
    pairs
        .iter()
        .filter_map(|pair| {
            let table = row(tables, "Flow_Table", pair[1][1].as_str()?)?;
            let fields: Vec<Field> = set(&table["prefixes"])
                .iter()
                .filter_map(|name| Field::from_name(name.as_str()?))
                .collect();
            (!fields.is_empty()).then(|| (u8::try_from(pair[0].as_u64().unwrap()).unwrap(), fields))
        })
        .collect()
}

fn unmodelled(bridge: &BTreeMap<String, Value>) -> Option<&'static str> {
    let is_true = |column: &str| bridge[column].as_bool() == Some(true);
    if is_true("stp_enable") || is_true("rstp_enable") {
        Some("spanning trees")
    } else if is_true("mcast_snooping_enable") {
        Some("multicast snooping")
    } else {
        None
    }
}

fn unmodelled_interface(
    interface: &BTreeMap<String, Value>,
    _refused: &str,
) -> Option<std::borrow::Cow<'static, str>> {
    let is_set = |column: &str| !set(&interface[column]).is_empty();
    if is_set("cfm_mpid") || !map(&interface["bfd"]).is_empty() || !map(&interface["lldp"]).is_empty() {
        return Some("a link protocol".into());
    }
    let options = map(&interface["options"]);
    let known = [
        "peer",
        "remote_ip",
        "local_ip",
        "key",
        "in_key",
        "out_key",
        "dst_port",
        "ttl",
        "tos",
        "df_default",
        "csum",
        "egress_pkt_mark",
        "exts",
        "erspan_ver",
        "erspan_idx",
        "erspan_dir",
        "erspan_hwid",
    ];
    let kind = text(&interface["type"]);
    if !matches!(
        &*kind,
        "" | "system"
            | "internal"
            | "patch"
            | "vxlan"
            | "geneve"
            | "gre"
            | "erspan"
            | "ip6gre"
            | "ip6erspan"
            | "dummy"
            | "dummy-internal"
    ) {
        return Some(format!("type {kind}").into());
    }
    options
        .keys()
        .find(|key| !known.contains(&&***key))
        .map(|key| format!("option {key}").into())
}

fn kind(interface: &BTreeMap<String, Value>) -> PortKind {
    let options = map(&interface["options"]);
    let option = |key: &str| options.get(key).map(String::as_str);
    let kind = text(&interface["type"]);
    match &*kind {
        "patch" => PortKind::Patch(option("peer").unwrap_or_default().into()),
        "vxlan" | "geneve" | "gre" | "erspan" | "lisp" | "stt" | "gtpu" | "bareudp" | "ip6gre"
        | "ip6erspan" => {
            let mut tunnel = Tunnel::default();
            tunnel.kind = kind.clone().into();
            let addr = |key: &str| option(key).and_then(|text| text.parse::<IpAddr>().ok());
            tunnel.local = addr("local_ip");
            tunnel.local_flow = option("local_ip") == Some("flow");
            tunnel.remote = addr("remote_ip");
            tunnel.remote_flow = option("remote_ip") == Some("flow");
            let key = option("out_key").or_else(|| option("key"));
            tunnel.out_key_flow = key == Some("flow");
            tunnel.has_out_key = key.is_some();
            tunnel.out_key = key.and_then(number).unwrap_or(0);
            let default = match &*kind {
                "vxlan" => 4789,
                "geneve" => 6081,
                _ => 0,
            };
            tunnel.port = option("dst_port")
                .and_then(|text| text.parse().ok())
                .unwrap_or(default);
            tunnel.ttl_inherit = option("ttl") == Some("inherit");
            tunnel.ttl = option("ttl").and_then(|text| text.parse().ok()).unwrap_or(64);
            tunnel.tos_inherit = option("tos") == Some("inherit");
            tunnel.tos = option("tos").and_then(number).unwrap_or(0) as u8;
            tunnel.dont_fragment = option("df_default") != Some("false");
            tunnel.csum = option("csum").map(|text| text == "true");
            tunnel.egress_mark = option("egress_pkt_mark").and_then(number).map(|mark| mark as u32);
            // In hexadecimal, whatever it looks like.
            let erspan = |key: &str| match option(key) {
                Some("flow") => None,
                text => Some(text.map_or(0, |text| {
                    u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0)
                })),
            };
            tunnel.erspan_version = match option("erspan_ver") {
                Some("flow") => None,
                text => Some(text.and_then(|text| text.parse().ok()).unwrap_or(0)),
            };
            tunnel.erspan_index = erspan("erspan_idx");
            tunnel.erspan_direction = erspan("erspan_dir").map(|number| number as u8);
            tunnel.erspan_hardware_id = erspan("erspan_hwid").map(|number| number as u8);
            PortKind::Tunnel(Box::new(tunnel))
        }
        _ => PortKind::Device,
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `    tap00 10/5: (system)`.
fn shown_port(line: &str, name: &str) -> Option<(u16, Option<u32>)> {
    let rest = line.strip_prefix("    ")?.strip_prefix(name)?.strip_prefix(' ')?;
    let (numbers, _) = rest.split_once(':')?;
    let (number, datapath) = numbers.split_once('/')?;
    let number: u32 = number.parse().ok()?;
    Some((
        if number == 65534 { 0xfffe } else { number as u16 },
        datapath.parse().ok(),
    ))
}

fn read_flows(lines: &[String]) -> Vec<Flow> {
    let text = lines.join("\n");
    let reader = DumpReader::new(text.as_bytes());
    reader.flows().map(|flow| flow.unwrap()).collect()
}

fn read_groups(lines: &[String]) -> Vec<Group> {
    lines
        .iter()
        .filter(|line| line.contains("group_id="))
        .map(|line| Group::parse(line.trim().as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// Numbers of the datapath are given in the order of creation.
fn meters(setup: &str, bridge: &str) -> Vec<(u32, u32)> {
    let mut next = 0;
    let mut meters = Vec::new();
    for line in setup.lines().filter(|line| line.contains("add-meter ")) {
        let id = line
            .split("meter=")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .map(|text| match text {
                "controller" => CONTROLLER_METER,
                number => number.parse().unwrap(),
            });
        if let Some(id) = id {
            if line.split_whitespace().any(|word| word == bridge) {
                meters.push((id, next));
            }
            next += 1;
        }
    }
    meters
}

/// `OFPM13_CONTROLLER`.
const CONTROLLER_METER: u32 = 0xffff_fffd;

/// `0xffff  0x1   4   tun_metadata0`.
fn options(lines: &[String]) -> OptionMap {
    let entries = lines.iter().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [class, kind, len, field] = columns[..] else {
            return None;
        };
        let number = |text: &str| u16::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        Some(TunnelOption {
            index: field.strip_prefix("tun_metadata")?.parse().ok()?,
            class: number(class)?,
            kind: number(kind)? as u8,
            len: len.parse().ok()?,
        })
    });
    OptionMap::new(entries.collect()).unwrap()
}

fn macs(lines: &[String]) -> Vec<(u64, u16, u16)> {
    lines
        .iter()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let port = match *columns.first()? {
                "LOCAL" => 0xfffe,
                number => number.parse().ok()?,
            };
            let mac = u64::from_str_radix(&columns.get(2)?.replace(':', ""), 16).ok()?;
            Some((mac, columns.get(1)?.parse().ok()?, port))
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn set(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(pair) if pair.len() == 2 && pair[0] == "set" => pair[1].as_array().unwrap().clone(),
        Value::Array(pair) if pair.len() == 2 && pair[0] == "map" => pair[1].as_array().unwrap().clone(),
        other => vec![other.clone()],
    }
}

fn uuids(value: &Value) -> Vec<String> {
    set(value)
        .iter()
        .filter_map(|value| value[1].as_str().map(str::to_owned))
        .collect()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    let pairs = value[1].as_array().cloned().unwrap_or_default();
    pairs
        .iter()
        .map(|pair| {
            (
                text(&pair[0]),
                pair[1]
                    .as_str()
                    .map_or_else(|| pair[1].to_string(), str::to_owned),
            )
        })
        .collect()
}
