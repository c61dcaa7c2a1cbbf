//! Keys and certificates.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{Error, ovsdb::short_temp_dir, tools};

/// What `ovs-pki` makes: two authorities, a certificate of a server by one, and one of a client by the other.
#[derive(Debug)]
pub struct Pki {
    dir: TempDir,
}

impl Pki {
    /// Makes them. That takes seconds.
    ///
    /// # Errors
    /// [`Error::Missing`] without `ovs-pki`, [`Error::Command`] if it fails, as it does without `openssl`.
    pub fn new() -> Result<Self, Error> {
        tools::check_wanted()?;
        let pki = Self {
            dir: short_temp_dir()?,
        };
        for args in [
            &["init"][..],
            &["-u", "req+sign", "server", "switch"],
            &["-u", "req+sign", "client", "controller"],
        ] {
            let mut command = Command::new(tools::find("ovs-pki")?);
            command
                .current_dir(pki.dir.path())
                .arg(format!("--dir={}", pki.dir.path().join("pki").display()))
                .arg(format!("--log={}", pki.dir.path().join("log").display()));
            tools::output(command.args(args))?;
        }
        Ok(pki)
    }

    /// Private key and certificate of the server.
    pub fn server(&self) -> (PathBuf, PathBuf) {
        self.of("server")
    }

    /// Private key and certificate of the client.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        self.of("client")
    }

    /// The certificate of the authority behind the server's.
    pub fn server_authority(&self) -> PathBuf {
        self.dir.path().join("pki/switchca/cacert.pem")
    }

    /// The certificate of the authority behind the client's.
    pub fn client_authority(&self) -> PathBuf {
        self.dir.path().join("pki/controllerca/cacert.pem")
    }

    /// What a server of OVS is told of its keys, and of whom it is to trust.
    pub fn server_options(&self) -> [String; 3] {
        let (private_key, certificate) = self.server();
        [
            format!("--private-key={}", private_key.display()),
            format!("--certificate={}", certificate.display()),
            format!("--ca-cert={}", self.client_authority().display()),
        ]
    }

    fn of(&self, name: &str) -> (PathBuf, PathBuf) {
        let file = |kind: &str| -> PathBuf { Path::join(self.dir.path(), format!("{name}-{kind}.pem")) };
        (file("privkey"), file("cert"))
    }
}
