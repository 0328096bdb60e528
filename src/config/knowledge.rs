//! A knowledge base's folder: its pages and pairs, read in the order of their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::{Checker, beside};
use super::raw::Pairs;
use super::shape;
use super::tree::{At, Source};
use crate::dialog::passages::{Passage, markdown};

/// Passages of one base; each is looked at for every question.
const MOST: usize = 20_000;

impl Checker<'_> {
    /// The bases by name, and the files they were read from.
    pub(super) fn knowledge(&mut self) -> (BTreeMap<String, Vec<Passage>>, Vec<PathBuf>) {
        let (mut bases, mut files) = (BTreeMap::new(), Vec::new());
        for (name, raw, at) in self.section("knowledge", |file| &file.knowledge) {
            let at = at.get("folder");
            let passages = self.folder(&beside(at.file(), &raw.folder), at, &mut files);
            bases.insert(name.to_owned(), passages);
        }
        (bases, files)
    }

    fn folder(&mut self, folder: &Path, at: At, files: &mut Vec<PathBuf>) -> Vec<Passage> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let problem = at.problem(format!("the folder {} cannot be read: {error}", folder.display()));
                self.problems.push(problem.expected("a folder of `.md` pages and `.yaml` pairs"));
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let mut passages = Vec::new();
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            if !matches!(kind, "md" | "yaml" | "yml") {
                continue;
            }
            files.push(path.clone());
            match kind {
                "md" => match std::fs::read_to_string(&path) {
                    Ok(page) => passages.extend(markdown(&name, &page)),
                    Err(error) => self.problems.push(at.problem(format!("{} cannot be read: {error}", path.display()))),
                },
                _ => passages.extend(self.pairs(&path, &name)),
            }
        }
        if passages.is_empty() || passages.len() > MOST {
            let problem = at.problem(format!("{} holds {} answers", folder.display(), passages.len()));
            self.problems.push(problem.expected(format!("`.md` pages or `.yaml` pairs with 1 to {MOST} of them")));
        }
        passages
    }

    fn pairs(&mut self, path: &Path, name: &str) -> Vec<Passage> {
        let source = match Source::read(path) {
            Ok(source) => source,
            Err(problem) => {
                self.problems.push(problem);
                return Vec::new();
            }
        };
        let Some(mut node) = source.parse(self.problems) else { return Vec::new() };
        let read: Option<Pairs> = shape::PAIRS.read(&source, &mut node, self.problems);
        let pairs = read.map(|read| read.pairs).unwrap_or_default();
        let passages = pairs.into_iter().enumerate().map(|(at, pair)| Passage {
            source: format!("{name}#{}", at + 1),
            questions: pair.questions,
            answer: pair.answer.trim().to_owned(),
        });
        passages.collect()
    }
}
