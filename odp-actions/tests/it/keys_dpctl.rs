//! Random keys: printed by us, read and printed again by the real `ovs-dpctl`.

use std::process::Command;

use netlink_genl::nlattr::{Attrs, Sink};
use odp_actions::key::{Erspan, Gbp, GeneveOpts, Gtpu, VxlanAttr, VxlanOpts};
use odp_actions::{Key, MaskedKey, Tunnel, TunnelAttr};
use testbed::{or_skip, program};

use crate::random::Random;

/// Types with the length of their payload.
const KINDS: [(u16, usize); 26] = [
    (2, 4),
    (3, 4),
    (4, 12),
    (5, 2),
    (6, 2),
    (7, 12),
    (8, 40),
    (9, 4),
    (10, 4),
    (11, 2),
    (12, 2),
    (13, 24),
    (14, 28),
    (15, 4),
    (17, 4),
    (18, 2),
    (19, 4),
    (21, 4),
    (21, 12),
    (22, 4),
    (23, 2),
    (24, 4),
    (25, 16),
    (26, 16),
    (29, 4),
    (30, 8),
];

#[test]
#[cfg(target_endian = "little")]
fn random_keys_come_back_from_ovs_dpctl_as_they_were_printed() {
    let Some(dpctl) = or_skip(program("ovs-dpctl")) else {
        return;
    };
    let mut random = Random::new();
    for _ in 0..30 {
        let texts: Vec<String> = (0..100)
            .map(|_| match random.below(4) {
                0 => format!("set({})", Key::Tunnel(tunnel(&mut random))),
                _ => format!("set({})", masked(&mut random)),
            })
            .collect();
        let output = Command::new(&dpctl)
            .arg("parse-actions")
            .args(&texts)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        for (ours, theirs) in texts.iter().zip(printed.lines()) {
            let inner = ours
                .strip_prefix("set(")
                .and_then(|text| text.strip_suffix(')'))
                .unwrap();
            let again: MaskedKey = inner.parse().unwrap();
            // What is exact becomes a `set` without a mask, which is printed verbose.
            let printed = match again.is_exact() {
                true => format!("set({})", again.key),
                false => format!("set({again})"),
            };
            assert_eq!(printed, theirs, "{ours}");
        }
        assert_eq!(
            printed.lines().count(),
            texts.len(),
            "{complaints}{}",
            texts[printed.lines().count()]
        );
    }
}

fn masked(random: &mut Random) -> MaskedKey {
    let (kind, len) = KINDS[random.below(KINDS.len())];
    let [mut value, mut mask] = [(); 2].map(|()| random_bytes(random, len));
    // Whole bytes, and sometimes all of them.
    if random.below(2) == 0 {
        mask.iter_mut()
            .for_each(|byte| *byte = if *byte & 1 == 0 { 0 } else { 0xff });
    }
    if random.below(3) == 0 {
        mask.fill(0xff);
    }
    // What Open vSwitch cannot read is left out.
    for (bytes, is_mask) in [(&mut value, false), (&mut mask, true)] {
        match kind {
            7 => bytes[11] = fragment(bytes[11], is_mask),
            8 => {
                bytes[39] = fragment(bytes[39], is_mask);
                (bytes[32], bytes[33]) = (0, bytes[33] & 0xf);
            }
            18 => bytes[0] &= 0xf,
            22 if bytes[..] != [0xff; 4] || !is_mask => bytes[1..].fill(0),
            23..=25 if is_mask => bytes[0] |= 1,
            _ => {}
        }
    }
    let mut bytes = Vec::new();
    bytes.attr(kind, &[value, mask].concat()).unwrap();
    let attr = Attrs::new(&bytes).next().unwrap().unwrap();
    MaskedKey::decode(&attr).unwrap()
}

fn fragment(byte: u8, is_mask: bool) -> u8 {
    if !is_mask {
        byte % 3
    } else if byte & 1 == 0 {
        0
    } else {
        0xff
    }
}

fn tunnel(random: &mut Random) -> Tunnel {
    let mut byte = || u8::try_from(random.below(256)).unwrap();
    let mut attrs = vec![
        TunnelAttr::Id(u64::from_be_bytes([0; 8].map(|_: u8| byte()))),
        TunnelAttr::Ipv4Src([byte(), byte(), byte(), byte()].into()),
        TunnelAttr::Ipv4Dst([byte(), byte(), byte(), byte()].into()),
        TunnelAttr::Ipv6Src([0; 16].map(|_: u8| byte()).into()),
        TunnelAttr::Ipv6Dst([0; 16].map(|_: u8| byte() & 1).into()),
        TunnelAttr::Tos(byte() & 3),
        TunnelAttr::Ttl(byte()),
        TunnelAttr::TpSrc(u16::from(byte())),
        TunnelAttr::TpDst(u16::from(byte()) << 8),
    ];
    attrs.retain(|_| byte() & 1 == 0);
    match byte() % 6 {
        0 => {
            let mut opts = GeneveOpts::default();
            for _ in 0..=byte() % 3 {
                let data: Vec<u8> = (0..4 * (byte() % 5)).map(|_| byte() & 0xf).collect();
                assert!(opts.push(u16::from(byte()), byte(), &data));
            }
            attrs.push(TunnelAttr::Geneve(opts));
        }
        1 => attrs.push(TunnelAttr::Vxlan(VxlanOpts::new([VxlanAttr::Gbp(Gbp::new(
            u16::from(byte()),
            byte() | 1,
        ))]))),
        2 => {
            let version = 1 + u32::from(byte() & 1);
            let mut data = [0; 8];
            match version {
                1 => data[..4].copy_from_slice(&[byte(), byte(), byte(), byte()]),
                _ => data[7] = byte() & 0xf8,
            }
            attrs.push(TunnelAttr::Erspan(Erspan { version, data }));
        }
        3 => attrs.push(TunnelAttr::Gtpu(Gtpu {
            flags: byte(),
            msgtype: byte(),
        })),
        _ => {}
    }
    // With all three Open vSwitch takes the key for a masked one.
    attrs.extend(
        [TunnelAttr::DontFragment, TunnelAttr::Csum]
            .into_iter()
            .filter(|_| byte() & 1 == 0),
    );
    Tunnel::new(attrs).unwrap()
}

fn random_bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| u8::try_from(random.below(256)).unwrap())
        .collect()
}
