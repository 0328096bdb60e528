//! A web server for model fetching tests, as bad as a test wants it, and a run of `frontdesk models fetch`.
#![allow(dead_code)] // every test uses some of it

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub host: Option<String>,
}

impl Asked {
    /// The first byte of `Range: bytes=N-`, 0 without one.
    pub fn start(&self) -> usize {
        let range = self.range.as_deref().unwrap_or("bytes=0-");
        range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-')).and_then(|n| n.parse().ok()).unwrap()
    }
}

/// What the server sends: a head, a body, and then it hangs up.
pub struct Reply {
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// 200 with `body`, announced as `announced` bytes.
    pub fn announcing(announced: usize, body: &[u8]) -> Reply {
        Reply { head: format!("HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n"), body: body.to_vec() }
    }

    pub fn whole(body: &[u8]) -> Reply {
        Reply::announcing(body.len(), body)
    }

    /// 206 with the rest of `all` from byte `start`.
    pub fn rest(all: &[u8], start: usize) -> Reply {
        let (last, total, length) = (all.len() - 1, all.len(), all.len() - start);
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{last}/{total}\r\nContent-Length: {length}\r\n"
        );
        Reply { head, body: all[start..].to_vec() }
    }

    pub fn status(line: &str) -> Reply {
        Reply { head: format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n"), body: Vec::new() }
    }

    pub fn with(mut self, header: &str) -> Reply {
        self.head += header;
        self.head += "\r\n";
        self
    }

    /// Only the first `bytes` of the body go out before the connection breaks.
    pub fn cut_at(mut self, bytes: usize) -> Reply {
        self.body.truncate(bytes);
        self
    }
}

/// A server on a free loopback port; gone with the test's process.
pub struct Site {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Site {
    /// `answer` gets the number of the request (from 0) and the request.
    pub fn open(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                // a client that is killed hangs up in the middle: no matter
                std::thread::spawn(move || serve(stream, &log, &*answer).unwrap_or_default());
            }
        });
        Site { address, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Asked>>,
    answer: &(dyn Fn(usize, &Asked) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut asked =
        Asked { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), range: None, if_range: None, host: None };
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => asked.range = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("if-range") => asked.if_range = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("host") => asked.host = Some(value.to_owned()),
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let number = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    let reply = answer(number, &asked);
    stream.write_all(reply.head.as_bytes())?;
    stream.write_all(b"Connection: close\r\n\r\n")?;
    stream.write_all(&reply.body)
}

/// Bytes that no compression or repetition makes equal by chance.
pub fn weights(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(len).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A manifest of one model `m.bin`, with `sources` as TOML.
pub fn manifest(content: &[u8], sources: &str) -> String {
    format!(
        "[[model]]\nname = \"m.bin\"\nset = \"default\"\npurpose = \"a test\"\nlicence = \"MIT\"\n\
         [[model.file]]\npath = \"m.bin\"\nsize = {}\nsha256 = \"{}\"\n{sources}",
        content.len(),
        sha256(content)
    )
}

/// A source that is the model's file at an address.
pub fn from_url(url: &str) -> String {
    format!("[[model.source]]\n[[model.source.part]]\nurl = \"{url}\"\n")
}

/// The command `frontdesk models fetch` into `home/models`, by `manifest`.
pub fn fetch_command(home: &Path, manifest: &str) -> Command {
    let file = home.join("manifest.toml");
    std::fs::write(&file, manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.args(["models", "fetch", "--manifest"]).arg(file).env("FRONTDESK_MODELS", home.join("models"));
    // the test's servers are on this machine, whatever proxy the machine has
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").env_remove("FRONTDESK_MIRROR");
    command
}

pub fn fetch(home: &Path, manifest: &str) -> Output {
    fetch_command(home, manifest).output().unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The model is there with exactly this content, and nothing half-done is left.
pub fn assert_whole(home: &Path, content: &[u8], output: &Output) {
    assert!(output.status.success(), "{}", said(output));
    let mut found = Vec::new();
    std::fs::File::open(home.join("models/m.bin")).unwrap().read_to_end(&mut found).unwrap();
    assert!(found == content, "the model has other bytes");
    assert!(!home.join("models/.fetch").exists(), "something half-done is left");
}

/// The fetch failed and nothing stands under the model's name.
pub fn assert_absent(home: &Path, output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    assert!(!home.join("models/m.bin").exists(), "half a model is in place");
}
