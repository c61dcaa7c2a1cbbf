//! The releases that tests run on.

use std::{env, fmt, path::PathBuf};

use testbed::{Debian, Error, Version, vm::Guest};

/// An Open vSwitch and a kernel for guests, both of one Debian.
#[derive(Debug)]
pub(crate) struct Platform {
    debian: Debian,
    /// Where Open vSwitch is unpacked, if it is not the installed one.
    root: Option<PathBuf>,
    pub(crate) openvswitch: Version,
    pub(crate) linux: String,
}

impl Platform {
    /// Brings both into the cache, if they are not there.
    pub(crate) fn of(debian: Debian) -> Result<Self, Error> {
        let linux = Guest::of(debian)?.linux()?;
        let (root, openvswitch) = match debian {
            Debian::Own => (None, testbed::version()?),
            _ => {
                let unpacked = testbed::unpacked(debian)?;
                (Some(unpacked.root), unpacked.version)
            }
        };
        Ok(Self {
            debian,
            root,
            openvswitch,
            linux,
        })
    }

    /// The variables by which tests are told.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let root = self
            .root
            .as_ref()
            .map(|root| (OPENVSWITCH, root.to_string_lossy().into_owned()));
        let kernel = self.debian.suite().map(|suite| (KERNEL, suite.to_owned()));
        root.into_iter().chain(kernel).collect()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Open vSwitch {} and Linux {}", self.openvswitch, self.linux)
    }
}

/// Whether the caller chose releases, which then stand in for those of this machine.
pub(crate) fn is_chosen_by_caller() -> bool {
    [OPENVSWITCH, KERNEL]
        .into_iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

const OPENVSWITCH: &str = "OVS_RS_OPENVSWITCH";
const KERNEL: &str = "OVS_RS_KERNEL";
