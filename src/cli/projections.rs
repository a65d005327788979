//! `onrecord projections`: which projections there are, and how they are.

use std::process::ExitCode;

use clap::Args;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::{Asking, json, output};
use crate::rpc::proto::{ListProjectionsRequest, ListProjectionsResponse};

/// Which projections are there: versions, how far they have read, digests?
#[derive(Args, Debug)]
pub struct Projections {
    #[command(flatten)]
    asking: Asking,
}

impl Projections {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let answer = client
            .admin()
            .list_projections(ListProjectionsRequest {})
            .await;
        let listed: ListProjectionsResponse = client.answered(answer)?;
        output::print(&if self.asking.json {
            json::pretty(&listed)?
        } else {
            let head = client.head().await?.head.unwrap_or_default();
            draw::projections(Canvas::of_stdout(), &listed.projections, head.size)
        })?;
        // One that has stopped is a check that failed.
        let all_follow = listed.projections.iter().all(|it| it.failed.is_empty());
        Ok(if all_follow {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
