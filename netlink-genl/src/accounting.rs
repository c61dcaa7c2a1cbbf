//! The netlink sockets of a process, beside the ports and datapaths that refer to them.
//!
//! `ovs-vswitchd` takes packets without a flow from netlink sockets. Ports name them in `UPCALL_PID`, datapaths in
//! `PER_CPU_PIDS`. Until release 3.6.0 (3.3.6, 3.4.4, 3.5.2 of the long-lived ones) it loses a socket, and with it a
//! file descriptor, whenever the network namespace of an internal port dies, if it dispatches per port: nothing
//! refers to that socket any more, and it stays open.
//!
//! It reads `/proc` and sends `GET`, and changes nothing. `/proc/PID/fd` takes the right to trace the process (its
//! user or root); without it there are counts of the namespace's sockets only.
//!
//! ```no_run
//! use netlink_genl::accounting::Role;
//! use netlink_genl::blocking::Ovs;
//!
//! let mut ovs = Ovs::open()?;
//! let accounting = ovs.accounting(1234)?;
//! let orphaned = accounting.count(Role::Orphaned);
//! println!("{orphaned} of {} sockets are lost", accounting.sockets.len());
//! # Ok::<(), netlink_genl::Error>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use std::format;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::Error;
use crate::ovs::DpIfindex;
use crate::ovs::datapath::{Datapath, Dispatch};
use crate::ovs::vport::Vport;

/// Who uses which generic netlink socket, as `Ovs::accounting` of [`blocking`](crate::blocking) and `client` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Accounting {
    /// Whether the sockets are those of the process. `false` if its file descriptors could not be read: then they are
    /// all those of its network namespace.
    pub attributed: bool,
    /// The sockets, each once, in the order of their inodes.
    pub sockets: Vec<Socket>,
    /// Ports of sockets that ports or datapaths refer to, and that no socket has: packets for them are lost. If
    /// [`attributed`](Self::attributed), another process may have them.
    pub dangling: BTreeSet<u32>,
    /// How each datapath of the namespace chooses the socket that a packet goes to.
    pub dispatch: BTreeMap<DpIfindex, Dispatch>,
}

/// A generic netlink socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Socket {
    /// Its port, which is not a process id, although netlink calls it so.
    pub port: u32,
    /// The first 32 multicast groups, a bit each.
    pub groups: u32,
    /// Bytes that wait to be read.
    pub queued: u64,
    /// Messages lost since it was opened, because its buffer was full.
    pub drops: u64,
    /// Its inode.
    pub inode: u64,
    /// What it is for.
    pub role: Role,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Role {
    /// A port or a datapath refers to it.
    Referenced,
    /// For requests and notifications.
    Own,
    /// Its process waits for packets on it by epoll, as `ovs-vswitchd` does only for the sockets of ports, but nothing
    /// refers to it: packets will never come.
    Orphaned,
    /// Nothing refers to it, and whose it is could not be read.
    Unknown,
}

impl Accounting {
    /// How many sockets have this role.
    pub fn count(&self, role: Role) -> usize {
        self.sockets.iter().filter(|socket| socket.role == role).count()
    }
}

/// What refers to sockets.
#[derive(Debug, Default)]
pub(crate) struct References {
    ports: BTreeSet<u32>,
    dispatch: BTreeMap<DpIfindex, Dispatch>,
}

impl References {
    pub(crate) fn of_datapath(&mut self, datapath: &Datapath) {
        self.dispatch.insert(datapath.ifindex, datapath.dispatch());
        self.add(&datapath.per_cpu_pids);
    }

    pub(crate) fn of_port(&mut self, port: &Vport) {
        self.add(&port.upcall_pids);
    }

    fn add(&mut self, ports: &[u32]) {
        // 0 stands for none.
        self.ports.extend(ports.iter().filter(|port| **port != 0));
    }
}

/// What `/proc` says of a process.
#[derive(Debug)]
pub(crate) struct Process {
    /// The generic netlink sockets of its network namespace by inode.
    sockets: BTreeMap<u64, Socket>,
    /// `None` if they could not be read.
    descriptors: Option<Descriptors>,
}

impl Process {
    pub(crate) fn read(pid: u32) -> Result<Self, Error> {
        let process = Path::new("/proc").join(format!("{pid}"));
        Ok(Self {
            sockets: sockets(&process.join("net/netlink"))?,
            descriptors: match Descriptors::read(&process) {
                Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => None,
                descriptors => Some(descriptors?),
            },
        })
    }

    /// Its sockets, beside what refers to sockets.
    pub(crate) fn account(self, references: References) -> Accounting {
        let References {
            ports: mut referenced,
            dispatch,
        } = references;
        let mut sockets = Vec::new();
        for (inode, mut socket) in self.sockets {
            socket.role = match &self.descriptors {
                Some(process) if !process.sockets.contains(&inode) => continue,
                _ if referenced.contains(&socket.port) => Role::Referenced,
                None => Role::Unknown,
                Some(process) if process.awaited.contains(&inode) => Role::Orphaned,
                Some(_) => Role::Own,
            };
            sockets.push(socket);
        }
        for socket in &sockets {
            referenced.remove(&socket.port);
        }
        Accounting {
            attributed: self.descriptors.is_some(),
            sockets,
            dangling: referenced,
            dispatch,
        }
    }
}

/// What a process has open.
#[derive(Debug, Default)]
struct Descriptors {
    /// Inodes of its sockets.
    sockets: BTreeSet<u64>,
    /// Inodes that it waits for by epoll.
    awaited: BTreeSet<u64>,
}

impl Descriptors {
    fn read(process: &Path) -> Result<Self, Error> {
        let mut descriptors = Self::default();
        let directory = process.join("fd");
        for entry in fs::read_dir(&directory).map_err(Error::file(&directory))? {
            let entry = entry.map_err(Error::file(&directory))?;
            // What is closed by now does not count.
            let Ok(target) = fs::read_link(entry.path()) else {
                continue;
            };
            let target = target.to_string_lossy();
            if let Some(inode) = target.strip_prefix("socket:[") {
                descriptors.sockets.extend(
                    inode
                        .strip_suffix(']')
                        .and_then(|inode| inode.parse::<u64>().ok()),
                );
            } else if target == "anon_inode:[eventpoll]" {
                let info = process.join("fdinfo").join(entry.file_name());
                match fs::read_to_string(&info) {
                    Ok(info) => descriptors.awaited.extend(awaited(&info)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(Error::file(&info)(error)),
                }
            }
        }
        Ok(descriptors)
    }
}

/// The inodes in lines like `tfd: 18 events: 80000019 data: 2 pos:0 ino:1f3a sdev:8`, see proc(5).
fn awaited(info: &str) -> impl Iterator<Item = u64> {
    info.lines()
        .filter(|line| line.starts_with("tfd:"))
        .filter_map(|line| {
            let inode = line
                .split_ascii_whitespace()
                .find_map(|word| word.strip_prefix("ino:"))?;
            u64::from_str_radix(inode, 16).ok()
        })
}

/// Every generic netlink socket in the table at `path`, by inode.
///
/// The kernel writes a page of it at a time, and finds its place again by counting rows: where a socket is opened or
/// closed meanwhile, another comes twice or not at all. So the table is read until a reading tells nothing new.
fn sockets(path: &Path) -> Result<BTreeMap<u64, Socket>, Error> {
    let mut sockets = BTreeMap::new();
    for _ in 0..READINGS {
        // Room for whole pages: without it, the standard library starts with reads of 32 bytes.
        let mut table = String::with_capacity(1 << 16);
        File::open(path)
            .and_then(|mut file| file.read_to_string(&mut table))
            .map_err(Error::file(path))?;
        let known = sockets.len();
        sockets.extend(rows(&table)?);
        if sockets.len() == known {
            break;
        }
    }
    Ok(sockets)
}

/// The generic netlink sockets of a table by inode.
fn rows(table: &str) -> Result<BTreeMap<u64, Socket>, Error> {
    // The first line has the names of the columns.
    let lines = (1..).zip(table.lines()).skip(1);
    let rows = lines.filter_map(|(line, text)| match parse(text) {
        Ok(socket) => socket.map(|socket| Ok((socket.inode, socket))),
        Err(Malformed) => Some(Err(Error::Row {
            line,
            text: text.to_owned(),
        })),
    });
    rows.collect()
}

struct Malformed;

/// A line `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode` of `/proc/net/netlink`; `None` if it is of another
/// protocol. Source: `net/netlink/af_netlink.c`.
fn parse(line: &str) -> Result<Option<Socket>, Malformed> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let mut column = || columns.next().ok_or(Malformed);
    let protocol: u32 = number(column()?)?;
    let port = number(column()?)?;
    let groups = u32::from_str_radix(column()?, 16).map_err(|_| Malformed)?;
    let queued = number(column()?)?;
    let [_, _, _] = [column()?, column()?, column()?];
    let drops = number(column()?)?;
    let inode = number(column()?)?;
    Ok((protocol == NETLINK_GENERIC).then_some(Socket {
        port,
        groups,
        queued,
        drops,
        inode,
        role: Role::Unknown,
    }))
}

fn number<T: core::str::FromStr>(column: &str) -> Result<T, Malformed> {
    column.parse().map_err(|_| Malformed)
}

const NETLINK_GENERIC: u32 = 16;

/// How often the table is read at most, if sockets are opened all the time.
const READINGS: usize = 10;

#[cfg(test)]
mod tests {
    use alloc::vec;
    use core::iter;
    use core::sync::atomic::{AtomicBool, Ordering};
    use std::{process, thread};

    use crate::socket::{Options, Socket as Netlink};

    use super::*;

    /// Linux 6.1.
    const TABLE: &str = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000005e479782 0   26853      00000440 0        0        0     2        0        453153  
000000002bb8e42d 16  4143736739 00000000 0        0        0     2        0        11  
00000000cb442669 16  25113      00000200 212992   0        0     2        7        12  
000000006ac8033f 16  4143736740 00000000 0        0        0     2        0        13  
000000006ac8033f 16  99         00000000 0        0        0     2        0        14  
";

    fn descriptors() -> Descriptors {
        let info = "pos:\t0\nflags:\t02\n\
                    tfd:       18 events:       19 data:                2  pos:0 ino:b sdev:8\n\
                    tfd:       19 events:       19 data:                3  pos:0 ino:d sdev:8\n";
        Descriptors {
            sockets: [11, 12, 13].into(),
            awaited: awaited(info).collect(),
        }
    }

    fn account(descriptors: Option<Descriptors>, references: References) -> Accounting {
        let sockets = rows(TABLE).unwrap();
        Process { sockets, descriptors }.account(references)
    }

    fn to<const N: usize>(ports: [u32; N]) -> References {
        let mut references = References::default();
        references.add(&ports);
        references
    }

    fn roles(accounting: &Accounting) -> Vec<(u32, Role)> {
        accounting
            .sockets
            .iter()
            .map(|socket| (socket.port, socket.role))
            .collect()
    }

    #[test]
    fn a_socket_that_is_awaited_and_that_nobody_refers_to_is_an_orphan() {
        let accounting = account(Some(descriptors()), to([4_143_736_739, 5]));
        let expected = [
            (4_143_736_739, Role::Referenced),
            (25_113, Role::Own),
            (4_143_736_740, Role::Orphaned),
        ];
        assert_eq!(roles(&accounting), expected);
        assert_eq!((accounting.attributed, accounting.dangling), (true, [5].into()));
        let own = &accounting.sockets[1];
        assert_eq!(
            (own.groups, own.queued, own.drops, own.inode),
            (0x200, 212_992, 7, 12)
        );
    }

    #[test]
    fn without_the_descriptors_there_are_counts_of_the_namespace() {
        let accounting = account(None, to([99]));
        assert_eq!((accounting.attributed, accounting.dangling.len()), (false, 0));
        assert_eq!(accounting.count(Role::Referenced), 1);
        assert_eq!(accounting.count(Role::Unknown), 3);
        assert_eq!(accounting.sockets.len(), 4);
    }

    #[test]
    fn each_socket_is_listed_once_while_others_come_and_go() {
        let open = || Netlink::open(&Options::default()).unwrap();
        let sockets: Vec<Netlink> = iter::repeat_with(open).take(30).collect();
        let mut ports: Vec<u32> = sockets.iter().map(Netlink::port).collect();
        ports.sort_unstable();
        let listed = || {
            let process = Process::read(process::id()).unwrap();
            let mut listed: Vec<u32> = process.sockets.values().map(|socket| socket.port).collect();
            listed.retain(|port| ports.binary_search(port).is_ok());
            listed.sort_unstable();
            listed
        };
        let done = AtomicBool::new(false);
        let complete = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop((open(), open()));
                }
            });
            let complete = (0..200).filter(|_| listed() == ports).count();
            done.store(true, Ordering::Relaxed);
            complete
        });
        assert_eq!(complete, 200);
    }

    #[test]
    fn a_line_of_another_shape_is_an_error_with_its_number() {
        for line in [
            "0 16 1 0 0 0 0 2 0",
            "0 16 1 0 0 0 0 2 0 x",
            "0 16 -1 0 0 0 0 2 0 5",
            "",
        ] {
            let table = format!("header\n{}\n{line}\n", TABLE.lines().nth(1).unwrap());
            match rows(&table) {
                Err(Error::Row { line: 3, text }) => assert_eq!(text, line),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_epoll_instance_without_targets_awaits_nothing() {
        let none: Vec<u64> = vec![];
        assert_eq!(awaited("pos:\t0\nflags:\t02\n").collect::<Vec<_>>(), none);
        assert_eq!(awaited("tfd: 18 events: 19 data: 2\n").collect::<Vec<_>>(), none);
    }
}
