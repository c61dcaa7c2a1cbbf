//! What `ovs-vswitchd` takes packets from the kernel with: sockets, and the descriptors that they cost.

use std::fs;

use netlink_genl::accounting::{Accounting, Role};
use netlink_genl::blocking::Ovs;
use netlink_genl::ovs::datapath::{Datapath, Dispatch};

use crate::cli::{Failure, chain};
use crate::kernel::{self, DATAPATH};

pub use self::growth::Growth;
pub use self::release::Release;

mod growth;
mod release;

/// The sockets of a switch, beside the datapath that uses them.
#[derive(Clone, Debug)]
pub struct Upcalls {
    /// Who uses which socket.
    pub accounting: Accounting,
    /// How the datapath chooses a socket; `None` without a datapath.
    pub dispatch: Option<Dispatch>,
    /// The datapath dispatches per CPU and names no socket that is there, so it loses every packet that has no flow.
    pub deaf: bool,
    /// Ports of the datapath.
    pub ports: usize,
    /// Sockets that a port takes: 1, or as many as there are handler threads (Open vSwitch up to 2.10), or none.
    pub per_port: usize,
    /// Open descriptors of the process, if they may be counted.
    pub open: Option<usize>,
    /// How many it may have open; `None` if that cannot be read or is unlimited.
    pub limit: Option<usize>,
}

impl Upcalls {
    /// Reads those of process `pid`, with the datapath `ovs-system`, which is what `ovs-vswitchd` uses.
    ///
    /// # Errors
    /// [`Failure`]: there is no such process, or the kernel cannot be asked.
    pub fn read(pid: u32) -> Result<Self, Failure> {
        let failed = |error: netlink_genl::Error| Failure::blind(chain(&error));
        let account = || Ovs::open()?.accounting(pid);
        let accounting = kernel::retried(account).map_err(failed)?;
        let datapaths = kernel::datapaths().map_err(failed)?;
        let datapath = datapaths
            .into_iter()
            .find(|(datapath, _)| datapath.name.as_c_str() == DATAPATH);
        let (datapath, ports) =
            datapath.map_or((None, Vec::new()), |(datapath, ports)| (Some(datapath), ports));
        let datapath = datapath.as_ref();
        let dispatch = datapath.map(Datapath::dispatch);
        let per_port = ports.iter().map(|port| port.upcall_pids.len()).max();
        Ok(Self {
            dispatch,
            deaf: dispatch == Some(Dispatch::PerCpu)
                && !datapath.is_some_and(|datapath| {
                    datapath.per_cpu_pids.iter().any(|pid| reaches(&accounting, *pid))
                }),
            ports: ports.len(),
            per_port: match dispatch {
                Some(Dispatch::PerVport) => per_port.unwrap_or_default(),
                _ => 0,
            },
            open: fs::read_dir(format!("/proc/{pid}/fd")).ok().map(Iterator::count),
            limit: fs::read_to_string(format!("/proc/{pid}/limits"))
                .ok()
                .and_then(|text| soft_limit(&text)),
            accounting,
        })
    }

    /// Whether the one socket that nothing refers to is no loss: a release with the fix keeps that of a port whose namespace was
    /// deleted, and closes it when it uses the port's number again.
    pub fn is_held(&self, release: Option<Release>) -> bool {
        let per_port = self.dispatch == Some(Dispatch::PerVport);
        self.orphaned() == 1 && per_port && release.is_some_and(|release| !release.loses_sockets())
    }

    /// Sockets that nothing refers to any more.
    pub fn orphaned(&self) -> usize {
        self.accounting.count(Role::Orphaned)
    }
}

/// Whether a packet to this netlink port comes to the process, as far as that is known.
fn reaches(accounting: &Accounting, port: u32) -> bool {
    port != 0 && !accounting.dangling.contains(&port)
}

/// The process id of the `ovs-vswitchd` of this host.
///
/// # Errors
/// [`Failure`] if its file cannot be read.
pub fn running() -> Result<u32, Failure> {
    let text = fs::read_to_string(PID_FILE)
        .map_err(|error| Failure::blind(format_args!("{PID_FILE}: {error}; name it by --pid")))?;
    text.trim()
        .parse()
        .map_err(|error| Failure::blind(format_args!("{PID_FILE}: {error}")))
}

/// The soft limit in `Max open files  1024  524288  files` of `/proc/PID/limits`.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What a socket is that [is held](Upcalls::is_held).
pub const HELD: &str =
    "1 socket is left of a port whose namespace was deleted, until the number of the port is used again";

const PID_FILE: &str = "/run/openvswitch/ovs-vswitchd.pid";

#[cfg(test)]
mod tests {
    use netlink_genl::accounting::Socket;

    use super::*;

    #[test]
    fn one_socket_is_held_by_releases_that_close_it_with_the_port_number() {
        let upcalls = |orphans, dispatch| Upcalls {
            accounting: Accounting {
                attributed: true,
                sockets: (1..=orphans)
                    .map(|port| Socket {
                        port,
                        inode: 0,
                        role: Role::Orphaned,
                        queued: 0,
                        drops: 0,
                        groups: 0,
                    })
                    .collect(),
                dangling: [].into(),
                dispatch: [].into(),
            },
            dispatch: Some(dispatch),
            deaf: false,
            ports: 2,
            per_port: 1,
            open: None,
            limit: None,
        };
        let is_held = |release: &str, orphans, dispatch| {
            let release = (!release.is_empty()).then(|| release.parse().unwrap());
            upcalls(orphans, dispatch).is_held(release)
        };
        for (release, held) in [("3.5.2", false), ("3.5.3", true), ("4.0.0", true), ("", false)] {
            assert_eq!(is_held(release, 1, Dispatch::PerVport), held, "{release}");
        }
        assert!(!is_held("4.0.0", 2, Dispatch::PerVport) && !is_held("4.0.0", 0, Dispatch::PerVport));
        assert!(!is_held("4.0.0", 1, Dispatch::PerCpu));
    }

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             95965                95965                processes \n\
                      Max open files            65535                524288               files     \n";
        assert_eq!(soft_limit(limits), Some(65535));
        assert_eq!(
            soft_limit("Max open files            unlimited            unlimited            files"),
            None
        );
        let own = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        assert!(soft_limit(&own).is_some(), "{own}");
    }
}
