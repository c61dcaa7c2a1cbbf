//! Where the ports are in the lists that bridges give by OpenFlow.

use std::collections::BTreeSet;
use std::path::Path;

use ofp_codec::Port as Number;
use ofp_codec::wire::PortDesc;

use super::{Port, Sight};
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
        let bridges: BTreeSet<String> = self.ports.iter().map(|port| port.bridge.clone()).collect();
        for bridge in bridges {
            if only.is_some_and(|only| only != bridge) {
                continue;
            }
            let socket = rundir.join(format!("{bridge}.mgmt"));
            match list(&format!("unix:{}", socket.display())).await {
                Ok(list) => {
                    let ports = self.ports.iter_mut().filter(|port| port.bridge == bridge);
                    ports.for_each(|port| port.openflow = Some(find(port, &list)));
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
    // The name has 15 bytes there, and that of a patch port may be longer.
    let is_named = |there: &PortDesc| match there.name.len() {
        15.. => port.interface.starts_with(&*there.name),
        _ => *port.interface == *there.name,
    };
    let number = port.ofport.and_then(|ofport| u32::try_from(ofport).ok());
    let found = match number.map(Number::from_text_number) {
        Some(number) => list.iter().find(|there| there.port == number),
        None => list.iter().find(|there| is_named(there)),
    };
    match found {
        None => Listed::Absent,
        Some(there) if is_named(there) => Listed::Present,
        Some(there) => Listed::Other(there.name.clone()),
    }
}
