//! Any bytes as dumps of groups and meters: what is typed prints, and reads again as the same.
#![no_main]

use std::fmt::{Debug, Display};

use libfuzzer_sys::fuzz_target;
use ofp_codec::text::{ParseError, group_stats, groups, meter_stats, meters};

fuzz_target!(|dump: &[u8]| {
    prints(dump, groups);
    prints(dump, group_stats);
    prints(dump, meters);
    prints(dump, meter_stats);
});

fn prints<'a, T, I>(dump: &'a [u8], read: impl Fn(&'a [u8]) -> I)
where
    T: Display + Debug + PartialEq,
    I: Iterator<Item = Result<T, ParseError>>,
{
    for entry in read(dump) {
        match entry {
            Ok(entry) => drop(entry.to_string()),
            Err(error) => assert!(error.span.start <= error.span.end && error.offset <= dump.len() as u64),
        }
    }
}
