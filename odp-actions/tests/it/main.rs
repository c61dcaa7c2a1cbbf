//! Checks against what Open vSwitch itself says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails as the test does"
)]

mod random;
mod trace;
mod vectors;
