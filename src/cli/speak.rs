//! `frontdesk speak`

use std::process::ExitCode;

/// Speak a text into a WAV file.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
