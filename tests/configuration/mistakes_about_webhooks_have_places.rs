//! A webhook that could not be reached, could not know that it is us, or would be told personal data in the clear is shown with
//! its place; a right one comes out as it was meant.

use frontdesk::config::{self, Config, Problems, Secrets};
use frontdesk::records::Occasion;

const REST: &str = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { uri: "sip:anna@10.0.0.1", queues: [desk] } }
queues: { desk: {} }
flows:
  - { flow: hello, language: en, person: { queue: desk }, start: desk, steps: { desk: { transfer: desk } } }
"#;

fn loaded(webhooks: &str, secret: &str, secrets: Secrets) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("webhooks:\n{webhooks}{REST}")).unwrap();
    if !secret.is_empty() {
        std::fs::write(folder.path().join("crm.secret"), secret).unwrap();
    }
    config::load_with(&path, secrets)
}

#[test]
fn every_mistake_has_its_place() {
    let webhooks = r#"  crm: { url: "ftp://crm.example", secret: { file: crm.secret }, events: [call_ended] }
  open: { url: "http://crm.example/hook", secret: { file: crm.secret }, events: [call_ended], personal: true }
"#;
    let told = loaded(webhooks, "hunter2", Secrets::Needed).unwrap_err().to_string();
    for expected in [
        "2:15: \"ftp://crm.example\" is no web address (expected `http://...` or `https://...`)",
        "3:16: personal data would go through the network in the clear (expected `https://...`)",
        "nothing can be signed by this secret (expected `whsec_` and 24 to 64 bytes in base64)",
    ] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    let unknown = "  crm: { url: \"https://crm.example\", secret: { file: crm.secret }, events: [calls_ended] }\n";
    let told = loaded(unknown, "", Secrets::Needed).unwrap_err().to_string();
    assert!(told.contains("calls_ended") && told.contains("call_ended"), "{told}");
    let silent = "  crm: { url: \"https://crm.example\", secret: { file: crm.secret }, events: [] }\n";
    assert!(loaded(silent, "", Secrets::Optional).is_err(), "told of nothing");
}

#[test]
fn a_right_webhook_comes_out_as_meant() {
    let webhooks = r#"  crm: { url: "http://127.0.0.1:8080/hook", secret: { file: crm.secret }, events: [alert, call_ended], personal: true }
  chat: { url: "https://chat.example/", secret: { file: crm.secret }, events: [alert] }
"#;
    let config = loaded(webhooks, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", Secrets::Needed).unwrap();
    let crm = &config.webhooks["crm"];
    assert_eq!(crm.occasions, [Occasion::CallEnded, Occasion::Alert].into());
    assert!(crm.personal && !config.webhooks["chat"].personal);
    assert!(!format!("{config:?}").contains("MfKQ9r8"), "a secret is shown");
    assert!(loaded(webhooks, "", Secrets::Optional).is_ok(), "checked on a machine without the secrets");
}
