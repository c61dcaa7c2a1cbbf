//! Releases of Open vSwitch.

use core::fmt;
use core::str::FromStr;

/// A release of Open vSwitch, as `ovs_version` of its database names it.
///
/// Fixes of the translation came with patch levels, so a release that is given without one stands for several; what each
/// does, [`Rules`](crate::xlate::Rules) say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OvsVersion {
    major: u16,
    minor: u16,
    patch: Option<u16>,
}

impl OvsVersion {
    /// Any patch level of `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self {
            major,
            minor,
            patch: None,
        }
    }

    /// The same release at one patch level.
    #[must_use]
    pub const fn at_patch(self, patch: u16) -> Self {
        Self {
            patch: Some(patch),
            ..self
        }
    }

    /// Major and minor number.
    pub const fn branch(self) -> (u16, u16) {
        (self.major, self.minor)
    }

    /// The patch level, if it was given.
    pub const fn patch(self) -> Option<u16> {
        self.patch
    }
}

impl fmt::Display for OvsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            return f.write_str("of an unknown release");
        }
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            Some(patch) => write!(f, ".{patch}"),
            None => Ok(()),
        }
    }
}

impl FromStr for OvsVersion {
    type Err = OvsVersionError;

    /// Reads `2.5`, `2.5.0`, `3.1.0-2+deb12u1`. What a distributor wrote behind the patch level is left out: it does not say
    /// which fixes the build holds.
    fn from_str(text: &str) -> Result<Self, OvsVersionError> {
        let mut parts = text.splitn(4, '.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            (&part[..digits], &part[digits..])
        });
        let number = |digits: &str| digits.parse().map_err(|_| OvsVersionError);
        let (major, rest) = parts.next().ok_or(OvsVersionError)?;
        let (minor, suffix) = parts.next().filter(|_| rest.is_empty()).ok_or(OvsVersionError)?;
        let branch = Self::new(number(major)?, number(minor)?);
        match parts.next().filter(|_| suffix.is_empty()) {
            Some((patch, _)) if !patch.is_empty() => Ok(branch.at_patch(number(patch)?)),
            _ => Ok(branch),
        }
    }
}

/// Text that does not begin with two numbers and a dot between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version of Open vSwitch starts with two numbers, as in 3.1")]
pub struct OvsVersionError;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn reads_versions_as_packages_write_them() {
        let at = |major, minor, patch| Ok(OvsVersion::new(major, minor).at_patch(patch));
        assert_eq!("2.5".parse(), Ok(OvsVersion::new(2, 5)));
        assert_eq!("3.1.0-2+deb12u1".parse(), at(3, 1, 0));
        assert_eq!("3.3.9".parse(), at(3, 3, 9));
        assert_eq!("2.17.90".parse(), at(2, 17, 90));
        assert_eq!("2.17rc".parse(), Ok(OvsVersion::new(2, 17)));
        assert_eq!("3.1.x".parse(), Ok(OvsVersion::new(3, 1)));
        assert_eq!("3.1-2.3".parse(), Ok(OvsVersion::new(3, 1)));
        for bad in ["", "3", "new", "3.", ".1", "3x.1", "3.1.70000", "70000.1", "-3.1"] {
            assert_eq!(bad.parse::<OvsVersion>(), Err(OvsVersionError), "{bad}");
        }
    }

    #[test]
    fn prints_what_it_was_given() {
        for text in ["2.5", "3.1.0", "3.5.12"] {
            assert_eq!(text.parse::<OvsVersion>().unwrap().to_string(), text);
        }
    }
}
