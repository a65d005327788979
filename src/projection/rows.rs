//! How projections lay out their rows: a byte that names the table, then the parts of the key
//! in the order in which it is searched, then a value in postcard.
//!
//! Slugs end with 0x00, which no slug holds, so that no slug's rows lie among those of another
//! that it begins; indexes are big-endian, so that rows follow one another as their entries do.
//! The table byte 0x00 is the runner's.

use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fold::{FoldError, Order, Scan, Tables};
use crate::record::Slug;

/// Room for most keys: a byte, two slugs of some 15 bytes, an index and what follows it.
const KEY_BYTES: usize = 40;

/// Room for most values, so that they are written in one go, and then take what they need and no
/// more: a batch holds a hundred thousand of them.
const ROW_BYTES: usize = 256;

/// Ends a slug within a key.
pub(super) const SLUG_END: u8 = 0;

/// One kind of rows among a projection's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// The first byte of every key. Not 0x00.
    pub(super) byte: u8,
    /// What it holds, for people.
    pub(super) name: &'static str,
}

impl Table {
    /// The key that all keys of the table begin with.
    pub(super) fn key(self) -> Key {
        let mut key = Vec::with_capacity(KEY_BYTES);
        key.push(self.byte);
        Key(key)
    }

    /// The value of a row.
    pub(super) fn encode<T: Serialize>(self, value: &T) -> Result<Vec<u8>, FoldError> {
        let mut room = [0; ROW_BYTES];
        match postcard::to_slice(value, &mut room) {
            Ok(row) => Ok(row.to_vec()),
            Err(_) => postcard::to_stdvec(value).map_err(|_| self.damaged()),
        }
    }

    /// What the value of a row says.
    pub(super) fn decode<T: DeserializeOwned>(self, value: &[u8]) -> Result<T, FoldError> {
        match postcard::take_from_bytes(value) {
            Ok((decoded, [])) => Ok(decoded),
            _ => Err(self.damaged()),
        }
    }

    /// The row at `key`.
    pub(super) fn get<T: DeserializeOwned>(
        self,
        tables: &dyn Tables,
        key: &Key,
    ) -> Result<Option<T>, FoldError> {
        let value = tables.get(key.as_bytes())?;
        value.map(|value| self.decode(&value)).transpose()
    }

    /// The rows whose keys begin with `prefix`, in key order: what follows the prefix in the
    /// key, and the value.
    pub(super) fn scan<'t, T: DeserializeOwned>(
        self,
        tables: &'t dyn Tables,
        prefix: &Key,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), FoldError>> + use<'t, T> {
        self.decoded(prefix, tables.scan(prefix.as_bytes()))
    }

    /// The rows of `id`, which go by ledger indexes, below `known_at`, the newest first.
    pub(super) fn below<'t, T: DeserializeOwned>(
        self,
        tables: &'t dyn Tables,
        id: &Key,
        known_at: u64,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), FoldError>> + use<'t, T> {
        let start = id.clone().index(known_at);
        let rows = tables.rows(Bound::Excluded(start.as_bytes()), Order::Descending);
        self.decoded(id, under(id, rows))
    }

    /// As [`scan`](Self::scan), from the key on that has `index` after the prefix.
    pub(super) fn scan_from<'t, T: DeserializeOwned>(
        self,
        tables: &'t dyn Tables,
        prefix: &Key,
        index: u64,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), FoldError>> + use<'t, T> {
        let start = prefix.clone().index(index);
        let rows = tables.rows(Bound::Included(start.as_bytes()), Order::Ascending);
        self.decoded(prefix, under(prefix, rows))
    }

    fn decoded<'t, T: DeserializeOwned>(
        self,
        prefix: &Key,
        rows: Scan<'t>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), FoldError>> + use<'t, T> {
        let length = prefix.0.len();
        rows.map(move |row| {
            let (key, value) = row?;
            let rest = key.get(length..).ok_or_else(|| self.damaged())?.to_vec();
            Ok((rest, self.decode(&value)?))
        })
    }

    /// A row is not what was written.
    pub(super) fn damaged(self) -> FoldError {
        FoldError::Row { table: self.name }
    }
}

/// The rows up to the first whose key does not begin with `prefix`.
fn under<'t>(prefix: &Key, rows: Scan<'t>) -> Scan<'t> {
    let prefix = prefix.clone();
    Box::new(rows.take_while(move |row| match row {
        Ok((key, _)) => key.starts_with(prefix.as_bytes()),
        Err(_) => true,
    }))
}

/// A key, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// Followed by a slug.
    pub(super) fn slug(mut self, slug: &Slug) -> Self {
        self.0.extend_from_slice(slug.as_str().as_bytes());
        self.0.push(SLUG_END);
        self
    }

    /// Followed by a ledger index.
    pub(super) fn index(self, index: u64) -> Self {
        self.bytes(&index.to_be_bytes())
    }

    /// Followed by bytes of a length that every key of the table has there.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The key.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads the parts of a key off its front.
pub(super) struct Parts<'a> {
    table: Table,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The parts of what follows a prefix in a key of `table`.
    pub(super) fn new(table: Table, rest: &'a [u8]) -> Self {
        Self { table, rest }
    }

    /// The slug that comes next.
    pub(super) fn slug(&mut self) -> Result<Slug, FoldError> {
        let mut halves = self.rest.splitn(2, |byte| *byte == SLUG_END);
        let (Some(slug), Some(rest)) = (halves.next(), halves.next()) else {
            return Err(self.table.damaged());
        };
        self.rest = rest;
        let slug = std::str::from_utf8(slug).map_err(|_| self.table.damaged())?;
        slug.parse().map_err(|_| self.table.damaged())
    }

    /// The ledger index that comes next.
    pub(super) fn index(&mut self) -> Result<u64, FoldError> {
        self.array().map(u64::from_be_bytes)
    }

    /// All bytes that are left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The bytes that come next.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FoldError> {
        let (first, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.table.damaged())?;
        self.rest = rest;
        Ok(*first)
    }
}

/// Whether what entry `since` brought, and entry `until` took away, stands for a reader to
/// whom the entries below `known_at` are known.
pub(super) fn visible(since: u64, until: Option<u64>, known_at: u64) -> bool {
    since < known_at && until.is_none_or(|until| known_at <= until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::{Changes, MemoryTables};

    const TABLE: Table = Table {
        byte: b'x',
        name: "example",
    };

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn the_parts_of_a_key_are_read_back() {
        let key = TABLE.key().slug(&slug("a-b")).index(7).bytes(&[1, 2]);
        let mut parts = Parts::new(TABLE, &key.as_bytes()[1..]);
        assert_eq!(parts.slug().unwrap(), slug("a-b"));
        assert_eq!(parts.index().unwrap(), 7);
        assert_eq!(parts.array().unwrap(), [1, 2]);
        assert!(parts.index().is_err());
        assert!(parts.slug().is_err());
    }

    #[test]
    fn a_slugs_rows_do_not_lie_among_those_of_a_slug_that_it_begins() {
        let row = |name: &str| {
            let key = TABLE.key().slug(&slug(name)).index(0).into_bytes();
            (key, Some(TABLE.encode(&name).unwrap()))
        };
        let mut tables = MemoryTables::default();
        tables.apply(Changes::from([row("a"), row("a-b"), row("ab")]));
        let found: Vec<String> = TABLE
            .scan(&tables, &TABLE.key().slug(&slug("a")))
            .map(|row| row.unwrap().1)
            .collect();
        assert_eq!(found, ["a"]);
    }

    #[test]
    fn a_scan_from_an_index_stays_under_its_prefix() {
        let mut tables = MemoryTables::default();
        let prefix = |name| TABLE.key().slug(&slug(name));
        for (name, index) in [("a", 1), ("b", 2), ("b", 5), ("c", 9)] {
            let row = prefix(name).index(index).into_bytes();
            tables.apply(Changes::from([(row, Some(TABLE.encode(&index).unwrap()))]));
        }
        let up: Vec<u64> = TABLE
            .scan_from(&tables, &prefix("b"), 3)
            .map(|row| row.unwrap().1)
            .collect();
        assert_eq!(up, [5]);
    }

    #[test]
    fn the_rows_of_an_id_below_a_basis_come_newest_first_and_no_other_id_s() {
        let row = |name: &str, index| {
            let key = TABLE.key().slug(&slug(name)).index(index).into_bytes();
            (key, Some(TABLE.encode(&index).unwrap()))
        };
        let mut tables = MemoryTables::default();
        tables.apply(Changes::from([
            row("a", 2),
            row("a-b", 1),
            row("a-b", 4),
            row("a-b", 9),
            row("b", 3),
        ]));
        let below = |known_at| -> Vec<u64> {
            let id = TABLE.key().slug(&slug("a-b"));
            let rows = TABLE.below(&tables, &id, known_at);
            rows.map(|row| row.unwrap().1).collect()
        };
        assert_eq!(below(u64::MAX), [9, 4, 1]);
        assert_eq!(below(9), [4, 1]);
        assert_eq!(below(1), [0_u64; 0]);
    }

    #[test]
    fn a_value_with_bytes_left_over_is_damaged() {
        let mut value = TABLE.encode(&7_u64).unwrap();
        assert_eq!(TABLE.decode::<u64>(&value).unwrap(), 7);
        value.push(0);
        assert!(TABLE.decode::<u64>(&value).is_err());
    }

    #[test]
    fn a_version_stands_from_after_its_entry_to_the_entry_that_supersedes_it() {
        let standing: Vec<u64> = (0..8).filter(|k| visible(2, Some(5), *k)).collect();
        assert_eq!(standing, [3, 4, 5]);
        assert!(visible(2, None, u64::MAX));
        assert!(!visible(2, None, 2));
    }
}
