//! Silence that ends a turn, by what was asked: an answer of one word ends sooner than a story. Strings of digits
//! come in groups with breath between them, so they get more than a yes.

use crate::dialog::Expect;

/// Ms of silence.
pub fn needed_ms(expect: &Expect) -> u32 {
    match expect {
        Expect::YesNo => 416,
        Expect::Choice { .. } => 480,
        Expect::Digits { .. } => 640,
        Expect::Code { .. } => 720,
        Expect::Free => 720,
    }
}
