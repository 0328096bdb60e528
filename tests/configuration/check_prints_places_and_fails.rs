//! `frontdesk check` as an operator or a build sees it: places, lines with carets, exit code, JSON.

use std::process::{Command, Output, Stdio};

fn check(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_frontdesk")).arg("check").args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_bad_configuration_fails_with_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, "lines:\n  客服: { numbers: [\"1\"], flow: 客 }\nqueues: {}\n").unwrap();
    let path = path.to_str().unwrap();
    let output = check(&[path]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "{path}:2:31: there is no flow `客` (expected the name of a flow)\n    \u{20} 客服: {{ numbers: [\"1\"], flow: 客 }}\n    {}^^\n\n1 problem\n",
        " ".repeat(32) // the caret stands right under characters two columns wide
    );
    assert_eq!(text(&output), expected);

    let output = check(&[path, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["ok"], &json["problems"][0]["line"], &json["problems"][0]["column"]),
        (&false.into(), &2.into(), &31.into())
    );
    assert_eq!(json["problems"][0]["expected"], "the name of a flow");
}

#[test]
fn a_good_configuration_is_summed_up() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/example.yaml");
    let output = check(&[path, "--without-secrets"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).starts_with("good: 2 lines, 2 flows (48 steps; every one reaches a person)"),
        "{}",
        text(&output)
    );
}

#[test]
fn the_schema_is_json_schema() {
    for arguments in [&["schema"][..], &["schema", "--flow"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_frontdesk")).args(arguments).output().unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn output_that_nobody_reads_any_more_ends_a_command_quietly() {
    use std::os::unix::process::ExitStatusExt;
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    let mut child = command.arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.signal(), String::from_utf8(output.stderr)),
        (Some(13), Ok(String::new())),
        "SIGPIPE, and no word"
    );
}
