//! `onrecord import archive`: a replica from a bag.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;

use super::error::CliError;
use super::output;
use super::upkeep::{Counted, progress};
use crate::bag::{self, Vouching};
use crate::config::keys;
use crate::merkle::NoteKey;

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
#[command(group(ArgGroup::new("vouching").required(true)))]
struct Archive {
    /// The bag.
    #[arg(value_name = "BAG")]
    bag: PathBuf,
    /// Where the replica will lie: a directory that is empty or not there yet.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
    /// The archive's verifier key, NAME+HEX+BASE64, from somebody you trust, and not out of the
    /// bag. One of them must have signed the bag's checkpoint. May be given several times, if
    /// the key has changed.
    #[arg(long = "key", group = "vouching", value_name = "VKEY")]
    keys: Vec<NoteKey>,
    /// Believe the key that the bag itself names: whoever made up a whole history made up the key.
    #[arg(long, group = "vouching")]
    without_key: bool,
    /// Take a bag that need not have a checkpoint: nobody vouches for what it holds.
    #[arg(long, group = "vouching")]
    without_checkpoint: bool,
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
        let vouching = if self.without_checkpoint {
            Vouching::Nobody
        } else if self.without_key {
            Vouching::Itself
        } else {
            Vouching::Keys(&self.keys)
        };
        let replica = bag::import(&self.bag, &self.data, vouching, seed, |bytes| {
            bar.inc(bytes);
        });
        bar.finish_and_clear();
        let replica = replica?;
        let head = replica.head;
        output::print(&if self.json {
            let founded = json!({
                "data": self.data.display().to_string(),
                "origin": replica.origin,
                "size": head.size.to_string(),
                "root": head.root.to_string(),
                "signedBy": replica.signed_by.as_ref().map(ToString::to_string),
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
    let vouched = match &replica.signed_by {
        Some(key) if replica.is_vouched_for => {
            format!("a checkpoint says the same, signed by the key that you gave, {key}")
        }
        Some(key) => format!(
            "nobody vouches for that: its checkpoint is signed by {key}, which it names itself; \
             hold that against the key that you have from elsewhere"
        ),
        None => "nobody vouches for that: it has no checkpoint; hold the root against one that \
                 you have from elsewhere"
            .to_owned(),
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
