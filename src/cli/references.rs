//! `onrecord references`: statements about other statements.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::overview::{About, Showing, When, show};
use super::pages;
use super::terms::KnownAt;
use crate::rpc::proto::ListReferencesRequest;

/// Which statements qualify, withdraw or deny others?
#[derive(Args, Debug)]
pub struct References {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    showing: Showing,
}

impl References {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        show!(self, list_references, ListReferencesRequest)
    }
}
