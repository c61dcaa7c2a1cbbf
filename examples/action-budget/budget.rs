//! A deployment: endpoints of one shape, and the limits that they meet.

use examples::bridge::{Bridge, NEWEST};
use examples::cli::Status;
use examples::flood::Flood;
use examples::picture::plot::Plot;
use odp_actions::xlate::{OvsVersion, Packet};
use odp_actions::{Limits, Verdict};

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
    /// Bytes that a packet takes more whose mark is not that of the tunnel ports.
    pub remarked: Option<usize>,
}

impl Budget {
    /// # Errors
    /// Why nothing can be said of the endpoints.
    pub fn new(
        bridge: &Bridge,
        ovs: OvsVersion,
        limits: Limits,
        endpoints: Option<(usize, Option<usize>)>,
    ) -> Result<Self, String> {
        let plain = Packet::default();
        let flood = |ovs, packet| Flood::of(bridge, ovs, limits, packet);
        let own = flood(ovs, plain)?.ok_or("it has no port")?;
        // Tunnels always carry the ECN bits of an IP packet in the outer header.
        let ip_tos = Some(ECT_0);
        let is_other = |flood: &Flood| flood.bytes_each() != own.bytes_each();
        let marked = flood(ovs, Packet { ip_tos, ..plain })?.filter(is_other);
        let newest = flood(NEWEST, plain)?.filter(is_other);
        let other_mark = own.endpoint.mark.map(|mark| Packet { mark: !mark, ..plain });
        let remarked = other_mark.and_then(|packet| flood(ovs, packet).ok().flatten());
        let remarked = remarked.map(|remarked| remarked.template.bytes(0) - own.template.bytes(0));
        let (from, to) = endpoints.unwrap_or((own.endpoint.count, None));
        Ok(Self {
            flood: own,
            endpoints: to.unwrap_or(from),
            from: to.map(|_| from),
            marked,
            newest,
            remarked: remarked.filter(|bytes| *bytes > 0),
        })
    }

    pub fn verdict(&self) -> Verdict {
        self.flood.verdict(self.endpoints)
    }

    /// A picture of it, with the place where the deployment is and the one that it may grow to.
    pub fn plot(&self) -> Plot {
        let now = self.from.unwrap_or(self.endpoints);
        let then = self.from.map(|_| self.endpoints);
        self.flood.plot(now, then)
    }

    pub fn status(&self) -> Status {
        self.flood.status(self.endpoints)
    }
}

/// An ECN-capable transport (RFC 3168).
const ECT_0: u8 = 0x02;
