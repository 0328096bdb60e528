use crate::model_site;
use model_site::*;

#[test]
fn the_next_source_has_its_turn_and_nothing_of_the_wrong_one_is_joined_to_it() {
    let content = weights(50_000);
    let mut wrong = content.clone();
    wrong[40_000] ^= 1;
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let bad = Site::open(move |_, _| Reply::whole(&wrong));
    let good = Site::open(move |_, _| Reply::whole(&body));
    let sources = from_url(&bad.url("m.bin")) + &from_url(&good.url("m.bin"));
    let output = fetch(home.path(), &manifest(&content, &sources));
    assert_whole(home.path(), &content, &output);
    assert!(said(&output).contains("wrong sha256"), "{}", said(&output));
    assert_eq!(good.asked()[0].range, None);
}

#[test]
fn without_another_source_there_is_no_model() {
    let content = weights(50_000);
    let (wrong, home) = (vec![0; 50_000], tempfile::tempdir().unwrap());
    let bad = Site::open(move |_, _| Reply::whole(&wrong));
    let output = fetch(home.path(), &manifest(&content, &from_url(&bad.url("m.bin"))));
    assert_absent(home.path(), &output);
    assert!(said(&output).contains(&format!("{} is due", sha256(&content))), "{}", said(&output));
}

#[test]
fn verify_finds_a_changed_byte_that_the_size_hides() {
    let content = weights(50_000);
    let home = tempfile::tempdir().unwrap();
    let mut damaged = content.clone();
    damaged[7] ^= 0x80;
    std::fs::create_dir(home.path().join("models")).unwrap();
    std::fs::write(home.path().join("models/m.bin"), damaged).unwrap();
    std::fs::write(home.path().join("manifest.toml"), manifest(&content, &from_url("http://127.0.0.1:9/m.bin")))
        .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .args(["models", "verify", "--manifest"])
        .arg(home.path().join("manifest.toml"))
        .env("FRONTDESK_MODELS", home.path().join("models"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("damaged  m.bin"));
}
