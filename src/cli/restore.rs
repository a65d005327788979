//! `onrecord restore`: a data directory from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::output;
use super::upkeep::{Counted, progress};
use crate::backup;

/// Restore an archive from a backup, and check all of it: every frame, the root, every document.
/// No checkpoint is signed over it until `onrecord serve --continue-from` says which one it
/// continues from.
#[derive(Args, Debug)]
pub struct Restore {
    /// The backup: what `onrecord backup` wrote, or a copy of a stopped data directory.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Where the archive will lie: a directory that is empty or not there yet.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
    /// Show what was restored as JSON.
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let bar = progress(Counted::BytesSoFar);
        let restored = backup::restore(&self.backup, &self.data, |bytes| {
            bar.inc(bytes);
            true
        });
        bar.finish_and_clear();
        let restored = restored?;
        let head = restored.head;
        output::print(&if self.json {
            let restored = json!({
                "data": self.data.display().to_string(),
                "size": head.size.to_string(),
                "root": head.root.to_string(),
                "documents": restored.documents.to_string(),
                "documentsBytes": restored.documents_bytes.to_string(),
                "erased": restored.erased.to_string(),
            });
            format!("{restored:#}")
        } else {
            let erased = match restored.erased {
                0 => String::new(),
                erased => format!(" ({erased} that are withheld were not kept any more)"),
            };
            format!(
                "restored {} entries with the root {} and {} documents{erased} to {}\n\
                 every frame, the root and every document were checked\n\
                 checkpoints are signed again once `onrecord serve --continue-from CHECKPOINT_FILE` \
                 was told the newest one that anybody has",
                head.size,
                head.root,
                restored.documents,
                self.data.display()
            )
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
