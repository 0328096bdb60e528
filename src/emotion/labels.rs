//! Labelled recordings: a table of tab-separated lines with a heading, one recording a line. `file`, `speaker` and
//! `emotion` are needed; `corpus`, `language`, `gender`, `text` and `split` are used where they are. Files are found
//! relative to the table. What agents correct during calls is written in this form too.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use super::Class;

/// One recording and what was heard in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// In the table, from 1.
    pub line: usize,
    pub file: PathBuf,
    /// `recordings` when the table has no such column.
    pub corpus: String,
    pub speaker: String,
    pub class: Class,
    /// These are empty when not told.
    pub language: String,
    pub gender: String,
    /// Which sentence is spoken: any name that is the same for the same words.
    pub text: String,
    /// `train` or `dev`, or whatever the table says.
    pub split: String,
}

impl Label {
    /// Who speaks, over all corpora.
    pub fn person(&self) -> String {
        format!("{}/{}", self.corpus, self.speaker)
    }
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error("cannot read {path}: {source}", path = .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Mistakes(Mistakes),
}

/// Everything that is wrong with a table, with its lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistakes {
    path: PathBuf,
    /// Line and what is wrong there.
    pub all: Vec<(usize, String)>,
}

/// Shown of them; a table with a wrong column has one in every line.
const SHOWN: usize = 20;

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (line, what)) in self.all.iter().take(SHOWN).enumerate() {
            write!(f, "{}{}:{line}: {what}", if n > 0 { "\n" } else { "" }, self.path.display())?;
        }
        match self.all.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more mistakes"),
        }
    }
}

const NEEDED: [&str; 3] = ["file", "speaker", "emotion"];
const KNOWN: [&str; 8] = ["file", "speaker", "emotion", "corpus", "language", "gender", "text", "split"];

/// Reads a table; all its mistakes are told at once. Empty lines and lines that begin with `#` are passed over, unknown
/// columns too. Every file must be there.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Label>, LabelError> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| LabelError::Io { path: path.into(), source })?;
    let mistakes = |all| LabelError::Mistakes(Mistakes { path: path.into(), all });
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        mistakes(vec![(line, "this is not UTF-8 text; save the table as UTF-8".into())])
    })?;
    let mut lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.trim_end_matches('\r')))
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let Some((number, heading)) = lines.next() else {
        return Err(mistakes(vec![(1, "the table is empty".into())]));
    };
    let columns = columns(heading).map_err(|what| mistakes(vec![(number, what)]))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut labels, mut wrong) = (Vec::new(), Vec::new());
    let mut seen: HashMap<PathBuf, usize> = HashMap::new();
    for (number, line) in lines {
        match label(number, line, &columns, folder) {
            Err(what) => wrong.push((number, what)),
            Ok(label) => match seen.insert(label.file.clone(), number) {
                Some(before) => wrong.push((number, format!("the same file stands in line {before}"))),
                None if !label.file.is_file() => {
                    wrong.push((number, format!("there is no file {}", label.file.display())));
                }
                None => labels.push(label),
            },
        }
    }
    if wrong.is_empty() && labels.is_empty() {
        wrong.push((number, "there is no recording below the heading".into()));
    }
    if wrong.is_empty() { Ok(labels) } else { Err(mistakes(wrong)) }
}

/// Where each known column stands.
fn columns(heading: &str) -> Result<BTreeMap<&'static str, usize>, String> {
    let names: Vec<String> = heading.split('\t').map(|name| name.trim().to_lowercase()).collect();
    let mut columns = BTreeMap::new();
    for name in KNOWN {
        let mut at = names.iter().enumerate().filter(|(_, found)| *found == name).map(|(at, _)| at);
        if let Some(first) = at.next() {
            columns.insert(name, first);
        }
        if at.next().is_some() {
            return Err(format!("the heading names the column `{name}` twice"));
        }
    }
    let missing: Vec<String> =
        NEEDED.into_iter().filter(|name| !columns.contains_key(name)).map(|name| format!("`{name}`")).collect();
    if missing.is_empty() {
        return Ok(columns);
    }
    let tabs = if heading.contains('\t') { "" } else { " (columns are parted by tabs)" };
    Err(format!("the heading lacks {}; it must name at least file, speaker and emotion{tabs}", missing.join(" and ")))
}

fn label(line: usize, text: &str, columns: &BTreeMap<&'static str, usize>, folder: &Path) -> Result<Label, String> {
    let cells: Vec<&str> = text.split('\t').map(str::trim).collect();
    let cell = |name: &str| columns.get(name).and_then(|&at| cells.get(at)).copied().unwrap_or("");
    if let Some(empty) = NEEDED.into_iter().find(|name| cell(name).is_empty()) {
        return Err(match columns[empty] {
            at if at >= cells.len() => {
                format!("no `{empty}`: the line has {} columns, `{empty}` is number {}", cells.len(), at + 1)
            }
            _ => format!("the `{empty}` is empty"),
        });
    }
    let corpus = if cell("corpus").is_empty() { "recordings" } else { cell("corpus") };
    Ok(Label {
        line,
        file: folder.join(cell("file")),
        corpus: corpus.into(),
        speaker: cell("speaker").into(),
        class: class(cell("emotion"))?,
        language: cell("language").into(),
        gender: cell("gender").into(),
        text: cell("text").into(),
        split: cell("split").into(),
    })
}

fn class(name: &str) -> Result<Class, String> {
    Class::parse(&name.to_lowercase()).ok_or_else(|| {
        let known: Vec<&str> = Class::ALL.into_iter().map(Class::name).chain(["calm"]).collect();
        // Nouns and other corpora's words lie near: anger, fearful, happiness, surprised.
        let near = known
            .iter()
            .map(|known| (strsim::jaro_winkler(known, &name.to_lowercase()), known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.8)
            .map_or(String::new(), |(_, known)| format!("; did you mean `{known}`?"));
        format!("`{name}` is no emotion known here{near} (known: {})", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> (tempfile::TempDir, Result<Vec<Label>, LabelError>) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "b.wav", "c.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::write(folder.path().join("labels.tsv"), text).unwrap();
        let read = read(folder.path().join("labels.tsv"));
        (folder, read)
    }

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        match table(text).1 {
            Err(LabelError::Mistakes(mistakes)) => mistakes.all,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn three_columns_are_enough_in_any_order() {
        let (folder, labels) =
            table("emotion\tfile\tspeaker\r\n\r\n# a remark\r\nangry\ta.wav\tanna\r\nCalm\tb.wav\tbob\r\n");
        let labels = labels.unwrap();
        assert_eq!(labels.len(), 2);
        assert_eq!((labels[0].line, labels[0].class, labels[0].speaker.as_str()), (4, Class::Angry, "anna"));
        assert_eq!(labels[0].file, folder.path().join("a.wav"));
        assert_eq!((labels[1].class, labels[1].person().as_str()), (Class::Neutral, "recordings/bob"));
        assert_eq!((labels[1].language.as_str(), labels[1].split.as_str()), ("", ""));
    }

    #[test]
    fn more_columns_are_used_and_unknown_ones_passed_over() {
        let text = "\u{feff}corpus\tlanguage\tfile\tspeaker\tgender\temotion\ttext\tsplit\tjudge\n\
                    calls\ten\ta.wav\ts1\tf\tfear\thello\tdev\tx\n";
        let labels = table(text).1.unwrap();
        let label = &labels[0];
        assert_eq!((label.corpus.as_str(), label.language.as_str(), label.gender.as_str()), ("calls", "en", "f"));
        assert_eq!((label.text.as_str(), label.split.as_str(), label.class), ("hello", "dev", Class::Fear));
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_the_remedy() {
        let all = mistakes(
            "file\tspeaker\temotion\na.wav\tanna\tanger\nb.wav\t\tsad\nnone.wav\tanna\tsad\nc.wav\tanna\nc.wav\tbob\tsad\nc.wav\tbob\tsad\n",
        );
        assert_eq!(all.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 7]);
        assert!(all[0].1.contains("`anger`") && all[0].1.contains("did you mean `angry`"), "{}", all[0].1);
        assert!(all[1].1.contains("the `speaker` is empty"));
        assert!(all[2].1.contains("none.wav"));
        assert!(all[3].1.contains("no `emotion`: the line has 2 columns"));
        assert!(all[4].1.contains("line 6"));
    }

    #[test]
    fn a_table_without_a_good_heading_says_what_it_must_be() {
        assert!(mistakes("")[0].1.contains("empty"));
        assert!(mistakes("file\tspeaker\temotion\n")[0].1.contains("no recording"));
        assert!(mistakes("file,speaker,emotion\n")[0].1.contains("parted by tabs"));
        let lacking = mistakes("# mine\na.wav\tanna\tangry\n");
        assert!(lacking[0].0 == 2 && lacking[0].1.contains("`file` and `speaker` and `emotion`"), "{lacking:?}");
        assert!(mistakes("file\tfile\tspeaker\temotion\n")[0].1.contains("twice"));
        assert!(
            table("file\tspeaker\temotion\na.wav\tx\tmad\n").1.unwrap_err().to_string().contains("labels.tsv:2: `mad`")
        );
    }

    #[test]
    fn a_table_that_is_no_text_and_one_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.tsv");
        std::fs::write(&path, b"file\tspeaker\temotion\n\xff\xfe\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("labels.tsv:2: this is not UTF-8"));
        assert!(matches!(read(folder.path().join("none.tsv")), Err(LabelError::Io { .. })));
    }

    #[test]
    fn a_table_full_of_mistakes_is_told_in_short() {
        let text = "file\tspeaker\temotion\n".to_owned() + &"a.wav\tx\tmad\n".repeat(50);
        let told = table(&text).1.unwrap_err().to_string();
        assert_eq!(told.lines().count(), 21);
        assert!(told.ends_with("and 30 more mistakes"));
    }
}
