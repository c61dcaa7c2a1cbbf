//! Ports.

use alloc::borrow::ToOwned;

use super::{TunnelKind, TunnelPort, Unpredictable};

/// A port to output to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// A port without tunnel metadata: a device, an internal port, the bridge's own.
    Plain {
        /// Its number in the datapath, which is not its `ofport`. Sizes do not depend on it.
        odp_port: u32,
    },
    /// A tunnel port. All of one type and destination port share one datapath port.
    Tunnel {
        /// The number of that port.
        odp_port: u32,
        /// The metadata that it sets.
        tunnel: TunnelPort,
    },
    /// A patch port, which is no port of the datapath.
    Patch(Peer),
}

/// The other end of a patch port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its bridge, by its place among the bridges.
    pub bridge: usize,
    /// Its OpenFlow number there.
    pub ofport: u32,
}

impl Port {
    /// The port that a row of table Interface describes by its columns `type` and `options`. That of a patch port does not
    /// tell where its peer is.
    ///
    /// # Errors
    /// [`Unpredictable`]: a type or an option with an effect that is not modelled.
    pub fn of_interface<'a>(
        kind: &str,
        odp_port: u32,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Unpredictable> {
        if PLAIN.contains(&kind) {
            return Ok(Self::Plain { odp_port });
        }
        let tunnel_kind = match kind {
            "vxlan" => TunnelKind::Vxlan,
            "geneve" => TunnelKind::Geneve,
            "gre" | "ip6gre" => TunnelKind::Gre,
            "erspan" | "ip6erspan" => TunnelKind::Erspan,
            "patch" => return Err(Unpredictable::Patch),
            _ => {
                return Err(Unpredictable::Type {
                    kind: kind.to_owned(),
                });
            }
        };
        Ok(Self::Tunnel {
            odp_port,
            tunnel: TunnelPort::of_options(tunnel_kind, options)?,
        })
    }

    /// The datapath port; a patch port has none.
    pub const fn odp_port(&self) -> Option<u32> {
        match self {
            Self::Plain { odp_port } | Self::Tunnel { odp_port, .. } => Some(*odp_port),
            Self::Patch(_) => None,
        }
    }
}

/// Interface types that are a port of the datapath and no tunnel.
const PLAIN: [&str; 12] = [
    "",
    "system",
    "internal",
    "tap",
    "dummy",
    "dummy-internal",
    "dummy-pmd",
    "dpdk",
    "dpdkvhostuser",
    "dpdkvhostuserclient",
    "afxdp",
    "afxdp-nonpmd",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;

    #[test]
    fn a_plain_port_costs_its_output() {
        let port = Port::of_interface("internal", 3, [("whatever", "1")]).unwrap();
        assert_eq!(port, Port::Plain { odp_port: 3 });
        assert_eq!(port.odp_port().map(Action::Output).unwrap().encoded_len(), Ok(8));
    }
}
