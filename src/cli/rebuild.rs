//! `onrecord rebuild`: builds a projection anew from the ledger, beside the one that answers.

use std::process::ExitCode;

use clap::Args;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::upkeep::{Counted, progress};
use super::{Asking, json, output};
use crate::rpc::proto::RebuildProjectionRequest;

/// Build a projection anew from entry 0 beside the one that answers, and put it in its place.
/// Ctrl-C gives it up and leaves everything as it was.
#[derive(Args, Debug)]
pub struct Rebuild {
    /// The projection, by the name that `onrecord projections` lists.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    asking: Asking,
}

impl Rebuild {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = RebuildProjectionRequest {
            name: self.name.clone(),
        };
        let mut answers = client.rebuild(request).await?;
        let bar = progress(Counted::Entries);
        loop {
            let answer = answers.message().await;
            let answer = answer.map_err(|status| client.failed(&status))?;
            let answer = answer.ok_or(CliError::Incomplete { what: "swap" })?;
            bar.set_length(answer.total);
            bar.set_position(answer.done);
            let Some(swapped) = &answer.swapped else {
                continue;
            };
            bar.finish_and_clear();
            output::print(&if self.asking.json {
                json::pretty(&answer)?
            } else {
                draw::rebuilt(Canvas::of_stdout(), swapped)
            })?;
            return Ok(ExitCode::SUCCESS);
        }
    }
}
