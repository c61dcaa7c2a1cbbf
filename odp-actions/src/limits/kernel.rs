//! How long a list the kernel itself takes, by release.
//!
//! The rule in `net/openvswitch/flow_netlink.c` changed four times, twice of them in stable releases.

use core::fmt;

/// What the kernel checks of the length of an action list.
///
/// For in-tree modules of 64-bit kernels with pages of 4 KiB. (Open vSwitch's own out-of-tree module had other bounds
/// on old kernels.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelRule {
    /// The attribute is at most 16 KiB: up to 3.10.
    Raw16K,
    /// The attribute is at most 32 KiB: 3.11 to 4.14, and RHEL 7's 3.10.
    Raw32K,
    /// The *converted* actions are at most 32 KiB: 4.15 to 6.13. Not monotone: the buffer grows by doubling, so a
    /// longer list may fit where a shorter one does not.
    Converted32K,
    /// No check of the length: 6.14 and later, and stable releases from 5.15.180, 6.1.132, 6.6.84, 6.12.20, 6.13.8 on.
    ///
    /// A nested list whose converted form exceeds 64 KiB wraps around a length in the kernel (CVE-2026-64531).
    None,
    /// Nested lists are at most 64 KiB converted, which fixes that: 7.2 and later, and stable releases from 5.15.212,
    /// 6.1.178, 6.6.145, 6.12.97, 6.18.40, 7.1.5 on.
    Nested64K,
    /// `Converted32K` or no check of the length: the release does not say which fixes its distributor backported.
    Converted32KOrNone,
    /// The release could not be read.
    Unknown,
}

impl KernelRule {
    /// The rule of a kernel by its release, as `uname -r` prints it or as an upstream version.
    ///
    /// Distribution kernels whose release does not say which stable fixes they have (`5.14.0-427.el9`,
    /// `6.1.0-18-amd64`, `5.15.0-105-generic`) are [`KernelRule::Converted32KOrNone`] wherever the fixes decide.
    pub fn of_release(release: &str) -> Self {
        let Some(Version {
            series,
            patch,
            vendor,
        }) = Version::parse(release)
        else {
            return Self::Unknown;
        };
        if series < (3, 10) || series == (3, 10) && !release.contains(".el7") {
            Self::Raw16K
        } else if series < (4, 15) {
            Self::Raw32K
        } else if [".el8", ".el9", ".el10"].iter().any(|el| release.contains(el)) {
            // Red Hat's kernels carry fixes of later years under the release of their base.
            Self::Converted32KOrNone
        } else if series >= (7, 2) || has_fix(&FIRST_WITH_NESTED_CHECK, series, patch) {
            Self::Nested64K
        } else if series >= (6, 14) {
            Self::None
        } else {
            match FIRST_WITHOUT_CHECK.iter().find(|(stable, _)| *stable == series) {
                Some(_) if vendor && patch == 0 => Self::Converted32KOrNone,
                Some((_, first)) if patch >= *first => Self::None,
                _ => Self::Converted32K,
            }
        }
    }

    /// The rule of a host by the output of `uname -r` and `uname -v`: Debian names the upstream version in the latter
    /// only (`#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (2026-07-01)`).
    pub fn of_host(release: &str, version: &str) -> Self {
        let mut words = version.split_whitespace().skip_while(|word| *word != "Debian");
        match words.nth(1).and_then(|debian| debian.split('-').next()) {
            Some(upstream) => Self::of_release(upstream),
            None => Self::of_release(release),
        }
    }

    /// The bound in bytes, of the attribute or of the converted actions, if there is one.
    pub const fn bytes(&self) -> Option<usize> {
        match self {
            Self::Raw16K => Some(RAW_16K),
            Self::Raw32K | Self::Converted32K => Some(MAX_ACTIONS_BUFSIZE),
            Self::None | Self::Nested64K | Self::Converted32KOrNone | Self::Unknown => None,
        }
    }

    /// The buffer into which this kernel converts a list of `bytes`.
    pub(crate) fn buffer(self, bytes: usize) -> Buffer {
        let growth = match self {
            Self::None | Self::Nested64K => Growth::Free,
            _ => Growth::Bounded,
        };
        Buffer::new(bytes, growth)
    }

    pub(crate) fn check(
        self,
        bytes: usize,
        nests: Nests,
        converted: impl Fn() -> Option<bool>,
    ) -> Result<(), Rejection> {
        if nests.depth > MAX_NESTING {
            return Err(Rejection::Eoverflow { depth: nests.depth });
        }
        if nests.converted > usize::from(u16::MAX) && matches!(self, Self::None | Self::Nested64K) {
            return Err(match self {
                Self::None => Rejection::Unsafe {
                    bytes: nests.converted,
                },
                _ => Rejection::Emsgsize { bytes },
            });
        }
        let raw = |limit| {
            if bytes > limit {
                Err(Rejection::Einval { bytes, limit })
            } else {
                Ok(())
            }
        };
        let unknown = Err(Rejection::Unknown { bytes });
        match self {
            Self::Raw16K => raw(RAW_16K),
            Self::Raw32K => raw(MAX_ACTIONS_BUFSIZE),
            Self::None | Self::Nested64K if converted() == Some(false) => Err(Rejection::Enomem { bytes }),
            Self::None | Self::Nested64K => Ok(()),
            Self::Converted32K => match converted() {
                Some(true) => Ok(()),
                Some(false) => Err(Rejection::Emsgsize { bytes }),
                None => unknown,
            },
            // What the stricter kernel takes, the other one takes, too.
            Self::Converted32KOrNone if converted() == Some(true) => Ok(()),
            Self::Unknown if raw(RAW_16K).is_ok() && converted() == Some(true) => Ok(()),
            Self::Converted32KOrNone | Self::Unknown => unknown,
        }
    }
}

impl fmt::Display for KernelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw16K => "attribute at most 16 KiB (up to 3.10)",
            Self::Raw32K => "attribute at most 32 KiB (3.11 to 4.14)",
            Self::Converted32K => "converted actions at most 32 KiB (4.15 to 6.13)",
            Self::None => "no rule (6.14 to 7.1, and stable releases)",
            Self::Nested64K => "nested lists at most 64 KiB (7.2 and later, and stable releases)",
            Self::Converted32KOrNone => {
                "converted actions at most 32 KiB, or no rule: the release does not say"
            }
            Self::Unknown => "not known from this release",
        })
    }
}

/// How a kernel refuses a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// `EINVAL`: the attribute is too long. The kernel logs `Flow action size N bytes exceeds max`.
    Einval {
        /// Bytes of the list.
        bytes: usize,
        /// Bytes that the kernel takes.
        limit: usize,
    },
    /// `EMSGSIZE`: the converted actions do not fit the buffer.
    Emsgsize {
        /// Bytes of the list.
        bytes: usize,
    },
    /// `ENOMEM`: the converted actions ask for more than the 4 MiB that kmalloc gives. A list of more than 16 000
    /// `ct` does, and hardly another.
    Enomem {
        /// Bytes of the list.
        bytes: usize,
    },
    /// `EOVERFLOW`: lists stand in each other deeper than the kernel follows (16, since 5.10.210, 6.1.79 and 6.8; before,
    /// it followed them on its stack).
    Eoverflow {
        /// How deep.
        depth: usize,
    },
    /// The kernel takes it and writes a wrong length for a nested list: not to be sent.
    Unsafe {
        /// Bytes of the largest nested list, converted.
        bytes: usize,
    },
    /// Whether this kernel takes it is not known.
    Unknown {
        /// Bytes of the list.
        bytes: usize,
    },
}

impl Rejection {
    /// The errno that ovs-vswitchd gets, or `None` if that is not known.
    pub const fn errno(&self) -> Option<i32> {
        match self {
            Self::Einval { .. } => Some(22),
            Self::Emsgsize { .. } => Some(90),
            Self::Enomem { .. } => Some(12),
            Self::Eoverflow { .. } => Some(75),
            Self::Unsafe { .. } | Self::Unknown { .. } => None,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Einval { bytes, limit } => {
                write!(
                    f,
                    "{bytes} bytes exceed the {limit} that this kernel takes: EINVAL, no flow"
                )
            }
            Self::Emsgsize { bytes } => {
                write!(
                    f,
                    "{bytes} bytes outgrow this kernel's buffer once converted: EMSGSIZE, no flow"
                )
            }
            Self::Enomem { bytes } => {
                write!(
                    f,
                    "{bytes} bytes outgrow what kmalloc gives once converted: ENOMEM, no flow"
                )
            }
            Self::Eoverflow { depth } => {
                write!(
                    f,
                    "lists nested {depth} deep exceed the {MAX_NESTING} that kernels follow: EOVERFLOW, no flow"
                )
            }
            Self::Unsafe { bytes } => {
                write!(
                    f,
                    "a nested list of {bytes} converted bytes wraps a length in this kernel: do not send it"
                )
            }
            Self::Unknown { bytes } => write!(f, "whether this kernel takes {bytes} bytes is not known"),
        }
    }
}

/// What a kernel checks of lists inside actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nests {
    /// How deep lists stand in each other.
    pub(crate) depth: usize,
    /// Bytes of the largest action that holds a list, converted.
    pub(crate) converted: usize,
}

impl Nests {
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            converted: self.converted.max(other.converted),
        }
    }
}

/// The buffer into which kernels since 4.15 convert actions, growing as it fills.
///
/// Sizes of the C structures on x86-64: `struct sw_flow_actions` has 32 bytes, its flexible array starts at 28.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffer {
    growth: Growth,
    capacity: usize,
    used: usize,
}

/// How far a [`Buffer`] grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    /// It never asks for more than 32 KiB: 4.15 to 6.13.
    Bounded,
    /// As far as kmalloc gives memory.
    Free,
}

impl Buffer {
    /// The buffer that the kernel starts with for a list of `bytes`.
    fn new(bytes: usize, growth: Growth) -> Self {
        let wanted = match growth {
            Growth::Bounded => bytes.min(MAX_ACTIONS_BUFSIZE),
            Growth::Free => bytes,
        };
        Self {
            growth,
            capacity: ksize(STRUCT_LEN + wanted),
            used: 0,
        }
    }

    /// Whether these pieces still fit.
    pub(crate) fn hold(&mut self, pieces: &[usize]) -> bool {
        pieces.iter().all(|size| self.reserve(*size))
    }

    /// `reserve_sfa_size`: at least doubles the buffer.
    fn reserve(&mut self, size: usize) -> bool {
        let end = ARRAY_OFFSET + self.used + size;
        if end > self.capacity {
            let wanted = match self.growth {
                Growth::Bounded if end > MAX_ACTIONS_BUFSIZE => return false,
                Growth::Bounded => end.max(self.capacity * 2).min(MAX_ACTIONS_BUFSIZE),
                Growth::Free => end.max(self.capacity * 2),
            };
            if STRUCT_LEN + wanted > KMALLOC_MAX {
                return false;
            }
            self.capacity = ksize(STRUCT_LEN + wanted);
        }
        self.used += size;
        true
    }
}

/// What kmalloc gives for `size` bytes: its caches up to 8 KiB, then pages by powers of two.
fn ksize(size: usize) -> usize {
    match size {
        65..=96 => 96,
        129..=192 => 192,
        _ => size.max(8).next_power_of_two(),
    }
}

/// Whether a stable series has a fix at this patch level.
fn has_fix(fixes: &[((u32, u32), u32)], series: (u32, u32), patch: u32) -> bool {
    fixes
        .iter()
        .any(|(fixed, first)| *fixed == series && patch >= *first)
}

/// A release such as `6.1.192`, `6.1.0-18-amd64` or `3.10.0-957.el7.x86_64`.
struct Version {
    series: (u32, u32),
    patch: u32,
    /// More follows the numbers: the third one may be a placeholder.
    vendor: bool,
}

impl Version {
    fn parse(release: &str) -> Option<Self> {
        let end = release
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(release.len());
        let mut numbers = release[..end].split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self {
            series: (major, minor),
            patch,
            vendor: end < release.len(),
        })
    }
}

/// The stable releases that first carried "net: openvswitch: remove misbehaving actions length check"
/// (a1e64addf3ff, 6.14). 5.10 and 5.4 never did.
const FIRST_WITHOUT_CHECK: [((u32, u32), u32); 5] = [
    ((5, 15), 180),
    ((6, 1), 132),
    ((6, 6), 84),
    ((6, 12), 20),
    ((6, 13), 8),
];

/// The stable releases that first refused nested lists that outgrow 16 bits (3f1f75536668, 7.2).
const FIRST_WITH_NESTED_CHECK: [((u32, u32), u32); 6] = [
    ((5, 15), 212),
    ((6, 1), 178),
    ((6, 6), 145),
    ((6, 12), 97),
    ((6, 18), 40),
    ((7, 1), 5),
];

/// `MAX_ACTIONS_BUFSIZE` of `flow_netlink.c` since 3.11.
const MAX_ACTIONS_BUFSIZE: usize = 32 * 1024;
/// The same up to 3.10.
const RAW_16K: usize = 16 * 1024;
/// `OVS_COPY_ACTIONS_MAX_DEPTH`.
const MAX_NESTING: usize = 16;
/// `KMALLOC_MAX_SIZE` with pages of 4 KiB.
const KMALLOC_MAX: usize = 4 << 20;
const STRUCT_LEN: usize = 32;
const ARRAY_OFFSET: usize = 28;

#[cfg(test)]
mod tests {
    use super::KernelRule::{Converted32K, Converted32KOrNone, Nested64K, None, Raw16K, Raw32K, Unknown};
    use super::*;

    #[test]
    fn tells_the_rule_from_the_release() {
        for (release, rule) in [
            ("2.6.32", Raw16K),
            ("3.10.108", Raw16K),
            ("3.10.0-957.el7.x86_64", Raw32K),
            ("3.11", Raw32K),
            ("4.4.0-210-generic", Raw32K),
            ("4.14.336", Raw32K),
            ("4.15.0", Converted32K),
            ("4.18.0-553.el8_10.x86_64", Converted32KOrNone),
            ("5.10.223", Converted32K),
            ("5.10.0-32-amd64", Converted32K),
            ("5.14.0-427.el9.x86_64", Converted32KOrNone),
            ("5.15.179", Converted32K),
            ("5.15.180", None),
            ("5.15.0-105-generic", Converted32KOrNone),
            ("6.1.131", Converted32K),
            ("6.1.132", None),
            ("6.1.0-18-amd64", Converted32KOrNone),
            ("6.6.83", Converted32K),
            ("6.6.84", None),
            ("6.12.19-cloud", Converted32K),
            ("6.12.20", None),
            ("6.13.7", Converted32K),
            ("6.13.8", None),
            ("6.14.0-15-generic", None),
            ("6.1.177", None),
            ("6.1.178", Nested64K),
            ("6.18.39", None),
            ("6.18.44-fc", Nested64K),
            ("7.1.4", None),
            ("7.2.13", Nested64K),
            ("6", Unknown),
            ("", Unknown),
            ("99999999999.1", Unknown),
            ("linux", Unknown),
        ] {
            assert_eq!(KernelRule::of_release(release), rule, "{release}");
        }
    }

    #[test]
    fn finds_the_upstream_version_of_a_debian_kernel() {
        let debian = |version| KernelRule::of_host("6.1.0-18-amd64", version);
        assert_eq!(
            debian("#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)"),
            Converted32K
        );
        assert_eq!(
            debian("#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (2026-07-01)"),
            Nested64K
        );
        assert_eq!(debian("#1 SMP Thu Jan 1 00:00:00 UTC 1970"), Converted32KOrNone);
    }
}
