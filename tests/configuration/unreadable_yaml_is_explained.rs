//! Tabs, foreign encodings, endless nesting, multiplying aliases: each is named with its place, none takes the
//! program down or makes it eat memory.

use frontdesk::config;

fn problems(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, bytes).unwrap();
    config::load(&path).unwrap_err().to_string()
}

#[track_caller]
fn explained(bytes: &[u8], place: &str, words: &str) {
    let problems = problems(bytes);
    assert!(problems.contains(&format!("c.yaml:{place}: {words}")), "{problems}");
}

#[test]
fn unreadable_yaml_is_explained() {
    explained(b"", "1:1", "the file is empty");
    explained(b"# nothing\n", "1:1", "the file is empty");
    explained(b"lines:\n\tmain: x\n", "2:1", "a tab is used to indent (expected spaces)");
    explained(b"lines:\n  a: \"x\n", "2:6", "a quoted text is not closed");
    explained(b"a: b: c\n", "1:5", "a `:` does not belong here");
    explained("lines: \u{4f60}\n".as_bytes(), "1:8", "`lines` is \"\u{4f60}\" (expected a mapping");
    explained(b"lines: \xff\n", "1:8", "byte 0xff is not UTF-8");
    explained(b"lines: {}\n---\nlines: {}\n", "3:1", "a second YAML document");
    explained(b"lines: !secret x\n", "1:8", "the tag `!secret` has no meaning here");
    explained(b"lines: *nobody\n", "1:8", "an alias `*name` without its anchor `&name`");
    explained(b"just words\n", "1:1", "the file is \"just words\" (expected a mapping");
    explained(b"{a: 1}: b\n", "1:1", "a list or mapping is used as a key");
}

#[test]
fn endless_nesting_ends() {
    assert!(problems(&b"[".repeat(1 << 20)).contains("nested too deeply"));
    assert!(problems(&b"{a: ".repeat(1 << 18)).contains("nested too deeply"));
    let steps: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(problems(steps.as_bytes()).contains("nested too deeply"));
}

#[test]
fn aliases_cannot_multiply() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..20 {
        let list = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(problems(laughs.as_bytes()).contains("its aliases multiply"));
}

#[test]
fn a_file_that_is_not_there_is_named_with_what_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bank.yaml"), "").unwrap();
    let problems = config::load(&folder.path().join("bnak.yaml")).unwrap_err();
    assert!(problems.to_string().contains("bank.yaml"), "{problems}");
    assert!(config::load(folder.path()).unwrap_err().to_string().contains("this is a folder"));
}
