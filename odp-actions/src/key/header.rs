//! Attributes that are a struct of fields: one row a field, in the order of the text.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_genl::nlattr::{EncodeError, Sink};

use super::MacAddr;
use super::format::{
    CountedPadding3, Dec8, Dec16, Format, Frag, Hex8, Hex16, Ip4, Ip6, Label, Mac, Net32, Padding2, Padding3,
    Reserved,
};
use super::list::List;
use super::payload::{Context, Payload};
use crate::text::ParseError;
use crate::text::lex::Lexer;

headers! {
    /// `struct ovs_key_ethernet`, 12 bytes.
    pub struct Ethernet {
        /// Source address.
        src: MacAddr, 0 Mac "src";
        /// Destination address.
        dst: MacAddr, 6 Mac "dst";
    }

    /// `struct ovs_key_ipv4`, 12 bytes.
    pub struct Ipv4 {
        /// Source address.
        src: Ipv4Addr, 0 Ip4 "src";
        /// Destination address.
        dst: Ipv4Addr, 4 Ip4 "dst";
        /// Protocol number.
        proto: u8, 8 Dec8 "proto";
        /// Type of service, ECN bits included.
        tos: u8, 9 Hex8 "tos";
        /// Time to live.
        ttl: u8, 10 Dec8 "ttl";
        /// `enum ovs_frag_type`: 0 not a fragment, 1 the first, 2 a later one. A mask is 0 or 255.
        frag: u8, 11 Frag "frag";
    }

    /// `struct ovs_key_ipv6`, 40 bytes.
    pub struct Ipv6 {
        /// Source address.
        src: Ipv6Addr, 0 Ip6 "src";
        /// Destination address.
        dst: Ipv6Addr, 16 Ip6 "dst";
        /// Flow label, 20 bits in a word in network byte order.
        label: u32, 32 Label "label";
        /// Number of the protocol behind the extension headers.
        proto: u8, 36 Dec8 "proto";
        /// Traffic class, ECN bits included.
        tclass: u8, 37 Hex8 "tclass";
        /// Hop limit.
        hlimit: u8, 38 Dec8 "hlimit";
        /// As [`Ipv4::frag`].
        frag: u8, 39 Frag "frag";
    }

    /// `struct ovs_key_tcp`, `ovs_key_udp` and `ovs_key_sctp`, 4 bytes in network byte order.
    pub struct Ports {
        /// Source port.
        src: u16, 0 Dec16 "src";
        /// Destination port.
        dst: u16, 2 Dec16 "dst";
    }

    /// `struct ovs_key_icmp` and `ovs_key_icmpv6`, 2 bytes. (`type` is a word of Rust.)
    pub struct Icmp {
        /// Type.
        kind: u8, 0 Dec8 "type";
        /// Code.
        code: u8, 1 Dec8 "code";
    }

    /// `struct ovs_key_arp`, 24 bytes.
    pub struct Arp {
        /// Sender's protocol address.
        sip: Ipv4Addr, 0 Ip4 "sip";
        /// Target's protocol address.
        tip: Ipv4Addr, 4 Ip4 "tip";
        /// Operation, in network byte order.
        op: u16, 8 Dec16 "op";
        /// Sender's hardware address.
        sha: MacAddr, 10 Mac "sha";
        /// Target's hardware address.
        tha: MacAddr, 16 Mac "tha";
        /// Padding inside the payload, zeros from everyone known.
        padding: [u8; 2], 22 Padding2;
    }

    /// `struct ovs_key_nd`, 28 bytes: Neighbour Discovery.
    pub struct Nd {
        /// Target address.
        target: Ipv6Addr, 0 Ip6 "target";
        /// Source link-layer address.
        sll: MacAddr, 16 Mac "sll";
        /// Target link-layer address.
        tll: MacAddr, 22 Mac "tll";
    }

    /// `struct ovs_key_nd_extensions`, 8 bytes, of Open vSwitch alone.
    pub struct NdExt {
        /// The reserved word of the message, in network byte order.
        reserved: u32, 0 Reserved "nd_reserved";
        /// Type of the option.
        options_type: u8, 4 Dec8 "nd_options_type";
        /// Padding inside the payload.
        padding: [u8; 3], 5 CountedPadding3;
    }

    /// `struct ovs_key_ct_tuple_ipv4`, 16 bytes: the original direction of a tracked connection.
    pub struct CtTuple4 {
        /// Source address.
        src: Ipv4Addr, 0 Ip4 "src";
        /// Destination address.
        dst: Ipv4Addr, 4 Ip4 "dst";
        /// Protocol number.
        proto: u8, 12 Dec8 "proto";
        /// Source port, in network byte order.
        src_port: u16, 8 Dec16 "tp_src";
        /// Destination port, in network byte order.
        dst_port: u16, 10 Dec16 "tp_dst";
        /// Padding inside the payload, zeros from everyone known.
        padding: [u8; 3], 13 Padding3;
    }

    /// `struct ovs_key_ct_tuple_ipv6`, 40 bytes. Open vSwitch reads its ports by other names than it prints.
    pub struct CtTuple6 {
        /// Source address.
        src: Ipv6Addr, 0 Ip6 "src";
        /// Destination address.
        dst: Ipv6Addr, 16 Ip6 "dst";
        /// Protocol number.
        proto: u8, 36 Dec8 "proto";
        /// Source port, in network byte order.
        src_port: u16, 32 Dec16 "src_port" or "tp_src";
        /// Destination port, in network byte order.
        dst_port: u16, 34 Dec16 "dst_port" or "tp_dst";
        /// Padding inside the payload, zeros from everyone known.
        padding: [u8; 3], 37 Padding3;
    }

    /// A packet type, 4 bytes in network byte order, of Open vSwitch alone.
    pub struct PacketType {
        /// Namespace: 0 ONF, 1 EtherTypes.
        ns: u16, 0 Dec16 "ns";
        /// Type in the namespace.
        id: u16, 2 Hex16 "id";
    }

    /// `struct ovs_nsh_key_base`, 8 bytes.
    pub struct NshBase {
        /// Flags.
        flags: u8, 0 Dec8 "flags";
        /// Time to live.
        ttl: u8, 1 Dec8 "ttl";
        /// Type of the metadata.
        mdtype: u8, 2 Dec8 "mdtype";
        /// Next protocol.
        np: u8, 3 Dec8 "np";
        /// Service path (24 bits) and service index (8 bits), in network byte order.
        path: u32, 4 Net32;
    }

    /// `struct ovs_nsh_key_md1`, 16 bytes: metadata of type 1, four words in network byte order.
    pub struct NshContext {
        /// First word.
        c1: u32, 0 Net32 "c1";
        /// Second word.
        c2: u32, 4 Net32 "c2";
        /// Third word.
        c3: u32, 8 Net32 "c3";
        /// Fourth word.
        c4: u32, 12 Net32 "c4";
    }

    /// `struct gtpu_metadata`, 2 bytes, of Open vSwitch alone.
    pub struct Gtpu {
        /// Flags of the GTP-U header.
        flags: u8, 0 Hex8 "flags";
        /// Message type.
        msgtype: u8, 1 Dec8 "msgtype";
    }
}
