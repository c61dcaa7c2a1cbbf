//! Releases of Open vSwitch.

use core::fmt;
use core::str::FromStr;

/// A release of Open vSwitch, as far as it decides what is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OvsVersion {
    major: u16,
    minor: u16,
}

impl OvsVersion {
    /// Release `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// From 2.7 on the outer destination port is part of the tunnel metadata: 8 bytes more for each VXLAN or Geneve
    /// output.
    pub const fn writes_tp_dst(self) -> bool {
        self.at_least(2, 7)
    }

    /// From 3.4 on a UDP tunnel over IPv6 sets the checksum flag unless `csum` says otherwise.
    pub const fn checksums_ipv6(self) -> bool {
        self.at_least(3, 4)
    }

    /// From 2.8 on a packet may have two tags; before, a second one replaced the first.
    pub(crate) const fn stacks_tags(self) -> bool {
        self.at_least(2, 8)
    }

    const fn at_least(self, major: u16, minor: u16) -> bool {
        self.major > major || self.major == major && self.minor >= minor
    }
}

impl fmt::Display for OvsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for OvsVersion {
    type Err = OvsVersionError;

    /// Reads `2.5`, `2.5.0`, `3.1.0-2+deb12u1`.
    fn from_str(text: &str) -> Result<Self, OvsVersionError> {
        let mut numbers = text.splitn(3, '.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..digits].parse().ok()
        });
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(OvsVersionError),
        }
    }
}

/// Text that does not begin with two numbers and a dot between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version of Open vSwitch starts with two numbers, as in 3.1")]
pub struct OvsVersionError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_as_packages_write_them() {
        assert_eq!("2.5".parse(), Ok(OvsVersion::new(2, 5)));
        assert_eq!("3.1.0-2+deb12u1".parse(), Ok(OvsVersion::new(3, 1)));
        assert_eq!("2.17rc".parse(), Ok(OvsVersion::new(2, 17)));
        assert_eq!("3".parse::<OvsVersion>(), Err(OvsVersionError));
        assert_eq!("new".parse::<OvsVersion>(), Err(OvsVersionError));
        assert!(!OvsVersion::new(2, 6).writes_tp_dst() && OvsVersion::new(2, 7).writes_tp_dst());
        assert!(!OvsVersion::new(3, 3).checksums_ipv6() && OvsVersion::new(4, 0).checksums_ipv6());
    }
}
