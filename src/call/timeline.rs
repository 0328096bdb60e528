//! What is written down about a call: the timeline, and the summary that points into it.

use serde::{Deserialize, Serialize};

use super::{
    AgentFailure, BackendFailure, Caller, Cause, IntentScore, Passing, Reading, Supervision, Talker, Utterance,
};
use crate::dialog::commands::Command;
use crate::emotion::policy::{Mood, Reaction, Why};
use crate::emotion::words::WordSign;
use crate::media::Key;

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the timeline, from 0; facts refer to it.
    pub seq: u32,
    /// Milliseconds since the call arrived.
    pub at_ms: u64,
    #[serde(flatten)]
    pub note: Note,
}

/// What happened, in the words of `frontdesk replay --json` (`docs/timeline.md` has the schema).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Note {
    Arrived(Caller),
    Answered,
    Step {
        step: String,
    },
    Say {
        text: String,
    },
    Interrupted,
    Utterance(Utterance),
    /// A part of a long turn, while it lasts.
    Part {
        text: String,
    },
    /// What caller and agent say to each other; the sound is from `start_ms` to `end_ms`.
    Overheard {
        who: Talker,
        text: String,
        start_ms: u64,
        end_ms: u64,
    },
    /// The prompt was held up by this, and goes on.
    CarriedOn {
        because: Passing,
    },
    /// The call goes on in this language.
    Language {
        language: String,
    },
    NotHeard,
    Silence,
    Dtmf {
        key: Key,
    },
    /// The flow's experiment takes this caller this way.
    Experiment {
        step: String,
        way: String,
    },
    /// The best intent and how sure; `chosen` is none below the threshold.
    Intent {
        chosen: Option<String>,
        scores: Vec<IntentScore>,
    },
    /// A free question was answered from the flow's knowledge base: from where in it, and how likely right.
    AnsweredFrom {
        source: String,
        score: f32,
    },
    /// The caller asked for help, the question once more, the one before, ...
    Command {
        command: Command,
    },
    /// A menu option that stands for no intent, by its first phrase or its key.
    Choice {
        option: String,
    },
    /// A slot's value: `***` for a secret; empty when the caller took it back.
    Slot {
        slot: String,
        value: String,
        confirmed: bool,
    },
    Fetch {
        step: String,
        backend: String,
    },
    Reply {
        step: String,
        backend: String,
        failure: Option<BackendFailure>,
    },
    Emotion(Reading),
    /// The caller has become upset, or calm again.
    Mood(Mood),
    /// What the caller's words say of their distress; only where they say something.
    Wording {
        score: f32,
        signs: Vec<WordSign>,
    },
    /// Something was done for a caller in distress, and why.
    Reaction {
        reaction: Reaction,
        #[serde(flatten)]
        why: Box<Why>,
    },
    /// The caller does not want their voice to be analysed.
    EmotionRefused,
    /// The caller does not want to be recorded.
    RecordingRefused,
    PersonWanted {
        reason: String,
    },
    Transfer {
        queue: String,
        skills: Vec<String>,
        priority: i32,
    },
    Waiting {
        position: u32,
        estimate_s: Option<u32>,
    },
    AgentRinging {
        agent: String,
    },
    AgentFailed {
        agent: String,
        failure: AgentFailure,
    },
    AgentAnswered {
        agent: String,
    },
    Connected {
        agent: String,
    },
    AgentLeft {
        agent: String,
    },
    /// The caller's telephone is asked to call this agent itself.
    Referring {
        agent: String,
        attended: bool,
    },
    Referred {
        agent: String,
    },
    ReferFailed {
        agent: String,
        status: u16,
    },
    /// The agent wants the caller connected elsewhere.
    TransferAsked {
        agent: String,
        to: super::Destination,
    },
    /// ... which the rules do not allow.
    TransferRefused {
        agent: String,
    },
    TransferFailed {
        to: super::Destination,
        failure: AgentFailure,
    },
    /// The agent sends the caller through steps of the flow, and waits.
    DeskStep {
        agent: String,
        step: String,
    },
    /// These steps are over, `done` or not.
    DeskStepOver {
        step: String,
        done: bool,
    },
    /// Whom the agent consulted is in the conversation.
    ThirdJoined {
        third: String,
    },
    ThirdLeft {
        third: String,
    },
    /// A supervisor has this part in the call from here on; none: no part any more.
    Supervised {
        supervisor: String,
        part: Option<Supervision>,
    },
    /// What callers are offered instead of a person: some of `callback`, `message`, `wait`.
    Offered {
        choices: Vec<String>,
    },
    /// A callback was agreed on.
    Callback {
        queue: String,
        number: String,
    },
    /// A message was left, in this stretch of the recording (ms of the call).
    Message {
        queue: String,
        from_ms: u64,
        to_ms: u64,
        text: String,
    },
    SpeechUnavailable,
    Drain,
    Ended {
        cause: Cause,
    },
}

/// What a fact of the summary is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Who called.
    Caller,
    /// What they wanted.
    Wanted,
    /// What was collected.
    Collected,
    /// What was verified, and by what.
    Verified,
    /// What was tried and its outcome.
    Tried,
    /// How they sounded.
    Sounded,
    /// What is open.
    Open,
    /// The last request in their own words.
    LastWords,
}

/// One sentence of the summary, and the timeline entry it stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub kind: FactKind,
    pub text: String,
    /// `seq` of the entry that shows it.
    pub entry: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Settled without a person.
    Contained,
    /// A person took over.
    HandedOver,
    /// A person will call back, or has a message to answer.
    Promised,
    /// The caller left before either.
    Abandoned,
    /// Ended by us without either (nobody there, shutdown, crash).
    Unserved,
}

/// A call on half a screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub outcome: Option<Outcome>,
    pub language: String,
    pub facts: Vec<Fact>,
}
