//! The tail: where the next frame goes, and whether one that is there follows the one before.
//!
//! The chain holds if each frame begins where the one before ends, names it by its hash, is
//! later, was not written by a writer that had been fenced, and names the root that all
//! entries up to its last give.

use std::num::NonZeroU32;

use super::frame::{FrameHash, FrameHeader};
use super::open_error::OpenError;
use super::reader::{DecodedFrame, Head};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::record::Micros;
use crate::storage::{FrameStore, StoredFrame};

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

impl Tail {
    /// Of a ledger without entries.
    pub fn start() -> Self {
        Self {
            frontier: Frontier::new(),
            recorded_at: None,
            previous: FrameHash::NONE,
            epoch: 0,
        }
    }

    /// After the entries of `frontier`; none if the ledger's are others.
    pub fn at(frames: &dyn FrameStore, frontier: Frontier) -> Result<Option<Self>, OpenError> {
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
    pub fn after(
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

/// The frame that holds an entry, and what it says about itself.
pub(super) fn frame_holding(
    frames: &dyn FrameStore,
    index: u64,
) -> Result<Option<(StoredFrame, FrameHeader)>, OpenError> {
    let Some(stored) = frames.read_from(index, 1)?.into_iter().next() else {
        return Ok(None);
    };
    let (header, _) = DecodedFrame::decode(&stored)?;
    Ok(Some((stored, header)))
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
