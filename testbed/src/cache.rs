//! The directory that outlives a test run: what is unpacked, and one guest at a time.

use std::{
    env, fs, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{Error, Missing};

/// The cache directory, created: `OVS_RS_CACHE`, or `ovs-rs-testbed` below `XDG_CACHE_HOME` or
/// `~/.cache`.
pub(crate) fn directory() -> Result<PathBuf, Error> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let dir = variable("OVS_RS_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|dir| dir.join(NAME)))
        .or_else(|| variable("HOME").map(|dir| dir.join(".cache").join(NAME)))
        .ok_or_else(|| Missing {
            what: "a cache directory (OVS_RS_CACHE, XDG_CACHE_HOME or HOME)".to_owned(),
            package: None,
        })?;
    fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
    dir.canonicalize().map_err(Error::io(dir))
}

/// The right to use a cache directory, held by one process and in it by one thread at a time.
///
/// It is a name in the abstract socket namespace: the kernel gives it to one holder and takes it
/// back when the holder ends, however it ends.
pub(crate) struct Lock {
    _name: UnixListener,
}

impl Lock {
    /// Waits until nobody else holds the directory.
    pub(crate) fn take(dir: &Path) -> Result<Self, Error> {
        // A name has room for 107 bytes. Two directories with the same end share a lock, which is
        // slower and not wrong.
        let path = dir.as_os_str().as_encoded_bytes();
        let end = &path[path.len().saturating_sub(PATH_MAX)..];
        let name = [NAME.as_bytes(), b":", end].concat();
        let address = SocketAddr::from_abstract_name(name).map_err(Error::io(dir))?;
        loop {
            match UnixListener::bind_addr(&address) {
                Ok(name) => return Ok(Self { _name: name }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => thread::sleep(POLL),
                Err(error) => return Err(Error::io(dir)(error)),
            }
        }
    }
}

const NAME: &str = "ovs-rs-testbed";
const PATH_MAX: usize = 90;
const POLL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(Lock::take(dir.path()).is_ok()).unwrap());
            assert!(receiver.recv_timeout(POLL * 3).is_err());
            drop(first);
            assert!(receiver.recv().unwrap());
        });
    }
}
