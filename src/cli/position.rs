//! `onrecord position`: an actor's position on a topic, as of a date, as known at a moment.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::gather::Names;
use super::terms::{KnownAt, Terms};
use super::{Asking, Parts, json, output};
use crate::rpc::proto::GetPositionRequest;

/// What was an actor's position on a topic, and on which statements does that rest?
#[derive(Args, Debug)]
pub struct Position {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    /// As of when, by the time of speaking: 2025-08-15, 2025-08, 2025-08-15T12:00:00Z. Now, if
    /// left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    as_of: Option<String>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

impl Position {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = GetPositionRequest {
            actor: self.actor,
            topic: self.topic,
            as_of: self.as_of.unwrap_or_default(),
            known_at: KnownAt::size(self.known_at),
            known_at_time: KnownAt::time(self.known_at),
            with_parts: self.parts.choice(),
            filter: self.terms.filter(),
            ..GetPositionRequest::default()
        };
        let answer = client.position(request).await?;
        if self.asking.json {
            output::print(&json::pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let position = answer
            .position
            .as_ref()
            .ok_or(CliError::Incomplete { what: "position" })?;
        let background = Names::asked(&position.actor, &position.topic, None)
            .with_position(position)
            .look_up(&client, answer.basis.as_ref())
            .await?;
        output::print(&draw::position(Canvas::of_stdout(), &answer, &background))?;
        Ok(ExitCode::SUCCESS)
    }
}
