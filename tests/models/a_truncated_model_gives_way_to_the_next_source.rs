use crate::model_site;
use model_site::*;

#[test]
fn a_shorter_file_is_refused_before_it_is_read() {
    let content = weights(50_000);
    let (short, body, home) = (content[..30_000].to_vec(), content.clone(), tempfile::tempdir().unwrap());
    let bad = Site::open(move |_, _| Reply::whole(&short));
    let good = Site::open(move |_, _| Reply::whole(&body));
    let sources = from_url(&bad.url("m.bin")) + &from_url(&good.url("m.bin"));
    let output = fetch(home.path(), &manifest(&content, &sources));
    assert_whole(home.path(), &content, &output);
    assert!(said(&output).contains("offers 30000 bytes where 50000 are due"), "{}", said(&output));
    assert_eq!(bad.asked().len(), 1);
}

#[test]
fn a_file_that_ends_early_unannounced_is_asked_for_its_rest_and_then_given_up() {
    let content = weights(50_000);
    let (short, body, home) = (content[..30_000].to_vec(), content.clone(), tempfile::tempdir().unwrap());
    let bad = Site::open(move |_, asked| match asked.range {
        None => Reply { head: "HTTP/1.1 200 OK\r\n".to_owned(), body: short.clone() },
        Some(_) => Reply::status("416 Range Not Satisfiable"),
    });
    let good = Site::open(move |_, _| Reply::whole(&body));
    let sources = from_url(&bad.url("m.bin")) + &from_url(&good.url("m.bin"));
    let output = fetch(home.path(), &manifest(&content, &sources));
    assert_whole(home.path(), &content, &output);
    assert!(said(&output).contains("ends before byte 30000"), "{}", said(&output));
}

#[test]
fn without_another_source_there_is_no_model_and_the_reason_is_told() {
    let content = weights(50_000);
    let (short, home) = (content[..30_000].to_vec(), tempfile::tempdir().unwrap());
    let bad = Site::open(move |_, _| Reply::whole(&short));
    let output = fetch(home.path(), &manifest(&content, &from_url(&bad.url("m.bin"))));
    assert_absent(home.path(), &output);
    let said = said(&output);
    assert!(said.contains("not fetched: m.bin") && said.contains(&bad.url("m.bin")), "{said}");
}
