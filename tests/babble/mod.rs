//! People who talk behind a caller.

use frontdesk::media;

/// A recording as a telephone brings it, 8 kHz.
pub fn fixture(file: &str) -> Vec<i16> {
    let sound = media::file::read(format!("audio_fixtures/{file}")).unwrap();
    media::resample(&media::telephone_channel(&sound.samples, sound.rate), 8_000, 8_000)
}

/// Five people at once, whose pauses fill each other's, 15 dB below this speech, 8 kHz.
pub fn babble(samples: usize, speech: &[i16]) -> Vec<i16> {
    let voices = ["vm-reachoper", "privacy-prompt", "pls-hold-while-try", "auth-incorrect", "reach-an-operator"];
    let voices = voices.map(|name| fixture(&format!("asterisk/en-{name}.wav")));
    let mix = |at: usize| voices.iter().map(|voice| voice[(at + 4_000) % voice.len()] / 5).sum::<i16>();
    let mixed: Vec<i16> = (0..samples).map(mix).collect();
    let gain = (power(speech) / power(&mixed) / 31.6).sqrt();
    mixed.iter().map(|&s| (f32::from(s) * gain) as i16).collect()
}

/// With this speech in it from a sample on.
pub fn over(mut background: Vec<i16>, from: usize, speech: &[i16]) -> Vec<i16> {
    background[from..from + speech.len()].iter_mut().zip(speech).for_each(|(to, &from)| *to = to.saturating_add(from));
    background
}

pub fn power(sound: &[i16]) -> f32 {
    sound.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / sound.len() as f32
}
