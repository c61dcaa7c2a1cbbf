//! The entries of a message, as `ovs-ofctl ofp-print` prints them.

use alloc::string::String;
use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        entries::{BadEntry, Entries, Entry},
        error::DecodeError,
        flow_stats::FlowStatsRef,
        kind::Namespace,
        message::Message,
        read::Reader,
        text::put,
    },
};

/// Takes the entries up to the first one that is malformed.
pub(super) fn every<'a, T>(
    mut entries: impl Iterator<Item = Result<T, BadEntry<'a>>>,
    mut take: impl FnMut(T),
) -> Result<(), DecodeError> {
    entries.try_for_each(|entry| {
        take(entry.map_err(|bad| bad.error)?);
        Ok(())
    })
}

/// The flows up to the first one that Open vSwitch would refuse.
pub(super) fn flows(message: &Message<'_>, text: &mut String) -> Result<(), DecodeError> {
    FlowStatsRef::entries(message)?.try_for_each(|entry| {
        let entry = entry.map_err(|bad| first_error(message, &bad))?;
        check_start(message, &entry)?;
        put(text, &format_args!("\n {}", entry.check()?.as_received()));
        Ok(())
    })
}

/// The error with which `ovs-ofctl` refuses what is not as long as it says (`ofputil_decode_flow_stats_reply` in
/// lib/ofp-flow.c): it reads the match before it needs the length.
fn first_error(message: &Message<'_>, bad: &BadEntry<'_>) -> DecodeError {
    let rest = message.bytes().get(bad.offset..).unwrap_or_default();
    let rest = Reader::at(rest, bad.offset);
    let version = message.header().version;
    let form = message.form();
    if version == Version::V1_0 || form.is_none_or(|form| form.namespace != Namespace::Multipart) {
        return bad.error;
    }
    let start = FlowStatsRef::decode(rest, version).and_then(|flow| {
        check_start(message, &flow)?;
        Ok(flow.head.len())
    });
    let len = { rest }.u16("flow entry").map_or(0, usize::from);
    let error = match start {
        Ok(head) if head <= len => return rest.named("OFPBIC_BAD_LEN").error("flow entry", bad.error.fault),
        Ok(_) => bad.error,
        Err(error) => error,
    };
    match version {
        // There it has no name for it.
        Version::V1_5 => DecodeError {
            name: NO_NAME,
            ..error
        },
        _ => error,
    }
}

/// Checks what stands before the instructions.
fn check_start(message: &Message<'_>, flow: &FlowStatsRef<'_>) -> Result<(), DecodeError> {
    let stats = || flow.stats.map_or(Ok(()), |stats| stats.to_stats().map(|_| ()));
    let checked = flow.matches.check().and_then(|()| stats());
    match message.header().version {
        Version::V1_5 => checked.map_err(|error| DecodeError {
            name: NO_NAME,
            ..error
        }),
        _ => checked,
    }
}

/// The entries, each with this before it, up to the first one that is malformed.
pub(super) fn each<'a, T: Entry<'a> + fmt::Display>(
    message: &Message<'a>,
    before: &str,
    text: &mut String,
) -> Result<(), DecodeError> {
    Entries::<T>::of(message).try_for_each(|entry| {
        let entry = entry.map_err(|bad| bad.error)?;
        text.push_str(before);
        put(text, &entry);
        Ok(())
    })
}

/// The entries, each with a line feed before and behind it.
pub(super) fn lines<'a, T: Entry<'a> + fmt::Display>(
    message: &Message<'a>,
    text: &mut String,
) -> Result<(), DecodeError> {
    Entries::<T>::of(message).try_for_each(|entry| {
        let entry = entry.map_err(|bad| bad.error)?;
        put(text, &format_args!("\n{entry}\n"));
        Ok(())
    })
}

/// What Open vSwitch prints for an error that is none of OpenFlow's.
const NO_NAME: &str = "<invalid>";
