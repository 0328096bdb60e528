//! Kamailio, a SIP server, as a carrier: it wants our registration proved by digest, relays our calls to a phone once
//! they are proved, too, and sends calls for a number to where we are registered, with what a carrier adds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const USER: &str = "account7";
pub const PASSWORD: &str = "trunk-secret";
/// The number it sends to our registration.
pub const NUMBER: &str = "0305555";

/// A running carrier; ended (by its own id) when dropped.
pub struct Kamailio {
    child: Child,
    pub address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Kamailio {
    /// `algorithm`: `MD5` or `SHA-256`; calls out go to `phone`.
    pub async fn start(algorithm: &str, phone: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, configuration(address, algorithm, phone)).expect("room on the disk");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new(super::tool("kamailio"));
        command.args(["-DD", "-E", "-m", "32", "-M", "4", "-n", "1"]).arg("-f").arg(&file);
        command.arg("-Y").arg(folder.path()).arg("-P").arg(folder.path().join("pid")).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("one more handle")).stderr(log);
        let child = command.spawn().expect("kamailio starts");
        let started = Self { child, address, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < until, "kamailio does not listen\n{}", started.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        started
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its children end with it only when it is told, not when it is killed.
        if let Some(id) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn modules() -> PathBuf {
    let places = ["/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules"];
    let found = places.into_iter().map(PathBuf::from).find(|place| place.is_dir());
    found.expect("kamailio's modules are not installed; run `scripts/setup test`")
}

fn configuration(address: SocketAddr, algorithm: &str, phone: SocketAddr) -> String {
    let (port, modules) = (address.port(), modules().display().to_string());
    format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
disable_core_dump=yes
auto_aliases=no
alias="carrier.test"
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
mpath="{modules}/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("registrar", "min_expires", 10)
modparam("usrloc", "db_mode", 0)
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("carrier.test", "{PASSWORD}", "0")) {{ www_challenge("carrier.test", "1"); exit; }}
        xlog("L_WARN", "registered $au contact=$hdr(Contact) expires=$hdr(Expires) $hdr(Authorization)\n");
        save("location");
        exit;
    }}
    if (has_totag() || is_method("ACK|CANCEL")) {{ t_relay(); exit; }}
    if ($rU == "{NUMBER}") {{
        $rU = "{USER}";
        if (!lookup("location")) {{ sl_send_reply("404", "Not here"); exit; }}
        append_hf("P-Asserted-Identity: \"Ada Asserted\" <tel:+44-20-7946-0000>\r\n");
        append_hf("Diversion: <sip:+15550199@carrier.test>;reason=no-answer;counter=1\r\n");
        t_relay();
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("carrier.test", "{PASSWORD}", "0")) {{ proxy_challenge("carrier.test", "1"); exit; }}
        xlog("L_WARN", "a call for $rU from $fU\n");
        consume_credentials();
        $du = "sip:{phone}";
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"#
    )
}
