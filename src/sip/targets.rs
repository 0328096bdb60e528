//! Where a domain's SIP servers are (RFC 3263), as plain values: which names to ask for, and in which order the answers
//! are tried (RFC 2782, RFC 3403). `stack/dns.rs` asks.

use std::net::SocketAddr;

use super::registrar::Transport;

/// One server, and how it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub address: SocketAddr,
    pub transport: Transport,
}

/// A service record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub host: String,
}

/// A naming authority pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    pub order: u16,
    pub preference: u16,
    pub flags: String,
    pub service: String,
    pub replacement: String,
}

/// The port of a transport where none is named.
pub fn default_port(transport: Transport) -> u16 {
    if transport == Transport::Tls { 5061 } else { 5060 }
}

/// Names of service records to ask for, best first: what the domain's pointers say, else the usual ones (RFC 3263, 4.1).
/// A `wanted` transport is the only one.
pub fn services(domain: &str, wanted: Option<Transport>, pointers: &[Naptr]) -> Vec<(Transport, String)> {
    let mut pointers: Vec<&Naptr> = pointers.iter().filter(|naptr| naptr.flags.eq_ignore_ascii_case("s")).collect();
    pointers.sort_by_key(|naptr| (naptr.order, naptr.preference));
    let pointed = pointers.into_iter().filter_map(|naptr| {
        let transport = match naptr.service.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            _ => return None,
        };
        Some((transport, naptr.replacement.clone()))
    });
    let fits = |(transport, _): &(Transport, String)| wanted.is_none_or(|wanted| wanted == *transport);
    let pointed: Vec<_> = pointed.filter(fits).collect();
    if !pointed.is_empty() {
        return pointed;
    }
    let usual = [(Transport::Udp, "_sip._udp"), (Transport::Tcp, "_sip._tcp"), (Transport::Tls, "_sips._tcp")];
    let usual = usual.into_iter().map(|(transport, service)| (transport, format!("{service}.{domain}")));
    usual.filter(fits).collect()
}

/// The order in which records are tried: by priority, within one at random by weight (RFC 2782). `random` gives a
/// number below its argument. A lone record that names the root says that there is no such service.
pub fn in_order(mut records: Vec<Srv>, mut random: impl FnMut(u32) -> u32) -> Vec<Srv> {
    records.retain(|record| !record.host.trim_end_matches('.').is_empty());
    // Those without weight come first, so that they have a small chance.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while !records.is_empty() {
        let priority = records[0].priority;
        let group = records.iter().take_while(|record| record.priority == priority);
        let total: u32 = group.map(|record| u32::from(record.weight)).sum();
        let chosen = random(total.saturating_add(1));
        let mut sum = 0;
        let within = |record: &Srv| {
            sum += u32::from(record.weight);
            sum >= chosen
        };
        let at = records.iter().position(within).unwrap_or(0);
        ordered.push(records.remove(at));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, host: &str) -> Srv {
        Srv { priority, weight, port: 5060, host: host.into() }
    }

    #[test]
    fn priorities_come_first_and_weights_share_the_load() {
        let records = vec![srv(20, 0, "last"), srv(10, 10, "small"), srv(10, 90, "big"), srv(10, 0, "none")];
        let mut first = std::collections::BTreeMap::new();
        for draw in 0..=100u32 {
            let order = in_order(records.clone(), |below| draw.min(below - 1));
            assert_eq!(order.len(), 4);
            assert_eq!(order[3].host, "last");
            *first.entry(order[0].host.clone()).or_insert(0) += 1;
        }
        assert_eq!((first["big"], first["small"], first["none"]), (90, 10, 1));
    }

    #[test]
    fn no_service_is_told_by_the_root() {
        assert_eq!(in_order(vec![srv(0, 0, ".")], |_| 0), []);
        assert_eq!(in_order(vec![], |_| 0), []);
    }

    #[test]
    fn pointers_choose_the_transport() {
        let naptr = |order, preference, service: &str, to: &str| Naptr {
            order,
            preference,
            flags: "S".into(),
            service: service.into(),
            replacement: to.into(),
        };
        let pointers = [
            naptr(20, 10, "SIP+D2U", "udp.example"),
            naptr(10, 50, "SIP+D2T", "tcp.example"),
            naptr(10, 10, "SIPS+D2T", "tls.example"),
            naptr(1, 1, "E2U+sip", "enum.example"),
        ];
        let names = |wanted, pointers: &[Naptr]| -> Vec<String> {
            services("example", wanted, pointers).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(names(None, &pointers), ["tls.example", "tcp.example", "udp.example"]);
        assert_eq!(names(Some(Transport::Udp), &pointers), ["udp.example"]);
        assert_eq!(names(Some(Transport::Tls), &pointers[..1]), ["_sips._tcp.example"]);
        assert_eq!(names(None, &[]), ["_sip._udp.example", "_sip._tcp.example", "_sips._tcp.example"]);
    }
}
