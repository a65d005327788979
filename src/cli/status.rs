//! `onrecord status`: how the daemon is.

use std::process::ExitCode;

use clap::Args;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::{Asking, json, output};
use crate::rpc::proto::GetStatusRequest;

/// How is the daemon: its archive, its ledger, its projections?
#[derive(Args, Debug)]
pub struct Status {
    #[command(flatten)]
    asking: Asking,
}

impl Status {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let answer = client.admin().get_status(GetStatusRequest {}).await;
        let status = client.answered(answer)?;
        let shown = if self.asking.json {
            json::pretty(&status)?
        } else {
            draw::status(Canvas::of_stdout(), client.server(), &status)
        };
        output::print(&shown)?;
        // A ledger that takes no more records is a check that failed.
        Ok(if status.poisoned.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
