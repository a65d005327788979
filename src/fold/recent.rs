//! Rows that were read lately, kept beside a table that is slower to ask.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Changes, Tables, TablesError};

/// How many bytes are kept, keys and values together. Most rows are of 100 bytes or so: some
/// 40,000 of them, which with the map around them take twice as much.
const BYTES_KEPT_MAX: usize = 4 << 20;

/// Longer rows are not kept: pages of an index are asked for once in a while each, and a few
/// thousand of them would drive out everything else.
const ROW_BYTES_MAX: usize = 512;

/// Rows that were read lately: nearly every record asks for the same verifiers, topics and
/// sources. They are as the table has them for as long as whoever changes the table says so
/// here. Rows that were not found are not kept: a new record asks for its own, once.
#[derive(Debug, Default)]
pub struct RecentRows(RefCell<Kept>);

#[derive(Debug, Default)]
struct Kept {
    rows: HashMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl Kept {
    fn clear(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }

    /// A row has this value from here on, or is gone.
    fn change(&mut self, key: &[u8], value: Option<&Vec<u8>>) {
        let Some(kept) = self.rows.get_mut(key) else {
            return;
        };
        match value {
            Some(value) if value.len() <= ROW_BYTES_MAX => {
                self.bytes = self.bytes - kept.len() + value.len();
                kept.clone_from(value);
            }
            _ => {
                self.bytes -= key.len() + kept.len();
                self.rows.remove(key);
            }
        }
    }
}

impl RecentRows {
    /// The value at `key` in `table`.
    pub fn get(&self, table: &dyn Tables, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let mut kept = self.0.borrow_mut();
        if let Some(value) = kept.rows.get(key) {
            return Ok(Some(value.clone()));
        }
        let row = table.get(key)?;
        if let Some(value) = row.as_ref().filter(|it| it.len() <= ROW_BYTES_MAX) {
            if kept.bytes >= BYTES_KEPT_MAX {
                kept.clear();
            }
            kept.bytes += key.len() + value.len();
            kept.rows.insert(key.to_vec(), value.clone());
        }
        Ok(row)
    }

    /// The table is about to take `changes`.
    pub fn change(&self, changes: &Changes) {
        let mut kept = self.0.borrow_mut();
        for (key, value) in changes {
            kept.change(key, value.as_ref());
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
        recent.change(&set(7, "two"));
        assert_eq!(read(&table), Some(b"two".to_vec()));
        let long = "x".repeat(ROW_BYTES_MAX + 1);
        table.apply(set(7, &long));
        recent.change(&set(7, &long));
        assert_eq!(read(&table), Some(long.into_bytes()));
        table.apply(Changes::from([(7_u32.to_be_bytes().to_vec(), None)]));
        recent.clear();
        assert_eq!(read(&table), None);
    }

    #[test]
    fn no_more_bytes_are_kept_than_the_bound_says() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        let value = "x".repeat(ROW_BYTES_MAX);
        for key in 0..10_000_u32 {
            table.apply(set(key, &value));
            recent.get(&table, &key.to_be_bytes()).unwrap();
            let kept = recent.0.borrow();
            let lengths = kept.rows.iter().map(|(key, value)| key.len() + value.len());
            assert_eq!(kept.bytes, lengths.sum::<usize>());
            assert!(kept.bytes < BYTES_KEPT_MAX + ROW_BYTES_MAX + 4);
        }
    }
}
