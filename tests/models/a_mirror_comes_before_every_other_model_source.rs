use crate::model_site;
use model_site::*;

#[test]
fn a_folder_serves_a_site_without_internet() {
    let content = weights(50_000);
    let home = tempfile::tempdir().unwrap();
    let mirror = home.path().join("mirror");
    std::fs::create_dir(&mirror).unwrap();
    std::fs::write(mirror.join("m.bin"), &content).unwrap();
    let site = Site::open(|_, _| Reply::status("500 Internal Server Error"));
    let output = fetch_command(home.path(), &manifest(&content, &from_url(&site.url("m.bin"))))
        .arg("--mirror")
        .arg(&mirror)
        .output()
        .unwrap();
    assert_whole(home.path(), &content, &output);
    assert!(site.asked().is_empty());
}

#[test]
fn so_does_a_web_server_of_the_site() {
    let content = weights(50_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let mirror = Site::open(move |_, _| Reply::whole(&body));
    let output = fetch_command(home.path(), &manifest(&content, &from_url("http://127.0.0.1:9/m.bin")))
        .env("FRONTDESK_MIRROR", mirror.url("models/"))
        .output()
        .unwrap();
    assert_whole(home.path(), &content, &output);
    assert_eq!(mirror.asked()[0].path, "/models/m.bin");
}

#[test]
fn a_mirror_with_a_damaged_or_missing_file_gives_way() {
    let content = weights(50_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let mirror = home.path().join("mirror");
    std::fs::create_dir(&mirror).unwrap();
    let site = Site::open(move |_, _| Reply::whole(&body));
    let manifest = manifest(&content, &from_url(&site.url("m.bin")));
    for wrong in [None, Some(&content[..100]), Some(&[0; 50_000][..])] {
        if let Some(bytes) = wrong {
            std::fs::write(mirror.join("m.bin"), bytes).unwrap();
        }
        let _ = std::fs::remove_dir_all(home.path().join("models"));
        let output = fetch_command(home.path(), &manifest).arg("--mirror").arg(&mirror).output().unwrap();
        assert_whole(home.path(), &content, &output);
    }
    assert_eq!(site.asked().len(), 3);
}
