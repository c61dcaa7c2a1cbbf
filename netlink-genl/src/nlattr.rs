//! Netlink attributes: the type-length-value layer under every message.
//!
//! ```text
//! struct nlattr { u16 nla_len; u16 nla_type; }  payload[nla_len - 4]  zero padding to 4 bytes
//! ```
//!
//! Both header words are in host byte order. `nla_len` counts the header and the payload, not the padding, so no
//! payload exceeds [`MAX_PAYLOAD`]. Bit 15 of `nla_type` ([`NESTED`]) says that the payload is attributes, bit 14
//! ([`NET_BYTEORDER`]) that it is in network byte order; both are hints that most families neither set nor need.
//! Source: `linux/netlink.h`.
//!
//! Writing goes through a [`Sink`]: the same code fills a `Vec<u8>`, a caller's buffer ([`Slice`]), or only counts
//! ([`Counter`]), so a size can never disagree with the bytes. Reading ([`Attrs`]) borrows, needs no alignment, and
//! stops at the first attribute whose length cannot be true.
//!
//! ```
//! use netlink_genl::nlattr::{Attrs, Counter, Sink};
//!
//! fn write<S: Sink>(sink: &mut S) -> Result<(), netlink_genl::nlattr::EncodeError> {
//!     sink.nest(3, |s| s.attr_u32(1, 0xdead_beef))
//! }
//!
//! let mut bytes = Vec::new();
//! write(&mut bytes)?;
//! let mut size = Counter::new();
//! write(&mut size)?;
//! assert_eq!(size.position(), bytes.len());
//!
//! let outer = Attrs::new(&bytes).next().unwrap()?;
//! let inner = outer.attrs().next().unwrap()?;
//! assert_eq!((inner.kind(), inner.u32()?), (1, 0xdead_beef));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod raw;
mod read;
mod write;

pub use self::raw::RawAttr;
pub use self::read::{Attr, Attrs, DecodeError};
pub use self::write::{Counter, EncodeError, Sink, Slice};

/// Bytes of `struct nlattr`, before the payload.
pub const HEADER_LEN: usize = 4;

/// The longest payload that the 16 bits of `nla_len` can count: 65 535 less the header.
pub const MAX_PAYLOAD: usize = 65_535 - HEADER_LEN;

/// `NLA_F_NESTED`: the payload is a list of attributes.
pub const NESTED: u16 = 0x8000;

/// `NLA_F_NET_BYTEORDER`: the payload is in network byte order.
pub const NET_BYTEORDER: u16 = 0x4000;

/// `NLA_TYPE_MASK`: what is left of `nla_type` without the two flags.
pub const KIND_MASK: u16 = 0x3fff;

/// Rounds `len` up to `NLA_ALIGNTO`, 4 bytes.
pub const fn align(len: usize) -> usize {
    (len + 3) & !3
}

/// Bytes that an attribute with `payload` bytes takes in a list: header, payload and padding.
pub const fn attr_len(payload: usize) -> usize {
    HEADER_LEN + align(payload)
}
