//! Linphone's console client, a second softphone, without a sound card: it registers (digest), plays a WAV file as its
//! microphone and records what it hears.
//!
//! ```ignore
//! let mut phone = Linphone::start(&Phone { user: "alice", password: "secret", registrar, codec: "opus", .. }).await;
//! phone.registered(SECONDS).await;
//! phone.wait_for("Receiving new incoming call", SECONDS).await;
//! phone.accept().await;
//! ...
//! let heard = phone.stop().await;         // WAV samples and rate
//! ```
//! It is driven by the words of its prompt, on its standard input (`help` there lists them).

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use super::baresip::{Sound, microphone};

/// How it reaches its registrar.
#[derive(Clone, Copy)]
pub enum By<'a> {
    Udp,
    Tcp,
    /// Whose certificates it believes.
    Tls(&'a Path),
}

pub struct Phone<'a> {
    pub user: &'a str,
    /// Empty: it does not register, its domain is another than the registrar's, and its calls go straight to whom they name.
    pub password: &'a str,
    pub registrar: SocketAddr,
    pub by: By<'a>,
    /// Of `opus`, `G722`, `PCMU`, `PCMA`.
    pub codec: &'a str,
    /// SRTP by SDES, and no call without.
    pub encrypts: bool,
    pub sound: Sound,
}

impl Default for Phone<'_> {
    fn default() -> Self {
        Self {
            user: "alice",
            password: "secret",
            registrar: SocketAddr::from(([127, 0, 0, 1], 5060)),
            by: By::Udp,
            codec: "PCMU",
            encrypts: false,
            sound: Sound::Sine(600.0),
        }
    }
}

/// A running phone; killed (by its own id) when dropped.
pub struct Linphone {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: String,
    /// What of that was waited for.
    seen: usize,
    user: String,
    port: u16,
    folder: tempfile::TempDir,
}

impl Linphone {
    pub async fn start(phone: &Phone<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path();
        microphone(&phone.sound, &home.join("microphone.wav"));
        let port = super::free_port();
        fs::write(home.join("rc"), config(phone, port)).expect("a configuration");
        fs::create_dir_all(home.join(".local/share/linphone")).expect("room for its database");
        let mut command = Command::new(super::tool("linphonec"));
        command.args(["-S", "-d", "4", "-l"]).arg(home.join("log")).arg("-c").arg(home.join("rc"));
        command.env("HOME", home).current_dir(home).env_remove("DISPLAY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("linphonec starts");
        let input = child.stdin.take().expect("piped above");
        let output = child.stdout.take().expect("piped above");
        let user = phone.user.to_owned();
        let mut started = Self { child, input, output, said: String::new(), seen: 0, user, port, folder };
        started.command("soundcard use files").await;
        started.command(&format!("play {}", started.file("microphone.wav"))).await;
        started.command(&format!("record {}", started.file("heard.wav"))).await;
        started
    }

    /// Where it can be called without a registrar.
    pub fn uri(&self) -> String {
        format!("sip:{}@127.0.0.1:{}", self.user, self.port)
    }

    /// Reads until it has said this (also if it did before, after what was waited for last). Panics after `limit`.
    pub async fn wait_for(&mut self, words: &str, limit: Duration) {
        let until = Instant::now() + limit;
        loop {
            if let Some(at) = self.said[self.seen..].find(words) {
                self.seen += at + words.len();
                return;
            }
            let mut buffer = [0; 4_096];
            match timeout_at(until, self.output.read(&mut buffer)).await {
                Ok(Ok(n)) if n > 0 => self.said.push_str(&String::from_utf8_lossy(&buffer[..n])),
                Ok(_) => panic!("linphonec is gone\n{}", self.log()),
                Err(_) => panic!("linphonec did not say {words:?} within {limit:?} but\n{}", self.log()),
            }
        }
    }

    /// Until its registration was granted, which it tells its log alone.
    pub async fn registered(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let granted = || {
            fs::read_to_string(self.folder.path().join("log")).unwrap_or_default().contains("[LinphoneRegistrationOk]")
        };
        while !granted() {
            assert!(Instant::now() < until, "linphonec is not registered within {limit:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Any command of its prompt.
    pub async fn command(&mut self, command: &str) {
        self.input.write_all(format!("{command}\n").as_bytes()).await.expect("linphonec takes a command");
    }

    /// Answers the call that rings.
    pub async fn accept(&mut self) {
        self.command("answer").await;
    }

    pub async fn dial(&mut self, uri: &str) {
        self.command(&format!("call {uri}")).await;
    }

    pub async fn hang_up(&mut self) {
        self.command("terminate").await;
    }

    /// Presses keys during a call.
    pub async fn press(&mut self, keys: &str) {
        self.command(keys).await;
    }

    /// What it heard so far: samples and rate.
    pub fn heard(&self) -> (Vec<i16>, u32) {
        let bytes = fs::read(self.folder.path().join("heard.wav")).unwrap_or_default();
        let rate = bytes.get(24..28).map_or(8_000, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let step = 2 * usize::from(bytes.get(22).copied().unwrap_or(1).max(1));
        // The header's lengths are written when the file is closed; the sound begins after 44 bytes.
        let sound = bytes.get(44..).unwrap_or_default();
        (sound.chunks_exact(step).map(|b| i16::from_le_bytes([b[0], b[1]])).collect(), rate)
    }

    /// Ends it as a user would (it unregisters), and gives what it heard.
    pub async fn stop(mut self) -> (Vec<i16>, u32) {
        self.command("quit").await;
        let ended = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        assert!(ended.is_ok(), "linphonec does not quit\n{}", self.log());
        self.heard()
    }

    /// What it said, and the last of its own log, which has every message.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        format!("{}\n...{}", self.said, &log[log.floor_char_boundary(log.len().saturating_sub(20_000))..])
    }

    /// The keys that it offered or answered so far (SDES), of one suite.
    pub fn srtp_keys(&self) -> BTreeSet<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let mut ours = false;
        let mut keys = BTreeSet::new();
        for line in log.lines() {
            if line.starts_with("20") {
                ours = line.contains("message sent to");
            }
            if let Some((_, key)) = line.split_once("AES_CM_128_HMAC_SHA1_80 inline:").filter(|_| ours) {
                keys.insert(key.trim().to_owned());
            }
        }
        keys
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn config(phone: &Phone, sip_port: u16) -> String {
    let (registrar, port) = (phone.registrar.to_string(), phone.registrar.port());
    let (server, transport, believed) = match phone.by {
        By::Udp => (registrar.clone(), "udp", String::new()),
        By::Tcp => (registrar.clone(), "tcp", String::new()),
        // It looks for a name on the certificate, never for an address.
        By::Tls(file) => (format!("localhost:{port}"), "tls", format!("root_ca={}\n", file.display())),
    };
    let Phone { user, password, .. } = phone;
    // A domain that it has an account in it calls by that account's way.
    let (server, domain, home) = match password.is_empty() {
        true => ("elsewhere.test".to_owned(), "elsewhere.test".to_owned(), -1),
        false => (server, registrar.clone(), 0),
    };
    let (ip, encryption) = (phone.registrar.ip(), if phone.encrypts { "srtp" } else { "none" });
    let mandatory = u8::from(phone.encrypts);
    let registers = u8::from(!password.is_empty());
    // All goes where its name was looked for; else calls go straight to whom they name.
    let route = match phone.by {
        By::Tls(_) => format!("reg_route=<sip:{server};transport=tls;lr>\n"),
        By::Udp | By::Tcp => String::new(),
    };
    let codecs = [("opus", 48_000, 2), ("G722", 8_000, 1), ("PCMU", 8_000, 1), ("PCMA", 8_000, 1)];
    let codecs: String = codecs
        .iter()
        .enumerate()
        .map(|(n, (mime, rate, channels))| {
            let enabled = u8::from(*mime == phone.codec);
            format!("[audio_codec_{n}]\nmime={mime}\nrate={rate}\nchannels={channels}\nenabled={enabled}\n")
        })
        .collect();
    // What it knows beside these it adds by itself, some of it enabled.
    let others: String = [("speex", 8_000), ("speex", 16_000), ("G729", 8_000)]
        .iter()
        .enumerate()
        .map(|(n, (mime, rate))| format!("[audio_codec_{}]\nmime={mime}\nrate={rate}\nchannels=1\nenabled=0\n", n + 4))
        .collect();
    format!(
        "[sip]\n\
         sip_port={sip_port}\n\
         sip_tcp_port={sip_port}\n\
         sip_tls_port=-1\n\
         use_ipv6=0\n\
         use_info=0\n\
         use_rfc2833=1\n\
         guess_hostname=1\n\
         default_proxy={home}\n\
         media_encryption={encryption}\n\
         media_encryption_mandatory={mandatory}\n\
         keep_srtp_keys=0\n\
         {believed}\
         [net]\n\
         mtu=1300\n\
         [rtp]\n\
         audio_rtp_port=-1\n\
         bind_address={ip}\n\
         [video]\n\
         enabled=0\n\
         [misc]\n\
         log_collection_upload_server_url=\n\
         [proxy_0]\n\
         reg_proxy=<sip:{server};transport={transport}>\n\
         {route}\
         reg_identity=sip:{user}@{domain}\n\
         reg_expires=60\n\
         reg_sendregister={registers}\n\
         publish=0\n\
         [auth_info_0]\n\
         username={user}\n\
         passwd={password}\n\
         domain={ip}\n\
         {codecs}{others}"
    )
}
