//! `frontdesk serve`

use std::process::ExitCode;

/// Answer calls, by the configuration given.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
