//! Serves HTTP/1.1 and HTTP/2 to strangers, with or without TLS: bounded in connections, in time for a handshake and for a
//! request's head, and in time without a request or a word of an answer. (`axum::serve` has no such limits.)

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::middleware::{map_request, map_response};
use axum::response::Response;
use http_body::{Frame, SizeHint};
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
/// A connection on which nothing is asked and nothing answered for so long is let go: pings alone keep no place. (Streams of
/// ours say something more often.)
const IDLE: Duration = Duration::from_secs(60);
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
        serve(self.listener, self.tls, router, IDLE).await;
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

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, idle: Duration) {
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
                    Ok(Ok(stream)) => connection(stream, from, router, place, idle).await,
                    _ => debug!("a TLS handshake came to nothing"),
                },
                None => connection::<TcpStream>(stream, from, router, place, idle).await,
            }
        });
    }
}

async fn connection<S>(stream: S, from: SocketAddr, router: Router, _place: OwnedSemaphorePermit, idle: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let traffic = Arc::new(Traffic { began: Instant::now(), last_ms: AtomicU64::new(0) });
    let (asked, answers) = (traffic.clone(), traffic.clone());
    let ask = move |request: Request| {
        asked.goes_on();
        std::future::ready(request)
    };
    let answer = move |answer: Response| {
        let traffic = answers.clone();
        std::future::ready(answer.map(|body| Body::new(Answer { body, traffic })))
    };
    let router = router.layer(axum::Extension(ConnectInfo(from))).layer(map_request(ask)).layer(map_response(answer));
    let mut server = Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Some(PATIENCE * 2))
        .max_header_list_size(16 * 1024);
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let done = loop {
        // Until the version of HTTP is known no limit of the server's own counts: who says nothing would keep the place.
        let limit = if traffic.last().is_zero() { PATIENCE.min(idle) } else { traffic.last() + idle };
        let left = limit.saturating_sub(traffic.began.elapsed());
        if left.is_zero() {
            // Told, so that what crosses this is asked anew; and no longer waited for than any request's head.
            served.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(PATIENCE.min(idle), served).await;
            return debug!("a connection asked for nothing");
        }
        if let Ok(done) = tokio::time::timeout(left, &mut served).await {
            break done;
        }
    };
    if let Err(error) = done {
        debug!(%error, "a connection ended early");
    }
}

/// When a connection was last of use.
struct Traffic {
    began: Instant,
    /// Ms since then; 0: it has asked for nothing.
    last_ms: AtomicU64,
}

impl Traffic {
    fn goes_on(&self) {
        let now = self.began.elapsed().as_millis().max(1);
        self.last_ms.store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn last(&self) -> Duration {
        Duration::from_millis(self.last_ms.load(Ordering::Relaxed))
    }
}

/// An answer's body that says when some of it is taken.
struct Answer {
    body: Body,
    traffic: Arc<Traffic>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.traffic.goes_on();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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

    /// A client of HTTP/2 that asks once and then only pings; what comes until the server hangs up, or none by then.
    async fn pings(address: SocketAddr, path: &str, within: Duration) -> Option<usize> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect(address).await.unwrap();
        // RFC 9113: preface, SETTINGS, HEADERS of stream 1 (RFC 7541: GET, http, and a literal path and authority).
        let field = |index: u8, value: &str| [&[index, value.len() as u8], value.as_bytes()].concat();
        let fields = [vec![0x82, 0x86], field(0x04, path), field(0x01, "localhost")].concat();
        let head = [&[0, 0, fields.len() as u8, 1, 5, 0, 0, 0, 1][..], &fields].concat();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        stream.write_all(&head).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let pinging = tokio::spawn(async move {
            while write.write_all(b"\0\0\x08\x06\0\0\0\0\0pingpong").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let all = async {
            let (mut bytes, mut came) = ([0; 4_096], 0);
            loop {
                match read.read(&mut bytes).await {
                    Ok(0) | Err(_) => return came,
                    Ok(n) => came += n,
                }
            }
        };
        let came = tokio::time::timeout(within, all).await.ok();
        pinging.abort();
        came
    }

    #[tokio::test]
    async fn who_only_pings_is_let_go_and_who_follows_a_stream_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let words = || async {
            let words = futures_util::stream::unfold((), async |()| {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Some((Ok::<_, std::convert::Infallible>("word"), ()))
            });
            Body::from_stream(words)
        };
        let router = Router::new()
            .route("/", axum::routing::get(|| async { "hello" }))
            .route("/words", axum::routing::get(words));
        let serving = tokio::spawn(serve(listener, None, router, Duration::from_secs(2)));
        let came = pings(address, "/", Duration::from_secs(10)).await.expect("it is let go");
        assert!(came > 60, "it was answered: {came} bytes");
        assert_eq!(pings(address, "/words", Duration::from_secs(6)).await, None, "words come all the while");
        serving.abort();
    }
}
