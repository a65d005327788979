//! `onrecord tail`: entries as they are recorded, from some index or from now on.
//!
//! A daemon that goes away is waited for: the next subscription begins at the index after the
//! last that was considered, so that nothing is shown twice or left out. Standard output gets
//! entries alone; what happens to the connection is told on standard error.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tonic::Code;

use super::client::Client;
use super::draw::{self, Canvas};
use super::error::CliError;
use super::mentioned::Mentioned;
use super::only::Only;
use super::serve::Signals;
use super::{Asking, json, output};
use crate::rpc::proto::subscribe_response::Message;
use crate::rpc::proto::{LedgerEntry, SubscribeRequest};

/// How long to wait before trying again, the first time; then twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The longest time between two tries.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(5);

/// How often it can be doubled without a thought of overflow.
const DOUBLINGS_MAX: u32 = 16;

/// How often a daemon that went away is tried by a command that is to end: for about a minute.
const TRIES_MAX: u32 = 16;

/// What is being recorded?
#[derive(Args, Debug)]
pub struct Tail {
    /// The first index to show; without it, what is recorded from here on.
    #[arg(long, value_name = "INDEX")]
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
        let signals = Signals::listen().map_err(CliError::Runtime)?;
        tokio::select! {
            followed = self.follow() => followed?,
            () = signals.asked_to_stop() => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Shows entries until there is nothing more to wait for, over one subscription after the
    /// other.
    async fn follow(&self) -> Result<(), CliError> {
        let mut place = Place {
            next: self.from,
            answers: 0,
            shown: 0,
            checked: false,
        };
        let (mut away, mut answers) = (Away::default(), 0);
        loop {
            let Err(error) = self.subscribe(&mut place).await else {
                return Ok(());
            };
            // Where nothing ever came, there is nothing to go on with.
            let begun = place.answers > 0 && can_go_on(&error);
            let Some(next) = place.next.filter(|_| begun) else {
                return Err(error);
            };
            if place.answers > answers {
                (away, answers) = (Away::default(), place.answers);
            }
            if self.until_caught_up && away.tries > TRIES_MAX {
                return Err(error);
            }
            if away.tries == 0 {
                let why = went_away(&error);
                eprintln!("onrecord: {why}\nonrecord: trying again, from index {next}");
            }
            tokio::time::sleep(away.try_again_after()).await;
        }
    }

    /// Shows what one subscription brings, from `place` on.
    async fn subscribe(&self, place: &mut Place) -> Result<(), CliError> {
        let client = self.asking.connect().await?;
        let request = SubscribeRequest {
            start: place.next,
            filter: Some(self.only.filter()),
            decode: true,
        };
        let typed = |error: CliError| error.typed(&[("start", "--from")]);
        let mut messages = client.subscribe(request).await.map_err(typed)?;
        loop {
            let message = messages.message().await.map_err(|status| {
                let error = client.failed(&status);
                if let CliError::Answer(answer) = &error {
                    place.next = answer.resume_from.or(place.next);
                }
                typed(error)
            })?;
            // A subscription ends with a status that says why.
            let response = message.ok_or(CliError::Ended)?;
            match response.message {
                Some(Message::Entry(entry)) => {
                    self.show(&entry)?;
                    place.move_to(entry.index + 1);
                    place.shown += 1;
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
        if place.shown > 0 || std::mem::replace(&mut place.checked, true) {
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

/// How far the ledger has been followed.
struct Place {
    /// The first index that was not considered; none before anything is known.
    next: Option<u64>,
    /// How many messages have come.
    answers: u64,
    /// How many entries were shown.
    shown: u64,
    /// Whether it was looked up what is asked for.
    checked: bool,
}

impl Place {
    fn move_to(&mut self, next: u64) {
        self.next = Some(next);
        self.answers += 1;
    }
}

/// A daemon that does not answer.
#[derive(Default)]
struct Away {
    /// How often it was tried again.
    tries: u32,
}

impl Away {
    /// How long to wait before the next try: twice as long each time, up to a bound.
    fn try_again_after(&mut self) -> Duration {
        let after = AGAIN_AFTER.saturating_mul(1 << self.tries.min(DOUBLINGS_MAX));
        self.tries = self.tries.saturating_add(1);
        after.min(AGAIN_AFTER_MAX)
    }
}

/// Why a daemon is gone, without what to do about it: that is done.
fn went_away(error: &CliError) -> String {
    match error {
        CliError::Answer(answer) => {
            let message = answer.message.split(". ").next().unwrap_or_default();
            format!("{message} ({})", answer.reason)
        }
        error => error.to_string(),
    }
}

/// Whether another subscription may bring what this one did not.
fn can_go_on(error: &CliError) -> bool {
    match error {
        CliError::Unreachable { .. } => true,
        CliError::Answer(answer) => matches!(answer.code, Code::Unavailable | Code::Aborted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_after_ever_longer_times_up_to_a_bound() {
        let mut away = Away::default();
        let mut times: Vec<_> = (0..40).map(|_| away.try_again_after()).collect();
        assert_eq!(times[..3], [1, 2, 4].map(|n| n * AGAIN_AFTER));
        assert_eq!(times[39], AGAIN_AFTER_MAX);
        times.sort();
        times.dedup();
        assert_eq!(times.len(), 7, "{times:?}");
    }
}
