//! `onrecord completions`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use super::error::CliError;
use super::{Cli, output};

/// Print a script that has a shell complete commands and options.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell that is to complete.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "onrecord", &mut script);
        output::write(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
