//! Silence that ends a turn, by what was asked and by how finished it sounds: an answer of one word ends sooner than a
//! story, a sentence that hangs in the air is waited for. Strings of digits come in groups with breath between them and
//! have no melody, and each part of an order sounds finished: only the turn model's doubt counts there.
//!
//! Chosen on 588 recorded prompts and sentences in six languages; what comes of the table on any recordings tells
//! `benches/turns.rs`.

use crate::dialog::Expect;

/// Silence after which the turn model judges, ms: it hears the end of a sentence better with some silence after it.
pub const JUDGED_MS: [u32; 2] = [192, 320];
/// The first time it waits this long for the text: on two cores reading and judging at once hold up both, and what is
/// read may make its word needless.
pub const READ_FIRST_MS: u32 = 352;
/// It hears little new in less silence than this.
pub const JUDGED_AGAIN_MS: u32 = 128;

/// From these probabilities on a turn is over, sounds finished, rather finished, rather not; below the last it does not.
const SOUNDS: [f32; 4] = [0.97, 0.9, 0.5, 0.2];

/// What is longer than an order with all its pauses is one in other people's talk, which has few as long as that.
pub const ORDER_MS: u32 = 8_000;

/// Ms of silence, by the probability that the turn is over, if there is one yet; without one, with care. `spoken_ms`:
/// the turn up to the pause.
pub fn needed_ms(expect: &Expect, probability: Option<f32>, spoken_ms: u32) -> u32 {
    let by_sound = match expect {
        Expect::YesNo | Expect::Confirm { .. } => [224, 256, 352, 512, 704],
        Expect::Choice { .. } => [288, 320, 416, 608, 832],
        Expect::Values { several: true, .. } if spoken_ms < ORDER_MS => [640, 640, 640, 640, 896],
        Expect::Request | Expect::Values { .. } => [288, 320, 448, 640, 896],
        Expect::Free => [352, 384, 480, 640, 960],
        Expect::Digits { .. } => [704, 704, 704, 704, 1_056],
        Expect::Code { .. } => [800, 800, 800, 800, 1_216],
    };
    by_sound[probability.map_or(3, |p| SOUNDS.iter().take_while(|&&from| p < from).count())]
}

/// A word of the turn model, the first or another, could change the wait.
pub fn worth_judging(expect: &Expect, probability: Option<f32>, spoken_ms: u32) -> bool {
    let parts = match expect {
        Expect::Digits { .. } | Expect::Code { .. } => true,
        Expect::Values { several, .. } => *several && spoken_ms < ORDER_MS,
        _ => false,
    };
    probability.is_none_or(|p| !parts && p < SOUNDS[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_shortens_and_doubt_lengthens() {
        let free = |p| needed_ms(&Expect::Free, p, 3_000);
        assert!(free(Some(0.97)) < free(Some(0.7)) && free(Some(0.7)) < free(None));
        assert!(free(Some(0.05)) > free(Some(0.3)) && free(Some(0.3)) == free(None));
    }

    #[test]
    fn parts_that_sound_finished_are_no_sentences() {
        let order = Expect::Values { lists: Vec::new(), several: true };
        for parts in [Expect::Digits { min: 4, max: 10 }, order.clone()] {
            assert_eq!(needed_ms(&parts, Some(0.99), 3_000), needed_ms(&parts, None, 3_000));
            assert!(needed_ms(&parts, Some(0.01), 3_000) > needed_ms(&parts, None, 3_000));
        }
        assert!(needed_ms(&order, Some(0.99), 9_000) < needed_ms(&order, Some(0.99), 3_000));
    }
}
