//! Requests that make, change and delete datapaths.

use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::{Datapath, DatapathAttr, Dispatch, Features, VERSION};
use crate::message::{EncodeError, Flags, Request};
use crate::ovs::{self, Command, DpIfindex};

/// What can be changed about a datapath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its features. [`Features::DISPATCH_UPCALL_PER_CPU`] follows from [`per_cpu`](Self::per_cpu), whatever it is here.
    pub features: Features,
    /// Entries of its cache of masks, per CPU.
    pub masks_cache_size: Option<u32>,
    /// Who takes packets without a flow on which CPU; `None` if each port says by itself.
    pub per_cpu: Option<PerCpu>,
}

/// Netlink ports that take packets without a flow, one for each CPU. There is at least one: a datapath that dispatches
/// per CPU without any loses all such packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerCpu(Vec<u32>);

impl PerCpu {
    /// The port for CPU 0, and those for the others in their order. With fewer ports than CPUs they take turns.
    pub fn new(first: u32, others: &[u32]) -> Self {
        Self([&[first], others].concat())
    }

    /// The ports.
    pub fn pids(&self) -> &[u32] {
        &self.0
    }
}

impl Settings {
    /// What a datapath has now.
    ///
    /// One that dispatches per CPU without any port, as `ovs-dpctl` leaves it where the switch dispatches per port, is
    /// taken for one that dispatches per port.
    pub fn of(datapath: &Datapath) -> Self {
        let per_cpu = match (datapath.dispatch(), &datapath.per_cpu_pids[..]) {
            (Dispatch::PerCpu, [first, others @ ..]) => Some(PerCpu::new(*first, others)),
            _ => None,
        };
        Self {
            features: datapath.features,
            masks_cache_size: datapath.masks_cache_size,
            per_cpu,
        }
    }
}

/// A request to make a datapath with its local port, whose packets without a flow go to the netlink port `upcall_pid`,
/// 0 for none; answered with the datapath. It dispatches per port: see [`set`] for the other way.
///
/// # Errors
/// [`EncodeError::Attr`] if the name exceeds an attribute. (The kernel takes 15 bytes.)
pub fn add(family: u16, name: &CStr, features: Features, upcall_pid: u32) -> Result<Request, EncodeError> {
    let attrs = vec![
        DatapathAttr::Name(name.to_owned()),
        DatapathAttr::UpcallPid(upcall_pid),
        DatapathAttr::UserFeatures(with_dispatch(features, Dispatch::PerVport)),
    ];
    change(family, DpIfindex(0), Command::NEW, attrs)
}

/// A request to give `datapath` these settings, answered with the datapath.
///
/// The kernel turns off every feature that such a request does not name, so it names all.
///
/// # Errors
/// [`EncodeError::Attr`] if there are more ports than fit an attribute.
pub fn set(family: u16, datapath: &Datapath, settings: &Settings) -> Result<Request, EncodeError> {
    let dispatch = match settings.per_cpu {
        Some(_) => Dispatch::PerCpu,
        None => Dispatch::PerVport,
    };
    let features = with_dispatch(settings.features, dispatch);
    let mut attrs = vec![DatapathAttr::UserFeatures(features)];
    // Setting it empties the cache.
    if settings.masks_cache_size != datapath.masks_cache_size {
        attrs.extend(settings.masks_cache_size.map(DatapathAttr::MasksCacheSize));
    }
    attrs.extend(
        settings
            .per_cpu
            .clone()
            .map(|PerCpu(pids)| DatapathAttr::PerCpuPids(pids)),
    );
    change(family, datapath.ifindex, Command::SET, attrs)
}

/// A request to delete a datapath with its ports and flows, answered with what it was.
///
/// # Errors
/// None: see [`vport::get`](crate::ovs::vport::get).
pub fn delete(family: u16, dp: DpIfindex) -> Result<Request, EncodeError> {
    change(family, dp, Command::DEL, vec![])
}

/// The kernel answers with the object only if it is asked to.
fn change(
    family: u16,
    datapath: DpIfindex,
    command: Command,
    attrs: Vec<DatapathAttr>,
) -> Result<Request, EncodeError> {
    let request = ovs::change(family, VERSION, datapath, command.0, attrs)?;
    Ok(request.with(Flags::ECHO))
}

fn with_dispatch(features: Features, dispatch: Dispatch) -> Features {
    let bit = Features::DISPATCH_UPCALL_PER_CPU.0;
    Features(match dispatch {
        Dispatch::PerVport => features.0 & !bit,
        Dispatch::PerCpu => features.0 | bit,
    })
}
