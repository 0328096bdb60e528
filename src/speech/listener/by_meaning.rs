//! What was understood at the pause decides before the silence does: an answer that can mean only one thing is taken
//! at once, half a number is waited for.

use super::Meaning;

/// A caller who goes on after less silence than this has not paused but breathed.
const AT_ONCE_MS: u32 = 256;
/// Time to look up the rest of a number.
const REST_MS: u32 = 1_500;

/// Ms of silence, from the ms asked so far and what the turn means as it stands.
pub fn adjusted_ms(needed_ms: u32, meaning: Option<Meaning>) -> u32 {
    match meaning {
        Some(Meaning::Complete) => needed_ms.min(AT_ONCE_MS),
        Some(Meaning::Unfinished) => needed_ms.max(REST_MS),
        None => needed_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_is_taken_and_half_a_number_waited_for() {
        assert_eq!(
            [None, Some(Meaning::Complete), Some(Meaning::Unfinished)].map(|m| adjusted_ms(640, m)),
            [640, 256, 1_500]
        );
        assert_eq!(adjusted_ms(192, Some(Meaning::Complete)), 192);
    }
}
