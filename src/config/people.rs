//! Who callers are: a table read line by line, or a backend that is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::check::{Checker, beside};
use super::flows::is_variable;
use super::problem::{Place, Problem};
use super::raw_backends as raw;
use super::tree::At;
use crate::call::comparable;
use crate::dialog::values::{BUILT_IN, VERIFIED, at};

/// People of one table, and bytes of it.
const MOST: usize = 100_000;
const LARGEST: u64 = 64 * 1024 * 1024;
/// Mistakes of a table that are told.
const TOLD: usize = 20;
const TIMEOUT: Duration = Duration::from_millis(1000);

/// What is known of callers, and from where.
#[derive(Clone, Debug, PartialEq)]
pub struct People {
    pub source: PeopleFrom,
    /// The names under which it is known.
    pub names: BTreeSet<String>,
    /// The one that is added to a queue's priority.
    pub priority: Option<String>,
    country_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PeopleFrom {
    Table(Arc<Table>),
    Backend {
        backend: String,
        /// Name <- JSON pointers, as in a fetch step.
        save: BTreeMap<String, String>,
        timeout: Duration,
    },
}

/// People by their number.
#[derive(Default, PartialEq)]
pub struct Table(HashMap<String, BTreeMap<String, String>>);

impl std::fmt::Debug for Table {
    // Personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({} people)", self.0.len())
    }
}

impl People {
    /// What the table knows of whoever calls from this number; nothing where a backend is asked.
    pub fn in_table(&self, number: &str) -> BTreeMap<String, String> {
        let PeopleFrom::Table(table) = &self.source else { return BTreeMap::new() };
        let number = plain(number, self.country_code.as_deref());
        table.0.get(&number).cloned().unwrap_or_default()
    }

    /// What a backend's reply says of whoever calls; what it lacks is not known.
    pub fn in_reply(&self, reply: &Value) -> BTreeMap<String, String> {
        let PeopleFrom::Backend { save, .. } = &self.source else { return BTreeMap::new() };
        let known = save.iter().filter_map(|(name, place)| Some((name.clone(), at(place, reply)??)));
        known.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// A number with its country's code, where it is written for use within the country.
fn plain(number: &str, country_code: Option<&str>) -> String {
    let number = number.trim();
    let national = number.strip_prefix('0').filter(|rest| !rest.starts_with('0'));
    match (national, country_code) {
        (Some(rest), Some(code)) => comparable(&format!("{code}{rest}")),
        _ => comparable(number),
    }
}

impl Checker<'_> {
    /// And the file that it was read from.
    pub(super) fn people(&mut self) -> (Option<People>, Option<PathBuf>) {
        let Some((raw, at)) = self.single("people", |file| file.people.as_ref()) else { return (None, None) };
        let country_code = raw.country_code.as_ref().map(|code| code.0.trim_start_matches('+').to_owned());
        if country_code
            .as_ref()
            .is_some_and(|code| !(1..=3).contains(&code.len()) || !code.bytes().all(|c| c.is_ascii_digit()))
        {
            let problem = at.get("country_code").problem("this is no country's calling code");
            self.problems.push(problem.expected("one to three digits, such as `44`"));
        }
        for name in raw.save.keys() {
            self.known_name(name, at.get("save").place_of(name));
        }
        let (source, names, file) = match (&raw.file, &raw.backend) {
            (Some(file), None) => {
                if raw.timeout_ms.is_some() {
                    let problem = Problem::new(at.place_of("timeout_ms"), "a table is not waited for");
                    self.problems.push(problem.expected("`timeout_ms` with `backend`").remedy("leave it out"));
                }
                let path = beside(at.file(), file);
                let (table, names) = self.table(raw, &path, country_code.as_deref(), at);
                (PeopleFrom::Table(Arc::new(table)), names, Some(path))
            }
            (None, Some(backend)) => {
                let known = self.names("backends");
                self.resolve("backend", backend, at.get("backend"), &known);
                for (name, place) in raw.save.iter().filter(|(_, place)| !place.starts_with('/')) {
                    let problem = at.get("save").get(name).problem(format!("\"{place}\" is no place in a reply"));
                    self.problems
                        .push(problem.expected("a JSON pointer, such as `/name`").remedy(format!("write `/{place}`")));
                }
                if raw.save.is_empty() {
                    let problem = Problem::new(at.place_of("backend"), "nothing is kept of the reply");
                    self.problems.push(problem.expected("names and places: `save: { name: /name }`"));
                }
                let timeout = raw.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
                let source = PeopleFrom::Backend { backend: backend.clone(), save: raw.save.clone(), timeout };
                (source, raw.save.keys().cloned().collect(), None)
            }
            (both, _) => {
                let found = if both.is_some() { "people come from one place" } else { "people come from nowhere" };
                self.problems.push(at.problem(found).expected("`file` or `backend`"));
                return (None, None);
            }
        };
        if let Some(name) = raw.priority.as_ref().filter(|name| !names.contains(*name)) {
            let problem = at.get("priority").problem(format!("nothing is known as `{name}`"));
            let problem = problem.expected("the name of a value that is kept");
            self.problems.push(problem.suggest(name, names.iter().map(String::as_str)));
        }
        (Some(People { source, names, priority: raw.priority.clone(), country_code }), file)
    }

    fn known_name(&mut self, name: &str, place: Place) {
        if !is_variable(name) || BUILT_IN.contains(&name) || name == VERIFIED {
            let problem = Problem::new(place, format!("\"{name}\" cannot be the name of what is known of a caller"));
            let problem =
                problem.expected("letters, digits and `_`, beginning with a letter, and no name that every call has");
            self.problems.push(problem.remedy("give it another under `save`"));
        }
    }

    fn table(
        &mut self,
        raw: &raw::People,
        path: &Path,
        country_code: Option<&str>,
        at: At,
    ) -> (Table, BTreeSet<String>) {
        let mut table = Table::default();
        let at = at.get("file");
        let size = std::fs::metadata(path).map(|file| file.len());
        if size.as_ref().is_ok_and(|size| *size > LARGEST) {
            let problem = at.problem(format!("{} is larger than {} MiB", path.display(), LARGEST >> 20));
            self.problems.push(problem.expected(format!("a table of {MOST} people at most")));
            return (table, BTreeSet::new());
        }
        let mut reader = match csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path) {
            Ok(reader) => reader,
            Err(error) => {
                let problem = at.problem(format!("{} cannot be read: {error}", path.display()));
                self.problems.push(problem.expected("a table in CSV"));
                return (table, BTreeSet::new());
            }
        };
        // What stands in a line is personal: only its number is told.
        let place = |line: u64| Place {
            file: Arc::new(path.to_owned()),
            line: line as usize,
            column: 1,
            length: 1,
            source: "".into(),
        };
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect(),
            Err(_) => {
                self.problems.push(Problem::new(place(1), "this is no table").expected("names of columns, in UTF-8"));
                return (table, BTreeSet::new());
            }
        };
        let key = raw.key.as_deref().unwrap_or("number");
        let column = |problems: &mut Vec<Problem>, name: &str, at: At| {
            let found = header.iter().position(|column| column == name);
            if found.is_none() {
                let problem = at.problem(format!("{} has no column `{name}`", path.display()));
                problems
                    .push(problem.expected("one of its first line").suggest(name, header.iter().map(String::as_str)));
            }
            found
        };
        let Some(numbers) = column(self.problems, key, at) else { return (table, BTreeSet::new()) };
        let mut columns: Vec<(String, usize)> = Vec::new();
        for (name, from) in &raw.save {
            columns.extend(column(self.problems, from, at).map(|column| (name.clone(), column)));
        }
        if raw.save.is_empty() {
            let others = header.iter().enumerate().filter(|(column, _)| *column != numbers);
            columns.extend(others.map(|(column, name)| (name.clone(), column)));
            for (name, _) in &columns {
                self.known_name(name, place(1));
            }
        }
        let mut problems = Vec::new();
        for row in reader.records() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    problems.push(
                        Problem::new(place(line), "this line is no row of the table")
                            .expected(format!("{} columns, in UTF-8", header.len())),
                    );
                    continue;
                }
            };
            let line = row.position().map_or(1, csv::Position::line);
            let number = plain(row.get(numbers).unwrap_or_default(), country_code);
            let value = |column: usize| row.get(column).filter(|value| !value.is_empty()).map(str::to_owned);
            let person = columns.iter().filter_map(|(name, column)| Some((name.clone(), value(*column)?)));
            let person: BTreeMap<String, String> = person.collect();
            if let Some(given) = raw.priority.as_ref().and_then(|name| person.get(name))
                && !given.parse::<i32>().is_ok_and(|given| (-100..=100).contains(&given))
            {
                problems.push(
                    Problem::new(place(line), "this priority is none").expected("a whole number from -100 to 100"),
                );
            }
            if number.is_empty() {
                problems.push(Problem::new(place(line), "this line has no telephone number").expected("one in each"));
            } else if table.0.insert(number, person).is_some() {
                problems.push(Problem::new(place(line), "this number stands in an earlier line").expected("each once"));
            }
            if table.0.len() > MOST {
                problems
                    .push(Problem::new(place(line), "these are too many people").expected(format!("{MOST} at most")));
                break;
            }
            if problems.len() >= TOLD {
                break;
            }
        }
        self.problems.extend(problems);
        (table, columns.into_iter().map(|(name, _)| name).collect())
    }
}
