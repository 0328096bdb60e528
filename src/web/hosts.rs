//! By which names a server without TLS may be asked. A page of any site passes as ours when its name is made to lead to our
//! address (DNS rebinding): its browser sees one origin. No certificate is asked for there, so the name itself must be ours.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use ipnet::IpNet;

use super::{Problem, text};

/// How one may be asked. An address, and `localhost`, nobody else can have; names are the operator's.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// It speaks TLS: the certificate has the names.
    pub secure: bool,
    pub names: Vec<String>,
    /// Reverse proxies: where no name is given they have looked at it.
    pub proxies: Vec<IpNet>,
}

impl Hosts {
    fn admits(&self, peer: IpAddr, headers: &HeaderMap, uri: &Uri) -> bool {
        let proxy = || self.names.is_empty() && self.proxies.iter().any(|proxy| proxy.contains(&peer.to_canonical()));
        self.secure || host(headers, uri).is_some_and(|host| self.knows(&host)) || proxy()
    }

    fn knows(&self, host: &str) -> bool {
        let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let local = name == "localhost" || name.ends_with(".localhost"); // RFC 6761, 6.3
        local || name.parse::<IpAddr>().is_ok() || self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The host that a request names, in small letters, without its port.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let given = text(headers, header::HOST).or(uri.authority().map(Authority::as_str))?;
    Some(given.parse::<Authority>().ok()?.host().to_ascii_lowercase())
}

/// Answers only who asks by a name that `hosts` admits; `key` of the configuration is where the operator adds one.
pub fn by_name(router: Router, key: &'static str, hosts: impl Fn() -> Hosts + Clone + Send + Sync + 'static) -> Router {
    let look = move |Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>, request: Request, next: Next| {
        let admitted = hosts().admits(peer.ip(), request.headers(), request.uri());
        async move { if admitted { next.run(request).await } else { misdirected(key) } }
    };
    router.layer(middleware::from_fn(look))
}

fn misdirected(key: &'static str) -> Response {
    tracing::info!(key, "a request by a name that is not ours is refused");
    let told = match key {
        "browser.names" => {
            "this server is not asked by that name: use `localhost` or its address, or add the name to `browser.names`"
        }
        _ => {
            "this server is not asked by that name: use `localhost` or its address, or add the name to `console.names`"
        }
    };
    Problem::new(StatusCode::MISDIRECTED_REQUEST, told).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_localhost_and_the_operators_names_are_ours() {
        let hosts = Hosts { names: vec!["desk.example.org".into()], ..Hosts::default() };
        let [here, proxy] = ["127.0.0.1", "10.0.0.1"].map(|ip| ip.parse::<IpAddr>().unwrap());
        let asked = |hosts: &Hosts, peer, host: &str| {
            let headers = [(header::HOST, host.parse().unwrap())].into_iter().collect();
            hosts.admits(peer, &headers, &Uri::from_static("/"))
        };
        for ours in [
            "localhost:9062",
            "LOCALHOST",
            "a.localhost",
            "127.0.0.1:9062",
            "[::1]:9062",
            "192.0.2.1",
            "Desk.Example.org:443",
        ] {
            assert!(asked(&hosts, here, ours), "{ours}");
        }
        for strange in [
            "evil.example:9062",
            "desk.example.org.evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "@",
        ] {
            assert!(!asked(&hosts, here, strange), "{strange}");
        }
        assert!(
            asked(&Hosts { secure: true, ..Hosts::default() }, here, "any.example"),
            "its certificate says who it is"
        );
        let proxied = Hosts { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Hosts::default() };
        assert!(asked(&proxied, proxy, "any.example") && !asked(&proxied, here, "any.example"));
        // By HTTP/2 the name is the request's own.
        let uri = Uri::from_static("http://evil.example/api/session");
        assert!(
            !hosts.admits(here, &HeaderMap::new(), &uri)
                && !hosts.admits(here, &HeaderMap::new(), &Uri::from_static("/"))
        );
    }
}
