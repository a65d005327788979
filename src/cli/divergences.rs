//! `onrecord divergences`: actors whose voices disagree.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::overview::{About, Showing, When, show};
use super::pages;
use super::terms::KnownAt;
use crate::rpc::proto::ListDivergencesRequest;

/// Whose voices disagree, and since when?
#[derive(Args, Debug)]
pub struct Divergences {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    showing: Showing,
}

impl Divergences {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        show!(self, list_divergences, ListDivergencesRequest)
    }
}
