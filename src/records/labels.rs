//! Corrections: what a person heard in a caller's voice. Each is a span of a call's recording and an emotion; together
//! they are a table with cut-out sound that `frontdesk emotion train` reads.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::archive::time;
use super::disk::private_file;
use super::{Archive, CallRecord, Error, Result};
use crate::call::Note;
use crate::emotion::Class;
use crate::media::Sound;

/// Sound kept before and after what is labelled, ms.
const AROUND_MS: u64 = 150;

/// One correction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    pub call: String,
    /// The sound meant, ms of the call.
    pub from_ms: u64,
    pub to_ms: u64,
    pub emotion: Class,
    /// Who says so; may be empty.
    pub by: String,
    pub made: DateTime<Utc>,
}

/// What a table of labels came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub labels: usize,
    /// Calls whose recording is gone or never was.
    pub without_sound: Vec<String>,
}

impl CallRecord {
    /// The caller's utterances that were listened to: their sound (ms of the call) and the distress read in it.
    pub fn utterances(&self) -> Vec<(u64, u64, f32)> {
        let whole = self.timeline.iter().filter_map(|entry| match &entry.note {
            Note::Emotion(reading) if reading.whole => Some((reading.start_ms, reading.end_ms, reading.distress)),
            _ => None,
        });
        whole.collect()
    }

    /// The one of them with the most distress.
    pub fn most_upset(&self) -> Option<(u64, u64, f32)> {
        self.utterances().into_iter().max_by(|a, b| a.2.total_cmp(&b.2))
    }
}

impl Archive {
    /// Writes down how the caller sounded in a span of a call; said again of the same span, it replaces what was said.
    pub async fn correct(&self, label: &Label) -> Result<()> {
        sqlx::query(
            "INSERT INTO labels (call, from_ms, to_ms, emotion, said_by, made_ms) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (call, from_ms, to_ms) DO UPDATE SET emotion = excluded.emotion, said_by = excluded.said_by, \
             made_ms = excluded.made_ms",
        )
        .bind(&label.call)
        .bind(label.from_ms as i64)
        .bind(label.to_ms as i64)
        .bind(label.emotion.name())
        .bind(self.folder().seal(&label.call, &label.by)?)
        .bind(label.made.timestamp_millis())
        .execute(self.database())
        .await?;
        Ok(())
    }

    /// Takes back what was said of a span.
    pub async fn uncorrect(&self, call: &str, from_ms: u64, to_ms: u64) -> Result<()> {
        sqlx::query("DELETE FROM labels WHERE call = ? AND from_ms = ? AND to_ms = ?")
            .bind(call)
            .bind(from_ms as i64)
            .bind(to_ms as i64)
            .execute(self.database())
            .await?;
        Ok(())
    }

    /// All corrections, oldest call first.
    pub async fn labels(&self) -> Result<Vec<Label>> {
        let rows: Vec<(String, i64, i64, String, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT call, from_ms, to_ms, emotion, said_by, made_ms FROM labels \
             JOIN calls ON calls.id = call ORDER BY started_ms, from_ms",
        )
        .fetch_all(self.database())
        .await?;
        let label = |(call, from, to, emotion, by, made): (String, i64, i64, String, Vec<u8>, i64)| {
            let Some(emotion) = Class::parse(&emotion) else { return Ok(None) }; // of a later version
            let (from_ms, to_ms) = (from as u64, to as u64);
            let by = match self.folder().unseal(&call, by) {
                Err(error) if error.is_unreadable() => String::new(), // what was heard stands without a name
                by => by?,
            };
            Ok(Some(Label { call, from_ms, to_ms, emotion, by, made: time(made) }))
        };
        rows.into_iter().map(label).filter_map(Result::transpose).collect()
    }

    /// Writes `labels.tsv` and the caller's sound cut out for each into a new folder, private to its owner. Callers are
    /// named by a digest of their number, so that one caller stays one speaker; a fifth of them is kept for `dev`.
    pub async fn write_labels(&self, to: &Path) -> Result<Written> {
        let failed = |source| Error::Export { path: to.into(), source };
        if to.exists() {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(failed)?;
        let mut table = String::from("corpus\tlanguage\tfile\tspeaker\tgender\temotion\ttext\tsplit\n");
        let mut written = Written::default();
        let mut open: Option<(CallRecord, Option<Sound>)> = None;
        for (n, label) in self.labels().await?.into_iter().enumerate() {
            if open.as_ref().is_none_or(|(record, _)| record.head.call != label.call) {
                let record = match self.show(&label.call).await {
                    Err(error) if error.is_unreadable() => {
                        written.without_sound.push(label.call.clone());
                        continue;
                    }
                    record => record?,
                };
                let sound = record.recordings.first().and_then(|recording| self.sound(recording, 0).ok());
                open = Some((record, sound));
            }
            let Some((record, sound)) = &open else { continue };
            let offset_ms = record.recordings.first().map_or(0, |recording| recording.at_ms);
            let Some(cut) = sound.as_ref().and_then(|sound| cut(sound, label.from_ms, label.to_ms, offset_ms)) else {
                if written.without_sound.last() != Some(&label.call) {
                    written.without_sound.push(label.call.clone());
                }
                continue;
            };
            let name =
                format!("{}-{n}.wav", label.call.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
            write_cut(&to.join(&name), &cut)?;
            let (speaker, split) = speaker(record);
            let language = record.head.language.as_deref().unwrap_or_default();
            table += &format!("calls\t{language}\t{name}\t{speaker}\t\t{}\t\t{split}\n", label.emotion.name());
            written.labels += 1;
        }
        let mut file = private_file(&to.join("labels.tsv")).map_err(failed)?;
        file.write_all(table.as_bytes()).map_err(failed)?;
        Ok(written)
    }
}

impl Archive {
    /// Writes what the caller said between two times (ms of the call) as a sound file, private to its owner. What stands
    /// there already is not overwritten.
    pub fn write_sound(&self, record: &CallRecord, from_ms: u64, to_ms: u64, to: &Path) -> Result<()> {
        if to.exists() {
            return Err(Error::Export { path: to.into(), source: std::io::ErrorKind::AlreadyExists.into() });
        }
        let missing = || Error::NoSound(record.head.call.clone());
        let recording = record.recordings.first().ok_or_else(missing)?;
        let sound = self.sound(recording, 0)?;
        write_cut(to, &cut(&sound, from_ms, to_ms, recording.at_ms).ok_or_else(missing)?)
    }
}

fn write_cut(to: &Path, sound: &Sound) -> Result<()> {
    write_wav(to, sound).map_err(|error| {
        let source = match error {
            hound::Error::IoError(source) => source,
            other => std::io::Error::other(other),
        };
        Error::Export { path: to.into(), source }
    })
}

/// One name for one number (a call without a number is its own speaker), and which part of the data it belongs to.
fn speaker(record: &CallRecord) -> (String, &'static str) {
    let who = if record.head.caller.number.is_empty() { &record.head.call } else { &record.head.caller.number };
    let digest = Sha256::digest(who.as_bytes());
    let name = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    (name, if digest[6].is_multiple_of(5) { "dev" } else { "train" })
}

fn cut(sound: &Sound, from_ms: u64, to_ms: u64, offset_ms: u64) -> Option<Sound> {
    let at = |ms: u64| (ms.saturating_sub(offset_ms) as usize * sound.rate as usize / 1_000).min(sound.samples.len());
    let (from, to) = (at(from_ms.saturating_sub(AROUND_MS)), at(to_ms + AROUND_MS));
    (from < to).then(|| Sound { rate: sound.rate, samples: sound.samples[from..to].to_vec() })
}

pub(super) fn write_wav(path: &Path, sound: &Sound) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: sound.rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::new(private_file(path)?, spec)?;
    sound.samples.iter().try_for_each(|&sample| wav.write_sample(sample))?;
    wav.finalize()
}
