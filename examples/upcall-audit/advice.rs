//! What to do about lost sockets, by release.

use std::fmt;
use std::str::FromStr;

use examples::upcalls::Upcalls;
use netlink_genl::ovs::datapath::Dispatch;

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

/// Sentences for the operator, the most pressing first.
pub fn advise(upcalls: &Upcalls, release: Option<Release>) -> Vec<String> {
    let mut advice = Vec::new();
    if upcalls.deaf {
        advice.push(
            "The datapath dispatches per CPU and names no socket: each packet without a flow is lost. That is what \
             ovs-dpctl of 2.16 or later leaves behind when it opens the datapath of an older ovs-vswitchd. Restart \
             ovs-vswitchd, and look with tools that only read."
                .to_owned(),
        );
    }
    let orphaned = upcalls.orphaned();
    let loses = release.is_none_or(Release::loses_sockets);
    let per_port = upcalls.dispatch == Some(Dispatch::PerVport);
    if orphaned > 0 {
        advice.push(format!(
            "{orphaned} sockets are lost: nothing will ever come through them, and only a restart of ovs-vswitchd \
             closes them."
        ));
    }
    if per_port && loses {
        let which = release.map_or(
            "Open vSwitch before 3.7.0, 3.6.1, 3.5.3, 3.4.5 and 3.3.7".to_owned(),
            |release| format!("Open vSwitch {release}"),
        );
        advice.push(format!(
            "{which} loses a socket whenever the network namespace of an internal port is deleted before the port: \
             delete the port first (ovs-vsctl del-port), then the namespace."
        ));
        advice.push(match release {
            Some(release) if release.dispatches_per_cpu() => format!(
                "It would dispatch per CPU, which loses none, on Linux 5.15 or later; {MENDED_ARE} lose none either."
            ),
            _ => format!(
                "From 2.16 on Linux 5.15 or later it dispatches per CPU, which loses none; {MENDED_ARE} lose none either."
            ),
        });
    } else if orphaned > 0 {
        advice.push(
            "This is not the known loss, which needs a release without its fix and dispatch per port: were they lost \
             before an upgrade without a restart?"
                .to_owned(),
        );
    }
    let per_port = upcalls.per_port;
    if per_port > 1 {
        advice.push(format!(
            "Each port takes {per_port} descriptors, one for each handler thread; from 2.11 on it is one."
        ));
    }
    if let (Some(open), Some(limit), 1..) = (upcalls.open, upcalls.limit, per_port) {
        let room = limit.saturating_sub(open) / per_port;
        advice.push(format!(
            "The limit of {limit} descriptors has room for {room} more ports."
        ));
    }
    advice
}

const MENDED: [Release; 4] = [
    Release(3, 3, 7),
    Release(3, 4, 5),
    Release(3, 5, 3),
    Release(3, 6, 1),
];
const FIRST_WITHOUT: Release = Release(3, 7, 0);
const MENDED_ARE: &str = "3.3.7, 3.4.5, 3.5.3, 3.6.1, 3.7.0 and what follows them";

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
