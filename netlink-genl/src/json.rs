//! How values are written by serde, where deriving it would not do.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::fmt;

use serde::Serializer;

/// A name, which is UTF-8 unless somebody was malicious.
pub(crate) fn text<S: Serializer>(name: &CString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name.to_string_lossy())
}

/// Bytes, two lower-case digits each.
pub(crate) fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Hex(bytes))
}

/// Bytes that may be absent.
pub(crate) fn hex_if_any<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.collect_str(&Hex(bytes)),
        None => serializer.serialize_none(),
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
