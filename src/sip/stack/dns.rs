//! Asks where a domain's SIP servers are (RFC 3263), by `hickory-resolver` (which the stack brings, too; its own
//! locator keeps only the first address it finds and knows no pointers).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::super::registrar::Transport;
use super::super::targets::{self, Naptr, Srv, Target};

/// One question may take this long.
const PATIENCE: Duration = Duration::from_secs(3);
/// Servers of one domain.
const MOST: usize = 16;

pub(super) struct Dns {
    /// None where the system's configuration cannot be read: then names are looked up as other programs do.
    resolver: Option<TokioResolver>,
}

impl Dns {
    /// Asks these name servers; none: the system's.
    pub fn new(servers: &[SocketAddr]) -> Self {
        let builder = match servers.is_empty() {
            true => TokioResolver::builder_tokio(),
            false => {
                let mut config = ResolverConfig::default();
                for server in servers {
                    let mut ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                    ways.iter_mut().for_each(|way| way.port = server.port());
                    config.add_name_server(NameServerConfig::new(server.ip(), true, ways.into()));
                }
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
        };
        let resolver = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            options.timeout = PATIENCE;
            options.attempts = 1;
            // Records are kept as long as they say and no longer than a trunk's own rhythm asks for them anyway.
            options.cache_size = 64;
            builder.build()
        });
        Self { resolver: resolver.ok() }
    }

    /// The servers to try, in order. Empty: there are none, or nobody told.
    pub async fn targets(&self, host: &str, port: Option<u16>, transport: Option<Transport>) -> Vec<Target> {
        let plain = transport.unwrap_or(Transport::Udp);
        let with = |ip: IpAddr, port: u16, transport| Target { address: SocketAddr::new(ip, port), transport };
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return vec![with(ip, port.unwrap_or(targets::default_port(plain)), plain)];
        }
        if let Some(port) = port {
            return self.addresses(host).await.into_iter().map(|ip| with(ip, port, plain)).collect();
        }
        let mut found = Vec::new();
        let pointers = self.pointers(host).await;
        for (transport, service) in targets::services(host, transport, &pointers) {
            let records = self.services(&service).await;
            for record in targets::in_order(records, |below| rand::random_range(0..below)) {
                let ips = self.addresses(&record.host).await;
                found.extend(ips.into_iter().map(|ip| with(ip, record.port, transport)));
                if found.len() >= MOST {
                    return found;
                }
            }
        }
        if found.is_empty() {
            let port = targets::default_port(plain);
            found.extend(self.addresses(host).await.into_iter().map(|ip| with(ip, port, plain)));
        }
        found
    }

    async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        match &self.resolver {
            Some(resolver) => {
                let found = tokio::time::timeout(2 * PATIENCE, resolver.lookup_ip(host)).await;
                found.ok().and_then(Result::ok).map(|found| found.iter().collect()).unwrap_or_default()
            }
            None => {
                let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await;
                let found = found.ok().and_then(Result::ok);
                found.into_iter().flatten().map(|address| address.ip()).collect()
            }
        }
    }

    async fn services(&self, name: &str) -> Vec<Srv> {
        let records = self.records(name, RecordType::SRV).await;
        let records = records.into_iter().filter_map(|data| match data {
            RData::SRV(srv) => {
                Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, host: srv.target.to_utf8() })
            }
            _ => None,
        });
        records.collect()
    }

    async fn pointers(&self, domain: &str) -> Vec<Naptr> {
        let records = self.records(domain, RecordType::NAPTR).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = records.into_iter().filter_map(|data| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: text(&naptr.flags),
                service: text(&naptr.services),
                replacement: naptr.replacement.to_utf8(),
            }),
            _ => None,
        });
        records.collect()
    }

    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let Some(resolver) = &self.resolver else { return Vec::new() };
        let answer = tokio::time::timeout(2 * PATIENCE, resolver.lookup(name, kind)).await;
        let answer = answer.ok().and_then(Result::ok);
        answer.map(|answer| answer.answers().iter().map(|record| record.data.clone()).collect()).unwrap_or_default()
    }
}
