//! What pages see of a call's timeline and summary: without the figures that no agent reads. (Secrets are in neither.)

use serde_json::{Value, json};

use crate::call::{Entry, Note, Reading, Summary};

/// A line of the story, or nothing where it tells an agent nothing.
pub fn line(entry: &Entry) -> Option<Value> {
    let note = match &entry.note {
        Note::Say { text } => json!({ "event": "say", "text": text }),
        Note::Utterance(said) => json!({ "event": "utterance", "text": said.text, "at_ms": said.start_ms }),
        Note::Emotion(Reading { distress, start_ms, end_ms, whole, .. }) => {
            json!({ "event": "emotion", "distress": distress, "start_ms": start_ms, "end_ms": end_ms, "whole": whole })
        }
        Note::Intent { chosen, .. } => json!({ "event": "intent", "chosen": chosen.as_ref()? }),
        Note::Interrupted
        | Note::Overheard { .. }
        | Note::Dtmf { .. }
        | Note::Language { .. }
        | Note::Choice { .. }
        | Note::Slot { .. }
        | Note::Reply { .. }
        | Note::Mood(_)
        | Note::EmotionRefused
        | Note::RecordingRefused
        | Note::AnsweredFrom { .. }
        | Note::PersonWanted { .. }
        | Note::Transfer { .. }
        | Note::AgentRinging { .. }
        | Note::AgentFailed { .. }
        | Note::AgentAnswered { .. }
        | Note::Connected { .. }
        | Note::AgentLeft { .. }
        | Note::TransferAsked { .. }
        | Note::TransferRefused { .. }
        | Note::TransferFailed { .. }
        | Note::DeskStep { .. }
        | Note::DeskStepOver { .. }
        | Note::ThirdJoined { .. }
        | Note::ThirdLeft { .. }
        | Note::Supervised { .. }
        | Note::Ended { .. } => serde_json::to_value(&entry.note).ok()?,
        Note::Reaction { reaction, .. } => json!({ "event": "reaction", "reaction": reaction.name() }),
        _ => return None,
    };
    let mut line = json!({ "seq": entry.seq, "at_ms": entry.at_ms });
    let (Value::Object(line_map), Value::Object(note)) = (&mut line, note) else { return None };
    line_map.extend(note);
    Some(line)
}

pub fn summary(summary: &Summary) -> Value {
    let facts: Vec<_> =
        summary.facts.iter().map(|fact| json!({ "kind": fact.kind, "text": fact.text, "seq": fact.entry })).collect();
    json!({ "headline": summary.headline(), "language": summary.language, "facts": facts })
}
