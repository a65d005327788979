//! Projection tables as a log-structured merge tree: one tree a projection.
//!
//! Changes go into a table in memory; once it is large enough it is written out as sorted
//! files, which a thread of this tree's own merges. There is no write-ahead log, because the
//! ledger is one: the files hold the state after some batch with the caller's cursor among the
//! rows, and what came after is folded again. So a row costs 2 to 4 µs wherever its key lies.
//!
//! - **After kill -9 and power loss** the tables are as they were when they were last written
//!   out: the engine syncs files and directories before it names them in its manifest, and
//!   swaps manifests by a rename. Every block has a checksum.
//! - **A read** sees whole batches: each has a sequence number, and readers read below the
//!   newest that is complete.
//!
//! Tables that do not open are moved aside and begin empty: the caller rebuilds.

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use lsm_tree::compaction::Leveled;
use lsm_tree::config::{CompressionPolicy, PinningPolicy};
use lsm_tree::{
    AbstractTree as _, AnyTree, Cache, CompressionType, Config, IterGuardImpl, SeqNo,
    SequenceNumberCounter,
};

use super::fault::{Attempt, IoFault};
use super::give_way::give_way;
use super::guard::{EngineFault, guarded};
use super::lock_file::LockFile;
use super::sync::beside;
use super::tables::{ProjectionStore, TableError, check_rows};
use crate::fold::{Changed, Changes, Order, Row, Scan, Tables, TablesError};

/// The rows in memory are written out at this size. With what is being written out, at twice
/// the bytes for the index over them: some 24 MiB a tree at most.
const MEMORY_BYTES_MAX: u64 = 6 << 20;

/// How many tables in memory may wait to be written out before a batch does it itself.
const SEALED_MAX: usize = 1;

/// How many overlapping files a read may have to look into before a batch waits for a merge.
const OVERLAPPING_FILES_MAX: usize = 16;

/// How many overlapping files there may be before a merge is asked for.
const OVERLAPPING_FILES: usize = 4;

/// As [`OVERLAPPING_FILES_MAX`] and [`OVERLAPPING_FILES`], while tables are filled by the file:
/// each merge writes anew what it merges into, so that the fewer there are, the less is written.
const FILLED_FILES_MAX: usize = 24;
const FILLED_FILES: usize = 12;

/// The size of merged files: small enough for a merge of a few to take a fraction of a second.
const FILE_BYTES: u64 = 16 << 20;

/// In which levels the indexes of files, and their filters, are held in memory: in the first
/// three. They take some 2% of a file, and a level has ten times the bytes of the one before:
/// `(4 + 4 × 10) × 16 MiB × 2%`, 14 MiB a tree at most. Those of the level after are cut into
/// blocks, which are cached as others are; uncut, one takes 300 KB, and a few of them the cache.
const HELD_LEVELS: [bool; 4] = [true, true, true, false];

/// How many damaged tables are kept for somebody to look at.
const DAMAGED_KEPT_MAX: u32 = 3;

/// How the tables were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TablesOrigin {
    /// There were none.
    Created,
    /// They are as an earlier process left them, after some batch.
    Reopened,
    /// They could not be used: these are empty.
    Replaced {
        /// Why not.
        why: String,
        /// Where the damaged ones are, if they were kept.
        kept_at: Option<PathBuf>,
    },
}

/// Tables, and how they were found.
#[derive(Debug)]
pub struct OpenedTables {
    /// The tables.
    pub tables: LsmTables,
    /// How they were found: empty unless [`TablesOrigin::Reopened`].
    pub origin: TablesOrigin,
}

/// What tables keep in memory of the blocks that they read. Clones share it: whichever of the
/// tables is asked most has most of it.
#[derive(Clone)]
pub struct BlockCache(Arc<Cache>);

impl BlockCache {
    /// A cache of at most `bytes`.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self(Arc::new(Cache::with_capacity_bytes(bytes)))
    }
}

impl std::fmt::Debug for BlockCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (size, capacity) = (self.0.size(), self.0.capacity());
        write!(f, "BlockCache({size} of {capacity} bytes)")
    }
}

/// Projection tables as a log-structured merge tree. See the module.
pub struct LsmTables {
    shared: Arc<Shared>,
    /// Held while a batch is applied.
    writing: Mutex<()>,
    /// Whether the directory goes when the tables are closed.
    discarded: AtomicBool,
    /// Asks for files to be written and merged.
    tidy: Option<SyncSender<()>>,
    tidying: Option<JoinHandle<()>>,
    /// Keeps others out.
    _lock: LockFile,
}

/// What batches, reads and the tidying thread share.
struct Shared {
    dir: PathBuf,
    tree: AnyTree,
    sequence: SequenceNumberCounter,
    /// Reads show what has a lower sequence number. A read holds this lock until it holds the
    /// files that it reads, so that no merge drops what it is about to see.
    shown: RwLock<SeqNo>,
    /// Whether the tables are being filled by the file.
    filling: AtomicBool,
    /// A write failed: what the tables show may not be what was applied.
    broken: AtomicBool,
}

impl LsmTables {
    /// Opens the tables in `dir`, whose parent exists, with `cache` for blocks that were
    /// read. Creates them if there are none, and begins empty if they cannot be used.
    pub fn open(dir: &Path, cache: &BlockCache) -> Result<OpenedTables, TableError> {
        let created = !rows_dir(dir).try_exists().attempt("look for", dir)?;
        fs::create_dir_all(dir).attempt("create the directory", dir)?;
        let held = lock(dir)?;
        let why = match Self::start(dir, cache, held) {
            Ok(tables) => {
                let origin = if created {
                    TablesOrigin::Created
                } else {
                    TablesOrigin::Reopened
                };
                return Ok(OpenedTables { tables, origin });
            }
            Err(fault) => fault.split("open the tables in", dir),
        };
        let why = match why {
            Ok(fault) => return Err(fault.into()),
            Err(why) => why,
        };
        let kept_at = move_aside(dir)?;
        tracing::warn!(dir = %dir.display(), why, ?kept_at, "tables begin empty");
        fs::create_dir_all(dir).attempt("create the directory", dir)?;
        let held = lock(dir)?;
        let tables = Self::start(dir, cache, held).map_err(|fault| table_error(fault, dir))?;
        let origin = TablesOrigin::Replaced { why, kept_at };
        Ok(OpenedTables { tables, origin })
    }

    fn start(dir: &Path, cache: &BlockCache, lock: LockFile) -> Result<Self, EngineFault> {
        let sequence = SequenceNumberCounter::default();
        // The engine would show a batch that is not complete: nobody asks this counter.
        let unused = SequenceNumberCounter::default();
        let tree = guarded(|| {
            Config::new(rows_dir(dir), sequence.clone(), unused)
                .use_cache(Arc::clone(&cache.0))
                .index_block_pinning_policy(PinningPolicy::new(HELD_LEVELS))
                .filter_block_pinning_policy(PinningPolicy::new(HELD_LEVELS))
                .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
                .open()
        })?;
        let next = tree.get_highest_seqno().map_or(1, |highest| highest + 1);
        sequence.fetch_max(next);
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            tree,
            sequence,
            shown: RwLock::new(next),
            filling: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        });
        let (tidy, asked) = sync_channel(1);
        let tidying = std::thread::Builder::new()
            .name("tables-tidy".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || {
                    give_way();
                    shared.tidy_when(&asked);
                }
            })?;
        Ok(Self {
            shared,
            writing: Mutex::new(()),
            discarded: AtomicBool::new(false),
            tidy: Some(tidy),
            tidying: Some(tidying),
            _lock: lock,
        })
    }

    /// Has the directory removed once the tables are closed: nobody will open them again, but
    /// somebody may still be reading.
    pub fn discard_when_closed(&self) {
        self.discarded.store(true, Ordering::Release);
    }

    /// As [`rows`](Tables::rows), for a reader that sees to it by itself that the tables are
    /// open for as long as it reads.
    pub fn detached_rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'static> {
        // Only the end at which reading begins is named: looking for the other one costs as
        // much again, and the caller sees where it has read enough.
        let range = match order {
            Order::Ascending => (start, Bound::Unbounded),
            Order::Descending => (Bound::Unbounded, start),
        };
        let shown = self.shared.shown();
        let rows = self
            .shared
            .call(|tree| Ok(tree.range::<&[u8], _>(range, *shown, None)));
        match rows {
            Ok(rows) => Box::new(Rows {
                shared: Arc::clone(&self.shared),
                left: Some(rows),
                order,
            }),
            Err(error) => Box::new(std::iter::once(Err(error.into()))),
        }
    }

    /// Has the table in memory written out once it is large, by the other thread unless that
    /// falls behind.
    fn keep_small(&self) -> Result<(), TableError> {
        let tree = &self.shared.tree;
        if tree.active_memtable().size() < MEMORY_BYTES_MAX {
            return Ok(());
        }
        tree.rotate_memtable();
        self.ask_to_tidy();
        if tree.sealed_memtable_count() > SEALED_MAX {
            self.shared.write_out()?;
        }
        if tree.l0_run_count() > OVERLAPPING_FILES_MAX {
            self.shared.merge()?;
        }
        Ok(())
    }

    fn ask_to_tidy(&self) {
        if let Some(tidy) = &self.tidy {
            // A full channel means that it has been asked already.
            let _ = tidy.try_send(());
        }
    }
}

impl Shared {
    /// Calls into the engine, unless a write failed before.
    fn call<T>(&self, call: impl FnOnce(&AnyTree) -> lsm_tree::Result<T>) -> Result<T, TableError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(TableError::Broken);
        }
        guarded(|| call(&self.tree)).map_err(|fault| table_error(fault, &self.dir))
    }

    /// As [`call`](Self::call); a failure breaks the tables.
    fn write<T>(
        &self,
        call: impl FnOnce(&AnyTree) -> lsm_tree::Result<T>,
    ) -> Result<T, TableError> {
        let written = self.call(call);
        if written.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        written
    }

    fn shown(&self) -> RwLockReadGuard<'_, SeqNo> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, below: SeqNo) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = below;
    }

    /// Writes out the tables in memory that are full.
    fn write_out(&self) -> Result<(), TableError> {
        let oldest_read = *self.shown();
        self.write(|tree| {
            let one_at_a_time = tree.get_flush_lock();
            tree.flush(&one_at_a_time, oldest_read)
        })?;
        Ok(())
    }

    /// Merges files, if there is something to merge.
    fn merge(&self) -> Result<(), TableError> {
        let oldest_read = *self.shown();
        let overlapping = if self.filling.load(Ordering::Acquire) {
            FILLED_FILES
        } else {
            OVERLAPPING_FILES
        };
        let strategy = Leveled::default()
            .with_table_target_size(FILE_BYTES)
            .with_l0_threshold(u8::try_from(overlapping).unwrap_or(u8::MAX));
        let strategy = Arc::new(strategy);
        self.write(|tree| tree.compact(strategy, oldest_read))?;
        Ok(())
    }

    /// Writes out and merges whenever it is asked to, until nobody can ask any more.
    fn tidy_when(&self, asked: &Receiver<()>) {
        while asked.recv().is_ok() {
            if let Err(error) = self.write_out().and_then(|()| self.merge()) {
                tracing::error!(dir = %self.dir.display(), %error, "tables cannot be written");
                return;
            }
        }
    }
}

impl Tables for LsmTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        let shown = self.shared.shown();
        let value = self.shared.call(|tree| tree.get(key, *shown))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.detached_rows(start, order)
    }
}

/// The rows of a scan; none after an error.
struct Rows {
    shared: Arc<Shared>,
    left: Option<Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static>>,
    order: Order,
}

impl Iterator for Rows {
    type Item = Result<Row, TablesError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.left.as_mut()?;
        let order = self.order;
        let read = self.shared.call(|_| {
            let row = match order {
                Order::Ascending => rows.next(),
                Order::Descending => rows.next_back(),
            };
            row.map(lsm_tree::Guard::into_inner).transpose()
        });
        match read {
            Ok(row) => row.map(|(key, value)| Ok((key.to_vec(), value.to_vec()))),
            Err(error) => {
                self.left = None;
                Some(Err(error.into()))
            }
        }
    }
}

impl ProjectionStore for LsmTables {
    fn apply(&self, changes: Changes) -> Result<(), TableError> {
        check_rows(changes.iter())?;
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.shared.sequence.next();
        self.shared.write(|tree| {
            for (key, value) in changes {
                match value {
                    Some(value) => tree.insert(key, value, number),
                    None => tree.remove(key, number),
                };
            }
            Ok(())
        })?;
        self.shared.show(number + 1);
        self.keep_small()
    }

    /// They go into a file of their own, which costs a fraction of what a table in memory takes,
    /// key by key, which is written out later. Merges wait until there are many such files, as
    /// whoever fills tables by the file reads little from them; [`persist`](Self::persist) says
    /// that they are filled.
    fn ingest(&self, changes: &[Changed<'_>]) -> Result<(), TableError> {
        check_rows(changes.iter().copied())?;
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.write(|tree| {
            let mut file = tree.ingestion()?;
            for (key, value) in changes {
                match value {
                    Some(value) => file.write(*key, *value)?,
                    None => file.write_tombstone(*key)?,
                }
            }
            file.finish()
        })?;
        // Numbered when it was whole.
        self.shared.show(self.shared.sequence.get());
        self.shared.filling.store(true, Ordering::Release);
        let overlapping = self.shared.tree.l0_run_count();
        if overlapping > FILLED_FILES_MAX {
            self.shared.merge()?;
        } else if overlapping > FILLED_FILES {
            self.ask_to_tidy();
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), TableError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.write(lsm_tree::AbstractTree::clear)?;
        self.shared.show(self.shared.sequence.get());
        Ok(())
    }

    fn persist(&self) -> Result<(), TableError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.write(|tree| Ok(tree.rotate_memtable()))?;
        self.shared.write_out()?;
        self.shared.filling.store(false, Ordering::Release);
        if self.shared.tree.l0_run_count() > OVERLAPPING_FILES {
            self.ask_to_tidy();
        }
        Ok(())
    }

    fn bytes_on_disk(&self) -> u64 {
        self.shared.tree.disk_space()
    }
}

impl Drop for LsmTables {
    /// Writes out what waits in memory, so that the next start need not fold it again; or
    /// removes everything, if it is to be discarded.
    /// Waits for the disk, for as long as that takes: whoever must end in time has it dropped on
    /// a thread that can be left behind.
    fn drop(&mut self) {
        self.tidy = None;
        if let Some(tidying) = self.tidying.take() {
            // It catches the engine's panics and logs its failures.
            let _ = tidying.join();
        }
        if *self.discarded.get_mut() {
            if let Err(error) = fs::remove_dir_all(&self.shared.dir) {
                tracing::warn!(dir = %self.shared.dir.display(), %error, "tables of no use are left behind");
            }
            return;
        }
        if let Err(error) = self.persist() {
            tracing::warn!(dir = %self.shared.dir.display(), %error, "tables did not close cleanly");
        }
    }
}

impl std::fmt::Debug for LsmTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LsmTables")
            .field("dir", &self.shared.dir)
            .field("broken", &self.shared.broken)
            .finish_non_exhaustive()
    }
}

fn rows_dir(dir: &Path) -> PathBuf {
    dir.join("rows")
}

/// Keeps other handles away from `dir` for as long as the file is held.
fn lock(dir: &Path) -> Result<LockFile, TableError> {
    let path = dir.join("LOCK");
    let file = File::create(&path).attempt("create", &path)?;
    match LockFile::try_lock(file) {
        Ok(held) => Ok(held),
        Err((TryLockError::WouldBlock, _)) => Err(TableError::Locked {
            path: dir.display().to_string(),
        }),
        Err((TryLockError::Error(error), _)) => Ok(Err(error).attempt("lock", &path)?),
    }
}

/// Moves damaged tables out of the way, or removes them when enough are kept already. Says
/// where they are.
fn move_aside(dir: &Path) -> Result<Option<PathBuf>, IoFault> {
    for number in 1..=DAMAGED_KEPT_MAX {
        let aside = beside(dir, &format!("damaged-{number}"));
        match fs::rename(dir, &aside) {
            Ok(()) => return Ok(Some(aside)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) => {}
            Err(error) => return Err(error).attempt("move aside", dir),
        }
    }
    fs::remove_dir_all(dir).attempt("remove", dir)?;
    Ok(None)
}

fn table_error(fault: EngineFault, dir: &Path) -> TableError {
    match fault.split("use the tables in", dir) {
        Ok(fault) => fault.into(),
        Err(detail) => TableError::Engine { detail },
    }
}

#[cfg(test)]
#[path = "lsm_tables_tests.rs"]
mod tests;
