//! A database as large as those of big clouds.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use crate::{Error, OvsdbServer, schema, tools};

impl OvsdbServer {
    /// As [`start`](Self::start), with `count` rows in table `Interface`, each of about a kilobyte, as an
    /// `ovs-vswitchd` with an OpenStack agent beside it leaves them. In this database the table is
    /// a root, so that the rows stay without ports.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn with_interfaces(count: usize) -> Result<Self, Error> {
        tools::check_wanted()?;
        let schema = schema()?;
        let schema = fs::read_to_string(&schema).map_err(Error::io(&schema))?;
        let schema = schema.replacen("\"Interface\": {", "\"Interface\": {\n     \"isRoot\": true,", 1);
        let server = Self::with_schema(&schema)?;
        server.insert_interfaces(count)?;
        Ok(server)
    }

    fn insert_interfaces(&self, count: usize) -> Result<(), Error> {
        let mut socket = UnixStream::connect(self.socket()).map_err(Error::io(self.socket()))?;
        for first in (0..count).step_by(BATCH) {
            let operations: String = (first..count.min(first + BATCH)).fold(String::new(), insert);
            let request = format!(r#"{{"id":0,"method":"transact","params":["Open_vSwitch"{operations}]}}"#);
            let sent = socket.write_all(request.as_bytes());
            sent.and_then(|()| read_object(&mut socket))
                .map_err(Error::io(self.socket()))?;
        }
        Ok(())
    }
}

/// Appends the insertion of interface `n`.
fn insert(mut operations: String, n: usize) -> String {
    // Writing to a string cannot fail.
    let _ = write!(
        operations,
        r#",{{"op":"insert","table":"Interface","row":{{"name":"tap{n:08x}-{low:02x}","type":"internal",
        "admin_state":"up","link_state":"up","ofport":{ofport},"mtu":1500,"ifindex":{n},"link_resets":1,
        "mac_in_use":"fa:16:3e:00:{low:02x}:{low:02x}",
        "external_ids":["map",[["attached-mac","fa:16:3e:00:{low:02x}:{low:02x}"],
            ["iface-id","{n:08x}-0000-4000-8000-00000000{low:04x}"],["iface-status","active"],
            ["vm-uuid","{n:08x}-1111-4000-8000-00000000{low:04x}"]]],
        "status":["map",[["driver_name","tun"],["driver_version","1.6"],["firmware_version",""]]],
        "statistics":["map",[["collisions",0],["rx_bytes",{n}],["rx_crc_err",0],["rx_dropped",0],
            ["rx_errors",0],["rx_frame_err",0],["rx_missed_errors",0],["rx_over_err",0],
            ["rx_packets",{low}],["tx_bytes",{n}],["tx_dropped",0],["tx_errors",0],["tx_packets",{low}]]]}}}}"#,
        low = n % 256,
        ofport = 1 + n % 65279,
    );
    operations
}

/// Reads one JSON object without brackets in its strings.
fn read_object(socket: &mut UnixStream) -> std::io::Result<()> {
    let (mut depth, mut buf) = (0, [0; 65536]);
    loop {
        let len = socket.read(&mut buf)?;
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        for byte in &buf[..len] {
            depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        }
        if depth == 0 {
            return Ok(());
        }
    }
}

/// Rows of one transaction.
const BATCH: usize = 2000;
