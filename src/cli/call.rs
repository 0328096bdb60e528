//! `frontdesk call`

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::{Config, Line, Secrets};
use crate::engine::{self, Server};
use crate::local::{self, Handset, SoundCard};
use crate::media::{FRAME_MS, Key};
use crate::records;
use crate::sip::{Endpoint, FailureReason, InviteRequest, Leg, LegEvent, OutgoingEvent, Settings, Target, way_to};
use crate::telemetry::{self, Format};

/// Samples a second of a telephone's sound.
const RATE: u32 = 8_000;
const DEFAULT_CONFIG: &str = "config/example.yaml";

/// Talk to an engine, or to any SIP telephone, from this computer's microphone and loudspeaker.
///
/// Type telephone keys (0-9 * #) and press Enter to send them; Ctrl-C hangs up. Without a headset the engine hears
/// itself from the loudspeaker and takes that for an interruption: turn it down, or use a headset.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  frontdesk call sip:1000@127.0.0.1:5060          call line 1000 of an engine that `make run` started
  frontdesk call --local                          no engine runs: start one here, and call its first line
  frontdesk call --local --line parcel            ... another line
  frontdesk call --devices                        what --input and --output may name

Exit code 0 when the call was answered and hung up by either side, else 1.")]
pub struct Args {
    /// Whom to call: sip:NUMBER@HOST[:PORT][;transport=tcp]
    #[arg(value_name = "SIP-URI", required_unless_present_any = ["local", "devices"])]
    uri: Option<String>,
    /// Start an engine in this process, on this computer alone, and call it
    #[arg(long, conflicts_with = "uri")]
    local: bool,
    /// With --local: the engine's configuration (YAML) [default: config/example.yaml]
    #[arg(long, short, value_name = "CONFIG", requires = "local", conflicts_with = "uri")]
    config: Option<PathBuf>,
    /// With --local: the line to call; by default the first by name
    #[arg(long, value_name = "NAME", requires = "local", conflicts_with = "uri")]
    line: Option<String>,
    /// Microphone: part of a name that --devices lists
    #[arg(long, value_name = "NAME")]
    input: Option<String>,
    /// Loudspeaker: part of a name that --devices lists
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// The caller's number (or name) that the other side is told
    #[arg(long, value_name = "NUMBER", default_value = "frontdesk-call", value_parser = parse_caller)]
    from: String,
    /// Give up when not answered after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ring: u32,
    /// List microphones and loudspeakers, and do nothing else
    #[arg(long)]
    devices: bool,
}

/// How a call ended.
enum Ending {
    HungUpHere,
    HungUpThere,
    GivenUp,
    Failed(u16, FailureReason),
    /// The other side sent nothing for too long.
    SoundLost,
    Unplugged,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init_at(Format::Text, "warn")?;
    if args.devices {
        return list_devices();
    }
    let mut stop = Stop::listen()?;
    let local = match args.local {
        true => {
            let path = args.config.unwrap_or_else(|| DEFAULT_CONFIG.into());
            // Agents' phones and the services behind a flow may be elsewhere today: the call will tell.
            match super::configuration(&path, Secrets::Optional) {
                Ok(config) => Some(on_this_computer(config, args.line.as_deref())?),
                Err(code) => return Ok(code),
            }
        }
        false => None,
    };
    // First of all: nobody is rung, and no model loaded, for one who cannot talk.
    let card = SoundCard::open(RATE, args.input.as_deref(), args.output.as_deref())?;
    let (uri, server) = match local {
        Some((config, number)) => {
            println!("starting an engine on this computer");
            let server = tokio::select! {
                server = start(config) => server?,
                () = stop.wanted() => return Ok(ExitCode::FAILURE),
            };
            (format!("sip:{number}@{}", server.listening()), Some(server))
        }
        None => (with_scheme(args.uri.unwrap_or_default()), None), // clap demands one
    };
    let done = call(card, uri, args.from, Duration::from_secs(args.ring.into()), &mut stop).await;
    if let Some(server) = server {
        tokio::select! {
            () = server.drain() => {}
            () = stop.wanted() => {}
        }
    }
    done
}

/// One call, from the first tone to the last, with a word about each step.
async fn call(
    card: SoundCard,
    uri: String,
    user: String,
    ring_timeout: Duration,
    stop: &mut Stop,
) -> anyhow::Result<ExitCode> {
    let ours = way_to(&uri).await.with_context(|| uri.clone())?;
    let settings = Settings { listen: vec![SocketAddr::new(ours, 0)], allow: vec![], user, ..Settings::default() };
    let media_timeout = settings.media_timeout;
    let (endpoint, _nobody_calls_us) = Endpoint::start(settings).await?;
    println!("calling {uri}");
    let request = InviteRequest { to: Target::Uri(uri), from_display: String::new(), headers: vec![], ring_timeout };
    let ending = converse(Handset::new(Box::new(card)), &endpoint, request, stop).await;
    // Waits until BYE or CANCEL has arrived.
    endpoint.shutdown().await;
    let (said, code) = match ending? {
        Ending::HungUpHere => ("you hung up".into(), ExitCode::SUCCESS),
        Ending::HungUpThere => ("the other side hung up".into(), ExitCode::SUCCESS),
        Ending::GivenUp => ("given up before it was answered".into(), ExitCode::FAILURE),
        Ending::Failed(status, reason) => (why(status, reason), ExitCode::FAILURE),
        Ending::SoundLost => {
            let seconds = media_timeout.as_secs();
            (format!("hung up: no sound came from the other side for {seconds} s"), ExitCode::FAILURE)
        }
        Ending::Unplugged => ("hung up: the microphone or loudspeaker is gone".into(), ExitCode::FAILURE),
    };
    println!("{said}");
    Ok(code)
}

async fn converse(
    mut handset: Handset,
    endpoint: &Endpoint,
    request: InviteRequest,
    stop: &mut Stop,
) -> anyhow::Result<Ending> {
    let mut outgoing = endpoint.invite(request).await?;
    let mut beat = interval(Duration::from_millis(FRAME_MS.into()));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let leg = loop {
        tokio::select! {
            biased;
            () = stop.wanted() => {
                outgoing.cancel().await;
                return Ok(Ending::GivenUp);
            }
            event = outgoing.events.recv() => match event {
                Some(OutgoingEvent::Ringing) => {
                    println!("ringing");
                    handset.ring();
                }
                Some(OutgoingEvent::Answered(leg)) => break leg,
                Some(OutgoingEvent::Failed { status, reason }) => return Ok(Ending::Failed(status, reason)),
                None => bail!("the call ended without a word"),
            },
            _ = beat.tick() => if handset.beat(Instant::now(), None).card.timed_out {
                outgoing.cancel().await;
                return Ok(Ending::Unplugged);
            },
        }
    };
    handset.connect(leg.port.rate())?;
    println!("answered; keys 0-9 * # and Enter are sent, Ctrl-C hangs up");
    talk(handset, leg, beat, stop).await
}

async fn talk(
    mut handset: Handset,
    mut leg: Leg,
    mut beat: tokio::time::Interval,
    stop: &mut Stop,
) -> anyhow::Result<Ending> {
    let mut lines = typed();
    let ending = loop {
        tokio::select! {
            biased;
            () = stop.wanted() => break Ending::HungUpHere,
            event = leg.events.recv() => match event {
                Some(LegEvent::Held) => println!("the other side put the call on hold"),
                Some(LegEvent::Resumed) => println!("the call goes on"),
                Some(LegEvent::HungUp) | None => break Ending::HungUpThere,
                Some(LegEvent::Transfer(_) | LegEvent::TransferUnreadable | LegEvent::Referred(_)) => {} // neither is asked for here
            },
            Some(line) = lines.recv() => press(&line, &mut leg),
            _ = beat.tick() => {
                let beat = handset.beat(Instant::now(), Some(leg.port()));
                if beat.card.timed_out {
                    break Ending::Unplugged;
                }
                if beat.line.timed_out {
                    break Ending::SoundLost;
                }
            }
        }
    };
    leg.hang_up().await;
    Ok(ending)
}

fn press(line: &str, leg: &mut Leg) {
    for key in line.chars().filter(|c| !c.is_whitespace()) {
        match Key::new(key) {
            Some(key) => leg.port.send_key(key),
            None => println!("{key:?} is no telephone key: 0-9 * # are"),
        }
    }
}

/// Lines typed from now on. On a thread of its own: a read of the terminal cannot be called off, and must not hold
/// up the end of the process.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(8);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    typed
}

/// The wish to stop: Ctrl-C or SIGTERM.
struct Stop {
    interrupt: Signal,
    term: Signal,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        let interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
        Ok(Self { interrupt, term: signal(SignalKind::terminate()).context("SIGTERM")? })
    }

    async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

/// An engine's configuration with its doors open to this computer alone, and the number of the line to call.
fn on_this_computer(mut config: Config, line: Option<&str>) -> anyhow::Result<(Config, String)> {
    config.sip.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.sip.external = None;
    config.sip.allow = vec![];
    config.http.listen = None;
    config.browser = None;
    let found = match line {
        Some(name) => config.lines.get(name),
        None => config.lines.values().next(),
    };
    let Some(line) = found else {
        let lines: Vec<_> = config.lines.keys().map(String::as_str).collect();
        bail!("no line {:?} (there are: {})", line.unwrap_or_default(), lines.join(", "));
    };
    let number = line.numbers.iter().find(|number| *number != Line::ANY).or(line.numbers.first());
    let number = number.with_context(|| format!("the line {:?} has no number", line.name))?.clone();
    Ok((config, number))
}

async fn start(config: Config) -> anyhow::Result<Server> {
    match Server::start(config, |what| eprintln!("  {what} ...")).await {
        Ok(server) => Ok(server),
        Err(engine::Error::Records(records::Error::InUse(path))) => bail!(
            "an engine runs already with the records in {}: call that one, `frontdesk call sip:NUMBER@HOST:PORT`",
            path.display()
        ),
        Err(error) => Err(error.into()),
    }
}

fn list_devices() -> anyhow::Result<ExitCode> {
    let devices = local::devices()?;
    for device in &devices {
        let what = match (device.input, device.output) {
            (true, true) => "microphone and loudspeaker",
            (true, false) => "microphone",
            _ => "loudspeaker",
        };
        println!("{}   {what}   {}", device.id, device.description);
    }
    if devices.is_empty() {
        return Err(local::Error::NoDevice { what: "sound device" }.into());
    }
    Ok(ExitCode::SUCCESS)
}

/// `1000@host` is meant as a SIP address too.
fn with_scheme(uri: String) -> String {
    if uri.contains('@') && !uri.split('@').next().is_some_and(|user| user.contains(':')) {
        return format!("sip:{uri}");
    }
    uri
}

/// RFC 3261, 25.1: what a user part may hold without escapes, less what reads badly.
fn parse_caller(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()+".contains(c);
    match !text.is_empty() && text.len() <= 64 && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("expected a number or a name of at most 64 letters, digits and - _ . +".into()),
    }
}

/// Why nobody answered, for the person who called.
fn why(status: u16, reason: FailureReason) -> String {
    let text = match (status, reason) {
        (404 | 484 | 604, _) => "there is no such number",
        (401 | 407, _) => {
            "it wants a password, and `frontdesk call` has none; a frontdesk engine lets this computer in by `sip.allow`"
        }
        (403, _) => "it takes no calls from this computer; a frontdesk engine lets it in by `sip.allow`",
        (408, FailureReason::Unreachable) => "nothing answers at that address: does the engine run, is the port right?",
        (488 | 606 | 415, _) => "it speaks no codec of ours (PCMU, PCMA)",
        (500, _) => "it cannot be reached, or failed",
        (503, _) => "it takes no calls at the moment; try again later",
        (_, FailureReason::Busy) => "busy",
        (_, FailureReason::Declined) => "declined",
        (_, FailureReason::NoAnswer) => "nobody answered",
        (_, FailureReason::Unreachable) => "it could not take the call",
    };
    format!("failed: {text} (SIP {status})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_at_a_host_is_a_sip_address() {
        assert_eq!(with_scheme("1000@127.0.0.1:5060".into()), "sip:1000@127.0.0.1:5060");
        for uri in ["sip:1000@127.0.0.1", "sips:1000@host", "sip:host", "nonsense"] {
            assert_eq!(with_scheme(uri.into()), uri);
        }
    }

    #[test]
    fn a_caller_begins_no_other_header() {
        for caller in ["frontdesk-call", "+441632960961", "anna"] {
            assert_eq!(parse_caller(caller).as_deref(), Ok(caller));
        }
        for caller in ["", "a b", "a@b", "a>\r\nX: y", "张伟"] {
            assert!(parse_caller(caller).is_err(), "{caller}");
        }
    }
}
