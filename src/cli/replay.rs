//! `frontdesk replay`

use std::process::ExitCode;

/// Play a recording through the whole pipeline as the caller, and print the timeline.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
