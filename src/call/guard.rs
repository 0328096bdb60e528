//! Before a call hears of an event, its secrets are taken out: the call, its event log and all that either leads to never
//! hold them. What proves to be a secret only later is forgotten by `Event::Forget`.
//!
//! A log holds the events as the call was given them, so it replays the same; after a `Forget` it has lost what was
//! decided by, and may not.

use serde_json::Value;

use super::bot::Stage;
use super::keyed::keyed;
use super::state::{Call, Phase};
use super::{Action, Event, Note, Reply, TimerId, Utterance};
use crate::dialog::flow::{Flow, SlotKind, Step};
use crate::dialog::values::HIDDEN;
use crate::media::Key;
use crate::privacy::{Guard, Kind, Wanted, digits_of, issued_card, mask_part};

/// Steps looked ahead for the question that keys and words are meant for.
const AHEAD: usize = 10;

/// Digits of an answer whose kind does not say how many: fewer than a card has.
const ANY: (usize, usize) = (1, 12);

/// Stands before one call.
#[derive(Default)]
pub struct Shield {
    guard: Guard,
}

/// What the call may be told of an event.
#[derive(Debug, Default)]
pub struct Admitted {
    /// In this order.
    pub events: Vec<Event>,
    /// Kinds of what was taken out.
    pub found: Vec<Kind>,
    /// Sound to be silenced in the recording, ms of the call.
    pub blank: Option<(u64, u64)>,
}

impl Shield {
    /// `event` without secrets, as `call` may be told it at `now_ms`.
    pub fn admit(&mut self, call: &Call, now_ms: u64, event: Event) -> Admitted {
        let only = |event| Admitted { events: vec![event], ..Admitted::default() };
        match event {
            Event::Heard(utterance) => match call.asked() {
                Asked { secret: true, .. } => {
                    let blank = Some((utterance.start_ms, utterance.end_ms));
                    // Said ahead of the question, when nothing is masked yet.
                    let plain = |text: &String| if call.masked { text.clone() } else { mask_part(text) };
                    let alternatives = utterance.alternatives.iter().map(plain).collect();
                    let utterance = Utterance { text: plain(&utterance.text), alternatives, ..utterance };
                    Admitted { blank, ..only(Event::Heard(utterance)) } // the call and its log keep nothing of it
                }
                asked => self.heard(utterance, &asked.wanted, &asked.name()),
            },
            Event::Overheard { who, utterance } => {
                let text = mask_part(&utterance.text);
                only(Event::Overheard { who, utterance: Utterance { text, alternatives: Vec::new(), ..utterance } })
            }
            Event::HeardPart { text } => only(Event::HeardPart { text: mask_part(&text) }),
            Event::Key { key } => {
                let asked = call.asked();
                let keyed = self.guard.key(now_ms, key.as_char(), asked.keys || asked.secret, &asked.name());
                let forget = keyed.forget_since.map(|since_ms| Event::Forget { since_ms });
                let pass = keyed.pass.then_some(Event::Key { key });
                let events = forget.into_iter().chain(pass).collect();
                Admitted { events, found: keyed.found.into_iter().collect(), blank: keyed.blank }
            }
            // Keys that are too few for an answer may be many enough for a code: they decided nothing.
            Event::Timer { timer: TimerId::InterKey } if !call.asked().secret => {
                let since = self.guard.keys_came_to_nothing(now_ms).filter(|_| !call.keys_fit());
                let forget = since.map(|since_ms| Event::Forget { since_ms });
                Admitted { events: [event].into_iter().chain(forget).collect(), ..Admitted::default() }
            }
            Event::Replied { request, mut reply } => {
                if let Reply::Found(said) | Reply::Refused(said) = &mut reply {
                    hide_cards(said);
                }
                only(Event::Replied { request, reply })
            }
            event => only(event),
        }
    }

    fn heard(&mut self, utterance: Utterance, wanted: &Wanted, step: &str) -> Admitted {
        let readings: Vec<&str> =
            std::iter::once(&utterance.text).chain(&utterance.alternatives).map(String::as_str).collect();
        let spoken = self.guard.spoken(utterance.start_ms, utterance.end_ms, &readings, wanted, step);
        let forget = spoken.forget_since.map(|since_ms| Event::Forget { since_ms });
        let mut readings = spoken.readings.into_iter();
        let text = readings.next().unwrap_or_default(); // as many as were given
        let utterance = Utterance { text, alternatives: readings.collect(), ..utterance };
        let events = forget.into_iter().chain([Event::Heard(utterance)]).collect();
        Admitted { events, found: spoken.found, blank: spoken.blank }
    }
}

/// What a caller is being asked, as far as numbers go.
struct Asked<'a> {
    /// A secret: all of it is kept out by `Action::Mask`.
    secret: bool,
    wanted: Wanted,
    /// Keys are gathered to a number.
    keys: bool,
    step: &'a str,
    /// Which slot of a form: each is a question of its own.
    slot: Option<usize>,
}

impl Asked<'_> {
    /// The question's name, for nobody to read.
    fn name(&self) -> String {
        self.slot.map_or_else(|| self.step.to_owned(), |slot| format!("{}/{slot}", self.step))
    }
}

impl Call {
    /// The question that is asked, or that comes when the prompt is over.
    fn asked(&self) -> Asked<'_> {
        let nothing = Asked { secret: self.masked, wanted: Wanted::default(), keys: false, step: "", slot: None };
        if let Phase::Instead(instead) = &self.phase
            && instead.takes_number()
        {
            let wanted =
                Wanted { question: true, fits: lengths(&SlotKind::Phone).into_iter().collect(), known: vec![] };
            return Asked { wanted, keys: instead.gathers().is_some(), step: "callback", ..nothing };
        }
        let Phase::Bot(bot) = &self.phase else { return nothing };
        let mut name = match &bot.stage {
            Stage::Saying { next } => next.as_str(),
            _ => &bot.step,
        };
        for _ in 0..AHEAD {
            name = self.flow.after_deciding(name, &self.values, self.today());
            let Some(step) = self.flow.steps.get(name) else { return nothing };
            match step {
                Step::Say { next, .. } | Step::Disclose { next, .. } => name = next,
                Step::Ask(ask) => {
                    let lengths = lengths(&ask.kind);
                    let wanted =
                        Wanted { question: lengths.is_some(), fits: lengths.into_iter().collect(), known: vec![] };
                    let keys = lengths.is_some() && !matches!(bot.stage, Stage::Confirming { .. });
                    return Asked { secret: self.masked || ask.secret, wanted, keys, step: name, slot: None };
                }
                Step::Menu { .. } => {
                    let wanted = Wanted { known: known(&self.flow), ..Wanted::default() };
                    return Asked { wanted, step: name, ..nothing };
                }
                Step::Fetch(_)
                | Step::Decide { .. }
                | Step::Remember { .. }
                | Step::Experiment { .. }
                | Step::Hours { .. }
                | Step::Transfer(_)
                | Step::Callback(_)
                | Step::Message(_)
                | Step::HangUp { .. } => {
                    return Asked { step: name, ..nothing };
                }
                Step::Form(form) => {
                    let fits = form.slots.iter().filter_map(|slot| lengths(&slot.kind)).collect();
                    let wanted = Wanted { question: true, fits, known: vec![] };
                    let slot = if name == bot.step { bot.form.asked } else { None };
                    let asked = slot.and_then(|at| keyed(&form.slots.get(at)?.kind));
                    let keys = asked.is_some() && !matches!(bot.stage, Stage::Confirming { .. });
                    return Asked { wanted, keys, step: name, slot, ..nothing };
                }
            }
        }
        nothing
    }

    /// The keys gathered so far are an answer, or a wish for a person.
    fn keys_fit(&self) -> bool {
        if let Phase::Instead(instead) = &self.phase {
            return instead.gathers().unwrap_or(false);
        }
        let Phase::Bot(bot) = &self.phase else { return false };
        let fits = |&(min, max): &(usize, usize)| (min..=max).contains(&bot.keys.len());
        bot.keys.len() <= 1 || self.asked().wanted.fits.iter().any(fits)
    }

    /// What was said or keyed since then proved to be a secret.
    pub(super) fn forget(&mut self, since_ms: u64) {
        let mut lost = Vec::new();
        for entry in self.notes.iter_mut().filter(|entry| entry.at_ms >= since_ms) {
            match &mut entry.note {
                Note::Utterance(utterance) => {
                    utterance.text = mask_part(&utterance.text);
                    utterance.alternatives.clear();
                }
                Note::Part { text }
                | Note::Say { text }
                | Note::Overheard { text, .. }
                | Note::Message { text, .. } => *text = mask_part(text),
                Note::Slot { slot, value, .. } if digits_of(value).len() >= 3 => {
                    *value = HIDDEN.into();
                    lost.push(slot.clone());
                }
                Note::Dtmf { key } => *key = Key::new('1').expect("a telephone has a 1"),
                _ => {}
            }
        }
        if let Phase::Instead(instead) = &mut self.phase {
            instead.words.iter_mut().for_each(|words| *words = mask_part(words));
        }
        lost.iter().for_each(|slot| self.values.clear(slot));
        self.forget_given(&lost);
        self.act(Action::Forget { since_ms });
        self.forget_keys();
        if matches!(&self.phase, Phase::Bot(bot) if matches!(bot.stage, Stage::Confirming { .. })) {
            self.interrupt();
            let form = matches!(self.step(), Some(Step::Form(_)));
            if form { self.go_on_with_form() } else { self.ask_anew() } // asks again
        }
    }
}

/// How many digits a slot takes; none where it takes none. A kind that may hold a number in other words (a date, an
/// amount) takes any that is too short for a card.
fn lengths(kind: &SlotKind) -> Option<(usize, usize)> {
    match kind {
        SlotKind::YesNo | SlotKind::Free | SlotKind::List { .. } | SlotKind::Name { .. } => None,
        SlotKind::Digits { min, max } | SlotKind::Code { min, max } => Some((*min, *max)),
        SlotKind::Phone => Some((5, ANY.1)),
        SlotKind::StreetNumber => Some((1, 5)),
        SlotKind::Postcode { .. } => Some((3, 10)),
        SlotKind::Number { .. } | SlotKind::Date { .. } | SlotKind::Time | SlotKind::Money { .. } => Some(ANY),
    }
}

/// Lengths of the flow's numbers that may be said with a request: those that no secret of the flow may have.
fn known(flow: &Flow) -> Vec<(usize, usize)> {
    let asks = || flow.steps.values().filter_map(|step| if let Step::Ask(ask) = step { Some(ask) } else { None });
    let secrets: Vec<(usize, usize)> = asks().filter(|ask| ask.secret).filter_map(|ask| lengths(&ask.kind)).collect();
    let apart = |(min, max): &(usize, usize)| secrets.iter().all(|(from, to)| max < from || min > to);
    asks().filter(|ask| !ask.secret).filter_map(|ask| lengths(&ask.kind)).filter(apart).collect()
}

/// A backend's reply may hold a card number that nobody needs: what is to be told is its end.
fn hide_cards(reply: &mut Value) {
    let card = |digits: &str| digits.len() >= 13 && digits.bytes().all(|c| c.is_ascii_digit()) && issued_card(digits);
    match reply {
        Value::String(text) => {
            let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
            if card(&plain) {
                *text = HIDDEN.into();
            }
        }
        Value::Number(number) if card(&number.to_string()) => *reply = Value::String(HIDDEN.into()),
        Value::Array(items) => items.iter_mut().for_each(hide_cards),
        Value::Object(fields) => fields.values_mut().for_each(hide_cards),
        _ => {}
    }
}
