//! Serves HTTP/1.1 and HTTP/2 to strangers, with or without TLS: bounded in connections, in time for a handshake and for a
//! request's head. (`axum::serve` has no such limits.)

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::middleware::map_request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::{Certificate, Error};

/// Connections at once: a page that shows captions keeps one.
const CONNECTIONS: usize = 2_048;
/// What a TLS handshake, and each request's head, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// After an error of the listening socket (mostly: no file handle is free).
const REST: Duration = Duration::from_millis(200);
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 32;

/// A socket that listens, with the TLS that its connections are to have.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    /// With the port that was found, when 0 was asked for.
    pub listening: SocketAddr,
}

impl Server {
    pub async fn bind(address: SocketAddr, certificate: Option<&Certificate>) -> Result<Self, Error> {
        let tls = certificate.map(tls).transpose()?;
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let listening = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, tls, listening })
    }

    /// Whether it speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until it is dropped.
    pub async fn serve(self, router: Router) {
        serve(self.listener, self.tls, router).await;
    }
}

fn tls((chain, key): &Certificate) -> Result<TlsAcceptor, Error> {
    let wrong = |file: &Path, error: &dyn std::fmt::Display| Error::Tls(format!("{}: {error}", file.display()));
    let chain: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|error: rustls::pki_types::pem::Error| wrong(chain, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| wrong(key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // A full house lets new ones wait.
        let Ok(place) = places.clone().acquire_owned().await else { return }; // it is never closed
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "a connection could not be taken");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true); // only a matter of milliseconds
            match tls {
                Some(tls) => match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, from, router, place).await,
                    _ => debug!("a TLS handshake came to nothing"),
                },
                None => connection::<TcpStream>(stream, from, router, place).await,
            }
        });
    }
}

async fn connection<S>(stream: S, from: SocketAddr, router: Router, _place: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let began = Arc::new(AtomicBool::new(false));
    let mark = began.clone();
    let begin = move |request: Request| {
        mark.store(true, Ordering::Relaxed);
        std::future::ready(request)
    };
    let router = router.layer(axum::Extension(ConnectInfo(from))).layer(map_request(begin));
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Some(PATIENCE * 2))
        .max_header_list_size(16 * 1024);
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    // Until the version of HTTP is known no limit of the server's own counts: who says nothing would keep the place.
    let done = tokio::select! {
        done = &mut served => done,
        () = tokio::time::sleep(PATIENCE) => match began.load(Ordering::Relaxed) {
            true => served.await,
            false => return debug!("a connection asked for nothing"),
        },
    };
    if let Err(error) = done {
        debug!(%error, "a connection ended early");
    }
}

/// Who asks, by a request's headers: [`caller`], of all `X-Forwarded-For` lines in their order (a proxy may add one of its own).
pub fn asker(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    caller(peer, Some(&lines.join(",")), trusted)
}

/// Who asks: the peer, or by a trusted proxy's word whom it asks for (the last address that no trusted proxy has).
fn caller(peer: IpAddr, forwarded: Option<&str>, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut from = peer.to_canonical();
    for hop in forwarded.unwrap_or_default().rsplit(',') {
        if !trusted(from) {
            break;
        }
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        from = hop.to_canonical();
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_speaks_for_others() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = |from: IpAddr| from == ip("10.0.0.1") || from == ip("10.0.0.2");
        for (peer, said, from) in [
            ("192.0.2.1", None, "192.0.2.1"),
            ("192.0.2.1", Some("198.51.100.7"), "192.0.2.1"),
            ("10.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
            ("10.0.0.1", Some("203.0.113.9, 198.51.100.7"), "198.51.100.7"),
            ("10.0.0.1", Some("198.51.100.7, 10.0.0.2"), "198.51.100.7"),
            ("10.0.0.1", Some("nonsense"), "10.0.0.1"),
            ("10.0.0.1", None, "10.0.0.1"),
        ] {
            assert_eq!(caller(ip(peer), said, trusted), ip(from), "{peer} {said:?}");
        }
    }
}
