//! The shape of steps that say nothing: they keep values, and choose ways. Doc comments here are their documentation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Word;

/// Keeps values under names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remember {
    /// Names of your choice, and what is kept under each: a word or number, a value (`"{account}"`), or a text with values in
    /// it. All of them are made of what was known before the step.
    #[schemars(length(min = 1))]
    pub remember: BTreeMap<String, Word>,
    /// The step that follows.
    pub next: String,
}

/// Takes callers different ways, by chance, to compare what comes of it. Whoever calls again from the same number goes the
/// same way.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The steps that may follow, each with its percent of the callers; they sum to 100.
    #[schemars(length(min = 2))]
    pub experiment: BTreeMap<String, Percent>,
}

/// 1 to 99.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Percent(#[schemars(range(min = 1, max = 99))] pub u8);

/// Goes on by what is known.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The cases, in order; the first that holds leads on.
    #[schemars(length(min = 1))]
    pub decide: Vec<Case>,
    /// The step that follows when none holds.
    pub otherwise: String,
}

/// One case of a decision: a condition, and where it leads.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct Case {
    #[serde(flatten)]
    pub when: Condition,
    /// The step that follows.
    pub next: String,
}

/// A value and one test of it; or one of `all`, `any`, `not`.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct Condition {
    /// The name of the value.
    #[serde(rename = "if")]
    pub variable: Option<String>,
    /// It is exactly this; capitals do not count.
    pub is: Option<Word>,
    /// It is anything but this.
    pub is_not: Option<Word>,
    /// It is one of these.
    #[serde(rename = "in")]
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Word>>,
    /// It is known (`true`) or not known (`false`).
    pub known: Option<bool>,
    /// It is a number above this, or an amount of money: `100` in any currency, `100 EUR` in this one.
    pub above: Option<Word>,
    /// It is a number or an amount below this.
    pub below: Option<Word>,
    /// It is a number or an amount of this or more.
    pub at_least: Option<Word>,
    /// It is a number or an amount of this or less.
    pub at_most: Option<Word>,
    /// It is a date before this one: `2026-12-25`, `today`, `today+30`.
    pub before: Option<Word>,
    /// It is a date after this one.
    pub after: Option<Word>,
    /// All of these hold.
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Condition>>,
    /// One of these holds, or more.
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Condition>>,
    /// This does not hold.
    pub not: Option<Box<Condition>>,
}
