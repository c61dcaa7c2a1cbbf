//! A deployment: endpoints of one shape, and the limits that they meet.

use examples::bridge::{Bridge, NEWEST};
use examples::cli::{Failure, Status};
use examples::flood::{Flood, KERNELS};
use examples::picture::grouped;
use examples::picture::plot::{Limit as LimitLine, Plot};
use odp_actions::xlate::{OvsVersion, Packet};
use odp_actions::{Bound, EncodeError, KernelRule, Limit, Limits, Verdict};

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

    pub fn plot(&self) -> Plot {
        let flood = &self.flood;
        let (first, each) = (flood.capacity.first(), flood.bytes_each());
        let limit = |what: &str, unit: &str, value: usize, at: usize, holds: bool| LimitLine {
            at,
            what: format!("{what}, {} {unit}", grouped(value)),
            holds,
        };
        let kernels = KERNELS.into_iter().filter_map(|(releases, rule)| match rule {
            KernelRule::Raw16K | KernelRule::Raw32K => {
                let holds = rule == flood.limits.kernel();
                let bytes = rule.bytes()?;
                Some(limit(
                    &format!("kernels {releases}"),
                    "bytes",
                    bytes,
                    bytes,
                    holds,
                ))
            }
            _ => None,
        });
        let (mut byte_limits, mut endpoint_limits) = (Vec::from_iter(kernels), Vec::new());
        for bound in flood.capacity.bounds() {
            match *bound {
                Bound {
                    limit: Limit::Nlattr,
                    value: Some(bytes),
                    ..
                } => {
                    byte_limits.push(limit("netlink attribute", "bytes", bytes, bytes, true));
                }
                Bound {
                    limit: Limit::Outputs,
                    value: Some(outputs),
                    last: Some(at),
                } => {
                    endpoint_limits.push(limit("netdev_max_backlog", "outputs", outputs, at, true));
                }
                _ => {}
            }
        }
        let first = match first.last {
            None => "none".to_owned(),
            Some(last) => format!("{} at {} endpoints", first.limit, grouped(last)),
        };
        Plot {
            title: format!("{}: bytes of a flooded packet's datapath actions", flood.bridge),
            subtitle: format!(
                "{each} bytes per endpoint, Open vSwitch {}; first limit: {first}",
                flood.ovs
            ),
            to: flood
                .capacity
                .last(Limit::Nlattr)
                .unwrap_or(0)
                .max(self.endpoints),
            line: (flood.template.bytes(0), each),
            byte_limits,
            endpoint_limits,
            here: (self.endpoints, self.verdict() != Verdict::Fast),
        }
    }
}

/// An ECN-capable transport (RFC 3168).
const ECT_0: u8 = 0x02;
