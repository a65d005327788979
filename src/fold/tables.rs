//! The state of a fold: one ordered table of bytes to bytes, read through a trait, and an
//! overlay that shows changes which are not written yet.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;

use super::Changes;

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
        let rows = ordered(&self.0, start, order);
        Box::new(rows.map(|(key, value)| Ok((key.clone(), value.clone()))))
    }
}

/// A table as it will be once `changes` are made.
pub struct Overlay<'a> {
    base: &'a dyn Tables,
    /// By the first byte of their keys, so that among the many changes of a batch those of a
    /// small table are found as fast as if there were no others.
    changes: Box<[Changes]>,
    /// How many keys are changed.
    keys: usize,
    /// Of all keys and values that were added.
    bytes: usize,
}

/// How many first bytes there are.
const FIRST_BYTES: usize = u8::MAX as usize + 1;

/// Under which of them a key stands. The empty key comes before all others in any case.
fn first_byte(key: &[u8]) -> usize {
    key.first().copied().unwrap_or(0).into()
}

impl<'a> Overlay<'a> {
    /// Shows `base` with nothing changed.
    #[must_use]
    pub fn new(base: &'a dyn Tables) -> Self {
        Self {
            base,
            changes: (0..FIRST_BYTES).map(|_| Changes::new()).collect(),
            keys: 0,
            bytes: 0,
        }
    }

    /// Adds changes; a later change of a key replaces an earlier one.
    pub fn add(&mut self, changes: Changes) {
        for (key, value) in changes {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            if let Some(table) = self.changes.get_mut(first_byte(&key)) {
                let before = table.insert(key, value);
                self.keys += usize::from(before.is_none());
            }
        }
    }

    /// How many keys are changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys
    }

    /// How many bytes the keys and values have that were added, replaced ones among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// All changes.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        self.changes.into_iter().flatten().collect()
    }

    /// The changes from `start` on, in the order of a scan.
    fn changed<'o>(&'o self, start: Bound<&[u8]>, order: Order) -> Ordered<'o, Option<Vec<u8>>> {
        let first = match (start, order) {
            (Bound::Included(key) | Bound::Excluded(key), _) => first_byte(key),
            (Bound::Unbounded, Order::Ascending) => 0,
            (Bound::Unbounded, Order::Descending) => FIRST_BYTES - 1,
        };
        let (below, from) = self.changes.split_at(first);
        let Some((table, above)) = from.split_first() else {
            return Box::new(std::iter::empty());
        };
        let own = ordered(table, start, order);
        match order {
            Order::Ascending => Box::new(own.chain(above.iter().flatten())),
            Order::Descending => {
                Box::new(own.chain(below.iter().rev().flat_map(|table| table.iter().rev())))
            }
        }
    }
}

impl Tables for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let changed = self.changes.get(first_byte(key));
        match changed.and_then(|table| table.get(key)) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        let base = self.base.rows(start, order);
        if self.is_empty() {
            return base;
        }
        Box::new(Merge {
            base: base.peekable(),
            changed: self.changed(start, order).peekable(),
            order,
        })
    }
}

/// Rows of a sorted map, in the order of a scan.
type Ordered<'a, V> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a V)> + 'a>;

/// The rows of a table, with changes over them, both in the same order.
struct Merge<'a> {
    base: Peekable<Scan<'a>>,
    changed: Peekable<Ordered<'a, Option<Vec<u8>>>>,
    order: Order,
}

impl Merge<'_> {
    /// Whether the next row of the table comes before, with or after the next change.
    fn compare(&mut self) -> Ordering {
        match (self.base.peek(), self.changed.peek()) {
            (_, None) | (Some(Err(_)), _) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(Ok((key, _))), Some((changed, _))) => match self.order {
                Order::Ascending => key.cmp(changed),
                Order::Descending => (*changed).cmp(key),
            },
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Row, TablesError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = self.compare();
            if order == Ordering::Less {
                return self.base.next();
            }
            if order == Ordering::Equal {
                self.base.next();
            }
            if let (key, Some(value)) = self.changed.next()? {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
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

/// The part of a sorted map from `start` on.
fn ordered<'a, V>(
    map: &'a BTreeMap<Vec<u8>, V>,
    start: Bound<&[u8]>,
    order: Order,
) -> Ordered<'a, V> {
    match order {
        Order::Ascending => Box::new(map.range::<[u8], _>((start, Bound::Unbounded))),
        Order::Descending => Box::new(map.range::<[u8], _>((Bound::Unbounded, start)).rev()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![0..3_u8, Just(255)], 0..4)
    }

    fn changes() -> impl Strategy<Value = Changes> {
        prop::collection::btree_map(key(), prop::option::of(key()), 0..12)
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
