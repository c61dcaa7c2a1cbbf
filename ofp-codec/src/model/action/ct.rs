//! Connection tracking.

use alloc::vec::Vec;
use core::{fmt, net::IpAddr};

use crate::model::{
    action::Action,
    port::TableRef,
    print::{Inet6, Separated, write_list},
    subfield::Subfield,
};

/// The arguments of `ct(commit,force,table=7,zone=5,nat(src=10.0.0.1),exec(..),alg=ftp)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ct {
    /// `commit`: keep the connection.
    pub commit: bool,
    /// `force`: a connection in the other direction gives way; needs `commit`.
    pub force: bool,
    /// `table`: where the tracked packet goes on.
    pub table: Option<TableRef>,
    /// `zone`: the tracker's zone. `None` is zone 0.
    pub zone: Option<NumberOrSubfield<u16>>,
    /// `nat`: translate addresses.
    pub nat: Option<Nat>,
    /// `exec(..)`: what is done with the connection's own fields.
    pub exec: Vec<Action>,
    /// `alg`: the port of the helper to use: 21 is `ftp`, 69 is `tftp`. 0: none.
    pub alg: u16,
}

/// A number, or the bits of the packet that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum NumberOrSubfield<T> {
    /// The number itself.
    Number(T),
    /// Where it is.
    Subfield(Subfield),
}

/// The arguments of `nat(src=10.0.0.1-10.0.0.9:1024-2048,persistent)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Nat {
    /// What is translated. `None`: what the connection says.
    pub side: Option<NatSide>,
    /// The first address to use. `None`: any.
    pub min_addr: Option<IpAddr>,
    /// The last address to use, if there are more.
    pub max_addr: Option<IpAddr>,
    /// The first port to use. `None`: any.
    pub min_port: Option<u16>,
    /// The last port to use, if there are more.
    pub max_port: Option<u16>,
    /// `persistent`: the same choice after a restart.
    pub persistent: bool,
    /// `hash`: choose the port by a hash.
    pub hash: bool,
    /// `random`: choose the port at random.
    pub random: bool,
}

/// Which address is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum NatSide {
    /// `src`.
    Src,
    /// `dst`.
    Dst,
}

impl fmt::Display for Ct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ct(")?;
        let mut list = Separated::new(f);
        if self.commit {
            list.item(&"commit")?;
        }
        if self.force {
            list.item(&"force")?;
        }
        if let Some(table) = &self.table {
            list.item(&format_args!("table={table}"))?;
        }
        if let Some(zone) = &self.zone {
            list.item(&format_args!("zone={zone}"))?;
        }
        if let Some(nat) = &self.nat {
            list.item(nat)?;
        }
        if !self.exec.is_empty() {
            list.item(&"exec(")?;
            write_list(list.f, &self.exec)?;
            list.f.write_str(")")?;
        }
        match self.alg {
            0 => {}
            FTP => list.item(&"alg=ftp")?,
            TFTP => list.item(&"alg=tftp")?,
            port => list.item(&format_args!("alg={port}"))?,
        }
        f.write_str(")")
    }
}

impl<T: fmt::Display> fmt::Display for NumberOrSubfield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberOrSubfield::Number(number) => number.fmt(f),
            NumberOrSubfield::Subfield(subfield) => subfield.fmt(f),
        }
    }
}

/// Open vSwitch prints `persistent`, `hash` and `random` only with an address
/// (`format_NAT` in lib/ofp-actions.c); this prints them always.
impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nat")?;
        let flags = [
            (self.persistent, "persistent"),
            (self.hash, "hash"),
            (self.random, "random"),
        ];
        let side = match self.side {
            Some(NatSide::Src) => "src",
            Some(NatSide::Dst) => "dst",
            None => return Ok(()),
        };
        write!(f, "({side}")?;
        if let Some(min) = self.min_addr {
            f.write_str("=")?;
            let bracket = self.min_port.is_some();
            write_addr(f, min, bracket)?;
            if let Some(max) = self.max_addr {
                f.write_str("-")?;
                write_addr(f, max, bracket)?;
            }
            if let Some(min) = self.min_port {
                write!(f, ":{min}")?;
            }
            if let Some(max) = self.max_port {
                write!(f, "-{max}")?;
            }
        }
        for (_, flag) in flags.iter().filter(|(set, _)| *set) {
            write!(f, ",{flag}")?;
        }
        f.write_str(")")
    }
}

fn write_addr(f: &mut fmt::Formatter<'_>, addr: IpAddr, bracket: bool) -> fmt::Result {
    match addr {
        IpAddr::V6(addr) if bracket => write!(f, "[{}]", Inet6(addr)),
        IpAddr::V6(addr) => write!(f, "{}", Inet6(addr)),
        IpAddr::V4(addr) => write!(f, "{addr}"),
    }
}

/// `IPPORT_FTP`.
pub(crate) const FTP: u16 = 21;
/// `IPPORT_TFTP`.
pub(crate) const TFTP: u16 = 69;
