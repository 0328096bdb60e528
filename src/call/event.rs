//! What can happen to a call. Everything the outside learns reaches the deciding code as one of these.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialog::Language;
use crate::media::Key;

/// A call's name for life, in records, logs and headers. Made outside (UUID v7).
pub type CallId = String;
/// Numbers what the call asked to be said; echoed when it was.
pub type PromptId = u32;
/// Numbers what the call asked of the outside (understanding, a backend); echoed in the reply.
pub type RequestId = u32;

/// Who is calling, as the line says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    /// Number or user part; empty when withheld.
    pub number: String,
    pub name: Option<String>,
    /// The number dialled.
    pub dialled: String,
    /// Name of the line in the configuration.
    pub line: String,
    /// Name of the trunk it came by; none: from a phone or an allowed address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<String>,
    /// The caller wants to stay unnamed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// The trunk vouches for the number (RFC 3325).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asserted: bool,
    /// Who the call was for before it was diverted here, and why: `unconditional`, `user-busy`, `no-answer`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverted_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverted_reason: Option<String>,
    /// What the house knows of whoever calls from this number, by name (`Flow::people`). It proves nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on_file: BTreeMap<String, String>,
    /// It is we who call, as was agreed in an earlier call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_back: Option<Box<CalledBack>>,
}

impl Caller {
    /// The number, if there is one and its owner shows it.
    pub fn shown_number(&self) -> Option<&str> {
        (!self.withheld && !self.number.is_empty()).then_some(&*self.number)
    }
}

/// What an earlier call left to do: whoever asked to be called back is on the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalledBack {
    /// The earlier call, by whose name the floor keeps the place.
    pub call: CallId,
    pub queue: String,
    pub skills: Vec<String>,
    pub priority: i32,
    pub language: Language,
    /// This one may be recorded.
    #[serde(default = "yes")]
    pub recorded: bool,
    /// What was known at its end.
    pub facts: Vec<super::Fact>,
}

/// One turn of the caller, as text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
    pub text: String,
    /// Other readings, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// 0..=1.
    pub confidence: f32,
    /// BCP 47 tag that the recogniser worked in or found.
    pub language: String,
    /// First and last sound, ms of the call.
    pub start_ms: u64,
    pub end_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntentScore {
    pub intent: String,
    /// Calibrated, 0..=1.
    pub score: f32,
}

/// What a sentence was taken to mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    /// Best first; empty when the model could not be asked (the dialog then works by words and keys).
    pub intents: Vec<IntentScore>,
    /// A score below this means "none of these".
    pub threshold: f32,
    /// What the flow's knowledge base says to it, where it is likely enough the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// A passage of a knowledge base, in the operators' words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Where it stands: the file, and the heading or the number of the pair.
    pub source: String,
    pub text: String,
    /// How likely it is the answer, 0..=1.
    pub score: f32,
}

/// How the caller sounds (filled by `emotion`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Anger or fear, against neutral, calm and sad; 0..=1.
    pub distress: f32,
    /// 0..=1 each.
    pub arousal: f32,
    pub valence: f32,
    /// Class -> probability.
    pub probabilities: BTreeMap<String, f32>,
    /// Speech it was taken from, ms; 0 in logs older than this field.
    #[serde(default)]
    pub speech_ms: u32,
    /// What in the voice spoke most for or against distress, strongest first (at most five).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<Sign>,
    /// The sound it was made of, ms of the call: from the beginning of the utterance on.
    #[serde(default, skip_serializing_if = "absent")]
    pub start_ms: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub end_ms: u64,
    /// The utterance is over; else it goes on and another reading follows.
    #[serde(default, skip_serializing_if = "absent")]
    pub whole: bool,
    /// The caller's own calm voice stood beside it.
    #[serde(default, skip_serializing_if = "absent")]
    pub own_voice: bool,
}

/// One property of the voice behind a reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sign {
    /// As `emotion::names` calls it, in words (`pitch, 80th percentile`).
    pub name: String,
    /// How far from the usual (from the caller's calm voice where that is known), in standard deviations.
    pub deviation: f32,
    /// How much it moved distress, in log odds: above 0 towards distress.
    pub weight: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendFailure {
    /// It answered that there is no such thing.
    NotFound,
    /// No answer within its time limit.
    Timeout,
    /// Not reachable, or an error status.
    Down,
    /// An answer that is not what was configured.
    Malformed,
    /// It will not do what was asked.
    Refused,
}

/// What came of asking a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// What was asked for. (Its name in logs, as that of `Failed`, is older than `Refused`.)
    #[serde(rename = "Ok")]
    Found(Value),
    /// The backend will not do it, and what it says of that; null where it says nothing.
    Refused(Value),
    #[serde(rename = "Err")]
    Failed(BackendFailure),
}

impl From<Result<Value, BackendFailure>> for Reply {
    fn from(reply: Result<Value, BackendFailure>) -> Self {
        reply.map_or_else(Self::Failed, Self::Found)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentFailure {
    NoAnswer,
    Busy,
    Declined,
    /// Not registered, not reachable, or refused by the far end.
    Unreachable,
    /// Answered and hung up before the caller was put through.
    LeftEarly,
    /// Found when the caller had turned to something else: no fault of the agent's.
    NotWanted,
}

/// Who of the two people speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Talker {
    Caller,
    Agent,
}

/// A supervisor's part in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears everybody, heard by nobody.
    Listen,
    /// Heard by the agent alone.
    Whisper,
    /// Heard by all.
    Barge,
}

/// Sounds that interrupt nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passing {
    /// No words: a cough, a door.
    Noise,
    /// "uh-huh": the caller listens.
    Backchannel,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event of every call.
    Arrived {
        call: CallId,
        caller: Caller,
        at: DateTime<Utc>,
    },
    /// The caller began to speak: a bot that may be interrupted stops.
    SpeechStarted,
    /// The caller's turn is over and was read.
    Heard(Utterance),
    /// A part of a long turn, read while the caller goes on speaking; the `Heard` to come has it too.
    HeardPart {
        text: String,
    },
    /// A turn of a conversation between caller and agent was read. Nobody acts on it.
    Overheard {
        who: Talker,
        utterance: Utterance,
    },
    /// A sound from the caller's side held the prompt up and proved to be nothing: it goes on where it was.
    CarriedOn {
        because: Passing,
    },
    /// The caller's turn is over but held no words (noise, a cough) or could not be read.
    NotHeard,
    /// The recogniser is overloaded or broken: keys only from here on.
    SpeechUnavailable,
    Key {
        key: Key,
    },
    /// A prompt was played to its end (`finished`) or cut off.
    Said {
        prompt: PromptId,
        finished: bool,
    },
    /// The voice could not speak a prompt, or not to its end.
    VoiceFailed {
        prompt: PromptId,
    },
    Timer {
        timer: super::TimerId,
    },
    Understood {
        request: RequestId,
        understanding: Understanding,
    },
    Replied {
        request: RequestId,
        reply: Reply,
    },
    Emotion(Reading),
    /// From the floor: waiting, at this place (1 is next), with an honest estimate or none.
    Waiting {
        position: u32,
        estimate_s: Option<u32>,
    },
    /// From the floor: ring this agent.
    AgentFound {
        agent: String,
        /// The agent hears a spoken briefing before the caller is put through.
        #[serde(default = "yes")]
        brief: bool,
    },
    /// From the floor: nobody logged in can take the call. The call is out of the queue.
    NobodyThere,
    /// From the floor: the queue's longest wait is over, or it takes no more. The call is out of the queue.
    WaitOver,
    /// From the floor: the wait is long, ask whether to call back instead.
    CallbackOffered,
    /// The number is to be called back already, by an earlier call, in this queue: that stands, and nothing more is written
    /// down. `CallbackKept` follows with its place.
    CallbackStands,
    /// The callback that was agreed on is written down, and this is its place in the queue.
    CallbackKept {
        position: u32,
        estimate_s: Option<u32>,
    },
    /// It could not be.
    CallbackRefused,
    AgentRinging,
    AgentAnswered,
    AgentFailed {
        agent: String,
        failure: AgentFailure,
    },
    /// The spoken briefing is over, or the agent cut it short.
    Briefed,
    AgentHungUp,
    CallerHungUp,
    /// Nothing has arrived from the caller for the media timeout.
    MediaLost,
    /// From the configuration, when the call enters a queue: how its callers reach the agent.
    HandoffBy {
        by: super::HandoffBy,
    },
    /// The caller's telephone called this agent itself, and was answered.
    Referred {
        agent: String,
    },
    /// It did not, or was not: the caller is still here.
    ReferFailed {
        agent: String,
        /// SIP status; 408 when nothing more was heard of it.
        status: u16,
    },
    /// The agent wants the caller connected elsewhere; none: nowhere that the rules know.
    TransferAsked {
        to: Option<super::Destination>,
    },
    TargetRinging,
    TargetAnswered,
    TargetFailed {
        failure: AgentFailure,
    },
    /// Another telephone of the house took the agent's place in the call.
    AgentReplaced {
        agent: String,
    },
    /// The agent sends the caller through steps of the flow, and waits.
    DeskStepAsked {
        step: String,
    },
    /// The agent wants the caller back, however far that has come.
    DeskStepOver,
    /// The caller told the agent that they do not want to be recorded.
    RecordingRefused,
    /// Whom the agent consulted hears the caller, and is heard. Nobody acts on it.
    ThirdJoined {
        third: String,
    },
    /// They have left, and agent and caller go on.
    ThirdLeft {
        third: String,
    },
    /// From a wall: a supervisor has this part in the call from now on; none: no part any more. Nobody acts on it.
    Supervised {
        supervisor: String,
        part: Option<Supervision>,
    },
    /// What the caller said or keyed since then proved to be a secret: take it out of the timeline and the values.
    Forget {
        since_ms: u64,
    },
    /// The engine shuts down: be done, or with a person, within this time.
    Drain {
        within_ms: u64,
    },
}

/// What an older log does not have is not written.
fn absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn yes() -> bool {
    true
}
