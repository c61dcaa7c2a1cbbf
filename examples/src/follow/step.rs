//! What is told of a port, from wherever it is.

use std::time::SystemTime;

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The row of the port.
    Port,
    /// The row of its interface.
    Interface,
    /// The network device.
    Netdev,
    /// The port of the kernel's datapath.
    Vport,
    /// An OpenFlow flow that names the port.
    Flow,
}

/// What became of the thing in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was there from the start.
    Is,
    /// It is new.
    Came,
    /// It is another than before.
    Changed,
    /// It is gone.
    Went,
}

/// What a source tells.
#[derive(Clone, Debug)]
pub struct Step {
    /// When it was told.
    pub time: SystemTime,
    /// The name of the device, which is that of the interface; of a flow there is none.
    pub device: String,
    /// The OpenFlow numbers that the interface has, or the flow names.
    pub ofports: Vec<u32>,
    /// Whose it is, as far as the source knows.
    pub iface_id: Option<String>,
    /// Where it happened.
    pub lane: Lane,
    /// What happened there.
    pub what: What,
    /// The same in words.
    pub text: String,
}

impl Lane {
    /// All of them, from the database down to the flows.
    pub const ALL: [Self; 5] = [Self::Port, Self::Interface, Self::Netdev, Self::Vport, Self::Flow];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Interface => "interface",
            Self::Netdev => "netdev",
            Self::Vport => "vport",
            Self::Flow => "flow",
        }
    }
}

impl What {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Came => "came",
            Self::Changed => "changed",
            Self::Went => "went",
        }
    }
}

impl Step {
    /// One that is told now.
    pub fn now(device: String, lane: Lane, what: What, text: String) -> Self {
        Self {
            time: SystemTime::now(),
            device,
            ofports: Vec::new(),
            iface_id: None,
            lane,
            what,
            text,
        }
    }

    /// Milliseconds since `start`, which may be a little later.
    pub fn ms_since(&self, start: SystemTime) -> i64 {
        // Of the times as they are printed, which have milliseconds.
        let ms = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        ms(self.time) - ms(start)
    }
}
