//! `frontdesk calls`

use std::process::ExitCode;

/// List, show and export recorded calls.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
