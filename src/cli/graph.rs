//! `frontdesk graph`: a flow as a picture.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use crate::config::Secrets;
use crate::graph;

/// Draw a flow as SVG: every step, where it leads and when.
///
/// The start is at the top. A box is a step, with its kind as a colour and a word; an arrow says by what key, intent or
/// condition it is taken, and is dashed where something failed. The way to a person, which there is at every question,
/// is drawn once. A way back to a step far above ends in a note with its name. A flow that is called is one box: draw
/// it by its own name. The picture is light or dark as the reader's screen is, and needs nothing but itself.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    frontdesk graph config/bank.yaml > bank.svg\n  \
    frontdesk graph config/example.yaml --flow parcel --output parcel.svg")]
pub struct Args {
    /// Configuration (YAML)
    config: PathBuf,
    /// The flow to draw; by default that of the first line
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "FILE.svg")]
    output: Option<PathBuf>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = match super::configuration(&args.config, Secrets::Optional) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let name = super::understand::flow_of(&config, args.flow.as_deref())?.name.clone();
    let svg = graph::draw(&config.flows, &name).context("the flow is gone")?;
    super::write_to(args.output.as_deref(), &svg)?;
    Ok(ExitCode::SUCCESS)
}
