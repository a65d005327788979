//! x
use std::process::ExitCode;
/// x
#[derive(clap::Args, Debug)]
pub struct Init {}
impl Init {
    pub(super) async fn run(self) -> Result<ExitCode, super::error::CliError> {
        Ok(ExitCode::SUCCESS)
    }
}
