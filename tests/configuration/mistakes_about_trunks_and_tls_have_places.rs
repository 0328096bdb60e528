//! What an operator gets wrong about trunks, TLS and outside numbers is told with line, column and what was expected; a
//! right configuration comes out as it was meant.

use std::time::Duration;

use frontdesk::config::{self, Phone, Secrets, Transport};

const FLOW: &str = r#"
flows:
  - flow: hello
    language: en
    person: { queue: desk }
    start: welcome
    steps:
      welcome: { say: "Welcome to {line}{trunk}{diverted_from}.", next: which }
      which: { decide: [{ if: diverted_from, known: true, next: desk }, { if: caller_withheld, is: "yes", next: desk }], otherwise: desk }
      desk: { transfer: desk }
lines:
  main: { numbers: ["100"], flow: hello }
queues: { desk: {} }
"#;

fn load(text: &str) -> Result<config::Config, config::Problems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, format!("{text}{FLOW}")).unwrap();
    for file in ["cert.pem", "key.pem", "ca.pem", "secret"] {
        std::fs::write(folder.path().join(file), "something").unwrap();
    }
    config::load_with(&path, Secrets::Needed)
}

#[test]
fn every_mistake_has_its_place() {
    let text = r#"
agents:
  anna: { uri: "sip:anna@10.0.0.1", trunk: carrier, queues: [desk] }
  ben: { uri: "tel:+4930123", trunk: carier, queues: [desk] }
  carl: { password: { file: secret }, trunk: carrier, queues: [desk] }
sip:
  listen: ["0.0.0.0:5060", "[::]"]
  tls: { listen: "0.0.0.0:5060", certificate: cert.pem, authorities: none.pem }
  dns: [resolver.example]
  digest: [sha-512]
trunks:
  carrier: { host: "sip:sip.example.com", password: { file: secret } }
  other: { host: sip.example.com, user: me, register: true, transport: sctp, allow: [10.0.0.0/40] }
"#;
    let told = load(text).unwrap_err().to_string();
    for expected in [
        "3:16: \"sip:anna@10.0.0.1\" is no number that a trunk could call (expected such as `tel:+49301234`)",
        "4:38: there is no trunk `carier`",
        "5:46: agent `carl` has a trunk but no number",
        "7:28: \"[::]\" is no address to listen on",
        "8:18: 0.0.0.0:5060 is listened on by TCP already",
        "8:47: `certificate` without `key`",
        "8:70: there is no file",
        "9:9: \"resolver.example\" is no name server's address",
        "10:12: item 1 of `digest` is \"sha-512\"",
        "12:20: \"sip:sip.example.com\" is no host",
        "12:53: trunk `carrier` registers without an account",
        "13:41: `me` registers without a password",
        "13:72: `transport` is \"sctp\"",
        "13:86: \"10.0.0.0/40\" is no address or network",
    ] {
        assert!(told.contains(expected), "{expected}\nis not in\n{told}");
    }
}

#[test]
fn what_is_right_comes_out_as_it_was_meant() {
    let text = r#"
agents:
  anna: { uri: "tel:+49 (170) 123-45", trunk: carrier, queues: [desk] }
sip:
  listen: ["0.0.0.0:5060", "[::1]:5062"]
  tls: { certificate: cert.pem, key: key.pem, authorities: ca.pem }
  digest: [md5]
  keep_alive_s: 0
  limits: { invites_per_s: 7 }
  dns: ["192.0.2.53"]
trunks:
  carrier: { host: sip.example.com, user: 4711, password: { file: secret }, transport: tls, expires_s: 300 }
  plain: { host: "192.0.2.7:5080", allow: [192.0.2.0/24], number: "+4930555" }
"#;
    let config = load(text).unwrap();
    let anna = Phone::Outside { number: "+4917012345".into(), trunk: "carrier".into() };
    assert_eq!(config.agents["anna"].phone, anna);
    let sip = &config.sip;
    assert_eq!(sip.listen.len(), 2);
    let tls: Vec<String> = sip.tls.listen.iter().map(ToString::to_string).collect();
    assert_eq!(tls, ["0.0.0.0:5061", "[::1]:5061"]);
    assert_eq!((sip.keep_alive, sip.limits.invites_per_s, sip.dns[0].port()), (Duration::ZERO, 7, 53));
    let carrier = &config.trunks["carrier"];
    assert_eq!((carrier.host.as_str(), carrier.user.as_deref()), ("sip.example.com", Some("4711")));
    assert_eq!((carrier.transport, carrier.register), (Some(Transport::Tls), Some(Duration::from_secs(300))));
    assert!(!format!("{carrier:?}").contains("something"), "the password is not printed");
    let plain = &config.trunks["plain"];
    assert_eq!((plain.register, plain.port, plain.allow.len()), (None, Some(5080), 1));
}
