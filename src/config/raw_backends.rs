//! The shape of what a configuration says of services asked by HTTP. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::{Secret, Word};

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
    /// The secret that every request is signed by (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64.
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

/// Who callers are, by the number that they call from: a table, or a backend that is asked when a call arrives. What is known
/// of a caller is personal, and proves nothing: a number can be forged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// A table (CSV in UTF-8, its first line names the columns), relative to this file; 100,000 people at most.
    pub file: Option<String>,
    /// The table's column that holds the telephone number. Default `number`.
    pub key: Option<String>,
    /// Instead of a table, the backend that is asked; it is told the caller's `number`.
    pub backend: Option<String>,
    /// What is kept: names of your choice, and the table's column or the place in the reply's JSON (`/name`). Default: every
    /// column of the table but the number, under its own name.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// Milliseconds that callers ring on for the backend's reply, at most. Default 1000.
    #[schemars(range(min = 50, max = 5_000))]
    pub timeout_ms: Option<u64>,
    /// The calling code of the country whose numbers are written with one 0 before them, as `44`: "020 7123 4567" is then
    /// the same as "+44 20 7123 4567".
    pub country_code: Option<Word>,
    /// The name of the value that is added to the priority of every queue: a whole number from -100 to 100.
    pub priority: Option<String>,
}
