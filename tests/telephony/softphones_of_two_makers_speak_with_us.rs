//! baresip and Linphone, two softphones that share no code, over UDP, TCP, and TLS with SRTP, with each codec of ours:
//! rung by us and calling us, tones and keys both ways, hold and resumption (where Linphone changes its SRTP keys), and a
//! transfer that they ask for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::common;
use common::baresip::{self, Baresip, Sound};
use common::certificates::Authority;
use common::linphone::{self, Linphone};
use common::talk::{speak, tone_ms};
use common::{eventually, nothing_is_left, settings};
use frontdesk::media::Codec;
use frontdesk::sip::{
    Endpoint, InviteRequest, Leg, LegEvent, OutgoingEvent, PhoneAccount, Preferences, Settings, Srtp, Target,
    TlsSettings,
};
use futures_util::future::join_all;

const SECONDS: Duration = Duration::from_secs(20);
const PHONE: f64 = 600.0;
const OURS: f64 = 440.0;
const CODECS: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Maker {
    Baresip,
    Linphone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Udp,
    Tcp,
    TlsAndSrtp,
}

#[tokio::test]
async fn baresip_over_every_way_with_every_codec() {
    everything(Maker::Baresip).await;
}

#[tokio::test]
async fn linphone_over_every_way_with_every_codec() {
    everything(Maker::Linphone).await;
}

async fn everything(maker: Maker) {
    let authority = Authority::new();
    let tls = TlsSettings {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        identity: Some(authority.vouch_for("frontdesk.test")),
        authorities: Some(authority.certificate()),
        client_authorities: None,
    };
    for way in [Way::Udp, Way::Tcp, Way::TlsAndSrtp] {
        join_all(CODECS.map(|codec| both_directions(maker, way, codec, &tls))).await;
    }
}

async fn both_directions(maker: Maker, way: Way, codec: Codec, tls: &TlsSettings) {
    let what = format!("{maker:?}, {way:?}, {codec:?}");
    let (endpoint, mut calls) = Endpoint::start(desk(way, tls)).await.unwrap();
    let mut phone = Softphone::start(maker, way, codec, &endpoint, tls.authorities.as_deref().unwrap()).await;
    let registered = || endpoint.registered().len() == 1;
    if tokio::time::timeout(SECONDS, eventually(&what, 2 * SECONDS, registered)).await.is_err() {
        panic!("{what}: it does not register\n{}", phone.log());
    }

    let mut leg = rung(&endpoint, &mut phone).await;
    conversation(&what, &mut leg, &mut phone, way, codec).await;
    phone.hang_up().await;
    assert_eq!(next(&what, &mut leg).await, LegEvent::HungUp, "{what}");
    drop(leg);

    phone.dial(&endpoint, way).await;
    let incoming = tokio::time::timeout(SECONDS, calls.recv()).await.expect("a call").unwrap();
    assert_eq!(incoming.rate(), codec.rate(), "{what}");
    let mut leg = incoming.answer().await.unwrap();
    phone.established().await;
    conversation(&what, &mut leg, &mut phone, way, codec).await;
    let before = phone.srtp_keys();
    held_and_resumed(&what, &mut leg, &mut phone).await;
    if maker == Maker::Linphone && way == Way::TlsAndSrtp {
        let keys = phone.srtp_keys();
        assert!(
            !before.is_empty() && keys.len() > before.len(),
            "{what}: a hold brings other keys: {before:?} {keys:?}"
        );
    }
    transferred(&what, leg, &mut phone).await;
    nothing_is_left(&endpoint).await;
    let (heard, rate) = phone.stop().await;
    let tone = tone_ms(&heard, rate, OURS);
    // Of 2 x 1.3 s of conversation. (baresip begins late, and writes down nothing after a hold.)
    assert!(tone > 1_400, "{what}: the phone heard {tone} ms of us in {} ms", heard.len() * 1_000 / rate as usize);
    endpoint.shutdown().await;
}

fn desk(way: Way, tls: &TlsSettings) -> Settings {
    let phones = vec![PhoneAccount::new("alice", "desk", "secret")];
    let secure = way == Way::TlsAndSrtp;
    let srtp = if secure { Srtp::Required } else { Srtp::Offered };
    let sound = Preferences { srtp, ..Preferences::default() };
    Settings { phones, allow: Vec::new(), tls: secure.then(|| tls.clone()), sound, ..settings() }
}

/// We ring it.
async fn rung(endpoint: &Endpoint, phone: &mut Softphone) -> Leg {
    let to = Target::Registered("alice".into());
    let request = InviteRequest { to, from_display: "desk".into(), headers: Vec::new(), ring_timeout: SECONDS };
    let mut outgoing = endpoint.invite(request).await.unwrap();
    phone.rings().await;
    phone.accept().await;
    loop {
        match outgoing.events.recv().await {
            Some(OutgoingEvent::Ringing) => {}
            Some(OutgoingEvent::Answered(leg)) => return leg,
            Some(OutgoingEvent::Failed { status, .. }) => panic!("failed with {status}\n{}", phone.log()),
            None => panic!("no answer\n{}", phone.log()),
        }
    }
}

/// Tones and keys both ways.
async fn conversation(what: &str, leg: &mut Leg, phone: &mut Softphone, way: Way, codec: Codec) {
    let first = speak(leg, OURS, "42", Duration::from_millis(800)).await;
    phone.press("9").await;
    let second = speak(leg, OURS, "", Duration::from_millis(500)).await;
    phone.hears_keys("42").await;
    let tone = first.tone_ms(PHONE) + second.tone_ms(PHONE);
    assert!(tone > 600, "{what}: {tone} ms of the phone, {:?}\n{}", first.quality, phone.log());
    assert_eq!(first.keys + &second.keys, "9", "{what}: the phone's key\n{}", phone.log());
    let quality = second.quality;
    assert_eq!(quality.codec, Some(codec), "{what}");
    assert_eq!(quality.encrypted, way == Way::TlsAndSrtp, "{what}");
    // baresip opens its way through NAT by one RTCP packet before its encryption begins: that one is refused. What comes
    // from elsewhere (other tests' peers, who still send to who had our port before us) is no doing of the phone's.
    let refused = u64::from(quality.encrypted);
    assert!(quality.packets_bad - quality.packets_foreign <= refused, "{what}: {quality:?}");
    assert!(quality.packets_unauthentic <= refused + quality.packets_foreign, "{what}: {quality:?}");
}

async fn held_and_resumed(what: &str, leg: &mut Leg, phone: &mut Softphone) {
    phone.hold().await;
    assert_eq!(next(what, leg).await, LegEvent::Held, "{what}");
    phone.resume().await;
    assert_eq!(next(what, leg).await, LegEvent::Resumed, "{what}");
    let after = speak(leg, OURS, "5", Duration::from_millis(600)).await;
    phone.hears_keys("5").await;
    assert!(after.has_tone(PHONE, 200), "{what}: {} ms after the hold\n{}", after.tone_ms(PHONE), phone.log());
}

/// It asks for one, is told of its success, and its call with us ends.
async fn transferred(what: &str, mut leg: Leg, phone: &mut Softphone) {
    leg.control.allow_transfers();
    phone.transfer("sip:wang@127.0.0.1").await;
    match next(what, &mut leg).await {
        LegEvent::Transfer(asked) => {
            assert_eq!((asked.to.as_str(), &asked.replaces), ("wang", &None), "{what}");
            asked.progress(180);
            asked.progress(200);
        }
        other => panic!("{what}: {other:?}\n{}", phone.log()),
    }
    assert_eq!(next(what, &mut leg).await, LegEvent::HungUp, "{what}: it hangs up when the transfer is done");
}

async fn next(what: &str, leg: &mut Leg) -> LegEvent {
    let event = tokio::time::timeout(SECONDS, leg.events.recv()).await;
    event.unwrap_or_else(|_| panic!("{what}: no news of the leg")).unwrap_or(LegEvent::HungUp)
}

/// Either of them.
enum Softphone {
    Baresip(Box<Baresip>),
    Linphone(Box<Linphone>),
}

impl Softphone {
    async fn start(maker: Maker, way: Way, codec: Codec, endpoint: &Endpoint, certificate: &Path) -> Self {
        let secure = way == Way::TlsAndSrtp;
        let registrar = if secure { endpoint.listening_by_tls()[0] } else { endpoint.listening()[0] };
        let sound = Sound::Sine(PHONE);
        match maker {
            Maker::Baresip => {
                let codecs = match codec {
                    Codec::Pcmu => "PCMU",
                    Codec::Pcma => "PCMA",
                    Codec::G722 => "G722/16000/1",
                    Codec::Opus => "opus/48000/2",
                };
                let phone = baresip::Phone {
                    registrar,
                    tcp: way == Way::Tcp,
                    believes: secure.then_some(certificate),
                    codecs,
                    account: if secure { ";mediaenc=srtp-mand" } else { "" },
                    sound,
                    ..baresip::Phone::default()
                };
                Self::Baresip(Box::new(Baresip::start(&phone).await))
            }
            Maker::Linphone => {
                let by = match way {
                    Way::Udp => linphone::By::Udp,
                    Way::Tcp => linphone::By::Tcp,
                    Way::TlsAndSrtp => linphone::By::Tls(certificate),
                };
                let codec = match codec {
                    Codec::Pcmu => "PCMU",
                    Codec::Pcma => "PCMA",
                    Codec::G722 => "G722",
                    Codec::Opus => "opus",
                };
                let phone = linphone::Phone { registrar, by, codec, encrypts: secure, sound, ..Default::default() };
                Self::Linphone(Box::new(Linphone::start(&phone).await))
            }
        }
    }

    fn srtp_keys(&self) -> BTreeSet<String> {
        match self {
            Self::Baresip(_) => BTreeSet::new(),
            Self::Linphone(phone) => phone.srtp_keys(),
        }
    }

    async fn rings(&mut self) {
        match self {
            Self::Baresip(phone) => drop(phone.wait_for("CALL_INCOMING", SECONDS).await),
            Self::Linphone(phone) => phone.wait_for("Receiving new incoming call", SECONDS).await,
        }
    }

    async fn accept(&mut self) {
        match self {
            Self::Baresip(phone) => phone.accept().await,
            Self::Linphone(phone) => phone.accept().await,
        }
    }

    async fn dial(&mut self, endpoint: &Endpoint, way: Way) {
        let uri = match way {
            Way::Udp => format!("sip:800@{}", endpoint.listening()[0]),
            Way::Tcp => format!("sip:800@{};transport=tcp", endpoint.listening()[0]),
            Way::TlsAndSrtp => format!("sip:800@{};transport=tls", endpoint.listening_by_tls()[0]),
        };
        match self {
            Self::Baresip(phone) => phone.dial(&uri).await,
            Self::Linphone(phone) => phone.dial(&uri).await,
        }
    }

    async fn established(&mut self) {
        match self {
            Self::Baresip(phone) => drop(phone.wait_for("CALL_ESTABLISHED", SECONDS).await),
            Self::Linphone(phone) => phone.wait_for("Media streams established", SECONDS).await,
        }
    }

    async fn hang_up(&mut self) {
        match self {
            Self::Baresip(phone) => phone.hang_up().await,
            Self::Linphone(phone) => phone.hang_up().await,
        }
    }

    async fn press(&mut self, keys: &str) {
        match self {
            Self::Baresip(phone) => phone.press(keys).await,
            Self::Linphone(phone) => phone.press(keys).await,
        }
    }

    async fn hears_keys(&mut self, keys: &str) {
        for key in keys.chars() {
            match self {
                Self::Baresip(phone) => {
                    let event = phone.wait_for("CALL_DTMF_START", SECONDS).await;
                    assert_eq!(event["param"], key.to_string(), "{event}");
                }
                Self::Linphone(phone) => phone.wait_for(&format!("Receiving tone {key}"), SECONDS).await,
            }
        }
    }

    async fn hold(&mut self) {
        match self {
            Self::Baresip(phone) => phone.command("hold", "").await,
            Self::Linphone(phone) => phone.command("pause").await,
        }
    }

    async fn resume(&mut self) {
        match self {
            Self::Baresip(phone) => phone.command("resume", "").await,
            Self::Linphone(phone) => {
                phone.wait_for("is now paused", SECONDS).await;
                phone.command("resume").await;
            }
        }
    }

    async fn transfer(&mut self, to: &str) {
        match self {
            Self::Baresip(phone) => phone.command("transfer", to).await,
            Self::Linphone(phone) => phone.command(&format!("transfer {to}")).await,
        }
    }

    async fn stop(self) -> (Vec<i16>, u32) {
        match self {
            Self::Baresip(phone) => phone.stop().await,
            Self::Linphone(phone) => phone.stop().await,
        }
    }

    fn log(&self) -> String {
        match self {
            Self::Baresip(phone) => phone.log(),
            Self::Linphone(phone) => phone.log(),
        }
    }
}
