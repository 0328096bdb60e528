//! The conversations shipped with the examples (`config/scenarios`) hold, by the command that operators use; there are enough
//! of them for each, and one that does not hold is told with its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use frontdesk::config;

/// Scenarios that each example has at least.
const ENOUGH: usize = 25;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/scenarios")
}

fn hold(path: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(["dialog", "test"]).arg(path).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

#[test]
fn every_shipped_scenario_passes() {
    let (passed, text) = hold(&folder());
    assert!(passed, "{text}");
}

#[test]
fn each_example_has_enough_of_them() {
    for example in ["bank", "cafe", "parcel", "spanish", "museum", "selfservice"] {
        let file = config::scenarios(&folder().join(format!("{example}.yaml"))).unwrap_or_else(|all| panic!("{all}"));
        assert!(file.scenarios.len() >= ENOUGH, "{example} has {}", file.scenarios.len());
        assert!(file.config.is_file(), "{}", file.config.display());
    }
}

#[test]
fn what_callers_say_may_be_spoken_to_the_recogniser() {
    let spoken = |example: &str, only: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
        command.args(["dialog", "test", "--spoken", "--verbose", "--only", only]);
        let output = command.arg(folder().join(format!("{example}.yaml"))).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (passed, text) = spoken("bank", "a balance by voice");
    assert!(passed, "{text}");
    // It was read, not taken from the file: the recogniser writes figures.
    let said = text.lines().find_map(|line| line.split_once("caller: three one four one five nine  (heard, "));
    assert!(said.is_some_and(|(_, heard)| heard.contains('3') && !heard.contains("three")), "{text}");
    let (passed, text) = spoken("spanish", "");
    assert!(!passed && text.contains("there is no synthetic voice for `es`"), "{text}");
}

#[test]
fn a_scenario_that_does_not_hold_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let bank = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/bank.yaml");
    let config = bank.display();
    let scenarios = format!(
        "config: {config}\nscenarios:\n  - scenario: wrong\n    turns:\n      - {{ presses: \"2\", transfers: front-desk }}\n"
    );
    let path = folder.path().join("wrong.yaml");
    std::fs::write(&path, scenarios).unwrap();
    let (passed, text) = hold(folder.path());
    assert!(!passed);
    assert!(text.contains("wrong.yaml:5:") && text.contains("`front-desk`, not `cards`"), "{text}");

    std::fs::write(&path, format!("config: {config}\nscenarios:\n  - scenario: odd\n    turns: [{{ syas: hello }}]\n"))
        .unwrap();
    let (passed, text) = hold(folder.path());
    assert!(!passed && text.contains("syas") && text.contains("wrong.yaml:4:"), "{text}");
}
