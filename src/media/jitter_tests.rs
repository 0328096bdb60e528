use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Virtual time: a sender at 20 ms packets (or what `ms` says), the network as a list of arrivals, a beat of 20 ms.
struct Line {
    buffer: JitterBuffer,
    start: Instant,
    /// (arrival ms, packet number)
    arrivals: Vec<(f64, Sent)>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    samples: usize,
    /// What every sample of it is.
    code: u8,
}

impl Line {
    fn new() -> Self {
        Self { buffer: JitterBuffer::new(8_000, JitterSettings::default()), start: Instant::now(), arrivals: vec![] }
    }

    /// Adds packet `n` of a stream with 20 ms packets, arriving `delay_ms` after it was sent.
    fn packet(&mut self, n: u32, delay_ms: f64) -> &mut Self {
        let sent = Sent {
            ssrc: 1,
            sequence: (65_530 + n) as u16,
            timestamp: (u32::MAX - 3_000).wrapping_add(n * 160),
            samples: 160,
            code: code(n),
        };
        self.sent(f64::from(n) * 20.0 + delay_ms, sent)
    }

    fn sent(&mut self, arrival_ms: f64, sent: Sent) -> &mut Self {
        self.arrivals.push((arrival_ms, sent));
        self
    }

    /// Runs `beats` from time 0 on; gives what was heard and whether it was real.
    fn run(&mut self, beats: usize) -> Vec<(Vec<i16>, bool)> {
        self.arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut arrivals = self.arrivals.iter().peekable();
        let mut out = vec![];
        for beat in 0..beats {
            let now_ms = beat as f64 * 20.0 + 7.0;
            while let Some((at, sent)) = arrivals.next_if(|(at, _)| *at <= now_ms) {
                let payload = [sent.code; MAX_PAYLOAD];
                let packet = Packet {
                    ssrc: sent.ssrc,
                    sequence: sent.sequence,
                    timestamp: sent.timestamp,
                    marker: false,
                    codec: Codec::Pcmu,
                    payload: &payload[..sent.samples],
                };
                self.buffer.push(self.start + Duration::from_micros((at * 1_000.0) as u64), &packet);
            }
            let mut frame = Frame::silence(8_000);
            let real = self.buffer.pull(self.start + Duration::from_micros((now_ms * 1_000.0) as u64), &mut frame);
            out.push((frame.samples().to_vec(), real));
        }
        out
    }
}

/// A loud code word that tells packet `n` from its 95 neighbours.
fn code(n: u32) -> u8 {
    0x80 + (n % 96) as u8
}

fn value(code: u8) -> i16 {
    let mut sample = [0];
    Codec::Pcmu.decoder().decode(&[code], &mut sample);
    sample[0]
}

/// Packet numbers heard clearly (24 equal samples and more), in order, each run once, with the sample it begins at.
fn heard(frames: &[(Vec<i16>, bool)]) -> Vec<(u32, usize)> {
    let samples: Vec<i16> = frames.iter().flat_map(|(samples, _)| samples.clone()).collect();
    let mut runs: Vec<(u32, usize)> = vec![];
    let mut at = 0;
    while at < samples.len() {
        let run = samples[at..].iter().take_while(|&&s| s == samples[at]).count();
        if run >= 24
            && let Some(n) = (0..96).find(|&n| value(code(n)) == samples[at])
        {
            // Numbers go on beyond 96 in the order of hearing.
            let n = runs.last().map_or(n, |&(last, _)| last + (n + 96 - last % 96) % 96);
            if runs.last().is_none_or(|&(last, _)| last != n) {
                runs.push((n, at));
            }
        }
        at += run;
    }
    runs
}

#[test]
fn a_calm_line_is_played_whole_at_a_small_delay() {
    let mut line = Line::new();
    for n in 0..500 {
        line.packet(n, 3.0);
    }
    let frames = line.run(500);
    let stats = line.buffer.stats();
    assert_eq!((stats.received, stats.lost, stats.late, stats.concealed), (500, 0, 0, 0.0));
    assert_eq!(stats.target_ms, 20.0);
    assert!(stats.jitter_ms < 0.01);
    let runs = heard(&frames);
    assert!(runs.windows(2).all(|w| w[1].0 == w[0].0 + 1), "no packet is missing");
    let (n, at) = runs[runs.len() - 1];
    let delay = at as f64 / 8.0 + 7.0 - (f64::from(n) * 20.0 + 3.0);
    assert!((10.0..=35.0).contains(&delay), "a sample waits {delay} ms");
}

#[test]
fn reordered_and_doubled_packets_are_heard_once_in_order() {
    let mut line = Line::new();
    for n in 0..200 {
        // Every fourth is 30 ms late, every third comes twice.
        line.packet(n, if n % 4 == 1 { 33.0 } else { 3.0 });
        if n % 3 == 0 {
            line.packet(n, 8.0);
        }
    }
    let frames = line.run(220);
    let stats = line.buffer.stats();
    assert_eq!((stats.received, stats.duplicates, stats.lost, stats.restarts), (200, 67, 0, 0));
    let runs = heard(&frames);
    assert!(runs.windows(2).all(|w| w[1].0 == w[0].0 + 1) && runs.len() > 195, "{runs:?}");
    assert!(stats.jitter_ms > 5.0);
}

#[test]
fn one_lost_packet_is_concealed_and_counted() {
    let mut line = Line::new();
    for n in (0..200).filter(|n| n % 20 != 10) {
        line.packet(n, 3.0);
    }
    let frames = line.run(200);
    let stats = line.buffer.stats();
    assert_eq!((stats.lost, stats.late), (10, 0));
    let share = 10.0 / 200.0;
    assert!((stats.concealed - share).abs() < 0.01, "{}", stats.concealed);
    let started = frames.iter().position(|(_, real)| *real).unwrap();
    assert!(frames[started..190].iter().all(|(samples, _)| samples.iter().any(|&s| s != 0)), "no frame falls silent");
}

#[test]
fn the_delay_follows_the_jitter_up_and_down() {
    let mut line = Line::new();
    let mut random = 1u32;
    for n in 0..3_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let jitter = if (500..1_500).contains(&n) { f64::from(random >> 16) / 65_536.0 * 80.0 } else { 0.0 };
        line.packet(n, 3.0 + jitter);
    }
    let arrivals = std::mem::take(&mut line.arrivals);
    let mut targets = vec![];
    // In slices, to look at the target on the way.
    let mut frames = vec![];
    let start = line.start;
    let mut rest = arrivals;
    rest.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rest = rest.into_iter().peekable();
    for beat in 0..3_000u32 {
        let now = f64::from(beat) * 20.0 + 7.0;
        while let Some((at, sent)) = rest.next_if(|(at, _)| *at <= now) {
            let payload = [sent.code; 160];
            let packet = Packet {
                ssrc: 1,
                sequence: sent.sequence,
                timestamp: sent.timestamp,
                marker: false,
                codec: Codec::Pcmu,
                payload: &payload,
            };
            line.buffer.push(start + Duration::from_micros((at * 1_000.0) as u64), &packet);
        }
        let mut frame = Frame::silence(8_000);
        let real = line.buffer.pull(start + Duration::from_micros((now * 1_000.0) as u64), &mut frame);
        frames.push((frame.samples().to_vec(), real));
        targets.push(line.buffer.stats().target_ms);
    }
    assert_eq!(targets[499], 20.0);
    assert!((70.0..=90.0).contains(&targets[1_450]), "80 ms of jitter asks for about that: {}", targets[1_450]);
    assert_eq!(targets[2_950], 20.0);
    let stats = line.buffer.stats();
    assert_eq!(stats.lost, 0);
    assert!(stats.late < 60, "{} of 1000 late, mostly while learning", stats.late);
    let runs = heard(&frames);
    let (n, at) = runs[runs.len() - 2];
    let delay = at as f64 / 8.0 + 7.0 - (f64::from(n) * 20.0 + 3.0);
    assert!(delay < 40.0, "and the delay is small again: {delay}");
}

#[test]
fn a_pause_of_the_sender_is_no_loss() {
    let mut line = Line::new();
    // Speech for 1 s, then nothing for 1 s, four times; sequence numbers go on, timestamps count the pause.
    for n in 0..200u32 {
        let spurt = n / 50;
        let at = f64::from(n * 20 + spurt * 1_000) + 3.0;
        line.sent(
            at,
            Sent { ssrc: 1, sequence: n as u16, timestamp: n * 160 + spurt * 8_000, samples: 160, code: code(n) },
        );
    }
    let frames = line.run(400);
    let stats = line.buffer.stats();
    assert_eq!((stats.received, stats.lost, stats.late, stats.restarts), (200, 0, 0, 0));
    assert_eq!(stats.concealed, 0.0);
    let runs = heard(&frames);
    assert!(runs.len() >= 196 && runs.windows(2).all(|w| w[1].0 == w[0].0 + 1), "{}", runs.len());
    let silent = frames.iter().filter(|(samples, _)| samples.iter().all(|&s| s == 0)).count();
    assert!(silent > 150, "the pauses are silent: {silent} frames");
}

#[test]
fn keys_pressed_meanwhile_are_no_loss() {
    let mut line = Line::new();
    for n in (0..100).filter(|n| !(40..47).contains(n)) {
        line.packet(n, 3.0);
    }
    line.arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let arrivals = std::mem::take(&mut line.arrivals);
    let (before, after) = arrivals.split_at(40);
    line.arrivals = before.to_vec();
    line.run(40);
    for n in 40..47u32 {
        line.buffer.skip(1, (65_530 + n) as u16);
    }
    line.arrivals = after.to_vec();
    line.run(100);
    assert_eq!(line.buffer.stats().lost, 0);
    assert_eq!(line.buffer.stats().received, 100);
}

#[test]
fn another_source_takes_over_after_two_packets() {
    let mut line = Line::new();
    for n in 0..100u32 {
        line.packet(n, 3.0);
    }
    // One stray packet of a stranger first.
    line.sent(600.0, Sent { ssrc: 9, sequence: 1, timestamp: 5, samples: 160, code: 0x80 });
    for n in 0..100u32 {
        let at = f64::from(n) * 20.0 + 2_003.0;
        line.sent(at, Sent { ssrc: 2, sequence: 700 + n as u16, timestamp: 99 + n * 160, samples: 160, code: code(n) });
    }
    let frames = line.run(200);
    let stats = line.buffer.stats();
    assert_eq!((stats.restarts, stats.refused, stats.received, stats.lost), (1, 2, 199, 0));
    assert!(frames[110..195].iter().all(|(_, real)| *real));
}

#[test]
fn a_jump_of_timestamps_goes_on_at_once() {
    let mut line = Line::new();
    for n in 0..200u32 {
        let jump = if n >= 100 { 3_000_000_000 } else { 0 };
        line.sent(
            f64::from(n) * 20.0,
            Sent { ssrc: 1, sequence: n as u16, timestamp: (n * 160).wrapping_add(jump), samples: 160, code: code(n) },
        );
    }
    let frames = line.run(200);
    let stats = line.buffer.stats();
    assert_eq!((stats.restarts, stats.received, stats.lost), (1, 200, 0));
    assert!(frames[104..195].iter().all(|(_, real)| *real));
}

#[test]
fn a_way_that_grows_longer_is_followed() {
    let mut line = Line::new();
    for n in 0..400 {
        line.packet(n, if n < 200 { 10.0 } else { 400.0 });
    }
    let frames = line.run(420);
    assert!(frames[235..395].iter().all(|(_, real)| *real), "{:?}", line.buffer.stats());
}

#[test]
fn packets_of_10_to_60_ms_are_played_whole() {
    for ms in [10u32, 30, 40, 60] {
        let mut line = Line::new();
        for n in 0..(6_000 / ms) {
            let samples = (ms * 8) as usize;
            let at = f64::from((n + 1) * ms);
            let packet = Sent { ssrc: 1, sequence: n as u16, timestamp: n * ms * 8, samples, code: code(n) };
            line.sent(at, packet);
        }
        let frames = line.run(290);
        let stats = line.buffer.stats();
        assert_eq!((stats.lost, stats.late, stats.concealed), (0, 0, 0.0), "{ms} ms");
        let runs = heard(&frames);
        // Bringing the delay down at the start may take out a packet as short as a pitch period.
        assert!(runs.windows(2).all(|w| w[1].0 > w[0].0), "{ms} ms: {runs:?}");
        assert!(runs.windows(2).skip(10).all(|w| w[1].0 == w[0].0 + 1), "{ms} ms: {runs:?}");
        assert!(frames[10..].iter().all(|(_, real)| *real), "{ms} ms");
    }
}

#[test]
fn a_clock_that_runs_fast_or_slow_is_followed_without_loss() {
    for speed in [0.999, 1.001] {
        let mut line = Line::new();
        for n in 0..6_000u32 {
            let at = f64::from(n) * 20.0 * speed;
            line.sent(at, Sent { ssrc: 1, sequence: n as u16, timestamp: n * 160, samples: 160, code: code(n) });
        }
        line.run(5_900);
        let stats = line.buffer.stats();
        assert_eq!((stats.lost, stats.restarts), (0, 0));
        assert!(stats.concealed < 0.002 && stats.late < 5, "{speed}: {stats:?}");
        assert!(stats.buffer_ms < 60.0, "{speed}: {stats:?}");
    }
}

#[test]
fn nobody_pulling_is_survived() {
    let mut line = Line::new();
    for n in 0..2_000 {
        line.packet(n, 0.0);
    }
    let mut frame = Frame::silence(8_000);
    let arrivals = line.arrivals.clone();
    for (at, sent) in arrivals {
        let packet = Packet {
            ssrc: 1,
            sequence: sent.sequence,
            timestamp: sent.timestamp,
            marker: false,
            codec: Codec::Pcmu,
            payload: &[sent.code; 160],
        };
        line.buffer.push(line.start + Duration::from_micros((at * 1_000.0) as u64), &packet);
    }
    let now = line.start + Duration::from_millis(40_000);
    line.buffer.pull(now, &mut frame);
    line.buffer.pull(now, &mut frame);
    assert!(line.buffer.stats().buffer_ms >= 0.0);
}

#[test]
fn empty_and_oversized_packets_are_refused() {
    let mut buffer = JitterBuffer::new(8_000, JitterSettings::default());
    let payload = [0; MAX_PAYLOAD + 1];
    for payload in [&payload[..0], &payload[..]] {
        let packet = Packet { ssrc: 1, sequence: 1, timestamp: 1, marker: false, codec: Codec::Pcma, payload };
        assert_eq!(buffer.push(Instant::now(), &packet), Arrival::Refused);
    }
    assert_eq!(buffer.stats().refused, 2);
}

/// A stream of a codec in 20 ms packets of a 440 Hz tone, some left out; what was heard after a second, and figures.
fn tone_with_loss(codec: Codec, lost: impl Fn(u32) -> bool) -> (Vec<i16>, JitterStats) {
    let (mut buffer, start) = (JitterBuffer::new(8_000, JitterSettings::default()), Instant::now());
    let (mut encoder, mut tone) = (codec.encoder(), crate::media::Tone::sine(440.0, -10.0));
    let mut heard = Vec::new();
    for n in 0..200u32 {
        let now = start + Duration::from_millis(u64::from(n) * 20);
        let (mut frame, mut payload) = (Frame::silence(codec.rate()), [0; 640]);
        tone.next(&mut frame);
        let len = encoder.encode(frame.samples(), &mut payload);
        let packet = Packet {
            ssrc: 1,
            sequence: (65_500 + n) as u16,
            timestamp: (u32::MAX - 9_000).wrapping_add(n * codec.clock_rate() / 50),
            marker: n == 0,
            codec,
            payload: &payload[..len],
        };
        if !lost(n) {
            assert_eq!(buffer.push(now, &packet), Arrival::Queued, "{codec:?} {n}");
        }
        let mut out = Frame::silence(buffer.rate());
        buffer.pull(now + Duration::from_millis(7), &mut out);
        if n >= 50 {
            assert_eq!(out.rate(), codec.rate());
            heard.extend_from_slice(out.samples());
        }
    }
    (heard, buffer.stats())
}

#[test]
fn every_codec_runs_by_its_own_clock_and_rate() {
    for codec in Codec::ALL {
        let (heard, stats) = tone_with_loss(codec, |_| false);
        let crossings = heard.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
        assert!((2_630..=2_650).contains(&crossings), "{codec:?}: {crossings}, 440 Hz has 2640 in 3 s");
        assert_eq!((stats.lost, stats.late, stats.refused, stats.concealed), (0, 0, 0, 0.0), "{codec:?}");
        assert!(stats.buffer_ms < 45.0 && stats.jitter_ms < 1.0, "{codec:?}: {stats:?}");
    }
}

#[test]
fn loss_is_concealed_whatever_the_codec() {
    for codec in Codec::ALL {
        let (heard, stats) = tone_with_loss(codec, |n| n > 20 && n % 10 == 5);
        assert_eq!(stats.lost, 18, "{codec:?}");
        assert!((0.06..=0.11).contains(&stats.concealed), "{codec:?}: {stats:?}");
        let rms =
            |chunk: &[i16]| (chunk.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / chunk.len() as f64).sqrt();
        let quietest = heard.chunks(codec.rate() as usize / 100).map(rms).fold(f64::MAX, f64::min);
        // A steady tone is noise to Opus, which lets it fade; silence would be 0.
        let least = if codec == Codec::Opus { 300.0 } else { 2_500.0 };
        assert!(quietest > least, "{codec:?}: a hole of {quietest:.0}; the tone has 7300");
    }
}

#[test]
fn a_peer_may_change_between_codecs_at_will() {
    let (mut buffer, start, mut refused) = (JitterBuffer::new(8_000, JitterSettings::default()), Instant::now(), 0);
    let mut heard = 0;
    for n in 0..400u32 {
        let codec = Codec::ALL[n as usize / 50 % 4];
        let mut payload = [0; 640];
        let len = codec.encoder().encode(&vec![900; codec.rate() as usize / 50], &mut payload);
        let now = start + Duration::from_millis(u64::from(n) * 20);
        let timestamp = n * codec.clock_rate() / 50;
        let packet = Packet { ssrc: 1, sequence: n as u16, timestamp, marker: false, codec, payload: &payload[..len] };
        refused += u32::from(buffer.push(now, &packet) == Arrival::Refused);
        let mut out = Frame::silence(buffer.rate());
        heard += u32::from(buffer.pull(now, &mut out));
    }
    assert!(refused == 0 && heard > 360, "{refused} refused, {heard} of 400 beats heard");
}

#[test]
fn announced_silence_is_filled_with_its_noise_until_sound_returns() {
    let mut buffer = JitterBuffer::new(8_000, JitterSettings::default());
    let start = Instant::now();
    let mut levels = Vec::new();
    for n in 0..300u32 {
        let now = start + Duration::from_millis(u64::from(n) * 20);
        // 50 packets of sound, one of noise at -40 dBov, silence; sound again with the next sequence number.
        match n {
            0..50 => drop(buffer.push(now, &sound(n as u16, n))),
            50 => buffer.pause(1, 50, &[40]),
            250.. => drop(buffer.push(now, &sound((n - 199) as u16, n))),
            _ => {}
        }
        let mut out = Frame::silence(8_000);
        let real = buffer.pull(now, &mut out);
        levels.push((20.0 * f64::from(out.level()).max(1e-6).log10(), real));
    }
    assert!(levels[60..250].iter().all(|(level, real)| (level + 40.0).abs() < 2.5 && !real), "{:?}", &levels[55..70]);
    assert!(levels[10..50].iter().chain(&levels[256..]).all(|(level, real)| *level > -20.0 && *real));
    assert_eq!((buffer.stats().lost, buffer.stats().concealed), (0, 0.0));
    // Noise that comes twice, or of another stream, changes nothing.
    buffer.pause(1, 50, &[10]);
    buffer.pause(2, 51, &[10]);
    assert_eq!(buffer.stats().received, 101);
}

/// Packet of loud mu-law at beat `n`.
fn sound(sequence: u16, n: u32) -> Packet<'static> {
    Packet { ssrc: 1, sequence, timestamp: n * 160, marker: false, codec: Codec::Pcmu, payload: &[0x90; 160] }
}

proptest! {
    /// Whatever the network does to a stream (loss, doubling, delays up to 300 ms): heard in order, nothing twice, and
    /// never later than the longest delay plus the bound at which the buffer leaps.
    #[test]
    fn any_network_is_heard_in_order_once_and_in_time(
        fate in proptest::collection::vec((0u8..10, 0.0f64..1.0), 300),
        jitter in prop_oneof![Just(5.0), Just(40.0), Just(120.0), Just(300.0)],
    ) {
        let mut line = Line::new();
        for (n, &(luck, delay)) in fate.iter().enumerate() {
            let n = n as u32;
            match luck {
                0 => {}
                1 => { line.packet(n, delay * jitter).packet(n, (1.0 - delay) * jitter); }
                _ => { line.packet(n, delay * jitter); }
            }
        }
        let frames = line.run(340);
        let runs = heard(&frames);
        let distinct: std::collections::BTreeSet<u32> = runs.iter().map(|run| run.0).collect();
        prop_assert_eq!(distinct.len(), runs.len(), "nothing is heard twice: {:?}", runs);
        prop_assert!(runs.last().is_none_or(|run| run.0 < 300), "order: {:?}", runs);
        for (n, at) in runs {
            let delay = at as f64 / 8.0 + 7.0 - f64::from(n) * 20.0;
            prop_assert!((-1.0..=300.0 + 260.0 + 20.0).contains(&delay), "packet {} waited {} ms", n, delay);
        }
    }

    #[test]
    fn no_row_of_packets_panics(
        packets in proptest::collection::vec(
            (0u64..3_000, 0u32..2, any::<u16>(), any::<u32>(), 0usize..520, any::<bool>(), any::<bool>()), 0..200),
        near in any::<bool>(),
    ) {
        let mut buffer = JitterBuffer::new(8_000, JitterSettings::default());
        let start = Instant::now();
        let payload = [0x55; 520];
        let mut frame = Frame::silence(8_000);
        for (ms, ssrc, sequence, timestamp, len, marker, pull) in packets {
            let (sequence, timestamp) = if near { (sequence % 64, timestamp % 20_000) } else { (sequence, timestamp) };
            let now = start + Duration::from_millis(ms);
            let codec = if marker { Codec::Pcma } else { Codec::Pcmu };
            buffer.push(now, &Packet { ssrc, sequence, timestamp, marker, codec, payload: &payload[..len] });
            if pull {
                buffer.pull(now, &mut frame);
            }
        }
        let stats = buffer.stats();
        prop_assert!((0.0..=1.0).contains(&stats.concealed));
    }
}
