//! Random typed lists: printed by us, read and printed again by the real `ovs-dpctl`.

use std::process::Command;

use odp_actions::action::{
    AddMpls, CheckPktLen, CheckPktLenAttr, Cookie, Ct, CtAttr, Masked, MplsLse, Nat, NatAttr, Sample,
    SampleAttr, Userdata, Userspace, UserspaceAttr,
};
use odp_actions::key::{Nsh, NshAttr, NshBase, NshContext};
use odp_actions::{Action, Actions, Key, PushVlan, Tunnel, TunnelAttr};
use testbed::{or_skip, program};

use crate::random::Random;

#[test]
fn random_lists_come_back_from_ovs_dpctl_as_they_were_printed() {
    let Some(dpctl) = or_skip(program("ovs-dpctl")) else {
        return;
    };
    let mut random = Random::new();
    for _ in 0..20 {
        let lists: Vec<Actions> = (0..50).map(|_| list(&mut random, 3)).collect();
        let texts: Vec<String> = lists.iter().map(Actions::to_string).collect();
        let output = Command::new(&dpctl)
            .arg("parse-actions")
            .args(&texts)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(printed.lines().count(), texts.len());
        for (list, (ours, theirs)) in lists.iter().zip(texts.iter().zip(printed.lines())) {
            assert_eq!(ours, theirs);
            assert_eq!(&ours.parse::<Actions>().unwrap(), list);
            let bytes = list.to_bytes().unwrap();
            assert_eq!(&Actions::decode(&bytes).unwrap(), list);
            assert_eq!(list.encoded_len().unwrap(), bytes.len());
        }
    }
}

/// A list of actions that `ovs-dpctl` can read: it prints more than that.
pub(crate) fn list(random: &mut Random, depth: usize) -> Actions {
    (0..=random.below(4)).map(|_| action(random, depth)).collect()
}

fn action(random: &mut Random, depth: usize) -> Action {
    match random.below(if depth > 0 { 18 } else { 15 }) {
        0 => Action::Output(word(random)),
        1 => Action::PushVlan(PushVlan::new(half(random), byte(random))),
        2 => Action::PopVlan,
        3 => Action::Trunc(word(random)),
        4 => Action::Meter(word(random)),
        5 => Action::CtClear,
        6 => Action::PopNsh,
        7 => Action::TunnelPop(word(random)),
        8 => Action::LbOutput(word(random)),
        9 => Action::AddMpls(AddMpls {
            lse: MplsLse(word(random)),
            eth_type: 0x8847,
            tun_flags: 0,
        }),
        10 => Action::Userspace(userspace(random)),
        11 | 12 => Action::Ct(ct(random)),
        13 => Action::PushNsh(nsh(random)),
        14 => Action::Set(Key::Tunnel(tunnel(random))),
        15 => Action::Clone(list(random, depth - 1)),
        16 => {
            // One decimal of a percentage is all that text keeps.
            let probability = (f64::from(u32::MAX) * (random.below(1001) as f64 / 1000.0) + 0.5).floor();
            let actions = SampleAttr::Actions(list(random, depth - 1));
            Action::Sample(Sample::new([
                SampleAttr::Probability(probability as u32),
                actions,
            ]))
        }
        _ => Action::CheckPktLen(CheckPktLen::new([
            CheckPktLenAttr::PktLen(half(random)),
            CheckPktLenAttr::Greater(list(random, depth - 1)),
            CheckPktLenAttr::LessEqual(list(random, depth - 1)),
        ])),
    }
}

fn userspace(random: &mut Random) -> Userspace {
    let cookie = match random.below(5) {
        0 => Cookie::Sflow {
            // A tag of zeros alone reads as none.
            vlan_tci: 0x1001 | half(random),
            output: word(random),
        },
        1 => Cookie::SlowPath {
            reason: 1 << random.below(7),
        },
        2 => Cookie::FlowSample {
            probability: half(random),
            collector_set_id: word(random),
            obs_domain_id: word(random),
            obs_point_id: word(random),
            output_port: word(random),
            direction: random.below(3).try_into().unwrap(),
        },
        3 => Cookie::Ipfix {
            output_port: word(random),
        },
        _ => Cookie::Controller {
            reason: half(random),
            dont_send: random.below(2) == 0,
            continuation: random.below(2) == 0,
            recirc_id: word(random),
            rule_cookie: u64::from(word(random)) << 32 | u64::from(word(random)),
            controller_id: half(random),
            max_len: half(random),
        },
    };
    let userdata = match random.below(4) {
        0 => Userdata((0..8 + random.below(40)).map(|_| byte(random)).collect()),
        _ => Userdata::from(cookie),
    };
    let port = (random.below(2) == 0).then(|| UserspaceAttr::EgressTunPort(word(random) >> 1));
    let actions = (random.below(2) == 0).then_some(UserspaceAttr::Actions);
    let attrs = [
        Some(UserspaceAttr::Pid(word(random))),
        Some(UserspaceAttr::Userdata(userdata)),
        port,
        actions,
    ];
    Userspace::new(attrs.into_iter().flatten())
}

fn ct(random: &mut Random) -> Ct {
    let mut attrs = match random.below(3) {
        0 => vec![CtAttr::Commit],
        1 => vec![CtAttr::ForceCommit],
        _ => vec![],
    };
    let mut maybe = |random: &mut Random, attr: CtAttr| attrs.extend((random.below(2) == 0).then_some(attr));
    let zone = CtAttr::Zone(1 + half(random) / 2);
    maybe(random, zone);
    let mark = CtAttr::Mark(Masked {
        value: word(random),
        mask: 1 | word(random),
    });
    maybe(random, mark);
    let label = (0..4).fold(0, |label, _| label << 32 | u128::from(word(random)));
    let label = CtAttr::Labels(Masked {
        value: label,
        mask: u128::MAX >> random.below(127),
    });
    maybe(random, label);
    maybe(random, CtAttr::Helper(c"ftp".to_owned()));
    maybe(random, CtAttr::Timeout(c"ovs_tp_0_tcp4".to_owned()));
    let nat = CtAttr::Nat(nat(random));
    maybe(random, nat);
    Ct::new(attrs)
}

fn nat(random: &mut Random) -> Nat {
    let kind = if random.below(2) == 0 {
        NatAttr::Src
    } else {
        NatAttr::Dst
    };
    let address = |random: &mut Random, v6: bool| match v6 {
        true => std::net::Ipv6Addr::from([0xfd00, 1, 2, 3, 4, 5, half(random) | 1, 7]).into(),
        false => std::net::Ipv4Addr::from_bits(word(random) / 2 + 1).into(),
    };
    match random.below(4) {
        0 => Nat::default(),
        1 => Nat::new([kind]),
        choice => {
            let v6 = choice == 3;
            let (a, b): (std::net::IpAddr, std::net::IpAddr) = (address(random, v6), address(random, v6));
            let mut attrs = vec![kind, NatAttr::IpMin(a.min(b))];
            if a != b {
                attrs.push(NatAttr::IpMax(a.max(b)));
            }
            if random.below(2) == 0 {
                let port = 1 + half(random) / 4;
                attrs.extend([
                    NatAttr::ProtoMin(port),
                    NatAttr::ProtoMax(port + 1 + half(random) / 4),
                ]);
            }
            if random.below(2) == 0 {
                attrs.push(NatAttr::Persistent);
            }
            match random.below(3) {
                0 => attrs.push(NatAttr::ProtoHash),
                1 => attrs.push(NatAttr::ProtoRandom),
                _ => {}
            }
            Nat::new(attrs)
        }
    }
}

fn nsh(random: &mut Random) -> Nsh {
    let base = NshBase {
        flags: byte(random) & 3,
        ttl: byte(random) & 63,
        mdtype: 1,
        np: byte(random),
        path: word(random),
    };
    if random.below(2) == 0 {
        let md1 = NshContext {
            c1: word(random),
            c2: word(random),
            c3: word(random),
            c4: word(random),
        };
        return Nsh::new([NshAttr::Base(base), NshAttr::Md1(md1)]);
    }
    // Text drops zeros at the beginning.
    let metadata = (0..4 * (1 + random.below(10)))
        .map(|i| byte(random) | if i == 0 { 0x10 } else { 0 })
        .collect();
    Nsh::new([
        NshAttr::Base(NshBase { mdtype: 2, ..base }),
        NshAttr::Md2(metadata),
    ])
}

/// With flags that keep Open vSwitch from reading a masked set.
fn tunnel(random: &mut Random) -> Tunnel {
    let attrs = [
        TunnelAttr::Id(u64::from(word(random))),
        TunnelAttr::Ipv4Src(word(random).into()),
        TunnelAttr::Ipv4Dst(word(random).into()),
        TunnelAttr::Tos(byte(random)),
        TunnelAttr::Ttl(byte(random)),
        TunnelAttr::TpSrc(half(random)),
        TunnelAttr::TpDst(half(random)),
        TunnelAttr::DontFragment,
    ];
    Tunnel::new(attrs).unwrap()
}

fn word(random: &mut Random) -> u32 {
    let bits = random.below(33);
    u32::try_from(random.below(1 << bits)).unwrap_or(u32::MAX)
}

fn half(random: &mut Random) -> u16 {
    u16::try_from(word(random) & 0xffff).unwrap()
}

fn byte(random: &mut Random) -> u8 {
    u8::try_from(word(random) & 0xff).unwrap()
}
