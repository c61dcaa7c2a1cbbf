//! The netlink socket: the one file with `unsafe` code, each block a single system call.
//!
//! `rustix` 1.1 and `std` know neither the options of `SOL_NETLINK` nor its addresses as a sender, hence `libc`.
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
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::Error;

/// How a socket is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How long a read waits before it is an error. Default: 5 s.
    pub timeout: Duration,
    /// Bytes that the kernel may queue for the socket (`SO_RCVBUF`; past `net.core.rmem_max` it takes
    /// `CAP_NET_ADMIN`, and without it the kernel gives less). Default: what the kernel gives by itself.
    pub receive_buffer: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            receive_buffer: None,
        }
    }
}

/// A generic netlink socket of the network namespace that the calling thread is in.
///
/// It is connected to the kernel, so that no other process can send to it. It explains errors (`NETLINK_EXT_ACK`)
/// without quoting whole requests (`NETLINK_CAP_ACK`), and is closed on `exec`.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    port: u32,
    timeout: Duration,
}

impl Socket {
    /// Opens a socket.
    ///
    /// # Errors
    /// [`Error::Io`] if the kernel refuses the socket or an option.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: the call takes no pointers.
        let fd = check("socket", unsafe {
            libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_GENERIC)
        })?;
        // SAFETY: the descriptor is new, so nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, &1)?;
        set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, &1)?;
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

    /// Waits for a datagram, reads it into `buffer`, and returns it with the port of its sender, 0 for the kernel.
    ///
    /// # Errors
    /// [`Error::Timeout`]; [`Error::Overrun`] if the kernel dropped messages before; [`Error::Truncated`] if `buffer`
    /// is too small, and the datagram is gone then; [`Error::Io`].
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<(&'b [u8], u32), Error> {
        let start = Instant::now();
        let (len, source) = loop {
            // The kernel answers most requests before `send` returns, so that there is nothing to wait for.
            match self.receive_now(buffer) {
                Err(error) if is(&error, libc::EAGAIN) => self.wait(start)?,
                Err(error) if is(&error, libc::EINTR) => {}
                Err(error) if is(&error, libc::ENOBUFS) => return Err(Error::Overrun),
                received => break received?,
            }
        };
        let got = buffer.len();
        let datagram = buffer.get(..len).ok_or(Error::Truncated { wanted: len, got })?;
        Ok((datagram, source))
    }

    /// The length of the next datagram, which may exceed that of `buffer`, and the port of its sender.
    fn receive_now(&self, buffer: &mut [u8]) -> Result<(usize, u32), Error> {
        let mut sender = address();
        let mut sender_len = len_of::<libc::sockaddr_nl>();
        // SAFETY: buffer and length are those of a slice that outlives the call and that nothing else refers to;
        // `sender` has room for the `sender_len` bytes that the call may write, and any bytes make a valid
        // sockaddr_nl. With MSG_TRUNC the result may exceed the length, but no more than the length is written.
        let len = check("recvfrom", unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
                (&raw mut sender).cast(),
                &raw mut sender_len,
            )
        })?;
        Ok((len.unsigned_abs(), sender.nl_pid))
    }

    /// Returns when there may be something to read, but not later than the timeout after `start`.
    fn wait(&self, start: Instant) -> Result<(), Error> {
        let left = self.timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(Error::Timeout { after: self.timeout });
        }
        let millis = left.as_nanos().div_ceil(1_000_000);
        let millis = libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX);
        let mut poll = libc::pollfd {
            fd: self.fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: `poll` is the one pollfd that the call may read and write.
        let ready = unsafe { libc::poll(&raw mut poll, 1, millis) };
        match check("poll", ready) {
            Err(error) if !is(&error, libc::EINTR) => Err(error),
            _ => Ok(()),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
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
