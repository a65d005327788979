//! Postings: for every subject, the indexes of the entries about it, so that a filtered read
//! looks at what it finds and at nothing else.
//!
//! The indexes of a subject stand in blocks of [`BLOCK_LENGTH`]. The newest block is open: one
//! row a subject, written again with every batch that adds to it, so that a batch of entries
//! about the same few subjects writes few rows. A block that is full is sealed under its first
//! index and never changes. An open block is never empty, so that whoever reads it first, and
//! sealed ones below its first index after it, misses nothing while the projection reads on.
//!
//! A statement is found where it was introduced. What is said of it later (a correction, a
//! reading, further evidence, an attestation) can tie it to a further topic, source or
//! verifier: one row then says, under that subject, where the statement was introduced.
//!
//! Postings name candidates. They say what entries are about, and not whether a statement that
//! was once about a subject still is: whoever lists statements judges each as it stands.

mod block;
mod fold;
mod rows;
#[cfg(test)]
mod tests;
mod walk;

pub use block::BLOCK_LENGTH;
pub use fold::PostingsFold;
pub use walk::{Search, Step};

use std::collections::BTreeSet;

use crate::fold::{Order, Tables};
use crate::record::{EntryFilter, RecordKind, Subject};
use rows::{Posted, Tied};
use walk::{AnyOf, Walk};

/// Finds the entries that a filter wants; none if it wants everything.
#[must_use]
pub fn entries<'t>(
    tables: &'t dyn Tables,
    filter: &EntryFilter,
    order: Order,
) -> Option<Search<'t>> {
    let posted =
        |subject: &Subject| -> Box<dyn Walk + 't> { Box::new(Posted::new(tables, subject, order)) };
    let mut walks: Vec<_> = filter.about.iter().map(posted).collect();
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind| Subject::Kind(*kind));
        let kinds = kinds.map(|kind| posted(&kind)).collect();
        walks.push(Box::new(AnyOf::new(kinds, order)));
    }
    (!walks.is_empty()).then(|| Search::new(walks, order))
}

/// Finds where statements were introduced that are, or were in some version, about all of
/// these subjects.
#[must_use]
pub fn statements<'t>(
    tables: &'t dyn Tables,
    about: &BTreeSet<Subject>,
    order: Order,
) -> Search<'t> {
    let introduced = Subject::Kind(RecordKind::StatementRecorded);
    let mut walks: Vec<Box<dyn Walk + 't>> = Vec::with_capacity(about.len() + 1);
    for subject in about {
        let posted = Box::new(Posted::new(tables, subject, order));
        let tied = Box::new(Tied::new(tables, subject, order));
        walks.push(Box::new(AnyOf::new(vec![posted, tied], order)));
    }
    walks.push(Box::new(Posted::new(tables, &introduced, order)));
    Search::new(walks, order)
}
