//! Whatever stands in a configuration, the answer is a configuration or problems with a place inside the file.

use std::path::Path;

use frontdesk::config::{self, Secrets};
use proptest::prelude::*;

/// Loads a bank whose flow is `flow`, and checks that each problem points into its file.
fn load(config: &[u8], flow: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bank.yaml");
    std::fs::create_dir(folder.path().join("flows")).unwrap();
    std::fs::write(folder.path().join("flows/bank.yaml"), flow).unwrap();
    std::fs::write(&path, config).unwrap();
    let Err(problems) = config::load_with(&path, Secrets::Optional) else { return };
    assert!(!problems.0.is_empty());
    for problem in &problems.0 {
        let text = std::fs::read(&*problem.place.file).unwrap_or_default();
        let lines = String::from_utf8_lossy(&text).replace("\r\n", "\n").split(['\n', '\r']).count();
        assert!((1..=lines).contains(&problem.place.line), "{problem}");
        assert!(problem.place.column >= 1, "{problem}");
    }
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).unwrap()
}

/// One slip of an editor: a piece of text is replaced by another, from the file or not.
fn slip(text: &str, from: usize, length: usize, with: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let from = from % (chars.len() + 1);
    let to = (from + length).min(chars.len());
    chars[..from].iter().copied().chain(with.chars()).chain(chars[to..].iter().copied()).collect()
}

fn debris() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "",
        " ",
        "\n",
        "  ",
        "\t",
        ":",
        ": ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "&menu ",
        "*menu",
        "|",
        ">-",
        "#",
        "!",
        "0",
        "-1",
        "1e9",
        "null",
        "true",
        "say: x",
        "next: menu",
        "{account:money}",
        "~",
        "? ",
        "---\n",
        "<<: *menu",
        "é",
        "号",
    ];
    prop_oneof![proptest::sample::select(WORDS).prop_map(str::to_owned), ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        load(&bytes, b"");
    }

    #[test]
    fn yaml_like_debris(parts in proptest::collection::vec(debris(), 0..60)) {
        load(parts.concat().as_bytes(), b"");
    }

    #[test]
    fn slips_in_a_flow(slips in proptest::collection::vec((any::<usize>(), 0usize..40, debris()), 1..6)) {
        let mut flow = shipped("flows/bank.yaml");
        for (from, length, with) in slips {
            flow = slip(&flow, from, length, &with);
        }
        load(shipped("bank.yaml").as_bytes(), flow.as_bytes());
    }

    #[test]
    fn slips_in_a_configuration(slips in proptest::collection::vec((any::<usize>(), 0usize..40, debris()), 1..6)) {
        let mut config = shipped("bank.yaml");
        for (from, length, with) in slips {
            config = slip(&config, from, length, &with);
        }
        load(config.as_bytes(), shipped("flows/bank.yaml").as_bytes());
    }
}
