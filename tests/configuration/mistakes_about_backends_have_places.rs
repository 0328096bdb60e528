//! What an operator gets wrong about backends is told with its place and what was expected; no secret is shown.

use crate::loaded;

const HOUSE: &str = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", queues: [desk] }
queues: { desk: {} }
lines:
  main: { numbers: ["100"], flow: hello }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: ask
    steps:
      ask: { ask: "Which one?", slot: item, type: free, next: order }
      order:
        fetch: orders
        with: { item: "{item}" }
        save: { order: /number }
        next: done
        refused: { save: { reason: REASON }, next: why }
        not_found: desk
        failed: desk
      why: { say: "{reason}", next: desk }
      done: { say: "{order}", next: desk }
      desk: { transfer: desk }
backends:
  orders: { url: "https://orders.example/orders", BACKEND }
"#;

fn house(reason: &str, backend: &str) -> String {
    HOUSE.replace("REASON", reason).replace("BACKEND", backend)
}

#[test]
fn every_mistake_has_its_place() {
    for (reason, backend, expected) in [
        (
            "/detail",
            "idempotent: true",
            "26:51: a GET may be repeated as it is (expected `idempotent` with `method: POST`)",
        ),
        ("detail", "method: POST", "19:36: \"detail\" is no place in a reply"),
        ("/detail", "method: POST, signing_secret: hunter2hunter2", "`signing_secret` is written out"),
    ] {
        let told = loaded(&house(reason, backend)).unwrap_err().to_string();
        assert!(told.contains(expected), "{expected} is not in\n{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_refusals_values_are_known_on_its_way_only() {
    assert!(loaded(&house("/detail", "method: POST")).is_ok());
    let told = loaded(&house("/detail", "method: POST").replace("say: \"{order}\"", "say: \"{reason}\"")).unwrap_err();
    assert!(told.to_string().contains("`reason` is not filled on every way to this step"), "{told}");
}

#[test]
fn a_secret_that_can_sign_nothing_is_refused_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let backend = "method: POST, idempotent: true, signing_secret: { file: orders.secret }";
    std::fs::write(folder.path().join("config.yaml"), house("/detail", backend)).unwrap();
    let load = |secret: &str| {
        std::fs::write(folder.path().join("orders.secret"), secret).unwrap();
        frontdesk::config::load(&folder.path().join("config.yaml"))
    };
    for secret in ["whsec_hunter2", "hunter2"] {
        let told = load(secret).unwrap_err().to_string();
        assert!(told.contains("26:99: nothing can be signed by this secret"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let config = load("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let orders = &config.backends["orders"];
    assert!(orders.idempotent && orders.retries == 1 && orders.signing_secret.is_some());
    assert!(!format!("{config:?}").contains("MfKQ9"));
}
