//! Telephone numbers as they are compared: one number is written in many ways.

/// Its letters and digits, without a leading `+` or `00`: `+44 20 7123-4567` and `00442071234567` are `442071234567`.
pub fn comparable(number: &str) -> String {
    let kept: String = number.chars().filter(|c| c.is_alphanumeric()).collect();
    kept.strip_prefix("00").map(str::to_owned).unwrap_or(kept)
}
