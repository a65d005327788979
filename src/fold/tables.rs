//! The state of a fold: one ordered table of bytes to bytes, read through a trait, and an
//! overlay that shows changes which are not written yet.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use super::Changes;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows in key order, read as they are asked for.
pub type Scan<'a> = Box<dyn DoubleEndedIterator<Item = Result<Row, TablesError>> + 'a>;

/// An ordered table, for reading.
pub trait Tables {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError>;

    /// The rows whose keys start with `prefix`, in key order; reversible.
    fn scan(&self, prefix: &[u8]) -> Scan<'_>;
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
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (&key[..], &value[..]))
    }
}

impl Tables for MemoryTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        let rows = prefixed(&self.0, prefix);
        Box::new(rows.map(|(key, value)| Ok((key.clone(), value.clone()))))
    }
}

/// A table as it will be once `changes` are made.
pub struct Overlay<'a> {
    base: &'a dyn Tables,
    changes: Changes,
}

impl<'a> Overlay<'a> {
    /// Shows `base` with nothing changed.
    #[must_use]
    pub fn new(base: &'a dyn Tables) -> Self {
        Self {
            base,
            changes: Changes::new(),
        }
    }

    /// Adds changes; a later change of a key replaces an earlier one.
    pub fn add(&mut self, changes: Changes) {
        if self.changes.is_empty() {
            self.changes = changes;
        } else {
            // Not `append`, which builds the whole map anew: an entry changes a few keys of
            // the thousands that a batch holds.
            self.changes.extend(changes);
        }
    }

    /// How many keys are changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// All changes.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        self.changes
    }
}

impl Tables for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        let mut changed = prefixed(&self.changes, prefix).peekable();
        if changed.peek().is_none() {
            return self.base.scan(prefix);
        }
        let mut rows = BTreeMap::new();
        for row in self.base.scan(prefix) {
            match row {
                Ok((key, value)) => rows.insert(key, value),
                Err(error) => return Box::new(std::iter::once(Err(error))),
            };
        }
        for (key, value) in changed {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Box::new(rows.into_iter().map(Ok))
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

/// The part of a sorted map whose keys start with `prefix`.
fn prefixed<'a, V>(
    map: &'a BTreeMap<Vec<u8>, V>,
    prefix: &[u8],
) -> btree_map::Range<'a, Vec<u8>, V> {
    let end = prefix_end(prefix);
    let upper = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    map.range::<[u8], _>((Bound::Included(prefix), upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> MemoryTables {
        let mut table = MemoryTables::default();
        let set = |(key, value): &(&str, &str)| {
            (key.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))
        };
        table.apply(rows.iter().map(set).collect());
        table
    }

    fn keys(tables: &dyn Tables, prefix: &[u8]) -> Vec<String> {
        let key = |row: Result<Row, TablesError>| String::from_utf8(row.unwrap().0).unwrap();
        tables.scan(prefix).map(key).collect()
    }

    #[test]
    fn an_overlay_scans_as_the_table_will_after_its_changes() {
        let base = table(&[("a1", "x"), ("a2", "x"), ("b1", "x")]);
        let changes = Changes::from([
            (b"a1".to_vec(), None),
            (b"a3".to_vec(), Some(b"y".to_vec())),
            (b"b2".to_vec(), Some(b"y".to_vec())),
        ]);
        let mut overlay = Overlay::new(&base);
        overlay.add(changes.clone());
        assert_eq!(keys(&overlay, b"a"), ["a2", "a3"]);
        assert_eq!(overlay.get(b"a1").unwrap(), None);
        let mut after = base.clone();
        after.apply(changes);
        for prefix in [&b""[..], b"a", b"b", b"c"] {
            assert_eq!(keys(&overlay, prefix), keys(&after, prefix));
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
