//! What the turn model's probability does to the silence: a sentence that sounds finished ends sooner, one that hangs
//! in the air waits longer. Whole prompts scored .92 to .99, prompts cut in the middle .04 to .94: only what is above
//! .95 counts as finished, and the model never decides alone.

use crate::dialog::Expect;

/// Ms of silence, from the ms that `by_silence` asks and the probability that the turn is over, if there is one.
pub fn adjusted_ms(needed_ms: u32, probability: Option<f32>, expect: &Expect) -> u32 {
    let Some(p) = probability else { return needed_ms };
    // It was trained on sentences: on digits and codes only its doubt counts.
    let sentences = matches!(expect, Expect::Free | Expect::Choice { .. } | Expect::YesNo);
    let percent = match p {
        p if p >= 0.95 && sentences => 50,
        p if p < 0.1 => 200,
        p if p < 0.3 => 150,
        _ => 100,
    };
    needed_ms * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_shortens_and_doubt_lengthens() {
        let free = |p| adjusted_ms(800, p, &Expect::Free);
        assert!(free(Some(0.97)) < free(None) && free(Some(0.7)) == free(None));
        assert!(free(Some(0.05)) > free(Some(0.2)) && free(Some(0.2)) > free(Some(0.5)));
    }

    #[test]
    fn digits_are_no_sentences() {
        let digits = Expect::Digits { min: 4, max: 10 };
        assert_eq!(adjusted_ms(640, Some(0.99), &digits), 640);
        assert!(adjusted_ms(640, Some(0.01), &digits) > 640);
    }
}
