//! What the tests of the desk share: an engine with one, accounts made as an administrator makes them, an agent's page at work.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::chromium::Chromium;
use crate::common::engine::Engine;
use crate::common::people::{CALLER, SECONDS};
use frontdesk::call::Note;
use frontdesk::console::{AgentsHear, Board, Console, Member, Patience, People, Settings};
use frontdesk::records::Store;
use frontdesk::webrtc::Sound;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub const PASSWORD: &str = "a long enough password";
/// Pages of callers and of agents, on ports of their own.
pub const PAGES: &str =
    "browser: { listen: \"127.0.0.1:0\", udp: \"127.0.0.1:0\", lines: [bank] }\nconsole: { listen: \"127.0.0.1:0\" }\n";
/// What Ben's microphone sends, Hz.
pub const BEN_HUMS: f64 = 800.0;
/// An agent who talks by the browser.
pub const BEN: &str = "  ben: { desk: true, display_name: Ben Carter, queues: [front-desk] }\n";

/// A client that has logged in, or not yet.
pub struct Client {
    pub at: String,
    http: reqwest::Client,
    pub cookie: String,
    pub token: String,
}

impl Client {
    /// At the desk that is served here.
    pub fn new(at: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let at = at.trim_end_matches('/').to_owned();
        Self { at, http, cookie: String::new(), token: String::new() }
    }

    /// A request as our page makes it.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.at));
        let request = request.header("origin", &self.at).header("sec-fetch-site", "same-origin");
        let request = if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) };
        if self.token.is_empty() { request } else { request.header("x-frontdesk-token", &self.token) }
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn log_in(&mut self, name: &str, password: &str) -> (StatusCode, Value) {
        let body = json!({ "name": name, "password": password });
        let answer = self.request(Method::POST, "/api/log-in").json(&body).send().await.expect("an answer");
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().expect("text").to_owned());
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or(Value::Null));
        if let Some(cookie) = cookie {
            self.cookie = cookie.split(';').next().expect("a cookie").to_owned();
            self.token = body["token"].as_str().expect("a token").to_owned();
        }
        (status, body)
    }

    /// Sets a password by a link's secret.
    pub async fn accept(&self, secret: &str, password: &str) -> StatusCode {
        self.send(Method::POST, "/api/password", json!({ "link": secret, "password": password })).await.0
    }

    /// As the administrator: an account, and the secret of its link.
    pub async fn invite(&self, name: &str, role: &str, agent: Option<&str>) -> String {
        let account = json!({ "name": name, "role": role, "agent": agent });
        assert_eq!(self.send(Method::POST, "/api/accounts", account).await.0, StatusCode::NO_CONTENT);
        let (status, link) = self.send(Method::POST, &format!("/api/accounts/{name}/link"), Value::Null).await;
        assert_eq!(status, StatusCode::OK);
        link["link"].as_str().expect("a secret").to_owned()
    }
}

pub fn secret(link: &str) -> &str {
    link.split("welcome=").nth(1).expect("a link")
}

/// A desk without an engine.
pub struct House {
    pub console: Console,
    pub board: Board,
    pub store: Store,
    _folder: tempfile::TempDir,
}

pub fn settings() -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        ice_servers: vec![],
        names: vec![],
        proxies: vec![],
        dispositions: vec!["settled".into()],
        pauses: vec!["lunch".into()],
        session: Duration::from_secs(3_600),
        log_ins_per_minute: 1_000,
        agents_hear: AgentsHear::Own,
        sound_lost: Duration::from_secs(8),
    }
}

/// A desk for anna and ben, and its administrator.
pub async fn open(settings: Settings) -> (House, Client) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let member = |name: &str| Member { display_name: name.into(), by_browser: true, queues: ["desk".into()].into() };
    let people = People {
        agents: ["anna", "ben"].map(|name| (name.to_owned(), member(name))).into(),
        queues: ["desk".into()].into(),
        ..People::default()
    };
    let patience = Patience { silent: Duration::from_secs(600), back: Duration::from_secs(90) }; // nobody answers pings here
    let (board, _wishes) = Board::new(people, patience);
    let sound = Sound::open(settings.listen, &[], Duration::from_secs(5)).await.unwrap();
    let console = Console::start(settings, board.clone(), store.archive().await.unwrap(), sound).await.unwrap();
    let mut admin = Client::new(&format!("http://{}", console.listening));
    let link = console.link.clone().expect("a first link");
    assert_eq!(admin.accept(secret(&link), PASSWORD).await, StatusCode::OK);
    assert_eq!(admin.log_in("admin", PASSWORD).await.0, StatusCode::OK);
    (House { console, board, store, _folder: folder }, admin)
}

/// An agent who has logged in.
pub async fn agent(admin: &Client, name: &str) -> Client {
    colleague(admin, name, "agent", Some(name)).await
}

/// Somebody with an account of this role, logged in.
pub async fn colleague(admin: &Client, name: &str, role: &str, agent: Option<&str>) -> Client {
    let link = admin.invite(name, role, agent).await;
    let mut client = Client::new(&admin.at);
    assert_eq!(client.accept(&link, PASSWORD).await, StatusCode::OK);
    assert_eq!(client.log_in(name, PASSWORD).await.0, StatusCode::OK);
    client
}

/// The administrator of a new engine, logged in.
pub async fn administrator(engine: &Engine) -> Client {
    let (at, link) = engine.desk();
    let mut client = Client::new(&at);
    assert_eq!(client.accept(secret(&link), PASSWORD).await, StatusCode::OK);
    assert_eq!(client.log_in("admin", PASSWORD).await.0, StatusCode::OK);
    client
}

/// The page of an agent who has an account of this role: the link, the password, the log-in.
pub async fn logged_in(admin: &Client, agent: &str, role: &str) -> Chromium {
    let secret = admin.invite(agent, role, Some(agent)).await;
    assert_eq!(Client::new(&admin.at).accept(&secret, PASSWORD).await, StatusCode::OK);
    let mut page = Chromium::start(&[0; 16_000]).await;
    page.size(1_280, 800).await;
    page.open(&admin.at).await;
    page.wait("document.querySelector('input[name=username]')").await;
    page.fill("Name", agent).await;
    page.fill("Password", PASSWORD).await;
    page.click("Log in").await;
    page
}

/// An agent's page, ready.
pub async fn at_work(admin: &Client, agent: &str) -> Chromium {
    let mut page = logged_in(admin, agent, "agent").await;
    page.wait("document.querySelector('.idle .wide')").await;
    page.run("document.querySelector('.idle .wide').click()").await;
    page.wait("document.querySelector('.pill.available')").await;
    page
}

/// A caller's page, whose caller talks to the agent of this page: both hum.
pub async fn in_a_call(engine: &Engine, agent: &mut Chromium) -> Chromium {
    let mut caller = Chromium::start(&[0; 16_000]).await;
    caller.open(&engine.pages()).await;
    caller.wait("document.querySelector('frontdesk-call').lines.length == 1").await;
    caller.click("Start call").await;
    engine.at_step("menu", SECONDS).await;
    caller.key("0").await;
    agent.wait("document.querySelector('.acts h2')?.innerText == 'Incoming call'").await;
    agent.click("Answer").await;
    agent.wait("document.querySelector('.acts h2')?.innerText == 'In a call'").await;
    caller.hums(CALLER).await;
    agent.hums(BEN_HUMS).await;
    agent.click("Skip briefing").await;
    engine.wait_for("the connection", SECONDS, |note| matches!(note, Note::Connected { .. })).await;
    caller
}

/// The page hears this tone, among others.
pub async fn assert_hears(who: &str, page: &mut Chromium, hz: f64) {
    heard_by("hears", who, page, hz, |level, share| level > 0.01 && share > 0.15).await;
}

/// The page hears nothing but this tone.
pub async fn assert_hears_only(who: &str, page: &mut Chromium, hz: f64) {
    heard_by("hears nothing but", who, page, hz, |level, share| level > 0.01 && share > 0.8).await;
}

/// The page hears this tone no more: what was on its way may still arrive.
pub async fn assert_hears_no_more(who: &str, page: &mut Chromium, hz: f64) {
    heard_by("hears no more", who, page, hz, |_, share| share < 0.3).await;
}

/// Asks several times: a busy machine garbles half a second now and then.
async fn heard_by(how: &str, who: &str, page: &mut Chromium, hz: f64, so: impl Fn(f64, f64) -> bool) {
    let mut heard = Vec::new();
    for _ in 0..6 {
        let (level, share) = page.hears(hz).await;
        if so(level, share) {
            return;
        }
        heard.push((level, share));
    }
    panic!("{who} {how} {hz} Hz: level and share {heard:?}");
}

/// The page does not hear it.
pub async fn assert_deaf(who: &str, page: &mut Chromium, hz: f64) {
    let (level, share) = page.hears(hz).await;
    assert!(share < 0.03 || level < 0.001, "{who} does not hear {hz} Hz: {level} {share}");
}
