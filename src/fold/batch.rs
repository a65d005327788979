//! The changes that many entries made, put together, to be read before they are written.
//!
//! Nearly all of them are looked for by key, and many by nobody: so they lie in the order in
//! which they came, one after another in memory, with an index of hashes that is small enough to
//! stay near the processor, and are sorted when they are written, or where a scan asks for it.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::iter::Peekable;
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes::{Changed, Changes};
use super::tables::{Order, Row, Scan, TablesError};

/// Changes of many entries: of every key the last.
#[derive(Debug)]
pub struct Batch {
    /// By the first byte of their keys, so that only what a scan may come by is sorted for it.
    tables: Box<[Table]>,
    /// Hashes keys so that nobody can choose some that hash alike.
    hashing: RandomState,
    /// How many keys are changed.
    keys: usize,
    /// Of all keys and values that were added.
    bytes: usize,
}

/// The changes of keys with the same first byte.
#[derive(Debug, Default)]
struct Table {
    /// Keys and values, one after another.
    bytes: Vec<u8>,
    /// In the order in which the keys came.
    changes: Vec<Change>,
    /// By the hash of a key, the last place in `changes` of one that has it.
    places: HashMap<u64, Place, BuildHasherDefault<Hashed>>,
    /// The keys in order, with their places, once they were scanned.
    sorted: Mutex<Option<BTreeMap<Vec<u8>, Place>>>,
}

/// A place among the changes of a table: a batch has some hundred thousand.
type Place = u32;

/// The change of a key.
#[derive(Debug)]
struct Change {
    /// Where the key stands.
    key: Range<usize>,
    /// Where the value stands, or none where the row goes.
    value: Option<Range<usize>>,
    /// The place before it of another key with the same hash.
    alike: Option<Place>,
}

/// Passes on what is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// How many first bytes there are.
const FIRST_BYTES: usize = u8::MAX as usize + 1;

/// Under which of them a key stands. The empty key comes before all others in any case.
fn first_byte(key: &[u8]) -> usize {
    key.first().copied().unwrap_or(0).into()
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            tables: (0..FIRST_BYTES).map(|_| Table::default()).collect(),
            hashing: RandomState::new(),
            keys: 0,
            bytes: 0,
        }
    }
}

impl Batch {
    /// Adds changes; a later change of a key replaces an earlier one.
    pub fn add(&mut self, changes: Changes) {
        for (key, value) in changes {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            let hash = self.hashing.hash_one(&key[..]);
            if let Some(table) = self.tables.get_mut(first_byte(&key)) {
                self.keys += usize::from(table.insert(hash, &key, value.as_deref()));
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

    /// The new value of a key, or none where the row goes; if it is changed.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let table = self.tables.get(first_byte(key))?;
        if table.changes.is_empty() {
            return None;
        }
        let place = table.find(self.hashing.hash_one(key), key)?;
        Some(table.change(place)?.1)
    }

    /// All changes, in key order.
    #[must_use]
    pub fn sorted(&self) -> Vec<Changed<'_>> {
        let mut sorted = Vec::with_capacity(self.keys);
        for table in &self.tables {
            let first = sorted.len();
            sorted.extend(table.changes.iter().map(|it| table.shown(it)));
            if let Some(own) = sorted.get_mut(first..) {
                // Much of it lies in order.
                own.sort_by_key(|(key, _)| *key);
            }
        }
        sorted
    }

    /// All changes.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        let sorted = self.sorted().into_iter();
        sorted
            .map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)))
            .collect()
    }

    /// The batch without its changes, in the memory that they took.
    #[must_use]
    pub fn emptied(mut self) -> Self {
        for table in &mut self.tables {
            table.bytes.clear();
            table.changes.clear();
            table.places.clear();
            table.sorted = Mutex::default();
        }
        (self.keys, self.bytes) = (0, 0);
        self
    }

    /// The rows of a table from `start` on as they will be once the changes are made; `base` are
    /// those of the table as it is.
    #[must_use]
    pub fn over<'a>(&'a self, base: Scan<'a>, start: Bound<&[u8]>, order: Order) -> Scan<'a> {
        if self.is_empty() {
            return base;
        }
        let changed = Scanned {
            table: match (start, order) {
                (Bound::Included(key) | Bound::Excluded(key), _) => first_byte(key),
                (Bound::Unbounded, Order::Ascending) => 0,
                (Bound::Unbounded, Order::Descending) => FIRST_BYTES - 1,
            },
            batch: self,
            next: start.map(<[u8]>::to_vec),
            order,
        };
        Box::new(Merge {
            base: base.peekable(),
            changed: changed.peekable(),
            order,
        })
    }
}

impl Table {
    /// What stands somewhere in the bytes.
    fn at(&self, place: &Range<usize>) -> &[u8] {
        at(&self.bytes, place)
    }

    fn shown(&self, change: &Change) -> Changed<'_> {
        let value = change.value.as_ref().map(|value| self.at(value));
        (self.at(&change.key), value)
    }

    fn change(&self, place: Place) -> Option<Changed<'_>> {
        let change = self.changes.get(place as usize)?;
        Some(self.shown(change))
    }

    /// The place of a key, if it is changed.
    fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let last = *self.places.get(&hash)?;
        find(&self.changes, &self.bytes, last, key)
    }

    /// Changes a key; whether it was not changed before.
    fn insert(&mut self, hash: u64, key: &[u8], value: Option<&[u8]>) -> bool {
        let place = Place::try_from(self.changes.len()).unwrap_or(Place::MAX);
        let alike = match self.places.entry(hash) {
            Entry::Vacant(none) => {
                none.insert(place);
                None
            }
            Entry::Occupied(mut last) => {
                if let Some(place) = find(&self.changes, &self.bytes, *last.get(), key) {
                    let value = value.map(|value| self.append(value));
                    if let Some(change) = self.changes.get_mut(place as usize) {
                        change.value = value;
                    }
                    return false;
                }
                Some(last.insert(place))
            }
        };
        let sorted = self.sorted.get_mut();
        if let Some(sorted) = sorted.unwrap_or_else(PoisonError::into_inner) {
            sorted.insert(key.to_vec(), place);
        }
        let change = Change {
            key: self.append(key),
            value: value.map(|value| self.append(value)),
            alike,
        };
        self.changes.push(change);
        true
    }

    /// Adds bytes; where they stand.
    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The first change from `start` on, in the order of a scan.
    fn next(&self, start: Bound<&[u8]>, order: Order) -> Option<Changed<'_>> {
        if self.changes.is_empty() {
            return None;
        }
        let mut sorted = self.sorted();
        let sorted = sorted.get_or_insert_with(|| {
            let keys = self.changes.iter().map(|it| self.at(&it.key).to_vec());
            keys.zip(0..).collect()
        });
        let found = match order {
            Order::Ascending => sorted.range::<[u8], _>((start, Bound::Unbounded)).next(),
            Order::Descending => sorted
                .range::<[u8], _>((Bound::Unbounded, start))
                .next_back(),
        };
        self.change(*found?.1)
    }

    fn sorted(&self) -> MutexGuard<'_, Option<BTreeMap<Vec<u8>, Place>>> {
        self.sorted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands somewhere in `bytes`.
fn at<'a>(bytes: &'a [u8], place: &Range<usize>) -> &'a [u8] {
    bytes.get(place.clone()).unwrap_or_default()
}

/// The place of a key, if it is among those that hash alike: the last of them and those before.
fn find(changes: &[Change], bytes: &[u8], last: Place, key: &[u8]) -> Option<Place> {
    let mut place = last;
    loop {
        let change = changes.get(place as usize)?;
        if at(bytes, &change.key) == key {
            return Some(place);
        }
        place = change.alike?;
    }
}

/// Changes in the order of a scan.
struct Scanned<'a> {
    batch: &'a Batch,
    /// In which table the next one is looked for.
    table: usize,
    /// And from where on.
    next: Bound<Vec<u8>>,
    order: Order,
}

impl<'a> Iterator for Scanned<'a> {
    type Item = Changed<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.next.as_ref().map(Vec::as_slice);
            let table = self.batch.tables.get(self.table)?;
            if let Some((key, value)) = table.next(start, self.order) {
                self.next = Bound::Excluded(key.to_vec());
                return Some((key, value));
            }
            // None has such a number: that is the end.
            self.table = match self.order {
                Order::Ascending => self.table + 1,
                Order::Descending => self.table.checked_sub(1).unwrap_or(FIRST_BYTES),
            };
        }
    }
}

/// The rows of a table, with changes over them, both in the same order.
struct Merge<'a> {
    base: Peekable<Scan<'a>>,
    changed: Peekable<Scanned<'a>>,
    order: Order,
}

impl Merge<'_> {
    /// Whether the next row of the table comes before, with or after the next change.
    fn compare(&mut self) -> Ordering {
        match (self.base.peek(), self.changed.peek()) {
            (_, None) | (Some(Err(_)), _) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(Ok((key, _))), Some((changed, _))) => match self.order {
                Order::Ascending => key[..].cmp(changed),
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
                return Some(Ok((key.to_vec(), value.to_vec())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hash_alike_are_told_apart() {
        const HASH: u64 = 7;
        let mut table = Table::default();
        let said = |table: &Table, key: &[u8]| {
            let place = table.find(HASH, key)?;
            let (_, value) = table.change(place).unwrap();
            Some(value.map(<[u8]>::to_vec))
        };
        for key in [b"one", b"two", b"six"] {
            assert_eq!(said(&table, key), None);
            assert!(table.insert(HASH, key, Some(key)));
        }
        assert!(!table.insert(HASH, b"one", Some(b"changed")));
        assert!(!table.insert(HASH, b"two", None));
        assert_eq!(said(&table, b"one"), Some(Some(b"changed".to_vec())));
        assert_eq!(said(&table, b"two"), Some(None));
        assert_eq!(said(&table, b"six"), Some(Some(b"six".to_vec())));
        assert_eq!(said(&table, b"ten"), None);
    }
}
