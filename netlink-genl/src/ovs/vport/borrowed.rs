//! A port that stays where it was read.

use core::ffi::CStr;

use super::{ATTR_IFINDEX, ATTR_NAME, ATTR_NETNSID, ATTR_PORT_NO, ATTR_STATS, ATTR_TYPE, ATTR_UPCALL_PID};
use super::{Kind, Stats};
use crate::message::{DecodeError, Message};
use crate::nlattr::Attr;
use crate::ovs::{DpIfindex, split, table};

/// A port in the datagram that it came in, read in one pass without a copy: for who looks at many ports and keeps few.
///
/// Options and counters of upcalls are passed over; [`Vport`](super::Vport) has them.
///
/// ```
/// use netlink_genl::message::{Messages, Request};
/// use netlink_genl::nlattr::Sink;
/// use netlink_genl::ovs::vport::{Kind, VportRef};
///
/// let answer = Request::genl(0x21, 1, 1, &9i32.to_ne_bytes()).attrs(|s| {
///     s.attr_u32(1, 2)?;
///     s.attr_u32(2, Kind::INTERNAL.0)?;
///     s.attr(3, b"int0\0")?;
///     s.attr_u32(5, 4711)
/// })?;
/// let mut datagram = Vec::new();
/// answer.encode(7, &mut datagram)?;
///
/// let message = Messages::new(&datagram).next().unwrap()?;
/// let port = VportRef::decode(&message)?;
/// assert_eq!((port.port_no, port.name, port.ifindex), (2, c"int0", None));
/// assert!(port.upcall_pids()?.eq([4711]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VportRef<'a> {
    /// `dp_ifindex` of the header: the datapath that has the port.
    pub datapath: DpIfindex,
    /// The port number, 0 for the local port.
    pub port_no: u32,
    /// What is behind the port.
    pub kind: Kind,
    /// The name of its device, or of the tunnel.
    pub name: &'a CStr,
    /// Interface index of the device in the namespace where it is now.
    pub ifindex: Option<u32>,
    /// The namespace of the device, if it is in another one than the socket.
    pub netnsid: Option<i32>,
    upcall_pids: Option<Attr<'a>>,
    stats: Option<Attr<'a>>,
}

impl<'a> VportRef<'a> {
    /// Reads a port from an answer or a notification of the family.
    ///
    /// # Errors
    /// As [`Vport::decode`](super::Vport::decode), except for what is passed over.
    #[inline]
    pub fn decode(message: &Message<'a>) -> Result<Self, DecodeError> {
        let (datapath, attrs) = split(message)?;
        let (mut port_no, mut kind, mut name) = (None, None, None);
        let (mut ifindex, mut netnsid) = (None, None);
        let (mut upcall_pids, mut stats) = (None, None);
        for attr in attrs {
            let attr = attr?;
            match attr.kind() {
                ATTR_PORT_NO => port_no = Some(attr.u32()?),
                ATTR_TYPE => kind = Some(Kind(attr.u32()?)),
                ATTR_NAME => name = Some(attr.c_str()?),
                ATTR_UPCALL_PID => upcall_pids = Some(attr),
                ATTR_STATS => stats = Some(attr),
                ATTR_IFINDEX => ifindex = Some(attr.u32()?),
                ATTR_NETNSID => netnsid = Some(attr.i32()?),
                _ => {}
            }
        }
        let missing = |kind| DecodeError::Missing {
            offset: message.offset(),
            kind,
        };
        Ok(Self {
            datapath,
            port_no: port_no.ok_or(missing(ATTR_PORT_NO))?,
            kind: kind.ok_or(missing(ATTR_TYPE))?,
            name: name.ok_or(missing(ATTR_NAME))?,
            ifindex,
            netnsid,
            upcall_pids,
            stats,
        })
    }

    /// Netlink ports that take packets without a flow.
    ///
    /// # Errors
    /// [`DecodeError::Attr`] if they are not whole words.
    pub fn upcall_pids(&self) -> Result<impl Iterator<Item = u32> + 'a, DecodeError> {
        let words = self.upcall_pids.as_ref().map(table::chunks).transpose()?;
        Ok(words.into_iter().flatten().map(u32::from_ne_bytes))
    }

    /// Counters of packets and bytes.
    ///
    /// # Errors
    /// [`DecodeError::Attr`] if they are not 64 bytes.
    pub fn stats(&self) -> Result<Option<Stats>, DecodeError> {
        let read = |attr| <Stats as table::Payload>::decode(&attr);
        Ok(self.stats.map(read).transpose()?)
    }
}
