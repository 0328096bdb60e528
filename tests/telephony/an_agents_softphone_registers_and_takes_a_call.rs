//! baresip registers with digest, is rung, answers; a tone is heard on either side; it leaves.

use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::sipp::Sipp;
use common::talk::{speak, tone_ms};
use common::{called, eventually, nothing_is_left, settings};
use frontdesk::sip::{
    Algorithm, Endpoint, FailureReason, InviteRequest, Leg, LegEvent, OutgoingEvent, PhoneAccount, Settings, Target,
};

const SECONDS: Duration = Duration::from_secs(10);

fn with_alice() -> Settings {
    Settings { phones: vec![PhoneAccount::new("alice", "desk", "secret")], allow: Vec::new(), ..settings() }
}

/// SIPp knows MD5 only.
fn for_sipp() -> Settings {
    Settings { digest: vec![Algorithm::Md5], ..with_alice() }
}

fn ring(user: &str) -> InviteRequest {
    InviteRequest {
        to: Target::Registered(user.into()),
        from_display: "银行 Bank".into(),
        headers: Vec::new(),
        ring_timeout: SECONDS,
    }
}

async fn answered(endpoint: &Endpoint, phone: &mut Baresip) -> Leg {
    let mut outgoing = endpoint.invite(ring("alice")).await.unwrap();
    let call = phone.wait_for("CALL_INCOMING", SECONDS).await;
    assert!(call.to_string().contains("Bank"), "the phone shows who rings: {call}");
    assert!(matches!(outgoing.events.recv().await, Some(OutgoingEvent::Ringing)));
    phone.accept().await;
    match outgoing.events.recv().await {
        Some(OutgoingEvent::Answered(leg)) => leg,
        Some(OutgoingEvent::Failed { status, .. }) => panic!("failed with {status}\n{}", phone.log()),
        _ => panic!("no answer\n{}", phone.log()),
    }
}

#[tokio::test]
async fn over_udp_and_tcp_with_each_codec() {
    for (tcp, codecs) in [(false, "PCMU"), (true, "PCMA")] {
        let (endpoint, _calls) = Endpoint::start(with_alice()).await.unwrap();
        let mut changes = endpoint.registrations();
        let registrar = endpoint.listening()[0];
        let sound = Sound::Sine(600.0);
        let mut phone = Baresip::start(&Phone { registrar, tcp, codecs, sound, ..Phone::default() }).await;
        phone.wait_for("REGISTER_OK", SECONDS).await;
        let change = changes.recv().await.unwrap();
        assert_eq!((change.user.as_str(), change.expires), ("alice", Duration::from_secs(60)));
        assert_eq!(endpoint.registered().len(), 1);

        let mut leg = answered(&endpoint, &mut phone).await;
        let first = speak(&mut leg, 440.0, "42", Duration::from_millis(1_500)).await;
        phone.press("9").await;
        let second = speak(&mut leg, 440.0, "", Duration::from_millis(700)).await;
        assert!(first.has_tone(600.0, 1_000), "{} ms, {:?}", first.tone_ms(600.0), first.quality);
        assert_eq!(second.keys, "9", "{}", phone.log());
        assert_eq!(second.quality.packets_bad, 0, "{:?}", second.quality);
        phone.wait_for("CALL_DTMF_START", SECONDS).await;

        phone.hang_up().await;
        let end = speak(&mut leg, 440.0, "", SECONDS).await;
        assert_eq!(end.events, [LegEvent::HungUp]);
        drop(leg);
        nothing_is_left(&endpoint).await;
        let (samples, rate) = phone.stop().await;
        assert!(
            tone_ms(&samples, rate, 440.0) > 1_000,
            "{} ms of tone in {}",
            tone_ms(&samples, rate, 440.0),
            samples.len()
        );
        eventually("the phone has unregistered", SECONDS, || endpoint.registered().is_empty()).await;
        assert!(matches!(endpoint.invite(ring("alice")).await.err(), Some(frontdesk::sip::Error::NotRegistered)));
        endpoint.shutdown().await;
    }
}

#[tokio::test]
async fn it_may_call_in_and_we_stop_its_ringing() {
    let (endpoint, mut calls) = Endpoint::start(with_alice()).await.unwrap();
    let registrar = endpoint.listening()[0];
    let mut phone = Baresip::start(&Phone { registrar, ..Phone::default() }).await;
    phone.wait_for("REGISTER_OK", SECONDS).await;

    let outgoing = endpoint.invite(ring("alice")).await.unwrap();
    phone.wait_for("CALL_INCOMING", SECONDS).await;
    outgoing.cancel().await;
    phone.wait_for("CALL_CLOSED", SECONDS).await;

    let mut outgoing = endpoint.invite(ring("alice")).await.unwrap();
    phone.wait_for("CALL_INCOMING", SECONDS).await;
    phone.hang_up().await;
    loop {
        match outgoing.events.recv().await {
            Some(OutgoingEvent::Ringing) => {}
            Some(OutgoingEvent::Failed { status, reason }) => {
                assert!(matches!(reason, FailureReason::Busy | FailureReason::Declined), "{status} {reason:?}");
                break;
            }
            _ => panic!("a declined call has no leg"),
        }
    }

    // Registered phones are the only ones who may call in here.
    phone.dial(&format!("sip:800@{registrar}")).await;
    let incoming = called(&mut calls).await;
    assert_eq!((incoming.from_number.as_str(), incoming.to_number.as_str()), ("alice", "800"));
    let mut leg = incoming.answer().await.unwrap();
    phone.wait_for("CALL_ESTABLISHED", SECONDS).await;
    let heard = speak(&mut leg, 440.0, "", Duration::from_secs(1)).await;
    assert!(heard.has_tone(600.0, 500), "{:?}", heard.quality);
    leg.hang_up().await;
    phone.wait_for("CALL_CLOSED", SECONDS).await;
    nothing_is_left(&endpoint).await;
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_stay_outside() {
    let (endpoint, _calls) = Endpoint::start(for_sipp()).await.unwrap();
    let target = endpoint.listening()[0];
    for password in ["wrong", ""] {
        let mut phone = Baresip::start(&Phone { registrar: target, password, ..Phone::default() }).await;
        phone.wait_for("REGISTER_FAIL", SECONDS).await;
    }
    for scenario in ["phone_with_wrong_password", "phone_unknown", "phone_for_another"] {
        Sipp::new(scenario, target).run().await;
    }
    assert_eq!(endpoint.registered(), []);
    Sipp::new("phone_registers", target).run().await;
    Sipp::new("phone_registers", target).tcp().run().await;
    assert_eq!(endpoint.registered(), []);
}

#[tokio::test]
async fn a_phone_that_is_no_longer_configured_is_forgotten() {
    let (endpoint, _calls) = Endpoint::start(for_sipp()).await.unwrap();
    let registration = Sipp::new("phone_registers", endpoint.listening()[0]).speaks_for(1_500).start();
    eventually("the phone is registered", SECONDS, || endpoint.registered().len() == 1).await;
    endpoint.reconfigure(settings());
    assert_eq!(endpoint.registered(), []);
    drop(registration);
}
