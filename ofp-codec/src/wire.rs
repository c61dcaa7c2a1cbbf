//! OpenFlow messages as bytes, of versions 1.0 to 1.5 and with the extensions of Nicira and the ONF.
//!
//! There are two levels, as for text. The *parts* (`..Ref<'a>`) borrow the bytes of a message; they
//! know where they stand, check lengths, and encode to the very bytes they were decoded from: order,
//! padding and unknown parts included. The *model* ([`Flow`](crate::Flow), [`Match`](crate::Match),
//! [`Action`](crate::Action)) is what parts mean, the same as for text; it encodes as Open vSwitch
//! would write it.
//!
//! A [`Reader`] gives the parts of a message, and a [`Writer`] takes them:
//!
//! ```
//! use ofp_codec::wire::{DecodeError, Reader};
//!
//! // The header of OFPT_HELLO: version, type, length, transaction id.
//! let mut reader = Reader::new(&[0x06, 0x00, 0x00, 0x08, 0, 0, 0, 1]);
//! assert_eq!(reader.u8("version")?, 6);
//! assert_eq!(reader.u8("type")?, 0);
//! assert_eq!(reader.u16("length")?, 8);
//! assert_eq!(reader.u32("xid")?, 1);
//! let error = reader.u16("element").unwrap_err();
//! assert_eq!(error.to_string(), "element at byte 8: needs 2 bytes, has 0");
//! # Ok::<(), DecodeError>(())
//! ```

mod action;
mod action_set;
mod aggregate;
mod async_config;
mod bits;
mod bundle;
mod counter;
mod ct_flush;
mod entries;
mod error;
mod error_message;
mod flow_mod;
mod flow_removed;
mod flow_request;
mod flow_stats;
mod frame;
mod group;
mod header;
mod hello;
mod instruction;
mod ipfix;
mod kind;
mod matches;
mod message;
mod meter;
mod monitor;
mod ofperr;
mod oxm;
mod oxs;
mod packet;
mod port;
mod program;
mod property;
mod queue;
mod read;
mod record;
mod request_forward;
mod role;
mod session;
mod switch;
mod table;
mod text;
mod tlv_table;
mod write;

pub use action::{ActionRef, Actions, decode_actions, encode_actions};
pub use action_set::ActionSet;
pub use aggregate::Aggregate;
pub use async_config::{AsyncConfig, AsyncKind};
pub use bundle::{BundleAdd, BundleControl, BundleFlags, BundleStep};
pub use ct_flush::{CtFlush, CtTuple};
pub use entries::{BadEntry, Entries, Entry};
pub use error::{DecodeError, EncodeError, Fault};
pub use error_message::ErrorMessage;
pub use flow_mod::{FlowMod10, FlowMod11, FlowModHead, FlowModRef, NxFlowMod};
pub use flow_removed::{
    FlowRemoved, FlowRemoved10, FlowRemoved11, FlowRemoved15, FlowRemovedHead, FlowRemovedReason,
    FlowRemovedRef, NxFlowRemoved,
};
pub use flow_request::FlowRequest;
pub use flow_stats::{
    FlowDesc15, FlowEntries, FlowStats10, FlowStats11, FlowStatsHead, FlowStatsHead10, FlowStatsRef,
    NxFlowStats,
};
pub use frame::{FrameError, Frames, frame_len};
pub use group::{GroupCommand, GroupFeatures, GroupMod};
pub use header::{Header, Number};
pub use hello::{Hello, Versions};
pub use instruction::{InstructionRef, Instructions, decode_instructions, encode_instructions};
pub use ipfix::IpfixStats;
pub use kind::{Form, MessageKind, Namespace, experimenter};
pub use matches::{Match10, Match11, MatchRef, OxmEntries, OxmList};
pub use message::Message;
pub use meter::{MeterCommand, MeterFeatures, MeterMod};
pub use monitor::{FlowUpdate, MonitorCommand, MonitorFlags, MonitorRequest};
pub use ofperr::{ErrorNumber, Ofperr};
pub use oxm::{OxmHeader, OxmRef};
pub use oxs::OxsRef;
pub use packet::{Continuation, Continued, Packet, PacketIn, PacketInFormat, PacketOut};
pub use port::{PortConfig, PortDesc, PortFeatures, PortMod, PortReason, PortState, PortStats, PortStatus};
pub use program::ProgramRef;
pub use property::Property;
pub use queue::{QueueConfig, QueueStats};
pub use read::Reader;
pub use request_forward::{ForwardedRequest, RequestForward};
pub use role::{Role, RoleMessage};
pub use session::{Received, Session, SessionError};
pub use switch::{Capabilities, Description, Features, SwitchConfig};
pub use table::{
    ActionAbilities, EvictionFlags, InstructionSet, TableAbilities, TableDesc, TableDescHead, TableFeatures,
    TableFeaturesHead, TableFeaturesRef, TableMiss, TableMod, TableModHead, TableName, TableStats,
    TableStats10, TableStats11, TableStats12, TableStats13, TableStatsRef, TableStatus, Vacancy,
};
pub use text::{print, print_verbose};
pub use tlv_table::{TlvCommand, TlvMapping, TlvSpace, TlvTable, TlvTableMod};
pub use write::Writer;

pub use crate::model::canonical::{actions::Context, printed::PrintedActions};
