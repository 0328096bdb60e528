//! Brings together what is spread over files: a configuration, what it includes, and its flows.

use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::raw::{File, FlowRef};
use super::raw_flow::Flow;
use super::shape;
use super::tree::{At, Node, Source};

/// Files of one configuration.
const MAX_FILES: usize = 1000;

/// All files of a configuration.
pub(super) struct Gathered {
    /// The configuration and what it includes, outermost first.
    pub documents: Vec<Document<File>>,
    pub flow_files: Vec<Document<Flow>>,
    /// In the order of reading.
    pub files: Vec<PathBuf>,
    /// Every configuration file could be read at least in part.
    pub complete: bool,
    /// Every flow file could.
    pub flows_complete: bool,
}

/// A file: as it stands, and what of it is well-shaped.
pub(super) struct Document<T> {
    source: Source,
    whole: Node,
    sound: Node,
    pub read: T,
}

impl<T> Document<T> {
    /// Everything that was written, misshapen or not: for the names it defines.
    pub fn whole(&self) -> At<'_> {
        At::root(&self.source, &self.whole)
    }

    /// What `read` was read from: for places.
    pub fn sound(&self) -> At<'_> {
        At::root(&self.source, &self.sound)
    }
}

pub(super) fn gather(path: &Path, problems: &mut Vec<Problem>) -> Gathered {
    let mut gathered =
        Gathered { documents: vec![], flow_files: vec![], files: vec![], complete: true, flows_complete: true };
    gathered.config(path, None, problems);
    gathered
}

impl Gathered {
    /// Reads a configuration file and, below it, what it names. `named` is where it is named.
    fn config(&mut self, path: &Path, named: Option<At>, problems: &mut Vec<Problem>) {
        let Some(source) = self.open(path, named, problems) else {
            self.complete = false;
            return;
        };
        let Some(document) = document::<File>(source, &shape::CONFIG, problems) else {
            self.complete = false;
            return;
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let at = document.sound();
        let position = self.documents.len();
        for (include, at) in document.read.include.iter().zip(at.get("include").items()) {
            let path = folder.join(include);
            if !self.knows(&path) {
                self.config(&path, Some(at), problems);
            }
        }
        for (flow, at) in document.read.flows.iter().zip(at.get("flows").items()) {
            let FlowRef::File(file) = flow else { continue };
            let path = folder.join(file);
            if self.knows(&path) {
                continue;
            }
            let flow = self.open(&path, Some(at), problems).and_then(|source| document_of_flow(source, problems));
            match flow {
                Some(flow) => self.flow_files.push(flow),
                None => self.flows_complete = false,
            }
        }
        self.documents.insert(position, document);
    }

    fn open(&mut self, path: &Path, named: Option<At>, problems: &mut Vec<Problem>) -> Option<Source> {
        if self.files.len() == MAX_FILES {
            problems.extend(named.map(|at| at.problem(format!("more than {MAX_FILES} files"))));
            return None;
        }
        match Source::read(path) {
            Ok(source) => {
                self.files.push(path.to_owned());
                Some(source)
            }
            Err(problem) => {
                // A file that is not there is a mistake of the one that names it.
                problems.push(match named {
                    Some(at) if !path.exists() => Problem {
                        place: at.place(),
                        message: format!("there is no file {}", path.display()),
                        ..problem
                    },
                    _ => {
                        self.files.push(path.to_owned());
                        problem
                    }
                });
                None
            }
        }
    }

    /// Whether a file was read already: two ways to the same file are one.
    fn knows(&self, path: &Path) -> bool {
        let canonical = |path: &Path| path.canonicalize().ok();
        canonical(path).is_some_and(|path| self.files.iter().any(|file| canonical(file).as_ref() == Some(&path)))
    }
}

fn document_of_flow(source: Source, problems: &mut Vec<Problem>) -> Option<Document<Flow>> {
    document(source, &shape::FLOW, problems)
}

fn document<T: serde::de::DeserializeOwned>(
    source: Source,
    shape: &shape::Shape,
    problems: &mut Vec<Problem>,
) -> Option<Document<T>> {
    let whole = source.parse(problems)?;
    let mut sound = whole.clone();
    let read = shape.read(&source, &mut sound, problems)?;
    Some(Document { source, whole, sound, read })
}
