//! `onrecord tail`: entries as they are recorded, from some index or from now on.
//!
//! A daemon that goes away is waited for, so that nothing is shown twice or left out. Standard
//! output gets entries alone; what happens to the connection is told on standard error.

use std::process::ExitCode;

use clap::Args;

use super::client::Client;
use super::draw::{self, Canvas};
use super::error::CliError;
use super::following::{Place, can_go_on, follow};
use super::mentioned::Mentioned;
use super::numbers::index;
use super::only::Only;
use super::{Asking, json, output};
use crate::rpc::proto::subscribe_response::Message;
use crate::rpc::proto::{LedgerEntry, SubscribeRequest};

/// What is being recorded?
#[derive(Args, Debug)]
pub struct Tail {
    /// The first index to show; without it, what is recorded from here on.
    #[arg(long, value_name = "INDEX", allow_negative_numbers = true, value_parser = index)]
    from: Option<u64>,
    #[command(flatten)]
    only: Only,
    /// End once everything on record has been shown, rather than wait for more.
    #[arg(long)]
    until_caught_up: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Tail {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let place = Place::at(self.from);
        let subscribe = async |place: &mut Place| self.subscribe(place).await;
        follow(place, self.until_caught_up, subscribe).await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Shows what one subscription brings, from `place` on.
    async fn subscribe(&self, place: &mut Place) -> Result<(), CliError> {
        let client = self.asking.connect().await?;
        let request = SubscribeRequest {
            start: place.next(),
            filter: Some(self.only.filter()),
            decode: true,
        };
        let typed = |error: CliError| error.typed(&[("start", "--from")]);
        let mut messages = client.subscribe(request).await.map_err(typed)?;
        loop {
            let message = messages.message().await.map_err(|status| {
                let error = client.failed(&status);
                place.ended(&error);
                typed(error)
            })?;
            // A subscription ends with a status that says why.
            let response = message.ok_or(CliError::Ended)?;
            match response.message {
                Some(Message::Entry(entry)) => {
                    self.show(&entry)?;
                    place.move_to(entry.index + 1);
                    place.found();
                }
                Some(Message::Heartbeat(head)) => place.move_to(head.size),
                Some(Message::CaughtUp(head)) => {
                    place.move_to(head.size);
                    self.check(&client, place, head.size).await?;
                    if self.until_caught_up {
                        return Ok(());
                    }
                }
                // A later release says more than this one knows.
                None => {}
            }
        }
    }

    /// What is asked for must be on record, if nothing was found of it. Who waits may wait for it,
    /// and is told.
    async fn check(&self, client: &Client, place: &mut Place, size: u64) -> Result<(), CliError> {
        if !place.nothing_yet() {
            return Ok(());
        }
        let mentioned = Mentioned::by(self.only.filter(), size);
        match mentioned.must_be_on_record(client).await {
            Err(error) if !self.until_caught_up && !can_go_on(&error) => {
                eprintln!("onrecord: {error}\nonrecord: waiting for it");
                Ok(())
            }
            checked => checked,
        }
    }

    fn show(&self, entry: &LedgerEntry) -> Result<(), CliError> {
        if self.asking.json {
            output::print(&json::line(entry)?)
        } else {
            output::print(&draw::entry_line(Canvas::of_stdout(), entry))
        }
    }
}
