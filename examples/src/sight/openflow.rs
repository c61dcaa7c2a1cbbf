//! Where the ports are in the lists that bridges give by OpenFlow.

use std::collections::BTreeSet;
use std::path::Path;

use ofp_codec::Port as Number;
use ofp_codec::wire::PortDesc;

use super::{Port, Sight, strays};
use crate::cli::Failure;
use crate::openflow::{connect, failed};

/// What a bridge says of a port's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It has no such port.
    Absent,
    /// It has the port.
    Present,
    /// It gives the number to another port, of this name.
    Other(Box<str>),
}

impl Sight {
    /// Asks each bridge for its ports, at `BRIDGE.mgmt` of the folder `rundir`. One that does not answer is `unseen`.
    pub async fn ask_bridges(&mut self, rundir: &Path, only: Option<&str>) {
        let rows = self.ports.iter().filter(|port| port.uuid.is_some());
        let bridges: BTreeSet<String> = rows.map(|port| port.bridge.clone()).collect();
        for bridge in bridges {
            if only.is_some_and(|only| only != bridge) {
                continue;
            }
            let socket = rundir.join(format!("{bridge}.mgmt"));
            match list(&format!("unix:{}", socket.display())).await {
                Ok(list) => {
                    let is_here = |port: &&mut Port| port.bridge == bridge;
                    let ports = self.ports.iter_mut().filter(is_here);
                    ports.for_each(|port| port.openflow = Some(find(port, &list)));
                    let ports: Vec<&Port> = self.ports.iter().filter(|port| port.bridge == bridge).collect();
                    let strays = strays::of_bridge(&bridge, &ports, &list);
                    self.ports.extend(strays);
                }
                Err(failure) => self.unseen.push(format!(
                    "the OpenFlow ports of {bridge} are not known: {}",
                    failure.text
                )),
            }
        }
    }
}

async fn list(remote: &str) -> Result<Vec<PortDesc>, Failure> {
    connect(remote).await?.ports().await.map_err(failed(remote))
}

/// By the number that the database has. A port that has none there is known by its name.
fn find(port: &Port, list: &[PortDesc]) -> Listed {
    let found = match port.number() {
        Some(number) => list.iter().find(|there| there.port == number),
        None => list.iter().find(|there| port.is_named(there)),
    };
    match found {
        None => Listed::Absent,
        Some(there) if port.is_named(there) => Listed::Present,
        Some(there) => Listed::Other(there.name.clone()),
    }
}

impl Port {
    /// Its OpenFlow number, if the switch gave it one.
    pub(super) fn number(&self) -> Option<Number> {
        u32::try_from(self.ofport?).ok().map(Number::from_text_number)
    }

    /// Whether it has the name of this OpenFlow port. That has 15 bytes at most, and the name of a patch port may be
    /// longer.
    pub(super) fn is_named(&self, there: &PortDesc) -> bool {
        match there.name.len() {
            15.. => self.interface.starts_with(&*there.name),
            _ => *self.interface == *there.name,
        }
    }
}
