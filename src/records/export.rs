//! A call as files that other programs read: `record.json`, `timeline.jsonl`, `event_log.jsonl`, `flow.json`,
//! `recording.wav` (`recording-2.wav`, ... when there are more), in a folder or a tar archive.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::{Value, json};

use super::archive::SEALED_RATE;
use super::disk::private_file;
use super::vault::{self, Keys};
use super::{Archive, CallRecord, Error, LoggedLine, Result};

impl Archive {
    /// Writes a call to `to`: a tar archive when its name ends in `.tar`, else a folder. Files are private to their
    /// owner; what stands there already is not overwritten.
    pub async fn export(&self, call: &str, to: &Path) -> Result<CallRecord> {
        let record = self.show(call).await?;
        let log = self.event_log(&record.head.call).await?;
        let flow = self.flow(&record.head.flow_hash).await?;
        write(self.folder().keys(), &record, &log, &flow, to)
            .map_err(|source| Error::Export { path: to.into(), source })?;
        Ok(record)
    }
}

fn write(keys: &Keys, record: &CallRecord, log: &[LoggedLine], flow: &str, to: &Path) -> io::Result<()> {
    if to.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut sink = Sink::new(to)?;
    sink.file("record.json", &serde_json::to_vec_pretty(record)?)?;
    sink.file("timeline.jsonl", &lines(record.timeline.iter().map(serde_json::to_value))?)?;
    sink.file("event_log.jsonl", &lines(log.iter().map(log_line))?)?;
    sink.file("flow.json", flow.as_bytes())?;
    for (i, recording) in record.recordings.iter().enumerate() {
        let name = if i == 0 { "recording.wav".into() } else { format!("recording-{}.wav", i + 1) };
        match File::open(&recording.path) {
            Ok(file) => match vault::read(keys, &recording.call, &recording.path).map_err(io::Error::other)? {
                Some(heard) => sink.file(&name, &wav(&heard.pairs).map_err(io::Error::other)?)?,
                None => sink.copy(&name, file)?,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // `record.json` says what became of it
            Err(error) => return Err(error),
        }
    }
    sink.done()
}

/// `{"at_ms":..,"event":{..},"actions":[..]}`; the texts stay as they were written.
fn log_line(line: &LoggedLine) -> serde_json::Result<Value> {
    let (event, actions): (Value, Value) =
        (serde_json::from_str(&line.event_json)?, serde_json::from_str(&line.actions_json)?);
    Ok(json!({ "at_ms": line.at_ms, "event": event, "actions": actions }))
}

fn lines(values: impl Iterator<Item = serde_json::Result<Value>>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, &value?)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// A sealed recording as other programs read it.
fn wav(pairs: &[[i16; 2]]) -> Result<Vec<u8>, hound::Error> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: SEALED_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = io::Cursor::new(Vec::with_capacity(44 + pairs.len() * 4));
    let mut wav = hound::WavWriter::new(&mut bytes, spec)?;
    pairs.iter().flatten().try_for_each(|sample| wav.write_sample(*sample))?;
    wav.finalize()?;
    Ok(bytes.into_inner())
}

enum Sink<'a> {
    Folder(&'a Path),
    Tar(tar::Builder<File>),
}

impl<'a> Sink<'a> {
    fn new(to: &'a Path) -> io::Result<Self> {
        if to.extension().is_some_and(|extension| extension == "tar") {
            return Ok(Sink::Tar(tar::Builder::new(private_file(to)?)));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(to)?;
        Ok(Sink::Folder(to))
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Folder(folder) => private_file(&folder.join(name))?.write_all(bytes),
            Sink::Tar(tar) => tar.append_data(&mut header(bytes.len() as u64), name, bytes),
        }
    }

    fn copy(&mut self, name: &str, mut from: File) -> io::Result<()> {
        match self {
            Sink::Folder(folder) => io::copy(&mut from, &mut private_file(&folder.join(name))?).map(drop),
            Sink::Tar(tar) => tar.append_data(&mut header(from.metadata()?.len()), name, from),
        }
    }

    fn done(self) -> io::Result<()> {
        match self {
            Sink::Folder(folder) => fs::File::open(folder)?.sync_all(),
            Sink::Tar(tar) => tar.into_inner()?.sync_all(),
        }
    }
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header
}
