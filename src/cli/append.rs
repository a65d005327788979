//! `onrecord append`: puts files of records on record, line by line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::authoring::{Others, signed_under};
use super::client::Client;
use super::draw::{Canvas, Sheet, Tint};
use super::error::CliError;
use super::submit::{RecordsFile, Submitted};
use super::{Asking, json, output};
use crate::admission::Reason;
use crate::config::keys;
use crate::record::SigningKey;
use crate::record::envelope::SIGNATURES_MAX;
use crate::record::proto::Record;
use crate::record::proto::record::Kind;
use crate::rpc::proto::append_result::Outcome;
use crate::rpc::proto::{AppendResult, Refusal};

/// Put records on record: upload what they name, sign them, send them in order. Running it
/// again records nothing twice.
#[derive(Args, Debug)]
pub struct Append {
    /// Files of records: JSON Lines, one record a line.
    #[arg(required = true, value_name = "RECORDS.JSONL")]
    files: Vec<PathBuf>,
    /// The file of the key to sign with; several times, where several must vouch.
    #[arg(long = "key", required = true, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Add the signatures of these keys to records that are on record without them: one
    /// attestationAdded record a key.
    #[arg(long)]
    attest: bool,
    /// A file of records that was appended before, whose lines these may refer to by their keys.
    #[arg(long = "refer", value_name = "RECORDS.JSONL")]
    refer: Vec<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

/// How many lines came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) recorded: u64,
    pub(super) already: u64,
    pub(super) refused: u64,
    /// Signatures added to records that were on record.
    pub(super) attested: u64,
    /// Records that are on record without a signature of this run.
    pub(super) unsigned: u64,
}

impl Tally {
    pub(super) fn count(&mut self, line: &Submitted) {
        match &line.result.outcome {
            Some(Outcome::Recorded(_)) => self.recorded += 1,
            Some(Outcome::AlreadyRecorded(it)) => {
                self.already += 1;
                self.unsigned += u64::from(!it.signatures_on_record && line.attested.is_empty());
            }
            Some(Outcome::Refusal(_)) | None => self.refused += 1,
        }
        for added in &line.attested {
            match &added.outcome {
                Some(Outcome::Refusal(it)) if is_on_record(it) => {}
                Some(Outcome::Recorded(_) | Outcome::AlreadyRecorded(_)) => self.attested += 1,
                Some(Outcome::Refusal(_)) | None => self.refused += 1,
            }
        }
    }
}

/// Whether what was to be added is on record: of several keys, some may have signed before.
fn is_on_record(refusal: &Refusal) -> bool {
    refusal.reason == Reason::AlreadyAttested.name()
}

impl Append {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        // Everything that can be wrong on this side is found before anything is sent.
        let mut others = Others::new();
        for path in &self.refer {
            others.extend(signed_under(path)?);
        }
        let mut files = Vec::with_capacity(self.files.len());
        for path in &self.files {
            if path.as_os_str() == "-" {
                return Err(CliError::Usage {
                    what: "standard input is not read".to_owned(),
                    accepted: "a file, beside which is kept what was signed",
                });
            }
            files.push((path, RecordsFile::read(path, &others)?));
        }
        let signers = self.signers()?;
        let client = self.asking.connect().await?;
        let mut tally = Tally::default();
        let submitted = self.submit(&client, &signers, &files, &mut tally).await;
        // Also of a run that was cut short.
        eprintln!("{tally}");
        submitted?;
        Ok(if tally.refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// The keys to sign with, each once: what the daemon would refuse of every line is found
    /// before anything is sent.
    fn signers(&self) -> Result<Arc<[SigningKey]>, CliError> {
        if self.keys.len() > SIGNATURES_MAX {
            return Err(CliError::Usage {
                what: format!("{} keys", self.keys.len()),
                accepted: "at most 32 keys",
            });
        }
        let mut signers: Vec<SigningKey> = Vec::with_capacity(self.keys.len());
        for path in &self.keys {
            let key = keys::read(path)?;
            if signers.iter().any(|other| other.public() == key.public()) {
                return Err(CliError::Usage {
                    what: format!("the key in {} is given twice", path.display()),
                    accepted: "each key once",
                });
            }
            signers.push(key);
        }
        Ok(signers.into())
    }

    /// Submits the files. A reader of standard output that has seen enough ends the telling,
    /// not the work.
    async fn submit(
        &self,
        client: &Client,
        signers: &Arc<[SigningKey]>,
        files: &[(&PathBuf, RecordsFile)],
        tally: &mut Tally,
    ) -> Result<(), CliError> {
        let canvas = Canvas::of_stdout();
        let mut read = true;
        for (path, file) in files {
            let progress = progress_in_records(file.len());
            let mut told = |line: Submitted| {
                tally.count(&line);
                progress.inc(1);
                for note in &line.notes {
                    let place = format!("{}:{}", path.display(), line.line);
                    progress.suspend(|| eprintln!("{place}  note: {note}"));
                }
                if !read {
                    return Ok(());
                }
                let shown = if self.asking.json {
                    as_json(path, &line)?
                } else {
                    drawn(canvas, path, &line)
                };
                let printed = progress.suspend(|| output::print(&shown));
                read = !printed.as_ref().is_err_and(CliError::is_silent);
                if read { printed } else { Ok(()) }
            };
            let submitted = file
                .submit(client, Arc::clone(signers), self.attest, &mut told)
                .await;
            progress.finish_and_clear();
            submitted?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            recorded,
            already,
            refused,
            attested,
            unsigned,
        } = self;
        write!(
            f,
            "{recorded} recorded, {already} already on record, {refused} refused"
        )?;
        if *attested != 0 {
            write!(
                f,
                "\n{attested} signatures added to records that were on record"
            )?;
        }
        if *unsigned != 0 {
            write!(
                f,
                "\n{unsigned} on record without a signature of these keys; \
                 run it again with --attest to add them"
            )?;
        }
        Ok(())
    }
}

/// How far a file is: shown on a terminal, quiet in a pipe.
pub(super) fn progress_in_records(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    match ProgressStyle::with_template("{bar:40} {pos} of {len} records, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What became of a line, for programs.
fn as_json(path: &Path, line: &Submitted) -> Result<String, CliError> {
    let attested = line.attested.iter().map(json::value);
    let told = serde_json::json!({
        "file": path.to_string_lossy(),
        "line": line.line,
        "key": line.key,
        "result": json::value(&line.result)?,
        "attested": attested.collect::<Result<Vec<_>, _>>()?,
    });
    Ok(told.to_string())
}

/// What became of a line, for people.
pub(super) fn drawn(canvas: Canvas, path: &Path, line: &Submitted) -> String {
    let mut sheet = Sheet::new(canvas);
    let mut what = line.kind.clone();
    if let Some(key) = &line.key {
        what.push(' ');
        what.push_str(key);
    }
    let place = format!("{}:{}", path.display(), line.line);
    let place = canvas.paint(Tint::Faint, &place);
    match &line.result.outcome {
        Some(Outcome::Recorded(it)) => {
            let index = canvas.paint(Tint::For, &format!("[{}]", it.index));
            sheet.line(&format!("{place}  {index} {what}"));
        }
        Some(Outcome::AlreadyRecorded(it)) => {
            let mut note = "already on record".to_owned();
            if !it.signatures_on_record {
                note.push_str(", without this signature");
            }
            let index = canvas.paint(Tint::Plain, &format!("[{}]", it.index));
            let note = canvas.paint(Tint::Faint, &note);
            sheet.line(&format!("{place}  {index} {what} {note}"));
            for added in &line.attested {
                attested(&mut sheet, added);
            }
        }
        Some(Outcome::Refusal(it)) => {
            let reason = canvas.paint(Tint::Against, &format!("refused: {}", it.reason));
            sheet.line(&format!("{place}  {reason} {what}"));
            refusal(&mut sheet, it);
            if let Some(source) = quoted_source(line.record.as_ref(), it) {
                // In one line, however long, so that it can be copied.
                let look = format!("  look            onrecord source text {source} --find \"…\"");
                sheet.line(&canvas.paint(Tint::Faint, &look));
            }
        }
        None => sheet.line(&format!("{place}  ? {what}: the daemon does not say")),
    }
    sheet.finish()
}

/// What became of a signature that was added.
fn attested(sheet: &mut Sheet, added: &AppendResult) {
    match &added.outcome {
        Some(Outcome::Recorded(it)) => {
            let text = format!("signature added at [{}]", it.index);
            sheet.field("attested", Tint::For, &text);
        }
        Some(Outcome::Refusal(it)) if is_on_record(it) => {
            sheet.field("attested", Tint::Faint, "this signature is on record");
        }
        Some(Outcome::Refusal(it)) => {
            sheet.field(
                "attested",
                Tint::Against,
                &format!("refused: {}", it.reason),
            );
            refusal(sheet, it);
        }
        Some(Outcome::AlreadyRecorded(_)) | None => {}
    }
}

fn refusal(sheet: &mut Sheet, refusal: &Refusal) {
    if !refusal.field.is_empty() {
        sheet.field("at", Tint::Plain, &refusal.field);
    }
    sheet.field("wrong", Tint::Plain, &refusal.message);
    if !refusal.accepted.is_empty() {
        sheet.field("accepted", Tint::Plain, &refusal.accepted);
    }
    for passage in &refusal.nearest {
        let text = format!("{}–{}: {}", passage.start, passage.end, passage.text);
        sheet.field("nearest", Tint::Between, &text);
    }
    if refusal.retryable {
        sheet.field("", Tint::Faint, "the same record may be accepted later");
    }
}

/// The source that a refused quotation was held against: the one of the evidence that the
/// refusal's field names.
fn quoted_source<'a>(record: Option<&'a Record>, refusal: &Refusal) -> Option<&'a str> {
    let (_, place) = refusal.field.split_once("evidence[")?;
    let (place, segment) = place.split_once(']')?;
    let evidence = match record?.kind.as_ref()? {
        Kind::StatementRecorded(it) => &it.evidence,
        Kind::StatementCorrected(it) => &it.corrected.as_ref()?.evidence,
        Kind::EvidenceAdded(it) => &it.evidence,
        Kind::MandateGranted(it) => &it.evidence,
        Kind::MandateEnded(it) => &it.evidence,
        Kind::MilestoneDefined(it) => &it.evidence,
        _ => return None,
    };
    let evidence = evidence.get(place.parse::<usize>().ok()?)?;
    segment
        .starts_with(".segments")
        .then_some(evidence.source.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::proto::Passage;

    #[test]
    fn a_refusal_names_file_line_reason_field_and_the_nearest_passages() {
        let canvas = Canvas {
            width: 72,
            colour: false,
        };
        let line = Submitted {
            line: 14,
            key: Some("lavrov-0819".to_owned()),
            kind: "statementRecorded".to_owned(),
            record: None,
            notes: Vec::new(),
            attested: Vec::new(),
            result: AppendResult {
                outcome: Some(Outcome::Refusal(Refusal {
                    reason: "QUOTE_NOT_FOUND".to_owned(),
                    field: "statementRecorded.evidence[0].segments[0].exact".to_owned(),
                    message: "the passage does not stand in the source's text".to_owned(),
                    accepted: "a passage as it stands there".to_owned(),
                    nearest: vec![Passage {
                        start: 120,
                        end: 151,
                        text: "prepared with the utmost care".to_owned(),
                    }],
                    ..Refusal::default()
                })),
            },
        };
        insta::assert_snapshot!(drawn(canvas, Path::new("records.jsonl"), &line), @r"
    records.jsonl:14  refused: QUOTE_NOT_FOUND statementRecorded lavrov-0819
      at              statementRecorded.evidence[0].segments[0].exact
      wrong           the passage does not stand in the source's text
      accepted        a passage as it stands there
      nearest         120–151: prepared with the utmost care
    ");
    }
}
