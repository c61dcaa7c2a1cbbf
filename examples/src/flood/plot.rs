//! A flood as a picture.

use odp_actions::{Bound, KernelRule, Limit, Verdict};

use super::{Flood, KERNELS};
use crate::picture::grouped;
use crate::picture::plot::{Limit as LimitLine, Place, Plot};

impl Flood {
    /// A plot of it, with the place where the deployment is, and one that it may grow to.
    pub fn plot(&self, now: usize, then: Option<usize>) -> Plot {
        let (first, each) = (self.capacity.first(), self.bytes_each());
        let limit = |what: &str, unit: &str, value: usize, at: usize, holds: bool| LimitLine {
            at,
            what: format!("{what}, {} {unit}", grouped(value)),
            holds,
        };
        let kernels = KERNELS.into_iter().filter_map(|(releases, rule)| match rule {
            KernelRule::Raw16K | KernelRule::Raw32K => {
                let holds = rule == self.limits.kernel();
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
        for bound in self.capacity.bounds() {
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
            title: format!("{}: bytes of a flooded packet's datapath actions", self.bridge),
            subtitle: format!(
                "{each} bytes per endpoint, Open vSwitch {}; first limit: {first}",
                self.ovs
            ),
            to: self
                .capacity
                .last(Limit::Nlattr)
                .unwrap_or(0)
                .max(now)
                .max(then.unwrap_or(0)),
            line: (self.template.bytes(0), each),
            byte_limits,
            endpoint_limits,
            places: [("now", Some(now)), ("then", then)]
                .into_iter()
                .filter_map(|(name, endpoints)| {
                    let endpoints = endpoints?;
                    Some(Place {
                        name,
                        endpoints,
                        is_over: self.verdict(endpoints) != Verdict::Fast,
                    })
                })
                .collect(),
        }
    }
}
