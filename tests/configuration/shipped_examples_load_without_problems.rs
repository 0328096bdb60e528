//! The configurations to copy are good as they are, without any secret in the tree.

use std::path::PathBuf;

use frontdesk::config::{self, Config, Phone, Secrets};

fn example(name: &str) -> Config {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_bank_the_carrier_the_third_language_and_the_cafe_load() {
    for name in ["bank.yaml", "parcel.yaml", "spanish.yaml", "cafe.yaml"] {
        let config = example(name);
        assert_eq!(config.lines.len(), 1, "{name}");
        assert!(
            config.sip.listen.iter().all(|address| address.ip().is_loopback())
                && config.http.listen.unwrap().ip().is_loopback(),
            "{name}"
        );
        for flow in config.flows.values() {
            for (intent, shown) in &flow.intents {
                assert!(shown.examples.len() >= 8, "{name}: {intent} has {} examples", shown.examples.len());
            }
        }
        for agent in config.agents.values() {
            assert!(matches!(agent.phone, Phone::Registers { .. }), "{name}: {} must log in", agent.name);
        }
    }
}

#[test]
fn one_engine_serves_both_lines() {
    let config = example("example.yaml");
    assert_eq!(config.line_for("1000").unwrap().flow, "bank");
    assert_eq!(config.line_for("2000").unwrap().flow, "parcel");
    assert!(config.line_for("4711").is_none());
    assert_eq!(config.flow_of(&config.lines["bank"]).language.as_str(), "en");
    assert_eq!(config.flow_of(&config.lines["parcel"]).language.as_str(), "zh");
    let spoken: Vec<&str> = config.speech.languages.keys().map(|language| language.as_str()).collect();
    assert_eq!(spoken, ["en", "zh"]);
    assert_eq!(config.queues["cards"].agents.iter().collect::<Vec<_>>(), ["anna", "ben"]);
}

#[test]
fn a_third_language_has_an_ear_and_recordings() {
    let config = example("spanish.yaml");
    let (language, models) = config.speech.languages.iter().next().unwrap();
    assert_eq!((language.as_str(), models.ear.as_str(), &models.voice), ("es", "whisper-base-q8_0.bin", &None));
    let flow = &config.flows["recepcion"];
    for text in [&flow.lines.not_heard, &flow.lines.still_busy, &flow.lines.patience, &flow.lines.drain] {
        assert!(PathBuf::from(&text.recordings[language]).is_file(), "{text:?}");
    }
}
