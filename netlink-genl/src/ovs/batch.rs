//! Changes that go to the kernel together.

use alloc::vec::Vec;
use core::ffi::CStr;

use super::DpIfindex;
use super::flow::{self, NewFlow};
use super::packet;
use crate::message::{EncodeError, Request};

/// Changes of flows, and packets, that go to the kernel in one datagram, or in few.
///
/// The kernel makes each by itself: one that it refuses stops no other.
///
/// ```
/// use netlink_genl::ovs::{Batch, DpIfindex};
///
/// let mut batch = Batch::default();
/// batch.delete_flow(DpIfindex(9), &[1; 16])?;
/// batch.delete_flow(DpIfindex(9), &[2; 16])?;
/// assert_eq!(batch.len(), 2);
/// # Ok::<(), netlink_genl::message::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Batch {
    requests: Vec<(&'static CStr, Request)>,
}

impl Batch {
    /// Makes a flow: [`flow::add`].
    ///
    /// # Errors
    /// As [`flow::add`].
    pub fn add_flow(&mut self, flow: &NewFlow) -> Result<(), EncodeError> {
        self.push(flow::FAMILY, flow::add(0, flow)?)
    }

    /// Makes or changes a flow: [`flow::put`].
    ///
    /// # Errors
    /// As [`flow::put`].
    pub fn put_flow(&mut self, flow: &NewFlow) -> Result<(), EncodeError> {
        self.push(flow::FAMILY, flow::put(0, flow)?)
    }

    /// Deletes a flow: [`flow::delete`].
    ///
    /// # Errors
    /// As [`flow::delete`].
    pub fn delete_flow(&mut self, dp: DpIfindex, ufid: &[u8]) -> Result<(), EncodeError> {
        self.push(flow::FAMILY, flow::delete(0, dp, ufid)?)
    }

    /// Deletes a flow: [`flow::delete_by_key`].
    ///
    /// # Errors
    /// As [`flow::delete_by_key`].
    pub fn delete_flow_by_key(&mut self, dp: DpIfindex, key: &[u8]) -> Result<(), EncodeError> {
        self.push(flow::FAMILY, flow::delete_by_key(0, dp, key)?)
    }

    /// Sends a packet: [`packet::execute`].
    ///
    /// # Errors
    /// As [`packet::execute`].
    pub fn execute(
        &mut self,
        dp: DpIfindex,
        packet: &[u8],
        key: &[u8],
        actions: &[u8],
    ) -> Result<(), EncodeError> {
        self.push(packet::FAMILY, packet::execute(0, dp, packet, key, actions)?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The requests, each to the number that its family has, in parts that a socket takes at once.
    #[cfg(feature = "write")]
    pub(crate) fn parts(self, number: impl Fn(&CStr) -> u16) -> Vec<Vec<Request>> {
        let mut parts: Vec<Vec<Request>> = Vec::new();
        let mut bytes = 0;
        for (family, request) in self.requests {
            let len = request.encoded_len();
            match parts.last_mut() {
                Some(part) if part.len() < PART_REQUESTS && bytes + len <= PART_BYTES => {
                    part.push(request.to(number(family)));
                    bytes += len;
                }
                _ => {
                    parts.push(alloc::vec![request.to(number(family))]);
                    bytes = len;
                }
            }
        }
        parts
    }

    fn push(&mut self, family: &'static CStr, request: Request) -> Result<(), EncodeError> {
        self.requests.push((family, request));
        Ok(())
    }
}

/// As many acknowledgements fit a receive buffer of Linux's default size, 208 KiB.
#[cfg(feature = "write")]
const PART_REQUESTS: usize = 128;
/// Two thirds of Linux's default send buffer.
#[cfg(feature = "write")]
const PART_BYTES: usize = 140_000;
