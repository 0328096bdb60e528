//! One browser's connection: ICE, DTLS and SRTP by the crate `webrtc`, from the offer to the end. Knows nothing of calls.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tracing::debug;
use webrtc::api::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_TELEPHONE_EVENT, MediaEngine};
use webrtc::api::setting_engine::SettingEngine;
use webrtc::api::{API, APIBuilder};
use webrtc::ice::mdns::MulticastDnsMode;
use webrtc::ice::network_type::NetworkType;
use webrtc::ice::udp_mux::UDPMux;
use webrtc::ice::udp_network::UDPNetwork;
use webrtc::ice_transport::ice_candidate::RTCIceCandidateInit;
use webrtc::ice_transport::ice_candidate_type::RTCIceCandidateType;
use webrtc::interceptor::registry::Registry;
use webrtc::peer_connection::RTCPeerConnection;
use webrtc::peer_connection::configuration::RTCConfiguration;
use webrtc::peer_connection::peer_connection_state::RTCPeerConnectionState;
use webrtc::peer_connection::sdp::session_description::RTCSessionDescription;
use webrtc::rtp_transceiver::rtp_codec::{RTCRtpCodecCapability, RTCRtpCodecParameters, RTPCodecType};
use webrtc::rtp_transceiver::rtp_receiver::RTCRtpReceiver;
use webrtc::track::track_remote::TrackRemote;

use super::Error;
use super::fragment::{self, Fragment, Numbers};
use super::track::{Voice, Way};
use super::wire::{self, RingWire};

/// Silence of a browser (it speaks or checks several times a second) after which its network is taken for gone.
const DISCONNECTED: Duration = Duration::from_secs(3);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Addresses of this machine's own are found at once.
const GATHERING: Duration = Duration::from_secs(2);
/// Candidates of one browser over the whole call: each may be sent checks.
const CANDIDATES: usize = 100;

/// Makes connections that share a socket.
pub struct Maker(API);

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    New,
    Connected,
    /// Nothing comes any more.
    Lost,
    Closed,
}

pub struct Peer {
    connection: Arc<RTCPeerConnection>,
    pub state: watch::Receiver<State>,
    /// Where our sound goes, once it can.
    way: watch::Receiver<Way>,
    pub numbers: Numbers,
    described: Mutex<Described>,
    /// Whoever drops us without a word (a client that is gone before it has our answer) ends the connection all the same.
    _closing: Closing,
}

/// What was said last.
struct Described {
    offer: String,
    ufrag: String,
    candidates: usize,
}

impl Maker {
    /// Connections by the socket `mux`, which is bound to `bound`; `external` addresses are named in place of this machine's.
    pub fn new(
        mux: Arc<dyn UDPMux + Send + Sync>,
        bound: IpAddr,
        external: &[IpAddr],
        grace: Duration,
    ) -> Result<Self, Error> {
        let mut media = MediaEngine::default();
        for (mime, clock, channels, number, parameters) in [
            (MIME_TYPE_OPUS, 48_000, 2, 111, "minptime=10;useinbandfec=1"),
            (MIME_TYPE_TELEPHONE_EVENT, 48_000, 0, 110, ""),
            (MIME_TYPE_TELEPHONE_EVENT, 8_000, 0, 126, ""),
        ] {
            let capability = RTCRtpCodecCapability {
                mime_type: mime.to_owned(),
                clock_rate: clock,
                channels,
                sdp_fmtp_line: parameters.to_owned(),
                rtcp_feedback: vec![],
            };
            let codec = RTCRtpCodecParameters { capability, payload_type: number, ..Default::default() };
            media.register_codec(codec, RTPCodecType::Audio).map_err(|_| Error::Stack("its codecs"))?;
        }
        let mut settings = SettingEngine::default();
        settings.set_udp_network(UDPNetwork::Muxed(mux));
        settings.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
        settings.set_ice_timeouts(Some(DISCONNECTED), Some(grace + DISCONNECTED), Some(KEEP_ALIVE));
        let (v4, v6) = (bound.is_ipv4(), bound.is_ipv6());
        // An IPv6 wildcard takes both families.
        let both = v6 && bound.is_unspecified();
        let types = [(v4 || both, NetworkType::Udp4), (v6, NetworkType::Udp6)];
        settings.set_network_types(types.into_iter().filter_map(|(wanted, kind)| wanted.then_some(kind)).collect());
        if !bound.is_unspecified() {
            settings.set_ip_filter(Box::new(move |ip| ip == bound));
            settings.set_include_loopback_candidate(bound.is_loopback());
        }
        if !external.is_empty() {
            settings.set_nat_1to1_ips(external.iter().map(IpAddr::to_string).collect(), RTCIceCandidateType::Host);
        }
        // No interceptors: reports (RTCP) are the port's own, as for telephones.
        let api = APIBuilder::new().with_media_engine(media).with_setting_engine(settings);
        Ok(Self(api.with_interceptor_registry(Registry::new()).build()))
    }

    /// Answers an offer that was judged good. The wire is for the port of this call.
    pub async fn answer(&self, offer: String) -> Result<(Peer, RingWire, String), Error> {
        let failed = |what| {
            move |error: webrtc::Error| {
                debug!(what, %error, "an offer could not be answered");
                Error::Offer(what)
            }
        };
        let parsed = RTCSessionDescription::offer(offer.clone()).map_err(failed("it cannot be read"))?;
        let connection = self.0.new_peer_connection(RTCConfiguration::default()).await;
        let connection = Arc::new(connection.map_err(|_| Error::Stack("no connection could be made"))?);
        let closing = Closing(Some(connection.clone()));
        let state = follow(&connection);
        let (voice, way) = Voice::new();
        let sender = connection.add_track(voice).await.map_err(|_| Error::Stack("no track could be made"))?;
        let (wire, ends) = wire::pair();
        let (tracks_in, mut tracks) = mpsc::channel::<(Arc<TrackRemote>, Arc<RTCRtpReceiver>)>(1);
        connection.on_track(Box::new(move |track, receiver, _| {
            let _ = tracks_in.try_send((track, receiver)); // a second one is none of ours
            Box::pin(async {})
        }));
        connection.set_remote_description(parsed).await.map_err(failed("it cannot be answered"))?;
        let answer = describe(&connection).await?;
        let numbers = fragment::numbers(&offer, &answer).ok_or(Error::Offer("Opus could not be agreed"))?;
        let ufrag = Fragment::read(&answer).and_then(|fragment| fragment.ufrag).unwrap_or_default();

        let (mut ready, mut over, carried) = (way.clone(), state.clone(), connection.clone());
        tokio::spawn(async move {
            let both = async {
                let writer = ready.wait_for(Option::is_some).await.ok()?.as_ref()?.0.clone();
                Some((writer, tracks.recv().await?))
            };
            // The track's sender lives in the connection, which is held here: it never ends by itself.
            let both = tokio::select! {
                both = both => both,
                () = async { drop(over.wait_for(|state| *state == State::Closed).await) } => None,
            };
            if let Some((writer, (track, receiver))) = both {
                ends.carry(carried, writer, sender, track, receiver).await;
            }
        });
        let described = Mutex::new(Described { offer, ufrag, candidates: 0 });
        Ok((Peer { connection, state, way, numbers, described, _closing: closing }, wire, answer))
    }
}

/// The last one dropped ends the connection.
struct Closing(Option<Arc<RTCPeerConnection>>);

impl Drop for Closing {
    fn drop(&mut self) {
        // Outside the runtime the process is on its way out.
        if let (Some(connection), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

impl Peer {
    /// Waits until sound can flow; our source's number (SSRC). `None`: it never will.
    pub async fn connected(&self) -> Option<u32> {
        let (mut state, mut way) = (self.state.clone(), self.way.clone());
        let up =
            state.wait_for(|state| matches!(state, State::Connected | State::Closed)).await.ok().map(|state| *state);
        if up != Some(State::Connected) {
            return None;
        }
        way.wait_for(Option::is_some).await.ok()?.as_ref().map(|(_, ssrc)| *ssrc)
    }

    /// The name of the ICE session in force (the ETag of RFC 9725, 4.3.1).
    pub async fn session(&self) -> String {
        self.described.lock().await.ufrag.clone()
    }

    /// More addresses of the browser's. Those that cannot be read or reached (names of mDNS) are passed over: the browser
    /// checks us from there, and so they are found.
    pub async fn trickle(&self, fragment: &Fragment) {
        let mut described = self.described.lock().await;
        for candidate in &fragment.candidates {
            if described.candidates >= CANDIDATES {
                return;
            }
            described.candidates += 1;
            let init = RTCIceCandidateInit { candidate: candidate.clone(), ..Default::default() };
            if let Err(error) = self.connection.add_ice_candidate(init).await {
                debug!(%error, "a candidate is passed over");
            }
        }
    }

    /// Begins ICE anew with the browser's new credentials; ours are the answer.
    pub async fn restart(&self, fragment: &Fragment) -> Result<Fragment, Error> {
        let mut described = self.described.lock().await;
        let offer = fragment.renew(&described.offer);
        let parsed = RTCSessionDescription::offer(offer.clone()).map_err(|_| Error::Offer("it cannot be read"))?;
        self.connection.set_remote_description(parsed).await.map_err(|error| {
            debug!(%error, "ICE cannot begin anew");
            Error::Offer("ICE cannot begin anew with it")
        })?;
        let answer = describe(&self.connection).await?;
        let ours = Fragment::read(&answer).ok_or(Error::Stack("its own description"))?;
        *described = Described { offer, ufrag: ours.ufrag.clone().unwrap_or_default(), candidates: 0 };
        Ok(ours)
    }

    pub async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            debug!(%error, "a connection did not close in order");
        }
    }
}

/// Our answer with all our addresses.
async fn describe(connection: &RTCPeerConnection) -> Result<String, Error> {
    let answer = connection.create_answer(None).await.map_err(|_| Error::Offer("no answer to it is possible"))?;
    let mut gathered = connection.gathering_complete_promise().await;
    connection.set_local_description(answer).await.map_err(|_| Error::Offer("no answer to it is possible"))?;
    let _ = tokio::time::timeout(GATHERING, gathered.recv()).await;
    connection.local_description().await.map(|answer| answer.sdp).ok_or(Error::Stack("its own description"))
}

fn follow(connection: &RTCPeerConnection) -> watch::Receiver<State> {
    let (states, state) = watch::channel(State::New);
    connection.on_peer_connection_state_change(Box::new(move |state| {
        debug!(%state, "a browser's connection");
        let state = match state {
            RTCPeerConnectionState::Connected => Some(State::Connected),
            RTCPeerConnectionState::Disconnected | RTCPeerConnectionState::Failed => Some(State::Lost),
            RTCPeerConnectionState::Closed => Some(State::Closed),
            // While ICE begins anew.
            _ => None,
        };
        if let Some(state) = state {
            states.send_replace(state);
        }
        Box::pin(async {})
    }));
    state
}
