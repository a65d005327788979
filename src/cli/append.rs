//! `onrecord append`: puts files of records on record, line by line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::draw::{Canvas, Sheet, Tint};
use super::error::CliError;
use super::submit::{RecordsFile, Submitted};
use super::{Asking, json, output};
use crate::config::keys;
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
    #[command(flatten)]
    asking: Asking,
}

/// How many lines came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) recorded: u64,
    pub(super) already: u64,
    pub(super) refused: u64,
}

impl Tally {
    pub(super) fn count(&mut self, result: &AppendResult) {
        match &result.outcome {
            Some(Outcome::Recorded(_)) => self.recorded += 1,
            Some(Outcome::AlreadyRecorded(_)) => self.already += 1,
            Some(Outcome::Refusal(_)) | None => self.refused += 1,
        }
    }
}

impl Append {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        // Everything that can be wrong on this side is found before anything is sent.
        let mut files = Vec::with_capacity(self.files.len());
        for path in &self.files {
            files.push((path, RecordsFile::read(path)?));
        }
        for key in &self.keys {
            keys::read(key)?;
        }
        let client = self.asking.connect().await?;
        let canvas = Canvas::of_stdout();
        let mut tally = Tally::default();
        for (path, file) in &files {
            let signers = self.keys.iter().map(|key| keys::read(key));
            let progress = progress_in_records(file.len());
            let submitted = file
                .submit(&client, signers.collect::<Result<_, _>>()?, &mut |line| {
                    tally.count(&line.result);
                    let shown = if self.asking.json {
                        json::line(&line.result)?
                    } else {
                        drawn(canvas, path, &line)
                    };
                    progress.inc(1);
                    progress.suspend(|| output::print(&shown))
                })
                .await;
            progress.finish_and_clear();
            submitted?;
        }
        let Tally {
            recorded,
            already,
            refused,
        } = tally;
        eprintln!("{recorded} recorded, {already} already on record, {refused} refused");
        Ok(if refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
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
        }
        Some(Outcome::Refusal(it)) => {
            let reason = canvas.paint(Tint::Against, &format!("refused: {}", it.reason));
            sheet.line(&format!("{place}  {reason} {what}"));
            refusal(&mut sheet, it);
        }
        None => sheet.line(&format!("{place}  ? {what}: the daemon does not say")),
    }
    sheet.finish()
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
