//! A stand-in for the engine: drives a leg with the 20 ms beat, speaks a tone, writes down what it hears.

use std::time::{Duration, Instant};

use frontdesk::media::{self, FRAME_MS, Frame, Key, Quality, Tone};
use frontdesk::sip::{Leg, LegEvent};
use tokio::time::MissedTickBehavior;

/// What a leg brought.
#[derive(Debug, Default)]
pub struct Heard {
    /// 8 kHz.
    pub samples: Vec<i16>,
    pub keys: String,
    pub events: Vec<LegEvent>,
    pub quality: Quality,
    pub timed_out: bool,
}

/// Speaks `hz` and presses `keys` (one every 200 ms, from 200 ms on) until the peer hangs up, its sound is lost, or
/// `limit` is over; then hangs up.
pub async fn talk(leg: Leg, hz: f64, keys: &str, limit: Duration) -> Heard {
    let mut leg = leg;
    let heard = speak(&mut leg, hz, keys, limit).await;
    leg.hang_up().await;
    heard
}

/// As [`talk`], and leaves the leg up.
pub async fn speak(leg: &mut Leg, hz: f64, keys: &str, limit: Duration) -> Heard {
    let (mut heard, mut tone) = (Heard::default(), Tone::sine(hz, -10.0));
    let mut keys = keys.chars().filter_map(Key::new);
    let mut beat = tokio::time::interval(Duration::from_millis(FRAME_MS.into()));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (start, mut beats, rate) = (Instant::now(), 0u32, leg.port.rate());
    while start.elapsed() < limit {
        tokio::select! {
            biased;
            event = leg.events.recv() => match event {
                Some(LegEvent::HungUp) | None => {
                    heard.events.push(LegEvent::HungUp);
                    break;
                }
                Some(event) => heard.events.push(event),
            },
            _ = beat.tick() => {
                beats += 1;
                let (now, mut frame) = (Instant::now(), Frame::silence(rate));
                let received = leg.port.receive(now, &mut frame);
                heard.samples.extend_from_slice(frame.samples());
                heard.keys.extend(received.key.map(Key::as_char));
                if beats.is_multiple_of(10)
                    && let Some(key) = keys.next()
                {
                    leg.port.send_key(key);
                }
                tone.next(&mut frame);
                leg.port.send(now, Some(&frame));
                if received.timed_out {
                    heard.timed_out = true;
                    break;
                }
            }
        }
    }
    heard.quality = leg.port.quality();
    heard.samples = media::resample(&heard.samples, rate, 8_000);
    heard
}

impl Heard {
    /// Whether a tone of `hz` is what was heard for at least `ms` milliseconds.
    pub fn has_tone(&self, hz: f64, ms: usize) -> bool {
        self.tone_ms(hz) >= ms
    }

    /// Milliseconds in which `hz` carries most of the energy.
    pub fn tone_ms(&self, hz: f64) -> usize {
        tone_ms(&self.samples, 8_000, hz)
    }
}

/// Milliseconds (in steps of 20) in which a tone of `hz` above -40 dBov carries at least 80 % of the energy.
pub fn tone_ms(samples: &[i16], rate: u32, hz: f64) -> usize {
    let block = rate as usize / 50;
    20 * samples.chunks_exact(block).filter(|block| is_tone(block, rate, hz)).count()
}

fn is_tone(block: &[i16], rate: u32, hz: f64) -> bool {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (n, &sample) in block.iter().enumerate() {
        let (sample, phase) = (f64::from(sample), step * n as f64);
        re += sample * phase.cos();
        im += sample * phase.sin();
        energy += sample * sample;
    }
    let len = block.len() as f64;
    // Energy of the sine that fits best: 2 |X|^2 / N.
    energy / len > (327.0 * 327.0) / 2.0 && 2.0 * (re * re + im * im) / len >= 0.8 * energy
}
