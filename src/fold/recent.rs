//! Rows that were read lately, kept beside a table that is slower to ask.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Changes, Tables, TablesError};

/// How many rows are kept. Most are of 100 bytes or so, some 400 KB; pages of an index take 1 to
/// 2 KB, 8 MB if there are no others.
const ROWS_KEPT_MAX: usize = 4_096;

/// Rows that were read lately: nearly every record asks for the same verifiers, topics and
/// sources. They are as the table has them for as long as whoever changes the table says so
/// here. Rows that were not found are not kept: a new record asks for its own, once.
#[derive(Debug, Default)]
pub struct RecentRows(RefCell<HashMap<Vec<u8>, Vec<u8>>>);

impl RecentRows {
    /// The value at `key` in `table`.
    pub fn get(&self, table: &dyn Tables, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let mut rows = self.0.borrow_mut();
        if let Some(value) = rows.get(key) {
            return Ok(Some(value.clone()));
        }
        let row = table.get(key)?;
        if let Some(value) = &row {
            if rows.len() >= ROWS_KEPT_MAX {
                rows.clear();
            }
            rows.insert(key.to_vec(), value.clone());
        }
        Ok(row)
    }

    /// Lets go of the rows that `changes` change.
    pub fn forget(&self, changes: &Changes) {
        let mut rows = self.0.borrow_mut();
        for key in changes.keys() {
            rows.remove(key);
        }
    }

    /// Lets go of all.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::MemoryTables;

    fn set(key: u32, value: &str) -> Changes {
        Changes::from([(key.to_be_bytes().to_vec(), Some(value.into()))])
    }

    #[test]
    fn a_row_is_read_once_until_it_is_changed() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        let read = |table: &MemoryTables| recent.get(table, &7_u32.to_be_bytes()).unwrap();
        assert_eq!(read(&table), None);
        table.apply(set(7, "one"));
        assert_eq!(read(&table), Some(b"one".to_vec()), "none is not kept");
        table.apply(set(7, "two"));
        assert_eq!(read(&table), Some(b"one".to_vec()), "nobody said so");
        recent.forget(&set(7, "two"));
        assert_eq!(read(&table), Some(b"two".to_vec()));
        table.apply(Changes::from([(7_u32.to_be_bytes().to_vec(), None)]));
        recent.clear();
        assert_eq!(read(&table), None);
    }

    #[test]
    fn no_more_rows_are_kept_than_the_bound_says() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        for key in 0..10_000_u32 {
            table.apply(set(key, "x"));
            recent.get(&table, &key.to_be_bytes()).unwrap();
            assert!(recent.0.borrow().len() <= ROWS_KEPT_MAX);
        }
    }
}
