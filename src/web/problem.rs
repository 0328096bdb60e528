//! An error as clients read it (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::insert;

#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: &'static str,
    retry_after: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: &'static str) -> Self {
        Self { status, detail, retry_after: None }
    }

    /// Trying again helps after so many seconds.
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body =
            json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            insert(headers, header::RETRY_AFTER, &seconds.to_string());
        }
        response
    }
}
