//! Rows that were read lately, kept beside a table that is slower to ask.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Batch, Changes, Tables, TablesError};

/// How many bytes of rows one generation takes in. Most rows are of 100 bytes or so, with what
/// the map takes some 20,000; pages of an index take 1 to 2 KB, 2,000 of them. Both generations
/// together stay below 8 MiB and two rows.
const GENERATION_BYTES_MAX: usize = 4 << 20;

/// What a row takes besides its key and value: two vectors, and its place in the map.
const ROW_BYTES: usize = 100;

/// Rows that were read lately: nearly every record asks for the same verifiers, topics and
/// sources. They are as the table has them for as long as whoever changes the table says so
/// here; what was read and then changed is kept as it is after the change, as what counts or
/// collects is changed again soon. Rows that were not found are not kept: a new record asks for
/// its own, once.
///
/// Rows are kept in two generations. Once the younger one is full it takes the place of the
/// older, whose rows go; a row of the older one that is read moves to the younger.
#[derive(Debug, Default)]
pub struct RecentRows(RefCell<Generations>);

/// See [`RecentRows`].
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Vec<u8>, Vec<u8>>,
    old: HashMap<Vec<u8>, Vec<u8>>,
    /// What the rows in `young` take.
    young_bytes: usize,
}

impl RecentRows {
    /// The value at `key` in `table`.
    pub fn get(&self, table: &dyn Tables, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let mut rows = self.0.borrow_mut();
        if let Some(value) = rows.find(key) {
            return Ok(Some(value));
        }
        let row = table.get(key)?;
        if let Some(value) = &row {
            rows.keep(key.to_vec(), value.clone());
        }
        Ok(row)
    }

    /// Shows the rows as `changes`, which are made to the table, leave them.
    pub fn change(&self, changes: &Changes) {
        let mut rows = self.0.borrow_mut();
        for (key, value) in changes.iter() {
            rows.change(key, value);
        }
    }

    /// As [`change`](Self::change), for a batch with many more changes than there are rows here.
    pub fn change_by(&self, batch: &Batch) {
        let mut rows = self.0.borrow_mut();
        let kept = rows.young.keys().chain(rows.old.keys());
        let kept = kept.filter(|key| batch.get(key).is_some());
        for key in kept.cloned().collect::<Vec<_>>() {
            rows.change(&key, batch.get(&key).flatten());
        }
    }

    /// Lets go of all.
    pub fn clear(&self) {
        *self.0.borrow_mut() = Generations::default();
    }
}

impl Generations {
    fn find(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.keep(key, value.clone());
        Some(value)
    }

    /// Keeps a row that is in neither generation.
    fn keep(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.young_bytes += row_bytes(&key, &value);
        self.young.insert(key, value);
        self.bound();
    }

    /// Changes a row, if it is kept.
    fn change(&mut self, key: &[u8], value: Option<&[u8]>) {
        if let (Some(kept), Some(value)) = (self.young.get_mut(key), value) {
            self.young_bytes = self.young_bytes - kept.len() + value.len();
            kept.clear();
            kept.extend_from_slice(value);
            self.bound();
        } else if let Some(kept) = self.young.remove(key) {
            self.young_bytes -= row_bytes(key, &kept);
        } else if let Some((key, _)) = self.old.remove_entry(key)
            && let Some(value) = value
        {
            self.keep(key, value.to_vec());
        }
    }

    fn bound(&mut self) {
        if self.young_bytes > GENERATION_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

/// What a row takes.
fn row_bytes(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + ROW_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::MemoryTables;

    fn set(key: u32, value: &str) -> Changes {
        Changes::from([(key.to_be_bytes().to_vec(), Some(value.into()))])
    }

    #[test]
    fn a_row_is_read_once_and_then_as_it_is_said_to_have_changed() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        let read = |table: &MemoryTables| recent.get(table, &7_u32.to_be_bytes()).unwrap();
        assert_eq!(read(&table), None);
        table.apply(set(7, "one"));
        assert_eq!(read(&table), Some(b"one".to_vec()), "none is not kept");
        table.apply(set(7, "two"));
        assert_eq!(read(&table), Some(b"one".to_vec()), "nobody said so");
        recent.change(&set(7, "three"));
        assert_eq!(
            read(&table),
            Some(b"three".to_vec()),
            "it is not read again"
        );
        recent.change(&Changes::from([(7_u32.to_be_bytes().to_vec(), None)]));
        assert_eq!(
            read(&table),
            Some(b"two".to_vec()),
            "one that goes is let go of"
        );
        recent.change(&set(8, "new"));
        let other = recent.get(&table, &8_u32.to_be_bytes()).unwrap();
        assert_eq!(other, None, "what was not read is not kept");
        recent.clear();
        table.apply(Changes::from([(7_u32.to_be_bytes().to_vec(), None)]));
        assert_eq!(read(&table), None);
    }

    #[test]
    fn no_more_bytes_are_kept_than_the_bound_says() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        let value = "x".repeat(10_000);
        let most = 2 * (GENERATION_BYTES_MAX / (value.len() + ROW_BYTES) + 1);
        for key in 0..2_000 {
            table.apply(set(key, &value));
            recent.get(&table, &key.to_be_bytes()).unwrap();
            recent.change(&set(key, &value));
            let rows = recent.0.borrow();
            assert!(rows.young_bytes <= GENERATION_BYTES_MAX);
            assert!(rows.young.len() + rows.old.len() <= most);
        }
    }

    #[test]
    fn a_row_that_is_read_again_and_again_stays() {
        let recent = RecentRows::default();
        let mut table = MemoryTables::default();
        table.apply(set(0, "hot"));
        let hot = |table: &MemoryTables| recent.get(table, &0_u32.to_be_bytes()).unwrap();
        hot(&table);
        let value = "x".repeat(10_000);
        for key in 1..2_000 {
            table.apply(set(key, &value));
            recent.get(&table, &key.to_be_bytes()).unwrap();
            hot(&table);
        }
        table.apply(set(0, "nobody said so"));
        assert_eq!(hot(&table), Some(b"hot".to_vec()));
    }
}
