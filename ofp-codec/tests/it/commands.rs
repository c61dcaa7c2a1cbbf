//! Files of commands are read as `ovs-ofctl add-flows` and `parse-group` read them.

use std::process::Command;

use ofp_codec::{
    Version,
    commands::{flow_mods, group_mods},
    wire::{Message, print},
};
use testbed::{or_skip, program};

const FLOWS: &[u8] = b"# a comment
tcp,tp_dst=80 actions=drop # and another

add table=1,priority=7,ip,nw_src:10.0.0.1 action=output:2
modify table=2,cookie=0x10/0xff,ip actions=output:3,
modify_strict priority=3,arp actions=NORMAL
delete table=3,ip,out_port=2
delete cookie=0x1/-1
delete_strict table=4,priority=5,ip,out_group=7
  delete
";

/// What `ovs-ofctl -O OpenFlow13 add-flows` sends for them, as `ofp-print` prints it.
const SENT: [&str; 8] = [
    "ADD tcp,tp_dst=80 actions=drop",
    "ADD table:1 priority=7,ip,nw_src=10.0.0.1 actions=output:2",
    "MOD table:2 ip cookie:0x10/0xff actions=output:3",
    "MOD_STRICT priority=3,arp actions=NORMAL",
    "DEL table:3 ip out_port:2 actions=drop",
    "DEL table:255 cookie:0x1/0xffffffffffffffff actions=drop",
    "DEL_STRICT table:4 priority=5,ip actions=drop",
    "DEL table:255 actions=drop",
];

#[test]
fn a_file_of_flows_has_commands_comments_and_what_only_they_have() {
    let sent: Vec<_> = flow_mods(FLOWS)
        .map(|change| {
            let mut out = Vec::new();
            change.unwrap().encode(Version::V1_3, 0, &mut out).unwrap();
            print(&out)
                .trim_end()
                .replace("OFPT_FLOW_MOD (OF1.3) (xid=0x0): ", "")
        })
        .collect();
    assert_eq!(sent, SENT);
    let error = |line: &str| {
        flow_mods(line.as_bytes())
            .next()
            .unwrap()
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("add cookie=1/1,ip actions=drop"),
        "line 1, column 11: expected a cookie without a mask, found \"1\""
    );
    assert_eq!(
        error("\n\nadd ip"),
        "line 3, column 4: expected `actions=`, found nothing"
    );
}

#[test]
fn groups_are_read_as_ovs_ofctl_reads_them() {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return;
    };
    let mut compared = 0;
    for line in [
        "group_id=1234,type=all,bucket=output:10",
        "group_id=1,type=select,bucket=weight:3,output:1,bucket=actions=output:2,output:3,bucket=DROP",
        "group_id=2,type=fast_failover,bucket=watch_port:1,actions=1,bucket=Watch_Group=5,action=2",
        "group_id=3 type=indirect bucket=output:1,mod_nw_tos:8,",
        "group_id=4,type=all",
        "group_id=5,type=select,selection_method=hash,fields(ip_dst=255.255.255.0,nw_proto),bucket=bucket_id:7,1",
    ] {
        let parse = Command::new(&ofctl)
            .args(["-O", "OpenFlow15", "parse-group", line])
            .output()
            .unwrap();
        assert!(parse.status.success(), "{line}");
        let theirs = String::from_utf8(parse.stdout).unwrap();
        let mut out = Vec::new();
        let change = group_mods(line.as_bytes()).next().unwrap().unwrap();
        change.encode(Version::V1_5, 0, &mut out).unwrap();
        assert_eq!(
            print(&out).lines().last(),
            theirs.trim_end().lines().last(),
            "{line}"
        );
        compared += usize::from(Message::parse(&out).is_ok());
    }
    assert_eq!(compared, 6);
    let file = b"add_or_mod group_id=1,type=all,bucket=1 # one\ninsert_bucket group_id=1,command_bucket_id=first,bucket=2\n\
        remove_bucket group_id=1,command_bucket_id=all\ndelete group_id=1\ndelete\n";
    let changes: Vec<_> = group_mods(file)
        .map(|change| change.unwrap().to_string())
        .collect();
    assert_eq!(
        changes,
        [
            "ADD_OR_MOD group_id=1,type=all,bucket=actions=output:1",
            "INSERT_BUCKET command_bucket_id:first,group_id=1,bucket=actions=output:2",
            "REMOVE_BUCKET command_bucket_id:all,group_id=1",
            "DEL group_id=1,type=all",
            "DEL group_id=4294967292,type=all",
        ]
    );
}
