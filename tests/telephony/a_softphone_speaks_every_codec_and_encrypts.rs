//! baresip with its own G.722 (spandsp), Opus (libopus) and SRTP (libsrtp or its own) speaks with us, rung by us and
//! calling us: tones and keys both ways.

use std::time::Duration;

use crate::common;
use common::baresip::{Baresip, Phone, Sound};
use common::talk::{Heard, speak, tone_ms};
use common::{nothing_is_left, settings};
use frontdesk::media::Codec;
use frontdesk::sip::{Endpoint, InviteRequest, Leg, OutgoingEvent, PhoneAccount, Preferences, Settings, Srtp, Target};

const SECONDS: Duration = Duration::from_secs(10);

fn with_alice(sound: Preferences) -> Settings {
    Settings { phones: vec![PhoneAccount::new("alice", "desk", "secret")], allow: Vec::new(), sound, ..settings() }
}

async fn phone(endpoint: &Endpoint, codecs: &str, account: &str) -> Baresip {
    let registrar = endpoint.listening()[0];
    let sound = Sound::Sine(600.0);
    let mut phone = Baresip::start(&Phone { registrar, codecs, account, sound, ..Phone::default() }).await;
    phone.wait_for("REGISTER_OK", SECONDS).await;
    phone
}

/// We ring it.
async fn rung(endpoint: &Endpoint, phone: &mut Baresip) -> Leg {
    let request = InviteRequest {
        to: Target::Registered("alice".into()),
        from_display: "desk".into(),
        headers: Vec::new(),
        ring_timeout: SECONDS,
    };
    let mut outgoing = endpoint.invite(request).await.unwrap();
    phone.wait_for("CALL_INCOMING", SECONDS).await;
    assert!(matches!(outgoing.events.recv().await, Some(OutgoingEvent::Ringing)));
    phone.accept().await;
    match outgoing.events.recv().await {
        Some(OutgoingEvent::Answered(leg)) => leg,
        Some(OutgoingEvent::Failed { status, .. }) => panic!("failed with {status}\n{}", phone.log()),
        _ => panic!("no answer\n{}", phone.log()),
    }
}

/// Tones and keys both ways, then the end.
async fn conversation(mut leg: Leg, mut phone: Baresip, endpoint: &Endpoint) -> Heard {
    let first = speak(&mut leg, 440.0, "42", Duration::from_millis(1_500)).await;
    phone.press("9").await;
    let second = speak(&mut leg, 440.0, "", Duration::from_millis(700)).await;
    assert!(first.has_tone(600.0, 800), "{} ms, {:?}\n{}", first.tone_ms(600.0), first.quality, phone.log());
    assert_eq!(second.keys, "9", "{}", phone.log());
    // baresip opens its way through NAT by one RTCP packet before its encryption begins: that one is refused.
    let refused = u64::from(second.quality.encrypted);
    let quality = &second.quality;
    assert!(quality.packets_bad <= refused && quality.packets_unauthentic <= refused, "{quality:?}");
    phone.wait_for("CALL_DTMF_START", SECONDS).await;
    leg.hang_up().await;
    phone.wait_for("CALL_CLOSED", SECONDS).await;
    nothing_is_left(endpoint).await;
    let (samples, rate) = phone.stop().await;
    let tone = tone_ms(&samples, rate, 440.0);
    assert!(tone > 800, "{tone} ms of our tone in {} samples of {rate} Hz", samples.len());
    second
}

#[tokio::test]
async fn each_codec_rung_and_calling() {
    for (name, codec, account) in [
        ("opus/48000/2", Codec::Opus, ""),
        ("G722/16000/1", Codec::G722, ";ptime=40"),
        ("PCMA", Codec::Pcma, ";ptime=10"),
    ] {
        let (endpoint, mut calls) = Endpoint::start(with_alice(Preferences::default())).await.unwrap();
        let mut called = phone(&endpoint, name, account).await;
        let leg = rung(&endpoint, &mut called).await;
        let heard = conversation(leg, called, &endpoint).await;
        assert_eq!(heard.quality.codec, Some(codec), "rung");
        assert!(heard.quality.mos.is_some_and(|mos| mos > 3.5), "{:?}", heard.quality);

        let mut caller = phone(&endpoint, name, account).await;
        caller.dial(&format!("sip:800@{}", endpoint.listening()[0])).await;
        let incoming = common::called(&mut calls).await;
        assert_eq!(incoming.rate(), codec.rate(), "{name}: {}", caller.log());
        let leg = incoming.answer().await.unwrap();
        assert_eq!(leg.port.rate(), codec.rate());
        caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
        assert_eq!(conversation(leg, caller, &endpoint).await.quality.codec, Some(codec), "calling");
        endpoint.shutdown().await;
    }
}

#[tokio::test]
async fn encrypted_when_required_and_when_offered() {
    let required = Preferences { srtp: Srtp::Required, ..Preferences::default() };
    let (endpoint, mut calls) = Endpoint::start(with_alice(required)).await.unwrap();
    let mut called = phone(&endpoint, "opus/48000/2", ";mediaenc=srtp-mand").await;
    let leg = rung(&endpoint, &mut called).await;
    assert!(conversation(leg, called, &endpoint).await.quality.encrypted);
    // Who cannot is refused.
    let mut plain = phone(&endpoint, "PCMU", "").await;
    plain.dial(&format!("sip:800@{}", endpoint.listening()[0])).await;
    let closed = plain.wait_for("CALL_CLOSED", SECONDS).await;
    assert!(closed["param"].as_str().is_some_and(|reason| reason.starts_with("488")), "{closed}");
    assert!(calls.try_recv().is_err());
    endpoint.shutdown().await;

    for account in [";mediaenc=srtp", ";mediaenc=srtp-mand"] {
        let (endpoint, mut calls) = Endpoint::start(with_alice(Preferences::default())).await.unwrap();
        let mut caller = phone(&endpoint, "PCMU", account).await;
        caller.dial(&format!("sip:800@{}", endpoint.listening()[0])).await;
        let leg = common::called(&mut calls).await.answer().await.unwrap();
        caller.wait_for("CALL_ESTABLISHED", SECONDS).await;
        assert!(conversation(leg, caller, &endpoint).await.quality.encrypted, "{account}");
        endpoint.shutdown().await;
    }
}
