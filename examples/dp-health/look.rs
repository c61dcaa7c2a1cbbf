//! What kernel, process and database say of a switch at one moment. Each may fail alone.

use examples::bridge::{Bridge, NEWEST};
use examples::cli::{self, Failure, chain};
use examples::db::{self, Server};
use examples::flood::Flood;
use examples::judge::{State, Verdict, judge};
use examples::kernel;
use examples::sight::Sight;
use examples::upcalls::{self, Release, Upcalls};
use netlink_genl::ovs::datapath::{MegaflowStats, Stats};
use odp_actions::Limits;
use odp_actions::xlate::Packet;

use crate::{Options, TOOL};

/// A look.
pub struct Look {
    pub datapaths: Result<Vec<Datapath>, String>,
    pub upcalls: Result<Upcalls, String>,
    /// The release of Open vSwitch, if the database has it.
    pub release: Option<Release>,
    /// Every port, judged by this look alone.
    pub ports: Result<Vec<Verdict>, String>,
    pub floods: Result<Vec<BridgeFlood>, String>,
}

/// A flood of a bridge.
pub struct BridgeFlood {
    pub bridge: String,
    /// Or why it cannot be told.
    pub flood: Result<Flood, String>,
}

/// A datapath of the kernel.
pub struct Datapath {
    pub name: String,
    pub ports: usize,
    pub stats: Stats,
    pub megaflow_stats: MegaflowStats,
}

impl Look {
    /// Looks at everything.
    pub fn take(options: &Options) -> Self {
        let text = |failure: Failure| failure.text;
        Self {
            datapaths: datapaths().map_err(|error| chain(&error)),
            upcalls: options
                .pid
                .map_or_else(upcalls::running, Ok)
                .and_then(Upcalls::read)
                .map_err(text),
            release: cli::block_on(cli::patiently(TOOL, &options.db, db::release(&options.db)))
                .ok()
                .flatten()
                .and_then(|release| release.parse().ok()),
            ports: cli::block_on(cli::patiently(TOOL, &options.db, ports(&options.db))).map_err(text),
            floods: cli::block_on(cli::patiently(TOOL, &options.db, floods(&options.db))).map_err(text),
        }
    }

    /// Sources and why they cannot be read.
    pub fn sources(&self) -> [(&'static str, Option<&String>); 3] {
        [
            ("kernel", self.datapaths.as_ref().err()),
            ("sockets", self.upcalls.as_ref().err()),
            (
                "database",
                self.ports.as_ref().err().or(self.floods.as_ref().err()),
            ),
        ]
    }

    /// How many ports there are of each state, those without any included.
    pub fn states(&self) -> Vec<(State, usize)> {
        let ports = self.ports.as_deref().unwrap_or_default();
        STATES
            .iter()
            .map(|state| (*state, ports.iter().filter(|port| port.state == *state).count()))
            .collect()
    }

    /// A sum over datapaths, if they could be read.
    pub fn sum(&self, value: fn(&Datapath) -> u64) -> Option<u64> {
        let datapaths = self.datapaths.as_ref().ok()?;
        Some(datapaths.iter().map(value).sum())
    }

    /// How many ports are in such a state, if they could be read.
    pub fn faults(&self, is_fault: fn(State) -> bool) -> Option<usize> {
        let ports = self.ports.as_ref().ok()?;
        Some(ports.iter().filter(|port| is_fault(port.state)).count())
    }
}

fn datapaths() -> Result<Vec<Datapath>, netlink_genl::Error> {
    let datapaths = kernel::datapaths()?.into_iter();
    Ok(datapaths
        .map(|(datapath, ports)| Datapath {
            name: datapath.name.to_string_lossy().into_owned(),
            ports: ports.len(),
            stats: datapath.stats.unwrap_or_default(),
            megaflow_stats: datapath.megaflow_stats.unwrap_or_default(),
        })
        .collect())
}

async fn ports(db: &Server) -> Result<Vec<Verdict>, Failure> {
    let sight = Sight::take(db, None).await?;
    Ok(judge(&sight, None, None))
}

async fn floods(db: &Server) -> Result<Vec<BridgeFlood>, Failure> {
    let bridges = Bridge::read_all(db).await?;
    let flood = |bridge: &Bridge| {
        let ovs = bridge.ovs.unwrap_or(NEWEST);
        let flood = Flood::of(bridge, ovs, Limits::host(), Packet::default()).transpose()?;
        Some(BridgeFlood {
            bridge: bridge.name.clone(),
            flood,
        })
    };
    Ok(bridges.iter().filter_map(flood).collect())
}

/// Those that one look can give.
const STATES: [State; 7] = [
    State::Ok,
    State::NoDevice,
    State::VportVanished,
    State::Zombie,
    State::Error,
    State::DuplicateIfaceId,
    State::ForeignVport,
];
