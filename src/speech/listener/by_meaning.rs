//! What was understood at the pause decides before the silence does: an answer that can mean only one thing is taken
//! at once, half a number is waited for.

use super::Meaning;
use super::by_silence::ORDER_MS;

/// A caller who goes on after less silence than this has not paused but breathed.
const AT_ONCE_MS: u32 = 256;
/// Time to look up the rest of a number.
const REST_MS: u32 = 1_500;
/// Time to think of what else was asked for: a day, an hour and a place.
const NEXT_MS: u32 = 896;

/// Ms of silence, from the ms asked so far and what the turn, of `spoken_ms` so far, means as it stands.
pub fn adjusted_ms(needed_ms: u32, meaning: Option<Meaning>, spoken_ms: u32) -> u32 {
    match meaning {
        Some(Meaning::Complete) => needed_ms.min(AT_ONCE_MS),
        Some(Meaning::Unfinished) => needed_ms.max(REST_MS),
        Some(Meaning::Part) if spoken_ms < ORDER_MS => needed_ms.max(NEXT_MS),
        Some(Meaning::Part) | None => needed_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_is_taken_and_half_a_number_waited_for() {
        let meanings = [None, Some(Meaning::Complete), Some(Meaning::Unfinished), Some(Meaning::Part)];
        assert_eq!(meanings.map(|m| adjusted_ms(640, m, 3_000)), [640, 256, 1_500, 896]);
        assert_eq!(adjusted_ms(192, Some(Meaning::Complete), 3_000), 192);
        assert_eq!(adjusted_ms(320, Some(Meaning::Part), 9_000), 320, "other people's talk");
    }
}
