//! `frontdesk schema`

use std::process::ExitCode;

/// Print the JSON Schema of the configuration.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
