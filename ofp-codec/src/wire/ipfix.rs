use alloc::string::String;
use core::fmt::Write as _;

use crate::{
    model::version::Version,
    wire::{counter::Counters, entries::Entry, error::DecodeError, read::Reader, record::record},
};

record! {
    /// What an IPFIX exporter counted: `struct nx_ipfix_stats_reply` of `nicira-ext.h`, the body of
    /// `NXST_IPFIX_BRIDGE` and an entry of `NXST_IPFIX_FLOW`. All ones stand for a counter that there is not.
    pub struct IpfixStats "IPFIX statistics" {
        /// Flows that were ever recorded.
        flows: u64,
        /// Flows that are recorded now.
        current_flows: u64,
        /// Packets that were sampled.
        packets: u64,
        /// Those of IPv4.
        ipv4_packets: u64,
        /// Those of IPv6.
        ipv6_packets: u64,
        /// Packets that were malformed.
        packet_errors: u64,
        /// Those of IPv4.
        ipv4_errors: u64,
        /// Those of IPv6.
        ipv6_errors: u64,
        /// Messages that were sent to collectors.
        tx_packets: u64,
        /// Messages that could not be sent.
        tx_errors: u64,
        /// The number of the set of collectors; of flows only.
        collector_set_id: u32,
        /// Padding.
        pad: [u8; 4],
    }
}

impl<'a> Entry<'a> for IpfixStats {
    const WHAT: &'static str = "IPFIX statistics";

    fn len(_: Reader<'a>, _: Version) -> Result<usize, DecodeError> {
        Ok(IpfixStats::LEN)
    }

    fn decode(mut entry: Reader<'a>, _: Version) -> Result<Self, DecodeError> {
        IpfixStats::decode(&mut entry)
    }
}

/// As `ovs-ofctl dump-ipfix-bridge` and `dump-ipfix-flow` print it, the second line behind so many spaces.
pub(crate) fn write_ipfix(text: &mut String, stats: &IpfixStats, indent: usize) {
    let known = |(name, counter)| (name, (counter != u64::MAX).then_some(counter));
    let counted = [
        ("flows", stats.flows),
        ("current flows", stats.current_flows),
        ("sampled pkts", stats.packets),
        ("ipv4 ok", stats.ipv4_packets),
        ("ipv6 ok", stats.ipv6_packets),
        ("tx pkts", stats.tx_packets),
    ];
    let errors = [
        ("pkts errs", stats.packet_errors),
        ("ipv4 errs", stats.ipv4_errors),
        ("ipv6 errs", stats.ipv6_errors),
        ("tx errs", stats.tx_errors),
    ];
    let _ = writeln!(text, "{}", Counters(&counted.map(known)));
    let _ = writeln!(text, "{:indent$}{}", "", Counters(&errors.map(known)));
}
