//! `onrecord check`: whether a stopped data directory is what was written.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::output;
use crate::app;
use crate::audit::{Part, PartState, Report};
use crate::config::keys;

/// Is a stopped data directory, or a copy of one, what was written? Every frame, entry,
/// signature, verdict, document, text and table is looked at again, and what is damaged is named.
/// Nothing there is changed. Exit code 1 if anything is not whole.
#[derive(Args, Debug)]
pub struct Check {
    /// The data directory.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
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
        let report = app::check(&self.data, scratch.path(), seed)?;
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
    lines.push(if report.is_whole {
        "all of it is what was written".to_owned()
    } else {
        "it is damaged, or could not be looked at whole: restore it from a backup; tables alone \
         are built again by `onrecord rebuild`, or once their directory is removed"
            .to_owned()
    });
    lines.join("\n")
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
