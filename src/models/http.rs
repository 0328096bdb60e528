//! One file by HTTP, taken up again where it broke off (RFC 9110, section 14: `Range`, `If-Range`).
//!
//! What has arrived stays in the `.part` file, across attempts and across runs; the server's strong ETag is
//! kept beside it, so that bytes of two versions are never joined. The caller checks the sha256.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::at;
use super::fetch::Trouble;

/// How often one download is taken up again before the next source has its turn.
const ATTEMPTS: u32 = 6;

/// Why a download ended early.
enum Broken {
    /// The server could not be reached at all.
    Unreachable(String),
    /// It came to an end before its end: worth another attempt if anything arrived.
    Interrupted(String),
    /// Another attempt would end the same way.
    Refused(String),
    Local(super::Error),
}

/// Downloads `url` into `part` until it has `size` bytes. `tell` hears how many are there.
/// True in the result: the file was begun by an earlier run, whose bytes were not vouched for by an ETag.
pub(super) async fn download(
    client: &Client,
    url: &str,
    part: &Path,
    size: u64,
    stall: Duration,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<bool, Trouble> {
    let before = arrived(part).await?;
    let doubtful = before > 0 && etag_of(part).await.is_none();
    let mut pause = Duration::from_millis(250);
    for attempt in 1.. {
        let start = arrived(part).await?;
        if start == size {
            break;
        }
        match once(client, url, part, size, stall, tell).await {
            Ok(()) => break,
            Err(Broken::Local(error)) => return Err(error.into()),
            Err(Broken::Refused(why)) => {
                discard(part).await; // what the server says of it cannot be continued
                return Err(Trouble::Source(why));
            }
            Err(Broken::Unreachable(why)) if attempt == 1 => return Err(Trouble::Unreachable(why)),
            Err(Broken::Unreachable(why) | Broken::Interrupted(why)) => {
                if attempt == ATTEMPTS || (arrived(part).await? <= start && attempt > 2) {
                    return Err(Trouble::Source(why));
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Ok(doubtful)
}

/// Forgets what has arrived of a download.
pub(super) async fn discard(part: &Path) {
    for path in [part, &etag_path(part)] {
        let _ = fs::remove_file(path).await; // it may not be there; a file that stays is found out by its sha256
    }
}

async fn once(
    client: &Client,
    url: &str,
    part: &Path,
    size: u64,
    stall: Duration,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<(), Broken> {
    let here = arrived(part).await?;
    if here > size {
        discard(part).await;
        return Err(Broken::Interrupted(format!("{here} bytes had come where {size} were due")));
    }
    let mut request = client.get(url).header(ACCEPT_ENCODING, "identity");
    if here > 0 {
        request = request.header(RANGE, format!("bytes={here}-"));
        if let Some(etag) = etag_of(part).await {
            request = request.header(IF_RANGE, etag);
        }
    }
    let answer = tokio::time::timeout(stall, request.send())
        .await
        .map_err(|_| Broken::Interrupted(format!("no answer within {} s", stall.as_secs())))?
        .map_err(|e| match e.is_connect() {
            true => Broken::Unreachable(reason(&e)),
            false => Broken::Interrupted(reason(&e)),
        })?;
    let from = starts_at(&answer, here, size)?;
    let mut file = open(part, from).await?;
    remember_etag(part, answer.headers()).await?;
    receive(answer, &mut file, part, from, size, stall, tell).await
}

/// Where in the file the body of `answer` belongs, or why it is of no use.
fn starts_at(answer: &Response, here: u64, size: u64) -> Result<u64, Broken> {
    let status = answer.status();
    match status {
        StatusCode::OK => match answer.content_length() {
            Some(offered) if offered != size => {
                Err(Broken::Refused(format!("offers {offered} bytes where {size} are due")))
            }
            _ => Ok(0),
        },
        StatusCode::PARTIAL_CONTENT if here > 0 => {
            let range = answer.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let fits = range.strip_prefix(&format!("bytes {here}-")).is_some_and(|rest| {
                rest.rsplit_once('/').is_some_and(|(_, total)| total == "*" || total == size.to_string())
            });
            match fits {
                true => Ok(here),
                false => Err(Broken::Refused(format!("continues with \"{range}\" where {here} of {size} are here"))),
            }
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Err(Broken::Refused(format!("the file there ends before byte {here}, {size} are due")))
        }
        _ if status.is_server_error() => Err(Broken::Interrupted(format!("answers {status}"))),
        _ => Err(Broken::Refused(format!("answers {status}"))),
    }
}

async fn receive(
    answer: Response,
    file: &mut File,
    part: &Path,
    from: u64,
    size: u64,
    stall: Duration,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<(), Broken> {
    let write = |e: io::Error| Broken::Local(at(part)(e));
    let (mut here, mut body) = (from, answer.bytes_stream());
    let ended = loop {
        match tokio::time::timeout(stall, body.next()).await {
            Err(_) => break Some(format!("nothing came for {} s", stall.as_secs())),
            Ok(Some(Err(e))) => break Some(reason(&e)),
            Ok(None) => break (here < size).then(|| "the transfer ended early".to_owned()),
            Ok(Some(Ok(bytes))) => {
                here += bytes.len() as u64;
                if here > size {
                    return Err(Broken::Refused(format!("sends more than the {size} bytes due")));
                }
                file.write_all(&bytes).await.map_err(write)?;
                tell(here);
            }
        }
    };
    file.flush().await.map_err(write)?;
    match ended {
        None => Ok(()),
        Some(why) => Err(Broken::Interrupted(format!("{why}, {here} of {size} bytes had come"))),
    }
}

async fn open(part: &Path, from: u64) -> Result<File, super::Error> {
    let mut how = OpenOptions::new();
    match from {
        0 => how.write(true).create(true).truncate(true),
        _ => how.append(true),
    };
    how.open(part).await.map_err(at(part))
}

async fn arrived(part: &Path) -> Result<u64, super::Error> {
    match fs::metadata(part).await {
        Ok(meta) => Ok(meta.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(at(part)(e)),
    }
}

fn etag_path(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".etag");
    PathBuf::from(name)
}

async fn etag_of(part: &Path) -> Option<String> {
    fs::read_to_string(etag_path(part)).await.ok()
}

/// Weak tags say "alike", not "the same bytes": they are no use here (RFC 9110, 13.1.5).
async fn remember_etag(part: &Path, headers: &HeaderMap) -> Result<(), super::Error> {
    let path = etag_path(part);
    match headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"')) {
        Some(tag) => fs::write(&path, tag).await.map_err(at(&path)),
        None => {
            let _ = fs::remove_file(&path).await; // mostly not there
            Ok(())
        }
    }
}

/// The innermost cause is the one that helps: "connection refused", not "error sending request".
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() && error.is_connect() {
        return "no connection in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl From<super::Error> for Broken {
    fn from(error: super::Error) -> Self {
        Broken::Local(error)
    }
}
