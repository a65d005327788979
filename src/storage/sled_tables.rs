//! Projection tables on sled: one database a projection, one tree, one `apply_batch` a batch.
//!
//! What is reopened is the state after some batch, or is known to be damaged:
//!
//! - **After kill -9** sled replays its log up to the first record that is not whole. A batch
//!   begins with a manifest that names its end, and recovery stops before a batch whose end it
//!   does not have. What the process wrote is in the page cache and so survives it; what sled
//!   still buffered is lost, last batches first. So batches are kept whole and in order.
//! - **After a power cut** none of this holds, because sled counts as stable what never reached
//!   the disk, and reuses what it replaced. So `OPENED` names the run of the machine's kernel
//!   under which the tables were opened, and `CLOSED` says that they were closed and synced
//!   whole since. Tables that were open when the machine went down are not believed.
//!
//! Tables that do not open, or are not believed, are moved aside and begin empty: the caller
//! rebuilds. Nothing is synced while they are open, so that they do not hold up the ledger.
//! sled's lock on batches is one for the process: keep batches small.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fault::{Attempt, IoFault};
use super::guard::{EngineFault, bounded, guarded};
use super::sled_dir;
use super::sync::{Syncer, beside, replace_file};
use super::tables::{Change, Direction, KeyRange, ProjectionStore, Rows, TableError, check_rows};

/// sled's default. A row beyond about 7 KB may then lie in a file of its own, which is as good
/// as the log for tables that are synced as a whole when they are closed.
const SEGMENT_BYTES: usize = 512 << 10;

/// Batches of up to this many keys need no help with freeing memory.
const KEYS_FREE: usize = 64;

/// Beyond that, one collection for so many keys, and one more.
const KEYS_PER_COLLECTION: usize = 250;

/// How many damaged tables are kept for somebody to look at.
const DAMAGED_KEPT_MAX: u32 = 3;

/// How long closing may take: sled waits for ever after some write errors.
const CLOSE_BOUND: Duration = Duration::from_secs(20);

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
    pub tables: SledTables,
    /// How they were found: empty unless [`TablesOrigin::Reopened`].
    pub origin: TablesOrigin,
}

/// Projection tables on sled. See the module.
pub struct SledTables {
    dir: PathBuf,
    syncer: Arc<dyn Syncer>,
    /// `None` only while being closed.
    db: Option<sled::Db>,
    /// A batch failed: what the tables show may be half of it.
    broken: AtomicBool,
}

impl SledTables {
    /// Opens the tables in `dir`, whose parent exists, with a page cache of `cache_bytes`.
    /// Creates them if there are none, and begins empty if they cannot be used.
    pub fn open(
        dir: &Path,
        cache_bytes: u64,
        syncer: &Arc<dyn Syncer>,
    ) -> Result<OpenedTables, TableError> {
        Self::open_under(dir, cache_bytes, syncer, &this_boot())
    }

    /// As [`open`](Self::open), under a named run of the kernel; an empty name is believed by
    /// no later one.
    fn open_under(
        dir: &Path,
        cache_bytes: u64,
        syncer: &Arc<dyn Syncer>,
        boot: &str,
    ) -> Result<OpenedTables, TableError> {
        // A directory without anything in it is one that somebody made for them.
        let empty = fs::remove_dir(dir).is_ok();
        let found = !empty && dir.try_exists().attempt("look for", dir)?;
        let why = if found {
            match Self::reopen(dir, cache_bytes, syncer, boot) {
                Ok(Ok(tables)) => {
                    let origin = TablesOrigin::Reopened;
                    return Ok(OpenedTables { tables, origin });
                }
                Ok(Err(why)) => Some(why),
                Err(error) => return Err(error),
            }
        } else {
            None
        };
        let origin = match why {
            None => TablesOrigin::Created,
            Some(why) => {
                let kept_at = move_aside(dir)?;
                tracing::warn!(dir = %dir.display(), why, ?kept_at, "tables begin empty");
                TablesOrigin::Replaced { why, kept_at }
            }
        };
        fs::create_dir(dir).attempt("create the directory", dir)?;
        write_opened(dir, boot)?;
        let tables =
            Self::start(dir, cache_bytes, syncer).map_err(|fault| table_error(fault, dir))?;
        Ok(OpenedTables { tables, origin })
    }

    /// Opens tables that exist; or says why they cannot be used.
    fn reopen(
        dir: &Path,
        cache_bytes: u64,
        syncer: &Arc<dyn Syncer>,
        boot: &str,
    ) -> Result<Result<Self, String>, TableError> {
        let rows = rows_dir(dir);
        if !sled_dir::log_path(&rows).exists() {
            return Ok(Err("they were never finished".to_owned()));
        }
        if sled_dir::try_lock(&rows)?.is_none() {
            return Err(TableError::Locked {
                path: dir.display().to_string(),
            });
        }
        let closed = closed_path(dir);
        if closed.exists() {
            fs::remove_file(&closed).attempt("remove", &closed)?;
            syncer.sync_dir(dir).attempt("sync the directory", dir)?;
        } else if boot.is_empty() || read_opened(dir).as_deref() != Some(boot) {
            return Ok(Err("the machine went down while they were open".to_owned()));
        }
        write_opened(dir, boot)?;
        sled_dir::remove_half_snapshots(&rows)?;
        match Self::start(dir, cache_bytes, syncer) {
            Ok(tables) => Ok(Ok(tables)),
            Err(fault) => match fault.split("open the tables in", dir) {
                Ok(fault) => Err(fault.into()),
                Err(why) => Ok(Err(why)),
            },
        }
    }

    fn start(dir: &Path, cache_bytes: u64, syncer: &Arc<dyn Syncer>) -> Result<Self, EngineFault> {
        let db = sled_dir::open_sled(&rows_dir(dir), SEGMENT_BYTES, cache_bytes)?;
        Ok(Self {
            dir: dir.to_owned(),
            syncer: Arc::clone(syncer),
            db: Some(db),
            broken: AtomicBool::new(false),
        })
    }

    /// Closes the tables and syncs them whole, so that they are believed even if the machine
    /// goes down before they are opened again. Dropping does the same and logs a failure.
    pub fn close(mut self) -> Result<(), TableError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), TableError> {
        let Some(db) = self.db.take() else {
            return Ok(());
        };
        if self.broken.load(Ordering::Acquire) {
            std::mem::forget(db);
            return Err(TableError::Broken);
        }
        let closed = bounded(CLOSE_BOUND, move || {
            guarded(|| {
                let flushed = db.flush();
                drop(db);
                flushed
            })
        });
        match closed {
            None => Err(TableError::Engine {
                detail: format!("they did not close within {CLOSE_BOUND:?}"),
            }),
            Some(Err(fault)) => Err(table_error(fault, &self.dir)),
            Some(Ok(_)) => {
                sled_dir::sync_tree(&*self.syncer, &self.dir).attempt("sync", &self.dir)?;
                let parent = self.dir.parent().unwrap_or(&self.dir);
                self.syncer
                    .sync_dir(parent)
                    .attempt("sync the directory", parent)?;
                Ok(replace_file(&*self.syncer, &closed_path(&self.dir), b"")?)
            }
        }
    }

    fn call<T>(&self, call: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, TableError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(TableError::Broken);
        }
        let db = self.db.as_ref().ok_or(TableError::Broken)?;
        guarded(|| call(db)).map_err(|fault| table_error(fault, &self.dir))
    }
}

impl ProjectionStore for SledTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let value = self.call(|db| db.get(key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(&self, range: KeyRange, direction: Direction) -> Rows<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let mut rows = match self.call(|db| Ok(db.range((range.start, range.end)))) {
            Ok(rows) => rows,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let mut ended = false;
        Box::new(std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let row = self.call(|_| {
                match direction {
                    Direction::Forwards => rows.next(),
                    Direction::Backwards => rows.next_back(),
                }
                .transpose()
            });
            ended = !matches!(row, Ok(Some(_)));
            row.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .transpose()
        }))
    }

    fn apply(&self, changes: &[Change]) -> Result<(), TableError> {
        check_rows(changes)?;
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let applied = self.call(|db| db.apply_batch(batch));
        if applied.is_err() {
            self.broken.store(true, Ordering::Release);
        }
        for _ in 0..collections(changes.len()) {
            crossbeam_epoch::pin().flush();
        }
        applied
    }

    fn bytes_on_disk(&self) -> Result<u64, TableError> {
        self.call(sled::Db::size_on_disk)
    }
}

impl Drop for SledTables {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::warn!(dir = %self.dir.display(), %error, "tables did not close cleanly");
        }
    }
}

impl std::fmt::Debug for SledTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledTables")
            .field("dir", &self.dir)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

/// How often memory is to be freed after a batch of `keys`: sled replaces a page version a key,
/// and crossbeam-epoch frees those only every 128 pins, of which a batch is one.
const fn collections(keys: usize) -> usize {
    if keys > KEYS_FREE {
        keys.div_ceil(KEYS_PER_COLLECTION) + 1
    } else {
        0
    }
}

fn rows_dir(dir: &Path) -> PathBuf {
    dir.join("rows")
}

fn closed_path(dir: &Path) -> PathBuf {
    dir.join("CLOSED")
}

fn opened_path(dir: &Path) -> PathBuf {
    dir.join("OPENED")
}

fn read_opened(dir: &Path) -> Option<String> {
    fs::read_to_string(opened_path(dir)).ok()
}

/// Not synced: a name that a power cut takes away or tears is one that is not believed.
fn write_opened(dir: &Path, boot: &str) -> Result<(), IoFault> {
    let path = opened_path(dir);
    fs::write(&path, boot).attempt("write", &path)
}

/// A name for this run of the machine's kernel; empty where there is none to be had.
fn this_boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
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
#[path = "sled_tables_tests.rs"]
mod tests;
