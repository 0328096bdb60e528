//! Operators' HTTP backends: a request by template, a JSON reply, within a time limit that holds over everything.
//! Logs and metrics name the backend and the result, never the address asked for or what came back: both hold
//! callers' data.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use zeroize::Zeroizing;

use super::{Error, body};
use crate::call::{BackendFailure, Reply};
use crate::telemetry::names;
use crate::web::signature;

/// A reply larger than this is no reply to a caller.
const LARGEST: usize = 1024 * 1024;
/// A server that does not even accept in this time is tried again or given up.
const CONNECT: Duration = Duration::from_secs(2);
/// Before the first repetition; doubled for each.
const BACKOFF: Duration = Duration::from_millis(100);
/// By which a service tells a repetition from another request (draft-ietf-httpapi-idempotency-key-header-07).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

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
    /// Repetitions after a first failure: of a GET or an idempotent POST when it might help, of another POST only when it
    /// cannot have arrived.
    pub retries: u32,
    /// A POST carries a key by which the service does it once, however often it comes.
    pub idempotent: bool,
    /// Requests are signed by this secret (`web::signature`).
    pub signing_secret: Option<String>,
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
    idempotent: bool,
    secret: Option<Zeroizing<Vec<u8>>>,
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

    /// What the backend replies to `with`. `id` names what is asked: letters, digits and `-`, the same only where the same is
    /// asked once more. Takes at most the backend's time limit.
    pub async fn fetch(&self, backend: &str, with: &BTreeMap<String, String>, id: &str) -> Reply {
        let Some(settings) = self.backends.get(backend) else {
            tracing::error!(backend, "no such backend");
            return Reply::Failed(BackendFailure::Down);
        };
        let began = Instant::now();
        let reply = tokio::time::timeout(settings.timeout, self.try_often(backend, settings, with, id)).await;
        let reply = reply.unwrap_or(Reply::Failed(BackendFailure::Timeout));
        let result = match &reply {
            Reply::Found(_) => "ok",
            Reply::Refused(_) | Reply::Failed(BackendFailure::Refused) => "refused",
            Reply::Failed(BackendFailure::NotFound) => "not_found",
            Reply::Failed(BackendFailure::Timeout) => "timeout",
            Reply::Failed(BackendFailure::Down) => "down",
            Reply::Failed(BackendFailure::Malformed) => "malformed",
        };
        let elapsed = began.elapsed();
        tracing::debug!(backend, result, ms = elapsed.as_millis() as u64, "backend asked");
        metrics::histogram!(names::BACKEND_SECONDS, "backend" => backend.to_owned()).record(elapsed.as_secs_f64());
        metrics::counter!(names::BACKEND_REPLIES, "backend" => backend.to_owned(), "result" => result).increment(1);
        reply
    }

    async fn try_often(&self, name: &str, backend: &Backend, with: &BTreeMap<String, String>, id: &str) -> Reply {
        let asked = match backend.asked(with) {
            Ok(asked) => asked,
            Err(failure) => return Reply::Failed(failure),
        };
        let mut wait = BACKOFF;
        for attempt in 0.. {
            let failed = match self.try_once(backend, &asked, id, attempt > 0).await {
                Ok(reply) => return reply,
                Err(failed) => failed,
            };
            let repeat = failed.unsent || (failed.passing && (backend.method == Method::Get || backend.idempotent));
            tracing::warn!(backend = name, attempt, why = failed.why, "backend failed");
            if !repeat || attempt >= backend.retries {
                return Reply::Failed(failed.failure);
            }
            // Callers that fail together must not come back together.
            tokio::time::sleep(wait.mul_f64(0.5 + rand::random::<f64>())).await;
            wait *= 2;
        }
        Reply::Failed(BackendFailure::Down) // the loop above ends only by returning
    }

    async fn try_once(&self, backend: &Backend, asked: &Asked, id: &str, again: bool) -> Result<Reply, Failed> {
        let request = match &asked.body {
            None => self.client.get(asked.url.clone()),
            Some(body) => {
                self.client.post(asked.url.clone()).header(CONTENT_TYPE, "application/json").body(body.clone())
            }
        };
        let response = request.headers(backend.headers(asked, id)).send().await.map_err(Failed::of)?;
        let status = response.status();
        let passing = |passing| {
            let why = format!("status {}", status.as_u16());
            Failed { failure: BackendFailure::Down, unsent: false, passing, why }
        };
        match status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND => return Err(Failed::finally(BackendFailure::NotFound, "status 404".into())),
            // Our own first attempt may be the other one.
            StatusCode::CONFLICT if again => return Err(passing(true)),
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                let said = read(response).await.ok().and_then(|body| serde_json::from_slice(&body).ok());
                return Ok(Reply::Refused(said.unwrap_or_default()));
            }
            status => return Err(passing(matches!(status.as_u16(), 429 | 502..=504))),
        }
        let body = read(response).await?;
        // The error would quote the reply: its place is enough.
        serde_json::from_slice(&body).map(Reply::Found).map_err(|error| {
            let why = format!("no JSON at line {} column {}", error.line(), error.column());
            Failed::finally(BackendFailure::Malformed, why)
        })
    }
}

/// A question for a backend.
struct Asked {
    url: Url,
    /// JSON; none where everything is in the address.
    body: Option<Vec<u8>>,
}

impl Asked {
    /// Path and query, which are signed where there is no body.
    fn address(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.url.path())
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

async fn read(response: Response) -> Result<Vec<u8>, Failed> {
    let too_big = || Failed::finally(BackendFailure::Malformed, "reply over 1 MiB".into());
    body(response, LARGEST).await.map_err(Failed::of)?.ok_or_else(too_big)
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
        let secret = settings.signing_secret.as_ref().map(|secret| {
            signature::secret(secret).map(Zeroizing::new).ok_or_else(|| wrong("its signing secret is none".into()))
        });
        let secret = secret.transpose()?;
        let BackendSettings { url, method, timeout, retries, idempotent, .. } = settings;
        Ok(Self { url, method, timeout, retries, idempotent, secret, headers })
    }

    /// Those of one attempt.
    fn headers(&self, asked: &Asked, id: &str) -> HeaderMap {
        let mut headers = self.headers.clone();
        if self.idempotent && self.method == Method::Post {
            insert(&mut headers, IDEMPOTENCY_KEY, &format!("\"{id}\"")); // a string of RFC 9651
        }
        if let Some(secret) = &self.secret {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
            let signed = signature::sign(secret, id, now, asked.body.as_deref().unwrap_or(asked.address().as_bytes()));
            insert(&mut headers, signature::ID, id);
            insert(&mut headers, signature::TIMESTAMP, &now.to_string());
            insert(&mut headers, signature::SIGNATURE, &signed);
        }
        headers
    }

    fn asked(&self, with: &BTreeMap<String, String>) -> Result<Asked, BackendFailure> {
        let (url, rest) = self.address(with)?;
        let body = match self.method {
            Method::Get => None,
            Method::Post => Some(serde_json::to_vec(&rest).map_err(|_| BackendFailure::Malformed)?),
        };
        Ok(Asked { url, body })
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

/// Sets a header to letters and digits of our own making.
fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    crate::web::insert(headers, HeaderName::from_static(name), value);
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
            idempotent: false,
            signing_secret: None,
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
            idempotent: false,
            signing_secret: None,
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
