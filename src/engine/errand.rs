//! What a session cannot do itself because it takes time: hearing, judging, speaking, understanding, asking a
//! backend. One function serves both runners: the live one spawns it, the replay one awaits it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::warn;

use super::session::{Request, Session, To, Unheard};
use super::{ReadyFlow, Shared};
use crate::call::{CallId, Event, Utterance};
use crate::dialog::{Expect, Prompt};
use crate::emotion::live::Felt;
use crate::media::{Recorder, Sound};
use crate::speech::voice::Pace;
use crate::speech::{HearRequest, Hearing, TurnId};
use crate::telemetry::names;

/// What an errand brings back to its session.
pub enum Return {
    Event(Event),
    Heard(TurnId, Result<Hearing, Unheard>),
    Judged(TurnId, f32),
    /// A reading, by its number; none: the model had no time for it.
    Felt(u32, Option<Box<Felt>>),
    Sound(To, Arc<Sound>),
    /// The prompt is over; `false` when the voice failed.
    Spoken(To, bool),
    SpeechUnavailable,
    /// With the ms of the call at which its recording begins.
    Recorder(Box<Recorder>, u64),
}

impl Return {
    /// Hands itself to the session.
    pub fn deliver(self, session: &mut Session) {
        match self {
            Self::Event(event) => session.tell(event),
            Self::Heard(turn, hearing) => session.heard(turn, hearing),
            Self::Felt(id, felt) => session.felt(id, felt.map(|felt| *felt)),
            Self::Judged(turn, probability) => session.turn_probability(turn, probability),
            Self::Sound(to, sound) => session.sound(to, sound),
            Self::Spoken(to, whole) => session.spoken(to, whole),
            Self::SpeechUnavailable => session.speech_unavailable(),
            Self::Recorder(recorder, from_ms) => session.record(*recorder, from_ms),
        }
    }
}

/// Does one request to its end, telling `back` as results come. Requests that need a leg, the floor or the records
/// are no errands and are left alone.
pub async fn run(
    shared: Arc<Shared>,
    flow: Arc<ReadyFlow>,
    call: CallId,
    request: Request,
    back: mpsc::Sender<Return>,
) {
    let done = match request {
        Request::Hear { turn, audio, language, hints, expect, languages, gone, needed } => {
            let heard_s = audio.len() as f64 / 16_000.0;
            let began = Instant::now();
            let likely = flow.likely.clone();
            let request = HearRequest { audio, language: Some(language), hints, expect, likely, languages };
            let Ok(pending) = shared.ear.hear(request) else {
                let refused = if needed {
                    metrics::counter!(names::SPEECH_REFUSED, "why" => "overload").increment(1);
                    Return::SpeechUnavailable
                } else {
                    Return::Heard(turn, Err(Unheard))
                };
                let _ = back.send(refused).await; // the call may be over
                return;
            };
            let hearing = tokio::select! {
                hearing = pending => hearing,
                () = gone.cancelled() => return,
            };
            if let Ok(hearing) = &hearing {
                metrics::histogram!(names::HEARING_SECONDS).record(began.elapsed().as_secs_f64());
                metrics::histogram!(names::HEARING_CPU_SECONDS).record(hearing.cpu_s);
                metrics::histogram!(names::HEARD_AUDIO_SECONDS).record(heard_s);
            }
            Return::Heard(
                turn,
                hearing.map_err(|error| {
                    warn!(%error, "a turn could not be read");
                    Unheard
                }),
            )
        }
        Request::Overhear { who, audio, language, start_ms, end_ms } => {
            // Those who talk to the bot come first.
            if shared.ear.waiting() > 0 {
                return;
            }
            let request = HearRequest {
                audio,
                language: Some(language),
                hints: Vec::new(),
                expect: Expect::Free,
                likely: Arc::default(),
                languages: Vec::new(),
            };
            let Ok(pending) = shared.ear.hear(request) else { return };
            let Ok(hearing) = pending.await else { return };
            if hearing.text.is_empty() {
                return;
            }
            let utterance = Utterance {
                text: hearing.text,
                alternatives: Vec::new(),
                confidence: hearing.confidence,
                language: hearing.language.to_string(),
                start_ms,
                end_ms,
            };
            Return::Event(Event::Overheard { who, utterance })
        }
        Request::Feel(feel) => {
            let id = feel.id;
            let felt = match shared.emotion.as_ref().and_then(|judge| judge.feel(feel).ok()) {
                Some(pending) => pending.await.ok(),
                None => None,
            };
            if felt.is_none() {
                metrics::counter!(names::EMOTION_REFUSED).increment(1);
            }
            Return::Felt(id, felt.map(Box::new))
        }
        Request::Judge { turn, audio, gone } => {
            // Overloaded or broken: silence alone decides.
            let Ok(pending) = shared.judge.judge(audio) else { return };
            tokio::select! {
                Ok(probability) = pending => Return::Judged(turn, probability),
                () = gone.cancelled() => return,
                else => return,
            }
        }
        Request::Speak { to, words, slower, rate, gone } => tokio::select! {
            whole = speak(&shared, to, &words, if slower { Pace::Slower } else { Pace::Usual }, rate, &back) => Return::Spoken(to, whole),
            () = gone.cancelled() => return,
        },
        Request::Understand { request, text, intents } => {
            let understanding = flow.meaning.of(&text, &intents).await;
            Return::Event(Event::Understood { request, understanding })
        }
        Request::Fetch { request, backend, with, repeats } => {
            let id = format!("{call}-{}", repeats.unwrap_or(request));
            let reply = shared.backends.fetch(&backend, &with, &id).await;
            Return::Event(Event::Replied { request, reply })
        }
        _ => return,
    };
    let _ = back.send(done).await; // likewise
}

/// Speaks to the end; `false` when the voice fails.
async fn speak(shared: &Shared, to: To, words: &Prompt, pace: Pace, rate: u32, back: &mpsc::Sender<Return>) -> bool {
    let began = Instant::now();
    let mut speaking = match shared.voice.speak_at(words, pace) {
        Ok(speaking) => speaking,
        Err(error) => {
            warn!(%error, "a prompt could not be spoken");
            return false;
        }
    };
    let mut first = true;
    loop {
        match speaking.next().await {
            Some(Ok(chunk)) => {
                if std::mem::take(&mut first) {
                    metrics::histogram!(names::SPEAKING_SECONDS).record(began.elapsed().as_secs_f64());
                }
                // Here, not on the call's beat.
                let sound = Sound { rate: chunk.rate, samples: chunk.samples.to_vec() }.at_rate(rate);
                if back.send(Return::Sound(to, Arc::new(sound))).await.is_err() {
                    return false;
                }
            }
            Some(Err(error)) => {
                warn!(%error, "a prompt could not be spoken");
                return false;
            }
            None => return true,
        }
    }
}
