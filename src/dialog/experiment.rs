//! Which way of an experiment a caller goes: by a hash of who calls and which step it is, so that whoever calls again goes the
//! same way, and two experiments part their callers independently.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// The way for `who`. `ways` have percents that sum to 100.
pub fn way<'a>(ways: &'a BTreeMap<String, u8>, step: &str, who: &str) -> Option<&'a str> {
    let hash = Sha256::new().chain_update(step).chain_update([0]).chain_update(who).finalize();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut left = (number % 100) as u8; // 2^64 is no multiple of 100; that favours some by less than 10^-17
    for (way, percent) in ways {
        match left.checked_sub(*percent) {
            Some(less) => left = less,
            None => return Some(way),
        }
    }
    ways.keys().next_back().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_keeps_a_way_and_the_percents_hold() {
        let ways = BTreeMap::from([("new".to_owned(), 10), ("none".to_owned(), 0), ("old".to_owned(), 90)]);
        let way = |step: &str, caller: u32| super::way(&ways, step, &format!("+4420712{caller:05}")).unwrap();
        let new = (0..10_000).filter(|caller| way("greeting", *caller) == "new").count();
        // Four standard deviations of a binomial.
        assert!((880..=1_120).contains(&new), "{new}");
        assert!((0..10_000).all(|caller| way("greeting", caller) != "none"));
        assert!((0..100).all(|caller| way("greeting", caller) == way("greeting", caller)));
        let both =
            (0..10_000).filter(|caller| way("greeting", *caller) == "new" && way("offer", *caller) == "new").count();
        assert!((50..=150).contains(&both), "independent of another step: {both}");
    }
}
