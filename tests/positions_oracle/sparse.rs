//! What a bundle has of a history: the entries that an answer rests on, gathered as the daemon
//! gathers them, and folded alone, at their own indexes, as whoever checks the bundle does. Whether
//! the rules would let the entries in is not asked here.

use std::sync::Arc;

use onrecord::admission::{AdmissionFold, Below, BelowError};
use onrecord::bundle::proto::{Finding, PositionAnswer, PositionQuestion, Terms};
use onrecord::bundle::{Archive, Gathered, Views, position_answer};
use onrecord::fold::{Fold, MemoryTables};
use onrecord::projection::catalog::CatalogFold;
use onrecord::projection::positions::PositionsFold;
use onrecord::projection::postings::PostingsFold;
use onrecord::projection::statements::StatementsFold;
use onrecord::record::{Entry, format_instant};

use super::hearing::Filter;
use super::oracle::{Found, Question};
use super::subject;
use super::trust::Line;
use super::world::key;

/// More than any bundle of these histories has.
const BYTES_MAX: usize = 1 << 24;

/// The seconds of the years 0000 to 9999, which a question can name.
const YEARS: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

/// Entries with the tables that they fold to.
#[derive(Default)]
pub struct Folded {
    entries: Vec<Arc<Entry>>,
    admission: MemoryTables,
    catalog: MemoryTables,
    positions: MemoryTables,
    postings: MemoryTables,
    statements: MemoryTables,
}

impl Folded {
    /// A whole history.
    pub fn all(lines: &[Line]) -> Self {
        let entries = (0..).zip(lines);
        let entries: Vec<_> = entries
            .map(|(index, line)| Arc::new(subject::entry(index, line)))
            .collect();
        Self::of(&entries)
    }

    /// These entries, and no others.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Arc<Entry>>) -> Self {
        let mut folded = Self::default();
        for entry in entries {
            let folds: [(&dyn Fold, &mut MemoryTables); 5] = [
                (&AdmissionFold, &mut folded.admission),
                (&CatalogFold, &mut folded.catalog),
                (&PositionsFold, &mut folded.positions),
                (&PostingsFold, &mut folded.postings),
                (&StatementsFold, &mut folded.statements),
            ];
            for (fold, tables) in folds {
                let changes = fold.fold(tables, entry).unwrap();
                tables.apply(changes);
            }
            folded.entries.push(Arc::clone(entry));
        }
        folded
    }

    fn views(&self) -> Views<'_> {
        Views {
            catalog: &self.catalog,
            positions: &self.positions,
            statements: &self.statements,
        }
    }

    /// The position that is asked for, and the entries that it rests on.
    pub fn gather(&self, asked: &PositionQuestion) -> (PositionAnswer, Gathered) {
        let archive = Archive {
            views: self.views(),
            postings: &self.postings,
            records: &self.admission,
            entries: &All(&self.entries),
            size: self.entries.len() as u64,
            bytes_max: BYTES_MAX,
        };
        archive.position(asked).unwrap()
    }

    /// The position that is asked for; none if the actor is not among the entries.
    pub fn answer(&self, asked: &PositionQuestion) -> Option<PositionAnswer> {
        position_answer(&self.views(), asked).unwrap()
    }
}

/// The entries of a whole history, by index.
struct All<'a>(&'a [Arc<Entry>]);

impl Below for All<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let entry = usize::try_from(index).ok().and_then(|it| self.0.get(it));
        entry.cloned().ok_or_else(|| BelowError("none".to_owned()))
    }
}

/// Whether a question can name the last second before `d`.
pub fn can_be_asked(d: i64) -> bool {
    YEARS.contains(&d.saturating_sub(1))
}

/// A question as a bundle has it, at the exclusive end `d`.
pub fn put(question: &Question, known_at: usize, d: i64) -> PositionQuestion {
    PositionQuestion {
        actor: question.actor.to_owned(),
        topic: question.topic.to_owned(),
        as_of: format_instant(d - 1),
        known_at: u64::try_from(known_at).unwrap(),
        with_parts: Some(question.with_parts),
        terms: Some(terms(question)),
        answer: None,
    }
}

fn terms(question: &Question) -> Terms {
    let keys = |all: &[u8]| all.iter().map(|who| key(*who).to_owned()).collect();
    let Filter {
        wordings,
        bases,
        verifiers,
        verifiers_excluded,
        attestations_min,
        sources,
        mandated,
        ..
    } = &question.filter;
    Terms {
        wordings: sorted(wordings.iter().map(|it| i32::from(*it))),
        bases: sorted(bases.iter().map(|it| i32::from(*it))),
        attestations_min: u32::try_from(*attestations_min).unwrap(),
        verifiers: keys(verifiers),
        verifiers_excluded: keys(verifiers_excluded),
        source_roles: sorted(sources.roles.iter().map(|it| i32::from(*it))),
        publishers: sources.publishers.clone(),
        derived_excluded: sources.underived,
        published_by: sources
            .public_by
            .map_or_else(String::new, |end| format_instant(end - 1)),
        mandated_only: *mandated,
        coder: question
            .choice
            .coder
            .map_or_else(String::new, |who| key(who).to_owned()),
        codebook: question.choice.codebook.clone().unwrap_or_default(),
    }
}

fn sorted(numbers: impl Iterator<Item = i32>) -> Vec<i32> {
    let mut numbers: Vec<i32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What was found, in the oracle's words.
pub fn found(answer: &PositionAnswer) -> Found {
    match answer.finding() {
        Finding::NoVoice => Found::NoVoice,
        Finding::Stated => Found::Stated,
        Finding::Disputed => Found::Disputed,
        Finding::Evaded => Found::Evaded,
        Finding::Undated => Found::Undated,
        Finding::NoRecord | Finding::Unspecified => Found::NoRecord,
    }
}
