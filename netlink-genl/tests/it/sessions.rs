//! Every recorded message of the `ovs_*` families, read and written again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use netlink_genl::ctrl::Family;
use netlink_genl::message::{Flags, Message, MessageType, Messages};
use netlink_genl::nlattr;
use netlink_genl::ovs::ct_limit::{CtLimitAttr, CtLimits, ZoneLimit};
use netlink_genl::ovs::datapath::{Datapath, DatapathAttr};
use netlink_genl::ovs::flow::{Flow, FlowAttr};
use netlink_genl::ovs::meter::{BandAttr, Meter, MeterAttr, MeterFeatures};
use netlink_genl::ovs::packet::{Packet, PacketAttr};
use netlink_genl::ovs::vport::{Vport, VportAttr, VportRef};
use netlink_genl::ovs::{Attribute, Object};

use crate::capture::Capture;

fn sessions() -> Vec<(String, Capture)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sessions");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let read = |path: &Path| Capture::parse(fs::read_to_string(path).unwrap().leak());
    files
        .iter()
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                read(path),
            )
        })
        .collect()
}

/// Reads a message of family `name`, and writes it again.
fn again(name: &str, message: &Message<'_>) -> Option<Vec<u8>> {
    match name {
        "ovs_datapath" => Some(written::<DatapathAttr>(message)),
        "ovs_vport" => Some(written::<VportAttr>(message)),
        "ovs_flow" => Some(written::<FlowAttr>(message)),
        "ovs_packet" => Some(written::<PacketAttr>(message)),
        "ovs_meter" => Some(written::<MeterAttr>(message)),
        "ovs_ct_limit" => Some(written::<CtLimitAttr>(message)),
        _ => None,
    }
}

fn written<A: Attribute>(message: &Message<'_>) -> Vec<u8> {
    let object = Object::<A>::decode(message).unwrap();
    let request = object.request(message.kind().0, message.flags()).unwrap();
    let mut bytes = vec![];
    request.encode(message.seq(), &mut bytes).unwrap();
    // Answers lack the flag of requests.
    bytes[6..8].copy_from_slice(&message.flags().0.to_ne_bytes());
    bytes[12..16].copy_from_slice(&message.port().to_ne_bytes());
    bytes
}

const FAMILIES: [&str; 6] = [
    "ovs_datapath",
    "ovs_vport",
    "ovs_flow",
    "ovs_packet",
    "ovs_meter",
    "ovs_ct_limit",
];

#[test]
fn every_recorded_message_is_written_as_it_was_read() {
    let mut seen = BTreeMap::new();
    let sessions = sessions();
    assert_eq!(sessions.len(), 59);
    for (file, capture) in &sessions {
        if capture.datagrams.is_empty() {
            continue;
        }
        let families = FAMILIES.map(|name| (capture.family(name), name));
        for datagram in &capture.datagrams {
            for message in Messages::new(&datagram.bytes) {
                let message = message.unwrap();
                let Some((_, name)) = families.iter().find(|(id, _)| *id == message.kind().0) else {
                    continue;
                };
                let start = message.offset();
                let mut original = datagram.bytes[start..start + 16 + message.payload().len()].to_vec();
                // The kernel leaves the padding of a packet at the end out (OVS_DP_F_UNALIGNED).
                if *name == "ovs_packet" {
                    original.resize(nlattr::align(original.len()), 0);
                    let len = u32::try_from(original.len()).unwrap();
                    original[..4].copy_from_slice(&len.to_ne_bytes());
                }
                assert_eq!(again(name, &message).unwrap(), original, "{file} at {start}");
                let requests = seen.entry((*name, datagram.from_kernel)).or_insert(0);
                *requests += 1;
            }
        }
    }
    for name in FAMILIES {
        for from_kernel in [false, true] {
            assert!(seen.contains_key(&(name, from_kernel)), "no {name} in {seen:?}");
        }
    }
    assert!(seen.values().sum::<u32>() > 2500, "{seen:?}");
}

#[test]
fn no_attribute_of_a_recorded_message_is_unknown() {
    for (file, capture) in sessions() {
        for datagram in &capture.datagrams {
            for message in Messages::new(&datagram.bytes).map(Result::unwrap) {
                let names: fn(u16) -> Option<&'static str> = match FAMILIES
                    .iter()
                    .find(|name| capture.family(name) == message.kind().0)
                {
                    Some(&"ovs_datapath") => DatapathAttr::name,
                    Some(&"ovs_vport") => VportAttr::name,
                    Some(&"ovs_flow") => FlowAttr::name,
                    Some(&"ovs_packet") => PacketAttr::name,
                    Some(&"ovs_meter") => MeterAttr::name,
                    Some(_) => CtLimitAttr::name,
                    None => continue,
                };
                for attr in message.genl().unwrap().split_header::<4>().unwrap().1 {
                    let attr = attr.unwrap();
                    assert!(names(attr.kind()).is_some(), "{file}: {attr:?}");
                }
            }
        }
    }
}

#[test]
fn every_recorded_answer_is_read_as_what_it_is() {
    let mut seen = BTreeMap::new();
    for (file, capture) in sessions() {
        for datagram in capture.datagrams.iter().filter(|datagram| datagram.from_kernel) {
            for message in Messages::new(&datagram.bytes).map(Result::unwrap) {
                let kind = message.kind();
                let name = FAMILIES.into_iter().find(|name| capture.family(name) == kind.0);
                let read = match name {
                    Some("ovs_datapath") => Datapath::decode(&message).map(drop),
                    Some("ovs_vport") => Vport::decode(&message).and(VportRef::decode(&message).map(drop)),
                    Some("ovs_flow") => Flow::decode(&message).map(drop),
                    Some("ovs_packet") => Packet::decode(&message).map(drop),
                    Some("ovs_meter") => Meter::decode(&message)
                        .and(MeterFeatures::decode(&message))
                        .map(drop),
                    Some(_) => CtLimits::decode(&message).map(drop),
                    None if kind == MessageType::CTRL => Family::decode(&message).map(drop),
                    None => message.status().map(drop),
                };
                read.unwrap_or_else(|error| panic!("{file}: {message:?}: {error}"));
                *seen.entry(name.unwrap_or("control")).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}

#[test]
fn every_truncation_of_a_recorded_message_is_an_error() {
    for (file, capture) in sessions() {
        for datagram in &capture.datagrams {
            for message in Messages::new(&datagram.bytes).map(Result::unwrap) {
                let start = message.offset();
                let len = 16 + message.payload().len();
                for end in start + 1..start + len {
                    let mut cut = Messages::new(&datagram.bytes[start..end]);
                    assert!(cut.next().unwrap().is_err(), "{file}: cut at {end}");
                    assert!(cut.next().is_none());
                }
            }
        }
    }
}

#[test]
fn a_recorded_message_that_claims_to_be_shorter_never_panics() {
    for (_, capture) in sessions() {
        for datagram in &capture.datagrams {
            for message in Messages::new(&datagram.bytes).map(Result::unwrap) {
                let bytes = &datagram.bytes[message.offset()..][..16 + message.payload().len()];
                for end in 16..bytes.len() {
                    let mut cut = bytes[..end].to_vec();
                    cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
                    let message = Messages::new(&cut).next().unwrap().unwrap();
                    let results = [
                        Object::<DatapathAttr>::decode(&message).is_ok(),
                        Object::<VportAttr>::decode(&message).is_ok(),
                        Object::<FlowAttr>::decode(&message).is_ok(),
                        Object::<PacketAttr>::decode(&message).is_ok(),
                        Object::<MeterAttr>::decode(&message).is_ok(),
                        Object::<CtLimitAttr>::decode(&message).is_ok(),
                        message.status().is_ok(),
                    ];
                    assert!(end >= 24 || results[..6] == [false; 6]);
                }
            }
        }
    }
}

#[test]
fn reads_the_limits_of_zones_and_the_bands_of_meters() {
    let sessions: BTreeMap<_, _> = sessions().into_iter().collect();
    let first = |file: &str, name: &str| {
        let capture = &sessions[file];
        let family = capture.family(name);
        let find = |datagram: &&crate::capture::Datagram| {
            let message = Messages::new(&datagram.bytes).next().unwrap().unwrap();
            message.kind().0 == family
                && message.flags().contains(Flags::REQUEST)
                && message.payload().len() > 40
        };
        capture.datagrams.iter().find(find).unwrap().bytes.clone()
    };
    let bytes = first("dpctl-25-ct-set-limits.txt", "ovs_ct_limit");
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let limits = Object::<CtLimitAttr>::decode(&message).unwrap();
    let zone = |zone, limit| ZoneLimit {
        zone,
        limit,
        count: 0,
    };
    let expected = vec![zone(ZoneLimit::DEFAULT, 10), zone(1, 5), zone(2, 7)];
    assert_eq!(limits.attrs, [CtLimitAttr::ZoneLimit(expected)]);

    let bytes = first("vswitchd-09-meter-add.txt", "ovs_meter");
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let meter = Object::<MeterAttr>::decode(&message).unwrap();
    let bands = meter.attrs.iter().find_map(|attr| match attr {
        MeterAttr::Bands(bands) => Some(&bands.0),
        _ => None,
    });
    let [band] = &bands.unwrap()[..] else {
        panic!("{meter:?}")
    };
    let expected = [BandAttr::Type(1), BandAttr::Rate(1000), BandAttr::Burst(100)];
    assert_eq!(band.attrs[..3], expected);
}
