//! Options of tunnel ports.

use alloc::vec::Vec;

use crate::nlattr::{Attr, DecodeError, EncodeError, RawAttr, Sink};
use crate::ovs::table::{Payload, encode_raw};

/// Options of a tunnel port, `OVS_TUNNEL_ATTR_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Options {
    /// `DST_PORT` (1), u16 in host byte order: the UDP port.
    pub dst_port: Option<u16>,
    /// `EXTENSION` (2), attributes: extensions of VXLAN.
    pub extensions: Option<Extensions>,
    /// Attributes that are not known here.
    pub other: Vec<RawAttr>,
}

impl Payload for Options {
    fn decode(nest: &Attr<'_>) -> Result<Self, DecodeError> {
        let mut options = Self::default();
        for attr in nest.attrs() {
            let attr = attr?;
            match attr.kind() {
                TUNNEL_DST_PORT => options.dst_port = Some(attr.u16()?),
                TUNNEL_EXTENSION => options.extensions = Some(Extensions::decode(&attr)?),
                _ => options.other.push(attr.into()),
            }
        }
        Ok(options)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| {
            if let Some(port) = self.dst_port {
                s.attr_u16(TUNNEL_DST_PORT, port)?;
            }
            if let Some(extensions) = &self.extensions {
                extensions.encode(TUNNEL_EXTENSION, s)?;
            }
            encode_raw(&self.other, s)
        })
    }

    fn name_at(path: &[u16]) -> Option<&'static str> {
        match path {
            [TUNNEL_DST_PORT] => Some("OVS_TUNNEL_ATTR_DST_PORT"),
            [TUNNEL_EXTENSION] => Some("OVS_TUNNEL_ATTR_EXTENSION"),
            [TUNNEL_EXTENSION, VXLAN_GBP] => Some("OVS_VXLAN_EXT_GBP"),
            _ => None,
        }
    }
}

/// Extensions of a VXLAN port, `OVS_VXLAN_EXT_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Extensions {
    /// `GBP` (1), no payload: the group policy field is in use.
    pub gbp: bool,
    /// Attributes that are not known here.
    pub other: Vec<RawAttr>,
}

impl Payload for Extensions {
    fn decode(nest: &Attr<'_>) -> Result<Self, DecodeError> {
        let mut extensions = Self::default();
        for attr in nest.attrs() {
            let attr = attr?;
            match attr.kind() {
                VXLAN_GBP => {
                    attr.flag()?;
                    extensions.gbp = true;
                }
                _ => extensions.other.push(attr.into()),
            }
        }
        Ok(extensions)
    }

    fn encode<S: Sink>(&self, kind: u16, sink: &mut S) -> Result<(), EncodeError> {
        sink.nest(kind, |s| {
            if self.gbp {
                s.flag(VXLAN_GBP)?;
            }
            encode_raw(&self.other, s)
        })
    }
}

// OVS_TUNNEL_ATTR_*, OVS_VXLAN_EXT_*
const TUNNEL_DST_PORT: u16 = 1;
const TUNNEL_EXTENSION: u16 = 2;
const VXLAN_GBP: u16 = 1;
