//! A deployment: endpoints of one shape, and the limits that they meet.

use examples::bridge::{Bridge, NEWEST};
use examples::cli::{Failure, Status};
use examples::flood::Flood;
use odp_actions::xlate::{OvsVersion, Packet};
use odp_actions::{EncodeError, Limits, Verdict};

/// A bridge's flood, as it is and as it may grow.
pub struct Budget {
    pub flood: Flood,
    /// How many endpoints to judge: the end of the range, if there is one.
    pub endpoints: usize,
    /// Where the range begins, if there is one.
    pub from: Option<usize>,
    /// The flood of an IP packet with ECN bits, if that makes an endpoint another size.
    pub marked: Option<Flood>,
    /// The flood under the newest release, if that makes an endpoint another size.
    pub newest: Option<Flood>,
}

impl Budget {
    pub fn new(
        bridge: &Bridge,
        ovs: OvsVersion,
        limits: Limits,
        endpoints: Option<(usize, Option<usize>)>,
    ) -> Result<Self, Failure> {
        let too_big = |error: EncodeError| Failure::blind(error);
        let plain = Packet::default();
        let flood = |ovs, packet| Flood::of(bridge, ovs, limits, packet).map_err(too_big);
        let own = flood(ovs, plain)?.ok_or_else(|| {
            Failure::blind(format_args!("{}: no port whose output can be told", bridge.name))
        })?;
        // Tunnels always carry the ECN bits of an IP packet in the outer header.
        let ip_tos = Some(ECT_0);
        let is_other = |flood: &Flood| flood.bytes_each() != own.bytes_each();
        let marked = flood(ovs, Packet { ip_tos, ..plain })?.filter(is_other);
        let newest = flood(NEWEST, plain)?.filter(is_other);
        let (from, to) = endpoints.unwrap_or((own.endpoint.count, None));
        Ok(Self {
            flood: own,
            endpoints: to.unwrap_or(from),
            from: to.map(|_| from),
            marked,
            newest,
        })
    }

    pub fn verdict(&self) -> Verdict {
        self.flood.verdict(self.endpoints)
    }

    pub fn status(&self) -> Status {
        self.flood.status(self.endpoints)
    }
}

/// An ECN-capable transport (RFC 3168).
const ECT_0: u8 = 0x02;
