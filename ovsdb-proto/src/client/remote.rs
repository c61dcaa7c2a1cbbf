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

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It starts with none of `unix:`, `tcp:` and `ssl:`.
    #[error("{text:?} is none of unix:FILE, tcp:IP:PORT and ssl:IP:PORT")]
    Scheme {
        /// The text.
        text: String,
    },
    /// Nothing follows `unix:`.
    #[error("{text:?} names no file")]
    NoFile {
        /// The text.
        text: String,
    },
    /// What follows `tcp:` or `ssl:` is not an IP address and a port. Names are not looked up.
    #[error("{text:?} is not an ip address and a port")]
    Address {
        /// The text.
        text: String,
    },
}

impl FromStr for Remote {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        let owned = || text.to_owned();
        if let Some(file) = text.strip_prefix("unix:") {
            return match file {
                "" => Err(RemoteError::NoFile { text: owned() }),
                file => Ok(Self::Unix(file.into())),
            };
        }
        let (remote, address): (fn(SocketAddr) -> Self, _) = match text.split_once(':') {
            Some(("tcp", address)) => (Self::Tcp, address),
            Some(("ssl", address)) => (Self::Ssl, address),
            _ => return Err(RemoteError::Scheme { text: owned() }),
        };
        let without_port = || {
            let ip = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let ip: IpAddr = ip.unwrap_or(address).parse().ok()?;
            Some(SocketAddr::new(ip, DEFAULT_PORT))
        };
        let address = address.parse().ok().or_else(without_port);
        address
            .map(remote)
            .ok_or_else(|| RemoteError::Address { text: owned() })
    }
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
            assert_eq!(error(text), RemoteError::Scheme { text: text.into() });
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
}
