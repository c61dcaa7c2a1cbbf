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
    /// The field's NXM and OXM headers, in the order of the header file. Empty: OpenFlow cannot
    /// say it.
    pub headers: &'static [FieldHeader],
    /// The length in bytes; of the `tun_metadata` fields the greatest one.
    pub bytes: u16,
    /// The width in bits, as a subfield counts them.
    pub bits: u16,
    /// Whether a match may have a mask.
    pub maskable: bool,
    /// How a value is written.
    pub format: Format,
    /// What else must be matched.
    pub prerequisite: Prerequisite,
    /// Whether an action may set the field.
    pub writable: bool,
}

/// A name and number of a field on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldHeader {
    /// The name, as `load` prints it.
    pub name: &'static str,
    /// The class: the upper 16 bits of the header.
    pub class: u16,
    /// The experimenter that follows the header of class 0xffff, else 0.
    pub experimenter: u32,
    /// The number in its class, of 7 bits.
    pub number: u8,
    /// The first minor version of OpenFlow 1 that has it; 0 for extensions.
    pub minor: u8,
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
    /// `0x00800`: always five digits.
    Hex20,
    /// `1f`: without the prefix.
    HexBare,
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
    /// `no`, `yes`, `first`, `later`, `not_later`.
    Frag,
    /// `+oam`.
    TunnelFlags,
    /// `+syn-ack`, or `syn|ack` for exactly these.
    TcpFlags,
    /// `(1,0x894f)`: the name space and the type in it.
    PacketType,
}

/// What a match on a field needs beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prerequisite {
    /// Nothing.
    None,
    /// An Ethernet packet, which is what there is unless `packet_type` says otherwise.
    Ethernet,
    /// A VLAN tag.
    Vlan,
    /// `mpls` or `mplsm`.
    Mpls,
    /// `ip`.
    Ipv4,
    /// `ipv6`.
    Ipv6,
    /// `ip` or `ipv6`.
    Ip,
    /// `arp` or `rarp`.
    Arp,
    /// `tcp` or `tcp6`.
    Tcp,
    /// `udp` or `udp6`.
    Udp,
    /// `sctp` or `sctp6`.
    Sctp,
    /// `icmp`.
    Icmpv4,
    /// `icmp6`.
    Icmpv6,
    /// `icmp6` with `icmp_type` 135 or 136, and `icmp_code=0`.
    Nd,
    /// `icmp6,icmp_type=135,icmp_code=0`.
    NdSolicit,
    /// `icmp6,icmp_type=136,icmp_code=0`.
    NdAdvert,
    /// `dl_type=0x894f`.
    Nsh,
    /// A `ct_state` with `+trk` and without `inv`.
    Ct,
}

/// What must be matched: `tcp or tcp6`.
impl fmt::Display for Prerequisite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Prerequisite::None => "nothing",
            Prerequisite::Ethernet => "an Ethernet packet",
            Prerequisite::Vlan => "a VLAN tag",
            Prerequisite::Mpls => "mpls or mplsm",
            Prerequisite::Ipv4 => "ip",
            Prerequisite::Ipv6 => "ipv6",
            Prerequisite::Ip => "ip or ipv6",
            Prerequisite::Arp => "arp or rarp",
            Prerequisite::Tcp => "tcp or tcp6",
            Prerequisite::Udp => "udp or udp6",
            Prerequisite::Sctp => "sctp or sctp6",
            Prerequisite::Icmpv4 => "icmp",
            Prerequisite::Icmpv6 => "icmp6",
            Prerequisite::Nd => "icmp6 with icmp_type=135 or 136 and icmp_code=0",
            Prerequisite::NdSolicit => "icmp6,icmp_type=135,icmp_code=0",
            Prerequisite::NdAdvert => "icmp6,icmp_type=136,icmp_code=0",
            Prerequisite::Nsh => "dl_type=0x894f",
            Prerequisite::Ct => "a ct_state with +trk",
        })
    }
}

/// Makes [`Field`] and its table from rows
/// `Variant = name, printed name, [aliases], [header class experimenter number minor],
/// bytes, bits, maskable, format, prerequisite, writable;`.
///
/// `EthSrc = "eth_src", "dl_src", [], ["NXM_OF_ETH_SRC" 0 0 2 0], 6, 48, true, Ethernet, Ethernet, true;`
/// becomes `Field::EthSrc` and `FieldInfo { name: "eth_src", printed: "dl_src", .. }` at its place
/// in `INFO`.
macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $printed:literal, [$($alias:literal),*],
       [$($header:literal $class:literal $experimenter:literal $number:literal $minor:literal),*],
       $bytes:literal, $bits:literal, $maskable:literal, $format:ident, $prerequisite:ident,
       $writable:literal;)*) => {
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
            pub const fn info(self) -> &'static FieldInfo {
                &INFO[self as usize]
            }
        }

        /// Every name with its field. Of the fields that share a name the first wins.
        pub(super) const SPELLINGS: &[(&str, Field)] = &[
            $(($name, Field::$variant),)*
            $(($printed, Field::$variant),)*
            $($(($alias, Field::$variant),)*)*
            $($(($header, Field::$variant),)*)*
        ];

        static INFO: [FieldInfo; Field::ALL.len()] = [$(FieldInfo {
            name: $name,
            printed: $printed,
            aliases: &[$($alias),*],
            headers: &[$(FieldHeader {
                name: $header,
                class: $class,
                experimenter: $experimenter,
                number: $number,
                minor: $minor,
            }),*],
            bytes: $bytes,
            bits: $bits,
            maskable: $maskable,
            format: Format::$format,
            prerequisite: Prerequisite::$prerequisite,
            writable: $writable,
        }),*];
    };
}

mod map;
mod names;
mod table;

pub(crate) use map::FieldMap;
pub(crate) use names::Spelling;
pub use table::Field;

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
        Field::from_bytes(name.as_bytes())
    }

    /// As [`from_name`](Self::from_name), of bytes.
    #[inline]
    pub(crate) fn from_bytes(name: &[u8]) -> Option<Self> {
        Spelling::of(name).map(Spelling::field)
    }

    /// The greatest value.
    pub(crate) fn max(self) -> u128 {
        match self {
            // 0xffff: no tag (`OFP_VLAN_NONE`).
            Field::DlVlan => 0xffff,
            // The bit above the id: there is a tag (`OFPVID12_PRESENT`).
            Field::VlanVid => 0x1fff,
            _ => u128::MAX >> 128_u32.saturating_sub(self.info().bits.into()),
        }
    }

    /// The greatest mask: Open vSwitch gives a field whole bytes.
    pub(crate) fn mask_max(self) -> u128 {
        u128::MAX >> 128_u32.saturating_sub(8 * u32::from(self.info().bytes))
    }
}

/// The name, as `set_field` prints it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_every_row_finds_its_row_or_the_one_it_is_shared_with() {
        for &field in Field::ALL {
            let info = field.info();
            let own = [info.name].into_iter().chain(info.aliases.iter().copied());
            for name in own.chain(info.headers.iter().map(|header| header.name)) {
                assert_eq!(Field::from_name(name), Some(field), "{name}");
                assert_eq!(Spelling::of(name.as_bytes()).map(Spelling::name), Some(name));
            }
            assert_eq!(Spelling::from(field).name(), info.name);
            assert_eq!(Spelling::of_header(field).field(), field);
            let printed = Field::from_name(info.printed).map(|field| field.info().printed);
            assert_eq!(printed, Some(info.printed), "{field}");
        }
    }

    #[test]
    fn every_row_has_one_to_128_bits_but_the_options_of_tunnels() {
        assert_eq!(Field::ALL.len(), 211);
        for &field in Field::ALL {
            let info = field.info();
            let wide = info.name.starts_with("tun_metadata");
            assert_eq!((1..=128).contains(&info.bits), !wide, "{field}");
            assert!(info.bits <= 8 * info.bytes, "{field}");
            assert!(info.headers.iter().all(|header| header.number < 128), "{field}");
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
