//! `onrecord reversals`: changes of side.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::overview::{About, Showing, When, show};
use super::pages;
use super::terms::KnownAt;
use crate::rpc::proto::ListReversalsRequest;

/// Who changed sides, and with which statements?
#[derive(Args, Debug)]
pub struct Reversals {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    showing: Showing,
}

impl Reversals {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        show!(self, list_reversals, ListReversalsRequest)
    }
}
