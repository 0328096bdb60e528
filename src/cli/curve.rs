//! The distress of a call as a picture of characters: one column a stretch of time, what was done about it below.

use std::fmt::Write as _;

use crate::call::{Entry, Note};

/// Columns of the widest picture.
const WIDTH: usize = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The picture, or nothing where nobody listened.
///
/// ```text
/// Sound (one column 2 s, to 1:10)
///   distress  ▁▁ ▂▁   ▁▂  ▇█ ▅
///   done                   C  T
///   0:42.1  C comfort: distress 0.81 over 2.2 s (pitch, 80th percentile; loudness)
/// ```
pub fn curve(timeline: &[Entry]) -> String {
    let end_ms = timeline.last().map_or(0, |entry| entry.at_ms);
    let readings: Vec<(u64, u64, f32)> = timeline
        .iter()
        .filter_map(|entry| match &entry.note {
            Note::Emotion(reading) => Some((reading.start_ms, reading.end_ms.max(1), reading.distress)),
            _ => None,
        })
        .collect();
    let worded = timeline.iter().any(|entry| matches!(entry.note, Note::Wording { .. } | Note::Reaction { .. }));
    if readings.is_empty() && !worded {
        return String::new();
    }
    let step_ms = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000]
        .into_iter()
        .find(|step| end_ms / step < WIDTH as u64)
        .unwrap_or(end_ms / WIDTH as u64 + 1);
    let columns = (end_ms / step_ms) as usize + 1;
    let column = |ms: u64| ((ms / step_ms) as usize).min(columns - 1);

    let mut voice = vec![None; columns];
    for (from, to, distress) in readings {
        // A later reading of the same speech knows more of it.
        voice[column(from)..=column(to - 1)].iter_mut().for_each(|at| *at = Some(distress));
    }
    let mut words = vec![None; columns];
    let mut done = vec![' '; columns];
    let mut reasons = String::new();
    for entry in timeline {
        match &entry.note {
            Note::Wording { score, .. } => words[column(entry.at_ms)] = Some(*score),
            Note::Reaction { reaction, why } => {
                let sign = reaction.name().chars().next().map_or('?', |c| c.to_ascii_uppercase());
                let at = &mut done[column(entry.at_ms)];
                *at = if *at == ' ' { sign } else { '*' };
                let _ = writeln!(reasons, "  {:>8}  {sign} {}: {}", clock(entry.at_ms), reaction.name(), why); // a String takes all
            }
            _ => {}
        }
    }
    let mut text = format!("\nSound (one column {} s, to {})\n", step_ms as f64 / 1e3, clock(end_ms));
    let mut row = |name: &str, line: String| {
        if !line.trim().is_empty() {
            let _ = writeln!(text, "  {name:<9} {}", line.trim_end()); // likewise
        }
    };
    row("distress", bars(&voice));
    row("words", bars(&words));
    row("done", done.into_iter().collect());
    text + &reasons
}

fn bars(values: &[Option<f32>]) -> String {
    let bar = |value: &Option<f32>| value.map_or(' ', |value| BARS[((value * 8.0) as usize).min(7)]);
    values.iter().map(bar).collect()
}

fn clock(ms: u64) -> String {
    format!("{}:{:02}.{}", ms / 60_000, ms / 1000 % 60, ms / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Reading;
    use crate::emotion::policy::{Care, Policy};

    #[test]
    fn the_curve_rises_where_the_caller_is_upset_and_shows_what_was_done() {
        let mut care = Care::new(Policy::default());
        let mut timeline = Vec::new();
        for (start_ms, distress) in [(2_000, 0.1), (10_000, 0.95), (20_000, 0.2)] {
            let end_ms = start_ms + 2_000;
            let reading = Reading { distress, start_ms, end_ms, speech_ms: 2_000, whole: true, ..Reading::default() };
            let outcome = care.sounded(&reading);
            timeline.push(Entry { seq: 0, at_ms: end_ms, note: Note::Emotion(reading) });
            for (reaction, why) in outcome.reactions {
                timeline.push(Entry { seq: 0, at_ms: end_ms, note: Note::Reaction { reaction, why: Box::new(why) } });
            }
        }
        let picture = curve(&timeline);
        let line = |name: &str| picture.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
        assert_eq!(
            line("distress ").trim_start(),
            "distress      ▁▁▁▁            ████                ▂▂▂▂",
            "{picture}"
        );
        assert!(line("done").ends_with('*'), "{picture}");
        assert!(picture.contains("C comfort: distress 0.8"), "{picture}");
    }

    #[test]
    fn a_call_nobody_listened_to_has_none() {
        assert_eq!(curve(&[Entry { seq: 0, at_ms: 0, note: Note::Silence }]), "");
    }
}
