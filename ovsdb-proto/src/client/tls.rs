//! Connections to `ssl:` remotes, and from those that connect to `pssl:`.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Who we are, and whom we trust, by `ssl:` and `pssl:`: PEM files, as `ovs-vsctl` takes them and
/// `ovs-pki` makes them. They are read for each connection, so that new ones are seen.
///
/// As in all of Open vSwitch, a peer is trusted if its certificate is of the right authority,
/// whatever name stands in it.
///
/// ```no_run
/// use ovsdb_proto::client::{Client, ClientOptions, TlsOptions};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut options = ClientOptions::default();
/// options.tls = Some(TlsOptions {
///     private_key: "/etc/openvswitch/client-privkey.pem".into(),
///     certificate: "/etc/openvswitch/client-cert.pem".into(),
///     ca_cert: "/etc/openvswitch/switchca/cacert.pem".into(),
/// });
/// let client = Client::connect_with(&"ssl:192.0.2.1:6640".parse()?, options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Our private key: `--private-key`.
    pub private_key: PathBuf,
    /// Our certificate, and those between it and the authority: `--certificate`.
    pub certificate: PathBuf,
    /// The certificates of the authorities that we trust: `--ca-cert`.
    pub ca_cert: PathBuf,
}

/// Any certificate of these authorities will do.
#[derive(Debug)]
struct OfAuthority {
    authorities: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl TlsOptions {
    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        socket: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.client_config()?));
        let name = ServerName::IpAddress(address.ip().into());
        connector.connect(name, socket).await
    }

    /// The other end of [`connect`](Self::connect), on a connection that the peer made.
    pub(super) async fn accept(&self, socket: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config()?));
        acceptor.accept(socket).await
    }

    fn client_config(&self) -> io::Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = OfAuthority {
            authorities: self.authorities()?,
            provider: Arc::clone(&provider),
        };
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(certificates(&self.certificate)?, self.key()?)
            .map_err(unusable(&self.certificate))
    }

    fn server_config(&self) -> io::Result<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let authorities = Arc::new(self.authorities()?);
        let verifier = WebPkiClientVerifier::builder_with_provider(authorities, Arc::clone(&provider));
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
            .with_single_cert(certificates(&self.certificate)?, self.key()?)
            .map_err(unusable(&self.certificate))
    }

    fn authorities(&self) -> io::Result<RootCertStore> {
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(&self.ca_cert)? {
            authorities.add(certificate).map_err(unusable(&self.ca_cert))?;
        }
        Ok(authorities)
    }

    fn key(&self) -> io::Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_file(&self.private_key).map_err(unreadable(&self.private_key))
    }
}

impl ServerCertVerifier for OfAuthority {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.authorities, between, now, algorithms)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(unreadable(file))?;
    match certificates.is_empty() {
        true => Err(unusable(file)(CertificateError::BadEncoding.into())),
        false => Ok(certificates),
    }
}

fn unreadable(file: &Path) -> impl Fn(pem::Error) -> io::Error + '_ {
    |error| {
        let kind = match &error {
            pem::Error::Io(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, format!("{}: {error}", file.display()))
    }
}

fn unusable(file: &Path) -> impl Fn(Error) -> io::Error + '_ {
    |error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()))
}
