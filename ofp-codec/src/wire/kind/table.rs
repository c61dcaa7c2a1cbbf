//! The rows: `cargo xtask codegen` made them from xtask/data/ofp-messages.tsv. Source:
//! include/openvswitch/ofp-msgs.h of Open vSwitch.

use crate::{
    model::version::Version,
    wire::kind::{Form, NXST, NXT, OFPST, OFPT, ONFST, ONFT},
};

messages! {
    /// `HELLO`: hello.
    Hello = "HELLO", [(OFPT 1 255 0 0 1)];
    /// `ERROR`: error.
    Error = "ERROR", [(OFPT 1 255 1 4 1)];
    /// `ECHO_REQUEST`: echo request.
    EchoRequest = "ECHO_REQUEST", [(OFPT 1 255 2 0 1)];
    /// `ECHO_REPLY`: echo reply.
    EchoReply = "ECHO_REPLY", [(OFPT 1 255 3 0 1)];
    /// `FEATURES_REQUEST`: features request.
    FeaturesRequest = "FEATURES_REQUEST", [(OFPT 1 6 5 0 0)];
    /// `FEATURES_REPLY`: features reply.
    FeaturesReply = "FEATURES_REPLY", [(OFPT 1 1 6 24 48), (OFPT 2 3 6 24 64), (OFPT 4 6 6 24 0)];
    /// `GET_CONFIG_REQUEST`: get config request.
    GetConfigRequest = "GET_CONFIG_REQUEST", [(OFPT 1 6 7 0 0)];
    /// `GET_CONFIG_REPLY`: get config reply.
    GetConfigReply = "GET_CONFIG_REPLY", [(OFPT 1 6 8 4 0)];
    /// `SET_CONFIG`: set config.
    SetConfig = "SET_CONFIG", [(OFPT 1 6 9 4 0)];
    /// `PACKET_IN`: packet in.
    PacketIn = "PACKET_IN", [(OFPT 1 1 10 10 1), (OFPT 2 2 10 16 1), (OFPT 3 3 10 8 1), (OFPT 4 6 10 16 1), (NXT 1 6 17 24 1)];
    /// `PACKET_IN2`: packet in2.
    PacketIn2 = "PACKET_IN2", [(NXT 1 6 30 0 8)];
    /// `FLOW_REMOVED`: flow removed.
    FlowRemoved = "FLOW_REMOVED", [(OFPT 1 1 11 80 0), (OFPT 2 5 11 40 8), (OFPT 6 6 11 16 8), (NXT 1 6 14 40 8)];
    /// `PORT_STATUS`: port status.
    PortStatus = "PORT_STATUS", [(OFPT 1 1 12 56 0), (OFPT 2 4 12 72 0), (OFPT 5 6 12 48 8)];
    /// `PACKET_OUT`: packet out.
    PacketOut = "PACKET_OUT", [(OFPT 1 1 13 8 1), (OFPT 2 5 13 16 1), (OFPT 6 6 13 8 1)];
    /// `FLOW_MOD`: flow mod.
    FlowMod = "FLOW_MOD", [(OFPT 1 1 14 64 8), (OFPT 2 6 14 40 8), (NXT 1 6 13 32 8)];
    /// `GROUP_MOD`: group mod.
    GroupMod = "GROUP_MOD", [(NXT 1 1 31 16 8), (OFPT 2 5 15 8 8), (OFPT 6 6 15 16 8)];
    /// `PORT_MOD`: port mod.
    PortMod = "PORT_MOD", [(OFPT 1 1 15 24 0), (OFPT 2 4 16 32 0), (OFPT 5 6 16 24 8)];
    /// `TABLE_MOD`: table mod.
    TableMod = "TABLE_MOD", [(OFPT 2 4 17 8 0), (OFPT 5 6 17 8 8)];
    /// `BARRIER_REQUEST`: barrier request.
    BarrierRequest = "BARRIER_REQUEST", [(OFPT 1 1 18 0 0), (OFPT 2 6 20 0 0)];
    /// `BARRIER_REPLY`: barrier reply.
    BarrierReply = "BARRIER_REPLY", [(OFPT 1 1 19 0 0), (OFPT 2 6 21 0 0)];
    /// `QUEUE_GET_CONFIG_REQUEST`: queue get config request.
    QueueGetConfigRequest = "QUEUE_GET_CONFIG_REQUEST", [(OFPT 1 1 20 4 0), (OFPT 2 4 22 8 0)];
    /// `QUEUE_GET_CONFIG_REPLY`: queue get config reply.
    QueueGetConfigReply = "QUEUE_GET_CONFIG_REPLY", [(OFPT 1 1 21 8 8), (OFPT 2 4 23 8 8)];
    /// `ROLE_REQUEST`: role request.
    RoleRequest = "ROLE_REQUEST", [(OFPT 3 6 24 16 0), (NXT 1 6 10 4 0)];
    /// `ROLE_REPLY`: role reply.
    RoleReply = "ROLE_REPLY", [(OFPT 3 6 25 16 0), (NXT 1 6 11 4 0)];
    /// `GET_ASYNC_REQUEST`: get async request.
    GetAsyncRequest = "GET_ASYNC_REQUEST", [(OFPT 4 4 26 0 0), (OFPT 5 6 26 0 0)];
    /// `GET_ASYNC_REPLY`: get async reply.
    GetAsyncReply = "GET_ASYNC_REPLY", [(OFPT 4 4 27 24 0), (OFPT 5 6 27 0 8)];
    /// `SET_ASYNC`: set async.
    SetAsync = "SET_ASYNC", [(OFPT 4 4 28 24 0), (OFPT 5 6 28 0 8)];
    /// `SET_ASYNC_CONFIG`: set async config.
    SetAsyncConfig = "SET_ASYNC_CONFIG", [(NXT 1 6 19 24 0)];
    /// `SET_ASYNC_CONFIG2`: set async config2.
    SetAsyncConfig2 = "SET_ASYNC_CONFIG2", [(NXT 1 4 27 0 8)];
    /// `METER_MOD`: meter mod.
    MeterMod = "METER_MOD", [(OFPT 4 6 29 8 8)];
    /// `ROLE_STATUS`: role status.
    RoleStatus = "ROLE_STATUS", [(ONFT 4 4 1911 16 8), (OFPT 5 6 30 16 8)];
    /// `TABLE_STATUS`: table status.
    TableStatus = "TABLE_STATUS", [(OFPT 5 6 31 8 8)];
    /// `REQUESTFORWARD`: requestforward.
    Requestforward = "REQUESTFORWARD", [(NXT 1 3 132 8 8), (ONFT 4 4 2350 8 8), (OFPT 5 6 32 8 8)];
    /// `BUNDLE_CONTROL`: bundle control.
    BundleControl = "BUNDLE_CONTROL", [(OFPT 5 6 33 8 8), (ONFT 4 4 2300 8 8)];
    /// `BUNDLE_ADD_MESSAGE`: bundle add message.
    BundleAddMessage = "BUNDLE_ADD_MESSAGE", [(OFPT 5 6 34 8 1), (ONFT 4 4 2301 8 1)];
    /// `DESC_REQUEST`: desc request.
    DescRequest = "DESC_REQUEST", [(OFPST 1 6 0 0 0)];
    /// `DESC_REPLY`: desc reply.
    DescReply = "DESC_REPLY", [(OFPST 1 6 0 1056 0)];
    /// `FLOW_REQUEST`: flow request.
    FlowRequest = "FLOW_REQUEST", [(OFPST 1 1 1 44 0), (OFPST 2 6 1 32 8), (NXST 1 1 0 8 8)];
    /// `FLOW_REPLY`: flow reply.
    FlowReply = "FLOW_REPLY", [(OFPST 1 1 1 0 1), (OFPST 2 3 1 0 1), (OFPST 4 5 1 0 1), (OFPST 6 6 1 0 1), (NXST 1 1 0 0 1)];
    /// `AGGREGATE_REQUEST`: aggregate request.
    AggregateRequest = "AGGREGATE_REQUEST", [(OFPST 1 1 2 44 0), (OFPST 2 5 2 32 8), (OFPST 6 6 2 32 8), (NXST 1 1 1 8 8)];
    /// `AGGREGATE_REPLY`: aggregate reply.
    AggregateReply = "AGGREGATE_REPLY", [(OFPST 1 5 2 24 0), (OFPST 6 6 2 0 1), (NXST 1 1 1 24 0)];
    /// `TABLE_REQUEST`: table request.
    TableRequest = "TABLE_REQUEST", [(OFPST 1 6 3 0 0)];
    /// `TABLE_REPLY`: table reply.
    TableReply = "TABLE_REPLY", [(OFPST 1 1 3 0 64), (OFPST 2 2 3 0 88), (OFPST 3 3 3 0 128), (OFPST 4 6 3 0 24)];
    /// `PORT_REQUEST`: port request.
    PortRequest = "PORT_REQUEST", [(OFPST 1 1 4 8 0), (OFPST 2 6 4 8 0)];
    /// `PORT_REPLY`: port reply.
    PortReply = "PORT_REPLY", [(OFPST 1 1 4 0 104), (OFPST 2 3 4 0 104), (OFPST 4 4 4 0 112), (OFPST 5 6 4 0 8)];
    /// `QUEUE_REQUEST`: queue request.
    QueueRequest = "QUEUE_REQUEST", [(OFPST 1 1 5 8 0), (OFPST 2 6 5 8 0)];
    /// `QUEUE_REPLY`: queue reply.
    QueueReply = "QUEUE_REPLY", [(OFPST 1 1 5 0 32), (OFPST 2 3 5 0 32), (OFPST 4 4 5 0 40), (OFPST 5 6 5 0 8)];
    /// `GROUP_REQUEST`: group request.
    GroupRequest = "GROUP_REQUEST", [(NXST 1 1 7 8 0), (OFPST 2 6 6 8 0)];
    /// `GROUP_REPLY`: group reply.
    GroupReply = "GROUP_REPLY", [(NXST 1 1 7 0 8), (OFPST 2 3 6 0 8), (OFPST 4 6 6 0 8)];
    /// `GROUP_DESC_REQUEST`: group desc request.
    GroupDescRequest = "GROUP_DESC_REQUEST", [(NXST 1 1 8 8 0), (OFPST 2 5 7 0 0), (OFPST 6 6 7 8 0)];
    /// `GROUP_DESC_REPLY`: group desc reply.
    GroupDescReply = "GROUP_DESC_REPLY", [(NXST 1 1 8 0 8), (OFPST 2 6 7 0 8)];
    /// `GROUP_FEATURES_REQUEST`: group features request.
    GroupFeaturesRequest = "GROUP_FEATURES_REQUEST", [(NXST 1 2 9 0 0), (OFPST 3 6 8 0 0)];
    /// `GROUP_FEATURES_REPLY`: group features reply.
    GroupFeaturesReply = "GROUP_FEATURES_REPLY", [(NXST 1 2 9 40 0), (OFPST 3 6 8 40 0)];
    /// `METER_REQUEST`: meter request.
    MeterRequest = "METER_REQUEST", [(OFPST 4 6 9 8 0)];
    /// `METER_REPLY`: meter reply.
    MeterReply = "METER_REPLY", [(OFPST 4 6 9 0 8)];
    /// `METER_CONFIG_REQUEST`: meter config request.
    MeterConfigRequest = "METER_CONFIG_REQUEST", [(OFPST 4 6 10 8 0)];
    /// `METER_CONFIG_REPLY`: meter config reply.
    MeterConfigReply = "METER_CONFIG_REPLY", [(OFPST 4 6 10 0 8)];
    /// `METER_FEATURES_REQUEST`: meter features request.
    MeterFeaturesRequest = "METER_FEATURES_REQUEST", [(OFPST 4 6 11 0 0)];
    /// `METER_FEATURES_REPLY`: meter features reply.
    MeterFeaturesReply = "METER_FEATURES_REPLY", [(OFPST 4 6 11 16 0)];
    /// `TABLE_FEATURES_REQUEST`: table features request.
    TableFeaturesRequest = "TABLE_FEATURES_REQUEST", [(OFPST 4 6 12 0 8)];
    /// `TABLE_FEATURES_REPLY`: table features reply.
    TableFeaturesReply = "TABLE_FEATURES_REPLY", [(OFPST 4 6 12 64 8)];
    /// `TABLE_DESC_REQUEST`: table desc request.
    TableDescRequest = "TABLE_DESC_REQUEST", [(OFPST 5 6 14 0 0)];
    /// `TABLE_DESC_REPLY`: table desc reply.
    TableDescReply = "TABLE_DESC_REPLY", [(OFPST 5 6 14 8 8)];
    /// `PORT_DESC_REQUEST`: port desc request.
    PortDescRequest = "PORT_DESC_REQUEST", [(OFPST 1 5 13 0 0), (OFPST 6 6 13 8 0)];
    /// `PORT_DESC_REPLY`: port desc reply.
    PortDescReply = "PORT_DESC_REPLY", [(OFPST 1 1 13 0 48), (OFPST 2 4 13 0 64), (OFPST 5 6 13 0 8)];
    /// `QUEUE_DESC_REQUEST`: queue desc request.
    QueueDescRequest = "QUEUE_DESC_REQUEST", [(OFPST 5 6 15 8 0)];
    /// `QUEUE_DESC_REPLY`: queue desc reply.
    QueueDescReply = "QUEUE_DESC_REPLY", [(OFPST 5 6 15 0 8)];
    /// `FLOW_MONITOR_REQUEST`: flow monitor request.
    FlowMonitorRequest = "FLOW_MONITOR_REQUEST", [(OFPST 5 6 16 0 8), (ONFST 4 4 1870 0 8), (NXST 1 3 2 0 8)];
    /// `FLOW_MONITOR_REPLY`: flow monitor reply.
    FlowMonitorReply = "FLOW_MONITOR_REPLY", [(OFPST 5 6 16 0 8), (ONFST 4 4 1870 0 8), (NXST 1 3 2 0 8)];
    /// `FLOW_MONITOR_CANCEL`: flow monitor cancel.
    FlowMonitorCancel = "FLOW_MONITOR_CANCEL", [(ONFT 4 4 1870 4 0), (NXT 1 3 21 4 0)];
    /// `FLOW_MONITOR_PAUSED`: flow monitor paused.
    FlowMonitorPaused = "FLOW_MONITOR_PAUSED", [(ONFT 4 4 1871 0 0), (NXT 1 3 22 0 0)];
    /// `FLOW_MONITOR_RESUMED`: flow monitor resumed.
    FlowMonitorResumed = "FLOW_MONITOR_RESUMED", [(ONFT 4 4 1872 0 0), (NXT 1 3 23 0 0)];
    /// `SET_FLOW_FORMAT`: set flow format.
    SetFlowFormat = "SET_FLOW_FORMAT", [(NXT 1 1 12 4 0)];
    /// `FLOW_MOD_TABLE_ID`: flow mod table id.
    FlowModTableId = "FLOW_MOD_TABLE_ID", [(NXT 1 6 15 8 0)];
    /// `SET_PACKET_IN_FORMAT`: set packet in format.
    SetPacketInFormat = "SET_PACKET_IN_FORMAT", [(NXT 1 6 16 4 0)];
    /// `FLOW_AGE`: flow age.
    FlowAge = "FLOW_AGE", [(NXT 1 6 18 0 0)];
    /// `SET_CONTROLLER_ID`: set controller id.
    SetControllerId = "SET_CONTROLLER_ID", [(NXT 1 6 20 8 0)];
    /// `TLV_TABLE_MOD`: tlv table mod.
    TlvTableMod = "TLV_TABLE_MOD", [(NXT 1 6 24 8 8)];
    /// `TLV_TABLE_REQUEST`: tlv table request.
    TlvTableRequest = "TLV_TABLE_REQUEST", [(NXT 1 6 25 0 0)];
    /// `TLV_TABLE_REPLY`: tlv table reply.
    TlvTableReply = "TLV_TABLE_REPLY", [(NXT 1 6 26 16 8)];
    /// `RESUME`: resume.
    Resume = "RESUME", [(NXT 1 6 28 0 8)];
    /// `CT_FLUSH_ZONE`: ct flush zone.
    CtFlushZone = "CT_FLUSH_ZONE", [(NXT 1 6 29 8 0)];
    /// `CT_FLUSH`: ct flush.
    CtFlush = "CT_FLUSH", [(NXT 1 6 32 8 8)];
    /// `IPFIX_BRIDGE_REQUEST`: ipfix bridge request.
    IpfixBridgeRequest = "IPFIX_BRIDGE_REQUEST", [(NXST 1 6 3 0 0)];
    /// `IPFIX_BRIDGE_REPLY`: ipfix bridge reply.
    IpfixBridgeReply = "IPFIX_BRIDGE_REPLY", [(NXST 1 6 3 88 0)];
    /// `IPFIX_FLOW_REQUEST`: ipfix flow request.
    IpfixFlowRequest = "IPFIX_FLOW_REQUEST", [(NXST 1 6 4 0 0)];
    /// `IPFIX_FLOW_REPLY`: ipfix flow reply.
    IpfixFlowReply = "IPFIX_FLOW_REPLY", [(NXST 1 6 4 0 88)];
}
