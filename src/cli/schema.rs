//! `frontdesk schema`

use std::process::ExitCode;

/// Print the JSON Schema of the configuration, for editors.
#[derive(clap::Args)]
pub struct Args {
    /// The schema of a flow file instead.
    #[arg(long)]
    flow: bool,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let schema = if args.flow { crate::config::flow_schema() } else { crate::config::schema() };
    println!("{}", serde_json::to_string_pretty(schema)?);
    Ok(ExitCode::SUCCESS)
}
