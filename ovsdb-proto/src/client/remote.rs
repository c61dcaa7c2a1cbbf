//! Where a server is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// The address of a server, written as all of Open vSwitch's tools take it: `unix:FILE`,
/// `tcp:IP`, `tcp:IP:PORT`, and the same with `ssl:`, an IPv6 address in brackets.
///
/// ```
/// use ovsdb_proto::client::Remote;
///
/// # fn main() -> Result<(), ovsdb_proto::client::RemoteError> {
/// let remote: Remote = "tcp:[::1]:6641".parse()?;
/// assert_eq!(remote, Remote::Tcp("[::1]:6641".parse().expect("an address")));
/// // The port that IANA gave to OVSDB.
/// assert_eq!("tcp:127.0.0.1".parse::<Remote>()?.to_string(), "tcp:127.0.0.1:6640");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remote {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp(SocketAddr),
    /// A TCP port with TLS. To connect to it needs the feature `tls`.
    Ssl(SocketAddr),
}

/// Where we wait for servers that connect to us, written as all of Open vSwitch's tools take it:
/// `punix:FILE`, `ptcp:PORT:IP`, and the same with `pssl:`, an IPv6 address in brackets. Without an
/// address it is all of IPv4, without a port 6640; port 0 is one that the system chooses.
///
/// ```
/// use ovsdb_proto::client::Passive;
///
/// # fn main() -> Result<(), ovsdb_proto::client::RemoteError> {
/// let passive: Passive = "ptcp:6641:127.0.0.1".parse()?;
/// assert_eq!(passive, Passive::Tcp("127.0.0.1:6641".parse().expect("an address")));
/// assert_eq!("ptcp:".parse::<Passive>()?.to_string(), "ptcp:6640:0.0.0.0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Passive {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp(SocketAddr),
    /// A TCP port with TLS. To listen on it needs the feature `tls`.
    Ssl(SocketAddr),
}

/// Why a text is not the address of a server, or one for servers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It starts with nothing that is known.
    #[error("{text:?} is none of {wanted}")]
    Scheme {
        /// The text.
        text: String,
        /// What is known.
        wanted: &'static str,
    },
    /// No file follows.
    #[error("{text:?} names no file")]
    NoFile {
        /// The text.
        text: String,
    },
    /// What follows is not an IP address and a port. Names are not looked up.
    #[error("{text:?} is not an ip address and a port")]
    Address {
        /// The text.
        text: String,
    },
}

impl FromStr for Remote {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        match text.split_once(':') {
            Some(("unix", rest)) => file(text, rest).map(Self::Unix),
            Some(("tcp", rest)) => address(text, ip_and_port(rest)).map(Self::Tcp),
            Some(("ssl", rest)) => address(text, ip_and_port(rest)).map(Self::Ssl),
            _ => Err(RemoteError::Scheme {
                text: text.to_owned(),
                wanted: "unix:FILE, tcp:IP:PORT and ssl:IP:PORT",
            }),
        }
    }
}

impl FromStr for Passive {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        match text.split_once(':') {
            Some(("punix", rest)) => file(text, rest).map(Self::Unix),
            Some(("ptcp", rest)) => address(text, port_and_ip(rest)).map(Self::Tcp),
            Some(("pssl", rest)) => address(text, port_and_ip(rest)).map(Self::Ssl),
            _ => Err(RemoteError::Scheme {
                text: text.to_owned(),
                wanted: "punix:FILE, ptcp:PORT:IP and pssl:PORT:IP",
            }),
        }
    }
}

/// The file in an address.
fn file(text: &str, rest: &str) -> Result<PathBuf, RemoteError> {
    match rest {
        "" => Err(RemoteError::NoFile {
            text: text.to_owned(),
        }),
        file => Ok(file.into()),
    }
}

fn address(text: &str, address: Option<SocketAddr>) -> Result<SocketAddr, RemoteError> {
    address.ok_or_else(|| RemoteError::Address {
        text: text.to_owned(),
    })
}

fn ip_and_port(text: &str) -> Option<SocketAddr> {
    let without_port = || Some(SocketAddr::new(ip(text)?, DEFAULT_PORT));
    text.parse().ok().or_else(without_port)
}

fn port_and_ip(text: &str) -> Option<SocketAddr> {
    let (port, at) = text.split_once(':').unwrap_or((text, "0.0.0.0"));
    let port = match port {
        "" => DEFAULT_PORT,
        port => port.parse().ok()?,
    };
    Some(SocketAddr::new(ip(at)?, port))
}

/// An address of IPv6 may stand in brackets.
fn ip(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(text).parse().ok()
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(file) => write!(f, "unix:{}", file.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Ssl(address) => write!(f, "ssl:{address}"),
        }
    }
}

impl fmt::Display for Passive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, address) = match self {
            Self::Unix(file) => return write!(f, "punix:{}", file.display()),
            Self::Tcp(address) => ("ptcp", address),
            Self::Ssl(address) => ("pssl", address),
        };
        let (port, ip) = (address.port(), address.ip());
        match ip {
            IpAddr::V4(ip) => write!(f, "{kind}:{port}:{ip}"),
            IpAddr::V6(ip) => write!(f, "{kind}:{port}:[{ip}]"),
        }
    }
}

/// The port that IANA gave to OVSDB.
const DEFAULT_PORT: u16 = 6640;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_written_as_they_were_read() {
        for text in [
            "unix:/run/openvswitch/db.sock",
            "unix:db.sock",
            "tcp:127.0.0.1:6641",
            "tcp:[::1]:6641",
            "ssl:127.0.0.1:6641",
        ] {
            assert_eq!(text.parse::<Remote>().unwrap().to_string(), text);
        }
        for (text, whole) in [
            ("tcp:[::1]", "tcp:[::1]:6640"),
            ("tcp:::1", "tcp:[::1]:6640"),
            ("ssl:192.0.2.1", "ssl:192.0.2.1:6640"),
        ] {
            assert_eq!(text.parse::<Remote>().unwrap().to_string(), whole);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let error = |text: &str| text.parse::<Remote>().unwrap_err();
        for text in ["", "db.sock", "pssl:127.0.0.1:6640", "punix:/x", "TCP:127.0.0.1"] {
            let wanted = "unix:FILE, tcp:IP:PORT and ssl:IP:PORT";
            let refused = error(text);
            let text = text.into();
            assert_eq!(refused, RemoteError::Scheme { text, wanted });
        }
        assert_eq!(error("unix:"), RemoteError::NoFile { text: "unix:".into() });
        for text in [
            "tcp:",
            "tcp:localhost:6640",
            "tcp:127.0.0.1:65536",
            "tcp:127.0.0.1:",
            "tcp:[::1",
            "ssl:switch:6640",
        ] {
            assert_eq!(error(text), RemoteError::Address { text: text.into() });
        }
    }

    #[test]
    fn passive_ones_are_written_whole() {
        for (text, whole) in [
            ("punix:/run/db.sock", "punix:/run/db.sock"),
            ("ptcp:", "ptcp:6640:0.0.0.0"),
            ("pssl:6641", "pssl:6641:0.0.0.0"),
            ("ptcp::127.0.0.1", "ptcp:6640:127.0.0.1"),
            ("pssl:0:[::1]", "pssl:0:[::1]"),
            ("ptcp:0:::1", "ptcp:0:[::1]"),
        ] {
            assert_eq!(text.parse::<Passive>().unwrap().to_string(), whole);
            assert_eq!(whole.parse::<Passive>(), text.parse::<Passive>());
        }
        let error = |text: &str| text.parse::<Passive>().unwrap_err();
        assert_eq!(
            error("punix:"),
            RemoteError::NoFile {
                text: "punix:".into()
            }
        );
        assert_eq!(
            error("tcp:127.0.0.1").to_string(),
            "\"tcp:127.0.0.1\" is none of punix:FILE, ptcp:PORT:IP and pssl:PORT:IP"
        );
        for text in ["ptcp:65536", "ptcp:6640:", "ptcp:6640:localhost", "pssl:-1"] {
            assert_eq!(error(text), RemoteError::Address { text: text.into() });
        }
    }
}
