//! Certificates for TLS tests, made by the `openssl` command: an authority of one's own, and servers it vouches for.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority, alive in a folder of its own.
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let (key, certificate) = (authority.path("ca.key"), authority.certificate());
        let subject = "/CN=Authority of a test";
        openssl(
            &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject],
            &[("-keyout", &key), ("-out", &certificate)],
        );
        authority
    }

    /// Its own certificate: who believes it believes all it vouches for.
    pub fn certificate(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Certificate and key of a server of this name at 127.0.0.1; a second one of a name replaces the first.
    pub fn vouch_for(&self, name: &str) -> (PathBuf, PathBuf) {
        self.vouch_in(name, name)
    }

    /// As [`Self::vouch_for`], in files called `file`.
    pub fn vouch_in(&self, file: &str, name: &str) -> (PathBuf, PathBuf) {
        let path = |kind: &str| self.path(&format!("{file}.{kind}"));
        let (key, request, certificate, about) = (path("key"), path("csr"), path("pem"), path("ext"));
        let names = format!("subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
        std::fs::write(&about, names).expect("room on the disk");
        // SEC1, as `openssl ecparam` and many a tutorial make it.
        openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], &[("-out", &key)]);
        openssl(&["req", "-new", "-subj", &format!("/CN={name}")], &[("-key", &key), ("-out", &request)]);
        openssl(
            &["x509", "-req", "-days", "2", "-CAcreateserial"],
            &[
                ("-in", &request),
                ("-CA", &self.certificate()),
                ("-CAkey", &self.path("ca.key")),
                ("-extfile", &about),
                ("-out", &certificate),
            ],
        );
        (certificate, key)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}

fn openssl(arguments: &[&str], files: &[(&str, &Path)]) {
    let mut command = Command::new(super::tool("openssl"));
    command.args(arguments);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    let output = command.output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The name on the certificate that is shown at an address, and the version spoken.
pub fn shown_at(address: std::net::SocketAddr, version: &str) -> String {
    let mut command = Command::new(super::tool("openssl"));
    command.args(["s_client", "-connect", &address.to_string(), version]).stdin(std::process::Stdio::null());
    let output = command.output().expect("openssl runs");
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.contains("subject=")).collect()
}
