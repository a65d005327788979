//! `onrecord verify`: is this on record, and does that follow from it? With no daemon and no
//! network: from the file, the archive's key and the rules that this program holds.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::output;
use super::upkeep::{Counted, progress};
use crate::bag;
use crate::bundle::{
    BUNDLE_BYTES_MAX, Check, Fault, NOT_PROVEN, Report, Trusted, check, check_proof, is_proof,
};
use crate::config::keys;
use crate::merkle::{NoteKey, TLOG_PROOF_BYTES_MAX, WitnessKey, WitnessPolicy};
use crate::record::ENTRY_BYTES_MAX;

/// The ending of a proof file.
pub(super) const PROOF: &str = "tlog-proof";

/// The ending of the file with the entry that a proof is of.
pub(super) const ENTRY: &str = "entry";

/// Is what these files say on record, and does it follow? Needs no daemon and no network. Exit
/// code 0 if everything that could be checked holds, 1 if not.
#[derive(Args, Debug)]
pub struct Verify {
    /// Evidence bundles; `.tlog-proof` files, where the entry of NAME.tlog-proof stands in
    /// NAME.entry beside it; directories that `onrecord export archive` wrote.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The archive's verifier key, NAME+HEX+BASE64, from somebody you trust: whoever runs the
    /// archive reads it off `onrecord status`. May be given several times, if the key has changed.
    #[arg(long = "key", required = true, value_name = "VKEY")]
    keys: Vec<NoteKey>,
    /// A witness's verifier key. May be given several times.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<WitnessKey>,
    /// How many of the witnesses must have cosigned. All of them, if left out.
    #[arg(long, value_name = "N", requires = "witnesses")]
    quorum: Option<usize>,
    /// Take what could not be checked for a no: a text or document that is not given, witnesses
    /// that are not named. A .tlog-proof never passes so, as it proves one entry alone, and not
    /// that its signers might sign; a bundle does.
    #[arg(long)]
    strict: bool,
    /// Show the lines as JSON.
    #[arg(long)]
    json: bool,
}

/// What was found of a file.
struct Verified {
    file: PathBuf,
    report: Report,
    holds: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let quorum = self.quorum.unwrap_or(self.witnesses.len());
        let witnesses = WitnessPolicy::new(self.witnesses.clone(), quorum);
        let witnesses = witnesses.map_err(|error| CliError::Usage {
            what: format!("--witness, --quorum: {error}"),
            accepted: "at most 15 witnesses of distinct names and keys, and a quorum of 1 to their number",
        })?;
        let trusted = Trusted {
            keys: &self.keys,
            witnesses: &witnesses,
        };
        let mut verified = Vec::with_capacity(self.files.len());
        let mut unread = None;
        for file in &self.files {
            // One that cannot be read does not keep the others from being checked.
            let report = match report(file, &trusted) {
                Err(error @ CliError::File { .. }) => {
                    let report = unreadable(&error);
                    unread.get_or_insert(error);
                    report
                }
                other => other?,
            };
            let holds = report.holds() && !(self.strict && report.unchecked() > 0);
            verified.push(Verified {
                file: file.clone(),
                report,
                holds,
            });
        }
        if self.json {
            let files: Vec<_> = verified.iter().map(as_json).collect();
            let whole = json!({ "files": files, "notProven": NOT_PROVEN });
            let text = serde_json::to_string_pretty(&whole).map_err(|error| CliError::Json {
                reason: error.to_string(),
            })?;
            output::print(&text)?;
        } else {
            let canvas = Canvas::of_stdout();
            for it in &verified {
                let name = it.file.display().to_string();
                output::print(&draw::report(canvas, &name, &it.report, it.holds))?;
            }
            if verified.iter().any(|it| it.holds) {
                output::print(&draw::not_proven(canvas, NOT_PROVEN))?;
            }
        }
        if let Some(error) = unread {
            return Err(error);
        }
        Ok(if verified.iter().all(|it| it.holds) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Checks an exported archive.
fn exported(path: &Path, trusted: &Trusted<'_>) -> Result<Report, CliError> {
    let scratch = tempfile::tempdir().map_err(|error| CliError::Write {
        path: std::env::temp_dir(),
        error,
    })?;
    let seed = keys::new_seed().map_err(CliError::Randomness)?;
    let bar = progress(Counted::BytesSoFar);
    let report = bag::check(path, scratch.path(), trusted, seed, |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    Ok(report)
}

/// Checks a file of whichever kind it is.
fn report(path: &Path, trusted: &Trusted<'_>) -> Result<Report, CliError> {
    if path.is_dir() {
        return exported(path, trusted);
    }
    if path.extension() == Some(OsStr::new(ENTRY)) {
        return Err(CliError::Usage {
            what: format!("{} is an entry, and proves nothing alone", path.display()),
            accepted: "the .tlog-proof file that stands beside it",
        });
    }
    let bytes = read(path, BUNDLE_BYTES_MAX)?;
    if !is_proof(&bytes) && path.extension() != Some(OsStr::new(PROOF)) {
        return Ok(check(&bytes, trusted));
    }
    let proof = bytes.get(..=TLOG_PROOF_BYTES_MAX).unwrap_or(&bytes);
    let entry = read(&path.with_extension(ENTRY), ENTRY_BYTES_MAX)?;
    Ok(check_proof(proof, &entry, trusted))
}

/// What is found of a file that cannot be read.
fn unreadable(error: &CliError) -> Report {
    let mut report = Report::default();
    let reason = error.to_string();
    report.no(Check::File, None, Fault::Unreadable { reason });
    report
}

/// Reads a file, up to one byte more than it may have.
fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, CliError> {
    use std::io::Read as _;
    let failed = |error| CliError::File {
        path: path.to_owned(),
        error,
    };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let most = bytes_max as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn as_json(verified: &Verified) -> serde_json::Value {
    let Verified {
        file,
        report,
        holds,
    } = verified;
    let lines: Vec<_> = report
        .lines
        .iter()
        .map(|line| {
            json!({
                "verdict": line.outcome.name(),
                "check": line.check.name(),
                "entry": line.entry,
                "says": line.outcome.to_string(),
            })
        })
        .collect();
    json!({
        "file": file.display().to_string(),
        "verdict": if *holds { "yes" } else { "no" },
        "unchecked": report.unchecked(),
        "recordedBy": report.recorded_by.and_then(|it| i64::try_from(it).ok()).map(crate::record::format_instant),
        "lines": lines,
    })
}
