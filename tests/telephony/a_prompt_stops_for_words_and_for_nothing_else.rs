//! Barging in, heard by the real models: words stop a prompt at once and for good; a hum, a knock and the prompt's own
//! echo do not, and it is heard to its end.

use crate::common;
use common::heard::{Heard, fixture, interrupted, noted};
use frontdesk::call::Note;
use frontdesk::media::Sound;

const FLOW: &str = r#"language: en
person: { queue: desk }
silence_s: 2
start: tell
steps:
  tell:
    say: Our branches are open from Monday to Friday, from nine in the morning until five in the afternoon, and on Saturday until noon.
    next: more
  more: { ask: Anything else?, slot: more, type: free, next: bye }
  bye: { hang_up: Goodbye. }
"#;

#[tokio::test]
async fn a_prompt_stops_for_words_and_for_nothing_else() {
    let house = Heard::by(FLOW).await;
    let undisturbed = house.call(&[], &[]).await.heard.samples.len();

    // Words.
    let call = house.call(&[(2_000, &fixture("asterisk/en-pls-hold-while-try.wav"))], &[]).await;
    assert!(interrupted(&call) && noted(&call, |note| matches!(note, Note::Utterance(_))), "{:#?}", call.timeline);
    let frames: Vec<bool> = call.heard.samples.chunks(160).map(|f| f.iter().any(|s| s.unsigned_abs() > 30)).collect();
    let quiet = (100..frames.len()).find(|&at| frames[at..].iter().take(15).all(|loud| !loud)).unwrap_or(frames.len());
    assert!(quiet * 20 < 2_000 + 300, "the prompt fell silent at {} ms", quiet * 20);

    // Attention: it falls silent for a moment, and goes on.
    let hum = house.says("en", "Uh-huh.").await;
    let call = house.call(&[(2_000, &hum)], &[]).await;
    assert!(!interrupted(&call), "{:#?}", call.timeline);
    assert!(noted(&call, |note| matches!(note, Note::CarriedOn { .. })), "{:#?}", call.timeline);
    assert!(call.heard.samples.len() > undisturbed, "nothing of the prompt is lost");

    // A knock is no voice at all.
    let knock: Vec<i16> = (0..2_400i32).map(|n| ((n * 7_919 % 401 - 200) * 80 / (1 + n / 150)) as i16).collect();
    let call = house.call(&[(2_000, &Sound { rate: 8_000, samples: knock })], &[]).await;
    assert!(!interrupted(&call), "{:#?}", call.timeline);

    // The prompt heard back, a tenth as loud, early and late.
    for late in [400, 2_300] {
        let call = house.call(&[], &[(late, 0.08), (late + 300, -0.04), (late + 700, 0.02)]).await;
        let held = |note: &Note| matches!(note, Note::CarriedOn { .. } | Note::Interrupted);
        assert!(!noted(&call, held), "{late}: {:#?}", call.timeline);
        assert_eq!(call.heard.samples.len(), undisturbed);
    }
    // And words through it.
    let call =
        house.call(&[(2_500, &fixture("asterisk/en-pls-hold-while-try.wav"))], &[(1_200, 0.08), (1_700, -0.04)]).await;
    assert!(interrupted(&call), "{:#?}", call.timeline);
}
