//! Follows the ledger with a fold, on a thread of its own.
//!
//! The rows lie in a database of the projection's own, `<name>-v<version>`, which is
//! disposable: what does not open, or whose cursor contradicts the ledger, is built again from
//! entry 0. Changes and cursor are applied in one atomic batch of whole frames. A projection
//! sees no further than the published head, and shows its own progress only once it is
//! applied. A fold that fails stops its projection and no other: what it has read until then
//! can still be asked.
//!
//! What a crash takes from the rows is read again.

use std::fs;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::sync::watch;

use super::cursor::Cursor;
use crate::fold::{
    Changes, Fold, FoldError, Order, Overlay, RecentRows, Scan, Tables, TablesError,
};
use crate::ledger::{DecodedFrame, Head, ReadError, Reader};
use crate::storage::{LsmTables, OpenedTables, ProjectionStore as _, TableError, TablesOrigin};

/// A batch takes in no further frame once it changes so many keys: at 3 µs a key they take 3 ms,
/// so that progress is shown, and a stop seen, often enough.
const KEYS_PER_BATCH: usize = 1_024;

/// A batch joins no more frames than this, so that progress shows also where a fold passes
/// over most entries.
const FRAMES_PER_BATCH: usize = 64;

/// Where a runner reads entries from: the ledger.
pub trait EntrySource: Send + Sync {
    /// The published head.
    fn head(&self) -> Head;

    /// The frame that holds the entry at `index`; none past the head.
    fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError>;

    /// Blocks until the ledger holds more than `size` entries; none once `stop` is set.
    fn wait_beyond(&self, size: u64, stop: &AtomicBool) -> Option<Head>;

    /// Has every thread that waits look at its `stop`.
    fn wake(&self);
}

impl EntrySource for Reader {
    fn head(&self) -> Head {
        Reader::head(self)
    }

    fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError> {
        Reader::frame_at(self, index)
    }

    fn wait_beyond(&self, size: u64, stop: &AtomicBool) -> Option<Head> {
        self.wait_beyond_blocking(size, stop)
    }

    fn wake(&self) {
        Reader::wake(self);
    }
}

/// Whether a projection reads on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It follows the ledger.
    Following,
    /// It stopped by itself and will not read on before a restart.
    Failed {
        /// The entry that it could not fold; where another thing failed, the first that it
        /// has not read.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// It was told to stop.
    Stopped,
}

/// The projection does not read on, and has not read as much as was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the projection {name} stands at {size} entries and reads no further")]
pub struct NotFollowing {
    /// The projection.
    pub name: &'static str,
    /// How much it has read.
    pub size: u64,
    /// Why it reads no further.
    pub status: Status,
}

/// A projection, to be asked. Clones are the same projection.
#[derive(Clone)]
pub struct Projection {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    version: u32,
    tables: LsmTables,
    progress: watch::Sender<(Cursor, Status)>,
}

impl Projection {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.shared.version
    }

    /// Its rows. They may be ahead of the cursor: name a `known_at` no greater than the size
    /// of a cursor that was read before.
    #[must_use]
    pub fn tables(&self) -> &impl Tables {
        &self.shared.tables
    }

    /// How far it has read.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.shared.progress.borrow().0
    }

    /// Whether it reads on.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.progress.borrow().1.clone()
    }

    /// Waits until it has read `size` entries, for as long as it reads on; the caller bounds
    /// the wait.
    pub async fn wait_for(&self, size: u64) -> Result<Cursor, NotFollowing> {
        let mut progress = self.shared.progress.subscribe();
        let settled = |(cursor, status): &(Cursor, Status)| {
            cursor.size >= size || *status != Status::Following
        };
        // This handle holds the sender, so that the wait ends by what it waits for.
        let (cursor, status) = match progress.wait_for(settled).await {
            Ok(progress) => progress.clone(),
            Err(_) => (self.cursor(), self.status()),
        };
        if cursor.size >= size {
            return Ok(cursor);
        }
        Err(NotFollowing {
            name: self.name(),
            size: cursor.size,
            status,
        })
    }
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name())
            .field("version", &self.version())
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}

/// Where and how a projection keeps its rows.
#[derive(Clone, Debug)]
pub struct Home {
    /// The directory of all projections; made if it does not exist.
    pub directory: PathBuf,
    /// What each may keep in memory of the blocks that it read, in bytes.
    pub cache_bytes: u64,
}

/// The thread that follows the ledger. Dropping it has the thread end, without waiting for it.
#[derive(Debug)]
pub struct Runner {
    projection: Projection,
    stop: Stop,
    /// Disconnected once the thread has ended and let go of the rows.
    ended: Receiver<()>,
}

impl Runner {
    /// Opens the projection's rows, or begins anew where they are of no use, and follows
    /// `source` from there.
    pub fn start(
        fold: Arc<dyn Fold>,
        home: &Home,
        source: Arc<dyn EntrySource>,
    ) -> Result<Self, RunnerError> {
        let (tables, cursor) = open(&*fold, home, &*source)?;
        let projection = Projection {
            shared: Arc::new(Shared {
                name: fold.name(),
                version: fold.version(),
                tables,
                progress: watch::Sender::new((cursor, Status::Following)),
            }),
        };
        let stop = Stop {
            flag: Arc::default(),
            source: Arc::clone(&source),
        };
        let follower = Follower {
            fold,
            source,
            shared: Arc::clone(&projection.shared),
            stop: Arc::clone(&stop.flag),
            cursor,
            recent: RecentRows::default(),
        };
        let (alive, ended) = bounded(0);
        let thread = std::thread::Builder::new()
            .name(format!("onrecord-{}", projection.name()))
            .spawn(move || {
                // Dropped last.
                let _alive: Sender<()> = alive;
                follower.run();
            });
        thread.map_err(RunnerError::Thread)?;
        Ok(Self {
            projection,
            stop,
            ended,
        })
    }

    /// The projection, to be asked.
    #[must_use]
    pub fn projection(&self) -> Projection {
        self.projection.clone()
    }

    /// Stops after the batch at hand; whether the thread ended by `deadline`. The rows are
    /// closed once the last handle on the projection is gone.
    #[must_use]
    pub fn stop(self, deadline: Instant) -> bool {
        self.stop.set();
        self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop.set();
    }
}

struct Stop {
    flag: Arc<AtomicBool>,
    source: Arc<dyn EntrySource>,
}

impl Stop {
    fn set(&self) {
        self.flag.store(true, Ordering::Release);
        self.source.wake();
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.flag).finish()
    }
}

/// Why a projection could not be started.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The directory of the projections cannot be made, or rows of no use not removed.
    #[error("{path}: {error}")]
    Directory {
        /// Which.
        path: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// The rows cannot be opened.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger holds less than was read of it.
    #[error(
        "the ledger has lost entries: it holds {found}, and the projection {projection} has read {read}; restore the data directory from a backup that holds at least {read}; one that holds fewer is restored without the directories admission and projections, which are built again"
    )]
    ShorterThanRead {
        /// The projection.
        projection: &'static str,
        /// How many entries it has read.
        read: u64,
        /// How many the ledger holds.
        found: u64,
    },
    /// No thread can be started.
    #[error("a thread cannot be started: {0}")]
    Thread(io::Error),
}

/// Opens the rows with a cursor that the ledger confirms.
fn open(
    fold: &dyn Fold,
    home: &Home,
    source: &dyn EntrySource,
) -> Result<(LsmTables, Cursor), RunnerError> {
    fs::create_dir_all(&home.directory).map_err(at(&home.directory))?;
    let directory = format!("{}-v{}", fold.name(), fold.version());
    let directory = home.directory.join(directory);
    let open = || LsmTables::open(&directory, home.cache_bytes);
    let start = Cursor::start(fold);
    let OpenedTables { tables, origin } = open()?;
    if origin != TablesOrigin::Reopened {
        return Ok((tables, start));
    }
    let why = match confirmed(fold.name(), &tables, source)? {
        Ok(cursor) => return Ok((tables, cursor.unwrap_or(start))),
        Err(why) => why,
    };
    tracing::warn!(projection = fold.name(), why, "built again from entry 0");
    drop(tables);
    fs::remove_dir_all(&directory).map_err(at(&directory))?;
    Ok((open()?.tables, start))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RunnerError {
    let path = path.display().to_string();
    move |error| RunnerError::Directory { path, error }
}

/// The cursor of rows that were found, if the ledger confirms it: its root stands at the end
/// of a frame. None where there are no rows yet. Otherwise, why it is not believed.
fn confirmed(
    projection: &'static str,
    tables: &dyn Tables,
    source: &dyn EntrySource,
) -> Result<Result<Option<Cursor>, &'static str>, RunnerError> {
    let cursor = match Cursor::load(tables) {
        Ok(Some(cursor)) => cursor,
        Ok(None) if tables.scan(&[]).next().is_none() => return Ok(Ok(None)),
        Ok(None) => return Ok(Err("its rows have no cursor")),
        Err(_) => return Ok(Err("its cursor cannot be read")),
    };
    let Some(last) = cursor.size.checked_sub(1) else {
        return Ok(Err("its cursor stands before entry 0"));
    };
    let (read, found) = (cursor.size, source.head().size);
    if read > found {
        // What was read was durable: the ledger has lost its end.
        return Err(RunnerError::ShorterThanRead {
            projection,
            read,
            found,
        });
    }
    Ok(match source.frame_at(last)? {
        Some(frame) if frame.next_index() == cursor.size && frame.root_after == cursor.root => {
            Ok(Some(cursor))
        }
        _ => Err("its cursor names another root than the ledger"),
    })
}

/// What runs on the thread.
struct Follower {
    fold: Arc<dyn Fold>,
    source: Arc<dyn EntrySource>,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    cursor: Cursor,
    recent: RecentRows,
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

/// Why a projection reads no further.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("{error}")]
    Fold { index: u64, error: FoldError },
    #[error("the cursor does not encode: {0}")]
    Cursor(FoldError),
    #[error(transparent)]
    Ledger(#[from] ReadError),
    #[error(transparent)]
    Tables(#[from] TableError),
    #[error("no frame of the ledger begins here")]
    Misaligned,
}

impl Halt {
    /// The entry that could not be folded, if it is known.
    const fn index(&self) -> Option<u64> {
        match self {
            Self::Fold { index, .. } => Some(*index),
            _ => None,
        }
    }
}

impl Follower {
    fn run(mut self) {
        let followed = catch_unwind(AssertUnwindSafe(|| self.follow()));
        let status = match followed {
            Ok(Ok(())) => Status::Stopped,
            Ok(Err(halt)) => self.failed(halt.index(), halt.to_string()),
            Err(_) => self.failed(None, "the fold or the storage engine panicked".to_owned()),
        };
        self.shared
            .progress
            .send_modify(|progress| progress.1 = status);
    }

    fn failed(&self, index: Option<u64>, reason: String) -> Status {
        let index = index.unwrap_or(self.cursor.size);
        tracing::error!(
            projection = self.fold.name(),
            index,
            reason,
            "the projection stopped"
        );
        Status::Failed { index, reason }
    }

    fn follow(&mut self) -> Result<(), Halt> {
        while let Some(head) = self.source.wait_beyond(self.cursor.size, &self.stop) {
            self.advance(head.size)?;
        }
        Ok(())
    }

    /// Folds some frames and applies what they change. Frames before one that cannot be
    /// folded are applied all the same.
    fn advance(&mut self, head: u64) -> Result<(), Halt> {
        let applied = Applied {
            tables: &self.shared.tables,
            recent: &self.recent,
        };
        let mut batch = Overlay::new(&applied);
        let mut cursor = self.cursor;
        let mut halted = Ok(());
        for _ in 0..FRAMES_PER_BATCH {
            if cursor.size >= head || batch.len() >= KEYS_PER_BATCH {
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

    /// Applies changes with the cursor that they lead to, and shows it.
    fn apply(&mut self, mut changes: Changes, cursor: Cursor) -> Result<(), Halt> {
        let (key, value) = cursor.row().map_err(Halt::Cursor)?;
        changes.insert(key, Some(value));
        self.recent.forget(&changes);
        self.shared.tables.apply(changes)?;
        self.cursor = cursor;
        self.shared
            .progress
            .send_modify(|progress| progress.0 = cursor);
        Ok(())
    }
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
