//! Reading the ledger: entries and frames below the published head, and waiting for more.
//!
//! A reader sees no further than the head that was published last, which is durable; what lies
//! past it in the store does not exist yet. Frames are decoded once and kept for a while, so
//! that whoever follows the ledger at its tail neither reads nor decodes, and a frame that many
//! ask for at once is read once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::clock::ClockJump;
use super::frame::{Frame, FrameError, FrameHeader};
use super::kept::Kept;
use super::settled::Settled;
use crate::merkle::Hash;
use crate::record::{Entry, EntryError, Micros};
use crate::storage::{FrameStore, StoreError, StoredFrame};

/// How many frames are read from the store at a time: far more than there are cores.
const READS_MAX: usize = 16;

/// The newest durable state of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// When the newest was recorded; none for an empty ledger.
    pub recorded_at: Option<Micros>,
}

/// A frame with its entries decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedFrame {
    /// The ledger index of its first entry.
    pub first_index: u64,
    /// Its entries, in order; never empty.
    pub entries: Vec<Arc<Entry>>,
    /// The Merkle root over all entries up to its last.
    pub root_after: Hash,
    /// When the ledger took them.
    pub recorded_at: Micros,
}

impl DecodedFrame {
    /// The index of the first entry after this frame.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.first_index + self.entries.len() as u64
    }

    /// The entry at a ledger index, if it is in this frame.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<&Arc<Entry>> {
        let offset = index.checked_sub(self.first_index)?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// Decodes a stored frame, with what its header says.
    pub fn decode(stored: &StoredFrame) -> Result<(FrameHeader, Self), ReadError> {
        let index = stored.first_index;
        let frame = Frame::decode(&stored.bytes).map_err(|error| ReadError::Frame {
            first_index: index,
            error,
        })?;
        let header = frame.header;
        if (header.first_index, header.count) != (index, stored.count) {
            return Err(ReadError::Misplaced {
                first_index: index,
                found: header.first_index,
            });
        }
        let mut entries = Vec::with_capacity(frame.leaves.len());
        for (index, leaf) in (header.first_index..).zip(frame.leaves) {
            let entry =
                Entry::decode(index, leaf).map_err(|error| ReadError::Entry { index, error })?;
            if entry.recorded_at != header.recorded_at {
                return Err(ReadError::RecordedAt { index });
            }
            entries.push(Arc::new(entry));
        }
        let decoded = Self {
            first_index: header.first_index,
            entries,
            root_after: header.root_after,
            recorded_at: header.recorded_at,
        };
        Ok((header, decoded))
    }
}

/// A handle on the ledger for reading. Clones read the same ledger.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

struct Shared {
    frames: Arc<dyn FrameStore>,
    origin: String,
    /// The head, for tasks.
    head: watch::Sender<Head>,
    /// Held for no more than a look at the head or a wait for the next, by threads.
    blocked: Mutex<()>,
    published: Condvar,
    kept: Mutex<Kept>,
    settled: Settled,
    /// Held while a frame is read, by index: whoever wants the same one waits, and finds it
    /// kept.
    reading: [Mutex<()>; READS_MAX],
}

impl Reader {
    /// A reader of `frames` up to `head`, which whoever calls this knows to be there. Only the
    /// ledger that owns them publishes more.
    #[must_use]
    pub fn new(frames: Arc<dyn FrameStore>, origin: String, head: Head) -> Self {
        Self {
            shared: Arc::new(Shared {
                frames,
                origin,
                head: watch::Sender::new(head),
                blocked: Mutex::new(()),
                published: Condvar::new(),
                kept: Mutex::default(),
                settled: Settled::default(),
                reading: Default::default(),
            }),
        }
    }

    /// The archive's origin, as its entry 0 names it, or will once it is founded.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// The head that was published last.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.shared.head.borrow()
    }

    /// The head as it grows.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.shared.head.subscribe()
    }

    /// The entry at `index`; none past the head.
    pub fn entry(&self, index: u64) -> Result<Option<Arc<Entry>>, ReadError> {
        let frame = self.frame_at(index)?;
        Ok(frame.and_then(|frame| frame.entry(index).cloned()))
    }

    /// The frame that holds the entry at `index`; none past the head.
    pub fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError> {
        if index >= self.head().size {
            return Ok(None);
        }
        if let Some(frame) = self.kept_frame_at(index) {
            return Ok(Some(frame));
        }
        let reading = usize::try_from(index % READS_MAX as u64).unwrap_or(0);
        let _reading = self.shared.reading.get(reading).map(lock);
        if let Some(frame) = self.kept_frame_at(index) {
            return Ok(Some(frame));
        }
        let stored = self.shared.frames.read_from(index, 1)?;
        let stored = stored.first().ok_or(ReadError::Missing { index })?;
        let (_, frame) = DecodedFrame::decode(stored)?;
        if frame.entry(index).is_none() {
            return Err(ReadError::Missing { index });
        }
        let frame = Arc::new(frame);
        self.kept().keep_read(Arc::clone(&frame));
        Ok(Some(frame))
    }

    /// Up to `frames_max` frames as they are stored, in order, the first being the one that
    /// holds the entry at `index`; none past the head.
    pub fn stored_frames(
        &self,
        index: u64,
        frames_max: usize,
    ) -> Result<Vec<StoredFrame>, ReadError> {
        let head = self.head().size;
        if index >= head {
            return Ok(Vec::new());
        }
        let mut frames = self.shared.frames.read_from(index, frames_max)?;
        // A frame is stored a moment before its head is shown.
        frames.retain(|frame| frame.next_index() <= head);
        if frames.is_empty() {
            return Err(ReadError::Missing { index });
        }
        Ok(frames)
    }

    /// Waits until everything that was recorded by `time`, which has passed, is shown, and sees
    /// to it that nothing more ever is. For ever, if it never is: the caller bounds the wait.
    pub async fn wait_until_settled(&self, time: Micros) {
        self.shared.settled.by(time).await;
    }

    /// Has the next frame take its time, by `read`, after `last`.
    pub(super) fn take_time(
        &self,
        last: Option<Micros>,
        read: impl FnOnce(Option<Micros>) -> Result<Micros, ClockJump>,
    ) -> Result<Micros, ClockJump> {
        self.shared.settled.take(last, read)
    }

    /// Says which is the least time of the frames that are not shown.
    pub(super) fn settle(&self, unsettled: Option<Micros>) {
        self.shared.settled.settle(unsettled);
    }

    /// How many entries were recorded by `time`, which is settled. Frames are recorded one after another, so that
    /// it is found by halves, in as many reads as the ledger's size has binary digits.
    pub fn size_at(&self, time: Micros) -> Result<u64, ReadError> {
        let (mut size, mut end) = (0, self.head().size);
        while size < end {
            let middle = size + (end - size) / 2;
            let frame = self.frame_at(middle)?;
            let frame = frame.ok_or(ReadError::Missing { index: middle })?;
            if frame.recorded_at <= time {
                size = frame.next_index();
            } else {
                end = frame.first_index;
            }
        }
        Ok(size)
    }

    /// As [`frame_at`](Self::frame_at), but none also where the frame would have to be read
    /// from the store: for tasks, which must not block.
    #[must_use]
    pub fn kept_frame_at(&self, index: u64) -> Option<Arc<DecodedFrame>> {
        // A frame is kept a moment before its head is shown.
        let shown = index < self.head().size;
        shown.then(|| self.kept().find(index)).flatten()
    }

    /// Waits until the ledger holds at least `size` entries. For ever, if it never does: the
    /// caller bounds the wait.
    pub async fn wait_for_size(&self, size: u64) -> Head {
        let mut heads = self.watch();
        match heads.wait_for(|head| head.size >= size).await {
            Ok(head) => *head,
            // This reader holds the sender.
            Err(_) => self.head(),
        }
    }

    /// Blocks a thread until the ledger holds more than `size` entries; none once `stop` is
    /// set, which [`wake`](Self::wake) makes known.
    #[must_use]
    pub fn wait_beyond_blocking(&self, size: u64, stop: &AtomicBool) -> Option<Head> {
        let mut guard = lock(&self.shared.blocked);
        loop {
            if stop.load(Ordering::Acquire) {
                return None;
            }
            let head = self.head();
            if head.size > size {
                return Some(head);
            }
            guard = self
                .shared
                .published
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has every thread that waits look at its `stop`.
    pub fn wake(&self) {
        // With the lock held, nobody is between a look and the wait that follows it.
        drop(lock(&self.shared.blocked));
        self.shared.published.notify_all();
    }

    /// Shows a new head, and keeps its frame.
    pub(super) fn publish(&self, head: Head, frame: Arc<DecodedFrame>) {
        self.kept().keep_published(frame);
        self.shared.head.send_replace(head);
        self.wake();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.shared.kept)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("origin", &self.shared.origin)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

/// What these locks guard is whole at every moment, also where a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the ledger could not be read. Unless the store says otherwise, what was stored is
/// damaged: restore it from a backup.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store does not read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame does not decode.
    #[error("the frame at index {first_index} is damaged: {error}")]
    Frame {
        /// The index of its first entry.
        first_index: u64,
        /// What is wrong with it.
        error: FrameError,
    },
    /// A frame is not the one that belongs there.
    #[error("at index {first_index} stands the frame of index {found}, or one of another size")]
    Misplaced {
        /// Where it stands.
        first_index: u64,
        /// Where it says that it stands.
        found: u64,
    },
    /// An entry does not decode.
    #[error("entry {index} is damaged: {error}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        error: EntryError,
    },
    /// An entry's time is not its frame's.
    #[error("entry {index} names another time than its frame")]
    RecordedAt {
        /// Its index.
        index: u64,
    },
    /// An entry below the head is not in the store.
    #[error("entry {index} is missing from the ledger's database")]
    Missing {
        /// Its index.
        index: u64,
    },
}
