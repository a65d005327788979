//! What became of a statement, as it stood once the entries below `known_at` were known.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ENTRIES};
use crate::fold::{FoldError, Tables};
use crate::projection::rows::Parts;
use crate::record::{ContentId, Slug};

/// The entries that make up a statement, by ledger index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementView {
    /// The one that introduced it.
    pub introduced: u64,
    /// Its corrections, oldest first.
    pub corrections: Vec<u64>,
    /// Its retraction, if it was retracted.
    pub retraction: Option<u64>,
    /// The readings by coders that stand beside its own, oldest first: each coder's newest on
    /// a topic and holder.
    pub readings: Vec<u64>,
    /// The topics of these readings.
    pub read_on: BTreeSet<Slug>,
    /// Further evidence, oldest first.
    pub evidence: Vec<u64>,
    /// Its reviews, oldest first.
    pub reviews: Vec<u64>,
}

impl StatementView {
    /// The entry whose version of the statement stands.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.corrections.last().copied().unwrap_or(self.introduced)
    }
}

/// A statement; none if it is not on record.
pub fn view(
    tables: &dyn Tables,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<StatementView>, FoldError> {
    let mut introduced = None;
    let mut corrections = Vec::new();
    let mut retraction = None;
    let (mut evidence, mut reviews) = (Vec::new(), Vec::new());
    let mut newest: BTreeMap<(Slug, Slug, [u8; 32]), u64> = BTreeMap::new();
    for row in ENTRIES.scan(tables, &ENTRIES.key().bytes(id.as_bytes())) {
        let (key, change) = row?;
        let index = Parts::new(ENTRIES, &key).index()?;
        if index >= known_at {
            break;
        }
        match change {
            Change::Introduced => introduced = Some(index),
            Change::Corrected => corrections.push(index),
            Change::Retracted => retraction = Some(index),
            Change::Evidenced => evidence.push(index),
            Change::Reviewed => reviews.push(index),
            Change::Read {
                topic,
                holder,
                coders,
            } => {
                for coder in coders {
                    newest.insert((topic.clone(), holder.clone(), coder), index);
                }
            }
        }
    }
    let read_on = newest.keys().map(|(topic, ..)| topic.clone()).collect();
    let mut readings: Vec<u64> = newest.into_values().collect();
    readings.sort_unstable();
    readings.dedup();
    Ok(introduced.map(|introduced| StatementView {
        introduced,
        corrections,
        retraction,
        readings,
        read_on,
        evidence,
        reviews,
    }))
}
