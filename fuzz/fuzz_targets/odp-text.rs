//! Any text as a list of datapath actions: no panic, and what the tests of odp-actions say of any input.
#![no_main]

#[path = "../../odp-actions/tests/it/invariant.rs"]
#[allow(dead_code)]
mod invariant;

libfuzzer_sys::fuzz_target!(|input: &str| invariant::of_text(input));
