//! What changed from release to release of Open vSwitch, as far as it changes what becomes of a packet. Each rule is a switch of its
//! own, since a distribution's build may hold more than its number says.

/// The rules of an ovs-vswitchd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// 9d840923d: actions on IP headers put the protocol into the megaflow. Since 2.17.6, 3.0.4, 3.1.1, 3.2.0.
    pub masks_ip_proto: bool,
    /// 489553b1c: a miss in the last stage puts all its fields into the megaflow. Since 2.17.6, 3.0.4, 3.1.1, 3.2.0.
    pub masks_final_stage: bool,
    /// feed7f677: a packet that was changed is mirrored again. Since 2.17.8, 3.0.5, 3.1.3, 3.2.0.
    pub mirrors_changed: bool,
    /// 49a249fb2: but not if only registers or metadata were set. Since 3.1.6, 3.2.4, 3.3.3, 3.4.1, 3.5.0.
    pub mirrors_not_metadata: bool,
    /// 6b1723588: the source port of a tunnel is not that of the tunnel before. Since 2.17.9, 3.0.6, 3.1.4, 3.2.2, 3.3.0.
    pub drops_tunnel_source_port: bool,
    /// 8e073791d took it away: `enable-input-sampling` of IPFIX means its opposite. Until 3.2.0.
    pub ipfix_options_inverted: bool,
    /// d7e77143f: tunnels over IPv6 have a checksum. Since 3.4.0.
    pub ipv6_tunnel_csum: bool,
    /// 3b1882261: mirrors have filters. Since 3.4.0.
    pub mirror_filters: bool,
    /// 2af7cef26: prefixes of IPv6 addresses are looked up in tries. Since 3.5.0.
    pub ipv6_prefixes: bool,
    /// 67e21fdb1: of a network service header only what changed is set. Since 3.3.8, 3.4.5, 3.5.3, 3.6.2, 3.7.0.
    pub nsh_by_part: bool,
    /// c8ec54a59: no copies for mirrors when a bond recirculates. Since 3.3.8, 3.4.5, 3.5.3, 3.6.2, 3.7.0.
    pub no_mirror_on_recirculation: bool,
    /// b21ba0834: fields of a tunnel that are set are not in the megaflow. Since 3.3.8, 3.4.5, 3.5.3, 3.6.2, 3.7.0.
    pub tunnel_writes_unmasked: bool,
    /// 4e44e51d1: the flags `df` and `csum` of a received tunnel are not in the megaflow. Since 3.5.3, 3.6.2, 3.7.0.
    pub tunnel_flags_key_only: bool,
    /// d7ec77f69: whether a copy needs `clone` is decided by its datapath actions. Since 4.0.0.
    pub clones_by_result: bool,
    /// cb6423478: a select group by hash has a table of at least four values a bucket. Since 3.1.6, 3.2.4, 3.3.3, 3.4.1, 3.5.0.
    pub larger_hash_tables: bool,
}

/// Major, minor and patch level.
type Version = (u16, u16, u16);

impl Rules {
    /// The rules of a release as its developers published it.
    pub const fn of(major: u16, minor: u16, patch: u16) -> Self {
        let version = (major, minor, patch);
        Self {
            masks_ip_proto: since(version, &[(2, 17, 6), (3, 0, 4), (3, 1, 1)], (3, 2, 0)),
            masks_final_stage: since(version, &[(2, 17, 6), (3, 0, 4), (3, 1, 1)], (3, 2, 0)),
            mirrors_changed: since(version, &[(2, 17, 8), (3, 0, 5), (3, 1, 3)], (3, 2, 0)),
            mirrors_not_metadata: since(version, &[(3, 1, 6), (3, 2, 4), (3, 3, 3), (3, 4, 1)], (3, 5, 0)),
            drops_tunnel_source_port: since(
                version,
                &[(2, 17, 9), (3, 0, 6), (3, 1, 4), (3, 2, 2)],
                (3, 3, 0),
            ),
            ipfix_options_inverted: !since(version, &[], (3, 2, 0)),
            ipv6_tunnel_csum: since(version, &[], (3, 4, 0)),
            mirror_filters: since(version, &[], (3, 4, 0)),
            ipv6_prefixes: since(version, &[], (3, 5, 0)),
            nsh_by_part: since(version, LATE_2025, (3, 7, 0)),
            no_mirror_on_recirculation: since(version, LATE_2025, (3, 7, 0)),
            tunnel_writes_unmasked: since(version, LATE_2025, (3, 7, 0)),
            tunnel_flags_key_only: since(version, &[(3, 5, 3), (3, 6, 2)], (3, 7, 0)),
            clones_by_result: since(version, &[], (4, 0, 0)),
            larger_hash_tables: since(version, &[(3, 1, 6), (3, 2, 4), (3, 3, 3), (3, 4, 1)], (3, 5, 0)),
        }
    }

    /// Those of Debian 12's 3.1.0-2+deb12u1, which has two changes of 3.1.1.
    pub const fn debian_12() -> Self {
        Self {
            masks_ip_proto: true,
            masks_final_stage: true,
            ..Self::of(3, 1, 0)
        }
    }
}

/// Patch releases of older branches that have what is new in 3.7.0.
const LATE_2025: &[Version] = &[(3, 3, 8), (3, 4, 5), (3, 5, 3), (3, 6, 2)];

/// Whether `version` has what is new in `new`, and on branches before it since these patch releases.
const fn since(version: Version, branches: &[Version], new: Version) -> bool {
    let mut n = 0;
    while n < branches.len() {
        if branches[n].0 == version.0 && branches[n].1 == version.1 {
            return version.2 >= branches[n].2;
        }
        n += 1;
    }
    let (major, minor, patch) = version;
    major > new.0 || major == new.0 && (minor > new.1 || minor == new.1 && patch >= new.2)
}
