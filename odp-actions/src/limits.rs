//! What a host allows an action list to be, and what becomes of a list there.
//!
//! Three rules stand between a list and the kernel's fast path, and each has a boundary of its own:
//!
//! | rule | who applies it | boundary | beyond it |
//! |---|---|---|---|
//! | netlink attribute | ovs-vswitchd, `nl_attr_oversized` | 65 531 bytes | `slow_path(action)` |
//! | outputs | ovs-vswitchd, `too_many_output_actions` | `net.core.netdev_max_backlog`, 1000 by default | `slow_path(action)` |
//! | the kernel's own | `net/openvswitch`, by release: [`KernelRule`] | 16 or 32 KiB, or none | no flow: EINVAL, EMSGSIZE |
//!
//! ```
//! use odp_actions::{Actions, KernelRule, Limits, Verdict};
//!
//! let limits = Limits::new(1000, KernelRule::of_release("6.1.192"));
//! let flood: Actions = (1..=1001).map(odp_actions::Action::Output).collect();
//! assert_eq!(limits.verdict(&flood)?, Verdict::TooManyOutputs { outputs: 1001, limit: 1000 });
//! # Ok::<(), odp_actions::EncodeError>(())
//! ```

mod kernel;

use alloc::vec::Vec;
use core::fmt;

use netlink_genl::nlattr::{EncodeError, MAX_PAYLOAD};

pub(crate) use self::kernel::{Buffer, Nests};
pub use self::kernel::{KernelRule, Rejection};
use crate::Actions;

/// The limits of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    max_outputs: usize,
    kernel: KernelRule,
}

impl Limits {
    /// Limits of a host with this `net.core.netdev_max_backlog` and this kernel.
    ///
    /// Open vSwitch takes a backlog of 100 or less for a mistake and uses the default of 1000 instead
    /// (`netdev_max_backlog` in `ofproto/ofproto-dpif-xlate.c`); so does this.
    pub const fn new(netdev_max_backlog: usize, kernel: KernelRule) -> Self {
        let max_outputs = if netdev_max_backlog > 100 {
            netdev_max_backlog
        } else {
            DEFAULT_BACKLOG
        };
        Self { max_outputs, kernel }
    }

    /// Limits of the running host: its sysctl, 1000 where it cannot be read, and its kernel.
    ///
    /// ovs-vswitchd reads the sysctl once, when it starts: a value that changed since then is not yet in force there.
    #[cfg(feature = "std")]
    pub fn host() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let backlog = read("/proc/sys/net/core/netdev_max_backlog")
            .trim()
            .parse()
            .unwrap_or(DEFAULT_BACKLOG);
        let release = read("/proc/sys/kernel/osrelease");
        Self::new(
            backlog,
            KernelRule::of_host(release.trim(), &read("/proc/sys/kernel/version")),
        )
    }

    /// The same limits with another backlog.
    pub const fn with_backlog(self, netdev_max_backlog: usize) -> Self {
        Self::new(netdev_max_backlog, self.kernel)
    }

    /// The same limits with another kernel.
    pub const fn with_kernel(self, kernel: KernelRule) -> Self {
        Self { kernel, ..self }
    }

    /// The most outputs at the top level of a list.
    pub const fn max_outputs(&self) -> usize {
        self.max_outputs
    }

    /// The kernel's rule.
    pub const fn kernel(&self) -> KernelRule {
        self.kernel
    }

    /// What becomes of `actions` on this host.
    ///
    /// # Errors
    /// [`EncodeError::AttrTooBig`]: one action alone is too long to exist.
    pub fn verdict(&self, actions: &Actions) -> Result<Verdict, EncodeError> {
        let bytes = actions.encoded_len()?;
        let outputs = actions.output_count();
        let converted = || {
            let mut pieces = Vec::new();
            actions.convert(&mut pieces)?;
            Some(self.kernel.buffer(bytes).hold(&pieces))
        };
        Ok(self.verdict_of(bytes, outputs, actions.nests(), converted))
    }

    /// The verdict on a list of this size; `converted` runs the kernel's buffer model where that decides.
    pub(crate) fn verdict_of(
        &self,
        bytes: usize,
        outputs: usize,
        nests: Nests,
        converted: impl Fn() -> Option<bool>,
    ) -> Verdict {
        // Open vSwitch asks in this order; a list that it keeps in userspace never meets the kernel's rule.
        if bytes > MAX_PAYLOAD {
            Verdict::Oversized { bytes }
        } else if outputs > self.max_outputs {
            Verdict::TooManyOutputs {
                outputs,
                limit: self.max_outputs,
            }
        } else {
            match self.kernel.check(bytes, nests, converted) {
                Ok(()) => Verdict::Fast,
                Err(rejection) => Verdict::Kernel(rejection),
            }
        }
    }
}

/// What becomes of an action list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The kernel executes it.
    Fast,
    /// It does not fit a netlink attribute: each packet goes through ovs-vswitchd (`slow_path(action)`).
    Oversized {
        /// Bytes of the list; [`MAX_PAYLOAD`] fit.
        bytes: usize,
    },
    /// It has more outputs than the host queues packets: each packet goes through ovs-vswitchd (`slow_path(action)`).
    TooManyOutputs {
        /// Outputs at the top level of the list.
        outputs: usize,
        /// `net.core.netdev_max_backlog`, as Open vSwitch takes it.
        limit: usize,
    },
    /// The kernel does not take it: no flow is installed, and every packet is a miss.
    Kernel(Rejection),
}

impl Verdict {
    /// Which limit the list met, if any.
    pub const fn limit(&self) -> Option<Limit> {
        match self {
            Self::Fast => None,
            Self::Oversized { .. } => Some(Limit::Nlattr),
            Self::TooManyOutputs { .. } => Some(Limit::Outputs),
            Self::Kernel(_) => Some(Limit::Kernel),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fast => f.write_str("fits"),
            Self::Oversized { bytes } => {
                write!(
                    f,
                    "{bytes} bytes exceed the {MAX_PAYLOAD} of a netlink attribute: slow_path(action)"
                )
            }
            Self::TooManyOutputs { outputs, limit } => {
                write!(
                    f,
                    "{outputs} outputs exceed netdev_max_backlog {limit}: slow_path(action)"
                )
            }
            Self::Kernel(rejection) => rejection.fmt(f),
        }
    }
}

/// The limits by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// `net.core.netdev_max_backlog` bounds the outputs.
    Outputs,
    /// The 16 bits of `nla_len` bound the bytes.
    Nlattr,
    /// The kernel's own rule.
    Kernel,
}

impl Limit {
    /// The name that tools print and JSON carries.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Outputs => "netdev_max_backlog",
            Self::Nlattr => "nlattr",
            Self::Kernel => "kernel",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const DEFAULT_BACKLOG: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;

    #[test]
    fn takes_a_backlog_of_100_or_less_for_the_default() {
        for (backlog, max_outputs) in [(0, 1000), (100, 1000), (101, 101), (1000, 1000), (20_000, 20_000)] {
            assert_eq!(Limits::new(backlog, KernelRule::None).max_outputs(), max_outputs);
        }
    }

    #[test]
    fn counts_outputs_before_bytes_unless_the_bytes_do_not_fit() {
        let limits = Limits::new(1000, KernelRule::None);
        let outputs = |n: u32| (0..n).map(Action::Output).collect::<Actions>();
        assert_eq!(limits.verdict(&outputs(1000)), Ok(Verdict::Fast));
        assert_eq!(
            limits.verdict(&outputs(1001)),
            Ok(Verdict::TooManyOutputs {
                outputs: 1001,
                limit: 1000
            })
        );
        assert_eq!(
            limits.verdict(&outputs(8191)).map(|v| v.limit()),
            Ok(Some(Limit::Outputs))
        );
        assert_eq!(
            limits.verdict(&outputs(8192)),
            Ok(Verdict::Oversized { bytes: 65_536 })
        );
    }

    #[test]
    fn an_attribute_takes_65528_bytes_and_not_65532() {
        let limits = Limits::new(100_000, KernelRule::None);
        let mut actions: Actions = (0..8191).map(Action::Output).collect();
        assert_eq!(limits.verdict(&actions), Ok(Verdict::Fast));
        actions.push(Action::PopVlan);
        assert_eq!(limits.verdict(&actions), Ok(Verdict::Oversized { bytes: 65_532 }));
    }
}
