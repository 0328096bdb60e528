//! Silence that ends a turn, by what was asked and by how finished it sounds: an answer of one word ends sooner than a
//! story, a sentence that hangs in the air is waited for. Strings of digits come in groups with breath between them and
//! have no melody: only the turn model's doubt counts there.
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

/// Ms of silence, by the probability that the turn is over, if there is one yet; without one, with care.
pub fn needed_ms(expect: &Expect, probability: Option<f32>) -> u32 {
    let by_sound = match expect {
        Expect::YesNo | Expect::Confirm { .. } => [224, 256, 352, 512, 704],
        Expect::Choice { .. } => [288, 320, 416, 608, 832],
        Expect::Request | Expect::Values { .. } => [288, 320, 448, 640, 896],
        Expect::Free => [352, 384, 480, 640, 960],
        Expect::Digits { .. } => [704, 704, 704, 704, 1_056],
        Expect::Code { .. } => [800, 800, 800, 800, 1_216],
    };
    by_sound[probability.map_or(3, |p| SOUNDS.iter().take_while(|&&from| p < from).count())]
}

/// A word of the turn model, the first or another, could change the wait.
pub fn worth_judging(expect: &Expect, probability: Option<f32>) -> bool {
    let sentences = !matches!(expect, Expect::Digits { .. } | Expect::Code { .. });
    probability.is_none_or(|p| sentences && p < SOUNDS[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_shortens_and_doubt_lengthens() {
        let free = |p| needed_ms(&Expect::Free, p);
        assert!(free(Some(0.97)) < free(Some(0.7)) && free(Some(0.7)) < free(None));
        assert!(free(Some(0.05)) > free(Some(0.3)) && free(Some(0.3)) == free(None));
    }

    #[test]
    fn digits_are_no_sentences() {
        let digits = Expect::Digits { min: 4, max: 10 };
        assert_eq!(needed_ms(&digits, Some(0.99)), needed_ms(&digits, None));
        assert!(needed_ms(&digits, Some(0.01)) > needed_ms(&digits, None));
    }
}
