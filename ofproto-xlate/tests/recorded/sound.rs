//! Whatever is in a megaflow gets its actions.

use ofp_codec::Field;
use ofproto_xlate::{Packet, Step, What};

use crate::{
    scene::Scene,
    scenes::{directories, states},
};

#[test]
fn packets_that_differ_where_nothing_was_looked_at_get_the_same_actions() {
    let mut random = Random(1);
    let mut drawn = 0;
    for directory in directories() {
        let scene = Scene::new(&directory, "3.5.0");
        let switch = scene.switch();
        for row in scene.rows().iter().filter(|row| row.round == 0) {
            let Ok(packet) = switch.packet(&row.bridge, &row.input) else {
                continue;
            };
            let Ok(trace) = switch.trace(&row.bridge, &packet, &states(&row.options)) else {
                continue;
            };
            let first = &trace.rounds[0];
            // Open vSwitch hashes the addresses of a packet that is not IP, and does not put them into the megaflow.
            let is_ip = matches!(packet.fields().get(Field::EthType), 0x800 | 0x86dd);
            let hashes =
                |step: &Step| matches!(&step.what, What::Action(action) if action.contains("symmetric_l3l4"));
            if !is_ip && first.steps.iter().any(hashes) {
                continue;
            }
            let mut fields = *packet.fields();
            for field in FIELDS {
                // A packet without the header has no other value of it.
                if fields.get(field) != 0 {
                    let seen = first.mask.get(field);
                    let is_icmp = matches!(fields.get(Field::IpProto), 1 | 58);
                    let bits = if is_icmp && matches!(field, Field::TcpSrc | Field::TcpDst) {
                        0xff
                    } else {
                        u128::MAX
                    };
                    fields.set(
                        field,
                        fields.get(field) & seen | random.next(field) & !seen & bits,
                    );
                }
            }
            let other = switch.trace(&row.bridge, &Packet::new(fields), &states(&row.options));
            let place = format!("{} #{}: {}", directory.display(), row.id, row.input);
            let other = other.unwrap_or_else(|unknown| panic!("{place}: {unknown}"));
            assert_eq!(
                other.rounds[0].actions, first.actions,
                "{place}\nand {fields:?}\nunder {:?}",
                first.mask
            );
            drawn += 1;
        }
    }
    assert!(drawn > 2000, "{drawn}");
}

/// Fields that can have any value in a packet that has them.
const FIELDS: [Field; 16] = [
    Field::EthSrc,
    Field::EthDst,
    Field::IpSrc,
    Field::IpDst,
    Field::Ipv6Src,
    Field::Ipv6Dst,
    Field::Ipv6Label,
    Field::NwTtl,
    Field::NwTos,
    Field::TcpSrc,
    Field::TcpDst,
    Field::PktMark,
    Field::SkbPriority,
    Field::CtMark,
    Field::TunSrc,
    Field::TunId,
];

struct Random(u64);

impl Random {
    /// Any value of a field but 0, as Vigna's splitmix64 makes them.
    fn next(&mut self, field: Field) -> u128 {
        let mut word = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            u128::from(z ^ z >> 27)
        };
        let bits = u32::from(field.info().bits);
        ((word() << 64 | word()) >> (128 - bits)).max(1)
    }
}
