//! Tables and the fold that fills them: batches of whole frames, each applied with the cursor
//! that it leads to.

use std::ops::Bound;
use std::sync::Arc;

use super::projection::Opened;
use super::{EntrySource, RunnerError};
use crate::fold::{
    Changes, Fold, FoldError, Order, Overlay, RecentRows, Scan, Tables, TablesError,
};
use crate::ledger::ReadError;
use crate::projection::Cursor;
use crate::storage::{LsmTables, ProjectionStore as _, TableError};

/// How much is folded before it is applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchSize {
    /// A batch takes in no further frame once it changes so many keys.
    keys: usize,
    /// A batch joins no more frames than this, so that progress shows also where a fold passes
    /// over most entries.
    frames: usize,
}

/// For tables that answer: at 3 µs a key 1,024 keys take 3 ms, so that progress is shown, and
/// a stop seen, often enough.
pub(super) const FOLLOWING: BatchSize = BatchSize {
    keys: 1_024,
    frames: 64,
};

/// For tables that nobody asks yet.
pub(super) const BUILDING: BatchSize = BatchSize {
    keys: 8_192,
    frames: 64,
};

/// Tables, how far they have read, and what reads on.
pub(super) struct Folding {
    fold: Arc<dyn Fold>,
    source: Arc<dyn EntrySource>,
    pub(super) opened: Arc<Opened>,
    pub(super) cursor: Cursor,
    recent: RecentRows,
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
            fold,
            source,
            opened,
            cursor,
            recent: RecentRows::default(),
        }
    }

    /// Folds some frames below `end` and applies what they change. Frames before one that
    /// cannot be folded are applied all the same.
    pub(super) fn advance(&mut self, end: u64, size: BatchSize) -> Result<(), Halt> {
        let applied = Applied {
            tables: &self.opened.tables,
            recent: &self.recent,
        };
        let mut batch = Overlay::new(&applied);
        let mut cursor = self.cursor;
        let mut halted = Ok(());
        for _ in 0..size.frames {
            if cursor.size >= end || batch.len() >= size.keys {
                break;
            }
            match self.fold_frame(&batch, cursor) {
                Ok((changes, after)) => {
                    batch.add(changes);
                    cursor = after;
                }
                Err(halt) => {
                    halted = Err(halt);
                    break;
                }
            }
        }
        let changes = batch.into_changes();
        if cursor != self.cursor {
            self.apply(changes, cursor)?;
        }
        halted
    }

    /// What the frame at the cursor changes, and the cursor after it.
    fn fold_frame(&self, below: &dyn Tables, cursor: Cursor) -> Result<(Changes, Cursor), Halt> {
        let frame = self.source.frame_at(cursor.size)?;
        let frame = frame.filter(|frame| frame.first_index == cursor.size);
        let frame = frame.ok_or(Halt::Misaligned)?;
        let mut state = Overlay::new(below);
        let mut digest = cursor.digest;
        for entry in &frame.entries {
            let changes = self.fold.fold(&state, entry).map_err(|error| Halt::Fold {
                index: entry.index,
                error,
            })?;
            digest = digest.after(entry.index, &changes);
            state.add(changes);
        }
        let after = Cursor {
            size: frame.next_index(),
            root: frame.root_after,
            digest,
        };
        Ok((state.into_changes(), after))
    }

    /// Applies changes with the cursor that they lead to.
    fn apply(&mut self, mut changes: Changes, cursor: Cursor) -> Result<(), Halt> {
        let (key, value) = cursor.row().map_err(Halt::Cursor)?;
        changes.insert(key, Some(value));
        self.recent.forget(&changes);
        self.opened.tables.apply(changes)?;
        self.cursor = cursor;
        Ok(())
    }
}

/// The rows as they are applied, those that were read lately from memory.
struct Applied<'a> {
    tables: &'a LsmTables,
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
