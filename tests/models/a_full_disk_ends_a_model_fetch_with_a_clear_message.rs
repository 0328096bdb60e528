use crate::model_site;
use model_site::*;

#[test]
fn no_other_source_is_bothered() {
    let content = weights(50_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    // the kernel's own full disk stands where the download goes
    let part = home.path().join(format!("models/.fetch/{}.part", sha256(&content)));
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", part).unwrap();
    let site = Site::open(move |_, _| Reply::whole(&body));
    let sources = from_url(&site.url("m.bin")) + &from_url(&site.url("other.bin"));
    let output = fetch(home.path(), &manifest(&content, &sources));
    assert_absent(home.path(), &output);
    assert!(said(&output).contains("no room left in"), "{}", said(&output));
    assert!(said(&output).contains("m.bin needs 50000 bytes"), "{}", said(&output));
    assert_eq!(site.asked().len(), 1);
}

#[test]
fn a_models_folder_that_cannot_be_made_is_named() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("models"), "a file is in the way").unwrap();
    let output = fetch(home.path(), &manifest(b"x", &from_url("http://127.0.0.1:9/m.bin")));
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&home.path().join("models").display().to_string()), "{}", said(&output));
}
