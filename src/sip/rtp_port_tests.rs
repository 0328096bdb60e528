use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use super::super::ports::{RtpPorts, RtpSockets};
use super::*;
use crate::media::{Codec, Tone};
use crate::sip::plan::Crypto;
use crate::sip::srtp::{MasterKey, Suite};

const RATE: u32 = 8_000;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const BEAT: Duration = Duration::from_millis(20);

fn plan(version: u64, to: u16) -> Plan {
    Plan {
        version,
        remote: Some(SocketAddr::new(IP, to)),
        remote_rtcp: Some(SocketAddr::new(IP, to + 1)),
        signalled_from: Some(IP),
        accepted: Codec::ALL.into_iter().map(|codec| (codec.payload_type(), codec)).collect(),
        events_out: Some((101, 8_000)),
        events_in: vec![101],
        sending: true,
        receiving: true,
        ..Plan::silent()
    }
}

struct Side {
    port: RtpPort,
    plan: SharedPlan,
    number: u16,
    bad: Arc<AtomicU64>,
}

/// A port that speaks with `to` (0: itself).
fn side(ports: &RtpPorts, to: u16) -> Side {
    side_at(RATE, ports, to)
}

fn side_at(rate: u32, ports: &RtpPorts, to: u16) -> Side {
    let sockets = ports.take(IP).unwrap();
    let number = sockets.port();
    let plan = plan(1, if to == 0 { number } else { to }).shared();
    let bad = Arc::new(AtomicU64::new(0));
    let port = RtpPort::new(sockets, rate, plan.clone(), Duration::from_secs(2), bad.clone());
    Side { port, plan, number, bad }
}

fn pair(ports: &RtpPorts) -> (Side, Side) {
    pair_at(RATE, ports)
}

fn pair_at(rate: u32, ports: &RtpPorts) -> (Side, Side) {
    let a = side_at(rate, ports, 0);
    let b = side_at(rate, ports, a.number);
    a.plan.store(Arc::new(plan(2, b.number)));
    (a, b)
}

/// One beat of both sides: each hears, then speaks. Gives what b received.
fn beat(a: &mut Side, b: &mut Side, now: Instant, from_a: Option<&Frame>, heard: &mut Frame) -> Received {
    let received = b.port.receive(now, heard);
    a.port.receive(now, &mut Frame::silence(a.port.rate()));
    a.port.send(now, from_a);
    b.port.send(now, None);
    received
}

/// Share of the energy that is the sine at `hz`, 0..=1.
fn purity(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let (mut a, mut b, mut all) = (0.0, 0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let (phase, sample) = (n as f64 * hz * std::f64::consts::TAU / f64::from(rate), f64::from(sample));
        (a, b, all) = (a + sample * phase.cos(), b + sample * phase.sin(), all + sample * sample);
    }
    2.0 * (a * a + b * b) / (samples.len() as f64 * all).max(1.0)
}

#[test]
fn a_tone_arrives_whole_at_every_packet_length_codec_and_rate() {
    let ports = RtpPorts::new(62_000..=62_199);
    for (codec, ptime_ms, rate) in [
        (Codec::Pcmu, 20, 8_000),
        (Codec::Pcma, 10, 8_000),
        (Codec::Pcmu, 30, 16_000),
        (Codec::Pcma, 60, 8_000),
        (Codec::G722, 10, 16_000),
        (Codec::G722, 20, 8_000),
        (Codec::G722, 50, 16_000),
        (Codec::G722, 60, 16_000),
        (Codec::Opus, 10, 16_000),
        (Codec::Opus, 20, 16_000),
        (Codec::Opus, 30, 8_000),
        (Codec::Opus, 40, 48_000),
        (Codec::Opus, 60, 16_000),
    ] {
        let (mut a, mut b) = pair_at(rate, &ports);
        let wish = Plan { codec, payload_type: codec.payload_type(), ptime_ms, ..plan(3, b.number) };
        a.plan.store(Arc::new(wish));
        let (mut tone, start, mut loud, mut late) = (Tone::sine(440.0, -10.0), Instant::now(), 0, Vec::new());
        for n in 0..100 {
            let (mut frame, mut heard) = (Frame::silence(rate), Frame::silence(rate));
            tone.next(&mut frame);
            let received = beat(&mut a, &mut b, start + n * BEAT, Some(&frame), &mut heard);
            loud += usize::from(received.heard && heard.level() > 0.2);
            if n >= 50 {
                late.extend_from_slice(heard.samples());
            }
        }
        let (sent, quality) = (a.port.quality().packets_sent, b.port.quality());
        assert!(loud >= 88, "{codec:?} {ptime_ms} ms at {rate}: {loud} of 100 frames, {quality:?}");
        let pure = purity(&late, rate, 440.0);
        assert!(pure > 0.95, "{codec:?} {ptime_ms} ms at {rate}: {pure:.3}");
        assert_eq!(sent, u64::from(100 * 20 / codec.packet_ms(ptime_ms)), "{codec:?} {ptime_ms} ms");
        assert_eq!((quality.packets_bad, quality.packets_lost), (0, 0));
        assert!(quality.mos.is_some_and(|mos| mos > 4.2), "{quality:?}");
    }
    assert_eq!(ports.in_use(), 0, "ports come back");
}

#[test]
fn wideband_sound_is_wide_and_survives_a_leg_of_another_rate() {
    let ports = RtpPorts::new(62_800..=62_899);
    for codec in [Codec::G722, Codec::Opus] {
        let (mut a, mut b) = pair_at(16_000, &ports);
        a.plan.store(Arc::new(Plan { codec, payload_type: codec.payload_type(), ..plan(3, b.number) }));
        let (mut tone, start, mut late) = (Tone::sine(5_500.0, -10.0), Instant::now(), Vec::new());
        for n in 0..100 {
            let (mut frame, mut heard) = (Frame::silence(16_000), Frame::silence(16_000));
            tone.next(&mut frame);
            beat(&mut a, &mut b, start + n * BEAT, Some(&frame), &mut heard);
            if n >= 50 {
                late.extend_from_slice(heard.samples());
            }
        }
        let pure = purity(&late, 16_000, 5_500.0);
        assert!(pure > 0.8, "{codec:?}: {pure:.3} of it is the tone of 5.5 kHz");
    }
}

#[test]
fn markers_timestamps_and_keys_on_the_wire() {
    let ports = RtpPorts::new(62_200..=62_299);
    let wire = UdpSocket::bind((IP, 0)).unwrap();
    wire.set_nonblocking(true).unwrap();
    let mut a = side(&ports, wire.local_addr().unwrap().port());
    let (start, mut tone) = (Instant::now(), Tone::sine(440.0, -10.0));
    a.port.send_key(Key::new('7').unwrap());
    let mut buffer = [0; 200];
    let mut packets = Vec::new();
    for n in 0..30 {
        let mut frame = Frame::silence(RATE);
        tone.next(&mut frame);
        let speaks = !(18..24).contains(&n);
        a.port.send(start + n * BEAT, speaks.then_some(&frame));
        while let Ok(len) = wire.recv(&mut buffer) {
            let packet = rtp::parse(&buffer[..len]).unwrap();
            packets.push((n, packet.payload_type, packet.marker, packet.timestamp, packet.sequence, len));
        }
    }
    let events: Vec<_> = packets.iter().filter(|packet| packet.1 == 101).collect();
    let sound: Vec<_> = packets.iter().filter(|packet| packet.1 == 0).collect();
    assert_eq!((events.len(), events[0].2, events[0].5), (7, true, 16), "5 updates, the end three times in all");
    assert!(events.iter().all(|event| event.3 == events[0].3), "one timestamp a press");
    let first = sound[0];
    assert_eq!((first.2, first.5), (true, 172), "sound after a key begins a talkspurt");
    assert!(sound.iter().all(|packet| packet.3 == first.3.wrapping_add(160 * (packet.0 - first.0))), "{sound:?}");
    let marked: Vec<_> = sound.iter().filter(|packet| packet.2).map(|packet| packet.0).collect();
    assert_eq!(marked, [first.0, 24], "after a pause, too");
    assert!(packets.windows(2).all(|pair| pair[1].4 == pair[0].4.wrapping_add(1)), "sequence numbers run on");
    assert_eq!(a.bad.load(Relaxed), 0);
}

#[test]
fn keys_are_reported_once_each_in_order() {
    let ports = RtpPorts::new(62_300..=62_399);
    let (mut a, mut b) = pair(&ports);
    for key in "1234567890*#AD".chars() {
        a.port.send_key(Key::new(key).unwrap());
    }
    let (start, mut keys) = (Instant::now(), String::new());
    for n in 0..250 {
        let received = beat(&mut a, &mut b, start + n * BEAT, None, &mut Frame::silence(RATE));
        keys.extend(received.key.map(Key::as_char));
    }
    assert_eq!(keys, "1234567890*#AD");
    assert_eq!(b.port.quality().packets_lost, 0, "event packets are not missed as sound");
}

#[test]
fn a_held_side_hears_nothing_and_nobody_calls_it_lost() {
    let ports = RtpPorts::new(62_400..=62_499);
    let (mut a, mut b) = pair(&ports);
    a.plan.store(Arc::new(Plan { sending: false, receiving: false, remote_rtcp: None, ..plan(5, b.number) }));
    let (start, loud) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    let mut lost = None;
    for n in 0..150u32 {
        let now = start + n * BEAT;
        let received = b.port.receive(now, &mut Frame::silence(RATE));
        assert!(!received.heard);
        lost = lost.or(received.timed_out.then_some(n));
        assert!(!a.port.receive(now, &mut Frame::silence(RATE)).timed_out, "on hold silence is no loss");
        a.port.send(now, Some(&loud));
        b.port.send(now, Some(&loud));
    }
    assert_eq!(a.port.quality().packets_sent, 0);
    assert_eq!(lost, Some(100), "the other side misses it after its media timeout of 2 s");
}

#[test]
fn sound_follows_a_new_address_and_codec_at_once() {
    let ports = RtpPorts::new(62_700..=62_799);
    let (mut a, mut b) = pair(&ports);
    let mut c = side(&ports, a.number);
    let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    let (mut heard_b, mut heard_c) = (0, 0);
    for n in 0..100u32 {
        let now = start + n * BEAT;
        if n == 50 {
            let moved = Plan { codec: Codec::Pcma, payload_type: 8, ..plan(9, c.number) };
            a.plan.store(Arc::new(moved));
        }
        heard_b += u32::from(beat(&mut a, &mut b, now, Some(&tone), &mut Frame::silence(RATE)).heard);
        heard_c += u32::from(c.port.receive(now, &mut Frame::silence(RATE)).heard);
    }
    assert!((45..=54).contains(&heard_b) && (45..=50).contains(&heard_c), "{heard_b} {heard_c}");
    assert_eq!(c.port.quality().packets_bad, 0);
    // The peer that was left speaks on, and is no longer heard.
    assert!(a.bad.load(Relaxed) > 40, "{}", a.bad.load(Relaxed));
}

#[test]
fn strangers_nonsense_and_giants_are_counted_not_heard() {
    let ports = RtpPorts::new(62_500..=62_599);
    let (mut a, mut b) = pair(&ports);
    let stranger = UdpSocket::bind((IP, 0)).unwrap();
    let (start, target) = (Instant::now(), SocketAddr::new(IP, b.number));
    let mut nasty = vec![vec![], vec![0x80], vec![0xff; 1_500], vec![0x80; 12], vec![0x9f; 60]];
    let mut giant = vec![0; HEADER + 1_400];
    let header = rtp::Packet { payload_type: 0, marker: false, sequence: 9, timestamp: 0, ssrc: 1, payload: &[] };
    rtp::write_header(&mut giant, &header);
    nasty.push(giant);
    let tone = Frame::from_samples(RATE, &[9_000; 160]);
    for n in 0..100u32 {
        let now = start + n * BEAT;
        if n == 50 {
            for datagram in &nasty {
                stranger.send_to(datagram, target).unwrap();
                // The same from the right address.
                assert!(a.port.wire.send(datagram, target));
            }
            stranger.send_to(&[0; 8], SocketAddr::new(IP, b.number + 1)).unwrap();
        }
        let received = beat(&mut a, &mut b, now, Some(&tone), &mut Frame::silence(RATE));
        assert!(n < 10 || received.heard, "sound goes on at beat {n}");
    }
    let quality = b.port.quality();
    assert_eq!(quality.packets_bad, 2 * nasty.len() as u64 + 1);
    assert_eq!(b.bad.load(Relaxed), quality.packets_bad);
    assert_eq!(quality.packets_foreign, nasty.len() as u64 + 1);
    assert_eq!(quality.packets_lost, 0);
}

#[test]
fn both_sides_report_and_learn_the_other_report() {
    let ports = RtpPorts::new(62_600..=62_699);
    let (mut a, mut b) = pair(&ports);
    let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    for n in 0..1_000 {
        beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut Frame::silence(RATE));
    }
    let report = a.port.reporter.peer().expect("a report within 20 s");
    assert!(report.fraction_lost < 0.01 && report.jitter_ms < 20.0, "{report:?}");
    assert!(b.port.reporter.peer().is_some());
    assert_eq!(b.port.quality().packets_bad, 0);
    // The end is said, too: a goes, and b's RTCP socket holds its BYE.
    drop(a);
    let mut buffer = [0; 500];
    let mut last = Vec::new();
    while let Some((len, _)) = b.port.wire.receive_rtcp(&mut buffer) {
        last = buffer[..len].to_vec();
    }
    assert!(last.windows(2).any(|pair| pair == [0x81, 203]), "BYE: {last:02x?}");
}

fn with_keys(plan: Plan, ours: &MasterKey, theirs: &MasterKey) -> Plan {
    Plan { crypto: Some(Crypto { ours: ours.clone(), theirs: theirs.clone() }), ..plan }
}

#[test]
fn encrypted_sound_is_heard_by_the_right_key_alone_and_follows_a_new_one() {
    let ports = RtpPorts::new(62_900..=62_999);
    for suite in Suite::ALL {
        let (mut a, mut b) = pair(&ports);
        let keys: Vec<_> = (0..3).map(|_| MasterKey::random(suite)).collect();
        let (to_a, to_b) = (a.number, b.number);
        a.plan.store(Arc::new(with_keys(plan(10, to_b), &keys[0], &keys[1])));
        b.plan.store(Arc::new(with_keys(plan(10, to_a), &keys[1], &keys[0])));
        let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
        let mut heard = [0; 3];
        for n in 0..450u32 {
            match n {
                // A key that b does not know yet: nothing of it is heard, all of it counted.
                150 => a.plan.store(Arc::new(with_keys(plan(11, to_b), &keys[2], &keys[1]))),
                300 => b.plan.store(Arc::new(with_keys(plan(11, to_a), &keys[1], &keys[2]))),
                _ => {}
            }
            let mut frame = Frame::silence(RATE);
            let received = beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut frame);
            heard[n as usize / 150] += u32::from(received.heard);
        }
        let (at_a, at_b) = (a.port.quality(), b.port.quality());
        assert!(heard[0] > 140 && heard[1] < 10 && heard[2] > 140, "{suite:?}: {heard:?}");
        assert!((148..=156).contains(&at_b.packets_unauthentic), "{suite:?}: {at_b:?}");
        assert_eq!(at_b.packets_bad, at_b.packets_unauthentic);
        assert_eq!(at_a.packets_unauthentic, 0, "{suite:?}: b's key has not changed, {at_a:?}");
        assert!(at_a.encrypted && at_b.encrypted);
    }
}

#[test]
fn encrypted_reports_are_understood_and_nothing_readable_is_on_the_wire() {
    let ports = RtpPorts::new(63_000..=63_099);
    let (mut a, mut b) = pair(&ports);
    let keys: Vec<_> = (0..2).map(|_| MasterKey::random(Suite::AesCm80)).collect();
    a.plan.store(Arc::new(with_keys(plan(10, b.number), &keys[0], &keys[1])));
    b.plan.store(Arc::new(with_keys(plan(10, a.number), &keys[1], &keys[0])));
    let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    for n in 0..1_000 {
        beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut Frame::silence(RATE));
    }
    assert!(a.port.reporter.peer().is_some() && b.port.reporter.peer().is_some(), "reports within 20 s");
    assert_eq!((a.port.quality().packets_bad, b.port.quality().packets_bad), (0, 0));
    // Plain sound and plain reports from the right address are no one's.
    let plain = side(&ports, b.number);
    drop(plain);
    let report = b.port.reporter.bye().unwrap();
    a.port.wire.send_rtcp(&report, SocketAddr::new(IP, b.number + 1));
    let mut datagram = [0; HEADER + 160];
    let header = rtp::Packet { payload_type: 0, marker: false, sequence: 9, timestamp: 0, ssrc: 1, payload: &[] };
    rtp::write_header(&mut datagram, &header);
    assert!(a.port.wire.send(&datagram, SocketAddr::new(IP, b.number)));
    for n in 1_000..1_020 {
        b.port.receive(start + n * BEAT, &mut Frame::silence(RATE));
    }
    assert_eq!(b.port.quality().packets_unauthentic, 2);
    // What leaves is not the sound: a listener on the wire finds mu-law of the tone nowhere.
    let wire = UdpSocket::bind((IP, 0)).unwrap();
    wire.set_nonblocking(true).unwrap();
    let number = wire.local_addr().unwrap().port();
    a.plan.store(Arc::new(with_keys(plan(12, number), &keys[0], &keys[1])));
    a.port.send(start + 1_020 * BEAT, Some(&tone));
    let mut buffer = [0; 400];
    let len = wire.recv(&mut buffer).unwrap();
    assert_eq!(len, HEADER + 160 + 10);
    assert!(buffer[HEADER..len].windows(2).filter(|pair| pair[0] == pair[1]).count() < 12, "{:02x?}", &buffer[..len]);
}

#[test]
fn a_caller_who_suppresses_silence_is_still_there_and_its_pause_is_noise() {
    let ports = RtpPorts::new(63_100..=63_199);
    let (mut a, mut b) = pair(&ports);
    a.plan.store(Arc::new(Plan { comfort_noise: true, ..plan(3, b.number) }));
    let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    let (mut heard, mut noise, mut silent) = (0, Vec::new(), 0);
    for n in 0..500u32 {
        let mut frame = Frame::silence(RATE);
        let speaks = !(50..450).contains(&n);
        let received = beat(&mut a, &mut b, start + n * BEAT, speaks.then_some(&tone), &mut frame);
        assert!(!received.timed_out, "beat {n}");
        heard += u32::from(received.heard);
        if (100..440).contains(&n) {
            noise.extend_from_slice(frame.samples());
            silent += u32::from(frame.level() == 0.0);
        }
    }
    // 50 beats of sound and 50 more; of 400 beats of pause one packet each half second.
    let (sent, at_b) = (a.port.quality().packets_sent, b.port.quality());
    assert!((112..=120).contains(&sent), "{sent} packets");
    assert!((95..=104).contains(&heard), "{heard} frames heard");
    assert_eq!((at_b.packets_lost, at_b.packets_bad), (0, 0));
    assert!(at_b.concealed < 0.01, "a pause is no loss: {at_b:?}");
    let power = noise.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / noise.len() as f64;
    let level = 10.0 * (power / 32_767f64.powi(2)).log10();
    assert!(silent < 5 && (level + f64::from(PAUSE_LEVEL)).abs() < 3.0, "{level:.1} dBov, {silent} frames of nothing");
}

#[test]
fn a_single_announcement_of_a_pause_buys_three_timeouts() {
    let ports = RtpPorts::new(63_200..=63_299);
    let (mut a, mut b) = pair(&ports);
    a.plan.store(Arc::new(Plan { comfort_noise: true, ..plan(3, b.number) }));
    let (start, tone) = (Instant::now(), Frame::from_samples(RATE, &[9_000; 160]));
    let mut lost = None;
    for n in 0..400u32 {
        let received = match n {
            0..50 => beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut Frame::silence(RATE)),
            50 => beat(&mut a, &mut b, start + n * BEAT, None, &mut Frame::silence(RATE)),
            _ => b.port.receive(start + n * BEAT, &mut Frame::silence(RATE)),
        };
        lost = lost.or(received.timed_out.then_some(n));
    }
    assert!(lost.is_some_and(|n| (350..=352).contains(&n)), "6 s after the packet: {lost:?}");
}

#[test]
fn another_packet_length_in_the_middle_loses_nothing() {
    let ports = RtpPorts::new(63_300..=63_399);
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let (mut a, mut b) = pair_at(codec.rate(), &ports);
        let (start, mut tone) = (Instant::now(), Tone::sine(440.0, -10.0));
        let (mut heard, mut samples) = (0, Vec::new());
        for n in 0..300u32 {
            if n % 50 == 0 {
                let ptime_ms = [20, 60, 10, 30, 40, 20][n as usize / 50];
                let plan =
                    Plan { codec, payload_type: codec.payload_type(), ptime_ms, ..plan(20 + u64::from(n), b.number) };
                a.plan.store(Arc::new(plan));
            }
            let (mut frame, mut at_b) = (Frame::silence(codec.rate()), Frame::silence(codec.rate()));
            tone.next(&mut frame);
            heard += u32::from(beat(&mut a, &mut b, start + n * BEAT, Some(&frame), &mut at_b).heard);
            samples.extend_from_slice(at_b.samples());
        }
        let quality = b.port.quality();
        assert!(heard >= 285, "{codec:?}: {heard}, {quality:?}");
        assert_eq!((quality.packets_lost, quality.packets_bad), (0, 0), "{codec:?}");
        let quiet = samples.chunks(80).skip(20).filter(|chunk| chunk.iter().all(|s| s.abs() < 500)).count();
        assert!(quiet <= 12, "{codec:?}: {quiet} holes of 5 or 10 ms");
    }
}

#[test]
fn keys_go_by_the_clock_of_the_codec() {
    let ports = RtpPorts::new(63_400..=63_499);
    for (codec, number, clock) in
        [(Codec::Opus, 110u8, 48_000u32), (Codec::Opus, 101, 8_000), (Codec::G722, 101, 8_000)]
    {
        let (mut a, mut b) = pair_at(16_000, &ports);
        let with = |plan: Plan| Plan { codec, payload_type: codec.payload_type(), events_in: vec![101, 110], ..plan };
        a.plan.store(Arc::new(Plan { events_out: Some((number, clock)), ..with(plan(3, b.number)) }));
        b.plan.store(Arc::new(with(plan(3, a.number))));
        for key in "19#".chars() {
            a.port.send_key(Key::new(key).unwrap());
        }
        let (start, mut keys) = (Instant::now(), String::new());
        for n in 0..60 {
            let received = beat(&mut a, &mut b, start + n * BEAT, None, &mut Frame::silence(16_000));
            keys.extend(received.key.map(Key::as_char));
        }
        assert_eq!(keys, "19#", "{codec:?} {number}");
        assert_eq!(b.port.quality().packets_bad, 0);
    }
}

#[test]
fn ports_of_the_newer_family_work_alike() {
    let ports = RtpPorts::new(63_500..=63_599);
    let ip: IpAddr = std::net::Ipv6Addr::LOCALHOST.into();
    let sockets: Vec<_> = (0..2).map(|_| ports.take(ip).unwrap()).collect();
    let numbers: Vec<_> = sockets.iter().map(RtpSockets::port).collect();
    let mut sides: Vec<_> = sockets
        .into_iter()
        .zip(numbers.iter().rev())
        .map(|(sockets, to)| {
            let to = SocketAddr::new(ip, *to);
            let rtcp = SocketAddr::new(ip, to.port() + 1);
            let codec = Codec::G722;
            let plan = Plan {
                remote: Some(to),
                remote_rtcp: Some(rtcp),
                signalled_from: Some(ip),
                codec,
                payload_type: 9,
                ..plan(1, 1)
            };
            RtpPort::new(sockets, 16_000, plan.shared(), Duration::from_secs(2), Arc::default())
        })
        .collect();
    let (start, tone, mut heard) = (Instant::now(), Frame::from_samples(16_000, &[9_000; 320]), 0);
    for n in 0..100 {
        for port in &mut sides {
            heard += u32::from(port.receive(start + n * BEAT, &mut Frame::silence(16_000)).heard);
            port.send(start + n * BEAT, Some(&tone));
        }
    }
    assert!(heard > 180, "{heard} of 200");
    drop(sides);
    assert_eq!(ports.in_use(), 0);
}

/// The ways that keys come by: telephone events, tones (late, as a gateway leaves them), INFO.
#[derive(Clone, Copy, Debug)]
struct Ways {
    events: bool,
    tones: bool,
    info: bool,
}

/// What b, which knows events or not and listens as `inband` says, makes of the keys 1 to 4; and the frames of
/// tones that its listener was left with.
fn keys_by(inband: InbandKeys, knows_events: bool, ways: Ways) -> (String, u32) {
    let ports = RtpPorts::new(62_800..=62_899);
    let (mut a, mut b) = pair(&ports);
    b.port = b.port.with_inband_keys(inband);
    if !knows_events {
        b.plan.store(Arc::new(Plan { events_in: vec![], events_out: None, ..plan(7, a.number) }));
    }
    let (mut tones, start, mut keys, mut loud) = (dtmf::Tones::new(), Instant::now(), String::new(), 0);
    for n in 0..220 {
        let key = Key::new(char::from(b'1' + n as u8 / 50)).unwrap();
        if n % 50 == 10 && n < 200 {
            ways.events.then(|| a.port.send_key(key));
            ways.info.then(|| b.port.pressed(start + n * BEAT, key));
        }
        if n % 50 == 20 && n < 200 {
            ways.tones.then(|| tones.press(key));
        }
        let (mut tone, mut heard) = (Frame::silence(RATE), Frame::silence(RATE));
        tones.next(&mut tone);
        let received = beat(&mut a, &mut b, start + n * BEAT, Some(&tone), &mut heard);
        keys.extend(received.key.map(Key::as_char));
        loud += u32::from(heard.level() > 0.01);
    }
    (keys, loud)
}

#[test]
fn a_press_counts_once_whatever_ways_it_comes_by() {
    use InbandKeys::{Auto, Off, On};
    for (inband, knows_events) in [(Auto, true), (Auto, false), (On, true), (On, false), (Off, true), (Off, false)] {
        for n in 0..8 {
            let ways = Ways { events: n & 1 > 0, tones: n & 2 > 0, info: n & 4 > 0 };
            let (keys, loud) = keys_by(inband, knows_events, ways);
            let listens = inband == On || (inband == Auto && !knows_events);
            let comes = ways.events && knows_events || ways.tones && listens || ways.info;
            assert_eq!(keys, if comes { "1234" } else { "" }, "{inband:?} {knows_events} {ways:?}");
            let muted = listens || (inband == Auto && ways.events);
            assert!(!muted || loud <= 8, "{inband:?} {knows_events} {ways:?}: {loud} frames, two a key at most");
            assert!(muted || !ways.tones || loud >= 16, "what is no key is left alone");
        }
    }
}

#[test]
fn a_peer_without_events_is_sent_tones_and_their_echo_is_no_key() {
    let ports = RtpPorts::new(62_900..=62_999);
    let (mut a, mut b) = pair(&ports);
    for (side, to) in [(&a, b.number), (&b, a.number)] {
        side.plan.store(Arc::new(Plan { events_in: vec![], events_out: None, ..plan(7, to) }));
    }
    "10*#".chars().for_each(|key| a.port.send_key(Key::new(key).unwrap()));
    let (start, mut keys, mut echoed) = (Instant::now(), String::new(), None);
    let (mut raw, mut detector) = (Frame::silence(RATE), dtmf::Detector::new());
    b.port.inband = InbandKeys::Off; // this side is a line that gives back what it hears
    for n in 0..60 {
        let now = start + n * BEAT;
        b.port.receive(now, &mut raw);
        keys.extend(detector.hear(&raw, false).pressed.map(Key::as_char));
        echoed = echoed.or(a.port.receive(now, &mut Frame::silence(RATE)).key);
        a.port.send(now, None);
        raw.samples_mut().iter_mut().for_each(|sample| *sample /= 4);
        b.port.send(now, Some(&raw));
    }
    assert_eq!((keys.as_str(), echoed), ("10*#", None));
}

/// A phone that sends nothing while its caller is silent (RFC 3551, 4.1): each talkspurt is heard from its first
/// sample to its last, however long the silence was.
#[test]
fn a_caller_whose_phone_suppresses_silence_is_heard_whole() {
    let ports = RtpPorts::new(63_000..=63_099);
    let wire = UdpSocket::bind((IP, 0)).unwrap();
    let mut b = side(&ports, wire.local_addr().unwrap().port());
    let target = SocketAddr::new(IP, b.number);
    let (start, mut encoder, mut sequence) = (Instant::now(), Codec::Pcmu.encoder(), 65_530u16);
    // Ever louder, so that each sample tells its place.
    let spurt: Vec<i16> = (0..15 * 160).map(|n| 1_000 + n * 10).collect();
    let (mut spurts, mut samples) = (0, Vec::new());
    for n in 0..1_500u32 {
        let silent_until = [20, 60, 200, 700, 1_400];
        let place = silent_until.iter().find_map(|from| n.checked_sub(*from).filter(|at| *at < 15));
        if let Some(at) = place {
            let mut packet = vec![0; HEADER + 160];
            encoder.encode(&spurt[at as usize * 160..][..160], &mut packet[HEADER..]);
            let header =
                rtp::Packet { payload_type: 0, marker: at == 0, sequence, timestamp: n * 160, ssrc: 7, payload: &[] };
            rtp::write_header(&mut packet, &header);
            wire.send_to(&packet, target).unwrap();
            sequence = sequence.wrapping_add(1);
            spurts += u32::from(at == 0);
        }
        let mut frame = Frame::silence(RATE);
        b.port.receive(start + n * BEAT, &mut frame);
        samples.extend_from_slice(frame.samples());
    }
    let first = samples.windows(2).filter(|w| w[0] < 900 && w[1] >= 900 && w[1] < 1_200).count();
    let last = samples.iter().filter(|&&s| s > 24_000).count();
    assert_eq!((spurts, first), (5, 5), "each begins with its first sample");
    assert!(last >= 5 * 90, "and ends with its last: {last}");
    let whole = samples.iter().filter(|&&s| s >= 900).count();
    assert!((5 * 15 * 160 - 400..=5 * 15 * 160 + 5 * 480).contains(&whole), "{whole} samples of 12000");
    assert_eq!(b.port.quality().packets_lost, 0);
}
