//! The rows of one pair, read in the order of its statements as far as somebody wants: whether
//! there are few is told by reading them, and what was read is not read again.

use std::collections::BTreeMap;

use super::HEARD;
use super::history::{Changed, Pair, Step, parse};
use crate::fold::{FoldError, Scan, Tables};
use crate::record::Slug;

/// What was done to each of several statements.
pub(super) type Histories = BTreeMap<u64, Changed>;

/// A row: the statement, the entry that did something to it, and what, still encoded.
type Raw = (u64, u64, Vec<u8>);

/// See the module.
pub(super) struct PairRows<'a> {
    rows: Scan<'a>,
    /// How much of a key the pair takes.
    prefix: usize,
    known_at: u64,
    /// What was read.
    read: Vec<Raw>,
}

impl<'a> PairRows<'a> {
    /// Those of statements that entries below `known_at` introduced.
    pub(super) fn new(tables: &'a dyn Tables, actor: &Slug, topic: &Slug, known_at: u64) -> Self {
        let prefix = Pair::key(actor, topic);
        Self {
            rows: tables.scan(prefix.as_bytes()),
            prefix: prefix.as_bytes().len(),
            known_at,
            read: Vec::new(),
        }
    }

    /// Reads up to so many rows. Whether there are no more.
    pub(super) fn read(&mut self, rows_max: usize) -> Result<bool, FoldError> {
        for _ in 0..rows_max {
            let Some(row) = self.next()? else {
                return Ok(true);
            };
            self.read.push(row);
        }
        Ok(false)
    }

    /// Adds what was done below `known_at` by the rows that were read.
    pub(super) fn note(&mut self, histories: &mut Histories) -> Result<(), FoldError> {
        for row in std::mem::take(&mut self.read) {
            self.note_one(row, histories)?;
        }
        Ok(())
    }

    /// Reads on to the end, and adds what was done by all rows.
    pub(super) fn note_all(mut self, histories: &mut Histories) -> Result<(), FoldError> {
        self.note(histories)?;
        while let Some(row) = self.next()? {
            self.note_one(row, histories)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Raw>, FoldError> {
        let Some((key, value)) = self.rows.next().transpose()? else {
            return Ok(None);
        };
        let rest = key.get(self.prefix..).ok_or_else(|| HEARD.damaged())?;
        let (statement, entry) = parse(rest)?;
        Ok((statement < self.known_at).then_some((statement, entry, value)))
    }

    fn note_one(
        &self,
        (statement, entry, value): Raw,
        histories: &mut Histories,
    ) -> Result<(), FoldError> {
        if entry >= self.known_at {
            return Ok(());
        }
        let step: Step<'static> = HEARD.decode(&value)?;
        let mut change = step.into_change();
        let changed = histories.entry(statement).or_default();
        if let Some(known) = changed.get(&entry) {
            change.join(known);
        }
        changed.insert(entry, change);
        Ok(())
    }
}
