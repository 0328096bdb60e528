//! `frontdesk serve`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Line, Secrets};
use crate::engine::Server;
use crate::telemetry::{self, Format};

/// Answer calls, as the configuration says.
///
/// SIGHUP takes a changed configuration for new calls (a bad one is reported and the running one kept). SIGTERM or
/// Ctrl-C refuses new calls and lets live ones finish, within the time that `drain_s` gives; a second one ends at once.
#[derive(clap::Args)]
pub struct Args {
    /// Configuration file (YAML); `frontdesk check FILE` explains its mistakes
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Log as JSON lines, for machines
    #[arg(long)]
    log_json: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init(if args.log_json { Format::Json } else { Format::Text })?;
    let config = match super::configuration(&args.config, Secrets::Needed) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let mut reload = signal(SignalKind::hangup()).context("SIGHUP")?;
    let mut term = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let greeting = how_to_call(&config);
    let https = config.browser.as_ref().is_some_and(|browser| browser.tls.is_some());
    let desk_https = config.console.as_ref().is_some_and(|console| console.tls.is_some());
    let server = tokio::select! {
        server = Server::start(config, |what| eprintln!("  {what} ...")) => server?,
        _ = term.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    if let Some((pages, sound)) = server.browsers() {
        let scheme = if https { "https" } else { "http" };
        println!("browsers call at {scheme}://{pages}/ (their sound: {sound}, UDP)");
    }
    if let Some((pages, link)) = server.console() {
        println!("the agents' desk is at {}://{pages}/", if desk_https { "https" } else { "http" });
        if let Some(link) = link {
            println!("  no administrator has a password yet. Set it here, once, within a day: {link}");
        }
    }
    println!("{}", greeting.replace("{at}", &server.listening().to_string()));
    loop {
        tokio::select! {
            _ = reload.recv() => tokio::select! {
                // A stop does not wait for prompts to be made.
                reloaded = server.reload(&args.config) => match reloaded {
                    Ok(()) => eprintln!("new calls follow the changed {}", args.config.display()),
                    Err(error) => eprintln!("{error}\nthe running configuration is kept"),
                },
                _ = term.recv() => break,
                _ = interrupt.recv() => break,
            },
            _ = term.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tokio::select! {
        () = server.drain() => Ok(ExitCode::SUCCESS),
        _ = term.recv() => Ok(ExitCode::FAILURE),
        _ = interrupt.recv() => Ok(ExitCode::FAILURE),
    }
}

fn how_to_call(config: &Config) -> String {
    let mut text = String::from("frontdesk answers at {at} (SIP, UDP and TCP). Place a call with any SIP phone:\n");
    let mut first = None;
    for line in config.lines.values() {
        for number in line.numbers.iter().filter(|number| *number != Line::ANY) {
            first.get_or_insert(number);
            text += &format!("  sip:{number}@{{at}}   line {} ({})\n", line.name, line.language);
        }
    }
    if let Some(number) = first {
        text += &format!("or with this computer's microphone and loudspeaker:\n  frontdesk call sip:{number}@{{at}}\n");
    }
    text + "Ctrl-C stops; live calls may finish."
}
