//! The rows of the postings, and walks along those of one heading.

use std::ops::Bound;

use super::block::{BLOCK_LENGTH, Block};
use super::said::Said;
use super::walk::{Walk, nearest};
use crate::fold::{FoldError, Order, Tables};
use crate::projection::rows::{Key, Parts, Table};
use crate::record::Subject;

/// Heading: its newest block.
pub(super) const OPEN: Table = table(b'o', "open postings");
/// Heading, first index: a block that is full.
pub(super) const SEALED: Table = table(b's', "sealed postings");
/// Heading, where a statement was introduced that a later entry tied to it: nothing.
pub(super) const TIED: Table = table(b't', "tied statements");

const fn table(byte: u8, name: &'static str) -> Table {
    Table { byte, name }
}

/// What postings are kept under.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heading<'a> {
    /// What entries are about.
    About(&'a Subject),
    /// When statements may have been said.
    Said(Said),
}

/// What the keys of a heading's rows begin with.
pub(super) fn key(table: Table, heading: Heading<'_>) -> Key {
    let key = table.key();
    match heading {
        Heading::About(Subject::Kind(kind)) => key.bytes(&[b'k', kind.number()]),
        Heading::About(Subject::Actor(id)) => key.bytes(b"a").slug(id),
        Heading::About(Subject::Topic(id)) => key.bytes(b"t").slug(id),
        Heading::About(Subject::Statement(id)) => key.bytes(b"s").bytes(id.as_bytes()),
        Heading::About(Subject::Source(id)) => key.bytes(b"d").bytes(id.as_bytes()),
        Heading::About(Subject::Verifier(verifier)) => key.bytes(b"v").bytes(verifier),
        Heading::Said(Said::InWeek(week)) => key.bytes(b"w").bytes(&week.to_be_bytes()),
        Heading::Said(Said::AtAnyTime) => key.bytes(b"x"),
    }
}

/// A walk along a heading's postings.
pub(super) struct Posted<'t> {
    tables: &'t dyn Tables,
    order: Order,
    /// What the keys of its sealed blocks begin with.
    sealed: Key,
    open_key: Key,
    /// The open block as it was when the walk began. Read before any sealed one.
    open: Option<Vec<u64>>,
    /// The sealed block that was read last.
    block: Vec<u64>,
}

impl<'t> Posted<'t> {
    pub(super) fn new(tables: &'t dyn Tables, heading: Heading<'_>, order: Order) -> Self {
        Self {
            tables,
            order,
            sealed: key(SEALED, heading),
            open_key: key(OPEN, heading),
            open: None,
            block: Vec::new(),
        }
    }

    /// The first index of the open block; none if the heading has no postings.
    fn open_first(&mut self) -> Result<Option<u64>, FoldError> {
        if self.open.is_none() {
            let row = self.tables.get(self.open_key.as_bytes())?;
            let open = row.map(|bytes| indexes(OPEN, bytes)).transpose()?;
            self.open = Some(open.unwrap_or_default());
        }
        Ok(self.open.as_ref().and_then(|open| open.first()).copied())
    }

    /// Reads the sealed block that begins at or before `from`, or else none.
    fn read_at(&mut self, from: u64) -> Result<(), FoldError> {
        let key = self.sealed.clone().index(from);
        self.read(Bound::Included(key.as_bytes()), Order::Descending)
    }

    /// Reads the sealed block that begins after `from`, or else none.
    fn read_after(&mut self, from: u64) -> Result<(), FoldError> {
        let key = self.sealed.clone().index(from);
        self.read(Bound::Excluded(key.as_bytes()), Order::Ascending)
    }

    fn read(&mut self, start: Bound<&[u8]>, order: Order) -> Result<(), FoldError> {
        self.block.clear();
        if let Some((key, bytes)) = self.tables.rows(start, order).next().transpose()?
            && key.starts_with(self.sealed.as_bytes())
        {
            self.block = indexes(SEALED, bytes)?;
        }
        Ok(())
    }

    fn ascend(&mut self, from: u64, open_first: u64) -> Result<Option<u64>, FoldError> {
        if from < open_first {
            // Calls go one way: where the block reaches as far, its answer is the first.
            if let Some(found) = nearest(&self.block, from, self.order) {
                return Ok(Some(found));
            }
            self.read_at(from)?;
            if let Some(found) = nearest(&self.block, from, self.order) {
                return Ok(Some(found));
            }
            self.read_after(from)?;
            if let Some(found) = self.block.first().filter(|first| **first < open_first) {
                return Ok(Some(*found));
            }
            self.block.clear();
        }
        Ok(nearest(
            self.open.as_deref().unwrap_or_default(),
            from,
            self.order,
        ))
    }

    fn descend(&mut self, from: u64, open_first: u64) -> Result<Option<u64>, FoldError> {
        if from >= open_first {
            return Ok(nearest(
                self.open.as_deref().unwrap_or_default(),
                from,
                self.order,
            ));
        }
        if let Some(found) = nearest(&self.block, from, self.order) {
            return Ok(Some(found));
        }
        self.read_at(from)?;
        Ok(nearest(&self.block, from, self.order))
    }
}

impl Walk for Posted<'_> {
    fn seek(&mut self, from: u64) -> Result<Option<u64>, FoldError> {
        let Some(open_first) = self.open_first()? else {
            return Ok(None);
        };
        match self.order {
            Order::Ascending => self.ascend(from, open_first),
            Order::Descending => self.descend(from, open_first),
        }
    }
}

/// A walk along the statements that later entries tied to a heading.
pub(super) struct Tied<'t> {
    tables: &'t dyn Tables,
    order: Order,
    prefix: Key,
    /// Those that were read last, ascending: all that there are between the first and the
    /// last of them.
    read: Vec<u64>,
}

impl<'t> Tied<'t> {
    pub(super) fn new(tables: &'t dyn Tables, heading: Heading<'_>, order: Order) -> Self {
        Self {
            tables,
            order,
            prefix: key(TIED, heading),
            read: Vec::new(),
        }
    }
}

impl Walk for Tied<'_> {
    fn seek(&mut self, from: u64) -> Result<Option<u64>, FoldError> {
        if let Some(found) = nearest(&self.read, from, self.order) {
            return Ok(Some(found));
        }
        self.read.clear();
        let start = self.prefix.clone().index(from);
        let rows = self
            .tables
            .rows(Bound::Included(start.as_bytes()), self.order);
        for row in rows.take(BLOCK_LENGTH) {
            let (key, _) = row?;
            let Some(rest) = key.strip_prefix(self.prefix.as_bytes()) else {
                break;
            };
            self.read.push(Parts::new(TIED, rest).index()?);
        }
        if self.order == Order::Descending {
            self.read.reverse();
        }
        Ok(nearest(&self.read, from, self.order))
    }
}

fn indexes(table: Table, bytes: Vec<u8>) -> Result<Vec<u64>, FoldError> {
    let block = Block::decode(bytes).ok_or_else(|| table.damaged())?;
    Ok(block.indexes())
}
