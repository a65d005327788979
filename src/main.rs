//! The `onrecord` program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use onrecord::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
