//! The longer a turn has become, the shorter the pause that ends it: the recogniser hears 30 s at most, and a turn cut
//! at any pause is better than one cut in a word.

use super::ListenerSettings;

/// Ms of silence, from the ms asked so far and the length of the turn.
pub fn adjusted_ms(needed_ms: u32, length_ms: u32, settings: &ListenerSettings) -> u32 {
    let late = settings.longest_ms / 4 * 3;
    if length_ms >= late { needed_ms.min(settings.pause_ms) } else { needed_ms }
}
