//! Held to what real switches said: `tests/scenes`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::too_many_arguments,
    reason = "a file that is not as it should be fails the test"
)]

mod scene;
mod scenes;
mod sound;
