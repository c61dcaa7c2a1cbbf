//! How many endpoints of one shape fit: the question before a deployment grows.
//!
//! ```
//! use odp_actions::{KernelRule, Limit, Limits, Template};
//!
//! let endpoint = "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4".parse()?;
//! let flood = Template::new("pop_vlan".parse()?, endpoint)?;
//! let capacity = flood.capacity(&Limits::new(20_000, KernelRule::Raw32K));
//! assert_eq!(capacity.last(Limit::Nlattr), Some(1170));
//! assert_eq!(capacity.last(Limit::Kernel), Some(585));
//! assert_eq!(capacity.first().limit, Limit::Kernel);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use netlink_genl::nlattr::{EncodeError, MAX_PAYLOAD};

use crate::limits::{Buffer, Nests};
use crate::{Actions, KernelRule, Limit, Limits, Verdict};

/// A list that grows: some actions once, and some again for each endpoint.
#[derive(Clone, Debug)]
pub struct Template {
    once: Share,
    each: Share,
}

impl Template {
    /// A list of `once`, followed by `each` for every endpoint.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`]: an action is too long to exist.
    pub fn new(once: Actions, each: Actions) -> Result<Self, EncodeError> {
        Ok(Self {
            once: Share::new(&once)?,
            each: Share::new(&each)?,
        })
    }

    /// Bytes of the list with `endpoints` of them.
    pub fn bytes(&self, endpoints: usize) -> usize {
        self.once
            .bytes
            .saturating_add(self.each.bytes.saturating_mul(endpoints))
    }

    /// Outputs at the top level of the list with `endpoints` of them.
    pub fn outputs(&self, endpoints: usize) -> usize {
        self.once
            .outputs
            .saturating_add(self.each.outputs.saturating_mul(endpoints))
    }

    /// What becomes of the list with `endpoints` of them.
    pub fn verdict(&self, endpoints: usize, limits: &Limits) -> Verdict {
        let bytes = self.bytes(endpoints);
        limits.verdict_of(bytes, self.outputs(endpoints), self.nests(), || {
            self.held(limits.kernel().buffer(bytes), endpoints)
                .map(|held| endpoints < held)
        })
    }

    /// The last endpoint count that each limit lets pass.
    pub fn capacity(&self, limits: &Limits) -> Capacity {
        let outputs = room(limits.max_outputs(), self.once.outputs, self.each.outputs);
        let nlattr = room(MAX_PAYLOAD, self.once.bytes, self.each.bytes);
        // The kernel sees only lists that fit an attribute.
        let most = nlattr.unwrap_or(0);
        let accepted = self.kernel_accepts(limits.kernel(), most);
        let kernel = match accepted.first() {
            Some(range) if *range.end() == most => None,
            Some(range) if *range.start() == 0 => Some(*range.end()),
            _ => Some(0),
        };
        let bounds = [
            Bound {
                limit: Limit::Outputs,
                value: Some(limits.max_outputs()),
                last: outputs,
            },
            Bound {
                limit: Limit::Nlattr,
                value: Some(MAX_PAYLOAD),
                last: nlattr,
            },
            Bound {
                limit: Limit::Kernel,
                value: limits.kernel().bytes(),
                last: kernel,
            },
        ];
        Capacity {
            bounds,
            kernel_accepts: accepted,
        }
    }

    fn kernel_accepts(&self, kernel: KernelRule, most: usize) -> Vec<RangeInclusive<usize>> {
        // How much a kernel's buffer holds depends on the size that it starts with alone, and there are few of those.
        let mut start = None;
        let mut held = None;
        ranges((0..=most).map(|endpoints| {
            let bytes = self.bytes(endpoints);
            let buffer = kernel.buffer(bytes);
            if start.replace(buffer) != Some(buffer) {
                held = self.held(buffer, most);
            }
            kernel
                .check(bytes, self.nests(), || held.map(|held| endpoints < held))
                .is_ok()
        }))
    }

    fn nests(&self) -> Nests {
        self.once.nests.max(self.each.nests)
    }

    /// How many of the lists with 0, 1, .. `most` endpoints `buffer` holds, or `None` if that is not known.
    fn held(&self, mut buffer: Buffer, most: usize) -> Option<usize> {
        if !buffer.hold(self.once.converted.as_ref()?) {
            return Some(0);
        }
        if most == 0 {
            return Some(1);
        }
        let each = self.each.converted.as_ref()?;
        for endpoints in 1..=most {
            if !buffer.hold(each) {
                return Some(endpoints);
            }
        }
        Some(most + 1)
    }
}

/// How far a [`Template`] can grow under some [`Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    bounds: [Bound; 3],
    kernel_accepts: Vec<RangeInclusive<usize>>,
}

impl Capacity {
    /// One bound for each limit.
    pub fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// The last endpoint count up to which `limit` lets every list pass; `None` if it never bites.
    pub fn last(&self, limit: Limit) -> Option<usize> {
        self.bounds
            .iter()
            .find(|bound| bound.limit == limit)
            .and_then(|bound| bound.last)
    }

    /// The bound that is met first.
    pub fn first(&self) -> Bound {
        let [first, rest @ ..] = self.bounds;
        let key = |bound: &Bound| bound.last.unwrap_or(usize::MAX);
        rest.into_iter().fold(
            first,
            |first, bound| if key(&bound) < key(&first) { bound } else { first },
        )
    }

    /// The endpoint counts whose lists the kernel takes, of those that fit an attribute. More than one range on
    /// kernels whose rule is not monotone.
    pub fn kernel_accepts(&self) -> &[RangeInclusive<usize>] {
        &self.kernel_accepts
    }
}

/// One limit, and how many endpoints it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Which limit.
    pub limit: Limit,
    /// Its value, in outputs for [`Limit::Outputs`], in bytes for the others; `None` if there is no such limit here.
    pub value: Option<usize>,
    /// The last endpoint count that passes; `None` if all do.
    pub last: Option<usize>,
}

/// What limits look at, of one part of a list.
#[derive(Clone, Debug)]
struct Share {
    bytes: usize,
    outputs: usize,
    nests: Nests,
    /// `None` if that is not known.
    converted: Option<Vec<usize>>,
}

impl Share {
    fn new(actions: &Actions) -> Result<Self, EncodeError> {
        let mut converted = Vec::new();
        Ok(Self {
            bytes: actions.encoded_len()?,
            outputs: actions.output_count(),
            nests: actions.nests(),
            converted: actions.convert(&mut converted).map(|()| converted),
        })
    }
}

/// How many times `each` fits into `limit` beside `once`.
fn room(limit: usize, once: usize, each: usize) -> Option<usize> {
    limit.saturating_sub(once).checked_div(each)
}

/// The ranges of consecutive positions where `accepted` is true.
fn ranges(accepted: impl Iterator<Item = bool>) -> Vec<RangeInclusive<usize>> {
    let mut ranges: Vec<RangeInclusive<usize>> = Vec::new();
    for (n, _) in accepted.enumerate().filter(|(_, accepted)| *accepted) {
        match ranges.last_mut() {
            Some(range) if *range.end() + 1 == n => *range = *range.start()..=n,
            _ => ranges.push(n..=n),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use core::iter;

    use super::*;

    const VXLAN: &str = "set(tunnel(tun_id=0x1,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4";
    const VXLAN_LOCAL_IP: &str =
        "set(tunnel(tun_id=0x1,src=10.0.0.2,dst=10.0.0.1,ttl=64,tp_dst=4789,flags(df|key))),4";

    fn template(once: &str, each: &str) -> Template {
        Template::new(once.parse().unwrap(), each.parse().unwrap()).unwrap()
    }

    fn last(template: &Template, backlog: usize, kernel: KernelRule, limit: Limit) -> Option<usize> {
        template.capacity(&Limits::new(backlog, kernel)).last(limit)
    }

    #[test]
    fn the_incidents_numbers() {
        let flood = template("pop_vlan", VXLAN);
        assert_eq!((flood.bytes(585), flood.bytes(1170)), (32_764, 65_524));
        assert_eq!(last(&flood, 1000, KernelRule::None, Limit::Outputs), Some(1000));
        assert_eq!(last(&flood, 1000, KernelRule::None, Limit::Nlattr), Some(1170));
        assert_eq!(last(&flood, 1000, KernelRule::None, Limit::Kernel), None);
        assert_eq!(last(&flood, 1000, KernelRule::Raw32K, Limit::Kernel), Some(585));
        assert_eq!(last(&flood, 1000, KernelRule::Raw16K, Limit::Kernel), Some(292));
        assert_eq!(last(&flood, 1000, KernelRule::Converted32K, Limit::Kernel), None);
        let today = template("pop_vlan", VXLAN_LOCAL_IP);
        assert_eq!(last(&today, 1000, KernelRule::None, Limit::Nlattr), Some(1023));
    }

    #[test]
    fn kernels_3_11_to_4_14_take_585_endpoints_and_not_586() {
        let limits = Limits::new(20_000, KernelRule::of_release("4.14.336"));
        let flood = template("pop_vlan", VXLAN);
        assert_eq!(flood.verdict(585, &limits), Verdict::Fast);
        let refused = flood.verdict(586, &limits);
        assert_eq!(refused.limit(), Some(Limit::Kernel));
        let Verdict::Kernel(rejection) = refused else {
            unreachable!()
        };
        assert_eq!(
            rejection,
            crate::Rejection::Einval {
                bytes: 32_820,
                limit: 32_768
            }
        );
        assert_eq!(rejection.errno(), Some(22));
    }

    #[test]
    fn the_verdict_on_a_template_is_the_verdict_on_its_list() {
        let limits = Limits::new(1000, KernelRule::Converted32K);
        for (once, each) in [
            ("pop_vlan", VXLAN),
            ("", "push_vlan(vid=1,pcp=0),4,pop_vlan"),
            ("1", "action29(00)"),
        ] {
            let template = template(once, each);
            for n in [0, 1, 999, 1000, 1001, 1170, 1171, 1637] {
                let text: Vec<&str> = iter::once(once).chain(iter::repeat_n(each, n)).collect();
                let list: Actions = text.join(",").parse().unwrap();
                assert_eq!(template.bytes(n), list.encoded_len().unwrap());
                assert_eq!(
                    template.verdict(n, &limits),
                    limits.verdict(&list).unwrap(),
                    "{n} x {each}"
                );
            }
        }
    }

    /// Boundaries that a real 5.10.223 showed.
    #[test]
    fn the_rule_of_4_15_to_6_13_is_not_monotone() {
        let accepts = |each: &str| {
            let limits = Limits::new(20_000, KernelRule::Converted32K);
            template("", each).capacity(&limits).kernel_accepts().to_vec()
        };
        assert_eq!(accepts("4"), [0..=8188]);
        assert_eq!(accepts(VXLAN), [0..=1170]);
        assert_eq!(accepts("push_vlan(vid=1,pcp=0),4,pop_vlan"), [0..=3275]);
        assert_eq!(accepts("ct"), [0..=248]);
        let set_eth = "set(eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)),4";
        assert_eq!(accepts(set_eth), [0..=818, 1170..=1637]);
    }

    /// Boundaries that real 6.1.192 and 6.12.117 showed.
    #[test]
    fn without_a_rule_memory_ends_at_16376_actions_ct() {
        let limits = Limits::new(20_000, KernelRule::of_release("6.1.192"));
        let last = |each: &str| template("", each).capacity(&limits).last(Limit::Kernel);
        assert_eq!(last("ct"), Some(16_376));
        assert_eq!(last("ct(zone=1)"), None);
        let refused = template("", "ct").verdict(16_377, &limits);
        assert_eq!(
            refused,
            Verdict::Kernel(crate::Rejection::Enomem { bytes: 65_508 })
        );
    }
}
