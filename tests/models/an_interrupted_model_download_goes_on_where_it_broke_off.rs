use std::sync::mpsc;

use crate::model_site;
use model_site::*;

#[test]
fn within_a_run_only_the_rest_is_asked_for() {
    let content = weights(300_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let site = Site::open(move |n, asked| match n {
        0 => Reply::whole(&body).with("ETag: \"one\"").cut_at(100_000),
        1 => Reply::rest(&body, asked.start()).with("ETag: \"one\"").cut_at(100_000),
        _ => Reply::rest(&body, asked.start()).with("ETag: \"one\""),
    });
    let output = fetch(home.path(), &manifest(&content, &from_url(&site.url("m.bin"))));
    assert_whole(home.path(), &content, &output);
    let starts: Vec<usize> = site.asked().iter().map(Asked::start).collect();
    assert_eq!(starts, [0, 100_000, 200_000]);
    assert_eq!(site.asked()[1].if_range.as_deref(), Some("\"one\""));
}

#[test]
fn a_killed_fetch_is_taken_up_by_the_next() {
    let content = weights(300_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let (half_way, told) = mpsc::channel();
    let (half_way, rest) = (std::sync::Mutex::new(half_way), std::sync::Mutex::new(body.clone()));
    let site = Site::open(move |n, asked| match n {
        0 => Reply {
            head: format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len()),
            body: body[..120_000].to_vec(),
        },
        1 => {
            // the first connection broke at 120,000; this one never gets its answer before the kill
            half_way.lock().unwrap().send(asked.start()).unwrap();
            std::thread::park();
            unreachable!()
        }
        _ => Reply::rest(&rest.lock().unwrap(), asked.start()),
    });
    let manifest = manifest(&content, &from_url(&site.url("m.bin")));
    let mut killed = fetch_command(home.path(), &manifest).spawn().unwrap();
    assert_eq!(told.recv().unwrap(), 120_000);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!home.path().join("models/m.bin").exists(), "half a model is in place");

    let output = fetch(home.path(), &manifest);
    assert_whole(home.path(), &content, &output);
    assert_eq!(site.asked()[2].start(), 120_000);
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_anew() {
    let content = weights(300_000);
    let (old, new, home) = (vec![7; 300_000], content.clone(), tempfile::tempdir().unwrap());
    let site = Site::open(move |n, asked| match n {
        0 => Reply::whole(&old).with("ETag: \"old\"").cut_at(100_000),
        // RFC 9110, 13.1.5: the tag does not match, so the whole new file comes
        _ if asked.if_range.as_deref() == Some("\"old\"") => Reply::whole(&new).with("ETag: \"new\""),
        _ => Reply::rest(&new, asked.start()),
    });
    let output = fetch(home.path(), &manifest(&content, &from_url(&site.url("m.bin"))));
    assert_whole(home.path(), &content, &output);
    assert_eq!(site.asked().len(), 2);
}

#[test]
fn bytes_joined_on_trust_that_do_not_fit_are_fetched_anew() {
    let content = weights(300_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let part = home.path().join(format!("models/.fetch/{}.part", sha256(&content)));
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(part, vec![7; 100_000]).unwrap();
    let site = Site::open(move |_, asked| match asked.range {
        Some(_) => Reply::rest(&body, asked.start()),
        None => Reply::whole(&body),
    });
    let output = fetch(home.path(), &manifest(&content, &from_url(&site.url("m.bin"))));
    assert_whole(home.path(), &content, &output);
    assert_eq!(site.asked().len(), 2);
}

#[test]
fn a_server_that_cannot_continue_starts_over() {
    let content = weights(300_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let site = Site::open(move |n, _| match n {
        0 => Reply::whole(&body).cut_at(100_000),
        _ => Reply::whole(&body),
    });
    let output = fetch(home.path(), &manifest(&content, &from_url(&site.url("m.bin"))));
    assert_whole(home.path(), &content, &output);
}
