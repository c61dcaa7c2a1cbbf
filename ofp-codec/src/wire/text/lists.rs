//! The entries of a message, as `ovs-ofctl ofp-print` prints them.

use alloc::string::String;
use core::fmt;

use crate::wire::{
    entries::{BadEntry, Entries, Entry},
    error::DecodeError,
    flow_stats::FlowStatsRef,
    message::Message,
    text::put,
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
        let entry = entry.map_err(|bad| bad.error)?;
        let flow = entry.check()?.canonical(message.header().version);
        put(text, &format_args!("\n {flow}"));
        Ok(())
    })
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
