//! A projection, replayed from the entries that were checked, in tables of the auditor's own: for
//! its digest, which the daemon's has to equal.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::CACHE_BYTES;
use crate::fold::{
    Changes, Digest, Fold, FoldError, Order, Overlay, RecentRows, Scan, Tables, TablesError,
};
use crate::merkle::Hash;
use crate::projection::Cursor;
use crate::record::Entry;
use crate::storage::{BlockCache, LsmTables, ProjectionStore as _, TableError};

/// How many keys are changed before they are written out: with [`BYTES_WRITTEN`], a file's worth.
const KEYS_WRITTEN: usize = 1 << 17;

/// How many bytes are changed before they are written out: some 40 MiB with the index over them.
const BYTES_WRITTEN: usize = 24 << 20;

/// Entries that were checked, and the tree up to their end.
pub(super) struct Batch {
    pub entries: Vec<Arc<Entry>>,
    pub size: u64,
    pub root: Hash,
}

/// What a daemon says of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The projection's name.
    pub name: String,
    /// The version that answers.
    pub version: u32,
    /// How many entries it has read.
    pub size: u64,
    /// The digest of its state.
    pub digest: String,
}

/// Why a projection was replayed no further.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectedFault {
    #[error("entry {index} does not fold: {error}")]
    Fold { index: u64, error: FoldError },
    #[error("entry {0} cannot be decoded")]
    Gap(u64),
    #[error(transparent)]
    Cursor(#[from] FoldError),
    #[error(transparent)]
    Tables(#[from] TableError),
}

/// See the module.
pub(super) struct Projected {
    pub fold: Arc<dyn Fold>,
    pub tables: Arc<LsmTables>,
    pub cursor: Cursor,
    /// What the daemon says of it.
    pub said: Option<Said>,
    /// The digest after as many entries as the daemon's has read.
    pub at_said: Option<Digest>,
    pub fault: Option<ProjectedFault>,
}

impl Projected {
    /// Opens the tables in `dir`, as far as they were filled.
    pub fn open(
        dir: &Path,
        fold: Arc<dyn Fold>,
        said: Option<Said>,
    ) -> Result<Self, ProjectedFault> {
        let path = dir.join(format!("{}-{}", fold.name(), fold.version()));
        let tables = Arc::new(LsmTables::open(&path, &BlockCache::of(CACHE_BYTES))?.tables);
        let start = Cursor::start(&*fold);
        let cursor = Cursor::load(&*tables)?.unwrap_or(start);
        let mut projected = Self {
            fold,
            tables,
            cursor,
            said,
            at_said: None,
            fault: None,
        };
        projected.note(cursor.size, cursor.digest);
        Ok(projected)
    }

    /// Takes what the daemon says anew.
    pub fn say(&mut self, said: Option<Said>) {
        self.said = said;
        self.at_said = None;
        self.note(self.cursor.size, self.cursor.digest);
    }

    fn note(&mut self, size: u64, digest: Digest) {
        if self.said.as_ref().is_some_and(|said| said.size == size) {
            self.at_said = Some(digest);
        }
    }

    /// Folds all batches, and writes out what they change.
    pub fn follow(&mut self, queue: &Receiver<Arc<Batch>>) {
        let recent = RecentRows::default();
        loop {
            match self.fill(queue, &recent) {
                Ok(true) => {}
                Ok(false) => return,
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
        }
    }

    /// Folds a file's worth of changes; whether there may be more.
    fn fill(
        &mut self,
        queue: &Receiver<Arc<Batch>>,
        recent: &RecentRows,
    ) -> Result<bool, ProjectedFault> {
        let tables = Arc::clone(&self.tables);
        let rows = Rows {
            tables: &tables,
            recent,
        };
        let mut overlay = Overlay::new(&rows);
        let mut cursor = self.cursor;
        let mut more = false;
        for batch in queue {
            self.take(&batch, &mut overlay, &mut cursor)?;
            if overlay.len() >= KEYS_WRITTEN || overlay.bytes() >= BYTES_WRITTEN {
                more = true;
                break;
            }
        }
        if cursor != self.cursor {
            let mut batch = overlay.into_batch();
            let (key, value) = cursor.row()?;
            batch.add(Changes::from([(key, Some(value))]));
            recent.change_by(&batch);
            tables.ingest(&batch.sorted())?;
            self.cursor = cursor;
        }
        Ok(more)
    }

    /// Folds a batch, but for entries that were folded before.
    fn take(
        &mut self,
        batch: &Batch,
        overlay: &mut Overlay<'_>,
        cursor: &mut Cursor,
    ) -> Result<(), ProjectedFault> {
        if batch.size <= cursor.size {
            return Ok(());
        }
        let folded = cursor.size;
        for entry in batch.entries.iter().filter(|it| it.index >= folded) {
            let index = entry.index;
            if index != cursor.size {
                return Err(ProjectedFault::Gap(cursor.size));
            }
            let changes = self.fold.fold(&*overlay, entry);
            let changes = changes.map_err(|error| ProjectedFault::Fold { index, error })?;
            cursor.digest = cursor.digest.after(index, &changes);
            cursor.size += 1;
            overlay.add(changes);
            self.note(cursor.size, cursor.digest);
        }
        if cursor.size != batch.size {
            return Err(ProjectedFault::Gap(cursor.size));
        }
        cursor.root = batch.root;
        Ok(())
    }
}

/// The rows as they are written, those that were read lately from memory.
struct Rows<'a> {
    tables: &'a LsmTables,
    recent: &'a RecentRows,
}

impl Tables for Rows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.recent.get(self.tables, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.tables.rows(start, order)
    }
}
