//! What entries made of a statement, once those below `known_at` were known.

use std::collections::BTreeMap;

use super::{Change, ENTRIES};
use crate::fold::{FoldError, Tables};
use crate::projection::rows::Parts;
use crate::record::{ContentId, Slug};

/// The entries that make up a statement, by ledger index, whether or not they count: which of
/// them do is a matter of trust, and positions' to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementView {
    /// The one that introduced it.
    pub introduced: u64,
    /// Its corrections, oldest first.
    pub corrections: Vec<u64>,
    /// Its retractions, oldest first.
    pub retractions: Vec<u64>,
    /// The readings by coders beside its own, oldest first: each coder's newest on a topic and
    /// holder.
    pub readings: Vec<u64>,
    /// Further evidence, oldest first.
    pub evidence: Vec<u64>,
    /// Its reviews, oldest first.
    pub reviews: Vec<u64>,
}

/// A statement; none if it is not on record.
pub fn view(
    tables: &dyn Tables,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<StatementView>, FoldError> {
    let mut introduced = None;
    let (mut corrections, mut retractions) = (Vec::new(), Vec::new());
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
            Change::Retracted => retractions.push(index),
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
    let mut readings: Vec<u64> = newest.into_values().collect();
    readings.sort_unstable();
    readings.dedup();
    Ok(introduced.map(|introduced| StatementView {
        introduced,
        corrections,
        retractions,
        readings,
        evidence,
        reviews,
    }))
}
