//! Operators' HTTP backends: a request by template, a JSON reply, within a time limit that holds over everything.
//! Logs and metrics name the backend and the result, never the address asked for or what came back: both hold
//! callers' data.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::Value;

use super::Error;
use crate::call::BackendFailure;
use crate::telemetry::names;

/// A reply larger than this is no reply to a caller.
const LARGEST: usize = 1024 * 1024;
/// A server that does not even accept in this time is tried again or given up.
const CONNECT: Duration = Duration::from_secs(2);
/// Before the first repetition; doubled for each.
const BACKOFF: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// One backend, as configured. `{name}` in `url` is replaced by a value, percent-encoded (RFC 3986, 2.1); values
/// without a place in it go into the query (GET) or a JSON object in the body (POST).
#[derive(Clone)]
pub struct BackendSettings {
    pub name: String,
    pub url: String,
    pub method: Method,
    /// Over all, repetitions included.
    pub timeout: Duration,
    /// Repetitions after a first failure: of a GET when it might help, of a POST only when it cannot have arrived.
    pub retries: u32,
    /// Sent with each request; values may be secrets.
    pub headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for BackendSettings {
    // Header values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackendSettings({} {:?} within {:?})", self.name, self.method, self.timeout)
    }
}

/// All backends of a configuration, over one pool of connections.
pub struct Backends {
    client: Client,
    backends: HashMap<String, Backend>,
}

struct Backend {
    url: String,
    method: Method,
    timeout: Duration,
    retries: u32,
    headers: HeaderMap,
}

impl Backends {
    pub fn new(settings: impl IntoIterator<Item = BackendSettings>) -> Result<Self, Error> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none()) // a redirect would carry secrets to where nobody configured
            .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Client)?;
        let backends =
            settings.into_iter().map(|s| Ok((s.name.clone(), Backend::new(s)?))).collect::<Result<_, _>>()?;
        Ok(Self { client, backends })
    }

    /// The backend's JSON reply to `with`, or why there is none. Takes at most the backend's time limit.
    pub async fn fetch(&self, backend: &str, with: &BTreeMap<String, String>) -> Result<Value, BackendFailure> {
        let Some(settings) = self.backends.get(backend) else {
            tracing::error!(backend, "no such backend");
            return Err(BackendFailure::Down);
        };
        let began = Instant::now();
        let reply = tokio::time::timeout(settings.timeout, self.try_often(backend, settings, with))
            .await
            .unwrap_or(Err(BackendFailure::Timeout));
        let result = match &reply {
            Ok(_) => "ok",
            Err(BackendFailure::NotFound) => "not_found",
            Err(BackendFailure::Timeout) => "timeout",
            Err(BackendFailure::Down) => "down",
            Err(BackendFailure::Malformed) => "malformed",
        };
        let elapsed = began.elapsed();
        tracing::debug!(backend, result, ms = elapsed.as_millis() as u64, "backend asked");
        metrics::histogram!(names::BACKEND_SECONDS, "backend" => backend.to_owned()).record(elapsed.as_secs_f64());
        metrics::counter!(names::BACKEND_REPLIES, "backend" => backend.to_owned(), "result" => result).increment(1);
        reply
    }

    async fn try_often(
        &self,
        name: &str,
        backend: &Backend,
        with: &BTreeMap<String, String>,
    ) -> Result<Value, BackendFailure> {
        let (url, rest) = backend.address(with)?;
        let mut wait = BACKOFF;
        for attempt in 0.. {
            let failed = match self.try_once(backend, url.clone(), &rest).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            let repeat = failed.unsent || (failed.passing && backend.method == Method::Get);
            tracing::warn!(backend = name, attempt, why = failed.why, "backend failed");
            if !repeat || attempt >= backend.retries {
                return Err(failed.failure);
            }
            // Callers that fail together must not come back together.
            tokio::time::sleep(wait.mul_f64(0.5 + rand::random::<f64>())).await;
            wait *= 2;
        }
        Err(BackendFailure::Down) // the loop above ends only by returning
    }

    async fn try_once(&self, backend: &Backend, url: Url, rest: &BTreeMap<&str, &str>) -> Result<Value, Failed> {
        let request = match backend.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url).json(rest),
        };
        let response = request.headers(backend.headers.clone()).send().await.map_err(Failed::of)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => return Err(Failed::finally(BackendFailure::NotFound, "status 404".into())),
            status => {
                let passing = matches!(status.as_u16(), 429 | 502..=504);
                let why = format!("status {}", status.as_u16());
                return Err(Failed { failure: BackendFailure::Down, unsent: false, passing, why });
            }
        }
        let body = read(response).await?;
        // The error would quote the reply: its place is enough.
        serde_json::from_slice(&body).map_err(|error| {
            let why = format!("no JSON at line {} column {}", error.line(), error.column());
            Failed::finally(BackendFailure::Malformed, why)
        })
    }
}

/// One attempt that came to nothing.
struct Failed {
    failure: BackendFailure,
    /// The request cannot have reached the backend.
    unsent: bool,
    /// Another attempt may do better.
    passing: bool,
    /// Without address or content.
    why: String,
}

impl Failed {
    fn of(error: reqwest::Error) -> Self {
        let failure = if error.is_timeout() { BackendFailure::Timeout } else { BackendFailure::Down };
        let why = if error.is_connect() { "no connection" } else { "connection lost" };
        Self { failure, unsent: error.is_connect(), passing: true, why: why.into() }
    }

    fn finally(failure: BackendFailure, why: String) -> Self {
        Self { failure, unsent: false, passing: false, why }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failed> {
    let too_big = || Failed::finally(BackendFailure::Malformed, "reply over 1 MiB".into());
    let announced = response.content_length().unwrap_or(0);
    if announced > LARGEST as u64 {
        return Err(too_big());
    }
    let mut body = Vec::with_capacity(announced as usize);
    while let Some(chunk) = response.chunk().await.map_err(Failed::of)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(too_big());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl Backend {
    fn new(settings: BackendSettings) -> Result<Self, Error> {
        let wrong = |why: String| Error::Backend { backend: settings.name.clone(), why };
        let (origin_end, sample) = (origin_end(&settings.url), fill(&settings.url, |_| Some("x")));
        if settings.url[..origin_end].contains('{') {
            return Err(wrong("its host cannot be a value of the call".into()));
        }
        let url = sample
            .as_deref()
            .and_then(|url| Url::parse(url).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            return Err(wrong("its url is no http or https address".into()));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let key = HeaderName::try_from(name).map_err(|_| wrong(format!("{name:?} is no header name")))?;
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| wrong(format!("header {name} has a value it cannot carry")))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let BackendSettings { url, method, timeout, retries, .. } = settings;
        Ok(Self { url, method, timeout, retries, headers })
    }

    /// The address for these values, and the values that have no place in the template.
    fn address<'a>(
        &self,
        with: &'a BTreeMap<String, String>,
    ) -> Result<(Url, BTreeMap<&'a str, &'a str>), BackendFailure> {
        let filled = fill(&self.url, |name| with.get(name).map(String::as_str)).ok_or(BackendFailure::Malformed)?;
        let mut url = Url::parse(&filled).map_err(|_| BackendFailure::Malformed)?;
        // A value of "." or ".." would climb to another path (even percent-encoded, by the URL standard): there is
        // no such account.
        let segments = |url: &Url| url.path().split('/').count();
        let sample = fill(&self.url, |_| Some("x")).and_then(|sample| Url::parse(&sample).ok());
        if sample.is_some_and(|sample| segments(&sample) != segments(&url)) {
            return Err(BackendFailure::NotFound);
        }
        let rest: BTreeMap<&str, &str> = with
            .iter()
            .filter(|(name, _)| !self.url.contains(&format!("{{{name}}}")))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if self.method == Method::Get && !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(&rest);
        }
        Ok((url, rest))
    }
}

/// All but the unreserved characters of RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces each `{name}`; none when a name has no value or a brace no partner.
fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.extend(utf8_percent_encode(value(name)?, RESERVED));
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// Where `scheme://host:port` ends.
fn origin_end(url: &str) -> usize {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(url: &str, method: Method) -> Backend {
        let settings = BackendSettings {
            name: "bank".into(),
            url: url.into(),
            method,
            timeout: Duration::from_secs(1),
            retries: 0,
            headers: BTreeMap::new(),
        };
        Backend::new(settings).unwrap()
    }

    fn with(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn values_are_percent_encoded_into_their_places_and_the_rest_goes_to_the_query() {
        let backend = backend("http://127.0.0.1:1/a/{account}/b?q={what}", Method::Get);
        let values = with(&[("account", "3/1 4?&#"), ("what", "余额"), ("more", "x&y")]);
        let (url, _) = backend.address(&values).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/a/3%2F1%204%3F%26%23/b?q=%E4%BD%99%E9%A2%9D&more=x%26y");
        assert!(backend.address(&with(&[("account", "1")])).is_err(), "a value is missing");
    }

    #[test]
    fn no_value_climbs_out_of_its_path() {
        let backend = backend("http://127.0.0.1:1/accounts/{account}/balance", Method::Get);
        for climbing in ["..", ".", "%2e%2e", "../..", "a/../.."] {
            match backend.address(&with(&[("account", climbing)])) {
                Ok((url, _)) => {
                    assert!(url.path().starts_with("/accounts/") && url.path().ends_with("/balance"), "{url}")
                }
                Err(failure) => assert_eq!(failure, BackendFailure::NotFound),
            }
        }
    }

    #[test]
    fn a_wrong_address_or_header_is_refused_when_loaded() {
        let settings = |url: &str, headers: &[(&str, &str)]| BackendSettings {
            name: "bank".into(),
            url: url.into(),
            method: Method::Get,
            timeout: Duration::from_secs(1),
            retries: 0,
            headers: with(headers),
        };
        for url in ["", "127.0.0.1/a", "ftp://x/{a}", "http://{host}/a", "http://x/{a", "file:///etc/{a}"] {
            assert!(Backend::new(settings(url, &[])).is_err(), "{url:?} was taken");
        }
        assert!(Backend::new(settings("http://x/", &[("a b", "c")])).is_err());
        let error = Backend::new(settings("http://x/", &[("x-key", "sec\nret")])).err().unwrap();
        assert!(!error.to_string().contains("sec"), "{error}");
    }
}
