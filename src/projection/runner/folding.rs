//! Tables and the fold that fills them: batches of whole frames, each applied with the cursor
//! that it leads to.

use std::ops::Bound;
use std::sync::Arc;

use super::ahead::ReadAhead;
use super::projection::Opened;
use super::writing::Writing;
use super::{EntrySource, RunnerError};
use crate::fold::{
    Batch, Changes, Fold, FoldError, Memory, Order, Overlay, RecentRows, Scan, Tables, TablesError,
};
use crate::ledger::{DecodedFrame, ReadError};
use crate::projection::Cursor;
use crate::storage::{LsmTables, ProjectionStore as _, TableError};

/// How tables are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// In steps as small as readers want them.
    Following,
    /// In steps as large as memory allows: nobody reads yet.
    Building,
}

/// What bounds a batch: it takes in no further frame once it has reached one of these.
struct BatchSize {
    /// How many keys it changes.
    keys: usize,
    /// How many bytes it changes.
    bytes: usize,
    /// How many entries it folds, so that progress shows also where a fold passes over most of
    /// them.
    entries: u64,
}

impl Pace {
    const fn batch(self) -> BatchSize {
        match self {
            // At 3 µs a key 12 ms, so that progress is shown, and a stop seen, often enough; and
            // so many that rows which many entries change are written once for most of them.
            Self::Following => BatchSize {
                keys: 4_096,
                bytes: 1 << 20,
                entries: 4_096,
            },
            // A file's worth: the larger files are, the less is merged. 70 MiB in memory at most,
            // with the index over it. There are two of them, one that is being folded and one
            // that is being written.
            Self::Building => BatchSize {
                keys: 384 << 10,
                bytes: 48 << 20,
                entries: 256 << 10,
            },
        }
    }
}

/// Tables, how far they have read, and what reads on.
pub(super) struct Folding {
    fold: Arc<dyn Fold>,
    source: Arc<dyn EntrySource>,
    pub(super) opened: Arc<Opened>,
    pub(super) cursor: Cursor,
    recent: RecentRows,
    memory: Memory,
    /// Where frames come from as long as they are far from the head.
    ahead: Option<ReadAhead>,
    /// The batch before the next, while tables are built.
    writing: Option<Writing>,
    /// The batch before that, for its memory.
    spare: Batch,
}

/// Why tables read no further.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error("{error}")]
    Fold { index: u64, error: FoldError },
    #[error("the cursor does not encode: {0}")]
    Cursor(FoldError),
    #[error(transparent)]
    Ledger(#[from] ReadError),
    #[error(transparent)]
    Tables(#[from] TableError),
    #[error(transparent)]
    Directory(#[from] RunnerError),
    #[error(transparent)]
    Scratch(#[from] TablesError),
    #[error("no frame of the ledger begins here")]
    Misaligned,
}

impl Halt {
    /// The entry that could not be folded, if it is known.
    pub(super) const fn index(&self) -> Option<u64> {
        match self {
            Self::Fold { index, .. } => Some(*index),
            _ => None,
        }
    }
}

impl Folding {
    pub(super) fn new(
        fold: Arc<dyn Fold>,
        source: Arc<dyn EntrySource>,
        opened: Arc<Opened>,
        cursor: Cursor,
    ) -> Self {
        Self {
            memory: fold.memory(),
            fold,
            source,
            opened,
            cursor,
            recent: RecentRows::default(),
            ahead: None,
            writing: None,
            spare: Batch::default(),
        }
    }

    /// Reads frames up to the entry at `end` ahead of the fold, on a thread of their own.
    pub(super) fn read_ahead(&mut self, end: u64) -> Result<(), Halt> {
        let name = format!("onrecord-{}-build-read", self.fold.name());
        let source = Arc::clone(&self.source);
        self.ahead = Some(ReadAhead::start(name, source, self.cursor.size, end)?);
        Ok(())
    }

    /// Folds some frames below `end` and applies what they change. Frames before one that
    /// cannot be folded are applied all the same. While tables are built, what was applied last
    /// is written beside what comes next; all is written once `end` is reached.
    pub(super) fn advance(&mut self, end: u64, pace: Pace) -> Result<(), Halt> {
        let (batch, cursor, halt) = self.fold_frames(end, pace);
        match halt {
            None => {
                self.apply(batch, cursor, pace)?;
                if self.cursor.size >= end {
                    self.settle()?;
                }
                Ok(())
            }
            Some((at, halt)) => {
                // The changes hold a part of the frame that failed: once more without it.
                self.memory = self.fold.memory();
                if at > self.cursor.size {
                    self.ahead = None;
                    let (batch, cursor, again) = self.fold_frames(at, pace);
                    if again.is_none() {
                        self.apply(batch, cursor, pace)?;
                    }
                }
                self.settle()?;
                Err(halt)
            }
        }
    }

    /// Waits until all that was applied is written.
    fn settle(&mut self) -> Result<(), Halt> {
        if let Some(writing) = self.writing.take() {
            self.spare = writing.wait()?;
        }
        Ok(())
    }

    /// What some frames below `end` change, and the cursor after them; where a frame fails, the
    /// index of its first entry, and why.
    fn fold_frames(&mut self, end: u64, pace: Pace) -> (Batch, Cursor, Option<(u64, Halt)>) {
        let written = Written {
            tables: &self.opened.tables,
            writing: self.writing.as_ref().map(Writing::batch),
        };
        let applied = Applied {
            tables: &written,
            recent: &self.recent,
        };
        let size = pace.batch();
        let mut spare = std::mem::take(&mut self.spare);
        if pace == Pace::Building {
            spare = spare.with_room(size.bytes);
        }
        let mut batch = Overlay::in_place_of(&applied, spare);
        let mut cursor = self.cursor;
        let end = end.min(cursor.size.saturating_add(size.entries));
        while cursor.size < end && batch.len() < size.keys && batch.bytes() < size.bytes {
            let frame = next_frame(&*self.source, &mut self.ahead, cursor.size);
            let folded = frame.and_then(|frame| {
                fold_frame(&*self.fold, &mut self.memory, &mut batch, cursor, &frame)
            });
            match folded {
                Ok(after) => cursor = after,
                Err(halt) => return (batch.into_batch(), cursor, Some((cursor.size, halt))),
            }
        }
        (batch.into_batch(), cursor, None)
    }

    /// Applies changes with the cursor that they lead to.
    fn apply(&mut self, mut batch: Batch, cursor: Cursor, pace: Pace) -> Result<(), Halt> {
        if cursor == self.cursor {
            return Ok(());
        }
        let (key, value) = cursor.row().map_err(Halt::Cursor)?;
        batch.add(Changes::from([(key, Some(value))]));
        self.settle()?;
        match pace {
            Pace::Following => {
                let changes = batch.into_changes();
                self.recent.change(&changes);
                self.opened.tables.apply(changes)?;
            }
            Pace::Building => {
                self.recent.change_by(&batch);
                let name = format!("onrecord-{}-build-write", self.fold.name());
                self.writing = Some(Writing::start(name, Arc::clone(&self.opened), batch)?);
            }
        }
        self.cursor = cursor;
        Ok(())
    }
}

/// The frame that begins at `index`.
fn next_frame(
    source: &dyn EntrySource,
    ahead: &mut Option<ReadAhead>,
    index: u64,
) -> Result<Arc<DecodedFrame>, Halt> {
    let frame = if let Some(frame) = ahead.as_ref().and_then(ReadAhead::next) {
        Some(frame?)
    } else {
        *ahead = None;
        source.frame_at(index)?
    };
    let frame = frame.filter(|frame| frame.first_index == index);
    frame.ok_or(Halt::Misaligned)
}

/// Adds what a frame changes to a batch; the cursor after it.
fn fold_frame(
    fold: &dyn Fold,
    memory: &mut Memory,
    batch: &mut Overlay<'_>,
    cursor: Cursor,
    frame: &DecodedFrame,
) -> Result<Cursor, Halt> {
    let mut digest = cursor.digest;
    for entry in &frame.entries {
        let changes = fold.fold_next(memory, &*batch, entry);
        let changes = changes.map_err(|error| Halt::Fold {
            index: entry.index,
            error,
        })?;
        digest = digest.after(entry.index, &changes);
        batch.add(changes);
    }
    Ok(Cursor {
        size: frame.next_index(),
        root: frame.root_after,
        digest,
    })
}

/// The rows as they are applied, those that were read lately from memory.
struct Applied<'a> {
    tables: &'a Written<'a>,
    recent: &'a RecentRows,
}

impl Tables for Applied<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.recent.get(self.tables, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.tables.rows(start, order)
    }
}

/// The rows as they will be once the batch is written that is being written.
struct Written<'a> {
    tables: &'a LsmTables,
    writing: Option<&'a Batch>,
}

impl Tables for Written<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        match self.writing.and_then(|batch| batch.get(key)) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.tables.get(key),
        }
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        let rows = self.tables.rows(start, order);
        match self.writing {
            Some(batch) => batch.over(rows, start, order),
            None => rows,
        }
    }
}
