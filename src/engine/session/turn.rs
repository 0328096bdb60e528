//! What the caller says during a session: from the listener's pauses through the recogniser's text to a turn that the
//! call is told, and what becomes meanwhile of a prompt that somebody speaks into.

use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Request, Saying, Session};
use crate::call::{Event, Passing, Utterance, Weight};
use crate::dialog::words::Words;
use crate::emotion::live::Felt;
use crate::engine::stages::Stages;
use crate::media::Frame;
use crate::speech::{Heard, Hearing, Meaning, Samples, TurnId};

/// The recogniser may take this long for one turn before the caller is asked again.
const HEARING_LIMIT_MS: u64 = 8_000;

/// A turn of more samples of which nothing can be made is no cough: 2.5 s.
const LONG: usize = 40_000;

/// A turn between its first pause and its text.
pub(super) struct Turn {
    id: TurnId,
    text: Option<Result<Hearing, Unheard>>,
    /// What was asked for once more, in one piece with the part before it, and read so.
    uncut: Option<Option<Result<Hearing, Unheard>>>,
    /// First and last sound, once the turn is over.
    over: Option<(u64, u64)>,
    asked_ms: u64,
    /// The whole turn up to here.
    audio: Samples,
    /// It held a prompt up and proved to be nothing.
    passed: bool,
    stages: Stages,
    gone: CancellationToken,
    wanted: DropGuard,
}

/// A turn that goes on and on, and what it was found to be.
pub(super) struct Unbroken {
    /// The question, while it is not answered.
    asked: Option<(TurnId, DropGuard)>,
    /// What was made of it when it was asked last.
    said: String,
}

/// A turn that could not be read; the reason was logged where it arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard;

impl Session {
    /// The text of a turn, or that there is none to be had.
    pub fn heard(&mut self, turn: TurnId, hearing: Result<Hearing, Unheard>) {
        let now = self.now_ms;
        let asked = self.unbroken.as_mut().map(|unbroken| &mut unbroken.asked);
        if asked.is_some_and(|asked| asked.take_if(|(id, _)| *id == turn).is_some()) {
            return self.what_goes_on(hearing);
        }
        if self.parts.heard(turn, &hearing) {
            self.tell_part(&hearing);
        } else if let Some(pending) = self.turn.as_mut().filter(|pending| pending.id == turn) {
            pending.stages.read = now;
            match &mut pending.uncut {
                Some(uncut) => *uncut = Some(hearing),
                None => pending.text = Some(hearing),
            }
        } else {
            return;
        }
        self.read_uncut();
        self.weigh();
        self.settle_turn();
    }

    /// What the model made of the caller's voice; none: it had no time for it.
    pub fn felt(&mut self, id: u32, felt: Option<Felt>) {
        let Some(live) = &mut self.live else { return }; // no longer wanted
        match felt {
            Some(felt) => {
                if let Some(reading) = live.felt(felt) {
                    self.tell(Event::Emotion(reading));
                }
            }
            None => live.unfelt(id),
        }
    }

    /// How likely a turn is over, from the end-of-turn model.
    pub fn turn_probability(&mut self, turn: TurnId, probability: f32) {
        if let Some(pending) = self.turn.as_mut().filter(|pending| pending.id == turn) {
            pending.stages.judged = Some(self.now_ms);
        }
        if let Some(heard) = self.listener.turn_probability(turn, probability) {
            self.follow(heard);
        }
    }

    /// The recogniser takes nothing more, now.
    pub fn speech_unavailable(&mut self) {
        self.forget_turn();
        self.release();
        self.tell(Event::SpeechUnavailable);
    }

    pub(super) fn listen(&mut self, frame: &Frame) {
        if let Some(live) = &mut self.live {
            let feel = live.hear(self.now_ms, frame, self.playing);
            self.requests.extend(feel.map(Request::Feel));
        }
        let somebody = self.echo.hears_somebody(frame, &self.played);
        self.listener.waited_for(self.held);
        for heard in self.listener.hear_gated(self.now_ms, frame, somebody) {
            self.follow(heard);
        }
    }

    fn follow(&mut self, heard: Heard) {
        self.feel(&heard);
        match heard {
            Heard::SpeechStarted => {
                (self.told, self.turn, self.unbroken) = (false, None, None);
                self.parts.clear();
                self.speaks();
            }
            Heard::Paused { start_ms, .. } if start_ms < self.unmasked_ms => {}
            Heard::TurnEnded { start_ms, .. } if start_ms < self.unmasked_ms => self.carry_on(Passing::Noise),
            Heard::Paused { id, turn: audio, end_ms, .. } => {
                // A hum let the prompt go on: it waits again for what came after that.
                if !self.told && !self.held {
                    self.speaks();
                }
                self.read(id, &audio, end_ms);
            }
            Heard::Lasting { id, turn: audio } => {
                if let Some(turn) = self.turn.as_ref().filter(|turn| turn.id == id) {
                    self.requests.push(Request::Judge { turn: id, audio, gone: turn.gone.clone() });
                }
            }
            Heard::Unbroken { .. } if self.listener.turn_start_ms().is_some_and(|at| at < self.unmasked_ms) => {
                self.listener.ask_again();
                self.carry_on(Passing::Noise);
            }
            Heard::Unbroken { id, turn: audio } => self.ask_what_goes_on(id, audio),
            Heard::Resumed => {
                if let Some(Turn { id, text, audio, wanted, .. }) = self.turn.take()
                    && self.parts.keep(id, text.clone(), wanted, audio.len())
                    && let Some(text) = text
                {
                    self.tell_part(&text);
                }
                self.speaks();
            }
            Heard::TurnEnded { id, audio, start_ms, end_ms } => {
                self.unbroken = None;
                if self.turn.as_ref().is_none_or(|turn| turn.id != id) {
                    self.read(id, &audio, end_ms);
                }
                match &mut self.turn {
                    Some(turn) => {
                        turn.over = Some((start_ms, end_ms));
                        turn.asked_ms = turn.asked_ms.max(self.now_ms);
                        turn.stages.over = self.now_ms;
                    }
                    None => self.carry_on(Passing::Noise), // nobody wants to know what it was
                }
                self.settle_turn();
            }
        }
    }

    /// The turns of the caller, as their voice is followed. The reading of an utterance comes before its words.
    fn feel(&mut self, heard: &Heard) {
        let now = self.now_ms;
        let Some(live) = &mut self.live else { return };
        let feel = match heard {
            Heard::SpeechStarted => {
                live.began(now);
                None
            }
            Heard::Paused { start_ms, .. } => live.paused(now, *start_ms),
            Heard::Resumed => {
                live.resumed();
                None
            }
            Heard::Lasting { .. } | Heard::Unbroken { .. } => None,
            Heard::TurnEnded { .. } => return self.feel_whole(),
        };
        self.requests.extend(feel.map(Request::Feel));
    }

    fn feel_whole(&mut self) {
        let now = self.now_ms;
        let Some((reading, feel)) = self.live.as_mut().map(|live| live.over(now)) else { return };
        self.requests.extend(feel.map(Request::Feel));
        if let Some(reading) = reading {
            self.tell(Event::Emotion(reading));
        }
    }

    /// Somebody speaks: a prompt that may be interrupted waits, in silence, to hear what it is.
    fn speaks(&mut self) {
        let over = |saying: &Saying| saying.complete && saying.player.is_over();
        match &mut self.to_caller {
            Some(saying) if self.listening.is_some() && saying.interruptible && !over(saying) => {
                saying.player.pause();
                self.held = true;
            }
            _ if !std::mem::replace(&mut self.told, true) => self.tell(Event::SpeechStarted),
            _ => {}
        }
    }

    /// The prompt that waits goes on where it was.
    pub(super) fn carry_on(&mut self, because: Passing) {
        if self.release() {
            self.tell(Event::CarriedOn { because });
        }
    }

    /// Ends a prompt's waiting; false when none waits.
    pub(super) fn release(&mut self) -> bool {
        if let Some(saying) = &mut self.to_caller {
            saying.player.resume();
        }
        std::mem::take(&mut self.held)
    }

    /// It was words, or may be: the call decides what becomes of the prompt.
    pub(super) fn interrupt(&mut self) {
        if std::mem::take(&mut self.held) {
            self.told = true;
            self.tell(Event::SpeechStarted);
        }
        self.release(); // where the call lets it go on
    }

    /// Has a turn read, if the call wants to know what the caller says.
    fn read(&mut self, id: TurnId, audio: &Samples, end_ms: u64) {
        let gone = CancellationToken::new();
        if !self.request_reading(id, self.parts.rest(audio), gone.clone(), true) {
            return;
        }
        let asked_ms = self.now_ms;
        let stages = Stages { ended: end_ms, paused: asked_ms, ..Stages::default() };
        let wanted = gone.clone().drop_guard();
        let (audio, text, uncut, over, passed) = (audio.clone(), None, None, None, false);
        self.turn = Some(Turn { id, text, uncut, over, asked_ms, audio, passed, stages, gone, wanted });
    }

    /// Where the pause that cut a long turn in two may have been one within a word, its end is read once more in one
    /// piece. If there is no time for that, the call has what was read.
    fn read_uncut(&mut self) {
        if !self.parts.read() {
            return;
        }
        let Some(Turn { id, text: Some(tail), uncut: None, audio, gone, .. }) = &self.turn else { return };
        let (id, gone, uncut) = (*id, gone.clone(), self.parts.uncut(audio, tail));
        if let Some(audio) = uncut
            && self.request_reading(id, audio, gone, false)
            && let Some(turn) = &mut self.turn
        {
            turn.uncut = Some(None);
        }
    }

    /// False where the call does not want to know what the caller says.
    fn request_reading(&mut self, turn: TurnId, audio: Samples, gone: CancellationToken, needed: bool) -> bool {
        let Some((expect, language, hints)) = self.listening.clone() else { return false };
        let languages = self.languages.clone();
        self.requests.push(Request::Hear { turn, audio, language, hints, expect, languages, gone, needed });
        true
    }

    /// Somebody talks on and on, perhaps not to us.
    fn ask_what_goes_on(&mut self, id: TurnId, audio: Samples) {
        // Who is read in parts is the caller, and a message needs no understanding.
        if self.parts.has_words() || self.call.takes_message() {
            return self.listener.ask_again();
        }
        let gone = CancellationToken::new();
        let wanted = gone.clone().drop_guard();
        if self.request_reading(id, audio, gone, false) {
            let said = self.unbroken.take().map_or(String::new(), |unbroken| unbroken.said);
            self.unbroken = Some(Unbroken { asked: Some((id, wanted)), said });
        } else {
            self.listener.ask_again();
        }
    }

    /// A prompt does not wait for the end of what is nothing, and an answer does not wait for the end of what follows it.
    fn what_goes_on(&mut self, hearing: Result<Hearing, Unheard>) {
        // What is read of a pause is newer.
        let (Ok(hearing), None) = (hearing, &self.turn) else { return self.listener.ask_again() };
        match self.call.weigh(&hearing.text, hearing.confidence) {
            Weight::Nothing => self.dismiss(),
            Weight::Backchannel => {
                self.listener.ask_again();
                self.carry_on(Passing::Backchannel);
            }
            _ => {
                self.listener.ask_again();
                if self.held {
                    self.interrupt();
                }
                let Some(unbroken) = &mut self.unbroken else { return };
                let before = std::mem::replace(&mut unbroken.said, hearing.text.clone());
                let (before, said) = (Words::of(&before), Words::of(&hearing.text));
                if before.iter().map(|word| &word.text).eq(said.iter().map(|word| &word.text)) {
                    self.nothing_followed(hearing);
                }
            }
        }
    }

    /// What was taken for the caller's turn is other people's talk.
    fn dismiss(&mut self) {
        let unheard = self.told && !self.held;
        self.carry_on(Passing::Noise);
        if let Some(live) = &mut self.live {
            live.passed();
        }
        self.cut(unheard.then_some(Event::NotHeard));
    }

    /// The caller has said all this, and what followed is other people's talk.
    fn nothing_followed(&mut self, hearing: Hearing) {
        let (start_ms, end_ms) = (self.listener.turn_start_ms().unwrap_or(self.now_ms), self.now_ms);
        self.feel_whole();
        self.tell(Event::Heard(utterance(hearing, start_ms, end_ms)));
        self.cut(None);
    }

    /// Nothing more of the turn is to be heard but what stands out of the talk since: with that the caller begins anew.
    /// Where nothing does, the call is told so.
    fn cut(&mut self, nothing: Option<Event>) {
        let goes_on = self.listener.background();
        self.forget_turn();
        match nothing {
            _ if goes_on => self.follow(Heard::SpeechStarted),
            Some(event) => self.tell(event),
            None => {}
        }
    }

    /// A part of the turn that goes on was read.
    fn tell_part(&mut self, part: &Result<Hearing, Unheard>) {
        if let Ok(hearing) = part
            && !hearing.text.is_empty()
            && !self.masked
        {
            self.tell(Event::HeardPart { text: hearing.text.clone() });
        }
    }

    /// What is read of a turn that pauses may tell how long to wait for more, and what a prompt that waits is to do.
    fn weigh(&mut self) {
        let Some(Turn { id, text: Some(text), uncut, .. }) = &self.turn else { return };
        if !self.parts.read() {
            return;
        }
        let (id, text) = (*id, self.parts.with(text, uncut.as_ref().and_then(Option::as_ref)));
        let (weight, spells) = text.map_or((Weight::Nothing, false), |hearing| {
            (self.call.weigh(&hearing.text, hearing.confidence), self.call.spells(&hearing.text))
        });
        let meaning = match weight {
            Weight::Complete => Some(Meaning::Complete),
            Weight::Unfinished => Some(Meaning::Unfinished),
            Weight::Part => Some(Meaning::Part),
            _ => spells.then_some(Meaning::Unfinished),
        };
        let heard = self.listener.meaning(id, meaning);
        if self.held {
            match weight {
                Weight::Nothing if !matches!(heard, Some(Heard::TurnEnded { .. })) && self.goes_on_and_on() => {
                    return self.dismiss();
                }
                Weight::Nothing => self.pass(Passing::Noise),
                Weight::Backchannel => self.pass(Passing::Backchannel),
                _ => self.interrupt(),
            }
        }
        if let Some(heard) = heard {
            self.follow(heard);
        }
    }

    /// Too long for a cough.
    fn goes_on_and_on(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.audio.len() > LONG) && !self.call.takes_message()
    }

    /// The turn, as it stands, interrupts nothing and answers nothing.
    fn pass(&mut self, because: Passing) {
        if let Some(turn) = &mut self.turn {
            turn.passed = true;
        }
        self.carry_on(because);
    }

    /// A turn that is over and read goes to the call.
    fn settle_turn(&mut self) {
        let settled = |turn: &mut Turn| turn.text.is_some() && turn.over.is_some() && turn.uncut != Some(None);
        if !self.parts.read() {
            return;
        }
        let Some(turn) = self.turn.take_if(settled) else { return };
        let Turn { text: Some(text), uncut, over: Some((start_ms, end_ms)), passed, stages, .. } = turn else { return };
        let text = self.parts.with(&text, uncut.flatten().as_ref());
        self.parts.clear();
        if passed && !self.told {
            return;
        }
        self.unanswered = Some(Stages { told: self.now_ms, ..stages });
        self.tell(match text {
            Ok(hearing) if !hearing.text.is_empty() => Event::Heard(utterance(hearing, start_ms, end_ms)),
            _ => Event::NotHeard,
        });
    }

    /// What is being read of the turn is no longer wanted.
    pub(super) fn forget_turn(&mut self) {
        (self.turn, self.unbroken) = (None, None);
        self.parts.clear();
        self.listener.ask_again();
    }

    pub(super) fn stop_listening(&mut self) {
        self.listening = None;
        self.forget_turn();
        self.release();
    }

    /// The recogniser has had its time.
    pub(super) fn give_up_late_turn(&mut self) {
        let now = self.now_ms;
        let late = |turn: &mut Turn| turn.over.is_some() && now > turn.asked_ms + HEARING_LIMIT_MS;
        let Some(mut turn) = self.turn.take_if(late) else { return };
        if turn.text.is_some() && turn.uncut == Some(None) {
            turn.uncut = Some(Some(Err(Unheard)));
            self.turn = Some(turn);
            self.settle_turn();
        } else {
            self.parts.clear();
            match self.held {
                true => self.carry_on(Passing::Noise),
                false => self.tell(Event::NotHeard),
            }
        }
    }
}

fn utterance(hearing: Hearing, start_ms: u64, end_ms: u64) -> Utterance {
    Utterance {
        text: hearing.text,
        alternatives: hearing.alternatives,
        confidence: hearing.confidence,
        language: hearing.language.to_string(),
        start_ms,
        end_ms,
    }
}
