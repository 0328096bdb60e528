//! The shape of what a configuration says of services asked by HTTP. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Secret;

/// An HTTP service that answers one question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The address, with `{name}` where a value of the flow's `with` goes. Values without a place in it are sent as
    /// query parameters (GET) or in a JSON body (POST).
    pub url: String,
    /// `GET` or `POST`. Default `GET`.
    pub method: Option<Method>,
    /// Milliseconds an answer may take, all attempts together. Default 3000.
    #[schemars(range(min = 50, max = 60_000))]
    pub timeout_ms: Option<u64>,
    /// Further attempts when the service does not answer or fails. Default 1 for GET and where it is `idempotent`, else 0.
    #[schemars(range(min = 0, max = 5))]
    pub retries: Option<u32>,
    /// The service does a POST once, however often it comes with the same `Idempotency-Key`: each is sent one, and repeated
    /// like a GET. Default false.
    pub idempotent: Option<bool>,
    /// The secret that every request is signed by (Standard Webhooks): `whsec_` and base64, or a text of 24 letters or more.
    pub signing_secret: Option<Secret>,
    /// HTTP headers, in clear or as secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Method {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
}

/// A header's value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Header {
    Plain(String),
    Secret(Secret),
}
