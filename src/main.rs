//! The `fecha` command.

use std::process::ExitCode;

use clap::Parser as _;
use fecha::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
