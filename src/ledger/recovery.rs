//! The story of a restart: from what the disk holds to a head that may be shown.
//!
//! 1. `HEAD` says what the ledger held when it was last noted: no later than before entry 0.
//!    A database that holds less, or something else, or entries without a `HEAD`, may have lost
//!    some: then the ledger does not open, and says what differs.
//! 2. A last frame past `HEAD` that is not whole was torn before anybody was told of it, and is
//!    discarded. At most one frame at a time is on its way to the disk.
//! 3. What lies past `HEAD` may stand in the page cache alone, so it is written and synced
//!    again before it counts.
//! 4. From where the admission state stands to the tail, the chain of frames is verified (each
//!    names the one before, later than it, with the root that its entries give) and the entries
//!    are folded. A state that is missing, or of another ledger, is built again from entry 0;
//!    one that has read more than the ledger holds is proof that entries were lost.
//! 5. An epoch above that of the last frame is claimed, whatever the counter beside the frames
//!    says: the frames that follow would contradict the chain otherwise.
//! 6. `HEAD` is noted anew, and the head is published.
//!
//! Nothing is decided here by trusting a time or a file's age.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::head::HeadFile;
use super::open_error::OpenError;
use super::reader::{DecodedFrame, Head, ReadError, Reader};
use super::state::{AdmissionState, AdmissionTables};
use super::tail::{Tail, frame_holding};
use crate::fold::{Fold as _, Overlay};
use crate::merkle::{Hash, empty_root};
use crate::record::proto;
use crate::storage::{self, FrameStore, ProjectionStore};

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
        let (admission, tail) = catch_up(frames, &state)?;
        frames.claim_above(tail.epoch)?;

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
    // HEAD is noted before entry 0 is written: without it nothing says how long the ledger was.
    let noted = match noted {
        Some(noted) => noted,
        None if size == 0 => return Ok(0),
        None => return Err(OpenError::NoHead { found: size }),
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

/// Brings the admission state to the tail. It is believed up to its cursor where the ledger,
/// for which `HEAD` vouches, has the root that the cursor names.
fn catch_up(
    frames: &dyn FrameStore,
    state: &AdmissionState,
) -> Result<(AdmissionRecovery, Tail), OpenError> {
    let rebuild = |why: String| {
        state.clear()?;
        let tail = replay(frames, state, Tail::start())?;
        Ok((AdmissionRecovery::Rebuilt { why }, tail))
    };
    let frontier = match state.cursor() {
        Ok(Some(frontier)) => frontier,
        Ok(None) => return rebuild("it names no entry that it has come to".to_owned()),
        Err(error) => return rebuild(error.to_string()),
    };
    let (from, found) = (frontier.size(), frames.next_index());
    if from > found {
        return Err(OpenError::ShorterThanAdmission { read: from, found });
    }
    let Some(tail) = Tail::at(frames, frontier)? else {
        return rebuild(format!("its first {from} entries are not this ledger's"));
    };
    match replay(frames, state, tail) {
        Ok(tail) => Ok((AdmissionRecovery::CaughtUp { from }, tail)),
        Err(OpenError::Fold(error)) => rebuild(error.to_string()),
        Err(error) => Err(error),
    }
}

/// Verifies every frame from entry 0 on, by itself and as the one that follows the one before;
/// the head that they lead to. Changes nothing.
pub fn verify_chain(frames: &dyn FrameStore) -> Result<Head, OpenError> {
    let tail = follow(frames, Tail::start(), |_, _| Ok(()))?;
    Ok(tail.head())
}

/// Verifies and folds the frames from `tail` on.
fn replay(frames: &dyn FrameStore, state: &AdmissionState, tail: Tail) -> Result<Tail, OpenError> {
    follow(frames, tail, |frame, tail| {
        let mut overlay = Overlay::new(state);
        for entry in &frame.entries {
            overlay.add(AdmissionState::FOLD.fold(&overlay, entry)?);
        }
        state.advance(overlay.into_changes(), &tail.frontier)?;
        Ok(())
    })
}

/// Verifies the frames from `tail` on, and hands on each with the tail after it.
fn follow(
    frames: &dyn FrameStore,
    mut tail: Tail,
    each: impl Fn(&DecodedFrame, &Tail) -> Result<(), OpenError>,
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
            each(&frame, &tail)?;
        }
    }
    Ok(tail)
}
