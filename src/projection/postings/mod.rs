//! Postings: for every subject, the indexes of the entries about it, so that a filtered read
//! looks at what it finds and at nothing else. Besides, for every week, where statements were
//! introduced that may have been said in it.
//!
//! The indexes under a heading stand in blocks of [`BLOCK_LENGTH`]. The newest block is open: one
//! row a heading, written again with every batch that adds to it, so that a batch of entries
//! about the same few subjects writes few rows. A block that is full is sealed under its first
//! index and never changes. An open block is never empty, so that whoever reads it first, and
//! sealed ones below its first index after it, misses nothing while the projection reads on.
//!
//! A statement is found where it was introduced. What is said of it later (a correction, a
//! reading, further evidence, an attestation) can tie it to a further topic, source, verifier or
//! week: one row then says, under that heading, where the statement was introduced.
//!
//! Postings name candidates. They say what entries are about, and not whether a statement that
//! was once about a subject still is: whoever lists statements judges each as it stands.

mod block;
mod fold;
mod rows;
mod said;
#[cfg(test)]
mod tests;
mod walk;

pub use block::BLOCK_LENGTH;
pub use fold::PostingsFold;
pub use walk::{Search, Step};

use std::collections::BTreeSet;

use crate::fold::{Order, Tables};
use crate::record::{EntryFilter, Interval, RecordKind, Subject};
use rows::{Heading, Posted, Tied};
use walk::{AnyOf, Walk};

/// Finds the entries that a filter wants; none if it wants everything.
#[must_use]
pub fn entries<'t>(
    tables: &'t dyn Tables,
    filter: &EntryFilter,
    order: Order,
) -> Option<Search<'t>> {
    let posted = |subject: &Subject| -> Box<dyn Walk + 't> {
        Box::new(Posted::new(tables, Heading::About(subject), order))
    };
    let mut walks: Vec<_> = filter.about.iter().map(posted).collect();
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind| Subject::Kind(*kind));
        let kinds = kinds.map(|kind| posted(&kind)).collect();
        walks.push(Box::new(AnyOf::new(kinds, order)));
    }
    (!walks.is_empty()).then(|| Search::new(walks, order))
}

/// Finds where statements were introduced that are, or were in some version, about all of
/// these subjects, and may have been said in this stretch of time.
#[must_use]
pub fn statements<'t>(
    tables: &'t dyn Tables,
    about: &BTreeSet<Subject>,
    said: Option<Interval>,
    order: Order,
) -> Search<'t> {
    let under = |heading: Heading<'_>| -> [Box<dyn Walk + 't>; 2] {
        [
            Box::new(Posted::new(tables, heading, order)),
            Box::new(Tied::new(tables, heading, order)),
        ]
    };
    let any_of = |walks| -> Box<dyn Walk + 't> { Box::new(AnyOf::new(walks, order)) };
    let mut walks = Vec::with_capacity(about.len() + 2);
    for subject in about {
        walks.push(any_of(under(Heading::About(subject)).into()));
    }
    if let Some(weeks) = said.and_then(said::may_be_in) {
        let weeks = weeks.into_iter().map(Heading::Said);
        walks.push(any_of(weeks.flat_map(under).collect()));
    }
    let introduced = Subject::Kind(RecordKind::StatementRecorded);
    let introduced = Heading::About(&introduced);
    walks.push(Box::new(Posted::new(tables, introduced, order)));
    Search::new(walks, order)
}
