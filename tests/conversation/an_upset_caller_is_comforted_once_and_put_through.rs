//! What a caller's distress leads to in a conversation, by the policy that is built in: a kind word once, a shorter
//! question, a better place, the offer of a person, a person; each with its reasons. And what leads to nothing: one
//! loud word, a line without a policy, a caller who does not want it.

use crate::script;
use frontdesk::call::*;
use frontdesk::dialog::flow::{Disclosed, Flow, Step};
use frontdesk::emotion::policy::{By, Policy, Reaction};
use frontdesk::emotion::words::WordSignKind;
use script::{Script, flows};

const COMFORT: &str = "I can hear that this is upsetting";
const OFFER: &str = "If you'd rather talk to a person, just say yes.";

fn cared_for(flow: Flow) -> Flow {
    Flow { emotion: Some(Policy::default()), ..flow }
}

fn bank() -> Script {
    Script::new(cared_for(flows::bank()))
}

/// Speaks for so long in a voice of this distress, and then these words are read in it.
fn sounds(call: &mut Script, distress: f32, speech_ms: u32, words: &str) {
    call.quiet();
    call.now += 200;
    call.tell(Event::SpeechStarted);
    let start_ms = call.now;
    let sign = Sign { name: "pitch, mean".into(), deviation: 2.5, weight: 1.0 };
    for heard in (1_000..=speech_ms).step_by(1_000).chain([speech_ms]) {
        call.now = start_ms + u64::from(heard);
        let signs = if distress > 0.5 { vec![sign.clone()] } else { vec![] };
        let whole = heard == speech_ms;
        let (end_ms, speech_ms) = (call.now, heard);
        call.tell(Event::Emotion(Reading {
            distress,
            speech_ms,
            signs,
            start_ms,
            end_ms,
            whole,
            ..Reading::default()
        }));
    }
    match words {
        "" => call.tell(Event::NotHeard),
        words => call.murmurs(words, 0.9),
    };
}

fn reactions(call: &Script) -> Vec<Reaction> {
    let reaction = |note: &Note| match note {
        Note::Reaction { reaction, .. } => Some(*reaction),
        _ => None,
    };
    call.notes().filter_map(reaction).collect()
}

fn priority(call: &Script) -> Option<i32> {
    call.actions.iter().rev().find_map(|action| match action {
        Action::Queue(QueueRequest::Enter { priority, .. }) => Some(*priority),
        _ => None,
    })
}

pub fn assert_replays(call: &Script) {
    let again = replay_log(call.flow.clone(), &call.lines);
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&call.lines).unwrap());
}

#[test]
fn a_clear_outburst_brings_a_kind_word_a_short_question_and_an_offer_once() {
    let mut call = bank();
    sounds(&mut call, 0.1, 2_000, "opening hours");
    call.quiet();
    assert_eq!(reactions(&call), []);
    sounds(&mut call, 0.95, 2_500, "what is this nobody tells me anything");
    let said = call.last_said();
    assert!(said.starts_with(COMFORT) && said.contains(OFFER), "{said}");
    assert!(said.ends_with("What can I do for you?"), "the menu's first sentence alone: {said}");
    assert_eq!(reactions(&call), [Reaction::Comfort, Reaction::Shorter, Reaction::Priority, Reaction::Offer]);

    sounds(&mut call, 0.2, 2_500, "my balance");
    call.wait(30_000);
    let comforts = call.said().iter().filter(|said| said.contains(COMFORT)).count();
    assert_eq!(comforts, 1, "once, not every turn: {:#?}", call.said());
    assert_replays(&call);
}

#[test]
fn every_reaction_says_why() {
    let mut call = bank();
    sounds(&mut call, 0.95, 2_500, "what is going on");
    let why = call.notes().find_map(|note| match note {
        Note::Reaction { reaction: Reaction::Comfort, why } => Some(why.clone()),
        _ => None,
    });
    let why = why.unwrap();
    assert_eq!(why.by, By::Sound);
    assert!(why.level >= 0.7 && why.for_ms >= 800, "{why:?}");
    assert_eq!(why.signs[0].name, "pitch, mean");
    assert!(!why.readings.is_empty());
    assert!(why.to_string().contains("pitch, mean"), "{why}");
}

#[test]
fn a_yes_to_the_offer_is_enough_and_the_place_is_better() {
    let mut call = bank();
    sounds(&mut call, 0.95, 2_500, "what is going on");
    call.says("yes please");
    assert_eq!((call.queue(), priority(&call)), (Some("service"), Some(10)));
    let mut call = bank();
    sounds(&mut call, 0.95, 2_500, "opening hours");
    call.says("no");
    assert_eq!(call.queue(), None, "the question is asked again");
    call.says("yes");
    assert_eq!(call.queue(), None, "a later yes means nothing here");
}

#[test]
fn lasting_distress_leads_to_a_person_when_the_turn_is_over_and_the_summary_names_it() {
    let mut call = bank();
    sounds(&mut call, 0.1, 2_000, "");
    call.wait(1_000);
    sounds(&mut call, 0.95, 4_500, "this does not work this does not work at all");
    assert_eq!((call.queue(), priority(&call)), (Some("service"), Some(10)));
    assert!(call.last_said().starts_with(COMFORT), "{}", call.last_said());
    assert!(!call.last_said().contains(OFFER), "they are on their way");
    let alerts = call.count(|action| matches!(action, Action::Alert { .. }));
    assert_eq!(alerts, 1);
    let since = call.facts(FactKind::Sounded);
    assert!(since[0].starts_with("caller sounds upset since 0:"), "{since:?}");
    let summary = summarise(&call.flow, call.call.timeline());
    assert!(summary.headline().ends_with("upset"), "{}", summary.headline());
    assert!(summary.briefing().text().starts_with("The caller sounds upset."), "{}", summary.briefing().text());
    assert_replays(&call);
}

#[test]
fn the_summary_is_in_the_callers_language() {
    let mut call = Script::new(cared_for(flows::parcel()));
    sounds(&mut call, 0.95, 2_500, "我的快递呢");
    assert!(call.last_said().starts_with("我听得出来您很着急"), "{}", call.last_said());
    let since = call.facts(FactKind::Sounded);
    assert!(since[0].starts_with("客户从0:") && since[0].ends_with("起情绪激动"), "{since:?}");
    assert!(summarise(&call.flow, call.call.timeline()).headline().ends_with("情绪激动"));
}

#[test]
fn one_loud_word_changes_nothing() {
    let mut call = bank();
    sounds(&mut call, 0.1, 2_000, "opening hours");
    sounds(&mut call, 0.99, 450, "balance");
    call.wait(5_000);
    assert_eq!(reactions(&call), []);
    assert_eq!(call.facts(FactKind::Sounded), ["calm"]);
}

#[test]
fn words_alone_are_a_reason_and_a_score_of_their_own() {
    let mut call = bank();
    sounds(&mut call, 0.1, 2_000, "this is ridiculous I will call my lawyer");
    let wording = call.notes().find_map(|note| match note {
        Note::Wording { score, signs } => Some((*score, signs.clone())),
        _ => None,
    });
    let (score, signs) = wording.unwrap();
    assert!(score >= 0.5 && signs.iter().any(|sign| sign.kind == WordSignKind::Threat), "{score} {signs:?}");
    assert!(reactions(&call).contains(&Reaction::Comfort));
    assert_eq!(call.facts(FactKind::Sounded), ["calm"], "the voice was");
}

#[test]
fn where_nobody_is_there_the_conversation_goes_on() {
    let mut call = bank();
    sounds(&mut call, 0.95, 6_000, "what is going on here");
    assert_eq!(call.queue(), Some("service"));
    call.tell(Event::NobodyThere);
    assert!(call.finished().is_none());
    let said = call.last_said();
    assert!(said.contains("none of my colleagues") && said.ends_with("What can I do for you?"), "{said}");
    sounds(&mut call, 0.95, 6_000, "opening hours");
    assert!(call.finished().is_none() && call.last_said().contains("nine to five"), "{}", call.last_said());
    assert_replays(&call);
}

#[test]
fn an_upset_caller_who_falls_silent_is_not_let_go() {
    let mut call = bank();
    sounds(&mut call, 0.95, 2_500, "");
    call.wait(60_000);
    assert_eq!(call.queue(), Some("service"));
    assert!(call.notes().any(|note| matches!(note, Note::PersonWanted { reason } if reason == "the caller is upset")));
}

#[test]
fn who_waits_already_is_moved_forward() {
    let mut call = bank();
    call.says("agent");
    let at = call.now;
    let reading =
        Reading { distress: 0.95, speech_ms: 2_500, start_ms: at, end_ms: at, whole: true, ..Reading::default() };
    call.tell(Event::Emotion(reading));
    assert_eq!(call.count(|action| *action == Action::Queue(QueueRequest::Raise { priority: 10 })), 1);
    assert!(!reactions(&call).contains(&Reaction::Comfort), "they are not talking to us");
}

#[test]
fn a_line_without_a_policy_does_nothing_with_it() {
    let mut call = Script::new(flows::bank());
    assert_eq!(call.count(|action| matches!(action, Action::Analyse { .. })), 0);
    sounds(&mut call, 0.95, 6_000, "this is ridiculous I will call my lawyer");
    assert_eq!(reactions(&call), []);
    assert!(!call.said().iter().any(|said| said.contains(COMFORT)));
}

/// The bank, which tells callers about it before its menu.
fn discloses() -> Script {
    let mut flow = cared_for(flows::bank());
    let say = flows::en("A computer listens to how you sound. Say no, or press star, if you don't want that.");
    flow.steps.insert(
        "tell".into(),
        Step::Disclose { say, of: [Disclosed::Emotion].into(), key: Some('*'), next: "menu".into() },
    );
    if let Some(Step::Say { next, .. }) = flow.steps.get_mut("greeting") {
        *next = "tell".into();
    }
    assert_eq!(frontdesk::dialog::check(&flow), []);
    Script::new(flow)
}

fn analysed(call: &Script) -> Vec<bool> {
    let on = |action: &Action| match action {
        Action::Analyse { on } => Some(*on),
        _ => None,
    };
    call.actions.iter().filter_map(on).collect()
}

#[test]
fn nothing_is_analysed_before_the_caller_was_told() {
    let mut call = discloses();
    let early = Reading { distress: 0.99, speech_ms: 3_000, whole: true, ..Reading::default() };
    call.tell(Event::Emotion(early));
    assert_eq!((analysed(&call), reactions(&call)), (vec![], vec![]));
    call.wait(12_000);
    assert!(call.said().iter().any(|said| said.contains("listens to how you sound")));
    assert_eq!(analysed(&call), [true]);
    sounds(&mut call, 0.99, 2_000, "");
    assert!(reactions(&call).contains(&Reaction::Comfort));
}

#[test]
fn a_caller_may_refuse_in_words_or_by_the_key_while_told_or_just_after() {
    let menu = "What can I do for you?";
    type Refusal = fn(&mut Script);
    let ways: [Refusal; 4] = [
        |call| {
            call.wait(2_000).interrupts("no thank you");
        },
        |call| {
            call.wait(2_000).presses("*");
        },
        |call| {
            call.says("no");
        },
        |call| {
            call.says("please don't analyse my voice");
        },
    ];
    for (n, refuse) in ways.into_iter().enumerate() {
        let mut call = discloses();
        refuse(&mut call);
        call.quiet();
        assert!(call.notes().any(|note| *note == Note::EmotionRefused), "way {n}: {:#?}", call.said());
        assert!(call.last_said().starts_with("All right, your voice will not be analysed."), "{}", call.last_said());
        assert!(call.last_said().contains(menu), "way {n}");
        assert!(!analysed(&call).last().copied().unwrap_or(false), "way {n}");
        sounds(&mut call, 0.99, 6_000, "this is ridiculous I will call my lawyer");
        assert_eq!(reactions(&call), [], "way {n}");
        assert!(!call.notes().any(|note| matches!(note, Note::Emotion(_) | Note::Wording { .. })), "way {n}");
        assert_replays(&call);
    }
}

#[test]
fn who_asks_before_being_told_is_answered_and_told() {
    let mut call = discloses();
    call.interrupts("opening hours");
    let said = call.last_said();
    assert!(said.contains("listens to how you sound") && said.contains("nine to five"), "{said}");
    assert!(analysed(&call).is_empty(), "they are being told");
    call.quiet();
    assert_eq!(analysed(&call), [true]);
    let mut call = discloses();
    call.presses("2");
    assert!(call.last_said().ends_with("Shall I block your card now?"), "{}", call.last_said());
    assert!(call.last_said().contains("listens to how you sound"));
}

#[test]
fn a_no_to_a_question_of_the_flow_refuses_nothing() {
    let mut call = discloses();
    call.says("lost card").says("no");
    assert!(!call.notes().any(|note| *note == Note::EmotionRefused));
}

#[test]
fn where_nothing_is_analysed_nothing_is_disclosed() {
    let mut flow = flows::bank();
    let say = flows::en("A computer listens to how you sound.");
    flow.steps
        .insert("tell".into(), Step::Disclose { say, of: [Disclosed::Emotion].into(), key: None, next: "menu".into() });
    if let Some(Step::Say { next, .. }) = flow.steps.get_mut("greeting") {
        *next = "tell".into();
    }
    let mut call = Script::new(flow);
    call.wait(20_000);
    assert!(!call.said().iter().any(|said| said.contains("listens")), "{:?}", call.said());
}
