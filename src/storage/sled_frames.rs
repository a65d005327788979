//! The ledger's frames in a sled database of their own: key = first index, value = number of
//! entries and the frame; nothing else is ever put in.
//!
//! The invariant: [`AppendOutcome::Durable`] is answered only after sled's `flush` *and* an
//! fdatasync of the log file have succeeded. After any failure the handle is poisoned: it takes
//! no more frames, does not sync again, goes on reading, and leaks the database when dropped,
//! because sled's own `Drop` syncs once more and panics when that fails.
//!
//! A commit runs in a thread of its own, since sled waits for ever after some write errors; one
//! that does not finish within its bound counts as failed, and its thread is left behind. Should
//! that happen while another sled database of the process applies a batch, sled's process-wide
//! lock also holds up reads: restart the daemon.
//!
//! Opening changes a database: sled takes damage in the middle of its log for the end and blanks
//! what follows. So [`SledFrames::open_copy`] opens a copy, on which the caller compares the
//! frames with what it knows of the ledger, before [`SledFrames::open`] touches the original.

use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::commit::{Committer, Log, Order};
use super::fault::{Attempt, IoFault};
use super::frames::{
    AppendOutcome, COUNT_BYTES, FRAME_BYTES_MAX, FRAMES_READ_MAX, FrameStore, KEY_BYTES, Poison,
    SEGMENT_BYTES, StoreError, StoredFrame, push_in_order,
};
use super::guard::{EngineFault, bounded, guarded};
use super::ledger_dir::{
    OpenError, copy_dir, examine, frames_dir, open_error, read_epoch, remove_copy, write_epoch,
};
use super::passed::Passed;
use super::sled_dir::{self, Access};
use super::sync::{DiskSyncer, Syncer};

/// How long the smallest copy may take to open: whole ones take less than a second.
const OPEN_MIN: Duration = Duration::from_mins(1);

/// How much of a copy's log has to be read in a second: a tenth of what a slow disk gives.
const OPEN_BYTES_PER_SECOND: u64 = 4 << 20;

/// Settings of an open frame store.
#[derive(Clone, Debug)]
pub struct FramesOptions {
    /// sled's page cache, in bytes.
    pub cache_bytes: u64,
    /// How long a commit may take before it counts as failed.
    pub commit_bound: Duration,
    /// What makes writes durable.
    pub syncer: Arc<dyn Syncer>,
}

impl Default for FramesOptions {
    /// 8 MiB of cache; half a minute a commit, which no healthy disk takes.
    fn default() -> Self {
        Self {
            cache_bytes: 8 << 20,
            commit_bound: Duration::from_secs(30),
            syncer: Arc::new(DiskSyncer),
        }
    }
}

/// The frame store on sled. See the module.
pub struct SledFrames {
    /// The ledger's directory, for messages.
    dir: PathBuf,
    epoch: AtomicU64,
    commit_bound: Duration,
    syncer: Arc<dyn Syncer>,
    /// `None` in a copy, and while being dropped.
    committer: Option<Mutex<Committer>>,
    /// `None` only while being dropped.
    db: Option<sled::Db>,
    /// Stored only with the committer's lock held.
    next_index: AtomicU64,
    /// Set once, with the committer's lock held.
    poison: OnceLock<Poison>,
    /// The copy to be removed with this handle.
    copy: Option<PathBuf>,
}

impl SledFrames {
    /// Whether `dir` holds a ledger.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        frames_dir(dir).exists()
    }

    /// Puts an empty ledger into the existing directory `dir`, durably.
    pub fn create(dir: &Path, syncer: &dyn Syncer) -> Result<(), OpenError> {
        if Self::exists(dir) {
            return Err(OpenError::AlreadyExists {
                dir: dir.to_owned(),
            });
        }
        write_epoch(dir, syncer, 0)?;
        sled_dir::create(syncer, &frames_dir(dir), SEGMENT_BYTES)
            .map_err(|fault| open_error(fault, dir))
    }

    /// Opens the ledger in `dir` and claims the next epoch. What it shows is on disk.
    ///
    /// Opening can destroy what lies behind damage: look at [`open_copy`](Self::open_copy) first.
    pub fn open(dir: &Path, options: &FramesOptions) -> Result<Self, OpenError> {
        let syncer = &options.syncer;
        let lock = examine(dir, Access::Write)?;
        let frames = frames_dir(dir);
        let epoch = read_epoch(dir)?;
        sled_dir::remove_half_snapshots(&frames)?;
        sled_dir::rewrite_newest(&**syncer, &frames, lock.file(), SEGMENT_BYTES)
            .attempt("write again what may not be on disk in", &frames)?;
        remove_copy(&copy_dir(dir));
        drop(lock);
        let mut store = Self::open_sled(dir, &frames, options)?;
        store.committer = Some(Mutex::new(store.start_committer(&frames, options)?));
        // sled writes while it opens: the end of the log is blanked, a snapshot is put down.
        store.sync_from(0)?;
        syncer
            .sync_dir(&frames)
            .attempt("sync the directory", &frames)?;
        store.claim_above(epoch)?;
        Ok(store)
    }

    /// Opens a copy of the ledger in `dir`, to be examined: it shows what [`open`](Self::open)
    /// would show and takes no frames. Not a byte of the original is changed. The copy lies
    /// beside it, takes as much space, and goes with the handle.
    pub fn open_copy(dir: &Path, options: &FramesOptions) -> Result<Self, OpenError> {
        Self::open_copy_at(dir, copy_dir(dir), options)
    }

    /// As [`open_copy`](Self::open_copy), with the copy at `copy`, whose parent exists: nothing
    /// is written below `dir`.
    pub fn open_copy_at(
        dir: &Path,
        copy: PathBuf,
        options: &FramesOptions,
    ) -> Result<Self, OpenError> {
        let lock = examine(dir, Access::Read)?;
        let epoch = read_epoch(dir)?;
        sled_dir::copy(&frames_dir(dir), &copy)?;
        drop(lock);
        let log = sled_dir::log_path(&copy);
        let bytes = log.metadata().attempt("look at", &log)?.len();
        let opened = Self::open_sled_within(open_bound(bytes), dir, &copy, options);
        match opened {
            Ok(mut store) => {
                *store.epoch.get_mut() = epoch;
                store.copy = Some(copy);
                Ok(store)
            }
            Err(error) => {
                remove_copy(&copy);
                Err(error)
            }
        }
    }

    /// Copies the ledger in `from`, which nobody has open, into the existing directory `to`,
    /// durably. What it holds is for whoever opens it to check.
    pub fn copy_files(from: &Path, to: &Path, syncer: &dyn Syncer) -> Result<(), OpenError> {
        if Self::exists(to) {
            return Err(OpenError::AlreadyExists { dir: to.to_owned() });
        }
        let lock = examine(from, Access::Read)?;
        write_epoch(to, syncer, read_epoch(from)?)?;
        let frames = frames_dir(to);
        sled_dir::copy(&frames_dir(from), &frames)?;
        drop(lock);
        sled_dir::sync_tree(syncer, &frames).attempt("sync", &frames)?;
        syncer.sync_dir(to).attempt("sync the directory", to)?;
        Ok(())
    }

    /// How many files lie in the database's `blobs/`, where there must be none.
    pub fn blob_files(&self) -> Result<usize, IoFault> {
        sled_dir::blob_files(self.copy.as_deref().unwrap_or(&frames_dir(&self.dir)))
    }

    /// As [`open_sled`](Self::open_sled), if it takes no longer than `bound`.
    ///
    /// Whatever sled is still at then goes on in a thread, and ends with the process: a process
    /// of its own could outlive this one. It has a copy alone, which nobody else looks at.
    fn open_sled_within(
        bound: Duration,
        dir: &Path,
        frames: &Path,
        options: &FramesOptions,
    ) -> Result<Self, OpenError> {
        let (path, cache_bytes) = (frames.to_owned(), options.cache_bytes);
        let open = move || sled_dir::open_sled(&path, SEGMENT_BYTES, cache_bytes);
        Self::of_sled(open_within(bound, dir, open)?, dir, options)
    }

    fn open_sled(dir: &Path, frames: &Path, options: &FramesOptions) -> Result<Self, OpenError> {
        let db = sled_dir::open_sled(frames, SEGMENT_BYTES, options.cache_bytes);
        Self::of_sled(db.map_err(|fault| open_error(fault, dir))?, dir, options)
    }

    fn of_sled(db: sled::Db, dir: &Path, options: &FramesOptions) -> Result<Self, OpenError> {
        let store = Self {
            dir: dir.to_owned(),
            epoch: AtomicU64::new(0),
            commit_bound: options.commit_bound,
            syncer: Arc::clone(&options.syncer),
            committer: None,
            db: Some(db),
            next_index: AtomicU64::new(0),
            poison: OnceLock::new(),
            copy: None,
        };
        let next = store.read(|db| tail_before(db, None))?;
        let next = next.map_or(0, |frame| frame.next_index());
        store.next_index.store(next, Ordering::Release);
        Ok(store)
    }

    fn start_committer(
        &self,
        frames: &Path,
        options: &FramesOptions,
    ) -> Result<Committer, OpenError> {
        let path = sled_dir::log_path(frames);
        let file = File::open(&path).attempt("open", &path)?;
        let (log, syncer) = (Log { file, path }, Arc::clone(&options.syncer));
        Committer::start(self.db()?.clone(), log, syncer, options.commit_bound)
            .attempt("start a thread for", frames)
            .map_err(OpenError::from)
    }

    fn db(&self) -> Result<&sled::Db, StoreError> {
        self.db.as_ref().ok_or_else(|| StoreError::Engine {
            detail: "it is closed".to_owned(),
        })
    }

    /// Has the committer, locked, carry out `order`, unless the handle is poisoned. Poisons it
    /// when that fails.
    fn carry_out(&self, committer: &Committer, order: Order) -> Result<(), Poison> {
        if let Some(poison) = self.poison.get() {
            return Err(poison.clone());
        }
        committer.carry_out(order).map_err(|poison| {
            tracing::error!(%poison, "the ledger takes no more frames");
            self.poison.get_or_init(|| poison).clone()
        })
    }

    /// The committer, for this caller alone; a copy has none.
    fn committer(&self) -> Option<MutexGuard<'_, Committer>> {
        // A panic with the lock held leaves nothing half-done: the line is used only whole.
        let committer = self.committer.as_ref()?;
        Some(committer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&sled::Db) -> Result<T, ReadFault>,
    ) -> Result<T, StoreError> {
        let db = self.db()?;
        let mut damaged = None;
        let result = guarded(|| match read(db) {
            Ok(value) => Ok(Some(value)),
            Err(ReadFault::Sled(error)) => Err(error),
            Err(ReadFault::Frames(error)) => {
                damaged = Some(error);
                Ok(None)
            }
        });
        match (result, damaged) {
            (Ok(Some(value)), _) => Ok(value),
            (_, Some(error)) => Err(error),
            (Ok(None), None) => Err(StoreError::Engine {
                detail: "a read gave no answer".to_owned(),
            }),
            (Err(fault), None) => Err(match fault.split("read the ledger in", &self.dir) {
                Ok(fault) => fault.into(),
                Err(detail) => StoreError::Engine { detail },
            }),
        }
    }
}

/// How long a copy whose log has so many bytes may take to open.
fn open_bound(log_bytes: u64) -> Duration {
    OPEN_MIN + Duration::from_secs(log_bytes / OPEN_BYTES_PER_SECOND)
}

/// What `open` gives, if it takes no longer than `bound`; else it is left behind.
fn open_within<T: Send + 'static>(
    bound: Duration,
    dir: &Path,
    open: impl FnOnce() -> Result<T, EngineFault> + Send + 'static,
) -> Result<T, OpenError> {
    match bounded(bound, open) {
        Some(opened) => opened.map_err(|fault| open_error(fault, dir)),
        None => Err(OpenError::TooSlow {
            dir: dir.to_owned(),
            seconds: bound.as_secs(),
        }),
    }
}

impl FrameStore for SledFrames {
    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn claim_above(&self, shown: u64) -> Result<(), StoreError> {
        // Held so that no frame is on its way.
        let _committer = self.committer().ok_or(StoreError::Fenced)?;
        if self.epoch() <= shown {
            let epoch = shown.checked_add(1).ok_or(StoreError::Fenced)?;
            write_epoch(&self.dir, &*self.syncer, epoch)?;
            self.epoch.store(epoch, Ordering::Release);
        }
        Ok(())
    }

    fn next_index(&self) -> u64 {
        self.next_index.load(Ordering::Acquire)
    }

    fn poison(&self) -> Option<Poison> {
        self.poison.get().cloned()
    }

    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome {
        let Some(committer) = self.committer() else {
            return AppendOutcome::Fenced;
        };
        if let Some(poison) = self.poison.get() {
            return AppendOutcome::Unknown(poison.clone());
        }
        let expected = self.next_index();
        let next = expected.checked_add(u64::from(count.get()));
        let (true, Some(next)) = (first_index == expected, next) else {
            return AppendOutcome::Conflict { expected };
        };
        if frame.len() > FRAME_BYTES_MAX {
            return AppendOutcome::TooLarge {
                bytes: frame.len(),
                bytes_max: FRAME_BYTES_MAX,
            };
        }
        let key = first_index.to_be_bytes();
        let value = [&count.get().to_be_bytes(), frame].concat();
        match self.carry_out(&committer, Order::Put { key, value }) {
            Ok(()) => {
                self.next_index.store(next, Ordering::Release);
                AppendOutcome::Durable
            }
            Err(poison) => AppendOutcome::Unknown(poison),
        }
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        let end = self.next_index();
        let frames_max = frames_max.min(FRAMES_READ_MAX);
        if index >= end || frames_max == 0 {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let before = tail_before(db, index.checked_add(1))?;
            let expected = before.as_ref().map_or(0, StoredFrame::next_index);
            let start = before.filter(|frame| frame.next_index() > index);
            let start = start.map_or(expected, |frame| frame.first_index);
            let mut frames = Vec::new();
            let range = db.range(start.to_be_bytes()..end.to_be_bytes());
            let mut passed = Passed::default();
            for item in range.take(frames_max) {
                let (key, value) = item?;
                let frame = stored_frame(&key, value)?;
                passed.pass(db, frame.first_index.to_be_bytes())?;
                push_in_order(&mut frames, frame)?;
            }
            match frames.first().map_or(end, |frame| frame.first_index) {
                found if found == start => Ok(frames),
                found => Err(StoreError::Gap { expected, found }.into()),
            }
        })
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        self.read(|db| tail_before(db, Some(self.next_index())))
    }

    /// Everything from before this handle was written again and synced when it opened, so that
    /// one more sync is all it takes.
    fn sync_from(&self, _index: u64) -> Result<(), StoreError> {
        let committer = self.committer().ok_or(StoreError::Fenced)?;
        self.carry_out(&committer, Order::Nothing)
            .map_err(StoreError::Poisoned)
    }

    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError> {
        let committer = self.committer().ok_or(StoreError::Fenced)?;
        if self.tail()?.map(|frame| frame.first_index) != Some(first_index) {
            return Err(StoreError::NotTheTail { first_index });
        }
        let key = first_index.to_be_bytes();
        self.carry_out(&committer, Order::Remove { key })
            .map_err(StoreError::Poisoned)?;
        self.next_index.store(first_index, Ordering::Release);
        Ok(())
    }

    fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        self.read(|db| Ok(db.size_on_disk()?))
    }
}

impl Drop for SledFrames {
    fn drop(&mut self) {
        let (db, committer) = (self.db.take(), self.committer.take());
        if self.poison.get().is_some() {
            // The database's own drop would sync again, and panic if that fails.
            std::mem::forget(db);
        } else if bounded(self.commit_bound, move || close(db, committer)).is_none() {
            tracing::warn!(dir = %self.dir.display(), "the ledger's database did not close");
        }
        if let Some(copy) = &self.copy {
            remove_copy(copy);
        }
    }
}

impl std::fmt::Debug for SledFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledFrames")
            .field("dir", &self.dir)
            .field("epoch", &self.epoch)
            .field("next_index", &self.next_index)
            .field("poison", &self.poison)
            .finish_non_exhaustive()
    }
}

fn close(db: Option<sled::Db>, committer: Option<Mutex<Committer>>) {
    if let Some(committer) = committer {
        let committer = committer.into_inner();
        committer.unwrap_or_else(PoisonError::into_inner).join();
    }
    let closed = guarded(|| {
        drop(db);
        Ok::<(), io::Error>(())
    });
    if let Err(fault) = closed {
        tracing::warn!(%fault, "the ledger's database did not close cleanly");
    }
}

/// A read that failed, in sled or in what it found.
enum ReadFault {
    Sled(sled::Error),
    Frames(StoreError),
}

impl From<sled::Error> for ReadFault {
    fn from(error: sled::Error) -> Self {
        Self::Sled(error)
    }
}

impl From<StoreError> for ReadFault {
    fn from(error: StoreError) -> Self {
        Self::Frames(error)
    }
}

/// The last frame that begins before `end`, or of all.
fn tail_before(db: &sled::Db, end: Option<u64>) -> Result<Option<StoredFrame>, ReadFault> {
    let last = match end {
        Some(end) => db.range(..end.to_be_bytes()).next_back().transpose()?,
        None => db.last()?,
    };
    Ok(match last {
        Some((key, value)) => Some(stored_frame(&key, value)?),
        None => None,
    })
}

fn stored_frame(key: &[u8], value: sled::IVec) -> Result<StoredFrame, StoreError> {
    let first_index = key
        .iter()
        .fold(0, |index, byte| index << 8 | u64::from(*byte));
    let count = value
        .first_chunk::<COUNT_BYTES>()
        .and_then(|count| NonZeroU32::new(u32::from_be_bytes(*count)));
    match count {
        Some(count) if key.len() == KEY_BYTES => Ok(StoredFrame {
            first_index,
            count,
            bytes: Bytes::from_owner(value).slice(COUNT_BYTES..),
        }),
        _ => Err(StoreError::NotAFrame { first_index }),
    }
}

#[cfg(test)]
#[path = "sled_frames_tests.rs"]
mod tests;
