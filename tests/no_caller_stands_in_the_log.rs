//! With everything logged that may be logged, a call, a cancelled call, a refused one and a registration leave no
//! number, name, address book entry or secret in the log.

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::sipp::Sipp;
use common::talk::talk;
use common::{called, nothing_is_left, settings};
use frontdesk::sip::{self, Endpoint, InviteRequest, OutgoingEvent, PhoneAccount, Preferences, Settings, Srtp, Target};
use tracing_subscriber::EnvFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn whatever_happens() {
    let log = Log::default();
    let writer = log.clone();
    let filter = EnvFilter::new("trace").add_directive(sip::LOG_DIRECTIVE.parse().unwrap());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).with_ansi(false).init();

    let account = PhoneAccount::new("alice", "desk", "secret");
    assert!(!format!("{account:?}").contains(&account.ha1));
    let (endpoint, mut calls) =
        Endpoint::start(Settings { phones: vec![account], digest: vec![sip::Algorithm::Md5], ..settings() })
            .await
            .unwrap();
    let target = endpoint.listening()[0];
    let caller = Sipp::new("caller", target).speaks_for(500).start();
    let leg = called(&mut calls).await.answer().await.unwrap();
    talk(leg, 440.0, "5", Duration::from_secs(5)).await;
    caller.finish().await;
    let caller = Sipp::new("caller_gives_up", target).start();
    let incoming = called(&mut calls).await;
    incoming.ring().await;
    incoming.cancelled().await;
    caller.finish().await;
    Sipp::new("caller_with_nonsense", target).run().await;
    Sipp::new("phone_registers", target).tcp().run().await;
    Sipp::new("phone_with_wrong_password", target).run().await;
    drop(incoming);
    encrypted_call().await;
    nothing_is_left(&endpoint).await;
    endpoint.shutdown().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("call came in"), "the log is written at all:\n{log}");
    for private in ["5551234", "Ann Caller", "800@", "alice", "secret", "m=audio", "c=IN", "inline:", "a=crypto"] {
        let line = log.lines().find(|line| line.contains(private));
        assert!(line.is_none(), "{private:?} in {line:?}");
    }
}

/// One of our endpoints calls another, with keys in both descriptions.
async fn encrypted_call() {
    let sound = Preferences { srtp: Srtp::Required, ..Preferences::default() };
    let (endpoint, mut calls) = Endpoint::start(Settings { sound, ..settings() }).await.unwrap();
    let to = Target::Uri(format!("sip:800@{}", endpoint.listening()[0]));
    let ring_timeout = Duration::from_secs(10);
    let request = InviteRequest { to, from_display: String::new(), headers: Vec::new(), ring_timeout };
    let mut outgoing = endpoint.invite(request).await.unwrap();
    let called = called(&mut calls).await.answer().await.unwrap();
    let caller = loop {
        match outgoing.events.recv().await.unwrap() {
            OutgoingEvent::Answered(leg) => break leg,
            OutgoingEvent::Failed { status, .. } => panic!("{status}"),
            OutgoingEvent::Ringing => {}
        }
    };
    let (heard, _) = tokio::join!(
        talk(called, 440.0, "", Duration::from_millis(400)),
        talk(caller, 440.0, "", Duration::from_millis(400))
    );
    assert!(heard.quality.encrypted && heard.quality.packets_received > 5, "{:?}", heard.quality);
    endpoint.shutdown().await;
}
