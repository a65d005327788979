//! Projection tables in memory: what tests use in place of a disk.

use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use super::tables::{ProjectionStore, TableError, check_rows};
use crate::fold::{self, Changes, Order, Row, Scan, Tables, TablesError};

/// Rows in a sorted map. A scan goes on in the map as it was when the scan began.
#[derive(Debug, Default)]
pub struct MemoryTables {
    rows: RwLock<Arc<fold::MemoryTables>>,
}

impl MemoryTables {
    /// Tables without a row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn shown(&self) -> Arc<fold::MemoryTables> {
        Arc::clone(&self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Arc<fold::MemoryTables>> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables for MemoryTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.shown().get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        let shown = self.shown();
        let mut start = start.map(<[u8]>::to_vec);
        Box::new(std::iter::from_fn(move || {
            let from = start.as_ref().map(Vec::as_slice);
            let row: Option<Result<Row, TablesError>> = shown.rows(from, order).next();
            if let Some(Ok((key, _))) = &row {
                start = Bound::Excluded(key.clone());
            }
            row
        }))
    }
}

impl ProjectionStore for MemoryTables {
    fn apply(&self, changes: Changes) -> Result<(), TableError> {
        check_rows(changes.iter())?;
        Arc::make_mut(&mut self.changing()).apply(changes);
        Ok(())
    }

    fn clear(&self) -> Result<(), TableError> {
        *self.changing() = Arc::default();
        Ok(())
    }

    fn persist(&self) -> Result<(), TableError> {
        Ok(())
    }

    /// The bytes of all keys and values.
    fn bytes_on_disk(&self) -> u64 {
        let rows = self.shown();
        let bytes: usize = rows.all().map(|(key, value)| key.len() + value.len()).sum();
        bytes as u64
    }
}
