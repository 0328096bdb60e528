//! What the jitter buffer costs a packet, and what it makes of lines good and bad: its delay beside the jitter it
//! was given, and the share of sound it had to make up beside the share that was lost. `cargo bench --bench jitter`.

#[path = "counting/mod.rs"]
mod counting;

use std::time::{Duration, Instant};

use counting::{check, measure};
use frontdesk::media::{Codec, Frame, JitterBuffer, JitterSettings, Packet};

const LIMIT_US: f64 = 200.0;

fn main() {
    println!("{:<36}{:>12}{:>12}{:>16}", "a packet in and a frame out", "us", "limit us", "allocations");
    for (what, name, lost_every) in [("calm line", "calm", u32::MAX), ("every tenth packet lost", "lossy", 10)] {
        let mut line = Line::new(0.0, lost_every);
        let (us, allocations) = measure(|| line.beat());
        println!("{what:<36}{us:>12.2}{LIMIT_US:>12.0}{allocations:>16}");
        println!(
            "FIGURE 2.0-jitter-{name} {us:.2} us limit < {LIMIT_US} -- {what}: a packet into the jitter buffer and a frame out of it"
        );
        println!(
            "FIGURE 2.0-jitter-{name}-allocations {allocations} allocations limit == 0 -- {what}: in 2000 of these"
        );
        check(us < LIMIT_US && allocations == 0, what);
    }

    println!();
    println!(
        "{:<22}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}",
        "a minute's line", "delay ms", "aim ms", "late %", "lost %", "made up %", "limit %"
    );
    // Limits: two beats more than the jitter in delay (210 ms at most), and 3 % made up beyond what was lost.
    for (jitter_ms, lost_every) in
        [(0.0, u32::MAX), (20.0, u32::MAX), (60.0, u32::MAX), (120.0, u32::MAX), (20.0, 20), (60.0, 10)]
    {
        let mut line = Line::new(jitter_ms, lost_every);
        for _ in 0..3_000 {
            line.beat();
        }
        let stats = line.buffer.stats();
        let share = |n: u64| n as f64 / 30.0;
        let (lost, made_up) = (share(stats.lost), f64::from(stats.concealed) * 100.0);
        let (limit, most) = (lost + 3.0, (jitter_ms + 45.0).min(210.0));
        let what = format!("jitter {jitter_ms} ms, {lost:.0} % lost");
        println!(
            "{what:<22}{:>10.0}{:>10.0}{:>10.1}{lost:>10.1}{made_up:>12.1}{limit:>10.1}",
            stats.buffer_ms,
            stats.target_ms,
            share(stats.late)
        );
        let name = format!("{jitter_ms:.0}-ms-{lost:.0}-lost");
        let line = format!("a minute with jitter up to {jitter_ms} ms and {lost:.0} % lost");
        println!("FIGURE 2.0-jitter-made-up-{name} {made_up:.1} % limit <= {limit:.1} -- sound concealed, {line}");
        println!(
            "FIGURE 2.0-jitter-delay-{name} {:.0} ms limit <= {most} -- delay of the buffer, {line}",
            stats.buffer_ms
        );
        check(made_up <= limit && f64::from(stats.buffer_ms) <= most, &what);
    }
    counting::end();
}

/// A sender and a network in virtual time.
struct Line {
    buffer: JitterBuffer,
    start: Instant,
    n: u32,
    jitter_ms: f64,
    lost_every: u32,
    random: u32,
    /// Packets on their way: arrival in us, number.
    way: [Option<(u64, u32)>; 64],
    frame: Frame,
}

impl Line {
    fn new(jitter_ms: f64, lost_every: u32) -> Self {
        let buffer = JitterBuffer::new(8_000, JitterSettings::default());
        let frame = Frame::silence(8_000);
        Self { buffer, start: Instant::now(), n: 0, jitter_ms, lost_every, random: 1, way: [None; 64], frame }
    }

    fn beat(&mut self) {
        self.n += 1;
        let now = u64::from(self.n) * 20_000;
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let delay = f64::from(self.random >> 16) / 65_536.0 * self.jitter_ms * 1_000.0;
        if !self.n.is_multiple_of(self.lost_every)
            && let Some(free) = self.way.iter_mut().find(|slot| slot.is_none())
        {
            *free = Some((now + delay as u64, self.n));
        }
        // In the order of arrival.
        while let Some(slot) =
            self.way.iter_mut().filter(|s| s.is_some_and(|(at, _)| at <= now)).min_by_key(|s| s.map(|(at, _)| at))
        {
            let Some((at, n)) = slot.take() else { break };
            // Something like a voice: a saw of 100 Hz.
            let mut payload = [0; 160];
            for (i, byte) in payload.iter_mut().enumerate() {
                *byte = 0x80 + (i % 80) as u8 / 2;
            }
            let packet = Packet {
                ssrc: 1,
                sequence: n as u16,
                timestamp: n * 160,
                marker: false,
                codec: Codec::Pcmu,
                payload: &payload,
            };
            self.buffer.push(self.start + Duration::from_micros(at), &packet);
        }
        self.buffer.pull(self.start + Duration::from_micros(now), &mut self.frame);
    }
}
