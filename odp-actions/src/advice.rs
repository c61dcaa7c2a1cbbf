//! What to change so that more endpoints fit, in words a person can act on.
//!
//! ```
//! use odp_actions::advice::advise;
//! use odp_actions::xlate::{Port, TunnelKind, TunnelPort};
//! use odp_actions::{KernelRule, Limits};
//!
//! let options = [("remote_ip", "10.0.0.1"), ("local_ip", "10.0.0.9"), ("key", "flow")];
//! let port = TunnelPort::of_options(TunnelKind::Vxlan, options)?;
//! let limits = Limits::new(20_000, KernelRule::None);
//! let advice = advise(&port, "3.1".parse()?, &"pop_vlan".parse()?, 1100, &limits)?;
//! let first = advice[0].to_string();
//! assert_eq!(first, "leave out local_ip, if the route to the peers chooses the same address: 1170 endpoints fit");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::EncodeError;

use crate::xlate::{
    Checksum, OutKey, OvsVersion, Packet, Port, Prediction, TunnelPort, Unpredictable, Xlate,
};
use crate::{Actions, Limit, Limits, Template};

/// One thing to change, and how many endpoints fit then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What to change.
    pub change: Change,
    /// The last endpoint count that fits with it.
    pub max_endpoints: usize,
}

/// What can be changed. Each makes a list shorter, or a limit larger; nesting the list in `clone` does neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Raise `net.core.netdev_max_backlog` to this, and restart ovs-vswitchd, which reads it once.
    RaiseBacklog {
        /// The value.
        to: usize,
    },
    /// Leave out `local_ip`.
    DropLocalIp,
    /// Set `df_default=false`.
    AllowFragments,
    /// Leave out `csum=true`, or set `csum=false`.
    DropChecksum,
    /// Leave out `tos`.
    DropTos,
    /// Leave out `key`.
    DropKey,
    /// Flood by several flows, each to some of the endpoints.
    Split {
        /// How many.
        flows: usize,
    },
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = self.max_endpoints;
        match self.change {
            Change::RaiseBacklog { to } => {
                write!(
                    f,
                    "set net.core.netdev_max_backlog to {to} and restart ovs-vswitchd: {fit} endpoints fit"
                )
            }
            Change::DropLocalIp => {
                write!(
                    f,
                    "leave out local_ip, if the route to the peers chooses the same address: {fit} endpoints fit"
                )
            }
            Change::AllowFragments => {
                write!(
                    f,
                    "set df_default=false, if the underlay may fragment: {fit} endpoints fit"
                )
            }
            Change::DropChecksum => write!(f, "set csum=false: {fit} endpoints fit"),
            Change::DropTos => write!(f, "leave out tos: {fit} endpoints fit"),
            Change::DropKey => write!(
                f,
                "leave out key, if one network is all there is: {fit} endpoints fit"
            ),
            Change::Split { flows } => write!(
                f,
                "flood by {flows} flows of at most {fit} endpoints each, chained by recirculation or by smaller broadcast domains"
            ),
        }
    }
}

/// Why no advice can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdviceError {
    /// The port cannot be translated.
    #[error(transparent)]
    Unpredictable(#[from] Unpredictable),
    /// The actions cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// What would let more endpoints fit than now, the most effective first; nothing if `endpoints` fit already.
///
/// `port` is one endpoint, `once` what the flood has besides endpoints.
///
/// # Errors
/// [`AdviceError`]: the port cannot be translated for this release.
pub fn advise(
    port: &TunnelPort,
    ovs: OvsVersion,
    once: &Actions,
    endpoints: usize,
    limits: &Limits,
) -> Result<Vec<Advice>, AdviceError> {
    let flood = |port: TunnelPort| -> Result<Template, AdviceError> {
        let port = Port::Tunnel {
            odp_port: 0,
            tunnel: port,
        };
        let prediction = Prediction::under(ovs, |rules| {
            let mut xlate = Xlate::new(rules, Packet::default());
            xlate.output(&port)?;
            Ok(xlate.predict())
        });
        match prediction {
            Prediction::Exact(endpoint) => Ok(Template::new(once.clone(), endpoint)?),
            Prediction::Unknown(why) => Err(why.into()),
            Prediction::Within { .. } => Err(Unpredictable::Release { ovs }.into()),
        }
    };
    let now = flood(port.clone())?;
    let capacity = now.capacity(limits);
    let Some(fit) = capacity.first().last.filter(|fit| *fit < endpoints) else {
        return Ok(Vec::new());
    };

    let mut advice = Vec::new();
    if capacity.first().limit == Limit::Outputs {
        let others = [Limit::Nlattr, Limit::Kernel]
            .iter()
            .filter_map(|limit| capacity.last(*limit))
            .min();
        if let Some(most) = others.filter(|most| *most > fit) {
            advice.push(Advice {
                change: Change::RaiseBacklog {
                    to: now.outputs(most),
                },
                max_endpoints: most,
            });
        }
    }
    let changed = [
        (
            Change::DropLocalIp,
            TunnelPort {
                local: None,
                ..port.clone()
            },
        ),
        (
            Change::AllowFragments,
            TunnelPort {
                dont_fragment: false,
                ..port.clone()
            },
        ),
        (
            Change::DropChecksum,
            TunnelPort {
                checksum: Checksum::Off,
                ..port.clone()
            },
        ),
        (
            Change::DropTos,
            TunnelPort {
                tos: 0,
                inherits_tos: false,
                ..port.clone()
            },
        ),
        (
            Change::DropKey,
            TunnelPort {
                out_key: OutKey::Absent,
                ..port.clone()
            },
        ),
    ];
    for (change, port) in changed {
        if let Some(most) = flood(port)?
            .capacity(limits)
            .first()
            .last
            .filter(|most| *most > fit)
        {
            advice.push(Advice {
                change,
                max_endpoints: most,
            });
        }
    }
    // What costs least to do stands first among equals, what gives up the key last.
    advice.sort_by_key(|advice| core::cmp::Reverse((advice.change != Change::DropKey, advice.max_endpoints)));
    if fit > 0 {
        advice.push(Advice {
            change: Change::Split {
                flows: endpoints.div_ceil(fit),
            },
            max_endpoints: fit,
        });
    }
    Ok(advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KernelRule;
    use crate::xlate::TunnelKind;

    fn port(options: &'static str) -> TunnelPort {
        let options = options.split(',').filter_map(|option| option.split_once('='));
        TunnelPort::of_options(TunnelKind::Vxlan, options).unwrap()
    }

    fn changes(options: &'static str, endpoints: usize, backlog: usize) -> Vec<(Change, usize)> {
        let limits = Limits::new(backlog, KernelRule::None);
        let ovs = OvsVersion::new(3, 1);
        let advice = advise(&port(options), ovs, &Actions::new(), endpoints, &limits).unwrap();
        advice
            .into_iter()
            .map(|advice| (advice.change, advice.max_endpoints))
            .collect()
    }

    #[test]
    fn says_nothing_where_everything_fits() {
        assert_eq!(changes("remote_ip=1.1.1.1,key=flow", 1000, 1000), []);
    }

    #[test]
    fn raising_the_backlog_helps_up_to_the_attribute() {
        let expected = [
            (Change::RaiseBacklog { to: 1170 }, 1170),
            (Change::Split { flows: 2 }, 1000),
        ];
        assert_eq!(changes("remote_ip=1.1.1.1,key=flow", 1001, 1000), expected);
    }

    #[test]
    fn each_attribute_that_can_go_is_named_with_its_gain() {
        // 76 bytes an endpoint now: id, src, dst, tos, ttl, df, csum, tp_dst.
        let fit = |bytes: usize| 65_531 / bytes;
        let expected = [
            (Change::DropLocalIp, fit(68)),
            (Change::DropTos, fit(68)),
            (Change::AllowFragments, fit(72)),
            (Change::DropChecksum, fit(72)),
            (Change::DropKey, fit(64)),
            (Change::Split { flows: 2 }, fit(76)),
        ];
        assert_eq!(
            changes(
                "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2,tos=8,csum=true",
                1100,
                20_000
            ),
            expected
        );
    }
}
