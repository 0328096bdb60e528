//! Operators' files -> checked, immutable values; every mistake with file, line, column and what was expected.
//!
//! `tree` reads YAML with places, `shape` judges it by the schema of `raw` and `raw_flow`, `check`, `doors`,
//! `trunks`, `escalate`, `webhooks` and `flows` judge what it means, `proof` what `dialog` proves of a flow. `knowledge` reads what free questions
//! are answered from, `scenario` operators' dialogue tests. A mistake stops none of the others from being found.

mod backends;
mod browser;
mod builtin;
mod check;
mod console;
mod doors;
mod emotion;
mod escalate;
mod flows;
mod gather;
mod knowledge;
mod people;
mod problem;
mod proof;
mod raw;
mod raw_backends;
mod raw_decide;
mod raw_escalate;
mod raw_flow;
mod raw_scenario;
mod raw_step;
mod raw_text;
mod raw_webhook;
mod scenario;
mod shape;
mod tree;
mod trunks;
mod values;
mod webhooks;

use std::path::Path;

pub use people::{People, PeopleFrom};
pub use problem::{Place, Problem, Problems};
pub use scenario::{Does, Expected, Feeling, Scenario, Scenarios, Turn, scenarios};
pub use values::{
    Agent, Backend, Browser, Callback, Config, Console, Digest, Escalation, Http, IceLogin, IceServer, InbandKeys,
    Limits, Line, Llm, Method, Phone, Queue, Records, Secret, Sip, Speech, SpeechLanguage, Tls, Transport, Trunk,
    Waiting, Webhook,
};

/// What sentences mean: a row of length 1 for each; the product of two is how like they are.
pub type Meaning<'m> = &'m dyn Fn(&[&str]) -> Vec<Vec<f32>>;

/// Whether a secret that is not there is a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// It is: the engine is going to need it.
    Needed,
    /// It is left empty: nothing will be asked of a phone or a service (replay, check on another machine).
    Optional,
}

/// Reads and checks a configuration with all files it names.
pub fn load(path: &Path) -> Result<Config, Problems> {
    load_with(path, Secrets::Needed)
}

/// As [`load`], where the machine may lack the secrets.
pub fn load_with(path: &Path, secrets: Secrets) -> Result<Config, Problems> {
    read(path, secrets, None, None)
}

/// Reads a configuration that is to take the place of a running one. What cannot change while calls are up (the
/// addresses listened on, the folder of the records) is a mistake here. On any mistake keep `current`.
pub fn reload(path: &Path, current: &Config) -> Result<Config, Problems> {
    read(path, Secrets::Needed, Some(current), None)
}

/// JSON Schema (2020-12) of a configuration file.
pub fn schema() -> &'static serde_json::Value {
    &shape::CONFIG.schema
}

/// JSON Schema (2020-12) of a flow file.
pub fn flow_schema() -> &'static serde_json::Value {
    &shape::FLOW.schema
}

/// As [`load_with`]; besides, no two options of a menu may have examples that mean the same.
pub fn load_by_meaning(path: &Path, secrets: Secrets, meaning: Meaning) -> Result<Config, Problems> {
    read(path, secrets, None, Some(meaning))
}

fn read(path: &Path, secrets: Secrets, current: Option<&Config>, meaning: Option<Meaning>) -> Result<Config, Problems> {
    let mut problems = vec![];
    let gathered = gather::gather(path, &mut problems);
    let config = match gathered.complete {
        true => check::check(&gathered, secrets, current, meaning, &mut problems),
        false => None, // names may be defined in what could not be read
    };
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => {
            let order = |problem: &Problem| gathered.files.iter().position(|file| *file == *problem.place.file);
            problems.sort_by_key(|problem| (order(problem), problem.place.line, problem.place.column));
            problems.dedup();
            Err(Problems(problems))
        }
    }
}
