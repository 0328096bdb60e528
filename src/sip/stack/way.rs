//! Where a call goes out: for one who calls without listening for others.

use std::net::IpAddr;

use rsipstack::sip::{Host, Scheme, Uri};

use super::super::Error;

/// Our own address on the way to a SIP URI (`sip:user@host[:port]`), to start an endpoint on. A host name is looked
/// up; of several addresses the first that can be reached counts.
pub async fn way_to(uri: &str) -> Result<IpAddr, Error> {
    let uri = Uri::try_from(uri).map_err(|_| Error::Uri)?;
    if uri.scheme != Some(Scheme::Sip) {
        return Err(Error::Uri);
    }
    let host = uri.host_with_port.host.to_string();
    let found = match uri.host_with_port.host {
        Host::IpAddr(ip) => vec![ip],
        Host::Domain(_) => {
            let found = tokio::net::lookup_host((host.clone(), 0)).await;
            let found = found.map_err(|source| Error::Host { host: host.clone(), source: Some(source) })?;
            found.map(|address| address.ip()).collect()
        }
    };
    found.into_iter().find_map(super::route_to).ok_or(Error::Host { host, source: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_is_reached_from_loopback() {
        for uri in ["sip:1000@127.0.0.1:5060", "sip:1000@127.0.0.9;transport=tcp", "sip:*@localhost"] {
            assert!(way_to(uri).await.unwrap().is_loopback(), "{uri}");
        }
    }

    #[tokio::test]
    async fn what_is_no_address_is_refused() {
        for uri in ["", "1000", "tel:+123", "sips:1000@127.0.0.1", "sip:"] {
            assert!(way_to(uri).await.is_err(), "{uri}");
        }
        let error = way_to("sip:1000@nowhere.invalid").await.unwrap_err();
        assert!(matches!(error, Error::Host { .. }) && error.to_string().contains("nowhere.invalid"), "{error}");
    }
}
