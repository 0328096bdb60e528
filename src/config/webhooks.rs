//! Webhooks: can they be reached, and can they know that it is us?

use std::collections::BTreeMap;

use super::check::Checker;
use super::tree::At;
use super::{Secret, Webhook, raw};
use crate::web::signature;

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
                secret: self.webhook_secret(&raw.secret, at.get("secret")),
                occasions: raw.events.iter().copied().collect(),
                personal,
            };
            webhooks.insert(name.to_owned(), webhook);
        }
        webhooks
    }

    fn webhook_secret(&mut self, raw: &raw::Secret, at: At) -> Secret {
        let secret = self.secret(raw, at);
        // An empty one was reported, or is not needed now.
        if !secret.expose().is_empty() && signature::secret(secret.expose()).is_none() {
            let problem =
                at.problem("this is no secret to sign with").expected("`whsec_` and 24 to 64 bytes in base64");
            self.problems.push(problem.remedy("make one: `echo whsec_$(openssl rand -base64 32)`"));
        }
        secret
    }
}

/// What is sent there leaves this machine not at all.
fn is_here(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
