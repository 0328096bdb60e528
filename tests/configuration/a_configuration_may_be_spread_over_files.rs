//! Included files count as one configuration; mistakes are told in the file that has them.

use std::path::Path;

use frontdesk::config::{self, Config, Problems};

const PEOPLE: &str = r#"
include: [main.yaml]
agents: { anna: { uri: "sip:anna@127.0.0.1:5070", queues: [desk] } }
queues: { desk: {} }
"#;
const MAIN: &str = r#"
include: [parts/people.yaml]
lines: { main: { numbers: ["100"], flow: hello } }
flows: [parts/flows/hello.yaml]
"#;
const FLOW: &str = r#"
flow: hello
language: en
languages: [zh]
person: { queue: desk }
start: desk
steps: { desk: { transfer: desk, say: { en: Welcome., zh: 您好。 } } }
"#;

fn load(main: &str, people: &str, flow: &str) -> Result<Config, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("parts/flows")).unwrap();
    write("main.yaml", main);
    write("parts/people.yaml", &people.replace("[main.yaml]", "[../main.yaml]"));
    write("parts/flows/hello.yaml", flow);
    config::load(&folder.path().join("main.yaml"))
}

#[track_caller]
fn one_problem(config: Result<Config, Problems>, file: &str, line: usize, column: usize, words: &str) {
    let problems = config.unwrap_err();
    let [problem] = &problems.0[..] else { panic!("{problems}") };
    assert!(problem.place.file.ends_with(Path::new(file)), "{problem}");
    assert_eq!((problem.place.line, problem.place.column), (line, column), "{problem}");
    assert!(problem.to_string().contains(words), "{problem}");
}

#[test]
fn files_that_include_each_other_are_read_once() {
    let config = load(MAIN, PEOPLE, FLOW).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.lines.len(), config.agents.len(), config.flows.len(), config.files.len()), (1, 1, 1, 3));
    let spoken: Vec<&str> = config.speech.languages.keys().map(|language| language.as_str()).collect();
    assert_eq!(spoken, ["en", "zh"]);
}

#[test]
fn a_mistake_is_told_in_its_own_file() {
    one_problem(load(MAIN, &PEOPLE.replace("[desk]", "[dsk, desk]"), FLOW), "parts/people.yaml", 3, 60, "`dsk`");
    one_problem(load(MAIN, PEOPLE, &FLOW.replace("transfer: desk", "transfer: dask")), "hello.yaml", 7, 28, "`dask`");
    one_problem(load(MAIN, PEOPLE, &FLOW.replace(", zh: 您好。", "")), "hello.yaml", 7, 39, "this is not said in zh");
    one_problem(load(MAIN, PEOPLE, "flow: [\n"), "hello.yaml", 2, 1, "a `[` or `{` is not closed");
}

#[test]
fn a_name_and_a_section_stand_in_one_file_only() {
    let again = format!("{MAIN}queues: {{ desk: {{}} }}\nsip: {{ media_timeout_s: 30 }}\n");
    one_problem(load(&again, PEOPLE, FLOW), "parts/people.yaml", 4, 11, "`desk` is defined in");
    let sip = format!("{PEOPLE}sip: {{ media_timeout_s: 40 }}\n");
    let main = format!("{MAIN}sip: {{ media_timeout_s: 30 }}\n");
    one_problem(load(&main, &sip, FLOW), "parts/people.yaml", 5, 1, "`sip` is set in");
}
