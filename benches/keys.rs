//! Keys in the sound (ITU-T Q.24), by numbers: how many tones of 100 ms are found on a line that loses packets, keys
//! pressed in the middle of speech, keys heard where nobody pressed one, and what listening costs.
//!
//! `cargo bench --bench keys [-- FOLDER ...]`: each FOLDER holds recordings of speech (wav, flac, mp3, ogg) in which no
//! key is pressed; `audio_fixtures/` is always heard. `acceptance/55-keys` gathers more.

#[path = "counting/mod.rs"]
mod counting;
#[path = "recordings/mod.rs"]
mod recordings;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use counting::measure;
use frontdesk::media::{Codec, Frame, Key, Line, dtmf, file};

const ALL: &str = "123A456B789C*0#D";

fn main() {
    cost();
    lost_packets();
    let mut folders = recordings::folders();
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("audio_fixtures"));
    let files = recordings::gather(&folders);
    speech(&files);
    counting::end();
}

/// One frame, of silence, of speech and of a key.
fn cost() {
    let mut tone = Frame::silence(8_000);
    let mut tones = dtmf::Tones::new();
    tones.press(key('5'));
    tones.next(&mut tone);
    for (what, frame) in [("silence", Frame::silence(8_000)), ("a key", tone)] {
        let mut detector = dtmf::Detector::new();
        let (us, allocations) = measure(|| {
            black_box(detector.hear(black_box(&frame), false));
        });
        let name = what.rsplit(' ').next().unwrap_or(what);
        println!(
            "FIGURE 3.0-keys-frame-{name} {us:.2} us limit < 200 -- a frame of 20 ms with {what}, best of rounds of 100"
        );
        counting::check(us < 200.0 && allocations == 0, what);
    }
}

/// Tones of 100 ms with gaps of 100 ms through the jitter buffer and its concealment.
fn lost_packets() {
    for (loss, limit) in [(0.01, Some(99.0)), (0.05, None)] {
        let (mut found, mut pressed, mut wrong) = (0, 0, 0);
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for seed in 0..60 {
                let keys = ALL.repeat(4);
                let mut sound = vec![0; 8_000 + (seed * 37 % 160) as usize];
                keys.chars().for_each(|key| press(&mut sound, key, 800));
                sound.resize(sound.len() + 8_000, 0);
                let heard = heard(&Line { loss, jitter_ms: 10.0, seed: seed + 1, ..Line::good(codec) }, &sound).0;
                let right = in_order(&keys, &heard);
                (pressed, found, wrong) = (pressed + keys.len(), found + right, wrong + heard.len() - right);
            }
        }
        let percent = 100.0 * found as f64 / pressed as f64;
        let per_cent = (loss * 100.0) as u32;
        let limit_text = limit.map_or(String::new(), |limit| format!(" limit >= {limit}"));
        println!(
            "FIGURE 3.2-keys-after-loss-{per_cent} {percent:.2} %{limit_text} -- of {pressed} tones of 100 ms, {per_cent} % \
             of the packets lost and concealed, PCMU and PCMA"
        );
        println!(
            "FIGURE 3.2-keys-twice-after-loss-{per_cent} {wrong} keys -- counted twice or wrongly, of the same {pressed}"
        );
        counting::check(limit.is_none_or(|limit| percent >= limit), "tones found after loss");
    }
}

/// Speech without keys, as it is and louder, through both codecs; and with a key of 100 ms every two seconds.
fn speech(files: &[PathBuf]) {
    let (mut samples, mut false_keys, mut taken, mut pressed, mut found, mut extra) = (0usize, 0, 0, 0, 0, 0);
    for (n, path) in files.iter().enumerate() {
        let Ok(sound) = file::read(path) else { continue };
        let sound = sound.at_rate(8_000).samples;
        samples += sound.len();
        for (codec, gain) in [(Codec::Pcmu, 1), (Codec::Pcma, 4)] {
            let louder: Vec<i16> = sound.iter().map(|s| s.saturating_mul(gain)).collect();
            let (keys, muted) = heard(&Line::good(codec), &louder);
            if !keys.is_empty() {
                println!("{}: {keys:?} with {codec:?} x {gain}", path.display());
            }
            (false_keys, taken) = (false_keys + keys.len(), taken + muted);
        }
        // A phone cuts its microphone while it sends a key: the tone stands in the place of the speech.
        let (mut spoken, mut keys) = (Vec::with_capacity(sound.len()), String::new());
        for chunk in sound.chunks(16_000) {
            spoken.extend_from_slice(chunk);
            let key = ALL.as_bytes()[(n + keys.len()) % 16] as char;
            press(&mut spoken, key, 0);
            keys.push(key);
        }
        spoken.resize(spoken.len() + 800, 0);
        let heard = heard(&Line::good(Codec::Pcmu), &spoken).0;
        let right = in_order(&keys, &heard);
        (pressed, found, extra) = (pressed + keys.len(), found + right, extra + heard.len() - right);
        if right < keys.len() {
            println!("{}: {keys:?} pressed, {heard:?} heard", path.display());
        }
    }
    let hours = samples as f64 / 8_000.0 / 3_600.0;
    println!(
        "FIGURE 3.2-keys-false {false_keys} keys limit == 0 -- in {hours:.2} hours of speech ({} files), by mu-law and, 12 dB \
         louder, by A-law",
        files.len()
    );
    let ppm = 1e6 * taken as f64 / (samples as f64 / 80.0).max(1.0);
    println!(
        "FIGURE 3.2-keys-speech-taken {ppm:.0} ppm -- of the frames of that speech were silenced as if a key began"
    );
    let percent = 100.0 * found as f64 / pressed.max(1) as f64;
    println!(
        "FIGURE 3.2-keys-in-speech {percent:.3} % limit == 100 -- of {pressed} keys of 100 ms pressed during that speech"
    );
    println!("FIGURE 3.2-keys-in-speech-extra {extra} keys limit == 0 -- heard beside them");
    counting::check(false_keys == 0 && found == pressed && extra == 0, "keys and speech");
}

/// Keys heard at the end of a line, and frames that were taken for a key's.
fn heard(line: &Line, sound: &[i16]) -> (String, usize) {
    let (mut detector, mut keys, mut tones) = (dtmf::Detector::new(), String::new(), 0);
    line.carry(sound, |frame, really| {
        let heard = detector.hear(frame, !really);
        keys.extend(heard.pressed.map(Key::as_char));
        tones += usize::from(heard.tone);
    });
    (keys, tones)
}

/// Adds a tone of 100 ms and a gap of so many samples.
fn press(sound: &mut Vec<i16>, name: char, gap: usize) {
    let mut tones = dtmf::Tones::new();
    tones.press(key(name));
    for _ in 0..5 {
        let mut frame = Frame::silence(8_000);
        tones.next(&mut frame);
        sound.extend_from_slice(frame.samples());
    }
    sound.resize(sound.len() + gap, 0);
}

fn key(name: char) -> Key {
    Key::new(name).expect("a telephone key")
}

/// How many of `keys` were heard in their order: the longest common subsequence.
fn in_order(keys: &str, heard: &str) -> usize {
    let heard: Vec<char> = heard.chars().collect();
    let mut row = vec![0; heard.len() + 1];
    for key in keys.chars() {
        let mut before = 0;
        for (n, &other) in heard.iter().enumerate() {
            let above = row[n + 1];
            row[n + 1] = if key == other { before + 1 } else { above.max(row[n]) };
            before = above;
        }
    }
    row[heard.len()]
}
