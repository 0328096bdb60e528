//! A scripted OpenAI-compatible server rewrites summaries well, slowly, wrongly, or inventing things.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use frontdesk::answers::{Kept, Llm, LlmSettings, Rewriter};
use frontdesk::call::{Fact, FactKind, Outcome, Summary};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const GOOD: &str = "Ada Lovelace asked for the balance of account 314159. It was told: 1,234.50 USD.";

fn summary() -> Summary {
    let facts = [
        (FactKind::Caller, "Ada Lovelace"),
        (FactKind::Wanted, "balance enquiry"),
        (FactKind::Collected, "account number 314159"),
        (FactKind::Tried, "balance told: 1234.50 USD"),
    ];
    let facts = facts.iter().zip(0..).map(|(&(kind, text), entry)| Fact { kind, text: text.into(), entry });
    Summary { outcome: Some(Outcome::Contained), language: "en".into(), facts: facts.collect() }
}

fn says(words: &str) -> Json<Value> {
    Json(json!({ "choices": [{ "message": { "role": "assistant", "content": words } }] }))
}

/// The model named in the request is the script.
async fn chat(headers: HeaderMap, Json(body): Json<Value>) -> axum::response::Response {
    assert_eq!(headers["authorization"], "Bearer k");
    assert!(body["messages"][1]["content"].as_str().unwrap().contains("314159"), "the facts are given");
    match body["model"].as_str().unwrap() {
        "good" => says(GOOD).into_response(),
        "slow" => std::future::pending().await,
        "no json" => "Sure! Here is your summary.".into_response(),
        "other json" => Json(json!({ "text": GOOD })).into_response(),
        "error" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "invents a number" => says("Ada Lovelace has 1,334.50 USD on account 314159.").into_response(),
        "invents a name" => says("Ada Lovelace and Charles asked for a balance.").into_response(),
        "empty" => says(" \n").into_response(),
        other => panic!("no script {other}"),
    }
}

async fn rewriter(model: &str, timeout: Duration) -> Rewriter {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(chat));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Rewriter::new(Llm::new(LlmSettings { url, model: model.into(), key: Some("k".into()), timeout }).unwrap())
}

#[tokio::test]
async fn a_rewritten_summary_is_used_only_when_good_and_in_time() {
    for (model, expected) in [
        ("good", Ok(GOOD.to_string())),
        ("no json", Err(Kept::Failed)),
        ("other json", Err(Kept::Failed)),
        ("error", Err(Kept::Failed)),
        ("invents a number", Err(Kept::Unfaithful)),
        ("invents a name", Err(Kept::Unfaithful)),
        ("empty", Err(Kept::Unfaithful)),
    ] {
        let rewriter = rewriter(model, Duration::from_secs(10)).await;
        assert_eq!(rewriter.rewrite(&summary()).await, expected, "{model}");
    }
}

#[tokio::test]
async fn a_slow_model_is_given_up_and_a_crowd_is_not_queued() {
    let rewriter = rewriter("slow", Duration::from_millis(400)).await;
    let began = Instant::now();
    let asked: Vec<_> = (0..4).map(|_| tokio::spawn(rewriter.rewrite(&summary()))).collect();
    tokio::task::yield_now().await;
    assert_eq!(rewriter.rewrite(&summary()).await, Err(Kept::Busy));
    assert!(began.elapsed() < Duration::from_millis(400), "refused at once");
    for one in asked {
        assert_eq!(one.await.unwrap(), Err(Kept::Late));
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
