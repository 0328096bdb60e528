use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn step(folder: &Path, name: &str, script: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn run(home: &Path, more: &[&str]) -> (Output, String, String) {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/acceptance/run"))
        .arg("--steps")
        .arg(home.join("steps"))
        .arg("--results")
        .arg(home.join("RESULTS.md"))
        .arg("--state")
        .arg(home.join("state"))
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, said, std::fs::read_to_string(home.join("RESULTS.md")).unwrap_or_default())
}

#[test]
fn it_tabulates_marks_and_resumes() {
    let home = tempfile::tempdir().unwrap();
    let steps = home.path().join("steps");
    let count = home.path().join("count");
    step(&steps, "10-good", &format!("echo x >>{}; echo 'FIGURE 2.2-wer 4.5 % limit <= 5 -- errors'", count.display()));
    step(
        &steps,
        "20-missed",
        "echo 'FIGURE 2.10-late 300 ms limit <= 200 -- lateness'; echo 'FIGURE 2.10-n 7 calls -- calls'",
    );
    step(&steps, "30-broken", "echo talk; exit 3");
    step(&steps, "40-silent", "echo nothing to tell");
    step(&steps, "50-garbled", "echo 'FIGURE 2.3-x many -- x'");

    let (output, said, table) = run(home.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for told in [
        "2.10-late is 300 ms, limit <= 200",
        "30-broken: ended with code 3",
        "40-silent: printed no figure",
        "50-garbled: a figure that cannot be read",
        "1 passed, 4 failed",
    ] {
        assert!(said.contains(told), "{told} is not in {said}");
    }
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| 2.")).collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(rows[0].starts_with("| 2.2-wer | 4.5 % | <= 5 | yes | errors | "), "{table}");
    assert!(rows[1].starts_with("| 2.10-late | 300 ms | <= 200 | NO | "), "{table}");
    assert!(rows[2].starts_with("| 2.10-n | 7 calls |  |  | "), "{table}");

    // mended, it goes on where it was: what passed is not run again
    step(&steps, "20-missed", "echo 'FIGURE 2.10-late 150 ms limit <= 200 -- lateness'");
    for name in ["30-broken", "40-silent", "50-garbled"] {
        std::fs::remove_file(steps.join(name)).unwrap();
    }
    let (output, said, table) = run(home.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(table.contains("| 2.10-late | 150 ms | <= 200 | yes | "), "{table}");
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");

    let (output, ..) = run(home.path(), &["--again", "10"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\nx\n");
}
