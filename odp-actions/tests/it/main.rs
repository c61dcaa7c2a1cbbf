//! Checks against what Open vSwitch itself says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a helper of a test fails as the test does"
)]

mod bond;
mod bridge;
mod dpctl;
mod flows;
mod invariant;
mod keys;
mod keys_dpctl;
mod lines;
mod names;
mod random;
mod releases;
mod topology;
mod trace;
mod tunnels;
mod vectors;
