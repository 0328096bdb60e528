//! `frontdesk check`

use std::process::ExitCode;

/// Check a configuration: every error at once, with its place and what was expected.
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("under construction")
}
