use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::{Mutex, mpsc};

use crate::model_site;
use model_site::*;

#[test]
fn the_second_waits_and_finds_the_work_done() {
    let content = weights(200_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let (asked, first_is_asking) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (asked, may_go_on) = (Mutex::new(asked), Mutex::new(may_go_on));
    let site = Site::open(move |_, _| {
        asked.lock().unwrap().send(()).unwrap();
        may_go_on.lock().unwrap().recv().unwrap();
        Reply::whole(&body)
    });
    let manifest = manifest(&content, &from_url(&site.url("m.bin")));
    let first = fetch_command(home.path(), &manifest).stderr(Stdio::piped()).spawn().unwrap();
    first_is_asking.recv().unwrap();

    let mut second = fetch_command(home.path(), &manifest).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(second.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("another fetch is at work"), "{line}");

    go_on.send(()).unwrap();
    assert!(second.wait().unwrap().success());
    assert_whole(home.path(), &content, &first.wait_with_output().unwrap());
    assert_eq!(site.asked().len(), 1);
}
