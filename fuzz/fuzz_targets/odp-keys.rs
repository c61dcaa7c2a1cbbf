//! Any bytes as a flow key and its masks: no panic, and what the tests of odp-actions say of any input.
#![no_main]

#[path = "../../odp-actions/tests/it/invariant.rs"]
#[allow(dead_code)]
mod invariant;

libfuzzer_sys::fuzz_target!(|input: &[u8]| invariant::of_key_and_masks(input));
