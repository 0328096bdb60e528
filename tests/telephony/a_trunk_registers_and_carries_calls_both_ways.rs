//! A carrier (Kamailio) challenges our REGISTER and INVITE, relays a call of ours, sends one to us with what it knows of
//! the caller, and is told when we leave. A server that is not there gives way to the next of the domain's records.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common;
use common::kamailio::{Kamailio, NUMBER, PASSWORD, USER};
use common::names::{self, Srv};
use common::sipp::Sipp;
use common::talk::speak;
use common::{eventually, free_port, nothing_is_left, settings};
use frontdesk::sip::{
    Algorithm, Endpoint, InviteRequest, OutgoingEvent, PhoneAccount, Settings, Target, Transport, TrunkSettings,
    TrunkState, TrunkStatus,
};

const SECONDS: Duration = Duration::from_secs(20);

fn trunk(host: &str, port: Option<u16>) -> TrunkSettings {
    TrunkSettings {
        name: "carrier".into(),
        host: host.into(),
        port,
        transport: Some(Transport::Udp),
        user: Some(USER.into()),
        password: PASSWORD.into(),
        register: Some(120),
        allow: Vec::new(),
        keep_alive: Duration::from_secs(1),
        number: None,
    }
}

/// Closed but for the trunk.
async fn start(
    trunk: TrunkSettings,
    dns: Vec<SocketAddr>,
) -> (Endpoint, tokio::sync::mpsc::Receiver<frontdesk::sip::Incoming>) {
    Endpoint::start(Settings { trunks: vec![trunk], dns, allow: Vec::new(), ..settings() }).await.unwrap()
}

fn status(endpoint: &Endpoint) -> TrunkStatus {
    endpoint.trunks().remove(0)
}

async fn call_out(endpoint: &Endpoint) -> Result<frontdesk::sip::Leg, u16> {
    let to = Target::Trunk { trunk: "carrier".into(), number: "+491701234567".into() };
    // What an agent's own phone is shown is no business of a carrier's.
    let headers = vec![("X-Frontdesk-Summary".into(), "secret".into())];
    let request = InviteRequest { to, from_display: "A summary".into(), headers, ring_timeout: SECONDS };
    let mut outgoing = endpoint.invite(request).await.unwrap();
    loop {
        match outgoing.events.recv().await {
            Some(OutgoingEvent::Ringing) => {}
            Some(OutgoingEvent::Answered(leg)) => return Ok(leg),
            Some(OutgoingEvent::Failed { status, .. }) => return Err(status),
            None => panic!("no outcome"),
        }
    }
}

/// The carrier sends a call to our registration, with what it knows of the caller.
async fn call_comes(carrier: &Kamailio, calls: &mut tokio::sync::mpsc::Receiver<frontdesk::sip::Incoming>) {
    let caller = Sipp::new("caller_by_a_carrier", carrier.address).dials(NUMBER).start();
    let incoming = tokio::time::timeout(SECONDS, calls.recv()).await.expect("a call").unwrap();
    assert_eq!(incoming.trunk.as_deref(), Some("carrier"));
    assert_eq!(incoming.to_number, NUMBER, "what was dialled, not our account");
    assert_eq!((incoming.from_number.as_str(), incoming.from_name.as_deref()), ("+442079460000", Some("Ada Asserted")));
    assert!(incoming.identity.asserted && !incoming.identity.withheld);
    assert_eq!(incoming.identity.diverted_from.as_deref(), Some("+15550199"));
    assert_eq!(incoming.identity.diverted_reason.as_deref(), Some("no-answer"));
    let mut leg = incoming.answer().await.unwrap();
    speak(&mut leg, 440.0, "", Duration::from_millis(300)).await; // its ACK comes by way of the carrier
    leg.hang_up().await;
    caller.finish().await;
}

#[tokio::test]
async fn registered_called_and_calling_with_either_algorithm_and_transport() {
    for (algorithm, transport) in [("SHA-256", Transport::Udp), ("MD5", Transport::Tcp)] {
        let phone = Sipp::phone("trunk_answers").start();
        let carrier = Kamailio::start(algorithm, SocketAddr::from(([127, 0, 0, 1], phone.port()))).await;
        let (host, port) = (carrier.address.ip().to_string(), carrier.address.port());
        let (endpoint, mut calls) =
            start(TrunkSettings { transport: Some(transport), ..trunk(&host, Some(port)) }, vec![]).await;
        eventually(&format!("registered\n{}", carrier.log()), SECONDS, || status(&endpoint).state == TrunkState::Up)
            .await;
        assert_eq!(status(&endpoint).last_status, Some(200));
        assert!(carrier.log().contains(&format!("algorithm={algorithm}")), "{}", carrier.log());

        let leg = call_out(&endpoint).await.unwrap_or_else(|status| panic!("{status}\n{}", carrier.log()));
        leg.hang_up().await;
        phone.finish().await;
        assert!(carrier.log().contains("a call for +491701234567 from account7"), "{}", carrier.log());

        // SIPp calls by UDP: to us the carrier goes on by its own transport, by TCP with a Record-Route for either side.
        call_comes(&carrier, &mut calls).await;
        nothing_is_left(&endpoint).await;
        endpoint.shutdown().await;
        eventually("the carrier knows that we left", SECONDS, || carrier.log().contains("expires=0 ")).await;
    }
}

#[tokio::test]
async fn our_own_registrar_takes_sha_256_and_gives_md5_to_who_knows_no_better() {
    // The client's side is the one that Kamailio believes above.
    for digest in [vec![Algorithm::Sha256, Algorithm::Md5], vec![Algorithm::Sha256], vec![Algorithm::Md5]] {
        let phones = vec![PhoneAccount::new(USER, "desk", PASSWORD)];
        let desk = Settings { phones, digest, allow: Vec::new(), ..settings() };
        let (desk, _calls) = Endpoint::start(desk).await.unwrap();
        let at = desk.listening()[0];
        let (endpoint, _calls) = start(trunk(&at.ip().to_string(), Some(at.port())), vec![]).await;
        eventually("registered", SECONDS, || status(&endpoint).state == TrunkState::Up).await;
        assert_eq!(desk.registered()[0].user, USER);
        endpoint.shutdown().await;
        eventually("unregistered", SECONDS, || desk.registered().is_empty()).await;
        // A wrong password is no way in.
        let wrong = TrunkSettings { password: "wrong".into(), ..trunk(&at.ip().to_string(), Some(at.port())) };
        let (endpoint, _calls) = start(wrong, vec![]).await;
        eventually("refused", SECONDS, || status(&endpoint).last_status == Some(403)).await;
        assert_eq!(desk.registered(), []);
        endpoint.shutdown().await;
        desk.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_is_overloaded_gives_way_to_the_next() {
    let phone = Sipp::phone("trunk_answers").start();
    let carrier = Kamailio::start("SHA-256", SocketAddr::from(([127, 0, 0, 1], phone.port()))).await;
    let overloaded = Sipp::phone("registrar_is_overloaded").start();
    let record = |priority, port, host| Srv { service: "_sip._udp.carrier.test", priority, weight: 1, port, host };
    let dns = names::serve(vec![
        record(20, carrier.address.port(), "second.carrier.test"),
        record(10, overloaded.port(), "first.carrier.test"),
    ])
    .await;
    let one = TrunkSettings { keep_alive: Duration::ZERO, ..trunk("carrier.test", None) };
    let (endpoint, _calls) = start(one, vec![dns]).await;
    eventually("registered at the second", SECONDS, || status(&endpoint).state == TrunkState::Up).await;
    assert_eq!(status(&endpoint).servers, 2);
    overloaded.finish().await;
    // Calls go where we are registered.
    call_out(&endpoint).await.unwrap_or_else(|status| panic!("{status}\n{}", carrier.log())).hang_up().await;
    phone.finish().await;
    endpoint.shutdown().await;
}

#[tokio::test]
async fn a_call_goes_to_the_next_server_and_a_dead_trunk_is_told() {
    let phone = Sipp::phone("trunk_answers").start();
    let dead = free_port();
    let record = |priority, port, host| Srv { service: "_sip._tcp.carrier.test", priority, weight: 1, port, host };
    let dns =
        names::serve(vec![record(1, dead, "first.carrier.test"), record(2, phone.port(), "second.carrier.test")]).await;
    // Nobody listens by TCP at either: what a proxy without a phone behind it looks like.
    let one = TrunkSettings { transport: Some(Transport::Tcp), register: None, ..trunk("carrier.test", None) };
    let (endpoint, _calls) = start(one, vec![dns]).await;
    eventually("nobody answers", SECONDS, || status(&endpoint).state == TrunkState::Down).await;
    assert_eq!(call_out(&endpoint).await.err(), Some(503));
    endpoint.shutdown().await;

    let record = |priority, port, host| Srv { service: "_sip._udp.carrier.test", priority, weight: 1, port, host };
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let dns =
        names::serve(vec![record(1, port, "first.carrier.test"), record(2, phone.port(), "second.carrier.test")]).await;
    let one = TrunkSettings { register: None, keep_alive: Duration::ZERO, ..trunk("carrier.test", None) };
    let (endpoint, _calls) = start(one, vec![dns]).await;
    eventually("found", SECONDS, || status(&endpoint).servers == 2).await;
    call_out(&endpoint).await.expect("the second answers").hang_up().await;
    phone.finish().await;
    endpoint.shutdown().await;
}

#[tokio::test]
async fn a_server_that_asks_for_rest_gets_no_call_meanwhile() {
    let overloaded = Sipp::phone("trunk_is_overloaded").start();
    let phone = Sipp::phone("trunk_answers").calls(2, 10).start();
    let first = overloaded.port();
    let record = |priority, port, host| Srv { service: "_sip._udp.carrier.test", priority, weight: 1, port, host };
    let dns =
        names::serve(vec![record(1, first, "first.carrier.test"), record(2, phone.port(), "second.carrier.test")])
            .await;
    let one = TrunkSettings { register: None, keep_alive: Duration::ZERO, ..trunk("carrier.test", None) };
    let (endpoint, _calls) = start(one, vec![dns]).await;
    eventually("found", SECONDS, || status(&endpoint).servers == 2).await;
    call_out(&endpoint).await.expect("the second answers").hang_up().await;
    overloaded.finish().await;
    assert_eq!(status(&endpoint).resting, 1);
    let left_alone = tokio::net::UdpSocket::bind(("127.0.0.1", first)).await.unwrap();
    call_out(&endpoint).await.expect("the second answers again").hang_up().await;
    let heard = left_alone.try_recv(&mut [0; 2_000]);
    assert!(heard.is_err(), "it asked for a minute of rest, and got {heard:?} bytes");
    phone.finish().await;
    endpoint.shutdown().await;
}
