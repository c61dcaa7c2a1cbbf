//! Groups and meters, beside a real switch and `ovs-ofctl`: as bytes and as text.

use std::{collections::BTreeMap, fmt::Write as _};

use ofp_codec::{
    Group, GroupStats, Meter, MeterStats, Version,
    text::{group_stats, groups, meter_stats, meters},
    wire::{GroupMod, Message, MessageKind, MeterMod, RequestForward, Writer, print},
};
use testbed::{Switch, or_skip};

use crate::{messages::compare_but, random::Random};

const VERSIONS: [(&str, u8); 6] = [
    ("OpenFlow10", 1),
    ("OpenFlow11", 2),
    ("OpenFlow12", 3),
    ("OpenFlow13", 4),
    ("OpenFlow14", 5),
    ("OpenFlow15", 6),
];

/// As `add-groups` takes them.
const GROUPS: &str = "\
group_id=1,type=all,bucket=actions=output:1,bucket=actions=set_field:5->reg0,output:2
group_id=2,type=select,bucket=weight:50,actions=output:1,bucket=weight:150,actions=ct(commit,nat(src=10.0.0.1-10.0.0.9))
group_id=3,type=indirect,bucket=actions=group:1
group_id=4,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:1,actions=output:2
group_id=5,type=select
group_id=6,type=select,bucket=weight:0,actions=drop
group_id=4294967040,type=all,bucket=actions=NORMAL
";

/// These need OpenFlow 1.5, or Nicira's form for 1.0.
const SELECTIONS: &str = "\
group_id=7,type=select,selection_method=dp_hash,selection_method_param=5,bucket=bucket_id:9,weight:2,actions=output:1
group_id=8,type=select,selection_method=hash,fields=eth_dst,bucket=bucket_id:1,actions=output:1
group_id=9,type=select,selection_method=hash,fields(ip_dst=255.255.255.0,nw_proto,tcp_src),bucket=actions=output:1
";

const METERS: [&str; 3] = [
    "meter=1,kbps,band=type=drop,rate=10",
    "meter=2,pktps,burst,stats,bands=type=drop,rate=1000,burst_size=100",
    "meter=3,kbps,stats,bands=type=drop,rate=5",
];

fn switch() -> Option<Switch> {
    let switch = or_skip(Switch::start())?;
    switch.add_bridge("br0").unwrap();
    let versions = "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15";
    switch.vsctl(&["set", "bridge", "br0", versions]).unwrap();
    Some(switch)
}

/// A dump without its header line.
fn entries(dump: &str) -> &str {
    let (header, entries) = dump.split_once('\n').unwrap();
    assert!(header.contains(" reply "), "{dump}");
    entries
}

#[test]
fn what_a_switch_prints_of_groups_and_meters_is_printed_again() {
    let Some(switch) = switch() else { return };
    let br0 = switch.mgmt("br0");
    let all = format!("{GROUPS}{SELECTIONS}");
    let add = ["-O", "OpenFlow15", "add-groups", &br0, "-"];
    switch.ofctl_stdin(&add, &all).unwrap();
    for meter in METERS {
        switch
            .ofctl(&["-O", "OpenFlow13", "add-meter", &br0, meter])
            .unwrap();
    }
    for (version, number) in VERSIONS {
        let dump = |command| switch.ofctl(&["-O", version, command, &br0]).unwrap();
        let text = dump("dump-groups");
        let read: Vec<Group> = groups(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read.len(), 10, "{text}");
        let again: String = read.iter().map(|group| format!(" {group}\n")).collect();
        assert_eq!(again, entries(&text));
        #[cfg(feature = "serde")]
        crate::json::comes_back(&read);
        assert!(read.iter().any(|group| group.selection.is_some()) == [1, 6].contains(&number));

        let text = dump("dump-group-stats");
        let read: Vec<GroupStats> = group_stats(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read.len(), 10, "{text}");
        let again: String = read.iter().map(|stats| format!(" {stats}\n")).collect();
        assert_eq!(again, entries(&text));
        #[cfg(feature = "serde")]
        crate::json::comes_back(&read);
        if number < 4 {
            continue;
        }
        let text = dump("dump-meters");
        let read: Vec<Meter> = meters(text.as_bytes()).map(Result::unwrap).collect();
        let again: Vec<_> = read.iter().map(|meter| format!("{meter}\n")).collect();
        #[cfg(feature = "serde")]
        crate::json::comes_back(&read);
        assert_eq!((again.len(), again.join("\n").as_str()), (3, entries(&text)));
        let text = dump("meter-stats");
        let read: Vec<MeterStats> = meter_stats(text.as_bytes()).map(Result::unwrap).collect();
        let again: Vec<_> = read.iter().map(|meter| format!("{meter}\n")).collect();
        #[cfg(feature = "serde")]
        crate::json::comes_back(&read);
        assert_eq!((again.len(), again.join("\n").as_str()), (3, entries(&text)));
    }
}

/// The `group_mod` of a line, in every version that has all that it says.
fn group_mods() -> Vec<(Version, Vec<u8>)> {
    let mut mods = Vec::new();
    for line in GROUPS.lines().chain(SELECTIONS.lines()) {
        let group = Group::parse(line.as_bytes()).unwrap();
        for (_, version) in VERSIONS {
            for command in [0, 1, 2, 3, 5, 0x8000].map(ofp_codec::wire::GroupCommand) {
                let group_mod = GroupMod {
                    command,
                    bucket: GroupMod::ALL_BUCKETS,
                    group: group.clone(),
                };
                let mut bytes = Vec::new();
                if group_mod.encode(Version(version), 7, &mut bytes).is_ok() {
                    mods.push((Version(version), bytes));
                }
            }
        }
    }
    mods
}

fn meter_mods() -> Vec<Vec<u8>> {
    let mut mods = Vec::new();
    for meter in meters(b"meter=1 kbps burst stats bands=\ntype=drop rate=1 burst_size=2\ntype=dscp_remark rate=3 burst_size=4 prec_level=5\n\nmeter=all pktps bands=\n") {
        for command in [0, 1, 2].map(ofp_codec::wire::MeterCommand) {
            for version in 4..=6 {
                let meter_mod = MeterMod { command, meter: meter.clone().unwrap() };
                let mut bytes = Vec::new();
                meter_mod.encode(Version(version), 7, &mut bytes).unwrap();
                mods.push(bytes);
            }
        }
    }
    mods
}

/// Changes of groups and of meters.
fn messages() -> Vec<Vec<u8>> {
    let groups = group_mods().into_iter().map(|(_, bytes)| bytes);
    groups.chain(meter_mods()).collect()
}

/// What `ovs-ofctl ofp-print` prints of each message.
fn ask(switch: &Switch, messages: &[Vec<u8>]) -> Vec<String> {
    let print = |message: &Vec<u8>| {
        let mut hex = String::new();
        message.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        switch.ofctl(&["ofp-print", &hex]).unwrap()
    };
    messages.iter().map(print).collect()
}

#[test]
fn group_mods_and_meter_mods_are_written_as_open_vswitch_reads_them() {
    let Some(switch) = switch() else { return };
    let messages = messages();
    assert!(messages.len() > 200, "{}", messages.len());
    let mut refused = 0;
    for (bytes, text) in messages.iter().zip(ask(&switch, &messages)) {
        assert_eq!(print(bytes), text);
        let message = Message::parse(bytes).unwrap();
        let again = match message.kind() {
            Some(MessageKind::GroupMod) => GroupMod::decode(&message).map(|decoded| {
                let mut again = Vec::new();
                decoded.encode(message.header().version, 7, &mut again).unwrap();
                again
            }),
            _ => MeterMod::decode(&message).map(|decoded| {
                let mut again = Vec::new();
                decoded.encode(message.header().version, 7, &mut again).unwrap();
                again
            }),
        };
        match again {
            Ok(again) => assert_eq!(again, *bytes, "{text}"),
            Err(error) => {
                refused += 1;
                assert!(text.contains(error.name), "{} {text}", error.name);
            }
        }
    }
    assert!((20..messages.len() / 2).contains(&refused), "{refused}");
}

#[test]
fn mutated_messages_print_as_ovs_ofctl_prints_them() {
    let Some(switch) = switch() else { return };
    let messages = messages();
    let mut random = Random::seeded(15);
    let mutants: Vec<_> = (0..MUTANTS)
        .map(|_| {
            let mut mutant = random.pick(&messages).clone();
            let at = 8 + random.below(mutant.len() - 8);
            mutant[at] = *random.pick(&[0, 1, 8, 0x10, 0x7f, 0xff, mutant[at].wrapping_add(8)]);
            mutant
        })
        .collect();
    let mut differences = BTreeMap::new();
    let mut kept = 0;
    for (mutant, text) in mutants.iter().zip(ask(&switch, &mutants)) {
        let ours = print(mutant);
        // An action that is not known is kept, where Open vSwitch refuses the message.
        let unknown = ["OFPBAC_BAD_TYPE", "OFPBAC_BAD_VENDOR"];
        if unknown.iter().any(|name| text.contains(name)) {
            kept += 1;
        } else if ours != text {
            *differences.entry(first_difference(&ours, &text)).or_insert(0) += 1;
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(kept < MUTANTS / 10, "{kept}");
}

#[test]
fn changes_of_others_print_as_ovs_ofctl_prints_them_and_are_written_again() {
    let mut random = Random::seeded(16);
    let (mut forwarded, mut again) = (Vec::new(), 0);
    for inner in messages() {
        let version = Version(inner[0]);
        let kind = MessageKind::Requestforward;
        let forward = |body: &[u8]| {
            let mut outer = Vec::new();
            let encoded = kind.encode(version, 0, &mut outer, |writer| {
                writer.bytes(body);
                Ok(())
            });
            encoded.unwrap();
            outer
        };
        let outer = forward(&inner);
        let message = Message::parse(&outer).unwrap();
        if let Ok(request) = RequestForward::decode(&message) {
            let mut body = Vec::new();
            request.encode(version, &mut Writer::new(&mut body)).unwrap();
            assert_eq!(body, inner);
            again += 1;
        }
        let mut mutant = inner;
        let at = random.below(mutant.len().min(24));
        mutant[at] = *random.pick(&[0, 1, 4, 8, 14, 20, 29]);
        forwarded.extend([outer, forward(&mutant)]);
    }
    assert!(again > 100, "{again}");
    // An action that is not known is kept, where Open vSwitch refuses the message.
    compare_but(&forwarded, |_, wanted| wanted.contains("OFPBAC_BAD_TYPE"));
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let mut lines = ours.lines().zip(theirs.lines());
    let (ours, theirs) = lines.find(|(ours, theirs)| ours != theirs).unwrap_or_default();
    format!("{ours} where it prints {theirs}")
}

const MUTANTS: usize = 400;
