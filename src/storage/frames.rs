//! The frame store's contract: frames in order, each durable before it is acknowledged.
//!
//! A frame is opaque bytes that hold `count` entries from `first_index` on. Frames follow each
//! other without gap or overlap, which the store enforces at every append and reports at every
//! read. One handle writes at a time: opening claims the next *epoch*, and a handle of an
//! earlier epoch is fenced. A handle shows what was there when it was opened and what it made
//! durable itself, never a frame whose append failed. The store does not know what is in a
//! frame.

use std::num::NonZeroU32;

use bytes::Bytes;

use super::fault::{FaultKind, IoFault};

/// sled's segment size in the ledger's database, 8 MiB: what a record may be at most before it
/// leaves the log for a file that is never synced follows from it.
pub(super) const SEGMENT_BYTES: usize = 8 << 20;

/// A frame's key: its first index, big-endian, so that keys sort as indexes do.
pub(super) const KEY_BYTES: usize = size_of::<u64>();

/// What stands before a frame in its value: the number of entries, big-endian.
pub(super) const COUNT_BYTES: usize = size_of::<u32>();

/// The largest frame that any store takes, in bytes: 123,326.
///
/// sled rewrites whole leaf pages. A leaf splits once it holds more than 16 items, so 17 at
/// worst, each with up to 20 bytes of its own; a page over a quarter of a segment, less 64
/// bytes of headers, would become a blob, which is never synced. Hence
/// `17 × (key + value + 20) ≤ segment / 4 − 64`:
/// `(8,388,608 / 4 − 64) / 17 = 123,358`, less 20, less the key's 8, less the count's 4.
pub const FRAME_BYTES_MAX: usize = (SEGMENT_BYTES / 4 - 64) / 17 - 20 - KEY_BYTES - COUNT_BYTES;

/// The most frames that one read returns: 256 of the largest are 31.6 MB.
pub const FRAMES_READ_MAX: usize = 256;

/// A frame as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFrame {
    /// Ledger index of its first entry.
    pub first_index: u64,
    /// Number of entries in it.
    pub count: NonZeroU32,
    /// Its bytes, as they were appended.
    pub bytes: Bytes,
}

impl StoredFrame {
    /// Index of the first entry after this frame.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.first_index.saturating_add(u64::from(self.count.get()))
    }
}

/// What became of an append.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The frame survives whatever happens from here on.
    Durable,
    /// A later epoch has opened the store: this handle never writes again. Nothing was written.
    Fenced,
    /// The next frame must begin at `expected`. Nothing was written.
    Conflict {
        /// Index of the first entry after the last frame.
        expected: u64,
    },
    /// The frame is larger than [`FRAME_BYTES_MAX`]. Nothing was written.
    TooLarge {
        /// Size of the frame.
        bytes: usize,
        /// The largest size taken.
        bytes_max: usize,
    },
    /// The write, or its sync, failed: the frame may or may not be there after a restart. The
    /// handle is poisoned and gives this same answer for ever.
    Unknown(Poison),
}

/// Why a handle takes no more frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {detail}")]
pub struct Poison {
    /// What happened.
    pub cause: PoisonCause,
    /// What the layer below said.
    pub detail: String,
}

/// What happened to a poisoned handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoisonCause {
    /// No space was left for a frame.
    #[error("the disk is full")]
    DiskFull,
    /// A frame could not be written.
    #[error("a write failed")]
    Write,
    /// A written frame could not be synced. Never retried: a kernel reports a failed sync
    /// once, and the next one succeeds without having written anything.
    #[error("a sync failed")]
    Sync,
    /// A commit did not finish within its bound.
    #[error("a commit did not finish in time")]
    TimedOut,
    /// The storage engine panicked.
    #[error("the storage engine panicked")]
    Panicked,
    /// The power was cut (the twin in memory only).
    #[error("the power was cut")]
    PowerCut,
}

/// Why frames could not be read or made durable.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An operation on a file failed.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// The storage engine failed or panicked.
    #[error("the ledger's database cannot be read: {detail}")]
    Engine {
        /// What it said.
        detail: String,
    },
    /// A stored value has no shape that this store writes.
    #[error("the ledger's database holds something that is no frame at index {first_index}")]
    NotAFrame {
        /// The index that its key names.
        first_index: u64,
    },
    /// Frames do not follow each other.
    #[error("the frame at index {expected} is missing: the next one begins at {found}")]
    Gap {
        /// Where a frame should begin.
        expected: u64,
        /// Where the next one does.
        found: u64,
    },
    /// Only the last frame can be discarded.
    #[error("the last frame does not begin at {first_index}, so it was not discarded")]
    NotTheTail {
        /// Where the caller thought that it begins.
        first_index: u64,
    },
    /// A later epoch has opened the store.
    #[error("another writer has taken over this ledger")]
    Fenced,
    /// An earlier write failed.
    #[error("the ledger takes no more writes: {0}")]
    Poisoned(Poison),
}

impl StoreError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Io(fault) => fault.kind(),
            Self::Engine { .. } | Self::NotAFrame { .. } | Self::Gap { .. } => FaultKind::Damaged,
            Self::NotTheTail { .. } => FaultKind::FixInput,
            Self::Poisoned(poison) if poison.cause == PoisonCause::DiskFull => FaultKind::DiskFull,
            Self::Fenced | Self::Poisoned(_) => FaultKind::Operator,
        }
    }
}

/// The ledger's frames, in order. See the module for the contract.
pub trait FrameStore: Send + Sync {
    /// The epoch that this handle claimed; earlier ones are fenced.
    fn epoch(&self) -> u64;

    /// Claims, durably, the epoch after `shown`, unless this handle's lies above it already.
    /// Opening counts on from a number beside the frames, which may be lost or come from an
    /// older backup: whoever reads frames claims above those that they name, before anything
    /// is appended.
    fn claim_above(&self, shown: u64) -> Result<(), StoreError>;

    /// Index at which the next frame must begin: 0 for an empty store. No frame from there on
    /// is shown.
    fn next_index(&self) -> u64;

    /// Why this handle takes no more frames, if so.
    fn poison(&self) -> Option<Poison>;

    /// Appends the frame that holds `count` entries from `first_index` on, and makes it durable.
    /// Answers only once the outcome is known, or is known to be unknowable.
    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome;

    /// Up to `frames_max` frames in order, at most [`FRAMES_READ_MAX`], beginning with the one
    /// that holds `index`; none if `index` is past the end.
    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError>;

    /// The last frame.
    fn tail(&self) -> Result<Option<StoredFrame>, StoreError>;

    /// Makes every frame from the one that holds `index` on durable, also where a sync of an
    /// earlier handle failed and left it in the page cache alone. Recovery ends with this,
    /// before any head is shown. Poisons the handle when it fails.
    fn sync_from(&self, index: u64) -> Result<(), StoreError>;

    /// Takes away the last frame, which begins at `first_index`, durably. For recovery alone,
    /// for a frame that was torn before it was ever acknowledged. Poisons the handle when it
    /// fails.
    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError>;

    /// Bytes that the frames take on disk.
    fn bytes_on_disk(&self) -> Result<u64, StoreError>;
}

/// Adds `frame` to `frames` if it follows the one before.
pub(super) fn push_in_order(
    frames: &mut Vec<StoredFrame>,
    frame: StoredFrame,
) -> Result<(), StoreError> {
    if let Some(before) = frames.last() {
        let expected = before.next_index();
        if expected != frame.first_index {
            return Err(StoreError::Gap {
                expected,
                found: frame.first_index,
            });
        }
    }
    frames.push(frame);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_frame_keeps_seventeen_items_within_a_quarter_segment() {
        assert_eq!(FRAME_BYTES_MAX, 123_326);
        let item = |value: usize| 17 * (KEY_BYTES + COUNT_BYTES + value + 20);
        assert!(item(FRAME_BYTES_MAX) <= SEGMENT_BYTES / 4 - 64);
        assert!(item(FRAME_BYTES_MAX + 1) > SEGMENT_BYTES / 4 - 64);
    }
}
