//! Webhooks: can they be reached, and can they know that it is us?

use std::collections::BTreeMap;

use super::Webhook;
use super::check::Checker;

impl Checker<'_> {
    pub(super) fn webhooks(&mut self) -> BTreeMap<String, Webhook> {
        let mut webhooks = BTreeMap::new();
        for (name, raw, at) in self.section("webhooks", |file| &file.webhooks) {
            let personal = raw.personal.unwrap_or(false);
            if let Some(url) = self.url(raw.url.clone(), &raw.url, at.get("url"))
                && url.scheme() == "http"
                && personal
                && !is_here(&url)
            {
                let problem = at.get("url").problem("personal data would go through the network in the clear");
                self.problems.push(problem.expected("`https://...`").remedy("or leave `personal` out"));
            }
            let webhook = Webhook {
                name: name.into(),
                url: raw.url.clone(),
                secret: self.signing_secret(&raw.secret, at.get("secret")),
                occasions: raw.events.iter().copied().collect(),
                personal,
            };
            webhooks.insert(name.to_owned(), webhook);
        }
        webhooks
    }
}

/// What is sent there leaves this machine not at all.
fn is_here(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
