//! Why a call is more than a call, by what is known of it: the caller's number, what they chose, what their words and voice
//! say. Pure; `live` tells the floor.

use std::collections::{BTreeMap, BTreeSet};

use crate::acd::Reason;
use crate::call::Note;
use crate::config::{Config, Escalation};
use crate::dialog::flow::is_among;
use crate::emotion::words::WordSignKind;

pub struct Reasons {
    rules: BTreeMap<Reason, Escalation>,
    found: BTreeSet<Reason>,
}

impl Reasons {
    /// Of a call by this number, if it is shown.
    pub fn new(config: &Config, number: Option<&str>) -> Self {
        Self::of(config.escalate.clone(), number)
    }

    fn of(rules: BTreeMap<Reason, Escalation>, number: Option<&str>) -> Self {
        let theirs = |rule: &Escalation| number.is_some_and(|number| is_among(&rule.numbers, number));
        let found = rules.iter().filter(|(_, rule)| theirs(rule)).map(|(reason, _)| *reason).collect();
        Self { rules, found }
    }

    pub fn found(&self) -> &BTreeSet<Reason> {
        &self.found
    }

    /// What this line of the timeline shows that was not known before.
    pub fn follow(&mut self, note: &Note) -> Vec<Reason> {
        let shows = |(reason, rule): (&Reason, &Escalation)| match note {
            Note::Intent { chosen: Some(intent), .. } => rule.intents.contains(intent),
            Note::Mood(mood) => *reason == Reason::Distress && mood.upset,
            Note::Wording { signs, .. } => {
                let of = |kind| rule.words && signs.iter().any(|sign| sign.kind == kind);
                match reason {
                    Reason::Complaint => of(WordSignKind::Complaint),
                    Reason::Fraud => of(WordSignKind::Fraud),
                    Reason::Vip | Reason::Distress => false,
                }
            }
            _ => false,
        };
        let news = self.rules.iter().filter(|rule| shows(*rule)).map(|(reason, _)| *reason);
        let news: Vec<Reason> = news.filter(|reason| !self.found.contains(reason)).collect();
        self.found.extend(&news);
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::policy::Mood;
    use crate::emotion::words::WordSign;

    fn reasons(number: Option<&str>) -> Reasons {
        let rule = |numbers: &[&str], intents: &[&str], words| Escalation {
            numbers: numbers.iter().map(|&number| number.to_owned()).collect(),
            intents: intents.iter().map(|&intent| intent.to_owned()).collect(),
            words,
            ..Escalation::default()
        };
        let rules = [
            (Reason::Vip, rule(&["+44207*"], &[], false)),
            (Reason::Distress, rule(&[], &[], false)),
            (Reason::Complaint, rule(&[], &[], true)),
            (Reason::Fraud, rule(&[], &["stolen"], false)),
        ];
        Reasons::of(rules.into(), number)
    }

    #[test]
    fn each_reason_is_found_by_its_own_signs_and_told_once() {
        let mut reasons = reasons(Some("+44 207 946"));
        assert_eq!(*reasons.found(), [Reason::Vip].into());
        let intent = |name: &str| Note::Intent { chosen: Some(name.into()), scores: vec![] };
        let words = |kind| Note::Wording { score: 0.4, signs: vec![WordSign { kind, words: "joke".into() }] };
        let mood = |upset| Note::Mood(Mood { upset, since_ms: 0, level: 0.8 });
        assert_eq!(reasons.follow(&intent("balance")), []);
        assert_eq!(reasons.follow(&intent("stolen")), [Reason::Fraud]);
        assert_eq!(reasons.follow(&intent("stolen")), [], "it is known");
        assert_eq!(reasons.follow(&words(WordSignKind::Fraud)), [], "its words do not count");
        assert_eq!(reasons.follow(&words(WordSignKind::Complaint)), [Reason::Complaint]);
        assert_eq!(reasons.follow(&mood(false)), []);
        assert_eq!(reasons.follow(&mood(true)), [Reason::Distress]);
        assert_eq!(reasons.found().len(), 4);
    }

    #[test]
    fn who_withholds_the_number_is_nobody_dear() {
        assert!(reasons(None).found().is_empty());
        assert!(reasons(Some("+49307946")).found().is_empty());
    }
}
