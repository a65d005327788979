//! x
use std::process::ExitCode;
/// x
#[derive(clap::Args, Debug)]
pub struct Serve {}
impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode, super::error::CliError> {
        Ok(ExitCode::SUCCESS)
    }
}
