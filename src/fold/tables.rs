//! The state of a fold: one ordered table of bytes to bytes, read through a trait, and an
//! overlay that shows changes which are not written yet.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Changes;
use super::batch::Batch;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows in the order of a scan, read as they are asked for.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Row, TablesError>> + 'a>;

/// In which order of their keys rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// An ordered table, for reading.
pub trait Tables {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError>;

    /// All rows from `start` on, in this order: up from it, or down from it.
    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_>;

    /// The rows whose keys start with `prefix`, the smallest key first.
    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        while_under(prefix, self.rows(Bound::Included(prefix), Order::Ascending))
    }

    /// The rows whose keys start with `prefix`, the largest key first.
    fn scan_back(&self, prefix: &[u8]) -> Scan<'_> {
        let end = prefix_end(prefix);
        let start = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        while_under(prefix, self.rows(start, Order::Descending))
    }
}

/// The rows up to the first whose key does not start with `prefix`.
fn while_under<'a>(prefix: &[u8], rows: Scan<'a>) -> Scan<'a> {
    let prefix = prefix.to_vec();
    Box::new(rows.take_while(move |row| match row {
        Ok((key, _)) => key.starts_with(&prefix),
        Err(_) => true,
    }))
}

/// Why a table could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a table cannot be read: {0}")]
pub struct TablesError(pub String);

/// A table in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTables(BTreeMap<Vec<u8>, Vec<u8>>);

impl MemoryTables {
    /// Makes `changes`.
    pub fn apply(&mut self, changes: Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }

    /// All rows, in key order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (&key[..], &value[..]))
    }
}

impl Tables for MemoryTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        Ok(self.0.get(key).cloned())
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        let rows: Box<dyn Iterator<Item = _>> = match order {
            Order::Ascending => Box::new(self.0.range::<[u8], _>((start, Bound::Unbounded))),
            Order::Descending => Box::new(self.0.range::<[u8], _>((Bound::Unbounded, start)).rev()),
        };
        Box::new(rows.map(|(key, value)| Ok((key.clone(), value.clone()))))
    }
}

/// A table as it will be once a batch of changes is made.
pub struct Overlay<'a> {
    base: &'a dyn Tables,
    batch: Batch,
}

impl<'a> Overlay<'a> {
    /// Shows `base` with nothing changed.
    #[must_use]
    pub fn new(base: &'a dyn Tables) -> Self {
        Self::in_place_of(base, Batch::default())
    }

    /// As [`new`](Self::new), in the memory of a batch that is of no use any more.
    #[must_use]
    pub fn in_place_of(base: &'a dyn Tables, batch: Batch) -> Self {
        Self::over(base, batch.emptied())
    }

    /// Shows `base` with the changes of a batch made.
    #[must_use]
    pub fn over(base: &'a dyn Tables, batch: Batch) -> Self {
        Self { base, batch }
    }

    /// Adds changes; a later change of a key replaces an earlier one.
    pub fn add(&mut self, changes: Changes) {
        self.batch.add(changes);
    }

    /// How many keys are changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// How many bytes the keys and values have that were added, replaced ones among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// All changes.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        self.batch.into_changes()
    }

    /// All changes, as they lie.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

impl Tables for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        match self.batch.get(key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.base.get(key),
        }
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.batch.over(self.base.rows(start, order), start, order)
    }
}

/// The first key after all keys that start with `prefix`; none if there is no such key.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![0..3_u8, Just(255)], 0..4)
    }

    fn changes() -> impl Strategy<Value = Changes> {
        prop::collection::vec((key(), prop::option::of(key())), 0..12)
            .prop_map(|changes| changes.into_iter().collect())
    }

    fn all(rows: Scan<'_>) -> Vec<Row> {
        rows.collect::<Result<_, _>>().unwrap()
    }

    proptest! {
        #[test]
        fn an_overlay_reads_as_the_table_will_after_its_changes(
            (stored, first, second) in (changes(), changes(), changes()),
            (prefix, start) in (key(), key()),
        ) {
            let mut base = MemoryTables::default();
            base.apply(stored);
            let mut after = base.clone();
            let mut overlay = Overlay::new(&base);
            for changes in [first, second] {
                overlay.add(changes.clone());
                after.apply(changes);
            }
            prop_assert_eq!(overlay.get(&prefix), after.get(&prefix));
            prop_assert_eq!(all(overlay.scan(&prefix)), all(after.scan(&prefix)));
            prop_assert_eq!(all(overlay.scan_back(&prefix)), all(after.scan_back(&prefix)));
            for order in [Order::Ascending, Order::Descending] {
                for start in [Bound::Included(&start[..]), Bound::Excluded(&start), Bound::Unbounded] {
                    prop_assert_eq!(all(overlay.rows(start, order)), all(after.rows(start, order)));
                }
            }
        }

        #[test]
        fn a_scan_holds_exactly_the_keys_that_start_with_its_prefix(
            stored in changes(), prefix in key(),
        ) {
            let mut table = MemoryTables::default();
            table.apply(stored);
            let under = table.all().filter(|(key, _)| key.starts_with(&prefix));
            let mut under: Vec<Row> = under.map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
            prop_assert_eq!(&all(table.scan(&prefix)), &under);
            under.reverse();
            prop_assert_eq!(&all(table.scan_back(&prefix)), &under);
        }
    }

    #[test]
    fn the_end_of_a_prefix_lies_after_its_last_key() {
        assert_eq!(prefix_end(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(prefix_end(&[1, 255]), Some(vec![2]));
        assert_eq!(prefix_end(&[255, 255]), None);
        assert_eq!(prefix_end(b""), None);
    }
}
