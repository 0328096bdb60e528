//! TLS: a phone registers, is rung and calls in; a changed certificate is taken without a restart; a call of ours goes
//! only to who proves its name.

use std::path::PathBuf;
use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone};
use common::certificates::{Authority, shown_at};
use common::talk::speak;
use common::{called, eventually, nothing_is_left, settings};
use frontdesk::sip::{Endpoint, InviteRequest, OutgoingEvent, PhoneAccount, Settings, Target, TlsSettings};

const SECONDS: Duration = Duration::from_secs(10);

fn with_tls(identity: (PathBuf, PathBuf), authorities: Option<PathBuf>) -> Settings {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let tls = TlsSettings { listen, identity: Some(identity), authorities, client_authorities: None };
    Settings { tls: Some(tls), ..settings() }
}

fn ring(to: Target) -> InviteRequest {
    InviteRequest { to, from_display: "Bank".into(), headers: Vec::new(), ring_timeout: SECONDS }
}

#[tokio::test]
async fn a_phone_registers_is_rung_and_calls_in() {
    let authority = Authority::new();
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    let settings = with_tls(authority.vouch_for("frontdesk.test"), None);
    let (endpoint, mut calls) = Endpoint::start(Settings { phones, allow: Vec::new(), ..settings }).await.unwrap();
    let registrar = endpoint.listening_by_tls()[0];
    let certificate = authority.certificate();
    let mut phone = Baresip::start(&Phone { registrar, believes: Some(&certificate), ..Phone::default() }).await;
    phone.wait_for("REGISTER_OK", SECONDS).await;
    assert_eq!(endpoint.registered().len(), 1);
    assert!(endpoint.registered()[0].contact.to_lowercase().contains("tls"), "{:?}", endpoint.registered());

    let mut outgoing = endpoint.invite(ring(Target::Registered("alice".into()))).await.unwrap();
    phone.wait_for("CALL_INCOMING", SECONDS).await;
    phone.accept().await;
    let mut leg = loop {
        match outgoing.events.recv().await {
            Some(OutgoingEvent::Ringing) => {}
            Some(OutgoingEvent::Answered(leg)) => break leg,
            _ => panic!("no answer\n{}", phone.log()),
        }
    };
    let heard = speak(&mut leg, 440.0, "", Duration::from_secs(1)).await;
    assert!(heard.has_tone(600.0, 300), "{} ms", heard.tone_ms(600.0));
    leg.hang_up().await;
    phone.wait_for("CALL_CLOSED", SECONDS).await;

    phone.dial(&format!("sip:800@{registrar};transport=tls")).await;
    let incoming = tokio::time::timeout(SECONDS, calls.recv()).await.expect("a call").unwrap();
    let leg = incoming.answer().await.unwrap();
    phone.wait_for("CALL_ESTABLISHED", SECONDS).await;
    leg.hang_up().await;
    phone.wait_for("CALL_CLOSED", SECONDS).await;
    phone.stop().await;
    nothing_is_left(&endpoint).await;
    endpoint.shutdown().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let authority = Authority::new();
    let settings = with_tls(authority.vouch_in("server", "first.test"), None);
    let (endpoint, _calls) = Endpoint::start(settings.clone()).await.unwrap();
    let at = endpoint.listening_by_tls()[0];
    let shown = |version: &'static str| tokio::task::spawn_blocking(move || shown_at(at, version));
    for version in ["-tls1_2", "-tls1_3"] {
        assert!(shown(version).await.unwrap().contains("first.test"), "{version}");
    }
    // On request ...
    authority.vouch_in("server", "second.test");
    endpoint.reconfigure(settings.clone());
    assert!(shown("-tls1_3").await.unwrap().contains("second.test"));
    // ... a broken file changes nothing ...
    let (_, key) = settings.tls.clone().unwrap().identity.unwrap();
    std::fs::write(&key, "no key").unwrap();
    endpoint.reconfigure(settings.clone());
    assert!(shown("-tls1_3").await.unwrap().contains("second.test"));
    // ... and a changed file is noticed by itself.
    authority.vouch_in("server", "third.test");
    let mut seen = String::new();
    for _ in 0..60 {
        seen = shown("-tls1_3").await.unwrap();
        if seen.contains("third.test") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(seen.contains("third.test"), "{seen}");
    endpoint.shutdown().await;
}

#[tokio::test]
async fn a_call_goes_out_only_to_who_proves_its_name() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (there, mut calls) = Endpoint::start(with_tls(theirs.vouch_for("there.test"), None)).await.unwrap();
    let at = there.listening_by_tls()[0];
    for (believed, uri, reached) in [
        (&theirs, format!("sips:800@{at}"), true),
        (&theirs, format!("sip:800@{at};transport=tls"), true),
        (&ours, format!("sips:800@{at}"), false),
    ] {
        let (here, _calls) =
            Endpoint::start(with_tls(ours.vouch_for("here.test"), Some(believed.certificate()))).await.unwrap();
        let mut outgoing = here.invite(ring(Target::Uri(uri.clone()))).await.unwrap();
        if reached {
            let leg = called(&mut calls).await.answer().await.unwrap();
            let answered = loop {
                match outgoing.events.recv().await {
                    Some(OutgoingEvent::Answered(leg)) => break leg,
                    Some(OutgoingEvent::Failed { status, .. }) => panic!("{uri}: {status}"),
                    Some(OutgoingEvent::Ringing) => {}
                    None => panic!("{uri}: no answer"),
                }
            };
            answered.hang_up().await;
            drop(leg);
            eventually("the call is over there, too", SECONDS, || there.counts().calls == 0).await;
        } else {
            let failed = outgoing.events.recv().await;
            assert!(matches!(failed, Some(OutgoingEvent::Failed { status: 503, .. })), "{uri}");
            assert!(calls.try_recv().is_err());
        }
        here.shutdown().await;
    }
    there.shutdown().await;
}

#[tokio::test]
async fn where_it_is_asked_for_only_a_certificate_lets_one_in() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let mut settings = with_tls(theirs.vouch_for("there.test"), None);
    settings.tls.as_mut().unwrap().client_authorities = Some(ours.certificate());
    let (there, mut calls) = Endpoint::start(settings).await.unwrap();
    let uri = format!("sips:800@{}", there.listening_by_tls()[0]);
    for (identity, let_in) in [(ours.vouch_for("here.test"), true), (theirs.vouch_for("here.test"), false)] {
        let (here, _calls) = Endpoint::start(with_tls(identity, Some(theirs.certificate()))).await.unwrap();
        let mut outgoing = here.invite(ring(Target::Uri(uri.clone()))).await.unwrap();
        if let_in {
            let incoming = tokio::time::timeout(SECONDS, calls.recv()).await.expect("a call").unwrap();
            incoming.reject(486, None).await;
        }
        let failed = loop {
            match outgoing.events.recv().await {
                Some(OutgoingEvent::Failed { status, .. }) => break status,
                Some(OutgoingEvent::Ringing) => {}
                _ => panic!("nobody answers"),
            }
        };
        assert_eq!(failed == 486, let_in, "{failed}");
        assert!(calls.try_recv().is_err());
        here.shutdown().await;
    }
    there.shutdown().await;
}
