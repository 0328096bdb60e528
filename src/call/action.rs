//! What a call may ask of the outside.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{Entry, PromptId, RequestId, Summary};
use crate::dialog::{Expect, Language, Prompt};
use crate::emotion::policy::Why;

/// Names a timer; setting one that runs replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerId {
    /// No word and no key after a question.
    Silence,
    /// The gap that ends a string of keys.
    InterKey,
    /// A reply is late: say that we are still here.
    Patience,
    /// Time to tell a waiting caller where they stand.
    Comfort,
    /// End of the time to wait for an agent.
    QueueLimit,
    /// End of the drain.
    Drain,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The flow came to its end.
    Completed,
    CallerHungUp,
    AgentHungUp,
    /// The caller said nothing, twice.
    Silent,
    NoAgent,
    MediaLost,
    /// The caller's telephone went on to the agent by itself.
    Transferred,
    /// The engine was told to stop.
    Shutdown,
    /// Found open at start-up after a crash.
    Interrupted,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "queue_action", rename_all = "snake_case")]
pub enum QueueRequest {
    Enter {
        queue: String,
        skills: Vec<String>,
        /// What the caller speaks.
        language: Language,
        priority: i32,
    },
    /// The caller hung up or went elsewhere.
    Leave,
    /// The agent has answered; from here on the floor does not withdraw the offer.
    Taken { agent: String },
    /// While it waits, the call goes ahead of others.
    Raise { priority: i32 },
    /// The agent offered did not take it, or left before the caller was put through: find another.
    NotTaken { agent: String, failure: super::AgentFailure },
    /// The conversation is over: the agent goes to wrap-up.
    Done { agent: String },
    /// Whom the floor had us call back is on the line.
    CalledBack,
}

/// A callback, as the caller agreed to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    pub queue: String,
    pub skills: Vec<String>,
    pub language: Language,
    pub priority: i32,
    pub number: String,
    /// The call back may be recorded.
    #[serde(default = "super::event::yes")]
    pub recorded: bool,
    pub summary: Summary,
}

/// A message that a caller left for the people of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftMessage {
    pub queue: String,
    /// Where it is in the call's recording, ms of the call.
    pub from_ms: u64,
    pub to_ms: u64,
    /// As far as it was understood.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Answer the caller's leg.
    Answer,
    /// Speak to the caller. At most one prompt runs: a new one replaces what runs.
    Say {
        prompt: PromptId,
        words: Prompt,
        interruptible: bool,
        /// The caller asked for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        slower: bool,
    },
    StopSaying,
    /// From now on the caller's turns are wanted, and this is what is expected of them.
    Listen {
        expect: Expect,
        language: Language,
        hints: Vec<String>,
    },
    StopListening,
    SetTimer {
        timer: TimerId,
        after_ms: u64,
    },
    CancelTimer {
        timer: TimerId,
    },
    /// What may this mean? Answered by `Event::Understood`.
    Understand {
        request: RequestId,
        text: String,
        intents: Vec<String>,
        language: Language,
    },
    /// Answered by `Event::Replied`.
    Fetch {
        request: RequestId,
        backend: String,
        with: BTreeMap<String, String>,
        /// The earlier request that this is once more: whether that one was done, nobody knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats: Option<RequestId>,
    },
    Queue(QueueRequest),
    /// Write down that this caller is to be called back, so that nothing loses it. Answered by `Event::CallbackKept` or
    /// `Event::CallbackRefused`.
    KeepCallback(Box<Promise>),
    /// What the caller says from here on is to be recorded, whether calls are or not.
    Record,
    /// The call is to be recorded from here on: the caller was told, if that is for the bot to tell.
    RecordCall,
    /// It is not, messages apart, nor is what was recorded since then kept.
    StopRecording {
        since_ms: u64,
    },
    KeepMessage(LeftMessage),
    /// Ring this agent; the summary travels in the ring's own message.
    RingAgent {
        agent: String,
        summary: Box<Summary>,
    },
    /// Stop ringing, or hang up on, the agent.
    ReleaseAgent {
        agent: String,
    },
    /// Tell the agent, and only the agent, what the call is about. Answered by `Event::Briefed`.
    Brief {
        words: Prompt,
    },
    /// Caller and agent hear each other.
    Connect,
    /// Caller and agent no longer hear each other.
    Disconnect,
    /// Ask the caller's telephone to call this agent itself; `attended`: in the place of our own call with the agent.
    /// Answered by `Event::Referred` or `Event::ReferFailed`.
    ReferCaller {
        agent: String,
        attended: bool,
    },
    /// Ring whom the agent wants the caller connected to. Answered by the `Target` events.
    RingTarget {
        to: super::Destination,
        summary: Box<Summary>,
    },
    /// Stop ringing them.
    ReleaseTarget,
    /// They take the agent's place: caller and target hear each other.
    ConnectTarget {
        name: String,
    },
    /// Tell the agent's telephone how the transfer goes (SIP status; from 200 on that is the end).
    AnswerTransfer {
        status: u16,
    },
    /// What a waiting caller hears: ringing or music.
    PlayWaiting,
    StopWaiting,
    /// Write to the call's timeline.
    Note(Entry),
    HangUp {
        cause: Cause,
    },
    /// The last action of a call: what it came to.
    Finished {
        summary: Box<Summary>,
        cause: Cause,
    },
    /// Whether the caller's voice is listened to for how it sounds. Off until first said.
    Analyse {
        on: bool,
    },
    /// Supervisors are to know of this call, now.
    Alert {
        reason: String,
        why: Box<Why>,
    },
    /// Values that must be kept nowhere: keep them out of the event log and the recording until `Unmask`.
    Mask,
    Unmask,
    /// Take the numbers out of what was written down of this call since then: they proved to be a secret.
    Forget {
        since_ms: u64,
    },
    /// Raw value for an operator's webhook; reserved for flows.
    Custom {
        name: String,
        value: Value,
    },
}
