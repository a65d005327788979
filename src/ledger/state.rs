//! The admission state: what the entries below the tail say, as admission needs it.
//!
//! A fold like any projection, in a store of its own that can be built again from the ledger.
//! Changes and the cursor commit together; the cursor is the frontier of the entries that have
//! been folded, so that it names their root as well as their number.
//!
//! Nobody else writes to the store while the ledger is open, so rows that were read are kept.

use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::admission::AdmissionFold;
use crate::fold::{Batch, Changes, Fold as _, Order, RecentRows, Scan, Tables, TablesError};
use crate::merkle::{Frontier, Hash};
use crate::storage::{ProjectionStore, TableError};

/// The cursor's key. It sorts before every key that a fold makes.
const CURSOR_KEY: &[u8] = b"\0cursor";

/// How far the fold has come, as it is stored.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// The version of the fold that made the rows.
    version: u32,
    /// How many entries it has folded.
    size: u64,
    /// The frontier's hashes at that size.
    hashes: Vec<Hash>,
}

/// The row that says how far the fold has come, as a change.
fn cursor_row(frontier: &Frontier) -> Result<(Vec<u8>, Option<Vec<u8>>), TableError> {
    let cursor = Cursor {
        version: AdmissionState::FOLD.version(),
        size: frontier.size(),
        hashes: frontier.hashes().to_vec(),
    };
    let row = postcard::to_stdvec(&cursor).map_err(|error| TableError::Engine {
        detail: error.to_string(),
    })?;
    Ok((CURSOR_KEY.to_vec(), Some(row)))
}

/// Admission's rows, to be read. Clones show the same rows. They may be ahead of the published
/// head by a frame.
#[derive(Clone)]
pub struct AdmissionTables(Arc<dyn ProjectionStore>);

impl Tables for AdmissionTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.0.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.0.rows(start, order)
    }
}

impl std::fmt::Debug for AdmissionTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdmissionTables").finish_non_exhaustive()
    }
}

/// What admission judges by, in a store that nobody else writes to. See the module.
pub struct AdmissionState {
    store: Arc<dyn ProjectionStore>,
    recent: RecentRows,
}

impl Tables for AdmissionState {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.recent.get(&*self.store, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.store.rows(start, order)
    }
}

impl AdmissionState {
    /// The fold that makes the rows.
    pub const FOLD: AdmissionFold = AdmissionFold;

    /// The state in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn ProjectionStore>) -> Self {
        let recent = RecentRows::default();
        Self { store, recent }
    }

    /// The rows, for others to read.
    pub fn tables(&self) -> AdmissionTables {
        AdmissionTables(Arc::clone(&self.store))
    }

    /// The frontier of the entries that have been folded; none if no cursor of this version of
    /// the fold stands there.
    pub fn cursor(&self) -> Result<Option<Frontier>, TablesError> {
        let row = self.store.get(CURSOR_KEY)?;
        let cursor = row.and_then(|row| postcard::from_bytes::<Cursor>(&row).ok());
        Ok(cursor
            .filter(|cursor| cursor.version == Self::FOLD.version())
            .and_then(|cursor| Frontier::from_parts(cursor.size, cursor.hashes).ok()))
    }

    /// Makes `changes`, which bring the state to `frontier`.
    pub fn advance(&self, mut changes: Changes, frontier: &Frontier) -> Result<(), TableError> {
        self.recent.change(&changes);
        changes.extend([cursor_row(frontier)?]);
        let applied = self.store.apply(changes);
        applied.inspect_err(|_| self.recent.clear())
    }

    /// As [`advance`](Self::advance), for the changes of many entries: they are durable when this
    /// returns. Gives back the batch, emptied.
    pub fn fill(&self, mut batch: Batch, frontier: &Frontier) -> Result<Batch, TableError> {
        batch.add(Changes::from([cursor_row(frontier)?]));
        self.recent.change_by(&batch);
        let written = self.store.ingest(&batch.sorted());
        written.inspect_err(|_| self.recent.clear())?;
        Ok(batch.emptied())
    }

    /// Takes the cursor away, so that the next start builds the state again.
    pub fn distrust(&self) -> Result<(), TableError> {
        self.recent.clear();
        let no_cursor = Changes::from([(CURSOR_KEY.to_vec(), None)]);
        self.store.apply(no_cursor)?;
        self.store.persist()
    }

    /// Takes every row away.
    pub fn clear(&self) -> Result<(), TableError> {
        self.recent.clear();
        self.store.clear()
    }
}

impl std::fmt::Debug for AdmissionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdmissionState").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;
    use crate::storage::MemoryTables;

    fn state() -> AdmissionState {
        AdmissionState::new(Arc::new(MemoryTables::new()))
    }

    fn frontier(size: u64) -> Frontier {
        let mut frontier = Frontier::new();
        for index in 0..size {
            frontier.push(leaf_hash(&index.to_be_bytes()));
        }
        frontier
    }

    #[test]
    fn the_cursor_comes_back_with_the_changes_it_was_stored_with() {
        let state = state();
        assert_eq!(state.cursor().unwrap(), None);
        let changes = Changes::from([(b"row".to_vec(), Some(b"value".to_vec()))]);
        state.advance(changes, &frontier(11)).unwrap();
        assert_eq!(state.cursor().unwrap(), Some(frontier(11)));
        assert_eq!(state.get(b"row").unwrap(), Some(b"value".to_vec()));
        state.distrust().unwrap();
        assert_eq!(state.cursor().unwrap(), None);
    }

    #[test]
    fn a_row_is_read_as_it_was_changed_last() {
        let state = state();
        for value in [Some(b"one".to_vec()), Some(b"two".to_vec()), None] {
            let changes = Changes::from([(b"row".to_vec(), value.clone())]);
            state.advance(changes, &frontier(1)).unwrap();
            for _ in 0..2 {
                assert_eq!(state.get(b"row").unwrap(), value);
            }
        }
        let changes = Changes::from([(b"row".to_vec(), Some(vec![]))]);
        state.advance(changes, &frontier(2)).unwrap();
        assert_eq!(state.get(b"row").unwrap(), Some(vec![]));
        state.clear().unwrap();
        assert_eq!(state.get(b"row").unwrap(), None);
        assert_eq!(state.scan(b"").count(), 0);
    }

    #[test]
    fn the_changes_of_many_entries_are_read_as_they_were_filled_in() {
        let state = state();
        let row = |value: &str| Changes::from([(b"row".to_vec(), Some(value.into()))]);
        state.advance(row("before"), &frontier(1)).unwrap();
        assert_eq!(state.get(b"row").unwrap(), Some(b"before".to_vec()));
        let mut batch = Batch::default();
        batch.add(row("meanwhile"));
        batch.add(row("after"));
        let batch = state.fill(batch, &frontier(11)).unwrap();
        assert!(batch.is_empty());
        assert_eq!(state.get(b"row").unwrap(), Some(b"after".to_vec()));
        assert_eq!(state.cursor().unwrap(), Some(frontier(11)));
    }

    #[test]
    fn a_cursor_that_does_not_decode_counts_as_missing() {
        let state = state();
        for row in [&b""[..], &[1, 11, 0], &[255; 40]] {
            let row = (CURSOR_KEY.to_vec(), Some(row.to_vec()));
            state.store.apply(Changes::from([row])).unwrap();
            assert_eq!(state.cursor().unwrap(), None);
        }
    }
}
