//! What must be kept nowhere, found in what callers say and key: card numbers, PINs and codes, ids, telephone numbers.
//!
//! `numbers` reads digits and number words (English, Mandarin, Spanish digits) with their places, `kinds` knows what a
//! number is by its digits, `mask` decides which ones a text must not show, `guard` follows one caller across turns and
//! keys, `scrub` takes out afterwards what proved to be a secret only later. Pure: no clock, no I/O.

mod guard;
mod kinds;
mod mask;
mod numbers;
mod scrub;

pub use guard::{Guard, Keyed, Spoken};
pub use kinds::{Kind, card_number, china_id, issued_card, kind_of, luhn};
pub use mask::{Carried, Masked, Wanted, mask, mask_line, mask_part};
pub use numbers::digits_of;
pub use scrub::scrub;
