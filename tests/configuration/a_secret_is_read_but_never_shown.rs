//! Secrets come from files and the environment; no print of a configuration, no complaint about one shows them.

use frontdesk::config::{self, Phone, Secrets};

const CONFIG: &str = r#"
lines: { main: { numbers: ["100"], flow: hello } }
agents: { anna: { password: { file: anna.secret }, queues: [desk] } }
queues: { desk: {} }
backends:
  account:
    url: http://127.0.0.1:8085/account
    headers: { Authorization: { file: anna.secret }, Accept: application/json }
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: desk
    steps: { desk: { transfer: desk } }
"#;

#[test]
fn a_secret_is_read_but_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, CONFIG).unwrap();
    std::fs::write(folder.path().join("anna.secret"), "correct-horse\n").unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let Phone::Registers { user, password } = &config.agents["anna"].phone else { panic!("anna registers") };
    assert_eq!((user.as_str(), password.expose()), ("anna", "correct-horse"));
    assert_eq!(config.backends["account"].headers["Authorization"].expose(), "correct-horse");
    assert!(!format!("{config:?}").contains("correct-horse"));
}

#[test]
fn a_missing_secret_is_a_mistake_unless_none_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, CONFIG).unwrap();
    let problems = config::load(&path).unwrap_err();
    let places: Vec<(usize, usize)> =
        problems.0.iter().map(|problem| (problem.place.line, problem.place.column)).collect();
    assert_eq!(places, [(3, 37), (8, 39)], "{problems}");
    let config = config::load_with(&path, Secrets::Optional).unwrap_or_else(|problems| panic!("{problems}"));
    let Phone::Registers { password, .. } = &config.agents["anna"].phone else { panic!("anna registers") };
    assert_eq!(password.expose(), "");
}

#[test]
fn a_secret_written_into_the_file_is_not_echoed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    for wrong in ["password: hunter2", "password: [hunter2]", "passwort: hunter2", "password: { env: X, file: hunter2"]
    {
        std::fs::write(&path, CONFIG.replace("password: { file: anna.secret }", wrong)).unwrap();
        let problems = config::load(&path).unwrap_err();
        let shown: String = problems.0.iter().map(|problem| format!("{problem}\n{}\n", problem.place.source)).collect();
        assert!(wrong.contains('{') || !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_key_of_the_records_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{CONFIG}records: {{ key: {{ file: records.key }}, keep_days: 90 }}\n")).unwrap();
    std::fs::write(folder.path().join("anna.secret"), "correct-horse\n").unwrap();
    std::fs::write(folder.path().join("records.key"), "correct-horse\n").unwrap();
    let problems = config::load(&path).unwrap_err().to_string();
    assert!(problems.contains("15:") && problems.contains("64 hexadecimal digits"), "{problems}");
    assert!(!problems.contains("correct-horse"), "{problems}");
    let (new, old) = ("0f".repeat(32), "1E".repeat(32));
    std::fs::write(folder.path().join("records.key"), format!("{new}\n{old}\n")).unwrap();
    let config = config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!config.records.keys().is_empty() && config.records.keep_days == Some(90));
    assert!(!format!("{config:?}").to_lowercase().contains(&new));
    let none = CONFIG.replace("agents", "records: {}\nagents");
    std::fs::write(&path, none).unwrap();
    assert!(config::load(&path).unwrap().records.keys().is_empty(), "never a key of our own");
}
