//! Reading ports and flows, beside the crates that others use for generic netlink; then ten thousand ports of a real kernel,
//! beside `ovs-dpctl`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has failed")]

#[path = "netlink-genl/flow.rs"]
mod flow;
#[path = "netlink-genl/guest.rs"]
mod guest;
#[path = "netlink-genl/peers.rs"]
mod peers;
#[path = "netlink-genl/vport.rs"]
mod vport;

use benches::race;
use criterion::{Criterion, criterion_group};

criterion_group!(benches, vport::benches, flow::benches);

fn main() {
    if guest::take_part() {
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if race::wanted() {
        guest::compare();
    }
}
