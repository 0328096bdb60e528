//! `frontdesk call`

use std::process::ExitCode;

/// Talk to an engine from this computer's microphone and loudspeaker.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
