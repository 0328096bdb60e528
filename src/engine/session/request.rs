//! What a session needs done elsewhere: all that takes longer than a beat.

use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

use crate::call::{
    Cause, Destination, Entry, LeftMessage, Logged, Promise, PromptId, QueueRequest, RequestId, Summary, Talker,
};
use crate::dialog::{Expect, Language, Prompt};
use crate::emotion::live::Feel;
use crate::emotion::policy::Why;
use crate::speech::{Samples, TurnId};

/// Whose prompt it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Caller(PromptId),
    Agent,
}

/// What the session needs done elsewhere. A `gone` token is cancelled when the result is no longer wanted.
#[derive(Debug)]
pub enum Request {
    /// Answer the caller's leg, then say so by `answered`.
    Answer,
    /// Make these words sound, in samples of `rate`; they come back by `sound`, the end by `spoken`.
    Speak {
        to: To,
        words: Prompt,
        slower: bool,
        rate: u32,
        gone: CancellationToken,
    },
    /// Read this turn; the text comes back by `heard`.
    Hear {
        turn: TurnId,
        audio: Samples,
        language: Language,
        hints: Vec<String>,
        expect: Expect,
        /// The caller may speak one of these as well.
        languages: Vec<Language>,
        gone: CancellationToken,
        /// Nothing can be understood without; else it may come back as `Unheard` where the recogniser has no time.
        needed: bool,
    },
    /// Read what caller or agent said to the other, if there is time for it; it comes back as `Event::Overheard`.
    Overhear {
        who: Talker,
        audio: Samples,
        language: Language,
        start_ms: u64,
        end_ms: u64,
    },
    /// How does this voice sound? The answer comes back by `felt`.
    Feel(Feel),
    /// Is this turn over? The answer comes back by `turn_probability`.
    Judge {
        turn: TurnId,
        audio: Samples,
        gone: CancellationToken,
    },
    Understand {
        request: RequestId,
        text: String,
        intents: Vec<String>,
    },
    Fetch {
        request: RequestId,
        backend: String,
        with: BTreeMap<String, String>,
        repeats: Option<RequestId>,
    },
    Queue(QueueRequest),
    /// Write down that the caller is to be called back; answered by `Event::CallbackKept` or `Event::CallbackRefused`.
    KeepCallback(Box<Promise>),
    /// What comes from here on is to be recorded, whether calls are or not.
    Record,
    KeepMessage(LeftMessage),
    /// Supervisors are to know, at once.
    Alert {
        reason: String,
        why: Box<Why>,
    },
    RingAgent {
        agent: String,
        summary: Box<Summary>,
    },
    ReleaseAgent {
        agent: String,
    },
    /// Let the caller hear us before the answer (early media), then say so by `answered`. `Answer` follows.
    OpenEarly,
    ReferCaller {
        agent: String,
        attended: bool,
    },
    RingTarget {
        to: Destination,
        summary: Box<Summary>,
    },
    ReleaseTarget,
    /// The target is the agent from now on.
    ConnectTarget {
        name: String,
    },
    AnswerTransfer {
        status: u16,
    },
    Note(Entry),
    Log(Logged),
    /// Take the numbers out of what was noted and logged since then.
    Forget {
        since_ms: u64,
    },
    HangUp,
    /// The last request.
    Finished {
        summary: Box<Summary>,
        cause: Cause,
    },
}
