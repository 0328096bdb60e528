//! `frontdesk models`

use std::process::ExitCode;

/// List, fetch and verify the model files.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
