//! The admission state: what the entries below the tail say, as admission needs it.
//!
//! A fold like any projection, in a store of its own that can be built again from the ledger.
//! Changes and the cursor commit together; the cursor is the frontier of the entries that have
//! been folded, so that it names their root as well as their number.
//!
//! Storing costs most by the batch, so the changes of several frames wait in memory and are
//! stored together. They are durable in the ledger before they come here: what is lost with
//! the process is folded again at the next start.
//!
//! Nobody else writes to the store while the ledger is open, so rows that were read may be
//! kept: nearly every record asks for the same verifiers, topics and sources.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde::{Deserialize, Serialize};

use super::tables::StoredTables;
use crate::admission::AdmissionFold;
use crate::fold::{Changes, Fold as _, Overlay, Scan, Tables, TablesError};
use crate::merkle::{Frontier, Hash};
use crate::storage::{Change, Direction, KeyRange, TableError};

/// The cursor's key. It sorts before every key that a fold makes.
const CURSOR_KEY: &[u8] = b"\0cursor";

/// How many rows are taken away at a time: storage frees memory by the batch.
const ROWS_CLEARED_MAX: usize = 1_000;

/// How many rows are kept. Rows are of 100 bytes or so: some 400 KB.
const ROWS_KEPT_MAX: usize = 4_096;

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

/// How many changes wait in memory at most, and one frame's more: at 200 bytes, some 200 KB.
const WAITING_MAX: usize = 1_024;

/// Admission's rows, to be read: those that are stored, and over them those that wait to be.
/// Clones show the same rows. They may be ahead of the published head by a frame.
#[derive(Clone, Debug)]
pub struct AdmissionTables {
    stored: StoredTables,
    waiting: Arc<RwLock<Changes>>,
}

impl AdmissionTables {
    fn waiting(&self) -> RwLockReadGuard<'_, Changes> {
        self.waiting.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables for AdmissionTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        if let Some(value) = self.waiting().get(key) {
            return Ok(value.clone());
        }
        self.stored.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        let mut rows = Overlay::new(&self.stored);
        rows.add(self.waiting().clone());
        let rows: Vec<_> = rows.scan(prefix).collect();
        Box::new(rows.into_iter())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct AdmissionState {
    tables: AdmissionTables,
    /// Where the fold stands, with what waits.
    frontier: RefCell<Frontier>,
    /// Rows that were read, as they are now. Rows that were not found are not kept: a new
    /// record asks for its own, once.
    kept: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Tables for AdmissionState {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let mut kept = self.kept.borrow_mut();
        if let Some(value) = kept.get(key) {
            return Ok(Some(value.clone()));
        }
        let row = self.tables.get(key)?;
        if let Some(value) = &row {
            if kept.len() >= ROWS_KEPT_MAX {
                kept.clear();
            }
            kept.insert(key.to_vec(), value.clone());
        }
        Ok(row)
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        self.tables.scan(prefix)
    }
}

impl AdmissionState {
    pub const FOLD: AdmissionFold = AdmissionFold;

    pub fn new(stored: StoredTables) -> Self {
        Self {
            tables: AdmissionTables {
                stored,
                waiting: Arc::default(),
            },
            frontier: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    /// The rows, for others to read.
    pub fn tables(&self) -> AdmissionTables {
        self.tables.clone()
    }

    /// The frontier of the entries that have been folded and stored; none if no cursor of this
    /// version of the fold stands there.
    pub fn cursor(&self) -> Result<Option<Frontier>, TableError> {
        let row = self.tables.stored.store().get(CURSOR_KEY)?;
        let cursor = row.and_then(|row| postcard::from_bytes::<Cursor>(&row).ok());
        Ok(cursor
            .filter(|cursor| cursor.version == Self::FOLD.version())
            .and_then(|cursor| Frontier::from_parts(cursor.size, cursor.hashes).ok()))
    }

    /// Makes `changes`, which bring the state to `frontier`, and stores what waits once it is
    /// enough.
    pub fn advance(&self, changes: Changes, frontier: &Frontier) -> Result<(), TableError> {
        let mut kept = self.kept.borrow_mut();
        for key in changes.keys() {
            kept.remove(key);
        }
        self.frontier.replace(frontier.clone());
        let mut waiting = self
            .tables
            .waiting
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.extend(changes);
        let enough = waiting.len() >= WAITING_MAX;
        drop(waiting);
        if enough { self.store() } else { Ok(()) }
    }

    /// Stores what waits.
    pub fn store(&self) -> Result<(), TableError> {
        let frontier = self.frontier.borrow();
        let waiting = self.tables.waiting().clone();
        if waiting.is_empty() {
            return Ok(());
        }
        let cursor = Cursor {
            version: Self::FOLD.version(),
            size: frontier.size(),
            hashes: frontier.hashes().to_vec(),
        };
        let row = postcard::to_stdvec(&cursor).map_err(|error| TableError::Engine {
            detail: error.to_string(),
        })?;
        let mut batch: Vec<Change> = waiting.into_iter().collect();
        batch.push((CURSOR_KEY.to_vec(), Some(row)));
        self.tables.stored.store().apply(&batch)?;
        self.forget_waiting();
        Ok(())
    }

    /// Takes the cursor away, so that the next start builds the state again.
    pub fn distrust(&self) -> Result<(), TableError> {
        self.forget_waiting();
        self.kept.borrow_mut().clear();
        self.tables
            .stored
            .store()
            .apply(&[(CURSOR_KEY.to_vec(), None)])
    }

    fn forget_waiting(&self) {
        let waiting = self.tables.waiting.write();
        waiting.unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes every row away, the cursor first.
    pub fn clear(&self) -> Result<(), TableError> {
        self.distrust()?;
        let store = self.tables.stored.store();
        loop {
            let rows = store.scan(KeyRange::all(), Direction::Forwards);
            let batch = rows
                .take(ROWS_CLEARED_MAX)
                .map(|row| row.map(|(key, _)| (key, None)))
                .collect::<Result<Vec<Change>, TableError>>()?;
            if batch.is_empty() {
                return Ok(());
            }
            store.apply(&batch)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::merkle::leaf_hash;
    use crate::storage::MemoryTables;

    fn state() -> AdmissionState {
        AdmissionState::new(StoredTables::new(Arc::new(MemoryTables::new())))
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
        assert_eq!(state.cursor().unwrap(), None, "it waits");
        assert_eq!(state.get(b"row").unwrap(), Some(b"value".to_vec()));
        state.store().unwrap();
        assert_eq!(state.cursor().unwrap(), Some(frontier(11)));
        assert_eq!(state.get(b"row").unwrap(), Some(b"value".to_vec()));
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
        state
            .advance(
                Changes::from([(b"row".to_vec(), Some(vec![]))]),
                &frontier(2),
            )
            .unwrap();
        assert_eq!(state.get(b"row").unwrap(), Some(vec![]));
        state.clear().unwrap();
        assert_eq!(state.get(b"row").unwrap(), None);
    }

    #[test]
    fn a_cursor_that_does_not_decode_counts_as_missing() {
        let state = state();
        for row in [&b""[..], &[1, 11, 0], &[255; 40]] {
            let row = (CURSOR_KEY.to_vec(), Some(row.to_vec()));
            state.tables.stored.store().apply(&[row]).unwrap();
            assert_eq!(state.cursor().unwrap(), None);
        }
    }

    #[test]
    fn what_waits_is_stored_once_it_is_enough() {
        let state = state();
        let row = |key: u32| Changes::from([(key.to_be_bytes().to_vec(), Some(Vec::new()))]);
        let enough = u32::try_from(WAITING_MAX).unwrap();
        for key in 1..enough {
            state
                .advance(row(key), &frontier(u64::from(key % 3)))
                .unwrap();
        }
        assert_eq!(state.cursor().unwrap(), None);
        assert_eq!(state.scan(b"").count(), WAITING_MAX - 1);
        state.advance(row(enough), &frontier(7)).unwrap();
        assert_eq!(state.cursor().unwrap(), Some(frontier(7)));
        assert!(state.tables.waiting().is_empty());
    }

    #[test]
    fn clearing_leaves_no_row() {
        let state = state();
        let row = |key: u32| (key.to_be_bytes().to_vec(), Some(Vec::new()));
        state
            .advance((0..2_500).map(row).collect(), &frontier(3))
            .unwrap();
        state.clear().unwrap();
        assert_eq!(state.scan(b"").count(), 0);
    }
}
