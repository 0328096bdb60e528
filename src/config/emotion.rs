//! The operator's emotion policy, from what is written to what `emotion::policy` works with.

use super::problem::Problem;
use super::raw::{EmotionOrOff, Reaction as When, ReactionOrOff, Voice};
use super::tree::At;
use crate::emotion::policy::{Policy, Reaction, Rule};
use crate::emotion::trend::Threshold;
use crate::emotion::words::Lists;

/// None is off. What is not given is as in `Policy::default`.
pub(super) fn policy(raw: &EmotionOrOff, at: At, problems: &mut Vec<Problem>) -> Option<Policy> {
    let EmotionOrOff::Policy(raw) = raw else { return None };
    let mut policy = Policy::default();
    if let Some(Voice { distress, for_s }) = &raw.upset {
        policy.upset = threshold(*distress, *for_s);
    }
    let reactions = [
        (Reaction::Comfort, &raw.comfort),
        (Reaction::Shorter, &raw.shorter),
        (Reaction::Priority, &raw.priority),
        (Reaction::Offer, &raw.offer),
        (Reaction::Alert, &raw.alert),
        (Reaction::Transfer, &raw.transfer),
    ];
    for (reaction, given) in reactions {
        match given {
            None => {}
            Some(ReactionOrOff::Off(_)) => drop(policy.rules.remove(&reaction)),
            Some(ReactionOrOff::When(When { distress, for_s, words })) => {
                let at = at.get(reaction.name());
                if distress.is_none() && words.is_none() {
                    let problem = at.problem(format!("it is not said when `{}` comes", reaction.name()));
                    problems.push(problem.expected("`distress`, `words` or both, or `off`"));
                } else if distress.is_none() && for_s.is_some() {
                    let problem = Problem::new(at.place_of("for_s"), "`for_s` without `distress`");
                    problems.push(problem.expected("a `distress` that lasts so long").remedy("remove it"));
                }
                let sound = distress.map(|distress| threshold(distress, *for_s));
                policy.rules.insert(reaction, Rule { sound, words: words.map(|words| words as f32) });
            }
        }
    }
    policy.raise = raw.raise.unwrap_or(policy.raise);
    if let Some(words) = &raw.words {
        let at = at.get("words");
        let lists = [
            ("complaint", &words.complaint),
            ("swearing", &words.swearing),
            ("threat", &words.threat),
            ("fraud", &words.fraud),
            ("superior", &words.superior),
        ];
        for (name, list) in lists {
            for (words, at) in list.iter().zip(at.get(name).items()) {
                if words.trim().is_empty() {
                    problems.push(at.problem("a phrase is empty").expected("words that callers say"));
                }
            }
        }
        policy.lists = Lists {
            complaint: words.complaint.clone(),
            swearing: words.swearing.clone(),
            threat: words.threat.clone(),
            fraud: words.fraud.clone(),
            superior: words.superior.clone(),
        };
    }
    Some(policy)
}

fn threshold(distress: f64, for_s: Option<f64>) -> Threshold {
    Threshold { distress: distress as f32, for_ms: (for_s.unwrap_or(0.0) * 1_000.0).round() as u32 }
}
