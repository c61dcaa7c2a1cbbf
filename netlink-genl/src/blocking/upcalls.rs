//! Taking packets from a datapath, waiting for each.

use core::time::Duration;
use std::time::Instant;

use crate::Error;
use crate::link::Inbox;
use crate::ovs::packet::Packet;
use crate::socket;

/// Packets that ports or a datapath send to [`Upcalls::port`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use netlink_genl::blocking::Admin;
/// use netlink_genl::ovs::datapath::PerCpu;
/// use netlink_genl::ovs::vport::Upcall;
/// use netlink_genl::socket::Options;
///
/// let mut admin = Admin::open()?;
/// let datapath = admin.add_datapath(c"dp0", Default::default(), 0)?.ifindex;
/// let mut upcalls = admin.upcalls(&Options::default())?;
/// // Those of one port, or those of the whole datapath.
/// admin.set_upcall(datapath, 0, &Upcall::Ports(vec![upcalls.port()]))?;
/// admin.set_datapath(datapath, |settings| settings.per_cpu = Some(PerCpu::new(upcalls.port(), &[])))?;
/// while let Some(packet) = upcalls.packet(Duration::from_secs(60))? {
///     println!("{}: {} bytes", packet.reason, packet.packet.len());
/// }
/// # Ok::<(), netlink_genl::Error>(())
/// ```
#[derive(Debug)]
pub struct Upcalls {
    pub(crate) inbox: Inbox,
}

impl Upcalls {
    pub(crate) fn new(inbox: Inbox) -> Result<Self, Error> {
        Ok(Self { inbox })
    }

    /// Waits for the next packet, not longer than `within`.
    ///
    /// # Errors
    /// [`Error::Overrun`] if packets were lost, since too many waited to be taken; [`Error::UnexpectedSource`] if another
    /// process sent to the socket; [`Error::Decode`] for a packet that cannot be read; [`Error::Io`]. After all but the
    /// last the next call goes on.
    pub fn packet(&mut self, within: Duration) -> Result<Option<Packet>, Error> {
        let start = Instant::now();
        loop {
            if let Some(packet) = self.inbox.take()? {
                return Ok(Some(packet));
            }
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            socket::wait_for_any([self.inbox.socket()], left)?;
        }
    }
}
