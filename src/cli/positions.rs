//! `onrecord positions`: everybody's position on a topic, or an actor's on all topics.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::overview::{About, Showing, When, show};
use super::pages;
use super::terms::KnownAt;
use crate::rpc::proto::ListPositionsRequest;

/// What is everybody's position on a topic, or an actor's on every topic?
#[derive(Args, Debug)]
pub struct Positions {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    showing: Showing,
}

impl Positions {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        show!(self, list_positions, ListPositionsRequest)
    }
}
