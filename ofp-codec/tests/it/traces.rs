//! What the lint says of flows together, beside `ofproto/trace` of a real switch.

use std::collections::BTreeSet;

use ofp_codec::{
    Flow,
    lint::{TableProblem, table_problems},
    text::items,
};
use testbed::Switch;

use crate::{random::Random, switch::switch};

/// The bits of a field that a match looks at.
#[derive(Clone, Copy, Default)]
struct Bits {
    value: u64,
    mask: u64,
}

/// A match: a protocol's word, and bits by field.
#[derive(Clone, Copy)]
struct Pattern {
    word: &'static str,
    fields: [Bits; FIELDS.len()],
}

/// A field: its name, the words that it can stand beside, its full mask, and how its values are written.
struct Row(&'static str, &'static [&'static str], u64, fn(u64) -> String);

const FIELDS: [Row; 9] = [
    Row("reg0", ALL, 0xffff_ffff, hex),
    Row("reg1", ALL, 0xffff_ffff, hex),
    Row("dl_src", ALL, 0xffff_ffff_ffff, mac),
    Row("nw_dst", &["ip", "tcp", "udp", "icmp"], 0xffff_ffff, ip),
    Row("arp_tpa", &["arp"], 0xffff_ffff, ip),
    Row("tcp_dst", &["tcp", "tcp6"], 0xffff, hex),
    Row("udp_dst", &["udp"], 0xffff, hex),
    Row("ipv6_label", &["ipv6", "tcp6", "icmp6"], 0xf_ffff, hex),
    Row("vlan_tci", ALL, 0xffff, hex),
];
const VLAN: usize = FIELDS.len() - 1;

const ALL: &[&str] = &["", "ip", "tcp", "udp", "icmp", "arp", "ipv6", "tcp6", "icmp6"];

/// Packets, and the words that match them.
const PACKETS: [(&str, [&str; 3]); 6] = [
    ("tcp", ["", "ip", "tcp"]),
    ("udp", ["", "ip", "udp"]),
    ("icmp", ["", "ip", "icmp"]),
    ("arp", ["", "", "arp"]),
    ("tcp6", ["", "ipv6", "tcp6"]),
    ("icmp6", ["", "ipv6", "icmp6"]),
];

/// No tag, any tag, an id, a priority. A tag that is there has the bit 0x1000.
const TAGS: [Bits; 4] = [
    Bits {
        value: 0,
        mask: 0xffff,
    },
    Bits {
        value: 0x1000,
        mask: 0x1000,
    },
    Bits {
        value: 0x1005,
        mask: 0x1fff,
    },
    Bits {
        value: 0x7000,
        mask: 0xf000,
    },
];

fn hex(value: u64) -> String {
    format!("{value:#x}")
}

fn mac(value: u64) -> String {
    let bytes = &value.to_be_bytes()[2..];
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

fn ip(value: u64) -> String {
    let bytes = &value.to_be_bytes()[4..];
    let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
    bytes.join(".")
}

fn bits(random: &mut Random) -> u64 {
    random.next() << 32 | random.next()
}

fn packets(word: &str) -> Vec<&'static str> {
    let of = PACKETS.iter().filter(|(_, words)| words.contains(&word));
    of.map(|(packet, _)| *packet).collect()
}

impl Pattern {
    fn any(random: &mut Random) -> Self {
        let mut pattern = Pattern {
            word: "",
            fields: Default::default(),
        };
        pattern.narrow(random);
        pattern
    }

    /// Looks at more bits, or at as many.
    fn narrow(&mut self, random: &mut Random) {
        let packets_before = packets(self.word);
        let narrower = |word: &&&str| packets(word).iter().all(|packet| packets_before.contains(packet));
        let words: Vec<&str> = ALL.iter().filter(narrower).copied().collect();
        if random.below(2) == 0 {
            self.word = *random.pick(&words);
        }
        for (bits_of, row) in self.fields.iter_mut().zip(&FIELDS[..VLAN]) {
            if row.1.contains(&self.word) && random.below(3) == 0 {
                let mask = row.2 & *random.pick(&[u64::MAX, 0xff00_ff00, 3, 1 << 7]) & !bits_of.mask;
                bits_of.mask |= mask;
                bits_of.value |= bits(random) & mask;
            }
        }
        let tag = random.pick(&TAGS);
        let before = self.fields[VLAN];
        let agrees = before.mask & tag.mask == before.mask && tag.value & before.mask == before.value;
        if agrees && random.below(3) == 0 {
            self.fields[VLAN] = *tag;
        }
    }

    /// Looks at another value of a bit, or no more at it.
    fn change(&mut self, random: &mut Random) {
        let used: Vec<_> = (0..VLAN).filter(|field| self.fields[*field].mask != 0).collect();
        if used.is_empty() {
            return;
        }
        let bits_of = &mut self.fields[*random.pick(&used)];
        let ones: Vec<_> = (0..64).filter(|bit| bits_of.mask >> bit & 1 != 0).collect();
        let bit = 1 << *random.pick(&ones);
        match random.below(2) {
            0 => bits_of.value ^= bit,
            _ => {
                bits_of.mask ^= bit;
                bits_of.value &= bits_of.mask;
            }
        }
    }

    /// The match as a line says it: both registers also as one, a tag's id also by itself.
    fn text(&self, random: &mut Random) -> String {
        let mut items = vec![self.word.to_owned()];
        let mut fields = self.fields;
        if fields[..2].iter().any(|bits| bits.mask != 0) && random.below(2) == 0 {
            let join = |part: fn(&Bits) -> u64| part(&fields[0]) << 32 | part(&fields[1]);
            items.push(format!(
                "xreg0={:#x}/{:#x}",
                join(|bits| bits.value),
                join(|bits| bits.mask)
            ));
            fields[..2].fill(Bits::default());
        }
        if fields[VLAN].mask == 0x1fff && random.below(2) == 0 {
            items.push(format!("dl_vlan={}", fields[VLAN].value & 0xfff));
            fields[VLAN] = Bits::default();
        }
        for (Bits { value, mask }, Row(name, .., write)) in fields.iter().zip(&FIELDS) {
            if *mask != 0 {
                items.push(format!("{name}={}/{}", write(*value), write(*mask)));
            }
        }
        items.retain(|item| !item.is_empty());
        items.join(",")
    }

    /// A packet that it matches, as `ofproto/trace` takes it.
    fn packet(&self, random: &mut Random) -> String {
        let word = *random.pick(&packets(self.word));
        let mut items = vec![word.to_owned()];
        for (place, (Bits { value, mask }, Row(name, words, all, write))) in
            self.fields.iter().zip(&FIELDS).enumerate()
        {
            let mut packet = bits(random) & all & !mask | value;
            if place == VLAN {
                let tagged = match mask & 0x1000 {
                    0 => random.below(2) == 0,
                    _ => value & 0x1000 != 0,
                };
                packet = if tagged { packet | 0x1000 } else { 0 };
            }
            if words.contains(&word) {
                items.push(format!("{name}={}", write(packet)));
            }
        }
        items.join(",")
    }
}

fn trace(switch: &Switch, table: usize, packet: &str) -> String {
    let packet = format!("in_port={table},{packet}");
    switch.appctl(&["ofproto/trace", "br0", &packet]).unwrap()
}

/// Puts flows into tables, which packets reach by the port that has the table's number; what is then in the switch.
fn put(switch: &Switch, tables: usize, lines: &[String]) -> Vec<Flow> {
    let br0 = switch.mgmt("br0");
    let ways = (1..=tables).map(|table| format!("in_port={table},actions=resubmit(,{table})"));
    let all: Vec<_> = ways.chain(lines.iter().cloned()).collect();
    let version = ["-O", "OpenFlow13"];
    let add = [&version[..], &["add-flows", &br0, "-"]].concat();
    switch.ofctl_stdin(&add, &(all.join("\n") + "\n")).unwrap();
    let dump = [&version[..], &["dump-flows", &br0]].concat();
    let dump = switch.ofctl(&dump).unwrap();
    let flows: Vec<Flow> = items(dump.as_bytes()).flows().collect::<Result<_, _>>().unwrap();
    assert_eq!(flows.len(), all.len());
    flows
}

#[test]
fn no_packet_reaches_a_shadowed_flow_and_some_reach_each_other_one() {
    let Some(switch) = switch() else { return };
    let mut random = Random::seeded(0x5_4ad0);
    let mut patterns = Vec::new();
    let mut lines = Vec::new();
    for table in 1..=PAIRS {
        let first = Pattern::any(&mut random);
        let mut second = first;
        match random.below(4) {
            0 => second = Pattern::any(&mut random),
            kind => {
                second.narrow(&mut random);
                if kind == 1 {
                    second.change(&mut random);
                }
            }
        }
        let priorities = *random.pick(&[[9, 5], [9, 5], [9, 5], [5, 9]]);
        for (pattern, priority) in [first, second].into_iter().zip(priorities) {
            patterns.push((table, pattern));
            let cookie = patterns.len();
            let text = pattern.text(&mut random);
            lines.push(format!(
                "cookie={cookie:#x},table={table},priority={priority},{text},actions=drop"
            ));
        }
    }
    let flows = put(&switch, PAIRS, &lines);
    let shadowed: BTreeSet<u64> = table_problems(&flows)
        .into_iter()
        .map(|problem| match problem {
            TableProblem::Shadowed { flow, .. } => flows[flow].cookie,
            problem => panic!("{problem}"),
        })
        .collect();

    let mut covered = 0;
    for ((cookie, (table, pattern)), line) in (1..).zip(&patterns).zip(&lines) {
        let mut reaches = || {
            let packet = pattern.packet(&mut random);
            let trace = trace(&switch, *table, &packet);
            let hit = |cookie: u64| trace.contains(&format!(", cookie {cookie:#x}\n"));
            let other = ((cookie - 1) ^ 1) + 1;
            assert!(hit(cookie) || hit(other), "{line}\n{packet}\n{trace}");
            hit(cookie)
        };
        if shadowed.contains(&cookie) {
            assert!(!(0..16).any(|_| reaches()), "{line}");
            covered += 1;
        } else {
            assert!((0..64).any(|_| reaches()), "{line}");
        }
    }
    assert!((PAIRS / 4..PAIRS).contains(&covered), "{covered}");
}

#[test]
fn a_trace_finds_no_match_in_a_table_that_is_called_empty() {
    let Some(switch) = switch() else { return };
    // Every second of the tables is empty.
    let ways = [
        "resubmit(,N)",
        "goto_table:N",
        "ct(table=N)",
        "clone(resubmit(,N))",
        "resubmit(LOCAL,N)",
    ];
    let lines: Vec<_> = (1..)
        .step_by(2)
        .zip(ways)
        .flat_map(|(table, way)| {
            let [full, empty] = [101, 102].map(|base| way.replace('N', &(base + table).to_string()));
            [
                format!("cookie=1,table={table},ip,actions={full}"),
                format!("cookie=2,table={},ip,actions={empty}", table + 1),
                format!("cookie=3,table={},actions=drop", 101 + table),
            ]
        })
        .collect();
    let tables = 2 * ways.len();
    let flows = put(&switch, tables, &lines);
    let mut empty: Vec<_> = table_problems(&flows)
        .into_iter()
        .map(|problem| match problem {
            TableProblem::EmptyTable { flow, .. } => flows[flow].table.clone(),
            problem => panic!("{problem}"),
        })
        .collect();
    empty.sort();
    assert_eq!(empty.len(), ways.len());
    for table in 1..=tables {
        let trace = trace(&switch, table, "tcp");
        let is_empty = empty.iter().any(|empty| empty.to_string() == table.to_string());
        assert_eq!(trace.contains(". No match."), is_empty, "{trace}");
        assert_eq!(trace.contains(", cookie 0x3\n"), !is_empty, "{trace}");
    }
}

const PAIRS: usize = 120;
