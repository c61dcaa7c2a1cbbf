//! Tunnel ports, and the metadata that their options ask for.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Rules, TunnelFields, Unpredictable};
use crate::key::{Erspan, GeneveOpts, VxlanAttr, VxlanOpts};
use crate::{Tunnel, TunnelAttr};

/// The encapsulations that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TunnelKind {
    /// VXLAN, UDP port 4789 unless `dst_port` says otherwise.
    Vxlan,
    /// Geneve, UDP port 6081. Options are those that flows set.
    Geneve,
    /// GRE, also `ip6gre`: no ports.
    Gre,
    /// ERSPAN, also `ip6erspan`: no ports, no checksum.
    Erspan,
}

impl TunnelKind {
    const fn default_port(self) -> Option<u16> {
        match self {
            Self::Vxlan => Some(4789),
            Self::Geneve => Some(6081),
            Self::Gre | Self::Erspan => None,
        }
    }
}

/// What a tunnel port sets, as the `options` of its Interface row say (`ovs-vswitchd.conf.db(5)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelPort {
    /// The encapsulation.
    pub kind: TunnelKind,
    /// `remote_ip`.
    pub remote: IpAddr,
    /// `local_ip`.
    pub local: Option<IpAddr>,
    /// `out_key`, or `key`.
    pub out_key: OutKey,
    /// `tos`: the DSCP bits, if they do not come from the packet.
    pub tos: u8,
    /// `tos=inherit`.
    pub inherits_tos: bool,
    /// `ttl`; for `inherit` a placeholder, since every value has the same size.
    pub ttl: u8,
    /// `df_default`, true unless set to `false`.
    pub dont_fragment: bool,
    /// `csum`.
    pub checksum: Checksum,
    /// `dst_port`; GRE and ERSPAN have none.
    pub dst_port: Option<u16>,
    /// `egress_pkt_mark`: the mark that a packet has from this output on. One that it did not have before costs a
    /// `set(skb_mark)`.
    pub egress_mark: Option<u32>,
    /// `erspan_ver` 1 or 2 with its index, or direction and hardware id; `None` without a version.
    pub erspan: Option<Erspan>,
}

impl TunnelPort {
    /// A port of `kind` to `remote` with every option at its default.
    pub const fn new(kind: TunnelKind, remote: IpAddr) -> Self {
        Self {
            kind,
            remote,
            local: None,
            out_key: OutKey::Absent,
            tos: 0,
            inherits_tos: false,
            ttl: TTL,
            dont_fragment: true,
            checksum: Checksum::Default,
            dst_port: kind.default_port(),
            egress_mark: None,
            erspan: None,
        }
    }

    /// Reads the `options` of an Interface row.
    ///
    /// # Errors
    /// [`Unpredictable::Option`]: an option with an effect that is not modelled, or a value that cannot be read;
    /// [`Unpredictable::NoRemote`].
    pub fn of_options<'a>(
        kind: TunnelKind,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Unpredictable> {
        let options: Vec<(&str, &str)> = options.into_iter().collect();
        let value = |name| {
            options
                .iter()
                .find(|option| option.0 == name)
                .map(|option| option.1)
        };
        let remote = value("remote_ip").ok_or(Unpredictable::NoRemote)?;
        let address = parse_address(remote).filter(|ip| !ip.is_multicast());
        let mut port = Self::new(kind, address.ok_or_else(|| not_modelled("remote_ip", remote))?);
        for &(name, value) in &options {
            port.apply(name, value).ok_or_else(|| not_modelled(name, value))?;
        }
        // `out_key` overrules `key`, wherever it stands.
        if let Some(key) = value("out_key") {
            port.out_key = OutKey::parse(key).ok_or_else(|| not_modelled("out_key", key))?;
        }
        port.erspan = erspan(kind, &options)?;
        let local = port
            .local
            .filter(|local| local.is_ipv4() != port.remote.is_ipv4());
        // Open vSwitch does not take such a port up.
        match local.and(value("local_ip")) {
            Some(local) => Err(not_modelled("local_ip", local)),
            None => Ok(port),
        }
    }

    fn apply(&mut self, name: &str, value: &str) -> Option<()> {
        let has_checksum = self.kind != TunnelKind::Erspan;
        match (name, value) {
            ("local_ip", _) => self.local = Some(parse_address(value)?),
            ("key", _) => self.out_key = OutKey::parse(value)?,
            ("tos", "inherit") => self.inherits_tos = true,
            ("tos", _) => self.tos = parse_dscp(value)?,
            ("ttl", "inherit") => {}
            ("ttl", _) => self.ttl = Some(value.parse().ok()?).filter(|ttl| *ttl > 0).unwrap_or(TTL),
            ("df_default", _) => self.dont_fragment = value != "false",
            ("csum", "true") if has_checksum => self.checksum = Checksum::On,
            ("csum", "false") if has_checksum => self.checksum = Checksum::Off,
            ("csum", _) => {}
            ("dst_port", _) => self.dst_port = self.dst_port.and(Some(value.parse().ok()?)),
            ("egress_pkt_mark", _) => self.egress_mark = Some(parse_decimal(value)?),
            ("packet_type", "legacy_l2") | ("exts", "gbp") => {}
            _ if WITHOUT_EFFECT.contains(&name) || name.starts_with("ipsec_") => {}
            _ if self.kind == TunnelKind::Erspan && name.starts_with("erspan_") => {}
            _ => return None,
        }
        Some(())
    }

    /// The tunnel key that Open vSwitch writes for an output to this port, attributes in its order.
    ///
    /// `fields` are those that the flow set; `ip_tos` is the TOS of the packet if it is IP.
    ///
    /// # Errors
    /// [`Unpredictable::Underlay`]: an IPv6 address and a release without tunnels over IPv6.
    pub fn metadata(
        &self,
        rules: Rules,
        fields: &TunnelFields,
        ip_tos: Option<u8>,
    ) -> Result<Tunnel, Unpredictable> {
        if self.remote.is_ipv6() && !rules.ipv6_tunnels {
            return Err(Unpredictable::Underlay);
        }
        let id = match self.out_key {
            OutKey::Absent => None,
            OutKey::Flow => Some(fields.id),
            OutKey::Fixed(id) => Some(id),
        };
        let checksum = match self.checksum {
            Checksum::On => true,
            Checksum::Off => false,
            Checksum::Default => {
                let is_udp = self.kind.default_port().is_some();
                self.remote.is_ipv6() && is_udp && rules.ipv6_checksums
            }
        };
        let tos = self.outer_tos(ip_tos);
        let attrs = [
            id.map(TunnelAttr::Id),
            self.local.map(|local| match local {
                IpAddr::V4(ip) => TunnelAttr::Ipv4Src(ip),
                IpAddr::V6(ip) => TunnelAttr::Ipv6Src(ip),
            }),
            Some(match self.remote {
                IpAddr::V4(ip) => TunnelAttr::Ipv4Dst(ip),
                IpAddr::V6(ip) => TunnelAttr::Ipv6Dst(ip),
            }),
            (tos != 0).then_some(TunnelAttr::Tos(tos)),
            Some(TunnelAttr::Ttl(self.ttl)),
            self.dont_fragment.then_some(TunnelAttr::DontFragment),
            checksum.then_some(TunnelAttr::Csum),
            self.dst_port
                .filter(|port| *port > 0 && rules.port_in_tunnel_key)
                .map(TunnelAttr::TpDst),
            self.carried(fields)?,
        ];
        Ok(Tunnel::of_fitting(attrs.into_iter().flatten()))
    }

    /// What an encapsulation of this kind carries besides.
    fn carried(&self, fields: &TunnelFields) -> Result<Option<TunnelAttr>, Unpredictable> {
        Ok(match self.kind {
            TunnelKind::Vxlan if fields.gbp.0 != 0 => {
                Some(TunnelAttr::Vxlan(VxlanOpts::new([VxlanAttr::Gbp(fields.gbp)])))
            }
            TunnelKind::Geneve if !fields.options.is_empty() => {
                let mut all = GeneveOpts::default();
                let mut options = fields.options.values();
                let fit = options.all(|option| all.push(option.class, option.kind, &option.data));
                Some(TunnelAttr::Geneve(
                    fit.then_some(all).ok_or(Unpredictable::Options)?,
                ))
            }
            TunnelKind::Erspan => self.erspan.map(TunnelAttr::Erspan),
            _ => None,
        })
    }

    fn outer_tos(&self, ip_tos: Option<u8>) -> u8 {
        let Some(inner) = ip_tos else { return self.tos };
        let dscp = if self.inherits_tos { inner & DSCP } else { self.tos };
        // RFC 6040: a congestion mark does not go into the outer header of a packet that just starts its tunnel.
        let ecn = if inner & ECN == ECN_CE {
            ECN_ECT0
        } else {
            inner & ECN
        };
        dscp | ecn
    }
}

/// The tunnel id of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutKey {
    /// None is written.
    Absent,
    /// `flow`: the one that the flow set, 0 if it set none.
    Flow,
    /// This one.
    Fixed(u64),
}

impl OutKey {
    fn parse(value: &str) -> Option<Self> {
        if value == "flow" {
            Some(Self::Flow)
        } else {
            parse_number(value).map(Self::Fixed)
        }
    }
}

/// The outer checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// `csum` is not set: what the release does.
    Default,
    /// `csum=true`.
    On,
    /// `csum=false`.
    Off,
}

fn not_modelled(name: &str, value: &str) -> Unpredictable {
    Unpredictable::Option {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// A TOS byte without ECN bits; Open vSwitch refuses others.
fn parse_dscp(text: &str) -> Option<u8> {
    parse_number(text)?.try_into().ok().filter(|tos| tos & !DSCP == 0)
}

/// As C reads numbers: decimal, hexadecimal after `0x`, octal after `0`.
fn parse_number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hex, text.strip_prefix('0')) {
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (text, 10),
    };
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    u64::from_str_radix(digits, radix).ok().filter(|_| is_number)
}

/// Digits alone: what Open vSwitch makes of other text is not what it says.
fn parse_decimal(text: &str) -> Option<u32> {
    text.parse()
        .ok()
        .filter(|_| text.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// An IPv4 address that is written as an IPv6 one is an IPv4 address.
fn parse_address(text: &str) -> Option<IpAddr> {
    let ip = text.parse::<IpAddr>().ok()?.to_canonical();
    Some(ip).filter(|ip| !ip.is_unspecified())
}

/// `erspan_ver` and what belongs to it.
fn erspan(kind: TunnelKind, options: &[(&str, &str)]) -> Result<Option<Erspan>, Unpredictable> {
    let mut parts = [0; 4];
    for &(name, value) in options {
        let Some(place) = ERSPAN.iter().position(|(option, ..)| *option == name) else {
            continue;
        };
        let (_, radix, most) = ERSPAN[place];
        let number = u32::from_str_radix(value, radix)
            .ok()
            .filter(|number| *number <= most);
        parts[place] = number.ok_or_else(|| not_modelled(name, value))?;
    }
    let [version, index, direction, hardware_id] = parts;
    let mut data = [0; 8];
    match version {
        _ if kind != TunnelKind::Erspan => return Ok(None),
        0 if parts == [0; 4] => return Ok(None),
        1 => data[..4].copy_from_slice(&index.to_be_bytes()),
        2 => {
            // Two bits of the hardware id stand in the byte before.
            let bits = (hardware_id << 4 | direction << 3).to_be_bytes();
            data[6..].copy_from_slice(&bits[2..]);
        }
        // What belongs to a version counts without one, but is not written.
        _ => return Err(not_modelled("erspan_ver", "0")),
    }
    Ok(Some(Erspan { version, data }))
}

/// Options that an output does not depend on. `remote_ip` and `out_key` are read apart from the others.
const WITHOUT_EFFECT: [&str; 7] = [
    "remote_ip",
    "out_key",
    "in_key",
    "seq",
    "remote_cert",
    "remote_name",
    "psk",
];

/// Options of ERSPAN in the order of its parts: name, radix, the highest value.
const ERSPAN: [(&str, u32, u32); 4] = [
    ("erspan_ver", 10, 2),
    ("erspan_idx", 16, 0xf_ffff),
    ("erspan_dir", 10, 1),
    ("erspan_hwid", 16, 0x3f),
];

const TTL: u8 = 64;
const DSCP: u8 = 0xfc;
const ECN: u8 = 0x03;
const ECN_CE: u8 = 0x03;
const ECN_ECT0: u8 = 0x02;

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::super::{OvsVersion, Port, TunnelFields};
    use crate::Key;

    fn text(kind: &str, options: &str, ovs: &str, ip_tos: Option<u8>) -> String {
        let options: Vec<_> = options
            .split(',')
            .filter_map(|option| option.split_once('='))
            .collect();
        let Ok(Port::Tunnel { tunnel, .. }) = Port::of_interface(kind, 4, options) else {
            panic!("{kind}")
        };
        // Patch levels do not differ in tunnels.
        let rules = ovs.parse::<OvsVersion>().unwrap().rules()[0];
        let key = tunnel.metadata(rules, &TunnelFields::of_id(7), ip_tos);
        Key::Tunnel(key.unwrap()).to_string()
    }

    fn bytes(kind: &str, options: &str, ovs: &str) -> usize {
        let key = text(kind, options, ovs, None);
        let list: crate::Actions = alloc::format!("set({key}),4").parse().unwrap();
        list.encoded_len().unwrap()
    }

    /// Sizes that Open vSwitch itself gave.
    #[test]
    fn sizes_of_the_usual_configurations() {
        for (kind, options, ovs, size) in [
            ("vxlan", "remote_ip=1.1.1.1", "3.1", 44),
            ("vxlan", "remote_ip=1.1.1.1,key=flow", "3.1", 56),
            ("vxlan", "remote_ip=1.1.1.1,key=flow,df_default=false", "3.1", 52),
            ("vxlan", "remote_ip=1.1.1.1,key=flow,tos=8", "3.1", 64),
            ("vxlan", "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2", "3.1", 64),
            (
                "vxlan",
                "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2",
                "2.5.0",
                56,
            ),
            (
                "vxlan",
                "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2",
                "2.6.1",
                56,
            ),
            (
                "vxlan",
                "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2,tos=8",
                "3.1",
                72,
            ),
            ("vxlan", "remote_ip=1.1.1.1,key=flow,csum=true", "3.1", 60),
            (
                "vxlan",
                "remote_ip=1.1.1.1,key=flow,local_ip=2.2.2.2,csum=true",
                "3.1",
                68,
            ),
            ("gre", "remote_ip=1.1.1.1", "3.1", 36),
            ("gre", "remote_ip=1.1.1.1,key=5", "3.1", 48),
            (
                "gre",
                "remote_ip=1.1.1.1,key=5,csum=true,local_ip=2.2.2.2",
                "3.1",
                60,
            ),
            ("geneve", "remote_ip=1.1.1.1,key=flow", "3.1", 56),
            ("vxlan", "remote_ip=fc00::1,key=flow", "3.1", 68),
            ("vxlan", "remote_ip=fc00::1,key=flow", "3.4", 72),
            ("gre", "remote_ip=fc00::1,key=flow", "3.4", 60),
            ("vxlan", "remote_ip=fc00::1,key=flow,local_ip=fc00::2", "3.1", 88),
            (
                "vxlan",
                "remote_ip=fc00::1,key=flow,local_ip=fc00::2,csum=true",
                "3.1",
                92,
            ),
        ] {
            assert_eq!(bytes(kind, options, ovs), size, "{kind} {options} {ovs}");
        }
    }

    #[test]
    fn out_key_overrules_key() {
        let key = |options| text("gre", options, "3.1", None);
        assert_eq!(
            key("remote_ip=1.1.1.1,out_key=0x10,key=3"),
            "tunnel(tun_id=0x10,dst=1.1.1.1,ttl=64,flags(df|key))"
        );
        assert_eq!(
            key("remote_ip=1.1.1.1,in_key=3"),
            "tunnel(dst=1.1.1.1,ttl=64,flags(df))"
        );
        assert_eq!(
            key("remote_ip=1.1.1.1,key=flow,ttl=3"),
            "tunnel(tun_id=0x7,dst=1.1.1.1,ttl=3,flags(df|key))"
        );
    }

    #[test]
    fn a_marked_packet_costs_a_tos() {
        let tos = |options: &str, tos| text("gre", &["remote_ip=1.1.1.1", options].concat(), "3.1", tos);
        assert_eq!(tos("", Some(0xfc)), "tunnel(dst=1.1.1.1,ttl=64,flags(df))");
        assert_eq!(
            tos("", Some(0x01)),
            "tunnel(dst=1.1.1.1,tos=0x1,ttl=64,flags(df))"
        );
        assert_eq!(
            tos("", Some(0x03)),
            "tunnel(dst=1.1.1.1,tos=0x2,ttl=64,flags(df))"
        );
        assert_eq!(
            tos(",tos=inherit", Some(0xfc)),
            "tunnel(dst=1.1.1.1,tos=0xfc,ttl=64,flags(df))"
        );
        assert_eq!(tos(",tos=inherit", None), "tunnel(dst=1.1.1.1,ttl=64,flags(df))");
        assert_eq!(
            tos(",tos=32", Some(0xfd)),
            "tunnel(dst=1.1.1.1,tos=0x21,ttl=64,flags(df))"
        );
    }

    #[test]
    fn names_what_it_does_not_model() {
        let refuse = |kind, options: &[(&'static str, &'static str)]| {
            Port::of_interface(kind, 1, options.iter().copied())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(refuse("patch", &[]), "a patch port continues in another bridge");
        assert_eq!(refuse("stt", &[]), "interfaces of type stt are not modelled");
        assert_eq!(refuse("vxlan", &[]), "the tunnel port has no remote_ip");
        let with = |name, value| refuse("vxlan", &[("remote_ip", "1.1.1.1"), (name, value)]);
        assert_eq!(
            refuse("vxlan", &[("remote_ip", "flow")]),
            "tunnel option remote_ip=flow is not modelled"
        );
        assert_eq!(
            refuse("vxlan", &[("remote_ip", "224.0.0.1")]),
            "tunnel option remote_ip=224.0.0.1 is not modelled"
        );
        assert_eq!(
            with("local_ip", "flow"),
            "tunnel option local_ip=flow is not modelled"
        );
        assert_eq!(with("exts", "gpe"), "tunnel option exts=gpe is not modelled");
        for (name, value) in [
            ("egress_pkt_mark", "0x1"),
            ("egress_pkt_mark", "4294967296"),
            ("egress_pkt_mark", ""),
            ("local_ip", "fc00::1"),
            ("erspan_ver", "1"),
            ("packet_type", "legacy_l3"),
            ("dst_port", "65536"),
        ] {
            assert_eq!(
                with(name, value),
                alloc::format!("tunnel option {name}={value} is not modelled")
            );
        }
        assert_eq!(with("tos", "3"), "tunnel option tos=3 is not modelled");
        assert_eq!(with("key", "08"), "tunnel option key=08 is not modelled");
        assert_eq!(with("key", "+8"), "tunnel option key=+8 is not modelled");
        assert_eq!(
            with("new_in_5_0", "x"),
            "tunnel option new_in_5_0=x is not modelled"
        );
    }
}
