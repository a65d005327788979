//! `onrecord read`: entries of the ledger, one whole or many in a list.

use std::process::ExitCode;

use clap::Args;

use super::client::Client;
use super::draw::{self, Canvas};
use super::error::CliError;
use super::mentioned::Mentioned;
use super::numbers::{index, limit};
use super::only::Only;
use super::{Asking, json, output};
use crate::record::{ContentId, quoted};
use crate::rpc::proto::get_entry_request::Entry;
use crate::rpc::proto::{GetEntryRequest, LedgerEntry, ReadEntriesRequest, ReadOrder};

/// How many entries a list shows if nothing else is said.
const LIMIT_DEFAULT: u64 = 50;

/// How many entries are drawn into one table: its columns fit these.
const DRAWN_MAX: usize = 200;

/// What stands in the ledger?
#[derive(Args, Debug)]
pub struct Read {
    /// One entry, whole: its index or its record id.
    #[arg(
        value_name = "INDEX",
        allow_negative_numbers = true,
        conflicts_with_all = [
            "from", "backwards", "limit", "kinds", "actor", "topic", "statement", "source",
            "verifier",
        ],
    )]
    entry: Option<String>,
    /// The first index to list: 0 if nothing is said, or the newest backwards.
    #[arg(long, value_name = "INDEX", allow_negative_numbers = true, value_parser = index)]
    from: Option<u64>,
    /// List the newest first.
    #[arg(long)]
    backwards: bool,
    #[command(flatten)]
    only: Only,
    /// How many entries to list at most; 0: all.
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, allow_negative_numbers = true, value_parser = limit)]
    limit: u64,
    #[command(flatten)]
    asking: Asking,
}

impl Read {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        match &self.entry {
            Some(entry) => self.one(&client, entry).await?,
            None => self.many(&client).await?,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn one(&self, client: &Client, which: &str) -> Result<(), CliError> {
        let request = GetEntryRequest {
            entry: Some(named("INDEX", which)?),
            decode: true,
            proof: false,
        };
        let answer = client.ledger().get_entry(request).await;
        let answer = client.answered(answer)?;
        if self.asking.json {
            return output::print(&json::pretty(&answer)?);
        }
        let entry = answer.entry.ok_or(CliError::Incomplete { what: "entry" })?;
        let record = entry.record.as_ref().map(json::terse).transpose()?;
        let record = record.unwrap_or_default();
        output::print(&draw::entry(Canvas::of_stdout(), &entry, &record))
    }

    async fn many(&self, client: &Client) -> Result<(), CliError> {
        let request = ReadEntriesRequest {
            start: self.from,
            limit: self.limit,
            order: self.order().into(),
            filter: Some(self.only.filter()),
            decode: true,
        };
        let failed = |status| client.failed(&status).typed(&[("start", "--from")]);
        let answer = client.ledger().read_entries(request).await;
        let mut stream = answer.map_err(failed)?.into_inner();
        let mut waiting = Vec::new();
        let (mut shown, mut last) = (0, None);
        while let Some(answer) = stream.message().await.map_err(failed)? {
            shown += answer.entries.len() as u64;
            last = answer.entries.last().map(|entry| entry.index).or(last);
            waiting.extend(answer.entries);
            if waiting.len() >= DRAWN_MAX {
                self.show(&mut waiting)?;
            }
        }
        self.show(&mut waiting)?;
        let size = client.head().await?.head.map_or(0, |head| head.size);
        if shown == 0 {
            let mentioned = Mentioned::by(self.only.filter(), size);
            mentioned.must_be_on_record(client).await?;
        }
        if shown == self.limit
            && let Some(next) = last.and_then(|last| self.after(last, size))
        {
            eprintln!(
                "{shown} entries shown, of a ledger of {size}; go on with --from {next}, or \
                 --limit 0 for all"
            );
        }
        Ok(())
    }

    const fn order(&self) -> ReadOrder {
        if self.backwards {
            ReadOrder::Backwards
        } else {
            ReadOrder::Forwards
        }
    }

    /// Where to go on after an entry of a ledger of so many.
    fn after(&self, last: u64, size: u64) -> Option<u64> {
        match self.order() {
            ReadOrder::Backwards => last.checked_sub(1),
            _ => Some(last + 1).filter(|next| *next < size),
        }
    }

    fn show(&self, entries: &mut Vec<LedgerEntry>) -> Result<(), CliError> {
        let entries = std::mem::take(entries);
        if self.asking.json {
            for entry in &entries {
                output::print(&json::line(entry)?)?;
            }
        } else if !entries.is_empty() {
            output::print(&draw::entries(Canvas::of_stdout(), &entries))?;
        }
        Ok(())
    }
}

/// The entry of this name, an index or a record id, which stands where help says `place`.
pub(super) fn named(place: &str, name: &str) -> Result<Entry, CliError> {
    match (name.parse(), name.parse::<ContentId>()) {
        // An id may be of digits alone; no index is as long.
        (_, Ok(_)) => Ok(Entry::RecordId(name.to_owned())),
        (Ok(index), _) => Ok(Entry::Index(index)),
        (Err(_), Err(_)) => Err(CliError::Usage {
            what: format!(
                "{place}: {} is neither an index nor a record id",
                quoted(name)
            ),
            accepted: "an index, such as 7, or a record id, 64 lower-case hex digits",
        }),
    }
}
