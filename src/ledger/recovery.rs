//! The story of a restart: from what the disk holds to a head that may be shown.
//!
//! 1. `HEAD` says what the ledger held when it was last noted. A database that holds less, or
//!    something else, has lost entries: then the ledger does not open, and says what differs.
//! 2. A last frame past `HEAD` that is not whole was torn before anybody was told of it, and is
//!    discarded. At most one frame at a time is on its way to the disk.
//! 3. What lies past `HEAD` may stand in the page cache alone, so it is written and synced
//!    again before it counts.
//! 4. From where the admission state stands to the tail, the chain of frames is verified (each
//!    names the one before, later than it, with the root that its entries give) and the entries
//!    are folded. A state that is missing, or of another ledger, is built again from entry 0.
//! 5. `HEAD` is noted anew, and the head is published.
//!
//! Nothing is decided here by trusting a time or a file's age.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::frame::{FrameError, FrameHash, FrameHeader};
use super::head::HeadFile;
use super::reader::{DecodedFrame, Head, ReadError, Reader};
use super::state::{AdmissionState, AdmissionTables};
use crate::fold::{Fold as _, FoldError, Overlay};
use crate::merkle::{Frontier, Hash, empty_root, leaf_hash};
use crate::record::{Micros, proto};
use crate::storage::{
    self, DataDirError, FrameStore, ProjectionStore, StoreError, StoredFrame, TableError,
};

/// How many frames are read at a time: 64 of the largest are 7.9 MB.
const FRAMES_AT_ONCE: usize = 64;

/// What a ledger is opened from.
pub struct Parts {
    /// Its frames.
    pub frames: Arc<dyn FrameStore>,
    /// The rows that admission judges by; any store, for nothing else.
    pub admission: Arc<dyn ProjectionStore>,
    /// Where its head is noted.
    pub head: Arc<dyn HeadFile>,
    /// The origin that the archive is founded under, or must have been. Only a ledger that
    /// holds its first entry opens without.
    pub origin: Option<String>,
}

/// A ledger that has been recovered: it can be read, and appending can be
/// [started](super::Ledger::start).
pub struct Ledger {
    pub(super) parts: Parts,
    pub(super) reader: Reader,
    pub(super) state: AdmissionState,
    pub(super) tail: Tail,
    recovery: Recovery,
}

/// Where the next frame goes.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// Of all entries.
    pub frontier: Frontier,
    /// When the newest was recorded.
    pub recorded_at: Option<Micros>,
    /// The last frame.
    pub previous: FrameHash,
    /// The epoch of its writer.
    pub epoch: u64,
}

/// What a restart found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The head as it is shown from here on.
    pub head: Head,
    /// The size that `HEAD` named; none if there was no such file.
    pub noted_size: Option<u64>,
    /// The index of the torn frame that was discarded.
    pub discarded: Option<u64>,
    /// What became of the admission state.
    pub admission: AdmissionRecovery,
}

/// What became of the admission state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionRecovery {
    /// It went on from the entry that it had come to.
    CaughtUp {
        /// How many entries it had folded.
        from: u64,
    },
    /// It was built again from entry 0.
    Rebuilt {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.head.size;
        if size == 0 && self.discarded.is_none() {
            return f.write_str("the ledger is empty");
        }
        write!(f, "the ledger holds {size} entries")?;
        match self.noted_size {
            Some(noted) if noted == size => {}
            Some(noted) => write!(f, ", {} of them past HEAD", size.saturating_sub(noted))?,
            None => write!(f, "; there was no HEAD")?,
        }
        if let Some(index) = self.discarded {
            write!(
                f,
                "; a torn frame at index {index}, never acknowledged, was discarded"
            )?;
        }
        match &self.admission {
            AdmissionRecovery::CaughtUp { from } if *from == size => Ok(()),
            AdmissionRecovery::CaughtUp { from } => {
                write!(f, "; the admission state caught up from entry {from}")
            }
            AdmissionRecovery::Rebuilt { why } => {
                write!(f, "; the admission state was built again, because {why}")
            }
        }
    }
}

impl Ledger {
    /// Opens a ledger, or says why it must not be opened.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let frames = &*parts.frames;
        let noted = parts.head.read()?;
        let noted_size = noted.map_or(0, |head| head.size);

        compare_with_head(frames, noted.as_ref())?;
        let discarded = discard_torn_tail(frames, noted_size)?;
        frames.sync_from(noted_size)?;

        let origin = origin(frames, parts.origin.as_deref())?;
        let state = AdmissionState::new(Arc::clone(&parts.admission));
        let (admission, tail) = catch_up(frames, &state, noted.is_some())?;

        let head = tail.head();
        if noted != Some(head.into()) {
            parts.head.write(&head.into())?;
        }
        Ok(Self {
            reader: Reader::new(Arc::clone(&parts.frames), origin, head),
            state,
            tail,
            recovery: Recovery {
                head,
                noted_size: noted.map(|head| head.size),
                discarded,
                admission,
            },
            parts,
        })
    }

    /// A handle for reading.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Admission's rows, which tell where a record stands.
    #[must_use]
    pub fn records(&self) -> AdmissionTables {
        self.state.tables()
    }

    /// What opening found and did.
    #[must_use]
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("recovery", &self.recovery)
            .finish_non_exhaustive()
    }
}

/// Compares a database with what `HEAD` says of it, changing neither: a copy, before the
/// original is opened, and then the original. Answers how many entries lie past `HEAD`.
pub fn compare_with_head(
    frames: &dyn FrameStore,
    noted: Option<&storage::Head>,
) -> Result<u64, OpenError> {
    let size = frames.next_index();
    // Without HEAD nothing says how long the ledger was: all of it counts, and is verified.
    let Some(noted) = noted else {
        return Ok(size);
    };
    let root = Hash::from(noted.root);
    let found = match size.cmp(&noted.size) {
        Ordering::Less => None,
        Ordering::Equal | Ordering::Greater => root_at(frames, noted.size)?,
    };
    match (size.cmp(&noted.size), found == Some(root)) {
        // The ledger ends where HEAD says that it does.
        (Ordering::Equal, true) => Ok(0),
        // It went on after HEAD was noted last.
        (Ordering::Greater, true) => Ok(size - noted.size),
        // It has entries that HEAD does not know, in place of those that it knows.
        (Ordering::Equal | Ordering::Greater, false) => Err(OpenError::ContradictsHead {
            size: noted.size,
            noted: root,
            found,
        }),
        // Entries that were noted are gone.
        (Ordering::Less, _) => Err(OpenError::ShorterThanHead {
            noted: noted.size,
            found: size,
        }),
    }
}

/// The root over the first `size` entries, where a frame ends there.
fn root_at(frames: &dyn FrameStore, size: u64) -> Result<Option<Hash>, OpenError> {
    let Some(last) = size.checked_sub(1) else {
        return Ok(Some(empty_root()));
    };
    let frame = frame_holding(frames, last)?;
    Ok(frame
        .filter(|(_, header)| header.next_index() == size)
        .map(|(_, header)| header.root_after))
}

/// The frame that holds an entry, and what it says about itself.
fn frame_holding(
    frames: &dyn FrameStore,
    index: u64,
) -> Result<Option<(StoredFrame, FrameHeader)>, OpenError> {
    let Some(stored) = frames.read_from(index, 1)?.into_iter().next() else {
        return Ok(None);
    };
    let (header, _) = DecodedFrame::decode(&stored)?;
    Ok(Some((stored, header)))
}

/// Takes away a last frame that is torn and lies past `HEAD` as a whole; its index.
fn discard_torn_tail(frames: &dyn FrameStore, noted_size: u64) -> Result<Option<u64>, OpenError> {
    let Some(stored) = frames.tail()? else {
        return Ok(None);
    };
    let torn = match DecodedFrame::decode(&stored) {
        Err(ReadError::Frame { error, .. }) => error.is_tear(),
        _ => false,
    };
    if !torn || stored.first_index < noted_size {
        return Ok(None);
    }
    frames.discard_tail(stored.first_index)?;
    Ok(Some(stored.first_index))
}

/// The archive's origin: as entry 0 has it, or as it is to be founded.
fn origin(frames: &dyn FrameStore, configured: Option<&str>) -> Result<String, OpenError> {
    let first = frames.read_from(0, 1)?.into_iter().next();
    let Some(first) = first else {
        return configured.map(str::to_owned).ok_or(OpenError::NoOrigin);
    };
    let (_, frame) = DecodedFrame::decode(&first)?;
    let record = frame.entries.first().map(|entry| &entry.record);
    let founded = |record: &&proto::Record| {
        matches!(record.kind, Some(proto::record::Kind::ArchiveFounded(_)))
    };
    let found = record.filter(founded).ok_or(OpenError::NotFounded)?;
    match configured {
        Some(configured) if configured != found.origin => Err(OpenError::OtherOrigin {
            configured: configured.to_owned(),
            found: found.origin.clone(),
        }),
        _ => Ok(found.origin.clone()),
    }
}

/// Brings the admission state to the tail. It is believed up to its cursor only where `HEAD`
/// vouches for the ledger and the ledger for the cursor.
fn catch_up(
    frames: &dyn FrameStore,
    state: &AdmissionState,
    vouched: bool,
) -> Result<(AdmissionRecovery, Tail), OpenError> {
    let rebuild = |why: String| {
        state.clear()?;
        let tail = replay(frames, state, Tail::start())?;
        Ok((AdmissionRecovery::Rebuilt { why }, tail))
    };
    if !vouched && frames.next_index() > 0 {
        return rebuild("there is no HEAD, so that the whole ledger is verified".to_owned());
    }
    let frontier = match state.cursor() {
        Ok(Some(frontier)) => frontier,
        Ok(None) => return rebuild("it names no entry that it has come to".to_owned()),
        Err(error) => return rebuild(error.to_string()),
    };
    let from = frontier.size();
    let Some(tail) = Tail::at(frames, frontier)? else {
        return rebuild(format!("its first {from} entries are not this ledger's"));
    };
    match replay(frames, state, tail) {
        Ok(tail) => Ok((AdmissionRecovery::CaughtUp { from }, tail)),
        Err(OpenError::Fold(error)) => rebuild(error.to_string()),
        Err(error) => Err(error),
    }
}

/// Verifies and folds the frames from `tail` on.
fn replay(
    frames: &dyn FrameStore,
    state: &AdmissionState,
    mut tail: Tail,
) -> Result<Tail, OpenError> {
    while tail.frontier.size() < frames.next_index() {
        let stored = frames.read_from(tail.frontier.size(), FRAMES_AT_ONCE)?;
        if stored.is_empty() {
            let index = tail.frontier.size();
            return Err(ReadError::Missing { index }.into());
        }
        for stored in &stored {
            let (header, frame) = DecodedFrame::decode(stored)?;
            tail = tail.after(stored, &header, &frame)?;
            let mut overlay = Overlay::new(state);
            for entry in &frame.entries {
                overlay.add(AdmissionState::FOLD.fold(&overlay, entry)?);
            }
            state.advance(overlay.into_changes(), &tail.frontier)?;
        }
    }
    Ok(tail)
}

impl Tail {
    /// Of a ledger without entries.
    fn start() -> Self {
        Self {
            frontier: Frontier::new(),
            recorded_at: None,
            previous: FrameHash::NONE,
            epoch: 0,
        }
    }

    /// After the entries of `frontier`; none if the ledger's are others.
    fn at(frames: &dyn FrameStore, frontier: Frontier) -> Result<Option<Self>, OpenError> {
        let Some(last) = frontier.size().checked_sub(1) else {
            return Ok(Some(Self::start()));
        };
        let root = frontier.root();
        let frame = frame_holding(frames, last)?;
        let ends_here = |(_, header): &(StoredFrame, FrameHeader)| {
            header.next_index() == frontier.size() && header.root_after == root
        };
        Ok(frame.filter(ends_here).map(|(stored, header)| Self {
            frontier,
            recorded_at: Some(header.recorded_at),
            previous: FrameHash::of(&stored.bytes),
            epoch: header.epoch,
        }))
    }

    /// After a frame that must follow this tail.
    fn after(
        &self,
        stored: &StoredFrame,
        header: &FrameHeader,
        frame: &DecodedFrame,
    ) -> Result<Self, OpenError> {
        let mut frontier = self.frontier.clone();
        for entry in &frame.entries {
            frontier.push(leaf_hash(&entry.encoded));
        }
        let link = if header.first_index != self.frontier.size() {
            Some(BrokenLink::Index)
        } else if header.previous != self.previous {
            Some(BrokenLink::Previous)
        } else if Some(header.recorded_at) <= self.recorded_at {
            Some(BrokenLink::RecordedAt)
        } else if header.epoch < self.epoch {
            Some(BrokenLink::Epoch)
        } else if header.root_after != frontier.root() {
            Some(BrokenLink::Root)
        } else {
            None
        };
        match link {
            Some(link) => Err(OpenError::Chain {
                first_index: stored.first_index,
                link,
            }),
            None => Ok(Self {
                frontier,
                recorded_at: Some(header.recorded_at),
                previous: FrameHash::of(&stored.bytes),
                epoch: header.epoch,
            }),
        }
    }

    /// The head of a ledger that ends here.
    pub fn head(&self) -> Head {
        Head {
            size: self.frontier.size(),
            root: self.frontier.root(),
            recorded_at: self.recorded_at,
        }
    }

    /// The header of the frame that follows with `count` entries, recorded at `recorded_at`,
    /// after which the root is `root_after`.
    pub fn header(
        &self,
        epoch: u64,
        count: NonZeroU32,
        recorded_at: Micros,
        root_after: Hash,
    ) -> FrameHeader {
        FrameHeader {
            epoch,
            first_index: self.frontier.size(),
            count,
            recorded_at,
            previous: self.previous,
            root_after,
        }
    }
}

impl FrameError {
    /// Whether a write that did not finish explains it.
    const fn is_tear(&self) -> bool {
        matches!(
            self,
            Self::Short { .. } | Self::Header | Self::Body | Self::Length { .. }
        )
    }
}

/// In what a frame does not follow the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLink {
    /// Entries between the two are missing.
    #[error("it does not begin where the frame before ends")]
    Index,
    /// It names another frame.
    #[error("it names another frame as the one before")]
    Previous,
    /// It is not later.
    #[error("it was not recorded after the frame before")]
    RecordedAt,
    /// A writer wrote it that had been fenced.
    #[error("its writer had been replaced before the frame before was written")]
    Epoch,
    /// It names another root than its entries give.
    #[error("its entries do not give the root that it names")]
    Root,
}

/// Why a ledger must not be opened, in sentences for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Entries that were noted are gone.
    #[error(
        "the ledger has lost entries: its database holds {found}, and HEAD noted {noted}; restore the data directory from a backup that holds at least {noted}"
    )]
    ShorterThanHead {
        /// The size that `HEAD` names.
        noted: u64,
        /// The size of the database.
        found: u64,
    },
    /// The database holds another history.
    #[error(
        "the ledger is not the one that HEAD noted: over {size} entries HEAD has the root {noted}, and the database has {}; database and HEAD come from different archives or backups: restore both from the same one",
        .found.map_or_else(|| "no frame that ends there".to_owned(), |root| root.to_string())
    )]
    ContradictsHead {
        /// The size that `HEAD` names.
        size: u64,
        /// The root that it names.
        noted: Hash,
        /// The root in the database, where a frame ends at that size.
        found: Option<Hash>,
    },
    /// A frame does not follow the one before.
    #[error(
        "the frame at index {first_index} is not the next of this ledger: {link}; restore the data directory from a backup"
    )]
    Chain {
        /// The index of its first entry.
        first_index: u64,
        /// What does not fit.
        link: BrokenLink,
    },
    /// A frame or entry is damaged.
    #[error("{0}; restore the data directory from a backup")]
    Read(ReadError),
    /// The store does not read or sync.
    #[error(transparent)]
    Store(StoreError),
    /// `HEAD` cannot be read or written.
    #[error(transparent)]
    Head(#[from] DataDirError),
    /// The admission state cannot be read or written.
    #[error("the admission state cannot be used: {0}")]
    Tables(#[from] TableError),
    /// An entry cannot be folded, from entry 0 on.
    #[error(
        "the admission state cannot be built from the ledger: {0}; use the release that wrote it"
    )]
    Fold(#[from] FoldError),
    /// Entry 0 founds no archive.
    #[error(
        "the ledger does not begin with the founding of an archive; restore the data directory from a backup"
    )]
    NotFounded,
    /// It is another archive.
    #[error(
        "this is the archive {found}, not {configured}; leave the origin out, or name another data directory"
    )]
    OtherOrigin {
        /// The origin asked for.
        configured: String,
        /// The origin in entry 0.
        found: String,
    },
    /// An archive without entries, and no origin to found it under.
    #[error("the archive is not founded yet and no origin was given; give one")]
    NoOrigin,
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            error => Self::Read(error),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
