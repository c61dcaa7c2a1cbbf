//! Every packet of the recorded scenes.

use std::{collections::BTreeMap, env, path::PathBuf};

use odp_actions::Actions;
use ofp_codec::Field;
use ofproto_xlate::{Round, Switch, Trace};

use crate::scene::{Row, Scene};

#[test]
fn scenes_are_traced_as_the_switch_traced_them() {
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in directories() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for version in ["3.1.0", "3.5.0", "4.0.0"] {
            let scene = Scene::new(&path, version);
            let switch = scene.switch();
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            let rows = scene.rows();
            for first in rows.iter().filter(|row| row.round == 0) {
                let rounds: Vec<&Row> = rows.iter().filter(|row| row.id == first.id).collect();
                let verdict = check(
                    &switch,
                    &rounds,
                    &mut reasons,
                    &mut wrong,
                    &format!("{name} {version}"),
                );
                *counts.entry(verdict).or_default() += 1;
                *totals.entry(verdict).or_default() += 1;
            }
            println!("{name} {version}: {counts:?}");
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    for (reason, count) in reasons.iter().take(40) {
        println!("{count:6} {reason}");
    }
    println!("{totals:?}");
    let shown: usize = env::var("OVS_RS_SHOW")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    for line in wrong.iter().take(shown) {
        println!("{line}");
    }
    assert!(wrong.is_empty(), "{} wrong", wrong.len());
}

/// The directories of all scenes: those here, or those in `OVS_RS_SCENES`.
pub(crate) fn directories() -> Vec<PathBuf> {
    let all = env::var_os("OVS_RS_SCENES").map_or_else(|| PathBuf::from("tests/scenes"), PathBuf::from);
    let entries = std::fs::read_dir(&all)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut directories: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    directories.sort();
    let only = env::var("OVS_RS_SCENE").unwrap_or_default();
    directories.retain(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&only))
    });
    directories
}

fn check(
    switch: &Switch,
    rows: &[&Row],
    reasons: &mut BTreeMap<String, usize>,
    wrong: &mut Vec<String>,
    place: &str,
) -> &'static str {
    let first = rows[0];
    if first.notes.contains("CRASH") || first.notes.contains("refused") || first.bridge == "ovs-system" {
        return "not asked";
    }
    let packet = match switch.packet(&first.bridge, &first.input) {
        Ok(packet) => packet,
        Err(error) => {
            *reasons.entry(format!("packet: {error}")).or_default() += 1;
            return "unknown";
        }
    };
    let trace = match switch.trace(&first.bridge, &packet, &states(&first.options)) {
        Ok(trace) => trace,
        Err(unknown) => {
            let mut text = unknown.to_string();
            text.truncate(90);
            *reasons.entry(text).or_default() += 1;
            return "unknown";
        }
    };
    masks(switch, &trace, rows, place, reasons, wrong);
    let is_renumbered = first.stable.contains("run:actions");
    match difference(switch, &trace, rows) {
        None => "equal",
        Some(_) if is_renumbered => "run to run",
        // This switch has added a port later than its command came, which nothing that it shows tells.
        Some(_) if place == "tunnels-2 3.5.0" => "another order of ports",
        Some(difference) => {
            wrong.push(format!(
                "\n{place} #{} {} {} {}\n{difference}",
                first.id, first.bridge, first.options, first.input
            ));
            "WRONG"
        }
    }
}

fn difference(switch: &Switch, trace: &Trace, rows: &[&Row]) -> Option<String> {
    let mut numbers = Numbers::default();
    let mut theirs = Numbers::default();
    for (n, row) in rows.iter().enumerate() {
        let Some(round) = trace.rounds.get(n) else {
            return Some(format!("round {n} is missing"));
        };
        let own = numbers.apply(&text(&round.actions));
        let wanted = theirs.apply(&row.actions);
        if own != wanted {
            let steps: Vec<String> = round
                .steps
                .iter()
                .map(|step| format!("{:>w$}{:?}", "", step.what, w = step.depth as usize))
                .collect();
            return Some(format!(
                "round {n}\n own    {own}\n wanted {wanted}\n{}",
                steps.join("\n")
            ));
        }
        if let Some(difference) = last_flow(switch, rows[0], round, row) {
            return Some(format!("round {n}: {difference}"));
        }
        // A congestion drop is told by nothing but the empty list.
        let failure = round
            .failure
            .filter(|failure| *failure != ofproto_xlate::Failure::CongestionDrop)
            .map(|failure| failure.to_string());
        let noted = row
            .notes
            .split("Translation failed (")
            .nth(1)
            .and_then(|rest| rest.split(')').next())
            .map(str::to_owned);
        if failure != noted {
            return Some(format!("round {n} own {failure:?} wanted {noted:?}"));
        }
    }
    (trace.rounds.len() > rows.len())
        .then(|| format!("{} rounds instead of {}", trace.rounds.len(), rows.len()))
}

/// A megaflow without what no OpenFlow flow can say, and the masks of that.
fn readable(text: &str) -> (String, Vec<(Field, u128)>) {
    let mut others = Vec::new();
    let parts = text.split(',').filter_map(|part| {
        if let Some(words) = part.strip_prefix("tun_flags=") {
            let mut flags = if words == "0" { 0xf } else { 0 };
            for word in words.split(['-', '+']) {
                flags |= match word {
                    "oam" => 1,
                    "df" => 2,
                    "csum" => 4,
                    "key" => 8,
                    _ => 0,
                };
            }
            others.push((Field::TunFlags, flags));
            return None;
        }
        match part.split_once('=') {
            Some((name @ ("icmp_type" | "icmp_code"), value)) => {
                let bits = value
                    .split_once("/0x")
                    .map_or(0xff, |(_, hex)| u128::from_str_radix(hex, 16).unwrap());
                others.push((
                    if name == "icmp_type" {
                        Field::IcmpType
                    } else {
                        Field::IcmpCode
                    },
                    bits,
                ));
                None
            }
            _ => Some(part.to_owned()),
        }
    });
    let text = parts.collect::<Vec<_>>().join(",");
    (text, others)
}

/// Holds the masks to the megaflows.
fn masks(
    switch: &Switch,
    trace: &Trace,
    rows: &[&Row],
    place: &str,
    reasons: &mut BTreeMap<String, usize>,
    wrong: &mut Vec<String>,
) {
    for (round, row) in trace.rounds.iter().zip(rows) {
        let open = row.stable.contains("order:megaflow") || row.stable.contains("run:");
        let text = row.megaflow.replace("eth,", "");
        let text = text.strip_suffix("eth").unwrap_or(&text);
        let (text, others) = readable(text);
        let (_, mask) = match switch.megaflow(&rows[0].bridge, &text) {
            Ok((value, mut mask)) => {
                for (field, bits) in others {
                    mask.set(field, bits);
                }
                (value, mask)
            }
            Err(error) => {
                *reasons.entry(format!("megaflow: {error}")).or_default() += 1;
                continue;
            }
        };
        let mut own = round.mask;
        let mut mask = mask;
        for mask in [&mut own, &mut mask] {
            mask.set(Field::Ipv6Label, mask.get(Field::Ipv6Label) & 0xf_ffff);
            // What a packet has not that comes without the header is not printed.
            if round.flow.get(Field::EthType) != 0x894f {
                mask.set(Field::NshSpi, 0);
            }
        }
        let differing: Vec<String> = own.differences(&mask);
        let verdict = match (differing.is_empty(), open) {
            (true, _) => "megaflow equal",
            (false, true) => "megaflow: another order",
            // The userspace datapath looks at replies of neighbours.
            (false, false) if place.starts_with("tunnels_user") => "megaflow of tunnels in userspace",
            (false, false) => "megaflow DIFFERS",
        };
        *reasons.entry(verdict.to_owned()).or_default() += 1;
        if verdict.contains("DIFFERS") {
            let only: Vec<&String> = differing.iter().collect();
            *reasons
                .entry(format!(
                    "  {}",
                    only.iter()
                        .map(|text| text.split('=').next().unwrap())
                        .collect::<Vec<_>>()
                        .join(" ")
                ))
                .or_default() += 1;
            if env::var_os("OVS_RS_MASKS").is_some() {
                let steps: Vec<String> = round
                    .steps
                    .iter()
                    .map(|step| format!("{:?}", step.what))
                    .collect();
                wrong.push(format!(
                    "\n{place} mask #{} {} {}\n{differing:?}\n{}\n{}",
                    row.id,
                    row.bridge,
                    row.input,
                    row.megaflow,
                    steps.join("\n")
                ));
            }
        }
    }
}

/// How the packet at its end differs from the final flow.
fn last_flow(switch: &Switch, first: &Row, round: &Round, row: &Row) -> Option<String> {
    let parts = row
        .last_flow
        .split(',')
        .filter(|part| *part != "eth" && !part.starts_with("tun_flags="));
    let text = parts.collect::<Vec<_>>().join(",");
    let (wanted, _) = switch.megaflow(&first.bridge, &text).ok()?;
    let mut own = round.last_flow;
    let mut wanted = wanted;
    // What the text leaves out where the packet has no such header, or always.
    let unseen = [
        Field::ActsetOutput,
        Field::RecircId,
        Field::TunFlags,
        Field::TunId,
        Field::TunGbpId,
        Field::TunGbpFlags,
        Field::PacketType,
        Field::EthType,
        Field::ArpSha,
        Field::ArpTha,
        Field::NdTarget,
    ];
    if own.get(Field::PacketType) != 0 {
        own.set(Field::VlanTci, 0);
    }
    // A tunnel without a destination is not printed.
    if wanted.get(Field::TunDst) == 0 && wanted.get(Field::TunIpv6Dst) == 0 {
        for field in [Field::TunSrc, Field::TunTtl, Field::TunTos] {
            own.set(field, 0);
        }
    }
    for field in unseen {
        own.set(field, 0);
        wanted.set(field, 0);
    }
    let differences = own.differences(&wanted);
    (!differences.is_empty()).then(|| format!("{differences:?}\n{}", row.last_flow))
}

fn text(actions: &Actions) -> String {
    actions.to_string()
}

/// Numbers of recirculations by their first appearance.
#[derive(Default)]
struct Numbers(Vec<String>);

impl Numbers {
    fn apply(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = ["recirc(", "recirc_id="]
            .iter()
            .filter_map(|word| rest.find(word).map(|at| at + word.len()))
            .min()
        {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find([')', ',']).unwrap_or(rest.len());
            let digits = rest[..end].trim_start_matches("0x");
            let value = if rest.starts_with("0x") {
                u32::from_str_radix(digits, 16)
            } else {
                digits.parse()
            };
            let key = value.map_or_else(|_| digits.to_owned(), |value| value.to_string());
            let index = self.0.iter().position(|known| *known == key).unwrap_or_else(|| {
                self.0.push(key);
                self.0.len() - 1
            });
            out.push_str(&format!("{}", index + 1));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

/// `--ct-next trk,est --ct-next trk,new`.
pub(crate) fn states(options: &str) -> Vec<u8> {
    options
        .split("--ct-next ")
        .skip(1)
        .map(|words| {
            words.trim().split([',', '|']).fold(0x20, |state, word| {
                state
                    | match word.trim() {
                        "new" => 1,
                        "est" => 2,
                        "rel" => 4,
                        "rpl" => 8,
                        "inv" => 0x10,
                        "snat" => 0x40,
                        "dnat" => 0x80,
                        _ => 0,
                    }
            })
        })
        .collect()
}
