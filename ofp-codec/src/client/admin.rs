use std::{boxed::Box, vec::Vec};

use crate::{
    client::{connection::Connection, error::Error},
    model::{
        flow::Flow,
        flow_mod::{FlowCommand, FlowMod},
        version::Version,
    },
    wire::{
        BundleAdd, BundleControl, BundleFlags, BundleStep, CtFlush, Description, EncodeError, ErrorMessage,
        Message, MessageKind, PacketIn, PacketOut,
    },
};

/// A connection that may change the switch.
///
/// ```no_run
/// use ofp_codec::{FlowMod, client::{Admin, Connection, Error, Options}, text::FlowRef};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = Connection::connect("unix:/run/openvswitch/br0.mgmt", Options::default()).await?;
/// let mut admin = Admin::new(connection);
/// let flow = FlowRef::parse(b"priority=5,tcp,tp_dst=80 actions=NORMAL")?.to_flow()?;
/// admin.add_flow(flow).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Admin {
    connection: Connection,
    bundles: u32,
    /// The switch was told that commands have tables, which those of OpenFlow 1.0 have not by themselves.
    has_tables: bool,
}

impl Admin {
    /// Takes a connection.
    pub fn new(connection: Connection) -> Self {
        Admin {
            connection,
            bundles: 0,
            has_tables: false,
        }
    }

    /// The connection, to read.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Gives it back.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// Adds a flow, or replaces the one of its table, match and priority.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub async fn add_flow(&mut self, flow: Flow) -> Result<(), Error> {
        self.change(&[FlowMod::add(flow)]).await
    }

    /// Deletes the flow of this table, match and priority. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub async fn delete_flow(&mut self, flow: Flow) -> Result<(), Error> {
        self.change(&[FlowMod::new(FlowCommand::DELETE_STRICT, flow)])
            .await
    }

    /// Makes changes one by one, in order, and waits until the switch is done with them. It stops at the
    /// first one that is refused; those that were under way then may be made all the same.
    ///
    /// # Errors
    ///
    /// [`Error::Change`] for the first change that the switch refuses, or that has no bytes in this
    /// version; and as all requests. If it is dropped half-way, some changes are made.
    pub async fn change(&mut self, changes: &[FlowMod]) -> Result<(), Error> {
        let mut pending = Pending::default();
        let sent = self.send(changes, None, &mut pending).await;
        let settled = self.settle(MessageKind::BarrierRequest, None, &mut pending).await;
        pending.result(changes, sent.and(settled))
    }

    /// Makes all changes at once or none: in a bundle, which needs OpenFlow 1.3.
    ///
    /// # Errors
    ///
    /// [`Error::Change`] for the first change that the switch refuses, or that has no bytes in this
    /// version; and as all requests. Nothing is changed then, unless the connection ends while the switch
    /// commits. The same is true if it is dropped half-way.
    pub async fn change_all(&mut self, changes: &[FlowMod]) -> Result<(), Error> {
        let mut pending = Pending::default();
        // One that was given up half-way may still be open.
        self.bundles = self.bundles.wrapping_add(1);
        self.settle_bundle(BundleStep::OPEN, &mut pending).await?;
        let sent = self.send(changes, Some(self.bundles), &mut pending).await;
        // A message that is refused does not spoil the bundle: only the barrier tells that all are in.
        let settled = self.settle(MessageKind::BarrierRequest, None, &mut pending).await;
        let mut result = sent.and(settled);
        if result.is_ok() && pending.refused.is_none() {
            result = self.settle_bundle(BundleStep::COMMIT, &mut pending).await;
        } else if !matches!(&result, Err(error) if error.is_connection_lost()) {
            self.settle_bundle(BundleStep::DISCARD, &mut pending).await?;
        }
        pending.result(changes, result)
    }

    /// Gives the switch a packet, and waits until it is done with it.
    ///
    /// # Errors
    ///
    /// As all requests, and for what the version cannot say.
    pub async fn packet_out(&mut self, packet: &PacketOut) -> Result<(), Error> {
        let xid = self.connection.send(|version, xid, out| {
            let kind = MessageKind::PacketOut;
            kind.encode(version, xid, out, |writer| packet.encode(version, writer))
        })?;
        self.connection.done(xid).await
    }

    /// Has the switch forget connections, and waits until it is done.
    ///
    /// Releases before 3.3 pass over the mark and the labels, and would flush more: where these are given, the switch is
    /// asked for its release first. A fork with another number is taken at its word with
    /// [`flush_connections_of_any`](Self::flush_connections_of_any).
    ///
    /// # Errors
    ///
    /// [`Error::Release`] if the switch is older, or does not say `3.3.0`; and as all requests.
    pub async fn flush_connections(&mut self, flush: &CtFlush) -> Result<(), Error> {
        if flush.needs_release_3_3() {
            let said = self.connection.description().await?;
            if !is_open_vswitch_since(&said, (3, 3)) {
                return Err(Error::Release {
                    what: "a mark or labels of connections to flush",
                    needs: "3.3",
                    release: said.software.into(),
                });
            }
        }
        self.flush_connections_of_any(flush).await
    }

    /// The same of a switch that is known to take all of it, whatever it calls itself.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn flush_connections_of_any(&mut self, flush: &CtFlush) -> Result<(), Error> {
        let xid = self.connection.send(|version, xid, out| {
            MessageKind::CtFlush.encode(version, xid, out, |writer| flush.encode(writer))
        })?;
        self.connection.done(xid).await
    }

    /// Has the switch go on with a packet that it gave with a
    /// [`continuation`](crate::wire::PacketIn::continuation), and waits until it is done with it.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn resume(&mut self, packet: &PacketIn<'_>) -> Result<(), Error> {
        let resume = |version, xid, out: &mut Vec<u8>| packet.encode_resume(version, xid, out);
        let xid = self.connection.send(resume)?;
        self.connection.done(xid).await
    }

    /// Sends changes, alone or into a bundle, until one is refused.
    async fn send(
        &mut self,
        changes: &[FlowMod],
        bundle: Option<u32>,
        pending: &mut Pending,
    ) -> Result<(), Error> {
        if self.connection.version() == Version::V1_0 && !self.has_tables {
            self.connection.send(|version, xid, out| {
                MessageKind::FlowModTableId.encode(version, xid, out, |writer| {
                    writer.u8(1);
                    writer.zeros(7);
                    Ok(())
                })
            })?;
            self.has_tables = true;
        }
        for change in changes {
            let sent = self.connection.send(|version, xid, out| match bundle {
                None => change.encode(version, xid, out),
                Some(bundle) => add_to_bundle(bundle, change, version, xid, out),
            });
            match sent {
                Ok(xid) => pending.xids.push(xid),
                Err(error) => {
                    pending.unencodable = true;
                    return Err(error);
                }
            }
            self.connection.make_room(|message| pending.take(message)).await?;
            if pending.refused.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Sends a request and waits for its reply; takes note of changes that are refused meanwhile.
    async fn settle(
        &mut self,
        kind: MessageKind,
        body: Option<BundleControl>,
        pending: &mut Pending,
    ) -> Result<(), Error> {
        let xid = self.connection.send(|version, xid, out| {
            kind.encode(version, xid, out, |writer| {
                body.map_or(Ok(()), |body| body.encode(writer))
            })
        })?;
        let reply = self.connection.reply_among(xid, |message| pending.take(message));
        reply.await.map(drop)
    }

    async fn settle_bundle(&mut self, step: BundleStep, pending: &mut Pending) -> Result<(), Error> {
        let control = BundleControl {
            bundle: self.bundles,
            step,
            flags: ALL_OR_NOTHING,
        };
        self.settle(MessageKind::BundleControl, Some(control), pending)
            .await
    }
}

/// Changes that are sent, and the first one that was refused.
#[derive(Default)]
struct Pending {
    xids: Vec<u32>,
    refused: Option<(usize, ErrorMessage)>,
    /// The change behind those that are sent cannot be.
    unencodable: bool,
}

impl Pending {
    /// Whether the message is about one of the changes.
    fn take(&mut self, message: &Message<'_>) -> bool {
        if message.kind() != Some(MessageKind::Error) {
            return false;
        }
        let xid = message.header().xid;
        let Some(index) = self.xids.iter().position(|known| *known == xid) else {
            return false;
        };
        if let Ok(error) = ErrorMessage::decode(message) {
            let earlier = self.refused.as_ref().is_some_and(|(known, _)| *known < index);
            if !earlier {
                self.refused = Some((index, error));
            }
        }
        true
    }

    /// What became of the changes: a change that was refused is the reason for all else.
    fn result(self, changes: &[FlowMod], result: Result<(), Error>) -> Result<(), Error> {
        let (index, error) = match (self.refused, result) {
            (_, Err(error)) if error.is_connection_lost() => return Err(error),
            (Some((index, error)), _) => (index, Error::Refused(error)),
            (None, Err(error)) if self.unencodable => (self.xids.len(), error),
            (None, result) => return result,
        };
        let Some(change) = changes.get(index) else {
            return Err(error);
        };
        Err(Error::Change {
            index,
            change: Box::new(change.clone()),
            error: Box::new(error),
        })
    }
}

/// Whether the switch says that it is Open vSwitch of this release, or a later one.
fn is_open_vswitch_since(said: &Description, since: (u16, u16)) -> bool {
    let mut parts = said.software.split('.').map(str::parse::<u16>);
    let release = match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => return false,
    };
    &*said.hardware == "Open vSwitch" && release >= since
}

fn add_to_bundle(
    bundle: u32,
    change: &FlowMod,
    version: Version,
    xid: u32,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut message = Vec::new();
    change.encode(version, xid, &mut message)?;
    let add = BundleAdd {
        bundle,
        flags: ALL_OR_NOTHING,
        message: &message,
    };
    MessageKind::BundleAddMessage.encode(version, xid, out, |writer| add.encode(writer))
}

const ALL_OR_NOTHING: BundleFlags = BundleFlags(BundleFlags::ATOMIC.0 | BundleFlags::ORDERED.0);
