//! `frontdesk transcribe`

use std::process::ExitCode;

/// Hear audio files as text.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
