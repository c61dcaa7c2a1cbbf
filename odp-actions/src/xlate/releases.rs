//! What changed between releases: each rule of the translation that is not the same in all of them.
//!
//! A rule is a switch. A release is a set of them, made from one table: since which branch a rule holds, and from which
//! patch level on in older branches that took it over. The table was read off the history of Open vSwitch's branches.

use alloc::vec::Vec;

use super::{OvsVersion, Prediction, Unpredictable};

/// Makes [`Rules`] and their table, a row for each rule:
///
/// ```text
/// /// What it does.
/// port_in_tunnel_key: since 2 7, or [2 6 4] ..;
/// ```
macro_rules! rules {
    ($($(#[$doc:meta])+ $name:ident: since $major:literal $minor:literal $(, or $([$a:literal $b:literal $c:literal])+)?;)+) => {
        /// The rules of the translation that are not the same in all releases of Open vSwitch.
        ///
        /// [`OvsVersion::rules`] has those of a release. Distributors add fixes without another number; who knows of one
        /// turns its rule:
        ///
        /// ```
        /// use odp_actions::xlate::{OvsVersion, Rules};
        ///
        /// let mut debian: Rules = "3.1.0-2+deb12u1".parse::<OvsVersion>()?.try_into()?;
        /// assert!(!debian.ip_protocol_in_masks);
        /// debian.ip_protocol_in_masks = true;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
        pub struct Rules {
            $($(#[$doc])+ pub $name: bool,)+
        }

        impl Rules {
            /// Those of a patch level of a branch.
            fn at(branch: Branch, patch: u16) -> Self {
                Self {
                    $($name: holds(branch, patch, ($major, $minor), &[$($(($a, $b, $c)),+)?]),)+
                }
            }
        }

        /// The patch levels with which rules came to older branches.
        #[cfg(test)]
        const BACKPORTS: &[(&str, &[(u16, u16, u16)])] = &[$((stringify!($name), &[$($(($a, $b, $c)),+)?]),)+];
    };
}

rules! {
    /// Mirrors of bridges that a patch port joins are independent of each other (`76f3c2607`).
    mirrors_of_each_bridge: since 2 6, or [2 5 1];
    /// Tunnels run over IPv6, too.
    ipv6_tunnels: since 2 6;
    /// The outer destination port is part of the tunnel key: 8 bytes for each VXLAN or Geneve output.
    port_in_tunnel_key: since 2 7;
    /// A packet may have two tags (`f0fb825a3`); before, a second one replaced the first.
    two_tags: since 2 8;
    /// `other_config:priority-tags=always` keeps tags of nothing but zeros (`ffbe41dbc`); before, it meant nothing.
    priority_tags_always: since 2 12;
    /// The megaflow of an action on IP fields matches the IP protocol (`9d840923d`, CVE-2023-1668). The actions are the
    /// same.
    ip_protocol_in_masks: since 3 2,
        or [2 13 11] [2 14 9] [2 15 8] [2 16 7] [2 17 6] [3 0 4] [3 1 1];
    /// A lookup that fails in the last stage by the ports adds all other fields of that stage to the megaflow
    /// (`489553b1c`, CVE-2023-5366). The actions are the same.
    last_stage_in_masks: since 3 2,
        or [2 13 11] [2 14 9] [2 15 8] [2 16 7] [2 17 6] [3 0 4] [3 1 1];
    /// A mirror that has its copy gets another one after an action that changes the packet, even to what it was
    /// (`feed7f677`).
    mirrors_changed_packets: since 3 2, or [2 17 8] [3 0 5] [3 1 3];
    /// .. but not after `set_field` of a Geneve option (`834bd9158`),
    options_change_no_packet: since 3 3, or [3 1 6] [3 2 4];
    /// nor after that of a register or other metadata (`49a249fb2`). The fields of tunnels still count.
    registers_change_no_packet: since 3 5, or [3 1 6] [3 2 4] [3 3 3] [3 4 1];
    /// UDP tunnels over IPv6 set the checksum flag unless `csum` says otherwise (`d7e77143f`).
    ipv6_checksums: since 3 4;
    /// `filter` of a mirror selects packets (`3b1882261`); before, there was none.
    mirror_filters: since 3 4;
    /// A bond that recirculates a packet makes no mirror copies (`c8ec54a59`).
    recirculates_without_copies: since 3 7, or [3 3 8] [3 4 5] [3 5 3] [3 6 2];
    /// Before an output to a patch port, or an OpenFlow `clone`, that is not the last action all changes are committed,
    /// and what cannot be undone there stands in a `clone` of the datapath (`d7ec77f69`, `21cbfc6bb`): a cut packet, a hash.
    clones_what_stays: since 4 0, or [3 3 10] [3 4 7] [3 5 5] [3 6 4] [3 7 2];
}

impl OvsVersion {
    /// The rules that this release may follow, the oldest first.
    ///
    /// - A known patch level has one set.
    /// - A release without a patch level has those of all that are known.
    /// - A patch level above the known ones of its branch has those of the last one, and those of the newest release: it may
    ///   have taken over what came later.
    /// - A development snapshot (`.90`) has those of what it stands between.
    /// - What is newer than all that is known has those of all releases since 3.0: which of them it follows is not known.
    /// - What is older than 2.5 may follow any, as [`UNKNOWN`](Self::UNKNOWN).
    pub fn rules(self) -> Vec<Rules> {
        let mut sets = Vec::new();
        for rules in self.possible() {
            if !sets.contains(&rules) {
                sets.push(rules);
            }
        }
        sets
    }

    /// No release is known: the rules may be those of any.
    pub const UNKNOWN: Self = Self::new(0, 0);

    fn possible(self) -> Vec<Rules> {
        let (branch, newest) = (self.branch(), BRANCHES.len() - 1);
        let Some(at) = BRANCHES.iter().position(|(known, _)| *known == branch) else {
            let first = if branch < BRANCHES[0].0 {
                BRANCHES[0].0
            } else {
                RECENT
            };
            return levels()
                .filter(|(branch, _)| *branch >= first)
                .map(of_level)
                .collect();
        };
        let last = BRANCHES[at].1;
        match self.patch() {
            None => levels()
                .filter(|(known, _)| *known == branch)
                .map(of_level)
                .collect(),
            Some(patch) if patch <= last => [Rules::at(branch, patch)].into(),
            Some(_) if at == newest => levels()
                .filter(|(branch, _)| *branch >= RECENT)
                .map(of_level)
                .collect(),
            Some(patch) if patch >= SNAPSHOT => {
                [Rules::at(branch, 0), Rules::at(BRANCHES[at + 1].0, 0)].into()
            }
            Some(_) => [
                Rules::at(branch, last),
                of_level((BRANCHES[newest].0, BRANCHES[newest].1)),
            ]
            .into(),
        }
    }
}

/// The one set of a release that has no other.
impl TryFrom<OvsVersion> for Rules {
    type Error = Unpredictable;

    fn try_from(ovs: OvsVersion) -> Result<Self, Unpredictable> {
        match ovs.rules()[..] {
            [rules] => Ok(rules),
            _ => Err(Unpredictable::Release { ovs }),
        }
    }
}

impl Prediction {
    /// What holds under each set of rules that a release may follow: exact where they agree.
    ///
    /// ```
    /// use odp_actions::xlate::{OvsVersion, Packet, Port, Prediction, Xlate};
    ///
    /// let vxlan = Port::of_interface("vxlan", 4, [("remote_ip", "10.0.0.1"), ("key", "flow")])?;
    /// let bytes = |ovs: OvsVersion| {
    ///     let prediction = Prediction::under(ovs, |rules| {
    ///         let mut xlate = Xlate::new(rules, Packet::default());
    ///         xlate.output(&vxlan)?;
    ///         Ok(xlate.predict())
    ///     });
    ///     prediction.bytes().map(|bytes| (bytes.least, bytes.most))
    /// };
    /// assert_eq!(bytes("3.1".parse()?), Some((56, 56)));
    /// assert_eq!(bytes("2.6.1".parse()?), Some((48, 48)));
    /// assert_eq!(bytes(OvsVersion::UNKNOWN), Some((48, 56)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn under(ovs: OvsVersion, mut run: impl FnMut(Rules) -> Result<Self, Unpredictable>) -> Self {
        let each = ovs.rules().into_iter().map(|rules| Self::from(run(rules)));
        let whole = each.reduce(Self::or);
        whole.unwrap_or(Self::Unknown(Unpredictable::Release { ovs }))
    }
}

type Branch = (u16, u16);

/// Whether a patch level of a branch has what a branch brought, or a patch level of an older one.
fn holds(branch: Branch, patch: u16, since: Branch, backports: &[(u16, u16, u16)]) -> bool {
    let is_backport = |(major, minor, first): &(u16, u16, u16)| (*major, *minor) == branch && patch >= *first;
    branch >= since || backports.iter().any(is_backport)
}

/// All patch levels that are known.
fn levels() -> impl Iterator<Item = (Branch, u16)> {
    BRANCHES
        .iter()
        .flat_map(|(branch, last)| (0..=*last).map(|patch| (*branch, patch)))
}

fn of_level((branch, patch): (Branch, u16)) -> Rules {
    Rules::at(branch, patch)
}

/// The branches, and the last patch level of each of which is known what it holds. Those of 3.3 to 3.7 are not released
/// yet, but their changes stand in the branches.
const BRANCHES: [(Branch, u16); 22] = [
    ((2, 5), 12),
    ((2, 6), 10),
    ((2, 7), 13),
    ((2, 8), 11),
    ((2, 9), 11),
    ((2, 10), 7),
    ((2, 11), 7),
    ((2, 12), 4),
    ((2, 13), 11),
    ((2, 14), 9),
    ((2, 15), 8),
    ((2, 16), 7),
    ((2, 17), 12),
    ((3, 0), 8),
    ((3, 1), 7),
    ((3, 2), 6),
    ((3, 3), 10),
    ((3, 4), 7),
    ((3, 5), 5),
    ((3, 6), 4),
    ((3, 7), 2),
    ((4, 0), 0),
];

/// The oldest branch whose rules a release may still follow that nobody knows yet.
const RECENT: Branch = (3, 0);
/// Between two branches Open vSwitch calls itself by the patch level 90.
const SNAPSHOT: u16 = 90;

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(ovs: &str) -> Vec<Rules> {
        ovs.parse::<OvsVersion>().unwrap().rules()
    }

    fn one(ovs: &str) -> Rules {
        ovs.parse::<OvsVersion>().unwrap().try_into().unwrap()
    }

    #[test]
    fn fixes_come_with_patch_levels() {
        let second_copy = |ovs| one(ovs).mirrors_changed_packets;
        for (without, with) in [
            ("2.17.7", "2.17.8"),
            ("3.0.4", "3.0.5"),
            ("3.1.2", "3.1.3"),
            ("3.1.0", "3.2.0"),
        ] {
            assert!(!second_copy(without) && second_copy(with), "{without} {with}");
        }
        let clones = |ovs| one(ovs).clones_what_stays;
        for (without, with) in [
            ("3.3.9", "3.3.10"),
            ("3.5.4", "3.5.5"),
            ("3.7.1", "3.7.2"),
            ("3.7.1", "4.0.0"),
        ] {
            assert!(!clones(without) && clones(with), "{without} {with}");
        }
        let options = |ovs| {
            (
                one(ovs).options_change_no_packet,
                one(ovs).registers_change_no_packet,
            )
        };
        assert_eq!(
            ["2.17.12", "3.3.2", "3.3.3"].map(options),
            [(false, false), (true, false), (true, true)]
        );
    }

    #[test]
    fn every_backport_is_of_a_known_branch_and_not_of_its_first_release() {
        for (rule, backports) in BACKPORTS {
            for (major, minor, patch) in *backports {
                let last = BRANCHES.iter().find(|(branch, _)| *branch == (*major, *minor));
                assert!(
                    last.is_some_and(|(_, last)| (1..=*last).contains(patch)),
                    "{rule} {major}.{minor}.{patch}"
                );
            }
        }
    }

    #[test]
    fn a_release_without_a_patch_level_is_all_of_them() {
        assert_eq!(
            sets("3.1"),
            [one("3.1.0"), one("3.1.1"), one("3.1.3"), one("3.1.6")]
        );
        assert_eq!(sets("2.7"), [one("2.7.13")]);
        assert_eq!(
            Rules::try_from(OvsVersion::new(3, 1)),
            Err(Unpredictable::Release {
                ovs: OvsVersion::new(3, 1)
            })
        );
    }

    #[test]
    fn a_later_patch_level_may_have_what_came_later() {
        assert_eq!(sets("3.1.8"), [one("3.1.7"), one("4.0.0")]);
        assert_eq!(sets("3.7.3"), [one("4.0.0")], "its branch has all of it");
        assert_eq!(sets("3.1.90"), [one("3.1.0"), one("3.2.0")]);
    }

    #[test]
    fn what_is_newer_than_all_that_is_known_is_open_in_all_that_changed_of_late() {
        for newer in ["4.0.1", "4.0.90", "4.1", "5.0.0"] {
            let sets = sets(newer);
            let either = |rule: fn(&Rules) -> bool| sets.iter().any(rule) && !sets.iter().all(rule);
            assert!(either(|rules| rules.clones_what_stays) && either(|rules| rules.mirrors_changed_packets));
            assert!(
                either(|rules| rules.ipv6_checksums) && either(|rules| rules.recirculates_without_copies)
            );
            assert!(sets.iter().all(|rules| rules.port_in_tunnel_key));
        }
        for unknown in [OvsVersion::UNKNOWN, OvsVersion::new(2, 4)] {
            let sets = unknown.rules();
            assert!(sets.contains(&one("2.5.0")) && sets.contains(&one("4.0.0")));
        }
    }
}
