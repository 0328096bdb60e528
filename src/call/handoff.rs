//! From "a person, please" to two people talking: the queue, the agent's phone, the briefing, the connection, and
//! an honest word to the caller at every turn it may take.

use super::bot::Bot;
use super::state::{Call, Drain, Phase};
use super::transfer::{HandoffBy, Referring, Transferring};
use super::{Action, AgentFailure, Cause, Event, Note, QueueRequest, TimerId, summarise};
use crate::dialog::flow::{Text, Transfer};
use crate::dialog::slots::yes_no;
use crate::dialog::values::{Rendered, Values};
use crate::dialog::{Expect, person};

/// A caller is first told of their place after this long.
pub(super) const FIRST_COMFORT_MS: u64 = 6_000;
/// Then looked after this often.
const COMFORT_MS: u64 = 30_000;
/// But with unchanged news spoken to only this often.
const REPEAT_MS: u64 = 90_000;
/// The floor ends a wait; this ends it should the floor fail. (The longest wait a queue may have is 2 h.)
pub(super) const QUEUE_LIMIT_MS: u64 = 3 * 3_600_000;
/// The floor ends ringing (180 s at most); this ends it should the floor fail.
const RING_LIMIT_MS: u64 = 200_000;
/// A briefing is shorter than this.
const BRIEFING_LIMIT_MS: u64 = 30_000;
/// Waits announced are at least this long: "about two minutes".
pub(super) const WORTH_SAYING_S: u32 = 90;

/// A call on its way to a person, or with one.
pub(super) struct Handoff {
    pub transfer: Transfer,
    pub stage: Stage,
    pub waiting_sound: bool,
    /// The time to be done in is nearly over.
    pub last_moments: bool,
    /// The step to go on at should nobody be there: the caller had not asked for a person.
    pub back: Option<String>,
    brief: bool,
    pub by: HandoffBy,
    /// The agent came by a transfer: the floor has no part in it any more.
    pub off_floor: bool,
    place: Option<Place>,
    announced: Option<(Place, u64)>,
    /// Failed attempts to read whether to keep trying.
    unclear: u32,
    /// The caller may choose to be called back.
    pub invited: bool,
}

impl Handoff {
    pub fn new(transfer: Transfer) -> Self {
        Self {
            transfer,
            stage: Stage::Waiting,
            waiting_sound: false,
            last_moments: false,
            back: None,
            brief: true,
            by: HandoffBy::Bridge,
            off_floor: false,
            place: None,
            announced: None,
            unclear: 0,
            invited: false,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
struct Place {
    position: u32,
    estimate_s: Option<u32>,
}

pub(super) enum Stage {
    Waiting,
    Ringing {
        agent: String,
    },
    Briefing {
        agent: String,
    },
    Connected {
        agent: String,
    },
    /// The caller's telephone was asked to call the agent itself.
    Referring(Referring),
    /// The agent has the caller connected elsewhere.
    Transferring(Transferring),
    /// The queue gave up: shall we keep trying?
    Offering,
}

impl Call {
    /// To a person, wherever the call is: the flow's own way, or what is said instead of it.
    pub(super) fn seek_person(&mut self, reason: &str, say: Option<Text>) {
        self.note(Note::PersonWanted { reason: reason.to_owned() });
        let mut transfer = self.flow.person.clone();
        transfer.say = say.or(transfer.say);
        self.transfer(transfer);
    }

    /// Into the queue at once: while the caller hears that they are put through, the phone may already ring.
    pub(super) fn transfer(&mut self, mut transfer: Transfer) {
        if self.back_to_agent(false) {
            return; // a person waits already
        }
        transfer.priority += self.ahead();
        if self.speaking.take().is_some() {
            self.act(Action::StopSaying);
        }
        self.let_go();
        self.note(Note::Transfer {
            queue: transfer.queue.clone(),
            skills: transfer.skills.clone(),
            priority: transfer.priority,
        });
        let text = transfer.say.clone().unwrap_or_else(|| self.flow.lines.to_person.clone());
        self.begin_handoff(transfer, &text);
    }

    pub(super) fn begin_handoff(&mut self, transfer: Transfer, text: &Text) {
        self.phase = Phase::Handoff(Handoff::new(transfer));
        let words = self.words(text);
        self.say(vec![words], true);
        self.enter_queue();
    }

    pub(super) fn enter_queue(&mut self) {
        let language = self.language().clone();
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        handoff.stage = Stage::Waiting;
        handoff.off_floor = false;
        handoff.place = None;
        let Transfer { queue, skills, priority, .. } = handoff.transfer.clone();
        self.play_waiting();
        self.act(Action::Queue(QueueRequest::Enter { queue, skills, language, priority }));
        self.set_timer(TimerId::QueueLimit, QUEUE_LIMIT_MS);
    }

    pub(super) fn handoff(&mut self, event: Event, said: Option<super::state::Speaking>) {
        let Phase::Handoff(handoff) = &self.phase else { return };
        let alone = matches!(event, Event::NobodyThere) && matches!(handoff.stage, Stage::Waiting);
        if alone && handoff.back.is_none() && self.offer_instead(false) {
            return;
        }
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        match (&handoff.stage, event) {
            (Stage::Waiting, Event::Waiting { position, estimate_s }) => self.placed(Place { position, estimate_s }),
            (Stage::Waiting, Event::Timer { timer: TimerId::Comfort }) => self.comfort(),
            (Stage::Waiting, Event::AgentFound { agent, brief }) => {
                handoff.brief = brief;
                match handoff.by {
                    HandoffBy::Refer => self.refer(agent, false),
                    HandoffBy::Bridge | HandoffBy::Attended => self.ring(agent),
                }
            }
            (
                Stage::Ringing { agent } | Stage::Briefing { agent } | Stage::Connected { agent },
                Event::AgentFound { agent: again, .. },
            ) if *agent == again => {} // we have them
            (Stage::Referring(referring), Event::AgentFound { agent: again, .. }) if referring.agent == again => {}
            (
                Stage::Transferring(Transferring { agent, agent_gone: false, .. }),
                Event::AgentFound { agent: again, .. },
            ) if *agent == again => {}
            (_, event @ Event::AgentFound { .. }) => self.refuse_agent(event),
            (Stage::Waiting, Event::NobodyThere) if handoff.back.is_some() && self.drain.is_none() => self.go_back(),
            (_, Event::HandoffBy { by }) => handoff.by = by,
            (Stage::Referring(_), event) => self.referring(event),
            (Stage::Transferring(_), event) => self.transferring(event),
            (Stage::Connected { agent }, Event::TransferAsked { to }) => {
                let agent = agent.clone();
                self.transfer_asked(agent, to);
            }
            (Stage::Connected { agent }, Event::AgentReplaced { agent: other }) => {
                let agent = agent.clone();
                self.agent_replaced(agent, other);
            }
            (Stage::Connected { agent }, Event::DeskStepAsked { step }) => {
                let agent = agent.clone();
                self.desk_step_asked(agent, step);
            }
            (stage, Event::TransferAsked { .. }) => {
                // There is no caller to be passed on yet.
                if let Stage::Briefing { agent } = stage {
                    let agent = agent.clone();
                    self.note(Note::TransferRefused { agent });
                }
                self.act(Action::AnswerTransfer { status: 403 });
            }
            (Stage::Waiting, Event::CallbackOffered) => self.invite_callback(),
            (
                Stage::Waiting,
                event @ (Event::Key { .. } | Event::Heard(_) | Event::SpeechStarted | Event::NotHeard),
            ) if handoff.invited => self.invited(event),
            (Stage::Waiting, Event::NobodyThere) => {
                let (text, cause) = match self.drain {
                    Some(_) => (self.flow.lines.drain.clone(), Cause::Shutdown),
                    None => (self.flow.lines.no_agent.clone(), Cause::NoAgent),
                };
                let goodbye = self.flow.lines.goodbye.clone();
                self.close(&[&text, &goodbye], cause);
            }
            (Stage::Waiting, Event::WaitOver) => self.waited_enough(),
            (Stage::Waiting, Event::Timer { timer: TimerId::QueueLimit }) => {
                self.act(Action::Queue(QueueRequest::Leave));
                self.waited_enough();
            }
            (Stage::Ringing { agent }, Event::AgentAnswered) => {
                let agent = agent.clone();
                self.answered(agent);
            }
            (Stage::Ringing { agent }, Event::AgentFailed { agent: failed, failure }) if *agent == failed => {
                self.lost(failed, failure);
            }
            (Stage::Ringing { agent }, Event::AgentHungUp) => {
                let agent = agent.clone();
                self.lost(agent, AgentFailure::Declined);
            }
            (Stage::Ringing { agent }, Event::Timer { timer: TimerId::Patience }) => {
                let agent = agent.clone();
                self.lost(agent, AgentFailure::NoAnswer);
            }
            (Stage::Briefing { agent }, Event::Briefed | Event::Timer { timer: TimerId::Patience }) => {
                let agent = agent.clone();
                self.connect(agent);
            }
            // The floor took the offer back, and that crossed the answer on its way.
            (
                Stage::Briefing { .. } | Stage::Connected { .. },
                Event::AgentFailed { failure: AgentFailure::NoAnswer | AgentFailure::Busy, .. },
            ) => {}
            (Stage::Briefing { agent }, Event::AgentFailed { agent: failed, .. }) if *agent == failed => {
                self.lost(failed, AgentFailure::LeftEarly);
            }
            (Stage::Briefing { agent }, Event::AgentHungUp) => {
                let agent = agent.clone();
                self.lost(agent, AgentFailure::LeftEarly);
            }
            // Their sound is gone, not their goodwill: the caller is not to pay for it.
            (Stage::Connected { agent }, Event::AgentFailed { agent: failed, failure }) if *agent == failed => {
                self.cut_off(failed, failure);
            }
            (Stage::Connected { agent }, Event::AgentHungUp) => {
                let agent = agent.clone();
                self.note(Note::AgentLeft { agent });
                let goodbye = self.flow.lines.goodbye.clone();
                self.close(&[&goodbye], Cause::AgentHungUp);
            }
            (Stage::Offering, event) => self.offered(event, said.is_some()),
            _ => {}
        }
    }

    fn placed(&mut self, place: Place) {
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        let before = handoff.place.replace(place);
        if before == Some(place) {
            return;
        }
        let first = before.is_none();
        self.note(Note::Waiting { position: place.position, estimate_s: place.estimate_s });
        if first {
            self.set_timer(TimerId::Comfort, FIRST_COMFORT_MS);
        }
    }

    /// Says where the caller stands: at first, when it changed, and now and then.
    fn comfort(&mut self) {
        let now = self.now_ms;
        let busy = self.speaking.is_some();
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        let Some(place) = handoff.place else { return };
        let (first, due) = match handoff.announced {
            None => (true, true),
            Some((told, at)) => (false, told.position != place.position || now >= at + REPEAT_MS),
        };
        if due && !busy {
            handoff.announced = Some((place, now));
            let texts = self.place_in_words(place, first);
            self.say(texts, true);
        }
        self.set_timer(TimerId::Comfort, if due && busy { FIRST_COMFORT_MS } else { COMFORT_MS });
    }

    fn place_in_words(&self, place: Place, first: bool) -> Vec<Rendered> {
        let lines = &self.flow.lines;
        let mut values = Values::default();
        values.set("position", place.position.to_string());
        let mut texts = Vec::new();
        if first {
            texts.push(self.words(&lines.all_busy));
        }
        let position = if place.position > 1 { &lines.position } else { &lines.next_in_line };
        texts.push(values.render(position, self.language()));
        if let Some(estimate) = place.estimate_s.filter(|&estimate| estimate >= WORTH_SAYING_S) {
            values.set("minutes", estimate.div_ceil(60).to_string());
            texts.push(values.render(&lines.estimate, self.language()));
        }
        texts
    }

    pub(super) fn ring(&mut self, agent: String) {
        if let Phase::Handoff(handoff) = &mut self.phase
            && std::mem::take(&mut handoff.invited)
        {
            self.stop_listening();
        }
        self.cancel_timer(TimerId::Comfort);
        self.note(Note::AgentRinging { agent: agent.clone() });
        let summary = Box::new(summarise(&self.flow, &self.notes));
        self.act(Action::RingAgent { agent: agent.clone(), summary });
        self.set_timer(TimerId::Patience, RING_LIMIT_MS);
        self.stage(Stage::Ringing { agent });
    }

    /// A callback or a message, or an apology where there is neither.
    fn waited_enough(&mut self) {
        if !self.offer_instead(true) {
            self.offer(false);
        }
    }

    fn answered(&mut self, agent: String) {
        self.note(Note::AgentAnswered { agent: agent.clone() });
        self.act(Action::Queue(QueueRequest::Taken { agent: agent.clone() }));
        self.cancel_timer(TimerId::QueueLimit);
        let Phase::Handoff(handoff) = &self.phase else { return };
        if !handoff.brief {
            return self.connect(agent);
        }
        let words = summarise(&self.flow, &self.notes).briefing();
        self.act(Action::Brief { words });
        self.set_timer(TimerId::Patience, BRIEFING_LIMIT_MS);
        self.stage(Stage::Briefing { agent });
    }

    pub(super) fn connect(&mut self, agent: String) {
        self.unheard_since_ms = None;
        if let Phase::Handoff(Handoff { by: HandoffBy::Attended, .. }) = self.phase {
            return self.refer(agent, true);
        }
        self.cancel_timers();
        if self.speaking.take().is_some() {
            self.act(Action::StopSaying);
        }
        self.stop_waiting();
        self.act(Action::Connect);
        self.note(Note::Connected { agent: agent.clone() });
        self.served.connected = true;
        self.stage(Stage::Connected { agent });
    }

    /// This agent did not take the call: the caller keeps the place in the queue, and the next is sought.
    pub(super) fn lost(&mut self, agent: String, failure: AgentFailure) {
        self.cancel_timer(TimerId::Patience);
        self.note(Note::AgentFailed { agent: agent.clone(), failure });
        self.act(Action::ReleaseAgent { agent: agent.clone() });
        self.not_taken(agent, failure);
    }

    pub(super) fn not_taken(&mut self, agent: String, failure: AgentFailure) {
        self.act(Action::Queue(QueueRequest::NotTaken { agent, failure }));
        self.stage(Stage::Waiting);
        self.set_timer(TimerId::Comfort, FIRST_COMFORT_MS);
        self.set_timer(TimerId::QueueLimit, QUEUE_LIMIT_MS);
    }

    /// The agent was lost in mid-conversation: an apology, and back into the queue at the old place.
    fn cut_off(&mut self, agent: String, failure: AgentFailure) {
        self.act(Action::Disconnect);
        if matches!(&self.phase, Phase::Handoff(Handoff { off_floor: true, .. })) {
            self.note(Note::AgentFailed { agent: agent.clone(), failure });
            self.act(Action::ReleaseAgent { agent });
            return self.back_to_queue(None);
        }
        self.lost(agent, failure);
        self.play_waiting();
        let lines = self.flow.lines.clone();
        let texts = vec![self.words(&lines.sorry), self.words(&lines.to_person)];
        self.say(texts, true);
    }

    pub(super) fn play_waiting(&mut self) {
        if let Phase::Handoff(handoff) = &mut self.phase
            && !std::mem::replace(&mut handoff.waiting_sound, true)
        {
            self.act(Action::PlayWaiting);
        }
    }

    pub(super) fn stop_waiting(&mut self) {
        if let Phase::Handoff(handoff) = &mut self.phase
            && std::mem::replace(&mut handoff.waiting_sound, false)
        {
            self.act(Action::StopWaiting);
        }
    }

    /// This agent has done with the call.
    pub(super) fn dismiss(&mut self, agent: String) {
        self.act(Action::ReleaseAgent { agent: agent.clone() });
        self.act(Action::Queue(QueueRequest::Done { agent }));
    }

    pub(super) fn stage(&mut self, stage: Stage) {
        if let Phase::Handoff(handoff) = &mut self.phase {
            handoff.stage = stage;
        }
    }

    /// The wait is over without an agent: the caller decides whether to go on.
    fn offer(&mut self, again: bool) {
        if self.drain.is_some() {
            let drain = self.flow.lines.drain.clone();
            return self.close(&[&drain], Cause::Shutdown);
        }
        self.cancel_timers();
        if let Phase::Handoff(handoff) = &mut self.phase {
            handoff.stage = Stage::Offering;
            handoff.announced = None;
            if !again {
                handoff.unclear = 0;
            }
        }
        self.stop_waiting();
        self.interrupt();
        let lines = &self.flow.lines;
        let mut texts = vec![self.words(&lines.still_busy)];
        if again || self.keys_only {
            texts.push(self.words(&lines.hint_yes_no));
        }
        self.listen(Expect::YesNo, Vec::new());
        if !self.say(texts, true) {
            self.set_timer(TimerId::Silence, self.flow.silence_ms);
        }
    }

    pub(super) fn offer_lost_speech(&mut self) {
        if let Phase::Handoff(Handoff { stage: Stage::Offering, .. }) = self.phase {
            self.offer(true);
        }
    }

    fn offered(&mut self, event: Event, said: bool) {
        let answer = match event {
            Event::Said { .. } if said => return self.set_timer(TimerId::Silence, self.flow.silence_ms),
            Event::SpeechStarted => {
                self.cancel_timer(TimerId::Silence);
                self.interrupt();
                // Whatever becomes of the turn, the offer does not hang.
                return self.set_timer(TimerId::Silence, super::bot::TURN_LIMIT_MS);
            }
            Event::Heard(utterance) => {
                let text = utterance.text.clone();
                self.note(Note::Utterance(utterance));
                yes_no(&text).map(|answer| answer.yes).or(person::wanted(&text).then_some(true))
            }
            Event::Key { key } => {
                self.note(Note::Dtmf { key });
                match key.as_char() {
                    '1' | '0' => Some(true),
                    '2' => Some(false),
                    _ => None,
                }
            }
            Event::NotHeard => {
                self.note(Note::NotHeard);
                None
            }
            Event::Timer { timer: TimerId::Silence } => {
                self.note(Note::Silence);
                Some(false)
            }
            _ => return,
        };
        self.cancel_timer(TimerId::Silence);
        let Phase::Handoff(handoff) = &mut self.phase else { return };
        match answer {
            Some(true) => {
                self.stop_listening();
                self.interrupt();
                let patience = self.flow.lines.patience.clone();
                let words = self.words(&patience);
                self.say(vec![words], true);
                self.enter_queue();
            }
            None if handoff.unclear == 0 => {
                handoff.unclear += 1;
                self.offer(true);
            }
            _ if handoff.back.is_some() => self.go_back(),
            _ => {
                let goodbye = self.flow.lines.goodbye.clone();
                self.close(&[&goodbye], Cause::NoAgent);
            }
        }
    }

    /// Nobody is there for a caller who had not asked for a person: the conversation goes on where it was.
    fn go_back(&mut self) {
        self.cancel_timers();
        self.stop_listening();
        let Phase::Handoff(handoff) = std::mem::replace(&mut self.phase, Phase::New) else { return };
        if handoff.waiting_sound {
            self.act(Action::StopWaiting);
        }
        let Some(back) = handoff.back else { return };
        self.phase = Phase::Bot(Bot::default());
        // A kind word that was cut short by this is said once more.
        if let Some(mut cut) = self.speaking.take() {
            self.act(Action::StopSaying);
            cut.said.pop();
            self.preface.extend(cut.said);
        }
        self.feeling.forget_offer();
        let nobody = self.words(&self.flow.lines.nobody_yet);
        self.preface.push(nobody);
        self.enter(&back);
    }

    /// The bot's prompt is over, and the caller has yet to hear of the shutdown.
    pub(super) fn drain_waits(&self) -> bool {
        self.drain == Some(Drain::ToTell)
    }
}
