//! TLS (1.2 and 1.3) by rustls, beside the stack: its own listener asks for no client certificates, reads no EC keys
//! in SEC1 form, and its own connections are verified by a fixed list of authorities. Certificates are files; they are
//! read again when they change or on request, and only new connections see the change (RFC 5923: old ones stay).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::super::settings::TlsSettings;
use super::Error;

/// A handshake, and the connection before it, may take this long.
const HANDSHAKE: Duration = Duration::from_secs(4);

/// What connections are made with, ours and others'.
pub(super) struct Tls {
    keys: ArcSwap<Keys>,
}

struct Keys {
    settings: TlsSettings,
    /// None where there is no certificate: then nobody is let in by TLS.
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
    /// When the files were written last.
    written: Vec<Option<SystemTime>>,
}

impl Tls {
    pub fn load(settings: &TlsSettings) -> Result<Self, Error> {
        // The stack's own connections (to where a peer's Contact leads) take the process's provider; whoever came
        // first has set it.
        let _ = aws_lc_rs::default_provider().install_default();
        Ok(Self { keys: ArcSwap::from_pointee(Keys::read(settings)?) })
    }

    /// Reads the files again. On any mistake the old ones stay in use.
    pub fn reload(&self, settings: &TlsSettings) -> Result<(), Error> {
        self.keys.store(Arc::new(Keys::read(settings)?));
        Ok(())
    }

    /// As [`Self::reload`], where a file was written since; whether one was.
    pub fn reload_if_changed(&self) -> Result<bool, Error> {
        let keys = self.keys.load();
        if written(&keys.settings) == keys.written {
            return Ok(false);
        }
        self.reload(&keys.settings.clone()).map(|()| true)
    }

    /// Authorities for the stack's own connections, PEM.
    pub fn authorities(&self) -> Option<Vec<u8>> {
        std::fs::read(self.keys.load().settings.authorities.as_ref()?).ok()
    }

    /// Our side of a connection that came in.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        let server = self.keys.load().server.clone();
        let acceptor = TlsAcceptor::from(server.ok_or_else(|| io::Error::other("no certificate"))?);
        tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await?
    }

    /// A connection to a peer that must prove to be `name` (RFC 5922, 7): a domain, or the address itself.
    pub async fn connect(
        &self,
        to: SocketAddr,
        name: Option<&str>,
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = match name.filter(|name| name.parse::<IpAddr>().is_err()) {
            Some(name) => ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
            None => ServerName::IpAddress(to.ip().into()),
        };
        let connector = TlsConnector::from(self.keys.load().client.clone());
        let connect = async { connector.connect(name, TcpStream::connect(to).await?).await };
        tokio::time::timeout(HANDSHAKE, connect).await?
    }
}

impl Keys {
    fn read(settings: &TlsSettings) -> Result<Self, Error> {
        let written = written(settings);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let own = match &settings.identity {
            Some((certificate, key)) => Some((certificates(certificate)?, private_key(key)?)),
            None => None,
        };
        let server = match &own {
            Some((chain, key)) => Some(Arc::new(server(settings, &provider, chain.clone(), key.clone_key())?)),
            None => None,
        };
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(error.to_string()))?
            .with_root_certificates(roots(settings.authorities.as_deref())?);
        let client = match own {
            // A trunk may ask who we are (mutual TLS).
            Some((chain, key)) => client.with_client_auth_cert(chain, key).map_err(|e| Error::Tls(e.to_string()))?,
            None => client.with_no_client_auth(),
        };
        Ok(Self { settings: settings.clone(), server, client: Arc::new(client), written })
    }
}

fn server(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(error.to_string()))?;
    let builder = match &settings.client_authorities {
        Some(file) => {
            let roots = Arc::new(roots(Some(file))?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| Error::Tls(error.to_string()))?)
        }
        None => builder.with_no_client_auth(),
    };
    builder.with_single_cert(chain, key).map_err(|error| Error::Tls(format!("certificate and key: {error}")))
}

/// The authorities of a file, else the system's.
fn roots(file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates(file)? {
                let wrong = |error| Error::Tls(format!("{}: {error}", file.display()));
                roots.add(certificate).map_err(wrong)?;
            }
        }
        None => {
            // A machine without any can still be called; what it calls by TLS then fails with "unknown issuer".
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |error: rustls::pki_types::pem::Error| Error::Tls(format!("{}: {error}", file.display()));
    let found: Vec<_> = CertificateDer::pem_file_iter(file).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    match found.is_empty() {
        true => Err(Error::Tls(format!("{}: holds no certificate (PEM)", file.display()))),
        false => Ok(found),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| Error::Tls(format!("{}: {error}", file.display())))
}

fn written(settings: &TlsSettings) -> Vec<Option<SystemTime>> {
    let own = settings.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
    let files: Vec<&PathBuf> = own.chain(&settings.authorities).chain(&settings.client_authorities).collect();
    files.into_iter().map(|file| std::fs::metadata(file).and_then(|about| about.modified()).ok()).collect()
}
