//! Evidence bundles: one file with which anybody can check, with no daemon and no network, that
//! records are on record and that an answer follows from them.
//!
//! [`check`] takes the file and whom its reader trusts: the archive's key, and perhaps witnesses.
//! It redoes every step: the signature under the checkpoint, the inclusion of every entry, every
//! record's admission at its index (its signers' enrolment, roles and policy there, what it refers
//! to, passages in the texts that are given, times), and the answer by the same folds. What it
//! cannot look at it says, and does not pass.
//!
//! The invariant: a report holds only if every byte of the file was accounted for, but for what
//! signed notes tell readers to pass over, the signatures of keys that they do not know.
//!
//! A bundle does not prove that nothing was left out: see [`NOT_PROVEN`]. Nothing here opens
//! files, asks a daemon or prints.
//!
//! - `file.rs` reads the file, `signed.rs` its checkpoint, `included.rs` its entries, `given.rs`
//!   the texts and documents beside them.
//! - `replay.rs` judges and folds the entries again.
//! - `alone.rs` checks a `.tlog-proof` with its entry.
//! - `statement.rs`, `position.rs` and `terms.rs` answer what is asked, `compare.rs` holds two
//!   answers against each other.
//! - `closure.rs` says which entries an answer rests on, and `make.rs` makes a bundle of them.

pub mod proto;

mod alone;
mod closure;
mod compare;
mod fault;
mod file;
mod given;
mod included;
mod make;
mod position;
mod replay;
mod report;
mod signed;
mod statement;
mod terms;

pub use alone::{check_proof, is_proof};
pub use closure::{Archive, GatherError, Gathered};
pub use fault::Fault;
pub use file::{BUNDLE_BYTES_MAX, ENTRIES_MAX, FORMAT, decode, is_bundle};
pub use make::{encode, make};
pub use position::{AnswerError, answer as position_answer};
pub use report::{Check, Line, Outcome, Report, clocks_differ};
pub use signed::checkpoint as check_checkpoint;
pub use statement::answer as statement_answer;
pub use terms::Unreadable;

use std::sync::Arc;

use crate::fold::Tables;
use crate::merkle::{Checkpoint, NoteKey, WitnessPolicy};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry, VerifierKey, format_instant, quoted};
use given::Given;
use proto::bundle::Question;
use proto::{Bundle, PositionQuestion, RecordsQuestion, StatementQuestion};
use replay::{Replayed, replay, unfounded};

/// What no bundle proves, for whoever reads a report.
pub const NOT_PROVEN: &[&str] = &[
    "that no other record was left out of a bundle: it holds what its maker put into it, and the answer follows from that",
    "that nothing speaks against the answer of a bundle: a retraction, correction, revocation or change of policy that was left out is not missed, as of whatever number of entries the answer is said to be known",
    "that anything in it is true: verified means that the passage stands in the archived source, and that the verifiers named signed that the source attributes it to the speaker",
    "that others were shown the same ledger: that is what witnesses and audits are for",
];

/// Whom the reader of a bundle trusts.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    /// The archive's keys, of which one has to have signed the checkpoint.
    pub keys: &'a [NoteKey],
    /// The witnesses, and how many of them have to have cosigned it.
    pub witnesses: &'a WitnessPolicy,
}

/// The tables that answers are read from.
#[derive(Clone, Copy)]
pub struct Views<'t> {
    /// What is defined.
    pub catalog: &'t dyn Tables,
    /// What bears on positions.
    pub positions: &'t dyn Tables,
    /// What became of statements.
    pub statements: &'t dyn Tables,
}

/// Checks a bundle's file.
#[must_use]
pub fn check(bytes: &[u8], trusted: &Trusted<'_>) -> Report {
    let mut report = Report::default();
    if steps(bytes, trusted, &mut report).is_some() {
        report.finish();
    }
    report
}

/// Goes as far as one step can build on the one before.
fn steps(bytes: &[u8], trusted: &Trusted<'_>, report: &mut Report) -> Option<()> {
    let bundle = match file::decode(bytes) {
        Ok(bundle) => bundle,
        Err(fault) => {
            report.no(Check::File, None, fault);
            return None;
        }
    };
    let text = format!("an evidence bundle of {} entries", bundle.entries.len());
    report.yes(Check::File, None, text);
    let checkpoint = signed::checkpoint(&bundle.checkpoint, trusted, report)?;
    if let Err(fault) = signed::same_origin(&bundle, &checkpoint) {
        report.no(Check::Checkpoint, None, fault);
        return None;
    }
    let entries = included::entries(&bundle.entries, &checkpoint, report)?;
    keys(&entries, &checkpoint, trusted, report);
    let given = Given::of(&bundle, &entries, report)?;
    let replayed = replay(&entries, &bundle.origin, &given, report)?;
    match answered(&bundle, &checkpoint, &entries, &replayed) {
        Ok(text) => {
            report.yes(Check::Answer, None, text);
            Some(())
        }
        Err(faults) => {
            for fault in faults {
                report.no(Check::Answer, None, fault);
            }
            None
        }
    }
}

/// Whether the trusted key is one that the ledger records as the archive's, and which others it
/// records.
fn keys(
    entries: &[Arc<Entry>],
    checkpoint: &Checkpoint,
    trusted: &Trusted<'_>,
    report: &mut Report,
) {
    let mut recorded = Vec::new();
    for entry in entries {
        let key = match &entry.record.kind {
            Some(Kind::ArchiveFounded(founded)) => &founded.checkpoint_key,
            Some(Kind::CheckpointKeySet(set)) => &set.checkpoint_key,
            _ => continue,
        };
        let known: Result<VerifierKey, _> = key.parse();
        let is_trusted = known.is_ok_and(|known| trusted.keys.iter().any(|it| *it.key() == known));
        recorded.push(is_trusted);
        let which = if is_trusted {
            "the trusted key"
        } else {
            "another key"
        };
        let text = format!("{which} {key} signs checkpoints of {}", checkpoint.origin());
        report.yes(Check::Checkpoint, Some(entry.index), text);
    }
    if !recorded.contains(&true) {
        report.no(Check::Checkpoint, None, Fault::UnrecordedKey);
    }
}

/// Whether the answer follows from the entries; in words, if it does.
fn answered(
    bundle: &Bundle,
    checkpoint: &Checkpoint,
    entries: &[Arc<Entry>],
    replayed: &Replayed,
) -> Result<String, Vec<Fault>> {
    let views = replayed.views();
    let by = |said: String| format!("by the {} entries given, {said}", entries.len());
    let within = |known_at: u64| {
        let size = checkpoint.size();
        let beyond = Fault::BeyondCheckpoint { known_at, size };
        if known_at <= size {
            Ok(())
        } else {
            Err(vec![beyond])
        }
    };
    match &bundle.question {
        None => Err(vec![Fault::Missing { what: "question" }]),
        Some(Question::Records(question)) => records(question, entries),
        Some(Question::Statement(question)) => {
            within(question.known_at)?;
            statement_follows(question, entries, &views).map(by)
        }
        Some(Question::Position(question)) => {
            within(question.known_at)?;
            position_follows(question, &views).map(by)
        }
    }
}

fn records(question: &RecordsQuestion, entries: &[Arc<Entry>]) -> Result<String, Vec<Fault>> {
    let mut said = Vec::new();
    let mut last = None;
    for index in &question.indexes {
        let in_order = last.is_none_or(|last| last < *index);
        let place = entries.binary_search_by_key(index, |entry| entry.index);
        let entry = place.ok().and_then(|place| entries.get(place));
        let entry = entry.filter(|_| in_order);
        let entry = entry.ok_or_else(|| vec![Fault::NotAmong { what: "record" }])?;
        said.push(format!("{} at index {index}", entry.record_id));
        last = Some(*index);
    }
    if said.is_empty() {
        return Err(vec![Fault::Missing {
            what: "record that is asked for",
        }]);
    }
    Ok(format!("on record: {}", said.join(", ")))
}

fn statement_follows(
    question: &StatementQuestion,
    entries: &[Arc<Entry>],
    views: &Views<'_>,
) -> Result<String, Vec<Fault>> {
    let missing = |what| vec![Fault::Missing { what }];
    let id: ContentId = terms::parsed("statement", &question.statement).map_err(unreadable)?;
    let claimed = question.answer.as_ref().ok_or_else(|| missing("answer"))?;
    let found = statement::answer(views, &id, question.known_at);
    let found = found.map_err(|error| vec![unfounded(&error)])?;
    let found = found.ok_or_else(|| vec![Fault::NotAmong { what: "statement" }])?;
    differing(statement::differences(claimed, &found))?;
    let version = entries.iter().find(|entry| entry.index == found.version);
    let said = version.map_or_else(String::new, |entry| said(entry));
    let visibility = proto::Visibility::try_from(found.visibility).unwrap_or_default();
    Ok(format!(
        "the statement {id}, as known at {} entries, is {}, vouched for by {} of the {} verifiers asked for: {said}",
        question.known_at,
        visibility.as_str_name().trim_start_matches("VISIBILITY_"),
        found.vouchers.len(),
        found.attestations_min,
    ))
}

/// What a version of a statement says.
fn said(version: &Entry) -> String {
    let statement = match &version.record.kind {
        Some(Kind::StatementRecorded(statement)) => Some(statement),
        Some(Kind::StatementCorrected(corrected)) => corrected.corrected.as_ref(),
        _ => None,
    };
    statement.map_or_else(String::new, |statement| quoted(&statement.text))
}

fn position_follows(question: &PositionQuestion, views: &Views<'_>) -> Result<String, Vec<Fault>> {
    let missing = |what| vec![Fault::Missing { what }];
    let claimed = question.answer.as_ref().ok_or_else(|| missing("answer"))?;
    let found = position::answer(views, question).map_err(|error| match error {
        AnswerError::Unreadable(error) => unreadable(error),
        AnswerError::Fold(error) => vec![unfounded(&error)],
    })?;
    let found = found.ok_or_else(|| vec![Fault::NotAmong { what: "actor" }])?;
    // A date has several forms; a bundle gives it in one.
    let asked = position::asked(question).map_err(unreadable)?;
    if question.as_of != format_instant(asked.as_of.saturating_sub(1)) {
        return Err(unreadable(Unreadable {
            field: "as_of",
            problem: "not the last second that counts, as a time in UTC".to_owned(),
        }));
    }
    differing(position::differences(claimed, &found))?;
    Ok(position::in_words(question, &found))
}

fn differing(differences: Vec<compare::Differs>) -> Result<(), Vec<Fault>> {
    if differences.is_empty() {
        return Ok(());
    }
    let fault = |it: compare::Differs| Fault::Answer {
        field: it.field,
        claimed: it.claimed,
        found: it.found,
    };
    Err(differences.into_iter().map(fault).collect())
}

fn unreadable(error: Unreadable) -> Vec<Fault> {
    vec![Fault::Question {
        field: error.field,
        problem: error.problem,
    }]
}
