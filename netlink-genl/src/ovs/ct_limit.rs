//! `ovs_ct_limit`: how many connections the zones of connection tracking may have.
//!
//! Its commands are `SET` (1), `DEL` (2) and `GET` (3), unlike those of other families. It cannot be dumped. Limits are
//! those of a network namespace, so the datapath of the header may be 0.
//!
//! ```
//! use netlink_genl::ovs::Attribute;
//! use netlink_genl::ovs::ct_limit::CtLimitAttr;
//!
//! assert_eq!(CtLimitAttr::name(1), Some("OVS_CT_LIMIT_ATTR_ZONE_LIMIT"));
//! ```

use alloc::vec::Vec;
use core::ffi::CStr;

use super::table::{self, Payload};
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
