use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::model_site;
use model_site::*;

/// A listener whose queue is full: connections are neither taken nor refused, as behind a silent firewall.
async fn silent() -> (tokio::net::TcpListener, Vec<TcpStream>, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queue.push(stream);
        assert!(queue.len() < 64, "the queue does not fill");
    }
    (listener, queue, address)
}

#[tokio::test]
async fn a_source_that_does_not_answer_costs_five_seconds_once() {
    let (_listener, _queue, dead) = silent().await;
    let content = weights(10_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let alive = Site::open(move |_, _| Reply::whole(&body));
    let sources = [
        from_url(&format!("http://{dead}/m.bin")),
        from_url(&format!("http://{dead}/again.bin")),
        from_url(&alive.url("m.bin")),
    ];
    let start = Instant::now();
    let output = fetch(home.path(), &manifest(&content, &sources.concat()));
    let took = start.elapsed();
    assert_whole(home.path(), &content, &output);
    assert!((4..9).contains(&took.as_secs()), "took {took:?}");
    assert!(said(&output).contains("no connection in time"), "{}", said(&output));
    assert!(said(&output).contains("was not reached before"), "{}", said(&output));
}

#[test]
fn a_source_that_refuses_is_passed_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let content = weights(10_000);
    let (body, home) = (content.clone(), tempfile::tempdir().unwrap());
    let alive = Site::open(move |n, _| if n == 0 { Reply::status("404 Not Found") } else { Reply::whole(&body) });
    let sources =
        [from_url(&format!("http://{closed}/m.bin")), from_url(&alive.url("gone")), from_url(&alive.url("m.bin"))];
    let output = fetch(home.path(), &manifest(&content, &sources.concat()));
    assert_whole(home.path(), &content, &output);
    assert!(said(&output).contains("onnection refused"), "{}", said(&output));
    assert!(said(&output).contains("answers 404 Not Found"), "{}", said(&output));
}
