//! Calls by recordings: a flow, the real models, virtual time.

use std::collections::VecDeque;
use std::sync::Arc;

use frontdesk::call::{Action, Event, Note};
use frontdesk::engine::{self, ReadyFlow, Replayed, Script, Shared};
use frontdesk::local::FilePort;
use frontdesk::media::{Sound, file, telephone_channel};

const RATE: u32 = 8_000;

/// An engine's models with one flow.
pub struct Heard {
    shared: Arc<Shared>,
    flow: Arc<ReadyFlow>,
}

impl Heard {
    /// `flow`: what comes after `- flow: test` in a configuration, from `language:` on, unindented.
    pub async fn by(flow: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let indented: String = flow.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!(
            "flows:\n  - flow: test\n{indented}lines: {{ test: {{ numbers: [\"1\"], flow: test }} }}\nqueues: {{ desk: {{}} }}\n\
             agents: {{ nobody: {{ uri: \"sip:nobody@127.0.0.1:9\", queues: [desk] }} }}\n\
             sip: {{ listen: \"127.0.0.1:0\" }}\nhttp: {{ listen: \"off\" }}\n"
        );
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, text).unwrap();
        let config = frontdesk::config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let loaded = engine::load(&Arc::new(config), true, None, |_| {}).await;
        let (shared, mut flows, _) = loaded.unwrap_or_else(|e| panic!("{e}"));
        Self { shared, flow: flows.remove("test").unwrap() }
    }

    /// The call of one who is silent but for these sounds, each at its ms of the call, and who may hear the prompts back.
    pub async fn call(&self, sounds: &[(u64, &Sound)], echo: &[(usize, f32)]) -> Replayed {
        let mut samples = vec![0; RATE as usize];
        for (at, sound) in sounds {
            let at = *at as usize * 8;
            samples.resize(samples.len().max(at + sound.samples.len()), 0);
            samples[at..at + sound.samples.len()].copy_from_slice(&sound.samples);
        }
        let sound = Sound { rate: RATE, samples: telephone_channel(&samples, RATE) };
        let port = FilePort::new(&sound, RATE).with_echo(echo.iter().copied());
        let script = Script { replies: Some(VecDeque::new()), ..Script::default() };
        engine::replay(self.shared.clone(), self.flow.clone(), port, script, |_| {}).await
    }

    /// Words in one of the engine's own voices.
    pub async fn says(&self, language: &str, text: &str) -> Sound {
        use frontdesk::dialog::{Language, Piece, Prompt};
        let prompt = Prompt { language: Language::new(language), pieces: vec![Piece::Text(text.into())] };
        let mut speaking = self.shared.voice.speak(&prompt).unwrap();
        let mut samples = Vec::new();
        while let Some(chunk) = speaking.next().await {
            let chunk = chunk.unwrap();
            samples.extend(Sound { rate: chunk.rate, samples: chunk.samples.to_vec() }.at_rate(RATE).samples);
        }
        Sound { rate: RATE, samples }
    }
}

/// A recording from `audio_fixtures/`.
pub fn fixture(name: &str) -> Sound {
    let path = format!("{}/audio_fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let samples = file::read(path).unwrap().at_rate(RATE).samples;
    Sound { rate: RATE, samples }
}

/// Digits by one speaker, `gap_ms` between them.
pub fn digits(digits: &str, gap_ms: usize) -> Sound {
    let mut samples = Vec::new();
    for digit in digits.chars() {
        samples.extend(fixture(&format!("digits/{digit}_jackson_3.wav")).samples);
        samples.extend(vec![0; gap_ms * 8]);
    }
    Sound { rate: RATE, samples }
}

/// A prompt was cut off.
pub fn interrupted(call: &Replayed) -> bool {
    call.log.iter().any(|line| line.actions.contains(&Action::StopSaying))
}

pub fn noted(call: &Replayed, wanted: impl Fn(&Note) -> bool) -> bool {
    call.timeline.iter().any(|entry| wanted(&entry.note))
}

/// From a turn's last sound to when the call was told of it, ms, turn by turn.
pub fn waits(call: &Replayed) -> Vec<(String, u64)> {
    let wait = |line: &frontdesk::call::Logged| match &line.event {
        Event::Heard(said) => Some((said.text.clone(), line.at_ms - said.end_ms)),
        _ => None,
    };
    call.log.iter().filter_map(wait).collect()
}
