//! Strangers, and colleagues who may not: every one of them is refused and counted, nothing of them is logged, and the desk goes
//! on.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::Utc;
use frontdesk::answers::Meaning;
use frontdesk::call::{Caller, Summary};
use frontdesk::console::{Board, Console, Settings};
use frontdesk::records::Store;
use frontdesk::webrtc::Sound;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::desk::{Client, House, PASSWORD, agent, colleague, secret, settings};

async fn open(log_ins_per_minute: u32) -> (House, Client) {
    crate::desk::open(Settings { log_ins_per_minute, ..settings() }).await
}

const PROTECTED: [(&str, &str); 16] = [
    ("GET", "/api/desk"),
    ("GET", "/api/wall"),
    ("GET", "/api/directory"),
    ("GET", "/api/ice"),
    ("GET", "/api/accounts"),
    ("GET", "/api/audit"),
    ("GET", "/api/records"),
    ("GET", "/api/records/x/recording"),
    ("GET", "/api/calls/x"),
    ("GET", "/api/calls/x/earlier"),
    ("GET", "/api/calls/x/intents"),
    ("POST", "/api/state"),
    ("POST", "/api/calls/x/order"),
    ("POST", "/api/calls/x/answer"),
    ("PUT", "/api/calls/x/wrap-up"),
    ("DELETE", "/api/accounts/anna"),
];

#[tokio::test]
async fn without_a_cookie_there_is_nothing() {
    let _alone = crate::common::chromium::alone().await;
    let (_house, admin) = open(1_000).await;
    let stranger = Client::new(&admin.at);
    let mut forger = Client::new(&admin.at);
    (forger.cookie, forger.token) = ("frontdesk=0123456789".into(), admin.token.clone());
    for (method, path) in PROTECTED {
        let method: Method = method.parse().unwrap();
        for client in [&stranger, &forger] {
            let (status, problem) = client.send(method.clone(), path, json!({})).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}: {problem}");
        }
    }
    assert_eq!(forger.send(Method::GET, "/api/session", Value::Null).await.1, json!({ "account": null }));
    // What it serves to everybody tells nothing.
    for path in ["/", "/console.js", "/api/openapi.json"] {
        assert_eq!(stranger.request(Method::GET, path).send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_role_does_what_it_may_and_a_link_works_once() {
    let _alone = crate::common::chromium::alone().await;
    let (_house, admin) = open(1_000).await;
    let anna = agent(&admin, "anna").await;
    for path in ["/api/wall", "/api/accounts", "/api/audit", "/api/calls/x", "/api/records/x/recording"] {
        assert_eq!(anna.send(Method::GET, path, Value::Null).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let promotion = json!({ "name": "anna", "role": "administrator" });
    assert_eq!(anna.send(Method::POST, "/api/accounts", promotion).await.0, StatusCode::FORBIDDEN);
    // An administrator without an agent has no desk; nobody else's call is theirs.
    assert_eq!(admin.send(Method::GET, "/api/directory", Value::Null).await.0, StatusCode::FORBIDDEN);
    let order = json!({ "do": "hang_up" });
    assert_eq!(anna.send(Method::POST, "/api/calls/x/order", order).await.0, StatusCode::CONFLICT);
    assert_eq!(anna.send(Method::PUT, "/api/calls/x/wrap-up", json!({})).await.0, StatusCode::CONFLICT);

    // An analyst reads what is over, and nothing that tells of a caller.
    let desk = json!({ "name": "ada", "role": "analyst", "agent": "anna" });
    assert_eq!(admin.send(Method::POST, "/api/accounts", desk).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let ada = colleague(&admin, "ada", "analyst", None).await;
    for path in ["/api/wall", "/api/accounts", "/api/audit", "/api/calls/x", "/api/desk", "/api/directory", "/api/ice"]
    {
        assert_eq!(ada.send(Method::GET, path, Value::Null).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(ada.send(Method::GET, "/api/records", Value::Null).await.0, StatusCode::OK);

    let link = admin.invite("ben", "agent", Some("ben")).await;
    let stranger = Client::new(&admin.at);
    assert_eq!(stranger.accept(&link, "short").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stranger.accept("0".repeat(64).as_str(), PASSWORD).await, StatusCode::FORBIDDEN);
    assert_eq!(stranger.accept(&link, PASSWORD).await, StatusCode::OK);
    assert_eq!(stranger.accept(&link, PASSWORD).await, StatusCode::FORBIDDEN, "it worked once");

    // Another role, or none, ends the session at once.
    let change = json!({ "name": "anna", "role": "supervisor", "agent": "anna" });
    assert_eq!(admin.send(Method::POST, "/api/accounts", change).await.0, StatusCode::NO_CONTENT);
    assert_eq!(anna.send(Method::GET, "/api/directory", Value::Null).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        admin.send(Method::DELETE, "/api/accounts/admin", Value::Null).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn other_sites_change_nothing_even_with_the_cookie() {
    let _alone = crate::common::chromium::alone().await;
    let (_house, admin) = open(1_000).await;
    let anna = agent(&admin, "anna").await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |headers: &[(&str, &str)], token: &str| {
        let mut request = http.post(format!("{}/api/state", admin.at)).header("cookie", &anna.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = if token.is_empty() { request } else { request.header("x-frontdesk-token", token) };
        request.header("content-type", "application/json").body("{\"state\":\"off\"}").send()
    };
    let own = admin.at.as_str();
    for (headers, token) in [
        (vec![("origin", "https://evil.example")], anna.token.as_str()),
        (vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], anna.token.as_str()),
        (vec![("origin", "null"), ("sec-fetch-site", "cross-site")], anna.token.as_str()),
        (vec![("origin", own), ("sec-fetch-site", "same-site")], anna.token.as_str()),
        (vec![], anna.token.as_str()),
        (vec![("origin", own), ("sec-fetch-site", "same-origin")], ""),
        (vec![("origin", own), ("sec-fetch-site", "same-origin")], admin.token.as_str()),
    ] {
        assert_eq!(post(&headers, token).await.unwrap().status(), StatusCode::FORBIDDEN, "{headers:?}");
    }
    let good = post(&[("origin", own), ("sec-fetch-site", "same-origin")], &anna.token).await.unwrap();
    assert_eq!(good.status(), StatusCode::NO_CONTENT);
    // A form of another site sends no JSON, and log-in is protected as well.
    let form = http.post(format!("{own}/api/log-in")).header("origin", "https://evil.example").body("name=anna");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(1_000).await;
    let body = json!({ "name": "admin", "password": PASSWORD });
    let answer = admin.request(Method::POST, "/api/log-in").json(&body).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    for wanted in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=18000"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = admin.request(Method::GET, "/").send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    // Logged out is logged out, copies of the cookie too.
    assert_eq!(admin.send(Method::POST, "/api/log-out", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(admin.send(Method::GET, "/api/accounts", Value::Null).await.0, StatusCode::UNAUTHORIZED);
    drop(house.console);
}

#[tokio::test]
async fn a_sessions_end_cuts_no_call() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = crate::desk::open(Settings { session: Duration::from_secs(25), ..settings() }).await;
    let [anna, ben] = [agent(&admin, "anna").await, agent(&admin, "ben").await];
    let (orders, _kept) = tokio::sync::mpsc::channel(8);
    let summary = Summary { outcome: None, language: "en".into(), facts: vec![] };
    house.board.begin("now", &Caller::default(), Utc::now(), &Meaning::default(), Vec::new(), orders);
    house.board.ring("now", "anna", &summary);
    house.board.answered("now", "anna");
    let mut pages = Vec::new();
    for client in [&anna, &ben] {
        pages.push(client.request(Method::GET, "/api/desk").send().await.unwrap());
    }
    let [mut annas, mut bens] = <[_; 2]>::try_from(pages).unwrap();
    let ended = async { while bens.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(45), ended).await.expect("Ben, without a call, is logged out");
    assert_eq!(ben.send(Method::GET, "/api/directory", Value::Null).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(anna.send(Method::GET, "/api/directory", Value::Null).await.0, StatusCode::OK);
    // Her page's news go on, past all that they were before.
    house.board.held("now", "anna", true);
    let held = async {
        while let Some(chunk) = annas.chunk().await.unwrap() {
            if String::from_utf8_lossy(&chunk).contains("\"held\":true") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), held).await.unwrap());
}

#[tokio::test]
async fn a_name_that_is_made_to_lead_here_opens_nothing() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = crate::desk::open(Settings { names: vec!["desk.example.org".into()], ..settings() }).await;
    let port = house.console.listening.port();
    // As a page of evil.example sees it: its own origin, by its own name.
    let http = reqwest::Client::builder().no_proxy();
    let http =
        http.resolve("evil.example", house.console.listening).resolve("desk.example.org", house.console.listening);
    let http = http.build().unwrap();
    for (host, path, status) in [
        ("evil.example", "/api/session", StatusCode::MISDIRECTED_REQUEST),
        ("evil.example", "/", StatusCode::MISDIRECTED_REQUEST),
        ("desk.example.org", "/api/session", StatusCode::OK),
        ("localhost", "/api/session", StatusCode::OK),
    ] {
        let answer =
            http.get(format!("http://{host}:{port}{path}")).header("sec-fetch-site", "same-origin").send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), status, "{host}{path}");
        if status != StatusCode::OK {
            assert!(answer.text().await.unwrap().contains("`console.names`"), "with a remedy");
        }
    }
    let evil = format!("http://evil.example:{port}");
    let body = json!({ "name": "admin", "password": PASSWORD });
    let log_in = http.post(format!("{evil}/api/log-in")).header("origin", &evil).json(&body).send().await.unwrap();
    assert_eq!(log_in.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(admin.send(Method::GET, "/api/accounts", Value::Null).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_thousand_guesses_get_nowhere() {
    let _alone = crate::common::chromium::alone().await;
    let (_house, admin) = open(30).await;
    let anna_link = admin.invite("anna", "agent", Some("anna")).await;
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    let guesser = Client::new(&admin.at);
    for n in 0..1_000 {
        let body = json!({ "name": if n % 2 == 0 { "admin" } else { "anna" }, "password": format!("guess {n}") });
        let (status, _) = guesser.send(Method::POST, "/api/log-in", body).await;
        *statuses.entry(status.as_u16()).or_default() += 1;
    }
    // Five of each account at most were looked at; the address itself is stopped after thirty.
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [401, 429], "{statuses:?}");
    assert!(statuses[&401] <= 10, "{statuses:?}");
    // Who is logged in notices nothing.
    assert_eq!(admin.send(Method::GET, "/api/accounts", Value::Null).await.0, StatusCode::OK);
    drop(anna_link);
}

#[tokio::test]
async fn oversized_and_slow_clients_cost_nothing() {
    let _alone = crate::common::chromium::alone().await;
    let (house, admin) = open(1_000).await;
    let anna = agent(&admin, "anna").await;
    let big = json!({ "notes": "x".repeat(200_000) });
    assert_eq!(anna.send(Method::PUT, "/api/calls/x/wrap-up", big).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let sdp = anna.request(Method::POST, "/api/calls/x/answer").header("content-type", "application/sdp");
    assert_eq!(sdp.body("v=0\r\n".repeat(50_000)).send().await.unwrap().status(), StatusCode::CONFLICT);
    let wrong = anna.request(Method::POST, "/api/state").header("content-type", "text/plain").body("{}");
    assert_eq!(wrong.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for odd in ["{", "[]", "{\"state\":\"asleep\"}", "{\"state\":\"paused\",\"reason\":\"<b>\"}"] {
        let request = anna.request(Method::POST, "/api/state").header("content-type", "application/json").body(odd);
        let status = request.send().await.unwrap().status();
        assert!(matches!(status.as_u16(), 400 | 422), "{odd}: {status}");
    }
    // Fifty who begin a request and never end it.
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(house.console.listening).await.unwrap();
        stream.write_all(b"POST /api/log-in HTTP/1.1\r\nhost: x\r\ncontent-le").await.unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(anna.send(Method::GET, "/api/directory", Value::Null).await.0, StatusCode::OK);
    }
    let mut ends = [0; 256];
    let closed = tokio::time::timeout(Duration::from_secs(30), slow[0].read(&mut ends)).await;
    assert!(closed.is_ok(), "who is too slow is let go");
}

#[tokio::test]
async fn a_second_start_prints_no_link() {
    let _alone = crate::common::chromium::alone().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut links = Vec::new();
    for _ in 0..3 {
        let sound = Sound::open(loopback, &[], Duration::from_secs(5)).await.unwrap();
        let archive = store.archive().await.unwrap();
        let console = Console::start(settings(), Board::default(), archive, sound).await.unwrap();
        let Some(link) = console.link.clone() else {
            links.push(None);
            continue;
        };
        let client = Client::new(&format!("http://{}", console.listening));
        if links.len() == 1 {
            let first: &Option<String> = &links[0];
            let void = client.accept(secret(first.as_ref().unwrap()), PASSWORD).await;
            assert_eq!(void, StatusCode::FORBIDDEN, "a new link voids the one before");
            assert_eq!(client.accept(secret(&link), PASSWORD).await, StatusCode::OK);
        }
        links.push(Some(link));
    }
    assert!(links[0].is_some() && links[1].is_some() && links[2].is_none(), "until there is a password");
}

#[tokio::test]
async fn the_description_names_what_there_is() {
    let _alone = crate::common::chromium::alone().await;
    let (_house, admin) = open(1_000).await;
    let (_, document) = admin.send(Method::GET, "/api/openapi.json", Value::Null).await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 15);
    let stranger = Client::new(&admin.at);
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let (path, verb) = (path.replace(['{', '}'], ""), method.to_uppercase().parse::<Method>().unwrap());
            let (status, _) = stranger.send(verb, &path, json!({})).await;
            // Who is nobody gets in exactly where the document asks for nothing.
            let open = operation["security"] == json!([]);
            assert!(!matches!(status.as_u16(), 404 | 405), "{method} {path}: {status}");
            assert_eq!(status == StatusCode::UNAUTHORIZED, !open, "{method} {path}: {status}");
        }
    }
}
