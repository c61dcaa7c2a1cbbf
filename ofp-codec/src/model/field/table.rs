//! The rows: `cargo xtask codegen` made them from xtask/data/ofp-fields.tsv. Source:
//! include/openvswitch/meta-flow.h of Open vSwitch.

use crate::model::field::{FieldHeader, FieldInfo, Format, Prerequisite};

fields! {
    /// `dp_hash`: 32 bits.
    DpHash = "dp_hash", "dp_hash", [], ["NXM_NX_DP_HASH" 0x0001 0x0 35 0, "NXOXM_ET_DP_HASH" 0xffff 0x2320 0 0], 4, 32, true, Hex, None, false;
    /// `recirc_id`: 32 bits.
    RecircId = "recirc_id", "recirc_id", [], ["NXM_NX_RECIRC_ID" 0x0001 0x0 36 0], 4, 32, false, Hex, None, false;
    /// `packet_type`: 32 bits.
    PacketType = "packet_type", "packet_type", [], ["OXM_OF_PACKET_TYPE" 0x8000 0x0 44 5], 4, 32, false, PacketType, None, false;
    /// `conj_id`: 32 bits.
    ConjId = "conj_id", "conj_id", [], ["NXM_NX_CONJ_ID" 0x0001 0x0 37 0], 4, 32, false, Decimal, None, false;
    /// `tun_id`, also `tunnel_id`: 64 bits.
    TunId = "tun_id", "tun_id", ["tunnel_id"], ["NXM_NX_TUN_ID" 0x0001 0x0 16 0, "OXM_OF_TUNNEL_ID" 0x8000 0x0 38 3], 8, 64, true, Hex, None, true;
    /// `tun_src`: 32 bits.
    TunSrc = "tun_src", "tun_src", [], ["NXM_NX_TUN_IPV4_SRC" 0x0001 0x0 31 0], 4, 32, true, Ipv4, None, true;
    /// `tun_dst`: 32 bits.
    TunDst = "tun_dst", "tun_dst", [], ["NXM_NX_TUN_IPV4_DST" 0x0001 0x0 32 0], 4, 32, true, Ipv4, None, true;
    /// `tun_ipv6_src`: 128 bits.
    TunIpv6Src = "tun_ipv6_src", "tun_ipv6_src", [], ["NXM_NX_TUN_IPV6_SRC" 0x0001 0x0 109 0], 16, 128, true, Ipv6, None, true;
    /// `tun_ipv6_dst`: 128 bits.
    TunIpv6Dst = "tun_ipv6_dst", "tun_ipv6_dst", [], ["NXM_NX_TUN_IPV6_DST" 0x0001 0x0 110 0], 16, 128, true, Ipv6, None, true;
    /// `tun_flags`: 1 bits.
    TunFlags = "tun_flags", "tun_flags", [], ["NXM_NX_TUN_FLAGS" 0x0001 0x0 104 0], 2, 1, true, TunnelFlags, None, true;
    /// `tun_ttl`: 8 bits.
    TunTtl = "tun_ttl", "tun_ttl", [], [], 1, 8, false, Decimal, None, false;
    /// `tun_tos`: 8 bits.
    TunTos = "tun_tos", "tun_tos", [], [], 1, 8, false, HexBare, None, false;
    /// `tun_gbp_id`: 16 bits.
    TunGbpId = "tun_gbp_id", "tun_gbp_id", [], ["NXM_NX_TUN_GBP_ID" 0x0001 0x0 38 0], 2, 16, true, Decimal, None, true;
    /// `tun_gbp_flags`: 8 bits.
    TunGbpFlags = "tun_gbp_flags", "tun_gbp_flags", [], ["NXM_NX_TUN_GBP_FLAGS" 0x0001 0x0 39 0], 1, 8, true, Hex, None, true;
    /// `tun_erspan_idx`: 20 bits.
    TunErspanIdx = "tun_erspan_idx", "tun_erspan_idx", [], ["NXOXM_ET_ERSPAN_IDX" 0xffff 0x2320 11 0], 4, 20, true, Hex, None, true;
    /// `tun_erspan_ver`: 4 bits.
    TunErspanVer = "tun_erspan_ver", "tun_erspan_ver", [], ["NXOXM_ET_ERSPAN_VER" 0xffff 0x2320 12 0], 1, 4, true, Decimal, None, true;
    /// `tun_erspan_dir`: 1 bits.
    TunErspanDir = "tun_erspan_dir", "tun_erspan_dir", [], ["NXOXM_ET_ERSPAN_DIR" 0xffff 0x2320 13 0], 1, 1, true, Decimal, None, true;
    /// `tun_erspan_hwid`: 6 bits.
    TunErspanHwid = "tun_erspan_hwid", "tun_erspan_hwid", [], ["NXOXM_ET_ERSPAN_HWID" 0xffff 0x2320 14 0], 1, 6, true, Hex, None, true;
    /// `tun_gtpu_flags`: 8 bits.
    TunGtpuFlags = "tun_gtpu_flags", "gtpu_flags", [], ["NXOXM_ET_GTPU_FLAGS" 0xffff 0x2320 15 0], 1, 8, true, Hex, None, false;
    /// `tun_gtpu_msgtype`: 8 bits.
    TunGtpuMsgtype = "tun_gtpu_msgtype", "gtpu_msgtype", [], ["NXOXM_ET_GTPU_MSGTYPE" 0xffff 0x2320 16 0], 1, 8, true, Decimal, None, false;
    /// `tun_metadata0`: 992 bits.
    TunMetadata0 = "tun_metadata0", "tun_metadata0", [], ["NXM_NX_TUN_METADATA0" 0x0001 0x0 40 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata1`: 992 bits.
    TunMetadata1 = "tun_metadata1", "tun_metadata1", [], ["NXM_NX_TUN_METADATA1" 0x0001 0x0 41 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata2`: 992 bits.
    TunMetadata2 = "tun_metadata2", "tun_metadata2", [], ["NXM_NX_TUN_METADATA2" 0x0001 0x0 42 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata3`: 992 bits.
    TunMetadata3 = "tun_metadata3", "tun_metadata3", [], ["NXM_NX_TUN_METADATA3" 0x0001 0x0 43 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata4`: 992 bits.
    TunMetadata4 = "tun_metadata4", "tun_metadata4", [], ["NXM_NX_TUN_METADATA4" 0x0001 0x0 44 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata5`: 992 bits.
    TunMetadata5 = "tun_metadata5", "tun_metadata5", [], ["NXM_NX_TUN_METADATA5" 0x0001 0x0 45 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata6`: 992 bits.
    TunMetadata6 = "tun_metadata6", "tun_metadata6", [], ["NXM_NX_TUN_METADATA6" 0x0001 0x0 46 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata7`: 992 bits.
    TunMetadata7 = "tun_metadata7", "tun_metadata7", [], ["NXM_NX_TUN_METADATA7" 0x0001 0x0 47 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata8`: 992 bits.
    TunMetadata8 = "tun_metadata8", "tun_metadata8", [], ["NXM_NX_TUN_METADATA8" 0x0001 0x0 48 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata9`: 992 bits.
    TunMetadata9 = "tun_metadata9", "tun_metadata9", [], ["NXM_NX_TUN_METADATA9" 0x0001 0x0 49 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata10`: 992 bits.
    TunMetadata10 = "tun_metadata10", "tun_metadata10", [], ["NXM_NX_TUN_METADATA10" 0x0001 0x0 50 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata11`: 992 bits.
    TunMetadata11 = "tun_metadata11", "tun_metadata11", [], ["NXM_NX_TUN_METADATA11" 0x0001 0x0 51 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata12`: 992 bits.
    TunMetadata12 = "tun_metadata12", "tun_metadata12", [], ["NXM_NX_TUN_METADATA12" 0x0001 0x0 52 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata13`: 992 bits.
    TunMetadata13 = "tun_metadata13", "tun_metadata13", [], ["NXM_NX_TUN_METADATA13" 0x0001 0x0 53 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata14`: 992 bits.
    TunMetadata14 = "tun_metadata14", "tun_metadata14", [], ["NXM_NX_TUN_METADATA14" 0x0001 0x0 54 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata15`: 992 bits.
    TunMetadata15 = "tun_metadata15", "tun_metadata15", [], ["NXM_NX_TUN_METADATA15" 0x0001 0x0 55 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata16`: 992 bits.
    TunMetadata16 = "tun_metadata16", "tun_metadata16", [], ["NXM_NX_TUN_METADATA16" 0x0001 0x0 56 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata17`: 992 bits.
    TunMetadata17 = "tun_metadata17", "tun_metadata17", [], ["NXM_NX_TUN_METADATA17" 0x0001 0x0 57 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata18`: 992 bits.
    TunMetadata18 = "tun_metadata18", "tun_metadata18", [], ["NXM_NX_TUN_METADATA18" 0x0001 0x0 58 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata19`: 992 bits.
    TunMetadata19 = "tun_metadata19", "tun_metadata19", [], ["NXM_NX_TUN_METADATA19" 0x0001 0x0 59 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata20`: 992 bits.
    TunMetadata20 = "tun_metadata20", "tun_metadata20", [], ["NXM_NX_TUN_METADATA20" 0x0001 0x0 60 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata21`: 992 bits.
    TunMetadata21 = "tun_metadata21", "tun_metadata21", [], ["NXM_NX_TUN_METADATA21" 0x0001 0x0 61 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata22`: 992 bits.
    TunMetadata22 = "tun_metadata22", "tun_metadata22", [], ["NXM_NX_TUN_METADATA22" 0x0001 0x0 62 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata23`: 992 bits.
    TunMetadata23 = "tun_metadata23", "tun_metadata23", [], ["NXM_NX_TUN_METADATA23" 0x0001 0x0 63 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata24`: 992 bits.
    TunMetadata24 = "tun_metadata24", "tun_metadata24", [], ["NXM_NX_TUN_METADATA24" 0x0001 0x0 64 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata25`: 992 bits.
    TunMetadata25 = "tun_metadata25", "tun_metadata25", [], ["NXM_NX_TUN_METADATA25" 0x0001 0x0 65 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata26`: 992 bits.
    TunMetadata26 = "tun_metadata26", "tun_metadata26", [], ["NXM_NX_TUN_METADATA26" 0x0001 0x0 66 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata27`: 992 bits.
    TunMetadata27 = "tun_metadata27", "tun_metadata27", [], ["NXM_NX_TUN_METADATA27" 0x0001 0x0 67 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata28`: 992 bits.
    TunMetadata28 = "tun_metadata28", "tun_metadata28", [], ["NXM_NX_TUN_METADATA28" 0x0001 0x0 68 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata29`: 992 bits.
    TunMetadata29 = "tun_metadata29", "tun_metadata29", [], ["NXM_NX_TUN_METADATA29" 0x0001 0x0 69 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata30`: 992 bits.
    TunMetadata30 = "tun_metadata30", "tun_metadata30", [], ["NXM_NX_TUN_METADATA30" 0x0001 0x0 70 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata31`: 992 bits.
    TunMetadata31 = "tun_metadata31", "tun_metadata31", [], ["NXM_NX_TUN_METADATA31" 0x0001 0x0 71 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata32`: 992 bits.
    TunMetadata32 = "tun_metadata32", "tun_metadata32", [], ["NXM_NX_TUN_METADATA32" 0x0001 0x0 72 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata33`: 992 bits.
    TunMetadata33 = "tun_metadata33", "tun_metadata33", [], ["NXM_NX_TUN_METADATA33" 0x0001 0x0 73 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata34`: 992 bits.
    TunMetadata34 = "tun_metadata34", "tun_metadata34", [], ["NXM_NX_TUN_METADATA34" 0x0001 0x0 74 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata35`: 992 bits.
    TunMetadata35 = "tun_metadata35", "tun_metadata35", [], ["NXM_NX_TUN_METADATA35" 0x0001 0x0 75 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata36`: 992 bits.
    TunMetadata36 = "tun_metadata36", "tun_metadata36", [], ["NXM_NX_TUN_METADATA36" 0x0001 0x0 76 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata37`: 992 bits.
    TunMetadata37 = "tun_metadata37", "tun_metadata37", [], ["NXM_NX_TUN_METADATA37" 0x0001 0x0 77 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata38`: 992 bits.
    TunMetadata38 = "tun_metadata38", "tun_metadata38", [], ["NXM_NX_TUN_METADATA38" 0x0001 0x0 78 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata39`: 992 bits.
    TunMetadata39 = "tun_metadata39", "tun_metadata39", [], ["NXM_NX_TUN_METADATA39" 0x0001 0x0 79 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata40`: 992 bits.
    TunMetadata40 = "tun_metadata40", "tun_metadata40", [], ["NXM_NX_TUN_METADATA40" 0x0001 0x0 80 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata41`: 992 bits.
    TunMetadata41 = "tun_metadata41", "tun_metadata41", [], ["NXM_NX_TUN_METADATA41" 0x0001 0x0 81 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata42`: 992 bits.
    TunMetadata42 = "tun_metadata42", "tun_metadata42", [], ["NXM_NX_TUN_METADATA42" 0x0001 0x0 82 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata43`: 992 bits.
    TunMetadata43 = "tun_metadata43", "tun_metadata43", [], ["NXM_NX_TUN_METADATA43" 0x0001 0x0 83 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata44`: 992 bits.
    TunMetadata44 = "tun_metadata44", "tun_metadata44", [], ["NXM_NX_TUN_METADATA44" 0x0001 0x0 84 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata45`: 992 bits.
    TunMetadata45 = "tun_metadata45", "tun_metadata45", [], ["NXM_NX_TUN_METADATA45" 0x0001 0x0 85 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata46`: 992 bits.
    TunMetadata46 = "tun_metadata46", "tun_metadata46", [], ["NXM_NX_TUN_METADATA46" 0x0001 0x0 86 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata47`: 992 bits.
    TunMetadata47 = "tun_metadata47", "tun_metadata47", [], ["NXM_NX_TUN_METADATA47" 0x0001 0x0 87 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata48`: 992 bits.
    TunMetadata48 = "tun_metadata48", "tun_metadata48", [], ["NXM_NX_TUN_METADATA48" 0x0001 0x0 88 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata49`: 992 bits.
    TunMetadata49 = "tun_metadata49", "tun_metadata49", [], ["NXM_NX_TUN_METADATA49" 0x0001 0x0 89 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata50`: 992 bits.
    TunMetadata50 = "tun_metadata50", "tun_metadata50", [], ["NXM_NX_TUN_METADATA50" 0x0001 0x0 90 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata51`: 992 bits.
    TunMetadata51 = "tun_metadata51", "tun_metadata51", [], ["NXM_NX_TUN_METADATA51" 0x0001 0x0 91 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata52`: 992 bits.
    TunMetadata52 = "tun_metadata52", "tun_metadata52", [], ["NXM_NX_TUN_METADATA52" 0x0001 0x0 92 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata53`: 992 bits.
    TunMetadata53 = "tun_metadata53", "tun_metadata53", [], ["NXM_NX_TUN_METADATA53" 0x0001 0x0 93 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata54`: 992 bits.
    TunMetadata54 = "tun_metadata54", "tun_metadata54", [], ["NXM_NX_TUN_METADATA54" 0x0001 0x0 94 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata55`: 992 bits.
    TunMetadata55 = "tun_metadata55", "tun_metadata55", [], ["NXM_NX_TUN_METADATA55" 0x0001 0x0 95 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata56`: 992 bits.
    TunMetadata56 = "tun_metadata56", "tun_metadata56", [], ["NXM_NX_TUN_METADATA56" 0x0001 0x0 96 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata57`: 992 bits.
    TunMetadata57 = "tun_metadata57", "tun_metadata57", [], ["NXM_NX_TUN_METADATA57" 0x0001 0x0 97 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata58`: 992 bits.
    TunMetadata58 = "tun_metadata58", "tun_metadata58", [], ["NXM_NX_TUN_METADATA58" 0x0001 0x0 98 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata59`: 992 bits.
    TunMetadata59 = "tun_metadata59", "tun_metadata59", [], ["NXM_NX_TUN_METADATA59" 0x0001 0x0 99 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata60`: 992 bits.
    TunMetadata60 = "tun_metadata60", "tun_metadata60", [], ["NXM_NX_TUN_METADATA60" 0x0001 0x0 100 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata61`: 992 bits.
    TunMetadata61 = "tun_metadata61", "tun_metadata61", [], ["NXM_NX_TUN_METADATA61" 0x0001 0x0 101 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata62`: 992 bits.
    TunMetadata62 = "tun_metadata62", "tun_metadata62", [], ["NXM_NX_TUN_METADATA62" 0x0001 0x0 102 0], 124, 992, true, Hex, None, true;
    /// `tun_metadata63`: 992 bits.
    TunMetadata63 = "tun_metadata63", "tun_metadata63", [], ["NXM_NX_TUN_METADATA63" 0x0001 0x0 103 0], 124, 992, true, Hex, None, true;
    /// `metadata`: 64 bits.
    Metadata = "metadata", "metadata", [], ["OXM_OF_METADATA" 0x8000 0x0 2 2], 8, 64, true, Hex, None, true;
    /// `in_port`: 16 bits.
    InPort = "in_port", "in_port", [], ["NXM_OF_IN_PORT" 0x0000 0x0 0 0], 2, 16, false, Port, None, true;
    /// `in_port_oxm`: 32 bits.
    InPortOxm = "in_port_oxm", "in_port", [], ["OXM_OF_IN_PORT" 0x8000 0x0 0 2], 4, 32, false, Port, None, true;
    /// `actset_output`: 32 bits.
    ActsetOutput = "actset_output", "actset_output", [], ["ONFOXM_ET_ACTSET_OUTPUT" 0xffff 0x4f4e4600 43 3, "OXM_OF_ACTSET_OUTPUT" 0x8000 0x0 43 5], 4, 32, false, Port, None, false;
    /// `skb_priority`: 32 bits.
    SkbPriority = "skb_priority", "skb_priority", [], [], 4, 32, false, Hex, None, false;
    /// `pkt_mark`: 32 bits.
    PktMark = "pkt_mark", "pkt_mark", [], ["NXM_NX_PKT_MARK" 0x0001 0x0 33 0], 4, 32, true, Hex, None, true;
    /// `ct_state`: 32 bits.
    CtState = "ct_state", "ct_state", [], ["NXM_NX_CT_STATE" 0x0001 0x0 105 0], 4, 32, true, CtState, None, false;
    /// `ct_zone`: 16 bits.
    CtZone = "ct_zone", "ct_zone", [], ["NXM_NX_CT_ZONE" 0x0001 0x0 106 0], 2, 16, false, Hex, None, false;
    /// `ct_mark`: 32 bits.
    CtMark = "ct_mark", "ct_mark", [], ["NXM_NX_CT_MARK" 0x0001 0x0 107 0], 4, 32, true, Hex, None, true;
    /// `ct_label`: 128 bits.
    CtLabel = "ct_label", "ct_label", [], ["NXM_NX_CT_LABEL" 0x0001 0x0 108 0], 16, 128, true, Hex, None, true;
    /// `ct_nw_proto`: 8 bits.
    CtNwProto = "ct_nw_proto", "ct_nw_proto", [], ["NXM_NX_CT_NW_PROTO" 0x0001 0x0 119 0], 1, 8, false, Decimal, Ct, false;
    /// `ct_nw_src`: 32 bits.
    CtNwSrc = "ct_nw_src", "ct_nw_src", [], ["NXM_NX_CT_NW_SRC" 0x0001 0x0 120 0], 4, 32, true, Ipv4, Ct, false;
    /// `ct_nw_dst`: 32 bits.
    CtNwDst = "ct_nw_dst", "ct_nw_dst", [], ["NXM_NX_CT_NW_DST" 0x0001 0x0 121 0], 4, 32, true, Ipv4, Ct, false;
    /// `ct_ipv6_src`: 128 bits.
    CtIpv6Src = "ct_ipv6_src", "ct_ipv6_src", [], ["NXM_NX_CT_IPV6_SRC" 0x0001 0x0 122 0], 16, 128, true, Ipv6, Ct, false;
    /// `ct_ipv6_dst`: 128 bits.
    CtIpv6Dst = "ct_ipv6_dst", "ct_ipv6_dst", [], ["NXM_NX_CT_IPV6_DST" 0x0001 0x0 123 0], 16, 128, true, Ipv6, Ct, false;
    /// `ct_tp_src`: 16 bits.
    CtTpSrc = "ct_tp_src", "ct_tp_src", [], ["NXM_NX_CT_TP_SRC" 0x0001 0x0 124 0], 2, 16, true, Decimal, Ct, false;
    /// `ct_tp_dst`: 16 bits.
    CtTpDst = "ct_tp_dst", "ct_tp_dst", [], ["NXM_NX_CT_TP_DST" 0x0001 0x0 125 0], 2, 16, true, Decimal, Ct, false;
    /// `reg0`: 32 bits.
    Reg0 = "reg0", "reg0", [], ["NXM_NX_REG0" 0x0001 0x0 0 0], 4, 32, true, Hex, None, true;
    /// `reg1`: 32 bits.
    Reg1 = "reg1", "reg1", [], ["NXM_NX_REG1" 0x0001 0x0 1 0], 4, 32, true, Hex, None, true;
    /// `reg2`: 32 bits.
    Reg2 = "reg2", "reg2", [], ["NXM_NX_REG2" 0x0001 0x0 2 0], 4, 32, true, Hex, None, true;
    /// `reg3`: 32 bits.
    Reg3 = "reg3", "reg3", [], ["NXM_NX_REG3" 0x0001 0x0 3 0], 4, 32, true, Hex, None, true;
    /// `reg4`: 32 bits.
    Reg4 = "reg4", "reg4", [], ["NXM_NX_REG4" 0x0001 0x0 4 0], 4, 32, true, Hex, None, true;
    /// `reg5`: 32 bits.
    Reg5 = "reg5", "reg5", [], ["NXM_NX_REG5" 0x0001 0x0 5 0], 4, 32, true, Hex, None, true;
    /// `reg6`: 32 bits.
    Reg6 = "reg6", "reg6", [], ["NXM_NX_REG6" 0x0001 0x0 6 0], 4, 32, true, Hex, None, true;
    /// `reg7`: 32 bits.
    Reg7 = "reg7", "reg7", [], ["NXM_NX_REG7" 0x0001 0x0 7 0], 4, 32, true, Hex, None, true;
    /// `reg8`: 32 bits.
    Reg8 = "reg8", "reg8", [], ["NXM_NX_REG8" 0x0001 0x0 8 0], 4, 32, true, Hex, None, true;
    /// `reg9`: 32 bits.
    Reg9 = "reg9", "reg9", [], ["NXM_NX_REG9" 0x0001 0x0 9 0], 4, 32, true, Hex, None, true;
    /// `reg10`: 32 bits.
    Reg10 = "reg10", "reg10", [], ["NXM_NX_REG10" 0x0001 0x0 10 0], 4, 32, true, Hex, None, true;
    /// `reg11`: 32 bits.
    Reg11 = "reg11", "reg11", [], ["NXM_NX_REG11" 0x0001 0x0 11 0], 4, 32, true, Hex, None, true;
    /// `reg12`: 32 bits.
    Reg12 = "reg12", "reg12", [], ["NXM_NX_REG12" 0x0001 0x0 12 0], 4, 32, true, Hex, None, true;
    /// `reg13`: 32 bits.
    Reg13 = "reg13", "reg13", [], ["NXM_NX_REG13" 0x0001 0x0 13 0], 4, 32, true, Hex, None, true;
    /// `reg14`: 32 bits.
    Reg14 = "reg14", "reg14", [], ["NXM_NX_REG14" 0x0001 0x0 14 0], 4, 32, true, Hex, None, true;
    /// `reg15`: 32 bits.
    Reg15 = "reg15", "reg15", [], ["NXM_NX_REG15" 0x0001 0x0 15 0], 4, 32, true, Hex, None, true;
    /// `reg16`: 32 bits.
    Reg16 = "reg16", "reg16", [], ["NXOXM_ET_REG16" 0xffff 0x2320 17 0], 4, 32, true, Hex, None, true;
    /// `reg17`: 32 bits.
    Reg17 = "reg17", "reg17", [], ["NXOXM_ET_REG17" 0xffff 0x2320 18 0], 4, 32, true, Hex, None, true;
    /// `reg18`: 32 bits.
    Reg18 = "reg18", "reg18", [], ["NXOXM_ET_REG18" 0xffff 0x2320 19 0], 4, 32, true, Hex, None, true;
    /// `reg19`: 32 bits.
    Reg19 = "reg19", "reg19", [], ["NXOXM_ET_REG19" 0xffff 0x2320 20 0], 4, 32, true, Hex, None, true;
    /// `reg20`: 32 bits.
    Reg20 = "reg20", "reg20", [], ["NXOXM_ET_REG20" 0xffff 0x2320 21 0], 4, 32, true, Hex, None, true;
    /// `reg21`: 32 bits.
    Reg21 = "reg21", "reg21", [], ["NXOXM_ET_REG21" 0xffff 0x2320 22 0], 4, 32, true, Hex, None, true;
    /// `reg22`: 32 bits.
    Reg22 = "reg22", "reg22", [], ["NXOXM_ET_REG22" 0xffff 0x2320 23 0], 4, 32, true, Hex, None, true;
    /// `reg23`: 32 bits.
    Reg23 = "reg23", "reg23", [], ["NXOXM_ET_REG23" 0xffff 0x2320 24 0], 4, 32, true, Hex, None, true;
    /// `reg24`: 32 bits.
    Reg24 = "reg24", "reg24", [], ["NXOXM_ET_REG24" 0xffff 0x2320 25 0], 4, 32, true, Hex, None, true;
    /// `reg25`: 32 bits.
    Reg25 = "reg25", "reg25", [], ["NXOXM_ET_REG25" 0xffff 0x2320 26 0], 4, 32, true, Hex, None, true;
    /// `reg26`: 32 bits.
    Reg26 = "reg26", "reg26", [], ["NXOXM_ET_REG26" 0xffff 0x2320 27 0], 4, 32, true, Hex, None, true;
    /// `reg27`: 32 bits.
    Reg27 = "reg27", "reg27", [], ["NXOXM_ET_REG27" 0xffff 0x2320 28 0], 4, 32, true, Hex, None, true;
    /// `reg28`: 32 bits.
    Reg28 = "reg28", "reg28", [], ["NXOXM_ET_REG28" 0xffff 0x2320 29 0], 4, 32, true, Hex, None, true;
    /// `reg29`: 32 bits.
    Reg29 = "reg29", "reg29", [], ["NXOXM_ET_REG29" 0xffff 0x2320 30 0], 4, 32, true, Hex, None, true;
    /// `reg30`: 32 bits.
    Reg30 = "reg30", "reg30", [], ["NXOXM_ET_REG30" 0xffff 0x2320 31 0], 4, 32, true, Hex, None, true;
    /// `reg31`: 32 bits.
    Reg31 = "reg31", "reg31", [], ["NXOXM_ET_REG31" 0xffff 0x2320 32 0], 4, 32, true, Hex, None, true;
    /// `xreg0`: 64 bits.
    Xreg0 = "xreg0", "xreg0", [], ["OXM_OF_PKT_REG0" 0x8001 0x0 0 3], 8, 64, true, Hex, None, true;
    /// `xreg1`: 64 bits.
    Xreg1 = "xreg1", "xreg1", [], ["OXM_OF_PKT_REG1" 0x8001 0x0 1 3], 8, 64, true, Hex, None, true;
    /// `xreg2`: 64 bits.
    Xreg2 = "xreg2", "xreg2", [], ["OXM_OF_PKT_REG2" 0x8001 0x0 2 3], 8, 64, true, Hex, None, true;
    /// `xreg3`: 64 bits.
    Xreg3 = "xreg3", "xreg3", [], ["OXM_OF_PKT_REG3" 0x8001 0x0 3 3], 8, 64, true, Hex, None, true;
    /// `xreg4`: 64 bits.
    Xreg4 = "xreg4", "xreg4", [], ["OXM_OF_PKT_REG4" 0x8001 0x0 4 3], 8, 64, true, Hex, None, true;
    /// `xreg5`: 64 bits.
    Xreg5 = "xreg5", "xreg5", [], ["OXM_OF_PKT_REG5" 0x8001 0x0 5 3], 8, 64, true, Hex, None, true;
    /// `xreg6`: 64 bits.
    Xreg6 = "xreg6", "xreg6", [], ["OXM_OF_PKT_REG6" 0x8001 0x0 6 3], 8, 64, true, Hex, None, true;
    /// `xreg7`: 64 bits.
    Xreg7 = "xreg7", "xreg7", [], ["OXM_OF_PKT_REG7" 0x8001 0x0 7 3], 8, 64, true, Hex, None, true;
    /// `xreg8`: 64 bits.
    Xreg8 = "xreg8", "xreg8", [], ["OXM_OF_PKT_REG8" 0x8001 0x0 8 3], 8, 64, true, Hex, None, true;
    /// `xreg9`: 64 bits.
    Xreg9 = "xreg9", "xreg9", [], ["OXM_OF_PKT_REG9" 0x8001 0x0 9 3], 8, 64, true, Hex, None, true;
    /// `xreg10`: 64 bits.
    Xreg10 = "xreg10", "xreg10", [], ["OXM_OF_PKT_REG10" 0x8001 0x0 10 3], 8, 64, true, Hex, None, true;
    /// `xreg11`: 64 bits.
    Xreg11 = "xreg11", "xreg11", [], ["OXM_OF_PKT_REG11" 0x8001 0x0 11 3], 8, 64, true, Hex, None, true;
    /// `xreg12`: 64 bits.
    Xreg12 = "xreg12", "xreg12", [], ["OXM_OF_PKT_REG12" 0x8001 0x0 12 3], 8, 64, true, Hex, None, true;
    /// `xreg13`: 64 bits.
    Xreg13 = "xreg13", "xreg13", [], ["OXM_OF_PKT_REG13" 0x8001 0x0 13 3], 8, 64, true, Hex, None, true;
    /// `xreg14`: 64 bits.
    Xreg14 = "xreg14", "xreg14", [], ["OXM_OF_PKT_REG14" 0x8001 0x0 14 3], 8, 64, true, Hex, None, true;
    /// `xreg15`: 64 bits.
    Xreg15 = "xreg15", "xreg15", [], ["OXM_OF_PKT_REG15" 0x8001 0x0 15 3], 8, 64, true, Hex, None, true;
    /// `xxreg0`: 128 bits.
    Xxreg0 = "xxreg0", "xxreg0", [], ["NXM_NX_XXREG0" 0x0001 0x0 111 0], 16, 128, true, Hex, None, true;
    /// `xxreg1`: 128 bits.
    Xxreg1 = "xxreg1", "xxreg1", [], ["NXM_NX_XXREG1" 0x0001 0x0 112 0], 16, 128, true, Hex, None, true;
    /// `xxreg2`: 128 bits.
    Xxreg2 = "xxreg2", "xxreg2", [], ["NXM_NX_XXREG2" 0x0001 0x0 113 0], 16, 128, true, Hex, None, true;
    /// `xxreg3`: 128 bits.
    Xxreg3 = "xxreg3", "xxreg3", [], ["NXM_NX_XXREG3" 0x0001 0x0 114 0], 16, 128, true, Hex, None, true;
    /// `xxreg4`: 128 bits.
    Xxreg4 = "xxreg4", "xxreg4", [], ["NXOXM_ET_XXREG4" 0xffff 0x2320 33 0], 16, 128, true, Hex, None, true;
    /// `xxreg5`: 128 bits.
    Xxreg5 = "xxreg5", "xxreg5", [], ["NXOXM_ET_XXREG5" 0xffff 0x2320 34 0], 16, 128, true, Hex, None, true;
    /// `xxreg6`: 128 bits.
    Xxreg6 = "xxreg6", "xxreg6", [], ["NXOXM_ET_XXREG6" 0xffff 0x2320 35 0], 16, 128, true, Hex, None, true;
    /// `xxreg7`: 128 bits.
    Xxreg7 = "xxreg7", "xxreg7", [], ["NXOXM_ET_XXREG7" 0xffff 0x2320 36 0], 16, 128, true, Hex, None, true;
    /// `eth_src`, also `dl_src`: 48 bits.
    EthSrc = "eth_src", "dl_src", [], ["NXM_OF_ETH_SRC" 0x0000 0x0 2 0, "OXM_OF_ETH_SRC" 0x8000 0x0 4 2], 6, 48, true, Ethernet, Ethernet, true;
    /// `eth_dst`, also `dl_dst`: 48 bits.
    EthDst = "eth_dst", "dl_dst", [], ["NXM_OF_ETH_DST" 0x0000 0x0 1 0, "OXM_OF_ETH_DST" 0x8000 0x0 3 2], 6, 48, true, Ethernet, Ethernet, true;
    /// `eth_type`, also `dl_type`: 16 bits.
    EthType = "eth_type", "dl_type", [], ["NXM_OF_ETH_TYPE" 0x0000 0x0 3 0, "OXM_OF_ETH_TYPE" 0x8000 0x0 5 2], 2, 16, false, Hex16, Ethernet, false;
    /// `vlan_tci`: 16 bits.
    VlanTci = "vlan_tci", "vlan_tci", [], ["NXM_OF_VLAN_TCI" 0x0000 0x0 4 0], 2, 16, true, Hex16, Ethernet, true;
    /// `dl_vlan`: 12 bits.
    DlVlan = "dl_vlan", "dl_vlan", [], [], 2, 12, false, Decimal, Ethernet, true;
    /// `vlan_vid`: 12 bits.
    VlanVid = "vlan_vid", "vlan_vid", [], ["OXM_OF_VLAN_VID" 0x8000 0x0 6 2], 2, 12, true, Decimal, Ethernet, true;
    /// `dl_vlan_pcp`: 3 bits.
    DlVlanPcp = "dl_vlan_pcp", "dl_vlan_pcp", [], [], 1, 3, false, Decimal, Ethernet, true;
    /// `vlan_pcp`: 3 bits.
    VlanPcp = "vlan_pcp", "vlan_pcp", [], ["OXM_OF_VLAN_PCP" 0x8000 0x0 7 2], 1, 3, false, Decimal, Vlan, true;
    /// `mpls_label`: 20 bits.
    MplsLabel = "mpls_label", "mpls_label", [], ["OXM_OF_MPLS_LABEL" 0x8000 0x0 34 2], 4, 20, false, Decimal, Mpls, true;
    /// `mpls_tc`: 3 bits.
    MplsTc = "mpls_tc", "mpls_tc", [], ["OXM_OF_MPLS_TC" 0x8000 0x0 35 2], 1, 3, false, Decimal, Mpls, true;
    /// `mpls_bos`: 1 bits.
    MplsBos = "mpls_bos", "mpls_bos", [], ["OXM_OF_MPLS_BOS" 0x8000 0x0 36 3], 1, 1, false, Decimal, Mpls, false;
    /// `mpls_ttl`: 8 bits.
    MplsTtl = "mpls_ttl", "mpls_ttl", [], ["NXM_NX_MPLS_TTL" 0x0001 0x0 30 0], 1, 8, false, Decimal, Mpls, true;
    /// `ip_src`, also `nw_src`: 32 bits.
    IpSrc = "ip_src", "nw_src", [], ["NXM_OF_IP_SRC" 0x0000 0x0 7 0, "OXM_OF_IPV4_SRC" 0x8000 0x0 11 2], 4, 32, true, Ipv4, Ipv4, true;
    /// `ip_dst`, also `nw_dst`: 32 bits.
    IpDst = "ip_dst", "nw_dst", [], ["NXM_OF_IP_DST" 0x0000 0x0 8 0, "OXM_OF_IPV4_DST" 0x8000 0x0 12 2], 4, 32, true, Ipv4, Ipv4, true;
    /// `ipv6_src`: 128 bits.
    Ipv6Src = "ipv6_src", "ipv6_src", [], ["NXM_NX_IPV6_SRC" 0x0001 0x0 19 0, "OXM_OF_IPV6_SRC" 0x8000 0x0 26 2], 16, 128, true, Ipv6, Ipv6, true;
    /// `ipv6_dst`: 128 bits.
    Ipv6Dst = "ipv6_dst", "ipv6_dst", [], ["NXM_NX_IPV6_DST" 0x0001 0x0 20 0, "OXM_OF_IPV6_DST" 0x8000 0x0 27 2], 16, 128, true, Ipv6, Ipv6, true;
    /// `ipv6_label`: 20 bits.
    Ipv6Label = "ipv6_label", "ipv6_label", [], ["NXM_NX_IPV6_LABEL" 0x0001 0x0 27 0, "OXM_OF_IPV6_FLABEL" 0x8000 0x0 28 2], 4, 20, true, Hex20, Ipv6, true;
    /// `nw_proto`, also `ip_proto`: 8 bits.
    IpProto = "nw_proto", "nw_proto", ["ip_proto"], ["NXM_OF_IP_PROTO" 0x0000 0x0 6 0, "OXM_OF_IP_PROTO" 0x8000 0x0 10 2], 1, 8, false, Decimal, Ip, false;
    /// `nw_tos`: 8 bits.
    NwTos = "nw_tos", "nw_tos", [], ["NXM_OF_IP_TOS" 0x0000 0x0 5 0], 1, 8, false, Decimal, Ip, true;
    /// `ip_dscp`: 6 bits.
    IpDscp = "ip_dscp", "ip_dscp", [], ["OXM_OF_IP_DSCP" 0x8000 0x0 8 2], 1, 6, false, Decimal, Ip, true;
    /// `nw_ecn`, also `ip_ecn`: 2 bits.
    NwEcn = "nw_ecn", "nw_ecn", ["ip_ecn"], ["NXM_NX_IP_ECN" 0x0001 0x0 28 0, "OXM_OF_IP_ECN" 0x8000 0x0 9 2], 1, 2, false, Decimal, Ip, true;
    /// `nw_ttl`: 8 bits.
    NwTtl = "nw_ttl", "nw_ttl", [], ["NXM_NX_IP_TTL" 0x0001 0x0 29 0], 1, 8, false, Decimal, Ip, true;
    /// `ip_frag`, also `nw_frag`: 2 bits.
    IpFrag = "ip_frag", "nw_frag", [], ["NXM_NX_IP_FRAG" 0x0001 0x0 26 0], 1, 2, true, Frag, Ip, false;
    /// `arp_op`: 16 bits.
    ArpOp = "arp_op", "arp_op", [], ["NXM_OF_ARP_OP" 0x0000 0x0 15 0, "OXM_OF_ARP_OP" 0x8000 0x0 21 2], 2, 16, false, Decimal, Arp, true;
    /// `arp_spa`: 32 bits.
    ArpSpa = "arp_spa", "arp_spa", [], ["NXM_OF_ARP_SPA" 0x0000 0x0 16 0, "OXM_OF_ARP_SPA" 0x8000 0x0 22 2], 4, 32, true, Ipv4, Arp, true;
    /// `arp_tpa`: 32 bits.
    ArpTpa = "arp_tpa", "arp_tpa", [], ["NXM_OF_ARP_TPA" 0x0000 0x0 17 0, "OXM_OF_ARP_TPA" 0x8000 0x0 23 2], 4, 32, true, Ipv4, Arp, true;
    /// `arp_sha`: 48 bits.
    ArpSha = "arp_sha", "arp_sha", [], ["NXM_NX_ARP_SHA" 0x0001 0x0 17 0, "OXM_OF_ARP_SHA" 0x8000 0x0 24 2], 6, 48, true, Ethernet, Arp, true;
    /// `arp_tha`: 48 bits.
    ArpTha = "arp_tha", "arp_tha", [], ["NXM_NX_ARP_THA" 0x0001 0x0 18 0, "OXM_OF_ARP_THA" 0x8000 0x0 25 2], 6, 48, true, Ethernet, Arp, true;
    /// `tcp_src`, also `tp_src`: 16 bits.
    TcpSrc = "tcp_src", "tp_src", [], ["NXM_OF_TCP_SRC" 0x0000 0x0 9 0, "OXM_OF_TCP_SRC" 0x8000 0x0 13 2], 2, 16, true, Decimal, Tcp, true;
    /// `tcp_dst`, also `tp_dst`: 16 bits.
    TcpDst = "tcp_dst", "tp_dst", [], ["NXM_OF_TCP_DST" 0x0000 0x0 10 0, "OXM_OF_TCP_DST" 0x8000 0x0 14 2], 2, 16, true, Decimal, Tcp, true;
    /// `tcp_flags`: 12 bits.
    TcpFlags = "tcp_flags", "tcp_flags", [], ["NXM_NX_TCP_FLAGS" 0x0001 0x0 34 0, "ONFOXM_ET_TCP_FLAGS" 0xffff 0x4f4e4600 42 3, "OXM_OF_TCP_FLAGS" 0x8000 0x0 42 5], 2, 12, true, TcpFlags, Tcp, false;
    /// `udp_src`: 16 bits.
    UdpSrc = "udp_src", "tp_src", [], ["NXM_OF_UDP_SRC" 0x0000 0x0 11 0, "OXM_OF_UDP_SRC" 0x8000 0x0 15 2], 2, 16, true, Decimal, Udp, true;
    /// `udp_dst`: 16 bits.
    UdpDst = "udp_dst", "tp_dst", [], ["NXM_OF_UDP_DST" 0x0000 0x0 12 0, "OXM_OF_UDP_DST" 0x8000 0x0 16 2], 2, 16, true, Decimal, Udp, true;
    /// `sctp_src`: 16 bits.
    SctpSrc = "sctp_src", "tp_src", [], ["OXM_OF_SCTP_SRC" 0x8000 0x0 17 2], 2, 16, true, Decimal, Sctp, true;
    /// `sctp_dst`: 16 bits.
    SctpDst = "sctp_dst", "tp_dst", [], ["OXM_OF_SCTP_DST" 0x8000 0x0 18 2], 2, 16, true, Decimal, Sctp, true;
    /// `icmp_type`: 8 bits.
    IcmpType = "icmp_type", "icmp_type", [], ["NXM_OF_ICMP_TYPE" 0x0000 0x0 13 0, "OXM_OF_ICMPV4_TYPE" 0x8000 0x0 19 2], 1, 8, false, Decimal, Icmpv4, true;
    /// `icmp_code`: 8 bits.
    IcmpCode = "icmp_code", "icmp_code", [], ["NXM_OF_ICMP_CODE" 0x0000 0x0 14 0, "OXM_OF_ICMPV4_CODE" 0x8000 0x0 20 2], 1, 8, false, Decimal, Icmpv4, true;
    /// `icmpv6_type`: 8 bits.
    Icmpv6Type = "icmpv6_type", "icmp_type", [], ["NXM_NX_ICMPV6_TYPE" 0x0001 0x0 21 0, "OXM_OF_ICMPV6_TYPE" 0x8000 0x0 29 2], 1, 8, false, Decimal, Icmpv6, true;
    /// `icmpv6_code`: 8 bits.
    Icmpv6Code = "icmpv6_code", "icmp_code", [], ["NXM_NX_ICMPV6_CODE" 0x0001 0x0 22 0, "OXM_OF_ICMPV6_CODE" 0x8000 0x0 30 2], 1, 8, false, Decimal, Icmpv6, true;
    /// `nd_target`: 128 bits.
    NdTarget = "nd_target", "nd_target", [], ["NXM_NX_ND_TARGET" 0x0001 0x0 23 0, "OXM_OF_IPV6_ND_TARGET" 0x8000 0x0 31 2], 16, 128, true, Ipv6, Nd, true;
    /// `nd_sll`: 48 bits.
    NdSll = "nd_sll", "nd_sll", [], ["NXM_NX_ND_SLL" 0x0001 0x0 24 0, "OXM_OF_IPV6_ND_SLL" 0x8000 0x0 32 2], 6, 48, true, Ethernet, NdSolicit, true;
    /// `nd_tll`: 48 bits.
    NdTll = "nd_tll", "nd_tll", [], ["NXM_NX_ND_TLL" 0x0001 0x0 25 0, "OXM_OF_IPV6_ND_TLL" 0x8000 0x0 33 2], 6, 48, true, Ethernet, NdAdvert, true;
    /// `nd_reserved`: 32 bits.
    NdReserved = "nd_reserved", "nd_reserved", [], ["ERICOXM_OF_ICMPV6_ND_RESERVED" 0x1000 0x0 1 0], 4, 32, false, Decimal, Nd, true;
    /// `nd_options_type`: 8 bits.
    NdOptionsType = "nd_options_type", "nd_options_type", [], ["ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE" 0x1000 0x0 2 0], 1, 8, false, Decimal, Nd, true;
    /// `nsh_flags`: 8 bits.
    NshFlags = "nsh_flags", "nsh_flags", [], ["NXOXM_NSH_FLAGS" 0xffff 0x5ad650 1 0], 1, 8, true, Decimal, Nsh, true;
    /// `nsh_mdtype`: 8 bits.
    NshMdtype = "nsh_mdtype", "nsh_mdtype", [], ["NXOXM_NSH_MDTYPE" 0xffff 0x5ad650 2 0], 1, 8, false, Decimal, Nsh, false;
    /// `nsh_np`: 8 bits.
    NshNp = "nsh_np", "nsh_np", [], ["NXOXM_NSH_NP" 0xffff 0x5ad650 3 0], 1, 8, false, Decimal, Nsh, false;
    /// `nsh_spi`, also `nsp`: 24 bits.
    NshSpi = "nsh_spi", "nsh_spi", ["nsp"], ["NXOXM_NSH_SPI" 0xffff 0x5ad650 4 0], 4, 24, false, Hex, Nsh, true;
    /// `nsh_si`, also `nsi`: 8 bits.
    NshSi = "nsh_si", "nsh_si", ["nsi"], ["NXOXM_NSH_SI" 0xffff 0x5ad650 5 0], 1, 8, false, Decimal, Nsh, true;
    /// `nsh_c1`, also `nshc1`: 32 bits.
    NshC1 = "nsh_c1", "nsh_c1", ["nshc1"], ["NXOXM_NSH_C1" 0xffff 0x5ad650 6 0], 4, 32, true, Hex, Nsh, true;
    /// `nsh_c2`, also `nshc2`: 32 bits.
    NshC2 = "nsh_c2", "nsh_c2", ["nshc2"], ["NXOXM_NSH_C2" 0xffff 0x5ad650 7 0], 4, 32, true, Hex, Nsh, true;
    /// `nsh_c3`, also `nshc3`: 32 bits.
    NshC3 = "nsh_c3", "nsh_c3", ["nshc3"], ["NXOXM_NSH_C3" 0xffff 0x5ad650 8 0], 4, 32, true, Hex, Nsh, true;
    /// `nsh_c4`, also `nshc4`: 32 bits.
    NshC4 = "nsh_c4", "nsh_c4", ["nshc4"], ["NXOXM_NSH_C4" 0xffff 0x5ad650 9 0], 4, 32, true, Hex, Nsh, true;
    /// `nsh_ttl`: 8 bits.
    NshTtl = "nsh_ttl", "nsh_ttl", [], ["NXOXM_NSH_TTL" 0xffff 0x5ad650 10 0], 1, 8, false, Decimal, Nsh, true;
}
