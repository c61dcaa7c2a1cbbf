//! A deployment: endpoints of one shape, and the limits that they meet.

use examples::bridge::{Bridge, Endpoint, NEWEST};
use examples::cli::{Failure, Status};
use examples::picture::grouped;
use examples::picture::plot::{Limit as LimitLine, Plot};
use odp_actions::xlate::{OvsVersion, Packet};
use odp_actions::{Actions, Bound, Capacity, EncodeError, KernelRule, Limit, Limits, Template, Verdict};

/// A bridge's flood, as it is and as it may grow.
pub struct Budget {
    pub bridge: String,
    pub ovs: OvsVersion,
    pub limits: Limits,
    pub endpoint: Endpoint,
    /// What a flood has besides the endpoints.
    pub once: Actions,
    pub template: Template,
    pub capacity: Capacity,
    /// How many endpoints to judge: the end of the range, if there is one.
    pub endpoints: usize,
    /// Where the range begins, if there is one.
    pub from: Option<usize>,
    /// The same for an IP packet with ECN bits, if that makes an endpoint another size.
    pub marked: Option<Template>,
    /// The same under the newest release, if that makes an endpoint another size.
    pub newest: Option<Box<Budget>>,
}

impl Budget {
    pub fn new(
        bridge: &Bridge,
        ovs: OvsVersion,
        limits: Limits,
        endpoints: Option<(usize, Option<usize>)>,
    ) -> Result<Self, Failure> {
        let endpoint = bridge.endpoint(ovs, Packet::default()).ok_or_else(|| {
            Failure::blind(format_args!("{}: no port whose output can be told", bridge.name))
        })?;
        let once = bridge.once();
        let too_big = |error: EncodeError| Failure::blind(error);
        let template = Template::new(once.clone(), endpoint.actions.clone()).map_err(too_big)?;
        let (from, to) = endpoints.unwrap_or((endpoint.count, None));
        let newest = match ovs < NEWEST {
            true => Some(Box::new(Self::new(bridge, NEWEST, limits, endpoints)?)),
            false => None,
        };
        // Tunnels always carry the ECN bits of an IP packet in the outer header.
        let marked = bridge.endpoint(
            ovs,
            Packet {
                vlan: None,
                ip_tos: Some(ECT_0),
            },
        );
        let marked = marked
            .map(|endpoint| Template::new(once.clone(), endpoint.actions))
            .transpose();
        Ok(Self {
            marked: marked
                .map_err(too_big)?
                .filter(|marked| marked.bytes(1) != template.bytes(1)),
            bridge: bridge.name.clone(),
            newest: newest.filter(|newest| newest.template.bytes(1) != template.bytes(1)),
            ovs,
            limits,
            capacity: template.capacity(&limits),
            endpoint,
            once,
            template,
            endpoints: to.unwrap_or(from),
            from: to.map(|_| from),
        })
    }

    /// What becomes of the flood now.
    pub fn verdict(&self) -> Verdict {
        self.template.verdict(self.endpoints, &self.limits)
    }

    pub fn status(&self) -> Status {
        match self.verdict() {
            Verdict::Fast
                if self
                    .capacity
                    .bounds()
                    .iter()
                    .any(|bound| used(self.endpoints, bound.last) >= WARN) =>
            {
                Status::Warning
            }
            Verdict::Fast => Status::Fine,
            _ => Status::Finding,
        }
    }

    /// The verdicts along the range, each with the first and the last count that has it.
    pub fn sweep(&self) -> Vec<(usize, usize, Verdict)> {
        let mut sweep: Vec<(usize, usize, Verdict)> = Vec::new();
        for endpoints in self.from.into_iter().flat_map(|from| from..=self.endpoints) {
            let verdict = self.template.verdict(endpoints, &self.limits);
            match sweep.last_mut() {
                Some((_, to, before)) if before.limit() == verdict.limit() => *to = endpoints,
                _ => sweep.push((endpoints, endpoints, verdict)),
            }
        }
        sweep
    }

    /// What other kernels make of the same list: releases, their rule, the last endpoint count that passes.
    pub fn other_kernels(&self) -> Vec<(&'static str, KernelRule, Option<usize>)> {
        KERNELS
            .into_iter()
            .map(|(releases, rule)| {
                let capacity = self.template.capacity(&self.limits.with_kernel(rule));
                (releases, rule, capacity.last(Limit::Kernel))
            })
            .collect()
    }

    pub fn plot(&self) -> Plot {
        let first = self.capacity.first();
        let each = self.template.bytes(1) - self.template.bytes(0);
        let bytes_label = |what: &str, bytes| format!("{what}, {} bytes", grouped(bytes));
        let mut byte_limits = Vec::new();
        for (releases, rule) in KERNELS {
            if let (KernelRule::Raw16K | KernelRule::Raw32K, Some(at)) = (rule, rule.bytes()) {
                let what = bytes_label(&format!("kernels {releases}"), at);
                byte_limits.push(LimitLine {
                    at,
                    what,
                    holds: rule == self.limits.kernel(),
                });
            }
        }
        let mut endpoint_limits = Vec::new();
        for Bound { limit, value, last } in self.capacity.bounds() {
            match (limit, *value, *last) {
                (Limit::Nlattr, Some(at), _) => {
                    byte_limits.push(LimitLine {
                        at,
                        what: bytes_label("netlink attribute", at),
                        holds: true,
                    });
                }
                (Limit::Outputs, Some(outputs), Some(at)) => {
                    let what = format!("netdev_max_backlog, {} outputs", grouped(outputs));
                    endpoint_limits.push(LimitLine {
                        at,
                        what,
                        holds: true,
                    });
                }
                _ => {}
            }
        }
        Plot {
            title: format!("{}: bytes of a flooded packet's datapath actions", self.bridge),
            subtitle: format!(
                "{each} bytes per endpoint, Open vSwitch {}; first limit: {}",
                self.ovs,
                first.last.map_or("none".to_owned(), |last| format!(
                    "{} at {} endpoints",
                    first.limit,
                    grouped(last)
                )),
            ),
            to: self.capacity.last(Limit::Nlattr).unwrap_or(0).max(self.endpoints),
            line: (self.template.bytes(0), each),
            byte_limits,
            endpoint_limits,
            here: (self.endpoints, self.verdict() != Verdict::Fast),
        }
    }
}

/// How much of the endpoints that fit are there, in tenths of a per cent.
pub fn used(endpoints: usize, last: Option<usize>) -> usize {
    match last {
        None => 0,
        Some(0) => usize::MAX,
        // Rounded up, so that nothing over a limit reads as 100 %.
        Some(last) => endpoints.saturating_mul(1000).div_ceil(last),
    }
}

/// An ECN-capable transport (RFC 3168).
const ECT_0: u8 = 0x02;
/// 80 %, in tenths of a per cent.
pub const WARN: usize = 800;
const KERNELS: [(&str, KernelRule); 4] = [
    ("up to 3.10", KernelRule::Raw16K),
    ("3.11 to 4.14", KernelRule::Raw32K),
    ("4.15 to 6.13", KernelRule::Converted32K),
    ("6.14 and later", KernelRule::None),
];
