//! What these tests share: a door for browsers without the rest of the engine, and one who answers its calls with a tone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk::media::{FRAME_MS, Frame, Quality, Tone};
use frontdesk::sip::LegEvent;
use frontdesk::webrtc::{Door, Incoming, LineChoice, Settings};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub fn settings() -> Settings {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    Settings {
        listen: loopback,
        tls: None,
        udp: loopback,
        external: vec![],
        lines: vec![LineChoice { name: "main".into(), language: "en".into() }],
        origins: vec![],
        ice_servers: vec![],
        names: vec![],
        proxies: vec![],
        max_calls: 10,
        calls_per_address: 10,
        calls_per_minute: 600,
        reconnect: Duration::from_secs(5),
    }
}

pub async fn open(settings: Settings) -> (Door, mpsc::Receiver<Incoming>, String) {
    let (door, calls) = Door::start(settings, Arc::new(|| Ok(()))).await.unwrap();
    let url = format!("http://{}/", door.listening);
    (door, calls, url)
}

/// What an answered call brought.
#[derive(Debug, Default)]
pub struct Heard {
    pub samples: Vec<i16>,
    pub keys: String,
    pub events: Vec<LegEvent>,
    pub quality: Quality,
}

/// Answers, says a tone of 600 Hz, and hangs up when told to or when the caller does.
pub fn answer(incoming: Incoming, hang_up: CancellationToken) -> JoinHandle<Heard> {
    tokio::spawn(async move {
        let mut leg = incoming.answer().await.expect("the call is answered");
        let (mut heard, mut tone) = (Heard::default(), Tone::sine(600.0, -10.0));
        let mut beat = tokio::time::interval(Duration::from_millis(FRAME_MS.into()));
        loop {
            tokio::select! {
                biased;
                () = hang_up.cancelled() => break,
                event = leg.events.recv() => {
                    heard.events.push(event.unwrap_or(LegEvent::HungUp));
                    if heard.events.last() == Some(&LegEvent::HungUp) {
                        break;
                    }
                }
                _ = beat.tick() => {
                    let (now, mut frame) = (Instant::now(), Frame::silence(leg.port.rate()));
                    let received = leg.port.receive(now, &mut frame);
                    heard.samples.extend_from_slice(frame.samples());
                    heard.keys.extend(received.key.map(frontdesk::media::Key::as_char));
                    tone.next(&mut frame);
                    leg.port.send(now, Some(&frame));
                }
            }
        }
        heard.quality = leg.port.quality();
        leg.hang_up();
        heard
    })
}

/// The next call, whose page must not take for ever.
pub async fn called(calls: &mut mpsc::Receiver<Incoming>) -> Incoming {
    let call = tokio::time::timeout(Duration::from_secs(30), calls.recv()).await;
    call.expect("a call within 30 s").expect("a door that is open")
}
