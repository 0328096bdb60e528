//! The wire between the call's port, which never waits, and the crate's connection, which does: rings of packets, and the
//! tasks at their far ends. What finds a ring full is lost, as on any network.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use rtrb::{Consumer, Producer, RingBuffer};
use webrtc::peer_connection::RTCPeerConnection;
use webrtc::rtp_transceiver::rtp_receiver::RTCRtpReceiver;
use webrtc::rtp_transceiver::rtp_sender::RTCRtpSender;
use webrtc::track::track_local::TrackLocalWriter;
use webrtc::track::track_remote::TrackRemote;
use webrtc::util::Unmarshal;

use crate::sip::{RtpPacket, Wire, write_header};

/// The peer's place in a port's plan: where it really is, ICE knows and may change.
pub const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9);
/// Packets on their way to the port: more than a second.
const INWARD: usize = 64;
/// Packets on their way to the browser.
const OUTWARD: usize = 32;
/// Reports, of which there is one in some seconds.
const REPORTS: usize = 16;
/// What the port sends at most: a header, 640 bytes, and room that only SRTP would take.
const DATAGRAM: usize = 700;
/// A packet of the browser's.
const MTU: usize = 1_500;

/// The port's end.
pub struct RingWire {
    packets: Consumer<webrtc::rtp::packet::Packet>,
    reports: Consumer<Bytes>,
    out: Producer<Datagram>,
    wake: Arc<AtomicWaker>,
}

struct Datagram {
    report: bool,
    len: usize,
    bytes: [u8; DATAGRAM],
}

/// The connection's end.
pub struct Ends {
    packets: Producer<webrtc::rtp::packet::Packet>,
    reports: Arc<Mutex<Producer<Bytes>>>,
    out: Consumer<Datagram>,
    wake: Arc<AtomicWaker>,
}

pub fn pair() -> (RingWire, Ends) {
    let (packets_in, packets) = RingBuffer::new(INWARD);
    let (reports_in, reports) = RingBuffer::new(REPORTS);
    let (out, out_end) = RingBuffer::new(OUTWARD);
    let wake = Arc::new(AtomicWaker::new());
    let wire = RingWire { packets, reports, out, wake: wake.clone() };
    (wire, Ends { packets: packets_in, reports: Arc::new(Mutex::new(reports_in)), out: out_end, wake })
}

impl RingWire {
    /// Throws away what has come so far.
    pub fn flush(&mut self) {
        while self.packets.pop().is_ok() {}
        while self.reports.pop().is_ok() {}
    }

    fn push(&mut self, report: bool, datagram: &[u8]) -> bool {
        let mut bytes = [0; DATAGRAM];
        let Some(room) = bytes.get_mut(..datagram.len()) else { return false };
        room.copy_from_slice(datagram);
        let taken = self.out.push(Datagram { report, len: datagram.len(), bytes }).is_ok();
        self.wake.wake();
        taken
    }
}

impl Wire for RingWire {
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let packet = self.packets.pop().ok()?;
        let header = RtpPacket {
            payload_type: packet.header.payload_type,
            marker: packet.header.marker,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            ssrc: packet.header.ssrc,
            payload: &[],
        };
        let (head, rest) = buffer.split_at_mut_checked(12)?;
        write_header(head, &header);
        // What is longer than any datagram is cut, and refused as no sound.
        let len = packet.payload.len().min(rest.len());
        rest[..len].copy_from_slice(&packet.payload[..len]);
        Some((12 + len, PEER))
    }

    fn receive_rtcp(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let report = self.reports.pop().ok()?;
        let len = report.len().min(buffer.len());
        buffer[..len].copy_from_slice(&report[..len]);
        Some((len, PEER))
    }

    fn send(&mut self, datagram: &[u8], _: SocketAddr) -> bool {
        self.push(false, datagram)
    }

    fn send_rtcp(&mut self, datagram: &[u8], _: SocketAddr) {
        self.push(true, datagram);
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl Drop for RingWire {
    fn drop(&mut self) {
        self.wake.wake();
    }
}

impl Ends {
    /// Carries packets both ways until the port is dropped (what it sent last is still sent) or the connection closes.
    pub async fn carry(
        self,
        connection: Arc<RTCPeerConnection>,
        writer: Arc<dyn TrackLocalWriter + Send + Sync>,
        sender: Arc<RTCRtpSender>,
        track: Arc<TrackRemote>,
        receiver: Arc<RTCRtpReceiver>,
    ) {
        let Self { packets, reports, out, wake } = self;
        let inward = [
            tokio::spawn(bring(track, packets)),
            tokio::spawn(bring_reports(reports.clone(), async move || sender.read_rtcp().await.map(|read| read.0))),
            tokio::spawn(bring_reports(reports, async move || receiver.read_rtcp().await.map(|read| read.0))),
        ];
        send(out, &wake, &connection, &*writer).await;
        for task in inward {
            task.abort();
        }
    }
}

async fn send(
    mut out: Consumer<Datagram>,
    wake: &AtomicWaker,
    connection: &RTCPeerConnection,
    writer: &(dyn TrackLocalWriter + Send + Sync),
) {
    let mut room = BytesMut::with_capacity(OUTWARD * DATAGRAM);
    loop {
        let next = std::future::poll_fn(|context| {
            wake.register(context.waker());
            match out.pop() {
                Ok(datagram) => Poll::Ready(Some(datagram)),
                // Looked at again: it may have gone after its last word.
                Err(_) if out.is_abandoned() => Poll::Ready(out.pop().ok()),
                Err(_) => Poll::Pending,
            }
        });
        let Some(datagram) = next.await else { return };
        // The block is used again as soon as the connection has given its part back: mostly nothing is allocated.
        room.extend_from_slice(&datagram.bytes[..datagram.len]);
        let mut bytes = room.split().freeze();
        if datagram.report {
            if let Ok(packets) = webrtc::rtcp::packet::unmarshal(&mut bytes) {
                let _ = connection.write_rtcp(&packets).await; // the next report says more
            }
        } else if let Ok(packet) = webrtc::rtp::packet::Packet::unmarshal(&mut bytes) {
            // While ICE looks for another way it is lost.
            let _ = writer.write_rtp(&packet).await;
        }
        room.reserve(DATAGRAM);
    }
}

async fn bring(track: Arc<TrackRemote>, mut packets: Producer<webrtc::rtp::packet::Packet>) {
    let mut buffer = vec![0; MTU];
    let mut failures = 0;
    while !packets.is_abandoned() {
        match track.read(&mut buffer).await {
            Ok((packet, _)) => {
                failures = 0;
                // Full: nobody takes what comes, as before the answer. The newest is what is lost.
                let _ = packets.push(packet);
            }
            Err(webrtc::Error::ErrClosedPipe) => return,
            // A payload type that was not agreed, ...: one packet. Closed some other way: all of them.
            Err(_) => {
                failures += 1;
                if failures > INWARD {
                    return;
                }
            }
        }
    }
}

async fn bring_reports<R>(reports: Arc<Mutex<Producer<Bytes>>>, mut read: R)
where
    R: AsyncFnMut() -> webrtc::error::Result<Vec<Box<dyn webrtc::rtcp::packet::Packet + Send + Sync>>>,
{
    while let Ok(packets) = read().await {
        if let Ok(bytes) = webrtc::rtcp::packet::marshal(&packets) {
            let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner); // a ring is never half changed
            let _ = reports.push(bytes); // the next report says more
        }
    }
}
