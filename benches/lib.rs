//! Benchmarks: one file a crate beside this one. `cargo bench -p benches --bench odp-actions` runs one of them.
//!
//! Machines differ and are noisy, so each group has a baseline: read the ratio, not the figure.

pub mod race;
