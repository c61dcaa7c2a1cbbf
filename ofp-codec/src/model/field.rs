use core::fmt;

/// What is known of a match field: one row of the table.
#[derive(Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The name, as `set_field` prints it.
    pub name: &'static str,
    /// The name that a match prints, which for many fields is the older one. Fields that share
    /// it (`tp_src`, `icmp_type`) are told apart by the protocol.
    pub printed: &'static str,
    /// Further names that are understood.
    pub aliases: &'static [&'static str],
    /// The names of the field's NXM and OXM headers, as `load` prints them.
    pub headers: &'static [&'static str],
    /// The width in bits, as a subfield counts them.
    pub bits: u16,
    /// Whether a match may have a mask.
    pub maskable: bool,
    /// How a value is written.
    pub format: Format,
}

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `80`; with a mask `0x50/0xfff0`.
    Decimal,
    /// `0x1f`, but `0` for zero.
    Hex,
    /// `0x0800`: always four digits.
    Hex16,
    /// `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1/255.0.0.255`.
    Ipv4,
    /// `fe80::1`, `fe80::/64`, `::1/::ffff`.
    Ipv6,
    /// `02:00:00:00:00:01`, `01:00:00:00:00:00/01:00:00:00:00:00`.
    Ethernet,
    /// `3`, `LOCAL`, `"a name"`.
    Port,
    /// `+trk-new`, or `trk|new` for exactly these.
    CtState,
}

/// Makes [`Field`] and its table from rows
/// `/// Doc.` `Variant = name, printed name, [aliases], [headers], bits, maskable, format;`.
///
/// `EthSrc = "eth_src", "dl_src", [], ["NXM_OF_ETH_SRC"], 48, true, Ethernet;` becomes
/// `Field::EthSrc` and `FieldInfo { name: "eth_src", printed: "dl_src", .. }` at its place in
/// `INFO`.
macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $printed:literal, [$($alias:literal),*],
       [$($header:literal),*], $bits:literal, $maskable:literal, $format:ident;)*) => {
        /// A field that a flow can match or an action can set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])* $variant,)*
        }

        impl Field {
            /// Every field, in the order of the table.
            pub const ALL: &'static [Field] = &[$(Field::$variant),*];

            /// The row of the table.
            pub fn info(self) -> &'static FieldInfo {
                &INFO[self as usize]
            }

            /// The field of a name, an alias or a header name, and that name as the table has it.
            pub(crate) fn spelling(name: &str) -> Option<(Field, &'static str)> {
                #[allow(unreachable_patterns, reason = "of the fields that share a name the first wins")]
                match name {
                    $($name => Some((Field::$variant, $name)),)*
                    _ => match name {
                        $($printed => Some((Field::$variant, $printed)),)*
                        $($($alias => Some((Field::$variant, $alias)),)*)*
                        $($($header => Some((Field::$variant, $header)),)*)*
                        _ => None,
                    },
                }
            }
        }

        static INFO: [FieldInfo; Field::ALL.len()] = [$(FieldInfo {
            name: $name,
            printed: $printed,
            aliases: &[$($alias),*],
            headers: &[$($header),*],
            bits: $bits,
            maskable: $maskable,
            format: Format::$format,
        }),*];
    };
}

impl Field {
    /// The name, as `set_field` prints it.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The field of a name, an alias, or the name of an NXM or OXM header.
    ///
    /// `tp_src` and `tp_dst` are TCP's ports and `icmp_type` and `icmp_code` those of ICMP,
    /// as in Open vSwitch; in a parsed match they are those of the protocol that it names.
    pub fn from_name(name: &str) -> Option<Self> {
        Field::spelling(name).map(|(field, _)| field)
    }

    /// The greatest value.
    pub(crate) fn max(self) -> u128 {
        match self {
            // 0xffff: no tag (`OFP_VLAN_NONE`).
            Field::DlVlan => 0xffff,
            // The bit above the id: there is a tag (`OFPVID12_PRESENT`).
            Field::VlanVid => 0x1fff,
            _ => u128::MAX >> (128 - u32::from(self.info().bits)),
        }
    }

    /// The greatest mask: Open vSwitch gives a field whole bytes.
    pub(crate) fn mask_max(self) -> u128 {
        u128::MAX >> (128 - 8 * u32::from(self.info().bits.div_ceil(8)))
    }
}

/// The name, as `set_field` prints it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// Rows from the `MFF_*` comments of include/openvswitch/meta-flow.h; printed names and formats
// from `match_format` in lib/match.c; in its order.
fields! {
    /// The key or VNI of the tunnel.
    TunId = "tun_id", "tun_id", ["tunnel_id"], ["NXM_NX_TUN_ID", "OXM_OF_TUNNEL_ID"], 64, true, Hex;
    /// The tunnel's outer IPv4 source.
    TunSrc = "tun_src", "tun_src", [], ["NXM_NX_TUN_IPV4_SRC"], 32, true, Ipv4;
    /// The tunnel's outer IPv4 destination.
    TunDst = "tun_dst", "tun_dst", [], ["NXM_NX_TUN_IPV4_DST"], 32, true, Ipv4;
    /// The metadata register of OpenFlow 1.1 and later.
    Metadata = "metadata", "metadata", [], ["OXM_OF_METADATA"], 64, true, Hex;
    /// The port that the packet came in on.
    InPort = "in_port", "in_port", ["in_port_oxm"], ["NXM_OF_IN_PORT", "OXM_OF_IN_PORT"], 32, false, Port;
    /// The mark of the packet (Linux's `skb->mark`).
    PktMark = "pkt_mark", "pkt_mark", [], ["NXM_NX_PKT_MARK"], 32, true, Hex;
    /// The state of the connection.
    CtState = "ct_state", "ct_state", [], ["NXM_NX_CT_STATE"], 32, true, CtState;
    /// The mark of the connection.
    CtMark = "ct_mark", "ct_mark", [], ["NXM_NX_CT_MARK"], 32, true, Hex;
    /// Register 0 of 32 bits.
    Reg0 = "reg0", "reg0", [], ["NXM_NX_REG0"], 32, true, Hex;
    /// Register 1 of 32 bits.
    Reg1 = "reg1", "reg1", [], ["NXM_NX_REG1"], 32, true, Hex;
    /// Register 2 of 32 bits.
    Reg2 = "reg2", "reg2", [], ["NXM_NX_REG2"], 32, true, Hex;
    /// Register 3 of 32 bits.
    Reg3 = "reg3", "reg3", [], ["NXM_NX_REG3"], 32, true, Hex;
    /// Register 4 of 32 bits.
    Reg4 = "reg4", "reg4", [], ["NXM_NX_REG4"], 32, true, Hex;
    /// Register 5 of 32 bits.
    Reg5 = "reg5", "reg5", [], ["NXM_NX_REG5"], 32, true, Hex;
    /// Register 6 of 32 bits.
    Reg6 = "reg6", "reg6", [], ["NXM_NX_REG6"], 32, true, Hex;
    /// Register 7 of 32 bits.
    Reg7 = "reg7", "reg7", [], ["NXM_NX_REG7"], 32, true, Hex;
    /// Register 8 of 32 bits.
    Reg8 = "reg8", "reg8", [], ["NXM_NX_REG8"], 32, true, Hex;
    /// Register 9 of 32 bits.
    Reg9 = "reg9", "reg9", [], ["NXM_NX_REG9"], 32, true, Hex;
    /// Register 10 of 32 bits.
    Reg10 = "reg10", "reg10", [], ["NXM_NX_REG10"], 32, true, Hex;
    /// Register 11 of 32 bits.
    Reg11 = "reg11", "reg11", [], ["NXM_NX_REG11"], 32, true, Hex;
    /// Register 12 of 32 bits.
    Reg12 = "reg12", "reg12", [], ["NXM_NX_REG12"], 32, true, Hex;
    /// Register 13 of 32 bits.
    Reg13 = "reg13", "reg13", [], ["NXM_NX_REG13"], 32, true, Hex;
    /// Register 14 of 32 bits.
    Reg14 = "reg14", "reg14", [], ["NXM_NX_REG14"], 32, true, Hex;
    /// Register 15 of 32 bits.
    Reg15 = "reg15", "reg15", [], ["NXM_NX_REG15"], 32, true, Hex;
    /// Register 0 of 64 bits: registers 0 and 1.
    Xreg0 = "xreg0", "xreg0", [], ["OXM_OF_PKT_REG0"], 64, true, Hex;
    /// Register 1 of 64 bits: registers 2 and 3.
    Xreg1 = "xreg1", "xreg1", [], ["OXM_OF_PKT_REG1"], 64, true, Hex;
    /// Register 2 of 64 bits: registers 4 and 5.
    Xreg2 = "xreg2", "xreg2", [], ["OXM_OF_PKT_REG2"], 64, true, Hex;
    /// Register 3 of 64 bits: registers 6 and 7.
    Xreg3 = "xreg3", "xreg3", [], ["OXM_OF_PKT_REG3"], 64, true, Hex;
    /// Register 4 of 64 bits: registers 8 and 9.
    Xreg4 = "xreg4", "xreg4", [], ["OXM_OF_PKT_REG4"], 64, true, Hex;
    /// Register 5 of 64 bits: registers 10 and 11.
    Xreg5 = "xreg5", "xreg5", [], ["OXM_OF_PKT_REG5"], 64, true, Hex;
    /// Register 6 of 64 bits: registers 12 and 13.
    Xreg6 = "xreg6", "xreg6", [], ["OXM_OF_PKT_REG6"], 64, true, Hex;
    /// Register 7 of 64 bits: registers 14 and 15.
    Xreg7 = "xreg7", "xreg7", [], ["OXM_OF_PKT_REG7"], 64, true, Hex;
    /// Register 0 of 128 bits: registers 0 to 3.
    Xxreg0 = "xxreg0", "xxreg0", [], ["NXM_NX_XXREG0"], 128, true, Hex;
    /// Register 1 of 128 bits: registers 4 to 7.
    Xxreg1 = "xxreg1", "xxreg1", [], ["NXM_NX_XXREG1"], 128, true, Hex;
    /// Register 2 of 128 bits: registers 8 to 11.
    Xxreg2 = "xxreg2", "xxreg2", [], ["NXM_NX_XXREG2"], 128, true, Hex;
    /// Register 3 of 128 bits: registers 12 to 15.
    Xxreg3 = "xxreg3", "xxreg3", [], ["NXM_NX_XXREG3"], 128, true, Hex;
    /// The Ethernet source.
    EthSrc = "eth_src", "dl_src", [], ["NXM_OF_ETH_SRC", "OXM_OF_ETH_SRC"], 48, true, Ethernet;
    /// The Ethernet destination.
    EthDst = "eth_dst", "dl_dst", [], ["NXM_OF_ETH_DST", "OXM_OF_ETH_DST"], 48, true, Ethernet;
    /// The Ethernet type.
    EthType = "eth_type", "dl_type", [], ["NXM_OF_ETH_TYPE", "OXM_OF_ETH_TYPE"], 16, false, Hex16;
    /// The VLAN tag: PCP 3 bits, CFI (set: there is a tag) 1 bit, VID 12 bits.
    VlanTci = "vlan_tci", "vlan_tci", [], ["NXM_OF_VLAN_TCI"], 16, true, Hex16;
    /// The VLAN id of a tagged packet; 0xffff: no tag.
    DlVlan = "dl_vlan", "dl_vlan", [], [], 12, false, Decimal;
    /// The VLAN id in its low 12 bits, and 0x1000 if there is a tag.
    VlanVid = "vlan_vid", "vlan_vid", [], ["OXM_OF_VLAN_VID"], 12, true, Decimal;
    /// The VLAN priority of a tagged packet.
    DlVlanPcp = "dl_vlan_pcp", "dl_vlan_pcp", [], [], 3, false, Decimal;
    /// The VLAN priority; needs a match on the VLAN id.
    VlanPcp = "vlan_pcp", "vlan_pcp", [], ["OXM_OF_VLAN_PCP"], 3, false, Decimal;
    /// The IPv4 source.
    IpSrc = "ip_src", "nw_src", [], ["NXM_OF_IP_SRC", "OXM_OF_IPV4_SRC"], 32, true, Ipv4;
    /// The IPv4 destination.
    IpDst = "ip_dst", "nw_dst", [], ["NXM_OF_IP_DST", "OXM_OF_IPV4_DST"], 32, true, Ipv4;
    /// The IPv6 source.
    Ipv6Src = "ipv6_src", "ipv6_src", [], ["NXM_NX_IPV6_SRC", "OXM_OF_IPV6_SRC"], 128, true, Ipv6;
    /// The IPv6 destination.
    Ipv6Dst = "ipv6_dst", "ipv6_dst", [], ["NXM_NX_IPV6_DST", "OXM_OF_IPV6_DST"], 128, true, Ipv6;
    /// The IP protocol, or the low byte of ARP's operation.
    IpProto = "nw_proto", "nw_proto", ["ip_proto"], ["NXM_OF_IP_PROTO", "OXM_OF_IP_PROTO"], 8, false, Decimal;
    /// The DSCP in the upper 6 bits of the traffic class.
    NwTos = "nw_tos", "nw_tos", [], ["NXM_OF_IP_TOS"], 8, false, Decimal;
    /// The ECN bits of the traffic class.
    NwEcn = "nw_ecn", "nw_ecn", ["ip_ecn"], ["NXM_NX_IP_ECN", "OXM_OF_IP_ECN"], 2, false, Decimal;
    /// The IPv4 TTL or IPv6 hop limit.
    NwTtl = "nw_ttl", "nw_ttl", [], ["NXM_NX_IP_TTL"], 8, false, Decimal;
    /// ARP's operation.
    ArpOp = "arp_op", "arp_op", [], ["NXM_OF_ARP_OP", "OXM_OF_ARP_OP"], 16, false, Decimal;
    /// ARP's sender IPv4 address.
    ArpSpa = "arp_spa", "arp_spa", [], ["NXM_OF_ARP_SPA", "OXM_OF_ARP_SPA"], 32, true, Ipv4;
    /// ARP's target IPv4 address.
    ArpTpa = "arp_tpa", "arp_tpa", [], ["NXM_OF_ARP_TPA", "OXM_OF_ARP_TPA"], 32, true, Ipv4;
    /// The TCP source port.
    TcpSrc = "tcp_src", "tp_src", [], ["NXM_OF_TCP_SRC", "OXM_OF_TCP_SRC"], 16, true, Decimal;
    /// The TCP destination port.
    TcpDst = "tcp_dst", "tp_dst", [], ["NXM_OF_TCP_DST", "OXM_OF_TCP_DST"], 16, true, Decimal;
    /// The UDP source port.
    UdpSrc = "udp_src", "tp_src", [], ["NXM_OF_UDP_SRC", "OXM_OF_UDP_SRC"], 16, true, Decimal;
    /// The UDP destination port.
    UdpDst = "udp_dst", "tp_dst", [], ["NXM_OF_UDP_DST", "OXM_OF_UDP_DST"], 16, true, Decimal;
    /// The SCTP source port.
    SctpSrc = "sctp_src", "tp_src", [], ["OXM_OF_SCTP_SRC"], 16, true, Decimal;
    /// The SCTP destination port.
    SctpDst = "sctp_dst", "tp_dst", [], ["OXM_OF_SCTP_DST"], 16, true, Decimal;
    /// The ICMP type.
    IcmpType = "icmp_type", "icmp_type", [], ["NXM_OF_ICMP_TYPE", "OXM_OF_ICMPV4_TYPE"], 8, false, Decimal;
    /// The ICMPv6 type.
    Icmpv6Type = "icmpv6_type", "icmp_type", [], ["NXM_NX_ICMPV6_TYPE", "OXM_OF_ICMPV6_TYPE"], 8, false, Decimal;
    /// The ICMP code.
    IcmpCode = "icmp_code", "icmp_code", [], ["NXM_OF_ICMP_CODE", "OXM_OF_ICMPV4_CODE"], 8, false, Decimal;
    /// The ICMPv6 code.
    Icmpv6Code = "icmpv6_code", "icmp_code", [], ["NXM_NX_ICMPV6_CODE", "OXM_OF_ICMPV6_CODE"], 8, false, Decimal;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_every_row_finds_its_row_or_the_one_it_is_shared_with() {
        for &field in Field::ALL {
            let info = field.info();
            let own = [info.name].into_iter().chain(info.aliases.iter().copied());
            for name in own.chain(info.headers.iter().copied()) {
                assert_eq!(Field::from_name(name), Some(field), "{name}");
            }
            let printed = Field::from_name(info.printed).map(|field| field.info().printed);
            assert_eq!(printed, Some(info.printed), "{field}");
        }
    }

    #[test]
    fn every_row_has_one_to_128_bits() {
        for &field in Field::ALL {
            assert!((1..=128).contains(&field.info().bits), "{field}");
        }
        assert_eq!(Field::DlVlanPcp.max(), 7);
        assert_eq!(Field::VlanVid.max(), 0x1fff);
        assert_eq!(Field::Xxreg0.max(), u128::MAX);
    }

    #[test]
    fn a_name_that_is_in_no_row_is_no_field() {
        assert_eq!(Field::from_name("reg99"), None);
        assert_eq!(Field::from_name(""), None);
    }
}
