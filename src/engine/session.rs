//! One call's sound and decisions on one beat, without a socket, a thread or a clock of its own.
//!
//! Every 20 ms `beat` pulls a frame from each leg, lets the listener hear the caller, plays what is to be played and
//! moves time on for the call. What takes longer (recognition, synthesis, backends, agents' phones) leaves as a
//! `Request` and comes back by `tell`, `heard`, `felt`, `turn_probability`, `sound`, `spoken`. The live runner does requests in
//! the background, the replay runner does each before the next beat: a recording is heard by exactly this code.

mod conversation;
mod overhear;
mod request;
mod turn;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::conversation::Ports;
pub use self::request::{Request, To};
pub use self::turn::Unheard;

use self::overhear::Overhear;
use self::turn::Turn;
use super::parts::Parts;
use super::stages::Stages;
use super::waiting::{LineSound, Waiting, WaitingSounds};
use crate::call::{Action, Call, Event, Logged, Note, PromptId, QueueRequest, Shield, Supervision, TimerId};
use crate::dialog::flow::Flow;
use crate::dialog::{Expect, Language, Prompt};
use crate::emotion::live::Live;
use crate::media::{Frame, Key, Mixer, Player, Port, Recorder, Recording, Seam, Sound, mix};
use crate::speech::{EchoGate, Listener, ListenerSettings};
use crate::telemetry::names;

/// The call is answered when its first prompt is ready, at the latest this long after it was due.
const ANSWER_LIMIT_MS: u64 = 2_000;
/// The first sound after the answer waits for the caller's, this long at most: what is sent before the caller's side has
/// opened its way is lost, and with it the first syllable.
const OPENING_MS: u64 = 240;

/// What a caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sounding {
    Nothing,
    Prompt(PromptId),
    Waiting,
    /// What the agent's line lets be heard while it rings.
    Ringing,
    Agent,
}

/// What somebody is being told.
struct Saying {
    to: To,
    player: Player,
    interruptible: bool,
    /// The voice has delivered its last sound.
    complete: bool,
    /// It did so before its time.
    broken: bool,
    _wanted: DropGuard,
}

/// Sound before the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    No,
    Wanted,
    /// It sounds, and the answer is due after it.
    Open,
}

pub struct Session {
    call: Call,
    /// Keeps secrets from the call and all that it leads to.
    shield: Shield,
    rate: u32,
    now_ms: u64,
    timers: BTreeMap<TimerId, u64>,
    requests: Vec<Request>,

    listener: Listener,
    listening: Option<(Expect, Language, Vec<String>)>,
    turn: Option<Turn>,
    /// How the caller sounds, while that is wanted.
    live: Option<Box<Live>>,
    /// The caller heard something of ours on the last beat.
    playing: bool,
    /// What was read of the turn that goes on.
    parts: Parts,
    unbroken: Option<turn::Unbroken>,
    /// Languages that the caller may speak besides the call's.
    languages: Vec<Language>,
    /// What the caller said last and has yet to be answered.
    unanswered: Option<Stages>,
    echo: EchoGate,
    /// What the caller was sent with the last frame.
    played: Frame,
    /// A prompt waits to hear whether what was heard interrupts it.
    held: bool,
    /// The call knows that the caller speaks.
    told: bool,

    /// What the caller hears now, and how it ended last.
    sounding: Sounding,
    seam: Seam,
    to_caller: Option<Saying>,
    /// What was cut off, fading out.
    fading: Option<Player>,
    to_agent: Option<Saying>,
    agent_rate: u32,
    waiting_sounds: Arc<WaitingSounds>,
    queue: String,
    /// Rung last.
    agent: String,
    waiting_wanted: bool,
    waiting: Option<Waiting>,
    /// Of the agent who is rung.
    line_sound: LineSound,

    answer_due_ms: Option<u64>,
    /// The first prompt is to be heard before the answer; how far that has come.
    early: Early,
    answered: bool,
    answered_ms: u64,
    /// Something has come from the caller.
    open: bool,
    /// The caller, the agent has put us on hold.
    caller_holds: bool,
    agent_holds: bool,
    /// The agent is not to be heard.
    agent_muted: bool,
    /// Follows what caller and agent say, where that is wanted.
    overhear: Option<Box<Overhear>>,
    /// What the caller speaks.
    language: Language,
    /// Keys that the agent presses for the caller's side to hear.
    agent_keys: VecDeque<Key>,
    media_lost: bool,
    bridged: bool,
    mixer: Mixer,
    /// A supervisor's part in the conversation, where there is one.
    supervisor: Option<Supervision>,
    recorder: Option<Recorder>,
    /// Where in the call the recording begins.
    recorded_from_ms: u64,
    /// Calls are not recorded, messages are.
    for_messages: bool,
    masked: bool,
    /// When masking last ended: what the caller began to say before belongs to the secret.
    unmasked_ms: u64,
    finished: bool,
}

impl Session {
    /// A session for a caller's leg of `rate` samples a second, before anything has happened.
    pub fn new(flow: Arc<Flow>, rate: u32, listener: Listener, waiting_sounds: Arc<WaitingSounds>) -> Self {
        let languages = if flow.detect_language { flow.languages() } else { Vec::new() };
        let language = flow.language.clone();
        Self {
            call: Call::new(flow),
            shield: Shield::default(),
            rate,
            now_ms: 0,
            timers: BTreeMap::new(),
            requests: Vec::new(),
            listener,
            listening: None,
            turn: None,
            live: None,
            playing: false,
            sounding: Sounding::Nothing,
            seam: Seam::default(),
            parts: Parts::default(),
            unbroken: None,
            languages,
            unanswered: None,
            echo: EchoGate::new(),
            played: Frame::silence(rate),
            held: false,
            told: false,
            to_caller: None,
            fading: None,
            to_agent: None,
            agent_rate: rate,
            waiting_sounds,
            queue: String::new(),
            agent: String::new(),
            waiting_wanted: false,
            waiting: None,
            line_sound: LineSound::default(),
            answer_due_ms: None,
            early: Early::No,
            answered: false,
            answered_ms: 0,
            open: false,
            caller_holds: false,
            agent_holds: false,
            agent_muted: false,
            overhear: None,
            language,
            agent_keys: VecDeque::new(),
            media_lost: false,
            bridged: false,
            mixer: Mixer::default(),
            supervisor: None,
            recorder: None,
            recorded_from_ms: 0,
            for_messages: true,
            masked: false,
            unmasked_ms: 0,
            finished: false,
        }
    }

    /// The caller is to hear the first prompt before the call is answered.
    pub fn open_early(&mut self) {
        self.early = Early::Wanted;
    }

    /// The caller holds us, or is back. Time stands still for who does not listen: no prompt goes on, no silence counts.
    pub fn caller_holds(&mut self, holds: bool) {
        self.caller_holds = holds;
    }

    /// The agent holds the caller, who hears meanwhile what waiting callers hear.
    pub fn agent_holds(&mut self, holds: bool) {
        self.agent_holds = holds;
        if !holds && !self.waiting_wanted {
            self.waiting = None;
        }
    }

    /// What caller and agent say to each other is to be read.
    pub fn overhear(&mut self, settings: &ListenerSettings) {
        self.overhear = Some(Box::new(Overhear::new(settings)));
    }

    /// The caller does not hear the agent.
    pub fn agent_mutes(&mut self, mutes: bool) {
        self.agent_muted = mutes;
    }

    /// The agent presses a key at the desk: the caller's side is to have it.
    pub fn agent_presses(&mut self, key: Key) {
        if self.bridged {
            self.agent_keys.push_back(key);
        }
    }

    /// The agent has read what the briefing says.
    pub fn agent_skips_briefing(&mut self) {
        if self.to_agent.take().is_some() {
            self.tell(Event::Briefed);
        }
    }

    /// Records both sides from now on. The recording begins at `from_ms` of the call: what is past since then becomes silence.
    pub fn record(&mut self, mut recorder: Recorder, from_ms: u64) {
        let silence = Frame::silence(self.rate);
        let past = self.now_ms.saturating_sub(from_ms) / u64::from(crate::media::FRAME_MS);
        (0..past).for_each(|_| recorder.write(&silence, &silence));
        self.recorded_from_ms = from_ms;
        if self.masked {
            recorder.pause();
        }
        self.recorder = Some(recorder);
    }

    /// Both sides are being recorded, not for a message alone.
    pub fn is_recording(&self) -> bool {
        self.recorder.is_some() && !self.for_messages
    }

    /// Ends the recording, if there is one.
    pub fn stop_recording(&mut self) -> Option<Recording> {
        self.recorder.take().map(Recorder::finish)
    }

    /// Caller and agent are connected.
    pub fn is_bridged(&self) -> bool {
        self.bridged
    }

    /// Nothing more will come of this session.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Ms since the call arrived, as of the last beat.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Takes the requests made since the last time.
    pub fn requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// Moves the call on to `now_ms` and lets 20 ms of sound through.
    pub fn beat(&mut self, now_ms: u64, at: Instant, ports: Ports<'_>) {
        let Ports { caller, agent, supervisor, third } = ports;
        let passed = now_ms.saturating_sub(self.now_ms);
        self.now_ms = now_ms;
        if self.frozen() {
            let held = [TimerId::Silence, TimerId::InterKey];
            self.timers.iter_mut().filter(|(timer, _)| held.contains(timer)).for_each(|(_, due)| *due += passed);
        }
        self.run_timers();
        let (mut from_caller, mut to_caller) = (Frame::silence(self.rate), Frame::silence(self.rate));
        if let Some(caller) = caller
            && self.answered
        {
            let received = caller.receive(at, &mut from_caller);
            self.open |= received.heard || now_ms >= self.answered_ms + OPENING_MS;
            if received.timed_out && !std::mem::replace(&mut self.media_lost, true) {
                self.tell(Event::MediaLost);
            }
            match agent {
                Some(agent) if self.bridged => {
                    if let Some(key) = received.key {
                        agent.send_key(key);
                    }
                    self.talk(at, &from_caller, &mut to_caller, caller, agent, supervisor, third);
                }
                agent => {
                    if let Some(key) = received.key {
                        if let Some(live) = &mut self.live {
                            live.key(now_ms);
                        }
                        self.tell(Event::Key { key });
                    }
                    self.listen(&from_caller);
                    let playing = !self.frozen() && self.play(&mut to_caller);
                    self.playing = playing;
                    caller.send(at, playing.then_some(&to_caller));
                    self.played = to_caller;
                    if let Some(agent) = agent {
                        self.brief(at, agent);
                    }
                    if let Some(supervisor) = supervisor {
                        self.listen_in(at, &from_caller, &to_caller, supervisor);
                    }
                }
            }
        }
        if let Some(recorder) = &mut self.recorder {
            if self.for_messages && !self.call.takes_message() {
                let silence = Frame::silence(self.rate);
                recorder.write(&silence, &silence);
            } else {
                recorder.write(&from_caller, &to_caller);
            }
        }
    }

    /// Something happened outside.
    pub fn tell(&mut self, event: Event) {
        if self.finished {
            return;
        }
        if event == Event::CallerHungUp && self.call.takes_message() {
            self.interrupt(); // the invitation waits for nobody now: what was said over it may be the message
        }
        let admitted = self.shield.admit(&self.call, self.now_ms, event);
        for kind in &admitted.found {
            metrics::counter!(names::SECRETS_MASKED, "kind" => kind.name()).increment(1);
        }
        if let Some((from_ms, to_ms)) = admitted.blank {
            self.blank(from_ms, to_ms);
        }
        admitted.events.into_iter().for_each(|event| self.told(event));
    }

    /// Silences a stretch of the call in its recording.
    fn blank(&mut self, from_ms: u64, to_ms: u64) {
        if let Some(recorder) = &mut self.recorder {
            let in_recording = |ms: u64| ms.saturating_sub(self.recorded_from_ms);
            recorder.blank(in_recording(from_ms), in_recording(to_ms));
        }
    }

    fn told(&mut self, event: Event) {
        let masked = self.masked;
        let actions = self.call.handle(self.now_ms, event.clone());
        self.requests.push(Request::Log(Logged::new(self.now_ms, event, &actions, masked)));
        for action in actions {
            self.act(action);
        }
    }

    /// More sound of a prompt, at the rate asked for.
    pub fn sound(&mut self, to: To, sound: Arc<Sound>) {
        if let Some(saying) = self.saying(to) {
            saying.player.play(sound);
            if let (Some(stages), To::Caller(_)) = (&mut self.unanswered, to) {
                stages.sounded.get_or_insert(self.now_ms);
            }
            self.answer_if_due(true);
        }
    }

    /// A prompt has been made to its end, or (`whole` is false) the voice failed and nothing more will come.
    pub fn spoken(&mut self, to: To, whole: bool) {
        if let Some(saying) = self.saying(to) {
            saying.complete = true;
            saying.broken = !whole;
            saying.player.finish();
            self.answer_if_due(true);
        }
    }

    /// The caller's leg is answered: sound flows from here on.
    pub fn answered(&mut self) {
        self.answered = true;
        self.answered_ms = self.now_ms;
    }

    /// What the line of an agent who is rung lets be heard (early media): a caller who waits hears it instead of our sound.
    pub fn rings(&mut self, frame: &Frame) {
        self.line_sound.hear(self.now_ms, frame, self.rate);
    }

    /// An agent's phone was answered; its frames have this rate.
    pub fn agent_answered(&mut self, rate: u32) {
        self.agent_rate = rate;
        self.line_sound = LineSound::default();
        self.agent_holds(false); // another may have
        self.agent_mutes(false);
        self.tell(Event::AgentAnswered);
    }

    fn saying(&mut self, to: To) -> Option<&mut Saying> {
        let slot = match to {
            To::Caller(_) => &mut self.to_caller,
            To::Agent => &mut self.to_agent,
        };
        slot.as_mut().filter(|saying| saying.to == to) // another one speaks by now
    }

    fn run_timers(&mut self) {
        let now = self.now_ms;
        while let Some((_, timer)) =
            self.timers.iter().map(|(timer, due)| (*due, *timer)).filter(|(due, _)| *due <= now).min()
        {
            self.timers.remove(&timer);
            self.tell(Event::Timer { timer });
        }
        self.give_up_late_turn();
        self.answer_if_due(false);
    }

    fn answer_if_due(&mut self, ready: bool) {
        let now = self.now_ms;
        if self.answer_due_ms.take_if(|due| ready || now >= *due).is_none() {
            return;
        }
        self.requests.push(match self.early {
            Early::Wanted => Request::OpenEarly,
            _ => Request::Answer,
        });
        self.early = if self.early == Early::Wanted { Early::Open } else { Early::No };
    }

    /// What was to be heard before the answer was heard, or cut short.
    fn answer_after_early(&mut self) {
        if self.early == Early::Open {
            self.early = Early::No;
            self.requests.push(Request::Answer);
        }
    }

    /// The bot talks to a caller who does not listen.
    fn frozen(&self) -> bool {
        self.caller_holds && !self.bridged
    }

    /// Fills what the caller hears while no agent is there; `false` when that is nothing.
    fn play(&mut self, frame: &mut Frame) -> bool {
        if !self.open {
            return false;
        }
        let mut sounds = false;
        let mut sounding = Sounding::Nothing;
        if let Some(saying) = &mut self.to_caller {
            sounds = saying.player.next(frame);
            if let To::Caller(prompt) = saying.to {
                sounding = Sounding::Prompt(prompt);
            }
            if let Some(stages) = self.unanswered.take_if(|_| sounds) {
                stages.answered(self.now_ms);
            }
            if saying.complete && saying.player.is_over() {
                let To::Caller(prompt) = saying.to else { return sounds }; // only prompts for the caller go here
                let broken = saying.broken;
                self.to_caller = None;
                self.answer_after_early();
                self.tell(if broken { Event::VoiceFailed { prompt } } else { Event::Said { prompt, finished: true } });
            }
        } else if self.waiting_wanted && self.line_sound.sounds(self.now_ms) {
            sounds = self.line_sound.next(frame);
            sounding = Sounding::Ringing;
        } else if self.waiting_wanted {
            let sound = self.waiting_sounds.of(&self.queue, self.rate);
            sounds = self.waiting.get_or_insert_with(|| Waiting::start(sound, self.rate)).next(frame);
            sounding = Sounding::Waiting;
        }
        if let Some(fading) = &mut self.fading {
            let mut tail = Frame::silence(self.rate);
            sounds |= fading.next(&mut tail);
            mix(frame, &tail);
            self.fading.take_if(|player| player.is_over());
        }
        self.join(frame, sounding) || sounds
    }

    /// The caller hears this next; true when a change of the source left sound in it.
    fn join(&mut self, frame: &mut Frame, sounding: Sounding) -> bool {
        let changed = std::mem::replace(&mut self.sounding, sounding) != sounding;
        self.seam.join(frame, changed)
    }

    /// The agent hears the briefing; a key of the agent's cuts it short.
    fn brief(&mut self, at: Instant, agent: &mut dyn Port) {
        let (mut heard, mut told) = (Frame::silence(agent.rate()), Frame::silence(agent.rate()));
        let received = agent.receive(at, &mut heard);
        let playing = self.to_agent.as_mut().is_some_and(|saying| saying.player.next(&mut told));
        agent.send(at, playing.then_some(&told));
        let over = |saying: &mut Saying| received.key.is_some() || (saying.complete && saying.player.is_over());
        if self.to_agent.take_if(over).is_some() {
            self.tell(Event::Briefed);
        } else if received.timed_out {
            self.tell(Event::AgentHungUp);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Answer => self.answer_due_ms = (!self.answered).then_some(self.now_ms + ANSWER_LIMIT_MS),
            Action::Say { prompt, words, interruptible, slower } => {
                self.hush();
                if let Some(stages) = &mut self.unanswered {
                    stages.decided.get_or_insert(self.now_ms);
                }
                let saying = self.speak(To::Caller(prompt), words, slower, self.rate);
                self.to_caller = Some(Saying { interruptible, ..saying });
            }
            Action::StopSaying => self.hush(),
            Action::Listen { expect, language, hints } => {
                self.listener.expect(expect.clone());
                self.language = language.clone();
                self.listening = Some((expect, language, hints));
            }
            Action::StopListening => self.stop_listening(),
            Action::SetTimer { timer, after_ms } => {
                self.timers.insert(timer, self.now_ms + after_ms);
            }
            Action::CancelTimer { timer } => {
                self.timers.remove(&timer);
            }
            Action::Understand { request, text, intents, .. } => {
                self.requests.push(Request::Understand { request, text, intents });
            }
            Action::Fetch { request, backend, with, repeats } => {
                self.requests.push(Request::Fetch { request, backend, with, repeats });
            }
            Action::Queue(request) => {
                if let QueueRequest::Enter { queue, .. } = &request {
                    self.queue.clone_from(queue);
                }
                self.requests.push(Request::Queue(request));
            }
            Action::KeepCallback(promise) => self.requests.push(Request::KeepCallback(promise)),
            Action::Record if self.recorder.is_none() => self.requests.push(Request::Record),
            Action::Record => {}
            Action::RecordCall => {
                self.for_messages = false;
                if self.recorder.is_none() {
                    self.requests.push(Request::Record);
                }
            }
            Action::StopRecording { since_ms } => {
                self.for_messages = true;
                self.blank(since_ms, self.now_ms);
            }
            Action::KeepMessage(message) => self.requests.push(Request::KeepMessage(message)),
            Action::RingAgent { agent, summary } => {
                self.agent.clone_from(&agent);
                self.requests.push(Request::RingAgent { agent, summary });
            }
            Action::ReleaseAgent { agent } => {
                self.to_agent = None;
                self.requests.push(Request::ReleaseAgent { agent });
            }
            Action::Brief { words } => self.to_agent = Some(self.speak(To::Agent, words, false, self.agent_rate)),
            Action::Connect => {
                self.answer_after_early();
                self.hush();
                self.to_agent = None;
                self.stop_listening();
                self.bridged = true;
            }
            Action::Disconnect => self.bridged = false,
            Action::ReferCaller { agent, attended } => self.requests.push(Request::ReferCaller { agent, attended }),
            Action::RingTarget { to, summary } => self.requests.push(Request::RingTarget { to, summary }),
            Action::ReleaseTarget => self.requests.push(Request::ReleaseTarget),
            Action::ConnectTarget { name } => {
                self.hush();
                self.agent.clone_from(&name);
                self.bridged = true;
                self.agent_holds(false); // most telephones hold before they transfer
                self.agent_mutes(false);
                self.requests.push(Request::ConnectTarget { name });
            }
            Action::AnswerTransfer { status } => self.requests.push(Request::AnswerTransfer { status }),
            Action::PlayWaiting => self.waiting_wanted = true,
            Action::StopWaiting => {
                self.waiting_wanted = false;
                self.waiting = None;
            }
            Action::Forget { since_ms } => self.requests.push(Request::Forget { since_ms }),
            Action::Note(entry) => {
                if let Note::Reaction { reaction, .. } = &entry.note {
                    metrics::counter!(names::REACTIONS, "reaction" => reaction.name()).increment(1);
                }
                self.requests.push(Request::Note(entry));
            }
            Action::HangUp { .. } => self.requests.push(Request::HangUp),
            Action::Finished { summary, cause } => {
                self.finished = true;
                self.requests.push(Request::Finished { summary, cause });
            }
            Action::Analyse { on } => self.live = on.then(|| Box::new(Live::new(self.rate))),
            Action::Alert { reason, why } => self.requests.push(Request::Alert { reason, why }),
            Action::Mask => self.mask(true),
            Action::Unmask => self.mask(false),
            Action::Custom { .. } => {} // reserved: no flow makes one
        }
    }

    fn speak(&mut self, to: To, words: Prompt, slower: bool, rate: u32) -> Saying {
        let gone = CancellationToken::new();
        self.requests.push(Request::Speak { to, words, slower, rate, gone: gone.clone() });
        let player = Player::new(rate);
        Saying { to, player, interruptible: false, complete: false, broken: false, _wanted: gone.drop_guard() }
    }

    /// The prompt that runs fades out.
    fn hush(&mut self) {
        self.held = false;
        if let Some(mut saying) = self.to_caller.take() {
            self.answer_after_early();
            saying.player.stop();
            self.fading = (!saying.player.is_over()).then_some(saying.player);
        }
    }

    fn mask(&mut self, masked: bool) {
        if self.masked && !masked {
            self.unmasked_ms = self.now_ms;
            self.forget_turn();
        }
        self.masked = masked;
        match &mut self.recorder {
            Some(recorder) if masked => recorder.pause(),
            Some(recorder) => recorder.resume(),
            None => {}
        }
    }
}
