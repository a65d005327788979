//! The changes that many entries made, put together, to be read before they are written.
//!
//! Nearly all of them are looked for by key, and many by nobody: so they lie in the order in
//! which they came, one after another in memory, with an index of hashes that is small enough to
//! stay near the processor, and are sorted when they are written, or where a scan asks for it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::iter::Peekable;
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::DefaultHashBuilder as Hashing;
use hashbrown::hash_table::{Entry, HashTable};

use super::changes::{Changed, Changes};
use super::tables::{Order, Row, Scan, TablesError};

/// Changes of many entries: of every key the last.
#[derive(Debug)]
pub struct Batch {
    written: Written,
    /// By the first byte of their keys, so that only what a scan may come by is sorted for it.
    tables: Box<[Table]>,
    /// Seeded at random, so that nobody knows beforehand which keys hash alike.
    hashing: Hashing,
    /// How many keys are changed.
    keys: usize,
}

/// Keys and values, one after another.
#[derive(Debug, Default)]
struct Written(Vec<u8>);

/// The changes of keys with the same first byte.
#[derive(Debug, Default)]
struct Table {
    /// In the order in which the keys came.
    changes: Vec<Change>,
    /// The place of every key among the changes, by its hash.
    places: HashTable<Place>,
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
            written: Written::default(),
            tables: (0..FIRST_BYTES).map(|_| Table::default()).collect(),
            hashing: Hashing::default(),
            keys: 0,
        }
    }
}

impl Batch {
    /// Makes room for keys and values of so many bytes in all, so that nothing that was added is
    /// moved as more is.
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        let more = bytes.saturating_sub(self.written.0.len());
        self.written.0.reserve(more);
        self
    }

    /// Adds changes; a later change of a key replaces an earlier one.
    pub fn add(&mut self, changes: Changes) {
        for (key, value) in changes {
            if let Some(table) = self.tables.get_mut(first_byte(&key)) {
                let change = (&key[..], value.as_deref());
                let is_new = table.insert(&mut self.written, &self.hashing, change);
                self.keys += usize::from(is_new);
            }
        }
    }

    /// How many keys are changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys
    }

    /// How many bytes the keys and values have, replaced values among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.written.0.len()
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
        if table.places.is_empty() {
            return None;
        }
        let hash = self.hashing.hash_one(key);
        let is_it = |place: &Place| self.written.key(&table.changes, *place) == key;
        let place = *table.places.find(hash, is_it)?;
        let (_, value) = self.written.shown(table.changes.get(place as usize)?);
        Some(value)
    }

    /// All changes, in key order.
    #[must_use]
    pub fn sorted(&self) -> Vec<Changed<'_>> {
        let mut sorted = Vec::with_capacity(self.keys);
        for table in &self.tables {
            let first = sorted.len();
            sorted.extend(table.changes.iter().map(|it| self.written.shown(it)));
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
            table.changes.clear();
            table.places.clear();
            table.sorted = Mutex::default();
        }
        self.written.0.clear();
        self.keys = 0;
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

impl Written {
    /// Adds bytes; where they stand.
    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.0.len();
        self.0.extend_from_slice(bytes);
        start..self.0.len()
    }

    /// What stands somewhere.
    fn at(&self, place: &Range<usize>) -> &[u8] {
        self.0.get(place.clone()).unwrap_or_default()
    }

    fn shown(&self, change: &Change) -> Changed<'_> {
        let value = change.value.as_ref().map(|value| self.at(value));
        (self.at(&change.key), value)
    }

    /// The key of a change.
    fn key(&self, changes: &[Change], place: Place) -> &[u8] {
        let change = changes.get(place as usize);
        change.map_or(&[], |change| self.at(&change.key))
    }
}

impl Table {
    /// Changes a key; whether it was not changed before.
    fn insert(
        &mut self,
        written: &mut Written,
        hashing: &Hashing,
        (key, value): Changed<'_>,
    ) -> bool {
        let is_it = |place: &Place| written.key(&self.changes, *place) == key;
        let hash = |place: &Place| hashing.hash_one(written.key(&self.changes, *place));
        match self.places.entry(hashing.hash_one(key), is_it, hash) {
            Entry::Occupied(known) => {
                let value = value.map(|value| written.append(value));
                if let Some(change) = self.changes.get_mut(*known.get() as usize) {
                    change.value = value;
                }
                false
            }
            Entry::Vacant(none) => {
                let place = Place::try_from(self.changes.len()).unwrap_or(Place::MAX);
                none.insert(place);
                self.changes.push(Change {
                    key: written.append(key),
                    value: value.map(|value| written.append(value)),
                });
                let sorted = self.sorted.get_mut();
                if let Some(sorted) = sorted.unwrap_or_else(PoisonError::into_inner) {
                    sorted.insert(key.to_vec(), place);
                }
                true
            }
        }
    }

    /// The first change from `start` on, in the order of a scan.
    fn next<'a>(
        &'a self,
        written: &'a Written,
        start: Bound<&[u8]>,
        order: Order,
    ) -> Option<Changed<'a>> {
        if self.changes.is_empty() {
            return None;
        }
        let mut sorted = self.sorted();
        let sorted = sorted.get_or_insert_with(|| {
            let keys = self.changes.iter().map(|it| written.at(&it.key).to_vec());
            keys.zip(0..).collect()
        });
        let found = match order {
            Order::Ascending => sorted.range::<[u8], _>((start, Bound::Unbounded)).next(),
            Order::Descending => sorted
                .range::<[u8], _>((Bound::Unbounded, start))
                .next_back(),
        };
        let change = self.changes.get(*found?.1 as usize)?;
        Some(written.shown(change))
    }

    fn sorted(&self) -> MutexGuard<'_, Option<BTreeMap<Vec<u8>, Place>>> {
        self.sorted.lock().unwrap_or_else(PoisonError::into_inner)
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
            if let Some((key, value)) = table.next(&self.batch.written, start, self.order) {
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
