//! x
use std::process::ExitCode;
/// x
#[derive(clap::Args, Debug)]
pub struct Keygen {}
impl Keygen {
    pub(super) fn run(self) -> Result<ExitCode, super::error::CliError> {
        Ok(ExitCode::SUCCESS)
    }
}
