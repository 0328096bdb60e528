//! Services asked by HTTP: can they be asked so?

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::Checker;
use super::problem::Problem;
use super::raw_backends as raw;
use super::tree::At;
use super::{Backend, Method, Secret, builtin};
use crate::web::signature;

impl Checker<'_> {
    pub(super) fn backends(&mut self) -> BTreeMap<String, Backend> {
        let mut backends = BTreeMap::new();
        for (name, raw, at) in self.section("backends", |file| &file.backends) {
            self.backend_url(&raw.url, at.get("url"));
            let method = match raw.method {
                None | Some(raw::Method::Get) => Method::Get,
                Some(raw::Method::Post) => Method::Post,
            };
            if let (Method::Get, Some(_)) = (method, raw.idempotent) {
                let problem = Problem::new(at.place_of("idempotent"), "a GET may be repeated as it is");
                self.problems.push(problem.expected("`idempotent` with `method: POST`").remedy("leave it out"));
            }
            let idempotent = raw.idempotent.unwrap_or(false);
            let repeated = method == Method::Get || idempotent;
            let backend = Backend {
                name: name.into(),
                url: raw.url.clone(),
                method,
                timeout: raw.timeout_ms.map_or(builtin::BACKEND_TIMEOUT, Duration::from_millis),
                retries: raw.retries.unwrap_or(u32::from(repeated)),
                idempotent,
                signing_secret: raw
                    .signing_secret
                    .as_ref()
                    .map(|raw| self.signing_secret(raw, at.get("signing_secret"))),
                headers: self.headers(&raw.headers, at.get("headers")),
            };
            backends.insert(name.to_owned(), backend);
        }
        backends
    }

    fn headers(&mut self, raw: &BTreeMap<String, raw::Header>, at: At) -> BTreeMap<String, Secret> {
        let headers = raw.iter().map(|(header, value)| {
            if reqwest::header::HeaderName::from_bytes(header.as_bytes()).is_err() {
                let problem = Problem::new(at.place_of(header), format!("`{header}` cannot be an HTTP header's name"));
                self.problems.push(problem.expected("letters, digits and `-`"));
            }
            let value = match value {
                raw::Header::Plain(text) => Secret::new(text),
                raw::Header::Secret(secret) => self.secret(secret, at.get(header)),
            };
            if reqwest::header::HeaderValue::from_str(value.expose()).is_err() {
                let problem = Problem::new(at.get(header).secret_place(), "this cannot be sent as an HTTP header");
                self.problems.push(problem.expected("one line of plain text"));
            }
            (header.clone(), value)
        });
        headers.collect()
    }

    /// What requests of ours are signed by (Standard Webhooks).
    pub(super) fn signing_secret(&mut self, raw: &super::raw::Secret, at: At) -> Secret {
        let secret = self.secret(raw, at);
        // An empty one was reported, or is not needed now.
        if !secret.expose().is_empty() && signature::secret(secret.expose()).is_none() {
            let problem = at.problem("nothing can be signed by this secret");
            let problem = problem.expected("`whsec_` and 24 to 64 bytes in base64");
            self.problems.push(problem.remedy("make one: `echo whsec_$(openssl rand -base64 32)`"));
        }
        secret
    }
}
