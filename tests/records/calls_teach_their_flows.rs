//! What `frontdesk learn` tells of calls that really took place: figures, what no intent knew, how it sounded. Sealed
//! records are read by the configured key; what personal slots hold stands nowhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use frontdesk::call::Event;
use frontdesk::dialog::flow::Flow;
use frontdesk::learn::Figures;
use frontdesk::records::{Archive, Corrections, Keys};
use serde_json::Value;

use crate::learning::{self, KEY, flow, learn};
use crate::script::Script;

const INTENTS: &str = "
intents:
  balance: { examples: [what is my balance, how much money do I have, am I overdrawn] }
  card: { examples: [I lost my card, my card was stolen, block my card] }
";
const STEPS: &str = "
flow: desk
language: en
person: { queue: desk }
start: menu
steps:
  menu:
    menu: What can I do for you?
    options:
      - { key: 1, INTENT1phrases: [balance], next: name }
      - { key: 2, INTENT2phrases: [card], next: card }
  name: { ask: What is your name?, slot: who, type: free, personal: true, next: done }
  card: { transfer: desk }
  done: { hang_up: Thank you. }
";

fn configured(folder: &Path, intents: bool) -> PathBuf {
    let mut flow = STEPS.to_owned();
    for (place, intent) in [("INTENT1", "intent: balance, "), ("INTENT2", "intent: card, ")] {
        flow = flow.replace(place, if intents { intent } else { "" });
    }
    learning::configured(folder, &if intents { flow + INTENTS } else { flow })
}

/// Four callers: one served, one put through, one who gave up at the menu, one whom the bot nearly mistook.
fn talked(flow: &Flow) -> Vec<Script> {
    let call = |talk: &dyn Fn(&mut Script)| {
        let mut script = Script::new(flow.clone());
        let scores = [("balance", 0.9), ("card", 0.2)].map(|(name, score)| (name.to_owned(), score));
        script.intents.insert("could you check my account".into(), scores.to_vec());
        let close = [("balance", 0.6), ("card", 0.45)].map(|(name, score)| (name.to_owned(), score));
        script.intents.insert("the money and the plastic".into(), close.to_vec());
        talk(&mut script);
        script.quiet().tell(Event::CallerHungUp);
        script
    };
    vec![
        call(&|script| {
            script.says("could you check my account");
            script.says("Ada Lovelace");
        }),
        call(&|script| {
            script.says("do you sell bike insurance");
            script.says("insurance for my bike please");
        }),
        call(&|script| {
            script.quiet().wait(12_000); // silent
            script.says("I need bike insurance");
        }),
        call(&|script| {
            script.says("this is Ada Lovelace and my parrot is ill");
            script.says("the money and the plastic");
            script.says("Ada Lovelace");
        }),
    ]
}

async fn written(config: &Path) -> DateTime<Utc> {
    learning::written(config, &talked(&flow(config)), &[1, 3]).await
}

#[tokio::test]
async fn the_report_counts_what_happened_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), true);
    written(&config).await;
    let json: Value = serde_json::from_str(&learn(&["report", "CONFIG", "--json"], &config)).unwrap();

    assert_eq!(json["all"]["calls"], 4, "{json:#}");
    assert_eq!((&json["all"]["contained"], &json["all"]["abandoned"]), (&2.into(), &2.into()), "{json:#}");
    assert_eq!(json["flows"]["desk"]["containment"], 0.5);
    let menu = &json["steps"][0];
    assert_eq!((menu["step"].as_str(), &menu["visits"]), (Some("menu"), &4.into()), "{json:#}");
    assert_eq!(
        (&menu["not_understood"], &menu["silence"], &menu["not_heard"]),
        (&4.into(), &1.into(), &0.into()),
        "{json:#}"
    );
    assert_eq!(json["missed"], 4);
    let left: Vec<&str> = json["left"].as_array().unwrap().iter().map(|left| left["place"].as_str().unwrap()).collect();
    assert_eq!(left, ["step menu", "queue desk"]);
    assert_eq!(json["wanted"], serde_json::json!([{ "reason": "not understood", "times": 1 }]));
    assert_eq!(
        json["confusions"],
        serde_json::json!([{ "chosen": "balance", "other": "card", "close": 1, "corrected": 0 }])
    );
    let days: u64 = json["days"].as_array().unwrap().iter().map(|day| day["calls"].as_u64().unwrap()).sum();
    assert_eq!(days, 4);

    let page = learn(&["report", "CONFIG"], &config);
    assert!(page.contains("not understood") && page.contains("queue desk") && page.contains("50 %"), "{page}");
    assert!(!page.contains("<script") && !page.contains("http") && !page.contains("NaN"), "it stands alone");

    // An agent says afterwards that one was something else.
    let archive = Archive::open_with(&config.with_file_name("records"), Keys::parse(KEY).unwrap()).await.unwrap();
    let corrections = Corrections { intent: Some("card".into()), ..Corrections::default() };
    archive.wrap_up("call-0", "anna", None, "", &corrections).await.unwrap();
    let json: Value = serde_json::from_str(&learn(&["report", "CONFIG", "--json"], &config)).unwrap();
    assert_eq!((&json["confusions"][0]["other"], &json["confusions"][0]["corrected"]), (&"card".into(), &1.into()));
    assert!(!page.contains("Lovelace") && !json.to_string().contains("Lovelace"));
    let none: Value = serde_json::from_str(&learn(&["report", "CONFIG", "--json", "--since", "0"], &config)).unwrap();
    assert_eq!(none["all"]["calls"], 0, "an hour ago is before now");
    assert!(learn(&["report", "CONFIG", "--since", "0"], &config).contains("No call has ended"));
}

#[tokio::test]
async fn what_no_intent_knew_comes_together_and_is_pasted_as_an_intent() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), true);
    written(&config).await;
    let json: Value = serde_json::from_str(&learn(&["missed", "CONFIG", "--json"], &config)).unwrap();
    let first = &json["clusters"][0];
    assert_eq!((&first["count"], first["name"].as_str()), (&3.into(), Some("insurance_bike")), "{json:#}");
    assert_eq!((json["likeness"].as_str(), first["steps"][0].as_str()), (Some("letters"), Some("menu")));
    assert!(!json.to_string().contains("Lovelace"), "{json:#}");

    let yaml = learn(&["missed", "CONFIG", "--yaml"], &config);
    assert!(yaml.contains("insurance_bike:") && yaml.contains("- \"do you sell bike insurance\""), "{yaml}");
    assert!(!yaml.contains("***") && !yaml.contains("Lovelace"), "{yaml}");
    // Pasted into a flow without intents, it is that flow's.
    let other = tempfile::tempdir().unwrap();
    let pasted = configured(other.path(), false);
    let path = pasted.with_file_name("flow.yaml");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &yaml).unwrap();
    let intents = &flow(&pasted).intents;
    assert_eq!(intents.keys().collect::<Vec<_>>(), ["insurance_bike"]);
    assert_eq!(intents["insurance_bike"].examples.len(), 3);
}

#[tokio::test]
async fn a_sentence_is_heard_again_but_none_that_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), true);
    written(&config).await;
    let json: Value = serde_json::from_str(&learn(&["missed", "CONFIG", "--json"], &config)).unwrap();
    let all = json["clusters"].as_array().unwrap().iter().flat_map(|cluster| cluster["sentences"].as_array().unwrap());
    let said: Vec<&Value> = all.filter(|sentence| sentence["text"] == "do you sell bike insurance").collect();
    let said = &said[0]["said"][0];
    assert_eq!(
        said["recording_ms"].as_u64().unwrap() + 1_000,
        said["at_ms"].as_u64().unwrap(),
        "it began a second into the call"
    );
    let wav = folder.path().join("said.wav");
    let (at, to) = (said["recording_ms"].to_string(), wav.to_str().unwrap());
    let told = learn(&["hear", "CONFIG", "call-1", "--at", &at, "--output", to], &config);
    assert!(told.contains("do you sell bike insurance"), "{told}");
    let length_ms = said["to_ms"].as_u64().unwrap() - said["at_ms"].as_u64().unwrap();
    let sound = hound::WavReader::open(&wav).unwrap();
    let heard_ms = u64::from(sound.duration()) / 8;
    assert!((length_ms..length_ms + 400).contains(&heard_ms), "{heard_ms} of {length_ms} ms");
    assert!(sound.into_samples::<i16>().any(|sample| sample.unwrap().abs() > 1_000), "the tone is in it");

    let refused = |args: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .args(["learn", "hear"])
            .arg(&config)
            .args(args)
            .output()
            .unwrap();
        assert!(!done.status.success());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let again = refused(&["call-1", "--at", &at, "--output", to]);
    assert!(again.contains("cannot write"), "nothing is overwritten: {again}");
    let other = folder.path().join("other.wav");
    let nothing = refused(&["call-1", "--at", "900000", "--output", other.to_str().unwrap()]);
    assert!(nothing.contains("said nothing"), "{nothing}");
    // "this is Ada Lovelace": the name is a personal slot's.
    let hidden = refused(&["call-3", "--at", &at, "--output", other.to_str().unwrap()]);
    assert!(hidden.contains("is hidden") && !other.exists(), "{hidden}");
}

/// A call that ran through a flow that this version cannot read is still counted.
#[tokio::test]
async fn a_call_of_an_older_flow_is_counted_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), true);
    let began = written(&config).await;
    let archive = Archive::open_with(&folder.path().join("records"), Keys::parse(KEY).unwrap()).await.unwrap();
    let record = archive.show("call-2").await.unwrap();
    let mut figures = Figures::default();
    figures.add(&record, None, began.date_naive());
    let report = figures.report(None, 0);
    assert_eq!((report.all.calls, report.missed), (1, 1), "the intents' scores tell");
    assert_eq!(report.left[0].place, "step menu");
}
