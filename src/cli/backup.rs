//! `onrecord backup`: has the daemon write a copy of its archive.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use data_encoding::BASE64;
use indicatif::HumanBytes;

use super::error::CliError;
use super::upkeep::{Counted, progress};
use super::{Asking, json, output};
use crate::rpc::proto::CreateBackupRequest;

/// Copy the archive while it is served: the ledger and the documents that it names, verified
/// before it says done. The signer's key is not in it. Ctrl-C gives it up and leaves nothing.
#[derive(Args, Debug)]
pub struct Backup {
    /// Where to, on the daemon's machine: a directory that is empty or not there yet.
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
    #[command(flatten)]
    asking: Asking,
}

impl Backup {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let file = |error| CliError::File {
            path: self.directory.clone(),
            error,
        };
        let directory = std::path::absolute(&self.directory).map_err(file)?;
        let request = CreateBackupRequest {
            directory: directory.to_string_lossy().into_owned(),
        };
        let mut answers = client.back_up(request).await?;
        let bar = progress(Counted::Bytes);
        loop {
            let answer = answers.message().await;
            let answer = answer.map_err(|status| client.failed(&status))?;
            let answer = answer.ok_or(CliError::Incomplete { what: "backup" })?;
            bar.set_length(answer.total_bytes);
            bar.set_position(answer.done_bytes);
            let Some(head) = &answer.head else {
                continue;
            };
            bar.finish_and_clear();
            output::print(&if self.asking.json {
                json::pretty(&answer)?
            } else {
                format!(
                    "wrote {} entries with the root {} and the documents that they name to {}: {}\n\
                     synced, and its chain of frames followed to that root; the signer's key is not in it",
                    head.size,
                    BASE64.encode(&head.root),
                    directory.display(),
                    HumanBytes(answer.done_bytes)
                )
            })?;
            return Ok(ExitCode::SUCCESS);
        }
    }
}
