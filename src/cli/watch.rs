//! `onrecord watch`: positions as they change, from some index or from now on.
//!
//! Standard output gets changes alone; what happens to the connection is told on standard error.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::following::{Place, follow};
use super::numbers::index;
use super::terms::Terms;
use super::{Asking, Parts, json, output};
use crate::rpc::proto::{WatchPositionsRequest, WatchPositionsResponse, WatchedPosition};

/// Whose position changes, on what, and by which record?
#[derive(Args, Debug)]
pub struct Watch {
    /// Only this actor's, by its slug: kremlin.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    actor: Option<String>,
    /// Only on this topic, by its slug: leaders-meeting.
    #[arg(long, value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    topic: Option<String>,
    /// The first index whose changes are shown; without it, those from here on.
    #[arg(long, value_name = "INDEX", allow_negative_numbers = true, value_parser = index)]
    from: Option<u64>,
    /// As of when, by the time of speaking, on all of the way. Everything counts, if left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    as_of: Option<String>,
    /// End once all changes on record have been shown, rather than wait for more.
    #[arg(long)]
    until_caught_up: bool,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

/// What the options are called where requests have fields.
const TYPED: &[(&str, &str)] = &[("start", "--from"), ("topic", "--topic")];

impl Watch {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let place = Place::at(self.from);
        let watch = async |place: &mut Place| self.watch(place).await;
        follow(place, self.until_caught_up, watch).await?;
        Ok(ExitCode::SUCCESS)
    }

    fn request(&self, place: &Place) -> WatchPositionsRequest {
        WatchPositionsRequest {
            actor: self.actor.clone().unwrap_or_default(),
            topic: self.topic.clone().unwrap_or_default(),
            start: place.next(),
            filter: self.terms.filter(),
            as_of: self.as_of.clone().unwrap_or_default(),
            with_parts: self.parts.choice(),
            after: place.after().cloned(),
        }
    }

    /// Shows what one watch brings, from `place` on.
    async fn watch(&self, place: &mut Place) -> Result<(), CliError> {
        let client = self.asking.connect().await?;
        let typed = |error: CliError| error.typed(TYPED);
        let mut messages = client.watch(self.request(place)).await.map_err(typed)?;
        loop {
            let message = messages.message().await.map_err(|status| {
                let error = client.failed(&status);
                place.ended(&error);
                typed(error)
            })?;
            // A watch ends with a status that says why.
            let message = message.ok_or(CliError::Ended)?;
            if let Some(position) = &message.position {
                self.show(&message)?;
                let watched = WatchedPosition {
                    actor: position.actor.clone(),
                    topic: position.topic.clone(),
                };
                place.move_within(message.index, watched);
            }
            if let Some(head) = &message.heartbeat {
                place.move_to(head.size);
            }
            if let Some(head) = &message.caught_up {
                place.move_to(head.size);
                if self.until_caught_up {
                    return Ok(());
                }
            }
        }
    }

    fn show(&self, change: &WatchPositionsResponse) -> Result<(), CliError> {
        if self.asking.json {
            output::print(&json::line(change)?)
        } else {
            output::print(&draw::change(Canvas::of_stdout(), change))
        }
    }
}
