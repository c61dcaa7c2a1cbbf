//! How the kernel explains an error.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Names;
use crate::nlattr::{Attr, Attrs, DecodeError, RawAttr};

/// An extended acknowledgement: `enum nlmsgerr_attrs`, sent to sockets that asked for `NETLINK_EXT_ACK`.
///
/// It explains an error and must not hide one: an attribute that cannot be read lands in `other`, and what follows a
/// broken one is left out. An [`Exchange`](crate::exchange::Exchange) adds what it finds in the request that it sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtAck {
    /// `NLMSGERR_ATTR_MSG` (1): the kernel's words. Bytes that are not UTF-8 are replaced.
    pub message: Option<String>,
    /// `NLMSGERR_ATTR_OFFS` (2), u32: where the bad attribute stands in the request, from the start of its header.
    pub offset: Option<u32>,
    /// `NLMSGERR_ATTR_COOKIE` (3): up to 20 bytes of the family's own.
    pub cookie: Option<Vec<u8>>,
    /// `NLMSGERR_ATTR_POLICY` (4), attributes: what the attribute at `offset` must be.
    pub policy: Option<Policy>,
    /// `NLMSGERR_ATTR_MISS_TYPE` (5), u32: type of an attribute that is missing.
    pub missing_kind: Option<u32>,
    /// `NLMSGERR_ATTR_MISS_NEST` (6), u32: where the attribute stands in which it is missing, if not outermost.
    pub missing_nest: Option<u32>,
    /// The attribute at `offset`.
    pub attribute: Option<AttrPath>,
    /// The attribute that is missing.
    pub missing: Option<AttrPath>,
    /// Where the kernel only gives an error number: the attribute of the request that this one is about, a name that is
    /// taken for one.
    pub suspect: Option<AttrPath>,
    /// Everything else.
    pub other: Vec<RawAttr>,
}

impl ExtAck {
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let mut ext_ack = Self::default();
        for attr in Attrs::new(bytes).map_while(Result::ok) {
            if ext_ack.set(attr).is_err() {
                ext_ack.other.push(attr.into());
            }
        }
        ext_ack
    }

    fn set(&mut self, attr: Attr<'_>) -> Result<(), DecodeError> {
        match attr.kind() {
            1 => self.message = Some(attr.c_str()?.to_string_lossy().into_owned()),
            2 => self.offset = Some(attr.u32()?),
            3 => self.cookie = Some(attr.payload().to_vec()),
            4 => self.policy = Some(Policy::decode(&attr)?),
            5 => self.missing_kind = Some(attr.u32()?),
            6 => self.missing_nest = Some(attr.u32()?),
            _ => self.other.push(attr.into()),
        }
        Ok(())
    }
}

/// Prints what is known: `: bad name (OVS_VPORT_ATTR_NAME at byte 24 of the request: at most 15 bytes)`, or nothing.
impl fmt::Display for ExtAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(offset) = self.offset {
            f.write_str(" (")?;
            if let Some(attribute) = &self.attribute {
                write!(f, "{attribute} at ")?;
            }
            write!(f, "byte {offset} of the request")?;
            if let Some(policy) = &self.policy {
                write!(f, ": {policy}")?;
            }
            f.write_str(")")?;
        }
        match (&self.missing, self.missing_kind, &self.suspect) {
            (Some(missing), ..) => write!(f, " ({missing} is missing)"),
            (None, Some(kind), _) => write!(f, " (attribute {kind} is missing)"),
            (None, None, Some(suspect)) => write!(f, " ({suspect})"),
            (None, None, None) => Ok(()),
        }
    }
}

/// An attribute of a request, and those in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttrPath {
    /// Their types, from the outermost on.
    pub kinds: Vec<u16>,
    /// Their names, where they are known.
    pub names: Vec<Option<&'static str>>,
}

impl AttrPath {
    pub(super) fn new(kinds: Vec<u16>, name: Names) -> Self {
        let names = (1..=kinds.len()).map(|len| name(&kinds[..len])).collect();
        Self { kinds, names }
    }
}

/// Prints `OVS_VPORT_ATTR_OPTIONS/OVS_TUNNEL_ATTR_DST_PORT`, and `attribute 7` for one without a name.
impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, (kind, name)) in self.kinds.iter().zip(&self.names).enumerate() {
            if depth > 0 {
                f.write_str("/")?;
            }
            match name {
                Some(name) => f.write_str(name)?,
                None => write!(f, "attribute {kind}")?,
            }
        }
        Ok(())
    }
}

/// What an attribute must be, `enum netlink_policy_type_attr` of `linux/netlink.h`, all in host byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `NL_POLICY_TYPE_ATTR_TYPE` (1), u32: its form.
    pub kind: Option<PolicyKind>,
    /// `_MIN_VALUE_S` (2), i64: the least number, if it is signed.
    pub min_signed: Option<i64>,
    /// `_MAX_VALUE_S` (3), i64: the greatest number, if it is signed.
    pub max_signed: Option<i64>,
    /// `_MIN_VALUE_U` (4), u64: the least number.
    pub min: Option<u64>,
    /// `_MAX_VALUE_U` (5), u64: the greatest number.
    pub max: Option<u64>,
    /// `_MIN_LENGTH` (6), u32: the fewest bytes.
    pub min_length: Option<u32>,
    /// `_MAX_LENGTH` (7), u32: the most bytes; those of a string without its NUL.
    pub max_length: Option<u32>,
    /// `_BITFIELD32_MASK` (10), u32, or `_MASK` (12), u64: the bits that may be set.
    pub mask: Option<u64>,
    /// Everything else.
    pub other: Vec<RawAttr>,
}

numbers! {
    /// `enum netlink_attribute_type`, u32: the form of an attribute.
    pub struct PolicyKind(u32);
    /// `NL_ATTR_TYPE_FLAG`: nothing.
    FLAG = 1 "a flag",
    /// `NL_ATTR_TYPE_U8`.
    U8 = 2 "u8",
    /// `NL_ATTR_TYPE_U16`.
    U16 = 3 "u16",
    /// `NL_ATTR_TYPE_U32`.
    U32 = 4 "u32",
    /// `NL_ATTR_TYPE_U64`.
    U64 = 5 "u64",
    /// `NL_ATTR_TYPE_S8`.
    S8 = 6 "i8",
    /// `NL_ATTR_TYPE_S16`.
    S16 = 7 "i16",
    /// `NL_ATTR_TYPE_S32`.
    S32 = 8 "i32",
    /// `NL_ATTR_TYPE_S64`.
    S64 = 9 "i64",
    /// `NL_ATTR_TYPE_BINARY`.
    BINARY = 10 "bytes",
    /// `NL_ATTR_TYPE_STRING`.
    STRING = 11 "a string",
    /// `NL_ATTR_TYPE_NUL_STRING`.
    NUL_STRING = 12 "a string with NUL",
    /// `NL_ATTR_TYPE_NESTED`.
    NESTED = 13 "attributes",
    /// `NL_ATTR_TYPE_NESTED_ARRAY`.
    NESTED_ARRAY = 14 "attributes in attributes",
    /// `NL_ATTR_TYPE_BITFIELD32`: bits, and which of them count.
    BITFIELD32 = 15 "two u32",
    /// `NL_ATTR_TYPE_SINT`. Since Linux 6.7.
    SINT = 16 "i32 or i64",
    /// `NL_ATTR_TYPE_UINT`. Since Linux 6.7.
    UINT = 17 "u32 or u64",
}

impl Policy {
    fn decode(nest: &Attr<'_>) -> Result<Self, DecodeError> {
        let mut policy = Self::default();
        for attr in nest.attrs() {
            let attr = attr?;
            match attr.kind() {
                1 => policy.kind = Some(PolicyKind(attr.u32()?)),
                2 => policy.min_signed = Some(i64::from_ne_bytes(attr.array()?)),
                3 => policy.max_signed = Some(i64::from_ne_bytes(attr.array()?)),
                4 => policy.min = Some(attr.u64()?),
                5 => policy.max = Some(attr.u64()?),
                6 => policy.min_length = Some(attr.u32()?),
                7 => policy.max_length = Some(attr.u32()?),
                10 => policy.mask = Some(attr.u32()?.into()),
                12 => policy.mask = Some(attr.u64()?),
                _ => policy.other.push(attr.into()),
            }
        }
        Ok(policy)
    }
}

/// Prints `a string with NUL, at most 15 bytes`.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind}")?,
            None => f.write_str("an attribute")?,
        }
        if let (Some(min), Some(max)) = (self.min_signed, self.max_signed) {
            write!(f, " from {min} to {max}")?;
        }
        if let (Some(min), Some(max)) = (self.min, self.max) {
            write!(f, " from {min} to {max}")?;
        }
        if let Some(min) = self.min_length {
            write!(f, ", at least {min} bytes")?;
        }
        if let Some(max) = self.max_length {
            write!(f, ", at most {max} bytes")?;
        }
        if let Some(mask) = self.mask {
            write!(f, ", of the bits {mask:#x}")?;
        }
        Ok(())
    }
}
