//! `onrecord man`: the manual pages, made from what `--help` tells.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use super::error::CliError;
use super::{Cli, output};

/// Print the manual page, or write one page a command.
#[derive(Args, Debug)]
pub struct Man {
    /// Write onrecord.1 and one page a command (onrecord-append.1) into this directory, which
    /// is made if there is none.
    #[arg(long, short, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        // It would have a page of its own, and none for its commands.
        let commands = Cli::command().disable_help_subcommand(true);
        if let Some(path) = self.output {
            let written = std::fs::create_dir_all(&path)
                .and_then(|()| clap_mangen::generate_to(commands, &path));
            written.map_err(|error| CliError::Write { path, error })?;
        } else {
            let mut page = Vec::new();
            Page::new(commands).render(&mut page)?;
            output::write(&page)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
