//! A question that no passage answers surely is put to a scripted language model: what it says is used when it comes in time
//! and from the passages, and nothing is said that is not in them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use frontdesk::answers::{Adviser, Kept, Llm, LlmSettings};
use frontdesk::call::Answer;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const GOOD: &str = "You can climb the tower in dry weather, by 219 steps.";

fn passages() -> Vec<Answer> {
    let answer = |source: &str, text: &str, score| Answer { source: source.into(), text: text.into(), score };
    vec![
        answer("tower.md", "You can climb the tower in dry weather. There are 219 steps.", 0.4),
        answer("hours.md", "We open from ten to six.", 0.1),
        answer("far.md", "Dogs stay outside.", 0.001),
    ]
}

type Asked = Arc<Mutex<Vec<Value>>>;

/// A server whose model's name is its script.
async fn adviser(model: &str, within: Duration) -> (Adviser, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let chat = async move |Json(body): Json<Value>| {
        let model = body["model"].as_str().unwrap().to_owned();
        seen.lock().unwrap().push(body);
        let says = |words: &str| Json(json!({ "choices": [{ "message": { "content": words } }] })).into_response();
        match model.as_str() {
            "good" => says(&format!(" {GOOD}\n")),
            "slow" => std::future::pending().await,
            "invents a number" => says("You can climb the tower by 220 steps."),
            "invents a name" => says("Ask for Charlotte at the tower."),
            "knows nothing" => says("NONE"),
            "talks without end" => says(&"You can climb the tower. ".repeat(40)),
            "no json" => "Sure!".into_response(),
            _ => StatusCode::BAD_GATEWAY.into_response(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(chat));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = LlmSettings { url, model: model.into(), key: None, timeout: Duration::from_secs(10) };
    (Adviser::new(Llm::new(settings).unwrap(), within), asked)
}

#[tokio::test]
async fn what_it_says_is_used_only_where_the_passages_say_it() {
    for (model, expected) in [
        ("good", Ok(GOOD)),
        ("invents a number", Err(Kept::Unfaithful)),
        ("invents a name", Err(Kept::Unfaithful)),
        ("knows nothing", Err(Kept::Unfaithful)),
        ("talks without end", Err(Kept::Unfaithful)),
        ("no json", Err(Kept::Failed)),
        ("down", Err(Kept::Failed)),
    ] {
        let (adviser, _) = adviser(model, Duration::from_secs(10)).await;
        let answer = adviser.answer("How do I get up the tower?", &passages()).await;
        assert_eq!(answer.as_ref().map(|answer| answer.text.as_str()), expected.as_ref().copied(), "{model}");
        if let Ok(answer) = answer {
            assert_eq!(answer.source, "model, from tower.md, hours.md");
        }
    }
}

#[tokio::test]
async fn it_is_shown_the_question_and_what_is_near_and_has_no_tool() {
    let (adviser, asked) = adviser("good", Duration::from_secs(10)).await;
    adviser.answer("How do I get up the tower?", &passages()).await.unwrap();
    let body = asked.lock().unwrap().pop().unwrap();
    let given = body["messages"][1]["content"].as_str().unwrap();
    assert!(given.contains("219 steps") && given.contains("How do I get up the tower?"), "{given}");
    assert!(!given.contains("Dogs"), "what is far is not shown: {given}");
    assert!(body.get("tools").is_none() && body.get("functions").is_none());
    // Nothing is near: it is not even asked.
    assert_eq!(adviser.answer("Do you sell cars?", &passages()[2..]).await, Err(Kept::Unfaithful));
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_slow_one_is_given_up_in_time_and_a_crowd_is_not_queued() {
    let (adviser, _) = adviser("slow", Duration::from_millis(400)).await;
    let began = Instant::now();
    let ask = |adviser: Adviser| async move { adviser.answer("The tower?", &passages()).await };
    let asked: Vec<_> = (0..8).map(|_| tokio::spawn(ask(adviser.clone()))).collect();
    tokio::task::yield_now().await;
    assert_eq!(ask(adviser).await, Err(Kept::Busy));
    for one in asked {
        assert_eq!(one.await.unwrap(), Err(Kept::Late));
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
