//! Projection tables in memory: what tests use in place of a disk.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::tables::{ProjectionStore, TableError, check_rows};
use crate::fold::{self, Changes, Scan, Tables, TablesError};

/// Rows in a sorted map.
#[derive(Debug, Default)]
pub struct MemoryTables {
    rows: RwLock<fold::MemoryTables>,
}

impl MemoryTables {
    /// Tables without a row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> RwLockReadGuard<'_, fold::MemoryTables> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows_to_change(&self) -> RwLockWriteGuard<'_, fold::MemoryTables> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables for MemoryTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.rows().get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        let rows: Vec<_> = self.rows().scan(prefix).collect();
        Box::new(rows.into_iter())
    }
}

impl ProjectionStore for MemoryTables {
    fn apply(&self, changes: Changes) -> Result<(), TableError> {
        check_rows(&changes)?;
        self.rows_to_change().apply(changes);
        Ok(())
    }

    fn clear(&self) -> Result<(), TableError> {
        *self.rows_to_change() = fold::MemoryTables::default();
        Ok(())
    }

    fn persist(&self) -> Result<(), TableError> {
        Ok(())
    }

    /// The bytes of all keys and values.
    fn bytes_on_disk(&self) -> u64 {
        let rows = self.rows();
        let bytes: usize = rows
            .rows()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        bytes as u64
    }
}
