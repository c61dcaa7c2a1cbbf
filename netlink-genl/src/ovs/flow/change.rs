//! Requests that make and delete flows.

use alloc::vec;
use alloc::vec::Vec;

use super::{FlowAttr, VERSION};
use crate::message::{EncodeError, Flags, Request};
use crate::ovs::{self, Command, DpIfindex};

/// A flow that is to be made. Key, mask and actions are attributes, as the crate `odp-actions` writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFlow {
    /// The datapath that shall have it.
    pub datapath: DpIfindex,
    /// What a packet has.
    pub key: Vec<u8>,
    /// Which bits of the key count; `None` for all.
    pub mask: Option<Vec<u8>>,
    /// What is done with a packet; empty to drop it.
    pub actions: Vec<u8>,
    /// Its identifier, 1 to 16 bytes. A flow with one is looked up by that alone.
    pub ufid: Option<Vec<u8>>,
}

/// A request to make a flow; `EEXIST` if there is one with this key.
///
/// # Errors
/// [`EncodeError::Attr`] if key, mask, actions or identifier exceed an attribute.
pub fn add(family: u16, flow: &NewFlow) -> Result<Request, EncodeError> {
    put(family, flow).map(|request| request.with(Flags::CREATE))
}

/// A request to make a flow, or to give the one with the same key these actions.
///
/// # Errors
/// As [`add`].
pub fn put(family: u16, flow: &NewFlow) -> Result<Request, EncodeError> {
    let mut attrs = vec![];
    attrs.extend(flow.ufid.clone().map(FlowAttr::Ufid));
    attrs.push(FlowAttr::Key(flow.key.clone()));
    attrs.extend(flow.mask.clone().map(FlowAttr::Mask));
    attrs.push(FlowAttr::Actions(flow.actions.clone()));
    change(family, flow.datapath, Command::NEW, attrs)
}

/// A request to delete the flow with identifier `ufid`; `ENOENT` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if it exceeds an attribute.
pub fn delete(family: u16, dp: DpIfindex, ufid: &[u8]) -> Result<Request, EncodeError> {
    change(family, dp, Command::DEL, vec![FlowAttr::Ufid(ufid.to_vec())])
}

/// A request to delete the flow with exactly this key, which was made without an identifier; `ENOENT` if there is none.
///
/// # Errors
/// [`EncodeError::Attr`] if it exceeds an attribute.
pub fn delete_by_key(family: u16, dp: DpIfindex, key: &[u8]) -> Result<Request, EncodeError> {
    change(family, dp, Command::DEL, vec![FlowAttr::Key(key.to_vec())])
}

/// A request to delete all flows of a datapath.
///
/// # Errors
/// None: see [`vport::get`](crate::ovs::vport::get).
pub fn flush(family: u16, dp: DpIfindex) -> Result<Request, EncodeError> {
    change(family, dp, Command::DEL, vec![])
}

fn change(
    family: u16,
    datapath: DpIfindex,
    command: Command,
    attrs: Vec<FlowAttr>,
) -> Result<Request, EncodeError> {
    let request = ovs::change(family, VERSION, datapath, command.0, attrs)?;
    Ok(request.with(Flags::ACK))
}
