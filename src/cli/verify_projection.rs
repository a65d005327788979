//! `onrecord verify-projection`: whether a projection is what the ledger gives.

use std::process::ExitCode;

use clap::Args;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::upkeep::{Counted, progress};
use super::{Asking, json, output};
use crate::rpc::proto::{VerifyProjectionRequest, VerifyProjectionResponse};

/// Is a projection what the ledger gives? It is folded again into scratch tables, and digest
/// and rows are compared. Exit code 1 if they differ.
#[derive(Args, Debug)]
pub struct VerifyProjection {
    /// The projection, by the name that `onrecord projections` lists.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    asking: Asking,
}

impl VerifyProjection {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let verdict = self.verify().await?;
        output::print(&if self.asking.json {
            json::pretty(&verdict)?
        } else {
            draw::verified(Canvas::of_stdout(), &verdict)
        })?;
        Ok(if verdict.equal {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// The last message of a verification.
    async fn verify(&self) -> Result<VerifyProjectionResponse, CliError> {
        let client = self.asking.connect().await?;
        let request = VerifyProjectionRequest {
            name: self.name.clone(),
        };
        let mut answers = client.verify(request).await?;
        let mut bar = progress(Counted::Entries);
        let mut is_comparing = false;
        loop {
            let answer = answers.message().await;
            let answer = answer.map_err(|status| client.failed(&status))?;
            let answer = answer.ok_or(CliError::Incomplete { what: "verdict" })?;
            if answer.stored.is_some() {
                bar.finish_and_clear();
                return Ok(answer);
            }
            if answer.rows > 0 && !is_comparing {
                is_comparing = true;
                bar.finish_and_clear();
                bar = progress(Counted::Rows);
            }
            if is_comparing {
                bar.set_position(answer.rows);
            } else {
                bar.set_length(answer.total);
                bar.set_position(answer.done);
            }
        }
    }
}
