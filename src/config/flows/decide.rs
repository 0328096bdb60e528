//! Steps that say nothing: what is remembered, decisions and their conditions, experiments.

use std::str::FromStr;

use super::super::raw::Word;
use super::super::raw_decide as raw;
use super::super::tree::At;
use super::Checker;
use crate::dialog::flow::{Branch, Condition, Day, Limit, Step, Test};

/// A test by its key, what it compares with, and what is made of that.
type Compared<'r, T> = (&'static str, &'r Option<Word>, fn(T) -> Test);

impl Checker<'_, '_> {
    pub(super) fn remember(&mut self, step: &raw::Remember, at: At) -> Step {
        for name in step.remember.keys() {
            self.variable(name, at.get("remember").place_of(name));
        }
        let values = step.remember.iter().map(|(name, template)| (name.clone(), template.0.clone())).collect();
        Step::Remember { values, next: step.next.clone() }
    }

    pub(super) fn experiment(&mut self, step: &raw::Experiment, at: At) -> Step {
        let sum: u32 = step.experiment.values().map(|percent| u32::from(percent.0)).sum();
        if sum != 100 {
            let problem = at.get("experiment").problem(format!("these percents sum to {sum}"));
            self.problems.push(problem.expected("100"));
        }
        Step::Experiment { ways: step.experiment.iter().map(|(to, percent)| (to.clone(), percent.0)).collect() }
    }

    pub(super) fn decide(&mut self, step: &raw::Decide, at: At) -> Step {
        let cases = step.decide.iter().zip(at.get("decide").items());
        let branches = cases.filter_map(|(case, at)| {
            let when = self.condition(&case.when, at, "this case")?;
            Some(Branch { when, next: case.next.clone() })
        });
        Step::Decide { branches: branches.collect(), otherwise: step.otherwise.clone() }
    }

    fn condition(&mut self, raw: &raw::Condition, at: At, what: &str) -> Option<Condition> {
        let tests = self.tests(raw, at)?;
        let parts = [("all", raw.all.is_some()), ("any", raw.any.is_some()), ("not", raw.not.is_some())];
        let parts: Vec<&str> = parts.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        let found = match (parts.as_slice(), &raw.variable, tests.as_slice()) {
            ([], Some(variable), [test]) => {
                return Some(Condition::Value { variable: variable.clone(), test: test.clone() });
            }
            (["all"], None, []) => return Some(Condition::All { all: self.each(raw.all.as_ref()?, at.get("all"))? }),
            (["any"], None, []) => return Some(Condition::Any { any: self.each(raw.any.as_ref()?, at.get("any"))? }),
            (["not"], None, []) => {
                let not = Box::new(self.condition(raw.not.as_ref()?, at.get("not"), "this condition")?);
                return Some(Condition::Not { not });
            }
            ([], None, [_]) => "tests no value",
            ([], _, []) => "tests nothing",
            _ => "tests more than one thing",
        };
        let expected = match found {
            "tests no value" => "`if: NAME`",
            "tests nothing" => {
                "`if` and one test: `is`, `is_not`, `in`, `known`, `above`, `below`, `at_least`, `at_most`, `before`, \
                `after`; or one of `all`, `any`, `not`"
            }
            _ => "one test; several in `all` or `any`",
        };
        self.problems.push(at.problem(format!("{what} {found}")).expected(expected));
        None
    }

    fn each(&mut self, raw: &[raw::Condition], at: At) -> Option<Vec<Condition>> {
        let each = raw.iter().zip(at.items()).map(|(one, at)| self.condition(one, at, "this condition"));
        let each: Vec<Option<Condition>> = each.collect(); // each is looked at
        each.into_iter().collect()
    }

    /// None where one of them makes no sense.
    fn tests(&mut self, raw: &raw::Condition, at: At) -> Option<Vec<Test>> {
        const NUMBER: &str = "a number, or an amount of money such as `100 EUR`";
        const DAY: &str = "a day: `2026-12-25`, `today`, `today+30`";
        let limits: [Compared<Limit>; 4] = [
            ("above", &raw.above, Test::Above),
            ("below", &raw.below, Test::Below),
            ("at_least", &raw.at_least, Test::AtLeast),
            ("at_most", &raw.at_most, Test::AtMost),
        ];
        let days: [Compared<Day>; 2] = [("before", &raw.before, Test::Before), ("after", &raw.after, Test::After)];
        let plain = [
            raw.is.as_ref().map(|word| Test::Is(word.0.clone())),
            raw.is_not.as_ref().map(|word| Test::IsNot(word.0.clone())),
            raw.one_of.as_ref().map(|words| Test::In(words.iter().map(|word| word.0.clone()).collect())),
            raw.known.map(|known| if known { Test::Set } else { Test::NotSet }),
        ];
        let limits = limits.map(|(key, word, test)| Some(self.read(word.as_ref()?, at.get(key), NUMBER).map(test)));
        let days = days.map(|(key, word, test)| Some(self.read(word.as_ref()?, at.get(key), DAY).map(test)));
        plain.into_iter().map(|test| test.map(Some)).chain(limits).chain(days).flatten().collect()
    }

    fn read<T: FromStr>(&mut self, word: &Word, at: At, expected: &str) -> Option<T> {
        let read = word.0.parse().ok();
        if read.is_none() {
            self.problems.push(at.problem(format!("\"{}\" cannot be compared with", word.0)).expected(expected));
        }
        read
    }
}
