//! `onrecord checkpoint`: the newest signed checkpoint.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::{Asking, json, output};
use crate::rpc::proto::GetCheckpointRequest;

/// Show the newest signed checkpoint: the note itself, to be kept.
#[derive(Args, Debug)]
pub struct Checkpoint {
    /// The newest that a quorum of the archive's witnesses has cosigned.
    #[arg(long)]
    witnessed: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Checkpoint {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = GetCheckpointRequest {
            witnessed: self.witnessed,
        };
        let answer = client.ledger().get_checkpoint(request).await;
        let checkpoint = client.answered(answer)?;
        let shown = if self.asking.json {
            json::pretty(&checkpoint)?
        } else {
            checkpoint.note
        };
        output::print(&shown)?;
        Ok(ExitCode::SUCCESS)
    }
}
