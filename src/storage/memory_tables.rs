//! Projection tables in memory: what tests and pure folds use in place of a disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use super::tables::{Change, Direction, KeyRange, ProjectionStore, Rows, TableError, check_rows};

/// Rows in a sorted map. Scans read as they go, as a store on disk does.
#[derive(Debug, Default)]
pub struct MemoryTables {
    rows: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryTables {
    /// Tables without a row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn next_in(&self, range: &KeyRange, direction: Direction) -> Option<(Vec<u8>, Vec<u8>)> {
        if range.is_empty() {
            return None;
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let bounds = (range.start.as_ref(), range.end.as_ref());
        let mut found = rows.range::<Vec<u8>, _>(bounds);
        match direction {
            Direction::Forwards => found.next(),
            Direction::Backwards => found.next_back(),
        }
        .map(|(key, value)| (key.clone(), value.clone()))
    }
}

impl ProjectionStore for MemoryTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(key).cloned())
    }

    fn scan(&self, mut range: KeyRange, direction: Direction) -> Rows<'_> {
        Box::new(std::iter::from_fn(move || {
            let (key, value) = self.next_in(&range, direction)?;
            match direction {
                Direction::Forwards => range.start = Bound::Excluded(key.clone()),
                Direction::Backwards => range.end = Bound::Excluded(key.clone()),
            }
            Some(Ok((key, value)))
        }))
    }

    fn apply(&self, changes: &[Change]) -> Result<(), TableError> {
        check_rows(changes)?;
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in changes {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(())
    }

    /// The bytes of all keys and values.
    fn bytes_on_disk(&self) -> Result<u64, TableError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let bytes: usize = rows
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        Ok(bytes as u64)
    }
}
