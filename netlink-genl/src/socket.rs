//! The netlink socket: the one file with `unsafe` code, each block a single system call.
//!
//! `rustix` 1.1 and `std` know neither the options of `SOL_NETLINK` nor its addresses as a sender, hence `libc`.
//!
//! Source: `linux/netlink.h`, netlink(7).
//!
//! ```no_run
//! use netlink_genl::socket::{Options, Socket};
//!
//! let socket = Socket::open(&Options::default())?;
//! println!("the kernel knows us as port {}", socket.port());
//! # Ok::<(), netlink_genl::Error>(())
//! ```
#![expect(unsafe_code, reason = "system calls that no safe wrapper has")]

use core::mem;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{io, panic, thread};

use crate::Error;

/// What is at the other end of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// `NETLINK_GENERIC`: families by number.
    #[default]
    Generic,
    /// `NETLINK_ROUTE`: links and namespaces, among other things.
    Route,
}

/// How a socket is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// What is at the other end. Default: generic netlink.
    pub protocol: Protocol,
    /// How long a read waits before it is an error. Default: 5 s.
    pub timeout: Duration,
    /// Bytes that the kernel may queue for the socket (`SO_RCVBUF`; past `net.core.rmem_max` it takes
    /// `CAP_NET_ADMIN`, and without it the kernel gives less). Default: what the kernel gives by itself.
    pub receive_buffer: Option<usize>,
    /// The network namespace to open it in, `/run/netns/NAME` or `/proc/PID/ns/net`; it takes `CAP_SYS_ADMIN`. Default:
    /// the one that the calling thread is in.
    pub namespace: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: Protocol::Generic,
            timeout: Duration::from_secs(5),
            receive_buffer: None,
            namespace: None,
        }
    }
}

/// A netlink socket of the network namespace that the calling thread is in, or of another one.
///
/// It is connected to the kernel, so that no other process can send to it alone. (To a group that it has joined, a
/// privileged one can: hence the sender's port beside each datagram.) It explains errors (`NETLINK_EXT_ACK`)
/// without quoting whole requests (`NETLINK_CAP_ACK`), and is closed on `exec`. It does not block.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    port: u32,
    timeout: Duration,
}

impl Socket {
    /// Opens a socket.
    ///
    /// In another network namespace a thread of its own enters that and ends; the caller's stays where it is. Once
    /// open, the socket belongs to the namespace, whichever thread uses it.
    ///
    /// # Errors
    /// [`Error::Io`] if the kernel refuses the socket, an option, or to enter the namespace; [`Error::File`] if there is
    /// no such namespace.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let Some(path) = &options.namespace else {
            return Self::open_here(options);
        };
        let namespace = File::open(path).map_err(Error::file(path))?;
        let enter_and_open = || {
            // SAFETY: the call takes no pointers, and moves only this thread, which runs nothing else.
            let entered = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
            check("setns", entered)?;
            Self::open_here(options)
        };
        let ended = thread::scope(|scope| {
            let started = thread::Builder::new().spawn_scoped(scope, enter_and_open);
            started.map(thread::ScopedJoinHandle::join)
        });
        match ended {
            Ok(Ok(opened)) => opened,
            Ok(Err(panicked)) => panic::resume_unwind(panicked),
            Err(source) => Err(Error::Io {
                operation: "clone",
                source,
            }),
        }
    }

    fn open_here(options: &Options) -> Result<Self, Error> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        let protocol = match options.protocol {
            Protocol::Generic => libc::NETLINK_GENERIC,
            Protocol::Route => libc::NETLINK_ROUTE,
        };
        // SAFETY: the call takes no pointers.
        let fd = check("socket", unsafe {
            libc::socket(libc::AF_NETLINK, kind, protocol)
        })?;
        // SAFETY: the descriptor is new, so nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        for option in [
            libc::NETLINK_EXT_ACK,
            libc::NETLINK_CAP_ACK,
            libc::NETLINK_PKTINFO,
        ] {
            set_option(&fd, libc::SOL_NETLINK, option, &1)?;
        }
        if let Some(bytes) = options.receive_buffer {
            let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
            set_option(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &bytes)
                .or_else(|_| set_option(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &bytes))?;
        }
        let port = connect(&fd)?;
        Ok(Self {
            fd,
            port,
            timeout: options.timeout,
        })
    }

    /// Joins a multicast group by its number, [`Group::id`](crate::ctrl::Group::id) for one. It takes no privilege.
    ///
    /// # Errors
    /// [`Error::Io`], with `ENOENT` or `EINVAL` for a number that no group has.
    pub fn join(&self, group: u32) -> Result<(), Error> {
        set_option(&self.fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, &group)
    }

    /// The number of the socket, which is in `nlmsg_pid` of the answers to it.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Sends one datagram to the kernel.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn send(&self, datagram: &[u8]) -> Result<(), Error> {
        loop {
            // SAFETY: pointer and length are those of a slice that outlives the call, which only reads it.
            let sent =
                unsafe { libc::send(self.fd.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), 0) };
            // A datagram goes whole or not at all.
            match check("send", sent) {
                Err(error) if is(&error, libc::EINTR) => {}
                sent => return sent.map(|_| ()),
            }
        }
    }

    /// Waits for a datagram and reads it into `buffer`.
    ///
    /// # Errors
    /// [`Error::Timeout`]; [`Error::Overrun`] if the kernel dropped messages before; [`Error::Truncated`] if `buffer`
    /// is too small, and the datagram is gone then; [`Error::Io`].
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Datagram<'b>, Error> {
        let start = Instant::now();
        let received = loop {
            // The kernel answers most requests before `send` returns, so that there is nothing to wait for.
            if let Some(received) = self.receive_some(buffer)? {
                break received;
            }
            let left = self.timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Error::Timeout { after: self.timeout });
            }
            wait_for_any([self], left)?;
        };
        received.whole(buffer)
    }

    /// As [`Socket::receive`], without waiting: `None` if nothing is there.
    ///
    /// # Errors
    /// As [`Socket::receive`], except the timeout.
    pub fn try_receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<Datagram<'b>>, Error> {
        match self.receive_some(buffer)? {
            Some(received) => received.whole(buffer).map(Some),
            None => Ok(None),
        }
    }

    /// What [`Socket::receive_now`] returns, or `None` if nothing is there.
    fn receive_some(&self, buffer: &mut [u8]) -> Result<Option<Received>, Error> {
        loop {
            match self.receive_now(buffer) {
                Err(error) if is(&error, libc::EAGAIN) => return Ok(None),
                Err(error) if is(&error, libc::EINTR) => {}
                Err(error) if is(&error, libc::ENOBUFS) => return Err(Error::Overrun),
                received => return received.map(Some),
            }
        }
    }

    fn receive_now(&self, buffer: &mut [u8]) -> Result<Received, Error> {
        let mut sender = address();
        let mut control = Control([0; CONTROL_LEN]);
        let mut part = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        // SAFETY: the struct is integers and pointers, for which zeros are valid.
        let mut header: libc::msghdr = unsafe { mem::zeroed() };
        header.msg_name = (&raw mut sender).cast();
        header.msg_namelen = len_of::<libc::sockaddr_nl>();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut control).cast();
        header.msg_controllen = len_of::<Control>().try_into().unwrap_or_default();
        // SAFETY: the pointers in `header` are to values that outlive the call and that nothing else refers to, each with
        // its own length; any bytes make a valid sockaddr_nl. With MSG_TRUNC the result may exceed the length of the
        // buffer, but no more than that is written.
        let len = check("recvmsg", unsafe {
            libc::recvmsg(
                self.fd.as_raw_fd(),
                &raw mut header,
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
            )
        })?;
        Ok(Received {
            len: len.unsigned_abs(),
            source: sender.nl_pid,
            group: group(&header),
        })
    }
}

/// What was read, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'b> {
    /// The messages.
    pub bytes: &'b [u8],
    /// The port of the sender, 0 for the kernel.
    pub source: u32,
    /// The multicast group that it was sent to, 0 if it was sent to this socket alone (`NETLINK_PKTINFO`).
    pub group: u32,
}

/// A datagram that may be longer than the buffer.
struct Received {
    len: usize,
    source: u32,
    group: u32,
}

impl Received {
    fn whole(self, buffer: &[u8]) -> Result<Datagram<'_>, Error> {
        let Self { len, source, group } = self;
        let got = buffer.len();
        match buffer.get(..len) {
            Some(bytes) => Ok(Datagram { bytes, source, group }),
            None => Err(Error::Truncated { wanted: len, got }),
        }
    }
}

/// Room for the control message of `NETLINK_PKTINFO`, aligned as any header.
#[repr(C, align(8))]
struct Control([u8; CONTROL_LEN]);

/// A header of 16 bytes and an u32, and as much again.
const CONTROL_LEN: usize = 48;

/// The group in the control messages of what was received, 0 without one.
fn group(header: &libc::msghdr) -> u32 {
    // SAFETY: `header` was filled by recvmsg, and its control buffer is still there.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: a header that is not null is whole, and within the control buffer, which is aligned for it.
        let control = unsafe { *next };
        if (control.cmsg_level, control.cmsg_type) == (libc::SOL_NETLINK, libc::NETLINK_PKTINFO) {
            // SAFETY: the kernel writes struct nl_pktinfo, a u32, behind this header.
            return unsafe { libc::CMSG_DATA(next).cast::<u32>().read_unaligned() };
        }
        // SAFETY: as for the first one.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    0
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Returns when there may be something to read from one of the sockets, or when `left` is over, or earlier.
///
/// # Errors
/// [`Error::Io`].
pub fn wait_for_any<const N: usize>(sockets: [&Socket; N], left: Duration) -> Result<(), Error> {
    let millis = left.as_nanos().div_ceil(1_000_000);
    let millis = libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX);
    let mut polls = sockets.map(|socket| libc::pollfd {
        fd: socket.fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    let count = libc::nfds_t::try_from(N).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: pointer and count are those of an array of pollfd that outlives the call, which may read and write it.
    let ready = unsafe { libc::poll(polls.as_mut_ptr(), count, millis) };
    match check("poll", ready) {
        Err(error) if !is(&error, libc::EINTR) => Err(error),
        _ => Ok(()),
    }
}

/// Connects to the kernel, port 0, which binds the socket to a port of its own, and returns that.
fn connect(fd: &OwnedFd) -> Result<u32, Error> {
    let mut own = address();
    let mut len = len_of::<libc::sockaddr_nl>();
    // SAFETY: `own` is a whole sockaddr_nl of `len` bytes, which the call only reads.
    check("connect", unsafe {
        libc::connect(fd.as_raw_fd(), (&raw const own).cast(), len)
    })?;
    // SAFETY: `own` has room for the `len` bytes that the call may write; any bytes make a valid sockaddr_nl.
    check("getsockname", unsafe {
        libc::getsockname(fd.as_raw_fd(), (&raw mut own).cast(), &raw mut len)
    })?;
    Ok(own.nl_pid)
}

fn set_option<T>(fd: &OwnedFd, level: libc::c_int, option: libc::c_int, value: &T) -> Result<(), Error> {
    let len = len_of::<T>();
    // SAFETY: `value` is `len` bytes that outlive the call, which only reads them.
    check("setsockopt", unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(value).cast(),
            len,
        )
    })
    .map(|_| ())
}

/// `struct sockaddr_nl` of the kernel.
fn address() -> libc::sockaddr_nl {
    // SAFETY: the struct is plain integers, for which zeros are valid.
    let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
    address.nl_family = libc::sa_family_t::try_from(libc::AF_NETLINK).unwrap_or_default();
    address
}

/// The size of `T`, which is some bytes, for a system call.
fn len_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

/// The result of a system call that says -1 for an error.
fn check<T: Default + PartialOrd>(operation: &'static str, result: T) -> Result<T, Error> {
    if result < T::default() {
        let source = io::Error::last_os_error();
        return Err(Error::Io { operation, source });
    }
    Ok(result)
}

fn is(error: &Error, errno: libc::c_int) -> bool {
    matches!(error, Error::Io { source, .. } if source.raw_os_error() == Some(errno))
}
