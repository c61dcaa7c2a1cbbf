//! Everything that needs no `openvswitch.ko`: recorded datagrams, and the kernel of the host.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

// What was recorded is in the byte order of x86-64.
#[cfg(target_endian = "little")]
mod capture;
#[cfg(all(feature = "client", target_os = "linux"))]
mod client;
#[cfg(target_endian = "little")]
mod ctrl;
#[cfg(target_endian = "little")]
mod exchange;
#[cfg(all(feature = "blocking", target_os = "linux"))]
mod host;
#[cfg(all(feature = "serde", target_endian = "little"))]
mod json;
#[cfg(target_endian = "little")]
mod replay;
#[cfg(target_endian = "little")]
mod sessions;
mod vport;
mod watch;
