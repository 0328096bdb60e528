//! Operators' backends over a real HTTP server: good answers, missing things, slowness, errors, nonsense; each comes
//! back as its own failure, within the time limit, and is repeated only where that is safe. What is signed can be told
//! from what is forged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use frontdesk::answers::{BackendSettings, Backends, Method};
use frontdesk::call::{BackendFailure, Reply};
use frontdesk::web::signature;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Count = Arc<AtomicUsize>;

async fn server() -> (String, Count) {
    let count = Count::default();
    let router = Router::new()
        .route(
            "/accounts/{account}/balance",
            get(|Path(account): Path<String>, Query(query): Query<BTreeMap<String, String>>, headers: HeaderMap| async move {
                let key = headers.get("x-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
                Json(json!({ "account": account, "query": query, "key": key, "balance": "12.50" }))
            }),
        )
        .route("/orders", post(|Json(body): Json<Value>| async move { Json(json!({ "got": body })) }))
        .route("/taken", post(|| async { (StatusCode::CONFLICT, Json(json!({ "detail": "that table is taken" }))) }))
        .route("/nonsense", post(|| async { (StatusCode::UNPROCESSABLE_ENTITY, "no") }))
        .route("/forbidden", post(|| async { StatusCode::FORBIDDEN }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/html", get(|| async { "<html>welcome</html>" }))
        .route("/cut", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "{\"a\": [1, 2") }))
        .route("/big", get(|| async { "1".repeat(2 * 1024 * 1024) }))
        .route("/slow", get(|| async { std::future::pending::<()>().await }))
        .route("/away", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/accounts/1/balance")]) }))
        .route(
            "/broken",
            get(|State(count): State<Count>| async move {
                count.fetch_add(1, Ordering::SeqCst);
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/busy",
            get(|State(count): State<Count>| async move {
                if count.fetch_add(1, Ordering::SeqCst) < 2 {
                    return StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                Json(json!("now")).into_response()
            })
            .post(|State(count): State<Count>| async move {
                count.fetch_add(1, Ordering::SeqCst);
                StatusCode::SERVICE_UNAVAILABLE
            }),
        )
        .with_state(Arc::clone(&count));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, count)
}

fn settings(url: String, method: Method, retries: u32) -> BackendSettings {
    BackendSettings {
        name: "bank".into(),
        url,
        method,
        timeout: Duration::from_secs(5),
        retries,
        idempotent: false,
        signing_secret: None,
        headers: [("x-key".to_string(), "s3cret".to_string())].into(),
    }
}

async fn reply(settings: BackendSettings, with: &[(&str, &str)]) -> Reply {
    let with = with.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    Backends::new([settings]).unwrap().fetch("bank", &with, "c1-1").await
}

async fn fetch(settings: BackendSettings, with: &[(&str, &str)]) -> Result<Value, BackendFailure> {
    match reply(settings, with).await {
        Reply::Found(said) => Ok(said),
        Reply::Refused(_) => Err(BackendFailure::Refused),
        Reply::Failed(failure) => Err(failure),
    }
}

#[tokio::test]
async fn a_good_answer_carries_values_headers_and_bodies() {
    let (at, _) = server().await;
    let url = format!("{at}/accounts/{{account}}/balance");
    let reply = fetch(settings(url, Method::Get, 0), &[("account", "31 41/59"), ("for", "余额 & more")]).await.unwrap();
    assert_eq!(reply["account"], "31 41/59");
    assert_eq!(reply["query"], json!({ "for": "余额 & more" }));
    assert_eq!(reply["key"], "s3cret");
    let reply = fetch(settings(format!("{at}/orders"), Method::Post, 0), &[("item", "tea"), ("n", "2")]).await.unwrap();
    assert_eq!(reply, json!({ "got": { "item": "tea", "n": "2" } }));
}

#[tokio::test]
async fn each_failure_has_its_name() {
    let (at, count) = server().await;
    for (path, failure) in [
        ("/missing", BackendFailure::NotFound),
        ("/html", BackendFailure::Malformed),
        ("/cut", BackendFailure::Malformed),
        ("/big", BackendFailure::Malformed),
        ("/away", BackendFailure::Down),
        ("/broken", BackendFailure::Down),
    ] {
        assert_eq!(fetch(settings(format!("{at}{path}"), Method::Get, 2), &[]).await, Err(failure), "{path}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1, "a broken server is not asked again");
    let unknown = Backends::new([settings(at, Method::Get, 0)]).unwrap().fetch("other", &BTreeMap::new(), "c1-1").await;
    assert_eq!(unknown, Reply::Failed(BackendFailure::Down));
}

#[tokio::test]
async fn the_time_limit_holds_over_everything() {
    let (at, _) = server().await;
    let began = Instant::now();
    let limit = Duration::from_millis(300);
    let slow = BackendSettings { timeout: limit, ..settings(format!("{at}/slow"), Method::Get, 5) };
    assert_eq!(fetch(slow, &[]).await, Err(BackendFailure::Timeout));
    assert!(began.elapsed() >= limit && began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_might_pass_is_repeated_where_that_is_safe() {
    let (at, count) = server().await;
    assert_eq!(fetch(settings(format!("{at}/busy"), Method::Get, 2), &[]).await, Ok(json!("now")));
    assert_eq!(count.swap(0, Ordering::SeqCst), 3);
    assert_eq!(fetch(settings(format!("{at}/busy"), Method::Get, 1), &[]).await, Err(BackendFailure::Down));
    assert_eq!(count.swap(0, Ordering::SeqCst), 2);
    assert_eq!(fetch(settings(format!("{at}/busy"), Method::Post, 3), &[]).await, Err(BackendFailure::Down));
    assert_eq!(count.load(Ordering::SeqCst), 1, "an order is not placed twice");
    // A port that nobody listens on: bound, then let go.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(fetch(settings(format!("http://{free}/"), Method::Post, 1), &[]).await, Err(BackendFailure::Down));
}

#[tokio::test]
async fn a_refusal_is_an_answer_with_its_reason() {
    let (at, _) = server().await;
    let post = |path: &str| reply(settings(format!("{at}{path}"), Method::Post, 2), &[]);
    assert_eq!(post("/taken").await, Reply::Refused(json!({ "detail": "that table is taken" })));
    assert_eq!(post("/nonsense").await, Reply::Refused(Value::Null));
    assert_eq!(post("/forbidden").await, Reply::Failed(BackendFailure::Down));
}

/// What reached a service: headers, path and query, body.
type Arrived = Arc<Mutex<Vec<(HeaderMap, String, Bytes)>>>;

/// A service that does what it is asked and twice fails to say so, then says that it is still at it.
async fn forgetful() -> (String, Arrived) {
    let arrived = Arrived::default();
    let take = |State(arrived): State<Arrived>, OriginalUri(uri): OriginalUri, headers: HeaderMap, body: Bytes| async move {
        let mut arrived = arrived.lock().unwrap();
        arrived.push((headers, uri.to_string(), body));
        match arrived.len() {
            1 => StatusCode::BAD_GATEWAY.into_response(),
            2 => StatusCode::CONFLICT.into_response(),
            _ => Json(json!({ "order": 7 })).into_response(),
        }
    };
    let router = Router::new().route("/orders", post(take).get(take)).with_state(arrived.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/orders", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, arrived)
}

#[tokio::test]
async fn an_idempotent_order_is_repeated_under_one_key() {
    let (at, arrived) = forgetful().await;
    let order = BackendSettings { idempotent: true, ..settings(at, Method::Post, 3) };
    assert_eq!(fetch(order, &[("item", "tea")]).await, Ok(json!({ "order": 7 })));
    let arrived = arrived.lock().unwrap();
    let keys: Vec<&str> = arrived.iter().map(|(headers, ..)| headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!(keys, ["\"c1-1\""; 3], "one key, as a structured header's string");
    assert!(arrived.iter().all(|(headers, ..)| headers["content-type"] == "application/json"));
}

#[tokio::test]
async fn a_signed_request_can_be_told_from_a_forged_one() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secret = signature::secret(SECRET).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    for method in [Method::Post, Method::Get] {
        let (at, arrived) = forgetful().await;
        let signed =
            BackendSettings { idempotent: true, signing_secret: Some(SECRET.into()), ..settings(at, method, 3) };
        assert_eq!(fetch(signed, &[("item", "tea & 茶")]).await, Ok(json!({ "order": 7 })));
        for (headers, address, body) in arrived.lock().unwrap().iter() {
            let signed = if method == Method::Post { body.to_vec() } else { address.clone().into_bytes() };
            assert!(signature::verify(&secret, headers, &signed, now), "{method:?} {address}");
            let forged = [&signed[..], b"x"].concat();
            assert!(!signature::verify(&secret, headers, &forged, now), "changed on the way");
            assert_eq!(headers[signature::ID], "c1-1");
        }
    }
}

#[tokio::test]
async fn the_example_backend_answers_as_its_readme_says() {
    use std::io::BufRead;
    let mut child = std::process::Command::new("python3")
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/examples/backend/server.py"), "--port", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let at = line.rsplit(' ').next().unwrap().trim().to_owned();
    let account = || settings(format!("{at}/accounts/{{account}}/balance"), Method::Get, 0);
    let parcel = || settings(format!("{at}/parcels/{{number}}"), Method::Get, 0);
    let replies = (
        fetch(account(), &[("account", "314159")]).await,
        fetch(account(), &[("account", "999999")]).await,
        fetch(parcel(), &[("number", "88001234")]).await,
        fetch(parcel(), &[("number", "1")]).await,
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let ada = json!({ "account": "314159", "balance": "1234.50", "currency": "USD", "name": "Ada Lovelace" });
    assert_eq!(replies.0, Ok(ada));
    assert_eq!(replies.1, Err(BackendFailure::NotFound));
    let parcel = json!({ "number": "88001234", "status": "派送中", "city": "上海", "eta": "2026-11-21" });
    assert_eq!(replies.2, Ok(parcel));
    assert_eq!(replies.3, Err(BackendFailure::NotFound));
}
