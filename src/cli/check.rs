//! `onrecord check`: whether a stopped data directory is what was written.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::output;
use crate::app;
use crate::audit::{Elsewhere, KeptCheckpoint, Part, PartState, Report};
use crate::config::{Config, keys};
use crate::merkle::{NOTE_BYTES_MAX, NoteKey};

/// Is a stopped data directory, or a copy of one, what was written? Every frame, entry,
/// signature, verdict, document, text and table is looked at again, and what is damaged is named.
/// A history that was rewritten whole is seen if it is held against a checkpoint. Nothing there is
/// changed. Exit code 1 if anything is not whole.
#[derive(Args, Debug)]
pub struct Check {
    /// The data directory.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
    /// A signed checkpoint of the archive that was kept elsewhere, as `onrecord checkpoint` prints
    /// it: the ledger must begin with what it commits to.
    #[arg(long, value_name = "FILE", requires = "keys")]
    checkpoint: Option<PathBuf>,
    /// The archive's verifier key, NAME+HEX+BASE64, from somebody you trust: one of them must have
    /// signed the checkpoint. May be given several times, if the key has changed.
    #[arg(long = "key", requires = "checkpoint", value_name = "VKEY")]
    keys: Vec<NoteKey>,
    /// The signer's directory, which says what was signed last: the ledger must begin with that,
    /// too. The data directory's name with `-signer`, if left out; it need not be there.
    #[arg(long, value_name = "DIRECTORY")]
    signer: Option<PathBuf>,
    /// Where copies of ledger and tables may lie meanwhile, as large as they are: a directory
    /// for temporary files, if left out.
    #[arg(long, value_name = "DIRECTORY")]
    scratch: Option<PathBuf>,
    /// Show what was found as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let scratch = match &self.scratch {
            Some(directory) => tempfile::tempdir_in(directory),
            None => tempfile::tempdir(),
        };
        let scratch = scratch.map_err(|error| CliError::Write {
            path: self.scratch.clone().unwrap_or_else(std::env::temp_dir),
            error,
        })?;
        let seed = keys::new_seed().map_err(CliError::Randomness)?;
        let report = app::check(&self.data, &self.elsewhere()?, scratch.path(), seed)?;
        output::print(&if self.json {
            serde_json::to_string_pretty(&report).map_err(|error| CliError::Json {
                reason: error.to_string(),
            })?
        } else {
            told(&report)
        })?;
        Ok(if report.is_whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Check {
    fn elsewhere(&self) -> Result<Elsewhere, CliError> {
        let checkpoint = match &self.checkpoint {
            Some(path) => Some(KeptCheckpoint {
                note: bytes(path, NOTE_BYTES_MAX)?,
                keys: self.keys.clone(),
            }),
            None => None,
        };
        let config = Config {
            signer_dir: self.signer.clone(),
            ..Config::on(&self.data)
        };
        Ok(Elsewhere {
            checkpoint,
            signer_dir: Some(config.signer_dir()),
        })
    }
}

/// A file's bytes, up to one more than it may have.
fn bytes(path: &Path, bytes_max: usize) -> Result<Vec<u8>, CliError> {
    let file = |error| CliError::File {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(file)?;
    let mut opened = opened.take(bytes_max as u64 + 1);
    opened.read_to_end(&mut bytes).map_err(file)?;
    Ok(bytes)
}

/// A report for people, a line a part and a line a finding.
fn told(report: &Report) -> String {
    let mut lines = Vec::new();
    for part in &report.parts {
        lines.push(line(part));
        lines.extend(part.findings.iter().map(|finding| format!("  {finding}")));
        let told = part.findings.len() as u64;
        if let Some(more @ 1..) = part.findings_count.checked_sub(told) {
            lines.push(format!("  and {more} more"));
        }
    }
    lines.push(verdict(report).to_owned());
    lines.join("\n")
}

/// What is to be made of a report.
fn verdict(report: &Report) -> &'static str {
    let state = |name| report.parts.iter().find(|part| part.name == name);
    let state = |name| state(name).map(|part| part.state);
    let held = [state("checkpoint"), state("signer")];
    if held.contains(&Some(PartState::Damaged)) {
        "it is not what was signed, or what was signed is not to be believed: keep the directory and \
         the checkpoint as they are, which show it together"
    } else if !report.is_whole {
        "it is damaged, or could not be looked at whole: restore it from a backup; tables alone \
         are built again by `onrecord rebuild`, or once their directory is removed"
    } else if held[0].is_some() {
        "all of it agrees, and the ledger begins with all that the checkpoint commits to; entries \
         beyond that could have been rewritten whole"
    } else {
        "all of it agrees; a history that was rewritten whole cannot be seen from here: hold it \
         against a signed checkpoint from elsewhere, with --checkpoint and --key"
    }
}

fn line(part: &Part) -> String {
    let state = match part.state {
        PartState::Whole => "whole",
        PartState::Absent => "absent",
        PartState::Damaged => "DAMAGED",
        PartState::Skipped => "not checked",
    };
    match &part.looked_at[..] {
        "" => format!("{}: {state}", part.name),
        looked_at => format!("{}: {state} ({looked_at})", part.name),
    }
}
