//! x
mod asking;
mod example;
mod story;
use std::process::ExitCode;
/// x
#[derive(clap::Args, Debug)]
pub struct Demo {}
impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode, super::error::CliError> {
        Ok(ExitCode::SUCCESS)
    }
}
