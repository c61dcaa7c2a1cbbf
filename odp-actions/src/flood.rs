//! Encoding a flood: one cell, prebuilt, patched for each endpoint.
//!
//! The endpoints of an overlay differ in three numbers: tunnel id, destination, and port. [`Cell`] encodes one endpoint
//! once and then only copies and patches, several times faster than encoding typed actions, and allocates nothing.
//!
//! ```
//! use odp_actions::flood::{Cell, Endpoint};
//! use odp_actions::{Actions, Tunnel, TunnelAttr};
//!
//! let tunnel = Tunnel::new([TunnelAttr::Id(0), TunnelAttr::Ipv4Dst([0; 4].into()), TunnelAttr::Ttl(64)])?;
//! let cell = Cell::new(tunnel)?;
//! let endpoints = [1, 2, 3].map(|n| Endpoint { tun_id: 7, dst: [10, 0, 0, n].into(), odp_port: 4 });
//! let mut buffer = vec![0; cell.len() * endpoints.len()];
//! let bytes = cell.encode(&endpoints, &mut buffer)?;
//! let actions = Actions::decode(bytes)?;
//! assert_eq!(actions.output_count(), 3);
//! assert!(actions.to_string().ends_with("set(tunnel(tun_id=0x7,dst=10.0.0.3,ttl=64,flags(key))),4"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::vec::Vec;
use core::net::IpAddr;

use netlink_genl::nlattr::{Attrs, EncodeError, HEADER_LEN};

use crate::{Action, Actions, Key, Tunnel};

/// One endpoint of a flood, encoded: `set(tunnel(..))` and an output.
#[derive(Clone, Debug)]
pub struct Cell {
    /// [`BLOCK`] cells.
    block: Vec<u8>,
    len: usize,
    /// Where the tunnel id stands, if the tunnel has one.
    id: Option<usize>,
    dst: Dst,
    port: usize,
}

/// What differs from endpoint to endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The tunnel id; not written if the tunnel has none.
    pub tun_id: u64,
    /// The outer destination address.
    pub dst: IpAddr,
    /// The datapath port.
    pub odp_port: u32,
}

impl Cell {
    /// A cell for endpoints that share `tunnel` but for its id and its destination.
    ///
    /// # Errors
    /// [`CellError::NoDestination`]: the tunnel has no destination to patch; [`CellError::Encode`]: it does not fit an
    /// attribute.
    pub fn new(tunnel: Tunnel) -> Result<Self, CellError> {
        let (mut id, mut dst) = (None, None);
        // The tunnel key stands behind the headers of `set` and of itself.
        for attr in Attrs::at(tunnel.as_bytes(), 2 * HEADER_LEN).flatten() {
            let at = attr.offset() + HEADER_LEN;
            match attr.raw_kind() {
                TUN_ID => id = Some(at),
                TUN_DST => dst = Some(Dst::V4(at)),
                TUN_IPV6_DST => dst = Some(Dst::V6(at)),
                _ => {}
            }
        }
        let actions = Actions::from_iter([Action::Set(Key::Tunnel(tunnel)), Action::Output(0)]);
        let bytes = actions.to_bytes()?;
        let port = bytes.len() - 4;
        Ok(Self {
            len: bytes.len(),
            block: bytes.repeat(BLOCK),
            id,
            dst: dst.ok_or(CellError::NoDestination)?,
            port,
        })
    }

    /// Bytes of one endpoint.
    #[allow(clippy::len_without_is_empty, reason = "a cell is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Encodes the endpoints one after the other, and gives what it wrote.
    ///
    /// # Errors
    /// [`CellError::Encode`]: `buffer` is too small; [`CellError::Family`]: an address is not of the tunnel's family.
    pub fn encode<'b>(&self, endpoints: &[Endpoint], buffer: &'b mut [u8]) -> Result<&'b [u8], CellError> {
        let capacity = buffer.len();
        let wanted = endpoints.len().saturating_mul(self.len());
        let full = EncodeError::BufferFull {
            offset: 0,
            wanted,
            capacity,
        };
        let buffer = buffer.get_mut(..wanted).ok_or(full)?;
        match self.dst {
            Dst::V4(at) => self.fill(buffer, endpoints, at, |dst| match dst {
                IpAddr::V4(dst) => Some(dst.octets()),
                IpAddr::V6(_) => None,
            }),
            Dst::V6(at) => self.fill(buffer, endpoints, at, |dst| match dst {
                IpAddr::V4(_) => None,
                IpAddr::V6(dst) => Some(dst.octets()),
            }),
        }?;
        Ok(buffer)
    }

    /// Copies as many cells at once as stay in the nearest cache, and patches them there.
    fn fill<const N: usize>(
        &self,
        buffer: &mut [u8],
        endpoints: &[Endpoint],
        dst: usize,
        octets: impl Fn(IpAddr) -> Option<[u8; N]>,
    ) -> Result<(), CellError> {
        let blocks = buffer.chunks_mut(self.block.len());
        for (block, patches) in blocks.zip(endpoints.chunks(BLOCK)) {
            block.copy_from_slice(&self.block[..block.len()]);
            for (cell, endpoint) in block.chunks_exact_mut(self.len).zip(patches) {
                let Some(address) = octets(endpoint.dst) else {
                    let index = endpoints
                        .iter()
                        .take_while(|endpoint| octets(endpoint.dst).is_some())
                        .count();
                    return Err(CellError::Family { index });
                };
                if let Some(id) = self.id {
                    patch(cell, id, endpoint.tun_id.to_be_bytes());
                }
                patch(cell, dst, address);
                patch(cell, self.port, endpoint.odp_port.to_ne_bytes());
            }
        }
        Ok(())
    }
}

/// Why a flood cannot be encoded from a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CellError {
    /// It does not fit.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The tunnel key has neither an IPv4 nor an IPv6 destination.
    #[error("the tunnel has no destination to fill in")]
    NoDestination,
    /// IPv4 for a tunnel over IPv6, or the other way round.
    #[error("endpoint {index}: its address is not of the tunnel's family")]
    Family {
        /// Which endpoint, from 0.
        index: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Dst {
    V4(usize),
    V6(usize),
}

#[inline]
fn patch<const N: usize>(cell: &mut [u8], at: usize, bytes: [u8; N]) {
    cell[at..at + N].copy_from_slice(&bytes);
}

/// Cells that are copied at once.
const BLOCK: usize = 32;
/// `OVS_TUNNEL_KEY_ATTR_ID`.
const TUN_ID: u16 = 0;
/// `OVS_TUNNEL_KEY_ATTR_IPV4_DST`.
const TUN_DST: u16 = 2;
/// `OVS_TUNNEL_KEY_ATTR_IPV6_DST`.
const TUN_IPV6_DST: u16 = 13;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::TunnelAttr;

    fn endpoint(n: u8) -> Endpoint {
        Endpoint {
            tun_id: u64::from(n) << 40,
            dst: [10, 0, 0, n].into(),
            odp_port: u32::from(n) + 7,
        }
    }

    fn tunnel(endpoint: Endpoint) -> Tunnel {
        let IpAddr::V4(dst) = endpoint.dst else {
            unreachable!()
        };
        Tunnel::new([
            TunnelAttr::Id(endpoint.tun_id),
            TunnelAttr::Ipv4Src([192, 168, 0, 1].into()),
            TunnelAttr::Ipv4Dst(dst),
            TunnelAttr::Ttl(64),
            TunnelAttr::DontFragment,
            TunnelAttr::TpDst(4789),
        ])
        .unwrap()
    }

    #[test]
    fn writes_what_typed_actions_encode_to() {
        let cell = Cell::new(tunnel(endpoint(0))).unwrap();
        for count in [0, 1, 2, 31, 32, 33, 64, 250] {
            let endpoints: Vec<Endpoint> = (1..=count).map(endpoint).collect();
            let typed: Actions = endpoints
                .iter()
                .flat_map(|e| [Action::Set(Key::Tunnel(tunnel(*e))), Action::Output(e.odp_port)])
                .collect();
            let mut buffer = vec![0xff; cell.len() * endpoints.len() + 3];
            assert_eq!(
                cell.encode(&endpoints, &mut buffer).unwrap(),
                typed.to_bytes().unwrap()
            );
        }
    }

    #[test]
    fn writes_ipv6_and_tunnels_without_an_id() {
        let dst = [0xfd; 16].into();
        let cell = Cell::new(Tunnel::new([TunnelAttr::Ipv6Dst([0; 16].into()), TunnelAttr::Ttl(1)]).unwrap())
            .unwrap();
        let mut buffer = vec![0; cell.len()];
        let endpoint = Endpoint {
            tun_id: 9,
            dst: IpAddr::V6(dst),
            odp_port: 2,
        };
        let tunnel = Tunnel::new([TunnelAttr::Ipv6Dst(dst), TunnelAttr::Ttl(1)]).unwrap();
        let typed = Actions::from_iter([Action::Set(Key::Tunnel(tunnel)), Action::Output(2)]);
        assert_eq!(
            cell.encode(&[endpoint], &mut buffer).unwrap(),
            typed.to_bytes().unwrap()
        );
        let other = Endpoint {
            dst: [1, 2, 3, 4].into(),
            ..endpoint
        };
        for index in [0, 31, 32, 40] {
            let mut endpoints = vec![endpoint; 50];
            endpoints[index] = other;
            let mut buffer = vec![0; cell.len() * endpoints.len()];
            assert_eq!(
                cell.encode(&endpoints, &mut buffer),
                Err(CellError::Family { index })
            );
        }
    }

    #[test]
    fn refuses_a_buffer_that_is_one_byte_short() {
        let cell = Cell::new(tunnel(endpoint(0))).unwrap();
        let mut buffer = vec![0; 2 * cell.len() - 1];
        let full = EncodeError::BufferFull {
            offset: 0,
            wanted: 2 * cell.len(),
            capacity: 2 * cell.len() - 1,
        };
        assert_eq!(
            cell.encode(&[endpoint(1), endpoint(2)], &mut buffer),
            Err(CellError::Encode(full))
        );
        assert_eq!(
            Cell::new(Tunnel::new([TunnelAttr::Ttl(1)]).unwrap()).unwrap_err(),
            CellError::NoDestination
        );
    }
}
