//! Which database server, and by which certificates.

use std::fmt;
use std::path::PathBuf;

use lexopt::Arg;
use ovsdb_proto::client::{Client, ClientOptions, Error, Remote, Session, SessionOptions, TlsOptions};
use ovsdb_proto::monitor::MonitorRequest;

use crate::cli::{Failure, chain};

/// A database server. That of this host's switch, where distributions have it, is the default.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub remote: Remote,
    /// What `ssl:` remotes need, and no others.
    pub certificates: Certificates,
    /// Settings of connections to it.
    pub options: ClientOptions,
}

/// Certificates for `ssl:` remotes, as the command line has them: its options are those of `ovsdb-client`.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    private_key: Option<PathBuf>,
    certificate: Option<PathBuf>,
    ca_cert: Option<PathBuf>,
}

/// One of their options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateOption {
    /// `-p`, `--private-key`
    PrivateKey,
    /// `-c`, `--certificate`
    Certificate,
    /// `-C`, `--ca-cert`
    CaCert,
}

impl Server {
    /// The server at `remote`.
    pub fn new(remote: Remote) -> Self {
        Self {
            remote,
            certificates: Certificates::default(),
            options: ClientOptions::default(),
        }
    }

    /// Connects to it.
    ///
    /// # Errors
    /// [`Failure`]: it cannot be reached, trusts us as little as we it, or a certificate is missing.
    pub async fn connect(&self) -> Result<Client, Failure> {
        let client = Client::connect_with(&self.remote, self.options()?).await;
        client.map_err(|error| self.failed(error))
    }

    /// Follows what `request` asks for, over lost connections.
    ///
    /// # Errors
    /// [`Failure`]: a certificate is missing.
    pub fn session(&self, request: MonitorRequest) -> Result<Session, Failure> {
        let mut options = SessionOptions::default();
        options.client = self.options()?;
        Ok(Session::new([self.remote.clone()], request, options))
    }

    /// What an error of a connection to it is.
    pub fn failed(&self, error: Error) -> Failure {
        match error {
            // These name it already.
            Error::Connect { .. } | Error::ConnectTimeout { .. } => Failure::blind(chain(&error)),
            error => Failure::blind(format_args!("{self}: {}", chain(&error))),
        }
    }

    /// Where the sockets of its switch are: beside that of its database, or where distributions have them.
    pub fn directory(&self) -> PathBuf {
        match &self.remote {
            Remote::Unix(socket) => socket.parent().map(PathBuf::from).unwrap_or_default(),
            _ => RUNDIR.into(),
        }
    }

    fn options(&self) -> Result<ClientOptions, Failure> {
        let mut options = self.options.clone();
        options.tls = self.certificates.clone().complete();
        match (&self.remote, &options.tls) {
            (Remote::Ssl(_), None) => Err(Failure::usage(format_args!(
                "{self} needs --private-key, --certificate and --ca-cert"
            ))),
            _ => Ok(options),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new(Remote::Unix(format!("{RUNDIR}/db.sock").into()))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remote.fmt(f)
    }
}

impl Certificates {
    /// Reads the value of one of their options.
    ///
    /// # Errors
    /// It is missing.
    pub fn read(
        &mut self,
        option: CertificateOption,
        parser: &mut lexopt::Parser,
    ) -> Result<(), lexopt::Error> {
        let file = match option {
            CertificateOption::PrivateKey => &mut self.private_key,
            CertificateOption::Certificate => &mut self.certificate,
            CertificateOption::CaCert => &mut self.ca_cert,
        };
        *file = Some(parser.value()?.into());
        Ok(())
    }

    fn complete(self) -> Option<TlsOptions> {
        Some(TlsOptions {
            private_key: self.private_key?,
            certificate: self.certificate?,
            ca_cert: self.ca_cert?,
        })
    }
}

impl CertificateOption {
    /// Which one this is.
    ///
    /// # Errors
    /// It is none of them.
    pub fn of(arg: Arg<'_>) -> Result<Self, lexopt::Error> {
        match arg {
            Arg::Long("private-key") | Arg::Short('p') => Ok(Self::PrivateKey),
            Arg::Long("certificate") | Arg::Short('c') => Ok(Self::Certificate),
            Arg::Long("ca-cert") | Arg::Short('C') => Ok(Self::CaCert),
            other => Err(other.unexpected()),
        }
    }
}

const RUNDIR: &str = "/run/openvswitch";
