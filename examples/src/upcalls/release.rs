//! Which releases of Open vSwitch lose sockets.

use std::fmt;
use std::str::FromStr;

/// A release of Open vSwitch, with its patch level, which decides whether a fix is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u16, u16, u16);

impl Release {
    /// Whether it loses a socket with each port whose namespace was deleted, if it dispatches per port. Mended by commit
    /// 5d0c98d1c of Open vSwitch.
    pub fn loses_sockets(self) -> bool {
        let mended = MENDED
            .iter()
            .any(|mended| (self.0, self.1) == (mended.0, mended.1) && self >= *mended);
        !mended && self < FIRST_WITHOUT
    }

    /// Whether it dispatches per CPU where the kernel can, which is since Linux 5.15.
    pub fn dispatches_per_cpu(self) -> bool {
        self >= Self(2, 16, 0)
    }
}

impl FromStr for Release {
    type Err = &'static str;

    /// Reads `2.15.0`, `3.1.0-2+deb12u1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.splitn(3, '.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..digits].parse().ok()
        });
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Self(major, minor, numbers.next().flatten().unwrap_or(0))),
            _ => Err("a release of Open vSwitch starts with two numbers, as in 3.1"),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

const MENDED: [Release; 4] = [
    Release(3, 3, 7),
    Release(3, 4, 5),
    Release(3, 5, 3),
    Release(3, 6, 1),
];
const FIRST_WITHOUT: Release = Release(3, 7, 0);

#[cfg(test)]
mod tests {
    use super::Release;

    #[test]
    fn the_fix_is_in_the_releases_that_have_it() {
        for (release, loses) in [
            ("2.5.0", true),
            ("3.1.0-2+deb12u1", true),
            ("3.3.6", true),
            ("3.3.7", false),
            ("3.4.4", true),
            ("3.5.3", false),
            ("3.6", true),
            ("3.6.1", false),
            ("3.7.0", false),
            ("4.0.0", false),
        ] {
            let parsed: Release = release.parse().unwrap_or_else(|why| panic!("{release}: {why}"));
            assert_eq!(parsed.loses_sockets(), loses, "{release}");
        }
        assert!("3".parse::<Release>().is_err() && "master".parse::<Release>().is_err());
    }
}
