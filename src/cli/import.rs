//! `onrecord import archive`: a replica from a bag.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::error::CliError;
use super::output;
use super::upkeep::{Counted, progress};
use crate::bag;
use crate::config::keys;

/// Take in what was exported.
#[derive(Args, Debug)]
pub struct Import {
    #[command(subcommand)]
    command: ImportCommand,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    Archive(Archive),
}

/// Found a replica from a bag that `onrecord export archive` wrote, once all of it is checked: the
/// manifests, the tiles, every entry with its signatures and verdict, every document, the root.
/// A replica has no key to sign checkpoints with.
#[derive(Args, Debug)]
struct Archive {
    /// The bag.
    #[arg(value_name = "BAG")]
    bag: PathBuf,
    /// Where the replica will lie: a directory that is empty or not there yet.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
    /// Show what was founded as JSON.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let ImportCommand::Archive(command) = self.command;
        command.run()
    }
}

impl Archive {
    fn run(self) -> Result<ExitCode, CliError> {
        let seed = keys::new_seed().map_err(CliError::Randomness)?;
        let bar = progress(Counted::BytesSoFar);
        let replica = bag::import(&self.bag, &self.data, seed, |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let replica = replica?;
        let head = replica.head;
        output::print(&if self.json {
            let founded = json!({
                "data": self.data.display().to_string(),
                "origin": replica.origin,
                "size": head.size.to_string(),
                "root": head.root.to_string(),
                "isVouchedFor": replica.is_vouched_for,
                "documents": replica.documents.to_string(),
                "withheld": replica.withheld.to_string(),
                "notJudged": replica.not_judged.to_string(),
            });
            format!("{founded:#}")
        } else {
            told(&replica, &self.data)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn told(replica: &bag::Replica, data: &std::path::Path) -> String {
    let head = replica.head;
    let vouched = if replica.is_vouched_for {
        "a checkpoint that a key of the archive signed says the same"
    } else {
        "no checkpoint vouches for that: hold it against one that you have from elsewhere"
    };
    let withheld = match replica.withheld {
        0 => String::new(),
        withheld => format!(
            "\n{withheld} documents are withheld and not here, so that the passages of {} entries \
             could not be looked at",
            replica.not_judged
        ),
    };
    format!(
        "a replica of {} with {} entries, the root {} and {} documents is in {}\n\
         every file, tile, signature, verdict and document was checked; {vouched}{withheld}\n\
         it has no key to sign checkpoints with: they come from the archive itself",
        replica.origin,
        head.size,
        head.root,
        replica.documents,
        data.display()
    )
}
