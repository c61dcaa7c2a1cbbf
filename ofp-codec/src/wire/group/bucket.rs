use alloc::vec::Vec;

use crate::{
    model::{
        canonical::actions::Context,
        group::{Bucket, Group, GroupType},
        port::{NumberOrName, Port, PortRef},
        version::Version,
    },
    wire::{
        action::{decode_actions, encode_actions},
        error::{DecodeError, EncodeError, Fault},
        group::{MAX_BUCKET, has_properties, unknown_property},
        property::{Property, decode_property},
        read::Reader,
        write::Writer,
    },
};

pub(super) fn decode_buckets(
    mut reader: Reader<'_>,
    version: Version,
    kind: GroupType,
) -> Result<Vec<Bucket>, DecodeError> {
    let mut buckets: Vec<Bucket> = Vec::new();
    reader = reader.named(BAD_BUCKET);
    let all = reader;
    while !reader.is_empty() {
        let len = usize::from({ reader }.u16("bucket length")?);
        let bucket = reader.part(len, "bucket")?;
        buckets.push(decode_bucket(bucket, version, kind)?);
    }
    let mut ids: Vec<u32> = buckets.iter().filter_map(|bucket| bucket.id).collect();
    ids.sort_unstable();
    match ids.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(all.error("bucket", Fault::Repeated)),
        false => Ok(buckets),
    }
}

/// Before OpenFlow 1.5 length, weight, port, group, padding, actions (`struct ofp11_bucket`); then and in
/// 1.0 length, length of the actions, number, actions, properties (`struct ofp15_bucket`).
fn decode_bucket(mut reader: Reader<'_>, version: Version, kind: GroupType) -> Result<Bucket, DecodeError> {
    let start = reader;
    reader.u16("bucket")?;
    let watch = |number| match Port::from_32_bits(number) {
        Some(port) => Ok(Some(PortRef::from(port)).filter(|_| port != Port::ANY)),
        None => Err(start
            .named("OFPGMFC_BAD_WATCH")
            .error("watched port", Fault::Value(number.into()))),
    };
    if !has_properties(version) {
        let weight = reader.u16("bucket")?;
        let (port, group) = (reader.u32("bucket")?, reader.u32("bucket")?);
        reader.u32("bucket")?;
        return Ok(Bucket {
            id: None,
            weight,
            actions: decode_actions(reader, version)?,
            watch_port: watch(port)?,
            watch_group: Some(group).filter(|group| *group != Group::ANY),
        });
    }
    let actions_len = usize::from(reader.u16("bucket")?);
    let id = reader.u32("bucket")?;
    let actions = decode_actions(reader.part(actions_len, "actions")?, version)?;
    let mut bucket = Bucket {
        id: Some(id),
        weight: kind.default_weight(),
        actions,
        ..Bucket::default()
    };
    let mut port = Port::ANY.0;
    while !reader.is_empty() {
        let (kind, mut property) = decode_property(&mut reader)?;
        match kind {
            WEIGHT => bucket.weight = property.u16("weight")?,
            WATCH_PORT => port = exactly_u32(property, "watched port")?,
            WATCH_GROUP => {
                let group = exactly_u32(property, "watched group")?;
                bucket.watch_group = Some(group).filter(|group| *group != Group::ANY);
            }
            _ => return Err(unknown_property(kind, property)),
        }
    }
    bucket.watch_port = watch(port)?;
    if id > MAX_BUCKET {
        return Err(start.error("bucket number", Fault::Value(id.into())));
    }
    Ok(bucket)
}

fn exactly_u32(mut property: Reader<'_>, what: &'static str) -> Result<u32, DecodeError> {
    let number = property.u32(what)?;
    property.finish(what)?;
    Ok(number)
}

pub(super) fn encode_buckets(
    group: &Group,
    version: Version,
    writer: &mut Writer<'_>,
) -> Result<(), EncodeError> {
    let mut free = 0..;
    for (place, bucket) in (0..).zip(&group.buckets) {
        let start = writer.len();
        let port = match &bucket.watch_port {
            None => Port::ANY,
            Some(NumberOrName::Number(port)) => *port,
            Some(NumberOrName::Name(name)) => {
                let (what, name) = ("port", name.clone());
                return Err(EncodeError::Unresolved { what, name });
            }
        };
        let watched = bucket.watch_group.unwrap_or(Group::ANY);
        writer.u16(0);
        if !has_properties(version) {
            // The switch counts them itself.
            if bucket.id.is_some_and(|id| id != place) {
                let what = "number of a bucket";
                return Err(EncodeError::NotInVersion { what, version });
            }
            writer.u16(bucket.weight);
            writer.u32(port.0);
            writer.u32(watched);
            writer.u32(0);
            encode_actions(&bucket.actions, &Context::new(version), writer)?;
            writer.fill_len(start, start, "bucket")?;
            continue;
        }
        let is_free = |id: &u32| group.buckets.iter().all(|bucket| bucket.id != Some(*id));
        let id = bucket.id.or_else(|| free.by_ref().find(is_free));
        writer.u16(0);
        writer.u32(id.unwrap_or(0));
        encode_actions(&bucket.actions, &Context::new(version), writer)?;
        writer.fill_len(start + 2, start + 8, "actions")?;
        if group.kind == GroupType::SELECT || bucket.weight != 0 {
            let [high, low] = bucket.weight.to_be_bytes();
            Property::new(WEIGHT, &[high, low, 0, 0]).encode(writer)?;
        }
        if port != Port::ANY {
            Property::new(WATCH_PORT, &port.0.to_be_bytes()).encode(writer)?;
        }
        if watched != Group::ANY {
            Property::new(WATCH_GROUP, &watched.to_be_bytes()).encode(writer)?;
        }
        writer.fill_len(start, start, "bucket")?;
    }
    Ok(())
}

// `enum ofp15_group_bucket_prop_type`.
const WEIGHT: u16 = 0;
const WATCH_PORT: u16 = 1;
const WATCH_GROUP: u16 = 2;
const BAD_BUCKET: &str = "OFPGMFC_BAD_BUCKET";
