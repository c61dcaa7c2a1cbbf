//! What is told of a port, from wherever it is.

use std::time::SystemTime;

use examples::cli::timestamp;
use serde_json::{Value, json};

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
    Came,
    Changed,
    Went,
}

/// What a source says.
#[derive(Clone, Debug)]
pub struct Said {
    pub time: SystemTime,
    /// The name of the device, which is that of the interface; of a flow there is none.
    pub device: String,
    /// The OpenFlow numbers that the interface has, or the flow names.
    pub ofports: Vec<u32>,
    /// Whose it is, as far as the source knows.
    pub iface_id: Option<String>,
    pub lane: Lane,
    pub what: What,
    pub text: String,
}

impl Lane {
    pub const ALL: [Self; 5] = [Self::Port, Self::Interface, Self::Netdev, Self::Vport, Self::Flow];

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
    pub fn name(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Came => "came",
            Self::Changed => "changed",
            Self::Went => "went",
        }
    }
}

impl Said {
    pub fn of(device: String, lane: Lane, what: What, text: String) -> Self {
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
    pub fn ms_since(&self, start: SystemTime) -> i128 {
        let ms = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, |since| {
                i128::from(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
            })
        };
        ms(self.time) - ms(start)
    }

    pub fn json(&self, before: Option<&Self>) -> Value {
        json!({
            "time": timestamp(self.time),
            "ms_since_last": before.and_then(|before| i64::try_from(self.ms_since(before.time)).ok()),
            "device": self.device,
            "lane": self.lane.name(),
            "what": self.what.name(),
            "text": self.text,
        })
    }

    /// A line, with the time since the one before.
    pub fn line(&self, before: Option<&Self>) -> String {
        let thing = match (self.lane, self.what) {
            (Lane::Flow, What::Is) => "=",
            (Lane::Flow, What::Came) => "+",
            (Lane::Flow, What::Changed) => "~",
            (Lane::Flow, What::Went) => "-",
            _ => &self.device,
        };
        let delta = before.map_or(String::new(), |before| {
            format!("{:+} ms", self.ms_since(before.time))
        });
        format!(
            "{}  {delta:>10}  {:<9}  {thing}  {}",
            timestamp(self.time),
            self.lane.name(),
            self.text
        )
    }
}
