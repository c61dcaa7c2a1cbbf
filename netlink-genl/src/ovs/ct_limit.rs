//! `ovs_ct_limit`: how many connections the zones of connection tracking may have.
//!
//! Its commands are `SET` (1), `DEL` (2) and `GET` (3), unlike those of other families. It cannot be dumped. Limits are
//! those of a network namespace, so the datapath of the header may be 0.
//!
//! Source: `linux/openvswitch.h` (`enum ovs_ct_limit_attr`); the rules are those of `net/openvswitch/conntrack.c`.
//!
//! ```
//! use netlink_genl::ovs::Attribute;
//! use netlink_genl::ovs::ct_limit::CtLimitAttr;
//!
//! assert_eq!(CtLimitAttr::name(1), Some("OVS_CT_LIMIT_ATTR_ZONE_LIMIT"));
//! ```

use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::table::{self, Payload};
use super::{DpIfindex, Object};
use crate::message::{DecodeError as MessageError, EncodeError as RequestError, Message, Request};
use crate::nlattr::{Attr, DecodeError, EncodeError, Sink};

/// Name of the family, and of its multicast group. A kernel without `CONFIG_NETFILTER_CONNCOUNT` lacks it.
pub const FAMILY: &CStr = c"ovs_ct_limit";

/// `OVS_CT_LIMIT_VERSION`.
pub const VERSION: u8 = 1;

attributes! {
    /// `enum ovs_ct_limit_attr`.
    pub enum CtLimitAttr "OVS_CT_LIMIT_ATTR_" {
        /// Limits of zones, one after the other.
        1 ZoneLimit(Vec<ZoneLimit>) "ZONE_LIMIT",
    }
}

/// `struct ovs_zone_limit`: an i32 and two u32 in host byte order, 12 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ZoneLimit {
    /// The zone, or [`ZoneLimit::DEFAULT`].
    pub zone: i32,
    /// How many connections it may have, 0 for any number.
    pub limit: u32,
    /// How many it has; ignored in requests.
    pub count: u32,
}

impl ZoneLimit {
    /// `OVS_ZONE_LIMIT_DEFAULT_ZONE`: the limit of zones without one of their own.
    pub const DEFAULT: i32 = -1;
}

/// The limits of zones, as the kernel answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CtLimits(pub Vec<ZoneLimit>);

impl CtLimits {
    /// Reads an answer of the family: that to a change has no limits.
    ///
    /// # Errors
    /// [`MessageError::Attr`] for a bad attribute; [`MessageError::Short`] if the headers do not fit.
    pub fn decode(message: &Message<'_>) -> Result<Self, MessageError> {
        let attrs = Object::<CtLimitAttr>::decode(message)?.attrs;
        let limits = attrs.into_iter().filter_map(|attr| match attr {
            CtLimitAttr::ZoneLimit(limits) => Some(limits),
            CtLimitAttr::Unknown(_) => None,
        });
        Ok(Self(limits.flatten().collect()))
    }
}

/// A request for the limits of these zones, or without any of all that have one, and the default.
///
/// # Errors
/// [`RequestError::Attr`] if there are more zones than fit an attribute, 5 460.
pub fn get(family: u16, zones: &[i32]) -> Result<Request, RequestError> {
    let named: Vec<_> = zones.iter().map(|&zone| (zone, 0)).collect();
    let all = named.is_empty();
    request(family, CMD_GET, if all { None } else { Some(&named) })
}

/// A request to give zones limits, 0 for any number of connections.
///
/// # Errors
/// As [`get`].
pub fn set(family: u16, limits: &[(i32, u32)]) -> Result<Request, RequestError> {
    request(family, CMD_SET, Some(limits))
}

/// A request to give these zones the default again; of [`ZoneLimit::DEFAULT`] it becomes 0.
///
/// # Errors
/// As [`get`].
pub fn delete(family: u16, zones: &[i32]) -> Result<Request, RequestError> {
    let named: Vec<_> = zones.iter().map(|&zone| (zone, 0)).collect();
    request(family, CMD_DEL, Some(&named))
}

/// The kernel answers every command of this family with an object. Limits are those of the network namespace, so there
/// is no datapath.
fn request(family: u16, command: u8, limits: Option<&[(i32, u32)]>) -> Result<Request, RequestError> {
    let limit = |&(zone, limit): &(i32, u32)| ZoneLimit {
        zone,
        limit,
        count: 0,
    };
    let attrs = match limits {
        Some(limits) => vec![CtLimitAttr::ZoneLimit(limits.iter().map(limit).collect())],
        None => vec![],
    };
    super::change(family, VERSION, DpIfindex(0), command, attrs)
}

// enum ovs_ct_limit_cmd
const CMD_SET: u8 = 1;
const CMD_DEL: u8 = 2;
const CMD_GET: u8 = 3;

impl Payload for Vec<ZoneLimit> {
    fn decode(attr: &Attr<'_>) -> Result<Self, DecodeError> {
        let limit = |[a, b, c, d, e, f, g, h, i, j, k, l]: [u8; 12]| ZoneLimit {
            zone: i32::from_ne_bytes([a, b, c, d]),
            limit: u32::from_ne_bytes([e, f, g, h]),
            count: u32::from_ne_bytes([i, j, k, l]),
        };
        Ok(table::chunks(attr)?.map(limit).collect())
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| {
            self.iter().try_for_each(|zone| {
                s.put(&zone.zone.to_ne_bytes())?;
                s.put(&zone.limit.to_ne_bytes())?;
                s.put(&zone.count.to_ne_bytes())
            })
        })
    }
}
