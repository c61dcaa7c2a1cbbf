//! The datapaths of this host's kernel, with their ports.

use std::ffi::CStr;

use netlink_genl::Error;
use netlink_genl::blocking::Ovs;
use netlink_genl::ovs::datapath::Datapath;
use netlink_genl::ovs::vport::Vport;

/// Reads the datapaths of this network namespace, each with its ports.
///
/// # Errors
/// As [`Ovs::open`], [`Ovs::datapaths`] and [`Ovs::vports`].
pub fn datapaths() -> Result<Vec<(Datapath, Vec<Vport>)>, Error> {
    retried(|| {
        let mut ovs = Ovs::open()?;
        let datapaths: Vec<_> = ovs.datapaths()?.collect::<Result<_, _>>()?;
        let with_ports = datapaths.into_iter().map(|datapath| {
            let ports = ovs.vports(datapath.ifindex)?.collect::<Result<_, _>>()?;
            Ok((datapath, ports))
        });
        with_ports.collect()
    })
}

/// Asks the kernel again while it only says that something changed meanwhile.
///
/// # Errors
/// Those of `ask`.
pub fn retried<T>(mut ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut tries = 0;
    loop {
        match ask() {
            Err(error) if error.is_retryable() && tries < RETRIES => tries += 1,
            result => return result,
        }
    }
}

/// The datapath that `ovs-vswitchd` uses.
pub const DATAPATH: &CStr = c"ovs-system";
const RETRIES: usize = 5;
