//! What a switch can be asked for.

use std::{time::Duration, vec::Vec};

use tokio::time::Instant;

use crate::{
    client::{
        connection::Connection,
        dump::{Dump, decode_entries, decode_flows},
        error::Error,
        monitor::FlowMonitor,
    },
    model::{flow::Flow, names::Names, port::Port, version::Version},
    wire::{
        Aggregate, Description, Entry, Features, FlowRequest, Message, MessageKind, MonitorRequest,
        PacketInFormat, PortDesc, SwitchConfig, TableFeatures, TableName, TableStats, Writer,
    },
};

impl Connection {
    /// What the switch says of itself: its number, tables and abilities.
    ///
    /// # Errors
    ///
    /// As all requests: if the switch refuses it or does not answer in time, and if the connection ends.
    pub async fn features(&mut self) -> Result<Features, Error> {
        let reply = self.call(MessageKind::FeaturesRequest, |_| Ok(())).await?;
        Ok(Features::decode(&Message::parse(&reply)?)?)
    }

    /// What the switch is.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn description(&mut self) -> Result<Description, Error> {
        let reply = self.call(MessageKind::DescRequest, |_| Ok(())).await?;
        Ok(Description::decode(&Message::parse(&reply)?)?)
    }

    /// What the switch does with fragments, and how much of a packet it gives this connection.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn config(&mut self) -> Result<SwitchConfig, Error> {
        let reply = self.call(MessageKind::GetConfigRequest, |_| Ok(())).await?;
        Ok(SwitchConfig::decode(&Message::parse(&reply)?)?)
    }

    /// Has this connection told of packets that flows send to controllers, up to `max_len` bytes of each,
    /// and of ports that change. They come as events: [`PacketIn`](crate::wire::PacketIn),
    /// [`PortStatus`](crate::wire::PortStatus).
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn receive_packets(&mut self, max_len: u16) -> Result<(), Error> {
        // The flags are the switch's, and stay as they are.
        let config = SwitchConfig {
            miss_send_len: max_len,
            ..self.config().await?
        };
        let xid = self.send(|version, xid, out| {
            MessageKind::SetConfig.encode(version, xid, out, |writer| {
                config.encode(writer);
                Ok(())
            })
        })?;
        self.done(xid).await
    }

    /// Has this connection given packets in this form from now on. With [`PacketInFormat::Nicira2`] come those,
    /// too, with which the switch waits to be told to go on
    /// ([`Admin::resume`](crate::client::Admin::resume)).
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn set_packet_in_format(&mut self, format: PacketInFormat) -> Result<(), Error> {
        let number = match format {
            PacketInFormat::Standard => 0,
            PacketInFormat::Nicira => 1,
            PacketInFormat::Nicira2 => 2,
        };
        let xid = self.send(|version, xid, out| {
            MessageKind::SetPacketInFormat.encode(version, xid, out, |writer| {
                writer.u32(number);
                Ok(())
            })
        })?;
        self.done(xid).await
    }

    /// The ports.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn ports(&mut self) -> Result<Vec<PortDesc>, Error> {
        let request = |version, xid, out: &mut Vec<u8>| {
            MessageKind::PortDescRequest.encode(version, xid, out, |writer| {
                if version >= Version::V1_5 {
                    writer.u32(Port::ANY.0);
                    writer.zeros(4);
                }
                Ok(())
            })
        };
        self.dump(request, decode_entries)?.collect().await
    }

    /// The flows, or those that `request` is about, with their statistics. In OpenFlow 1.0 they come in
    /// Nicira's form, which says all that the switch has.
    ///
    /// ```no_run
    /// # async fn example(mut switch: ofp_codec::client::Connection) -> Result<(), ofp_codec::client::Error> {
    /// use ofp_codec::wire::FlowRequest;
    ///
    /// let mut flows = switch.flows(&FlowRequest::default())?;
    /// while let Some(flow) = flows.next().await? {
    ///     match flow {
    ///         Ok(flow) => println!("{flow}"),
    ///         Err(bad) => eprintln!("{} bytes: {bad}", bad.bytes.len()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the request has no bytes in this version.
    pub fn flows(&mut self, request: &FlowRequest) -> Result<Dump<'_, Flow>, Error> {
        let kind = MessageKind::FlowRequest;
        let encode = |version, xid, out: &mut Vec<u8>| request.encode(kind, version, xid, out);
        self.dump(encode, decode_flows)
    }

    /// How many flows there are, and what they counted together.
    ///
    /// # Errors
    ///
    /// As all requests, and if it has no bytes in this version.
    pub async fn aggregate(&mut self, request: &FlowRequest) -> Result<Aggregate, Error> {
        let kind = MessageKind::AggregateRequest;
        let xid = self.send(|version, xid, out| request.encode(kind, version, xid, out))?;
        let reply = self.reply(xid).await?;
        Ok(Aggregate::decode(&Message::parse(&reply)?)?)
    }

    /// Begins to tell what happens to flows.
    ///
    /// # Errors
    ///
    /// If the request has no bytes in this version.
    pub fn monitor(&mut self, request: &MonitorRequest) -> Result<FlowMonitor<'_>, Error> {
        FlowMonitor::start(self, request)
    }

    /// The names of the ports. Before OpenFlow 1.4 longer ones than 15 bytes are cut, and of those that
    /// are then alike one is in the map.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn port_names(&mut self) -> Result<Names, Error> {
        let ports = self.ports().await?;
        let mut names = Names::default();
        names
            .ports
            .extend(ports.into_iter().map(|port| (port.name, port.port)));
        Ok(names)
    }

    /// What the tables counted, and before OpenFlow 1.3 what they can do.
    ///
    /// # Errors
    ///
    /// If the request has no bytes.
    pub fn tables(&mut self) -> Result<Dump<'_, TableStats>, Error> {
        self.entries(MessageKind::TableRequest)
    }

    /// What the tables can do: more than a megabyte, of which a message at a time is kept.
    ///
    /// # Errors
    ///
    /// Before OpenFlow 1.3, which does not have it.
    pub fn table_features(&mut self) -> Result<Dump<'_, TableFeatures>, Error> {
        self.entries(MessageKind::TableFeaturesRequest)
    }

    /// The names of the tables that have one. Since OpenFlow 1.3 they stand only among all features of
    /// all tables, more than a megabyte, of which a message at a time is kept.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn table_names(&mut self) -> Result<Names, Error> {
        let mut tables = self.entries::<TableName>(match self.version() < Version::V1_3 {
            true => MessageKind::TableRequest,
            false => MessageKind::TableFeaturesRequest,
        })?;
        let mut names = Names::default();
        while let Some(table) = tables.next().await? {
            let TableName { table, name } = table.map_err(|bad| bad.error)?;
            if !name.is_empty() {
                names.tables.insert(name, table);
            }
        }
        Ok(names)
    }

    /// Waits until the switch is done with all that was sent before.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn barrier(&mut self) -> Result<(), Error> {
        self.call(MessageKind::BarrierRequest, |_| Ok(())).await.map(drop)
    }

    /// How long the switch takes to send these bytes back.
    ///
    /// # Errors
    ///
    /// As all requests.
    pub async fn echo(&mut self, payload: &[u8]) -> Result<Duration, Error> {
        let start = Instant::now();
        let body = |writer: &mut Writer<'_>| {
            writer.bytes(payload);
            Ok(())
        };
        self.call(MessageKind::EchoRequest, body).await?;
        Ok(start.elapsed())
    }

    /// Begins a request without a body, whose reply has entries.
    fn entries<T: for<'a> Entry<'a>>(&mut self, kind: MessageKind) -> Result<Dump<'_, T>, Error> {
        let request = |version, xid, out: &mut Vec<u8>| kind.encode(version, xid, out, |_| Ok(()));
        self.dump(request, decode_entries)
    }
}
