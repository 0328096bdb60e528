//! The shape of `webhooks`. Doc comments here are the operator's documentation.

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Secret;
use crate::records::Occasion;

/// An HTTP address that is told what happens, by signed POST requests (Standard Webhooks): `docs/webhooks.md`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What requests are signed with: `whsec_` and 24 to 64 bytes in base64 (`echo whsec_$(openssl rand -base64 32)`).
    pub secret: Secret,
    /// What it is told of.
    #[schemars(length(min = 1))]
    pub events: Vec<Occasion>,
    /// Whether it is told personal data: the caller's number and name, what they said last, what a flow marks as personal,
    /// messages, agents' notes. Default false.
    pub personal: Option<bool>,
}
