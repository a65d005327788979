//! The entries of a bag in order, and the frames that they stood in: a frame's entries share its
//! time, and no two frames have the same.

use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

use super::error::BagError;
use super::reader::BagReader;
use crate::admission::{Below, BelowError};
use crate::ledger::frame::{FrameBody, FrameHash, FrameHeader};
use crate::merkle::{
    BUNDLE_BYTES_MAX, BundleId, Frontier, TILE_WIDTH_MAX, TilePath, decode_bundle, leaf_hash,
};
use crate::record::{Entry, Micros};
use crate::storage::{FrameLoader, StoredFrame};

/// The epoch of a replica's frames: they have one writer.
const EPOCH: u64 = 1;

/// The entries of a bag, of which it says that they are so many.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    bag: &'a BagReader,
    size: u64,
    next: u64,
    bundle: std::vec::IntoIter<Bytes>,
}

impl<'a> Entries<'a> {
    pub fn new(bag: &'a BagReader, size: u64) -> Self {
        Self {
            bag,
            size,
            next: 0,
            bundle: Vec::new().into_iter(),
        }
    }

    fn read(&self, index: u64) -> Result<Vec<Bytes>, BagError> {
        let id = BundleId::in_tree(index / u64::from(TILE_WIDTH_MAX), self.size);
        let id = id.ok_or(BagError::Empty)?;
        let path = TilePath::from(id).to_string();
        let bytes = Bytes::from(self.bag.read(&path, BUNDLE_BYTES_MAX)?);
        let entries = decode_bundle(&bytes, id.width())?;
        Ok(entries.into_iter().map(|it| bytes.slice_ref(it)).collect())
    }

    /// The entry at `index`.
    fn entry(&self, index: u64) -> Result<Entry, BagError> {
        let place = usize::try_from(index % u64::from(TILE_WIDTH_MAX)).unwrap_or(usize::MAX);
        let leaf = self.read(index)?.into_iter().nth(place);
        let leaf = leaf.ok_or(BagError::Empty)?;
        Entry::decode(index, leaf).map_err(|error| BagError::Entry { index, error })
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Bytes, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(leaf) = self.bundle.next() {
            return Some(Ok(leaf));
        }
        if self.next >= self.size {
            return None;
        }
        match self.read(self.next) {
            Ok(bundle) => {
                self.next += bundle.len() as u64;
                self.bundle = bundle.into_iter();
                self.bundle.next().map(Ok)
            }
            Err(error) => {
                self.next = self.size;
                Some(Err(error))
            }
        }
    }
}

/// The entries of a bag, wherever admission looks back.
pub(super) struct BelowBag<'a>(pub Entries<'a>);

impl Below for BelowBag<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let entry = self.0.entry(index).map(Arc::new);
        entry.map_err(|error| BelowError(error.to_string()))
    }
}

/// Puts entries into frames, and these into a ledger.
pub(super) struct Framing {
    loader: FrameLoader,
    frontier: Frontier,
    previous: FrameHash,
    body: FrameBody,
    /// The time of the entries in the body.
    recorded_at: Option<Micros>,
}

impl Framing {
    pub fn new(loader: FrameLoader) -> Self {
        Self {
            loader,
            frontier: Frontier::new(),
            previous: FrameHash::NONE,
            body: FrameBody::default(),
            recorded_at: None,
        }
    }

    pub fn push(&mut self, entry: &Entry) -> Result<(), BagError> {
        if self.recorded_at != Some(entry.recorded_at) {
            self.seal()?;
            self.recorded_at = Some(entry.recorded_at);
        }
        if !self.body.push(&entry.encoded) {
            return Err(BagError::Frame { index: entry.index });
        }
        self.frontier.push(leaf_hash(&entry.encoded));
        Ok(())
    }

    /// Writes the frame of the entries so far.
    fn seal(&mut self) -> Result<(), BagError> {
        let body = std::mem::take(&mut self.body);
        let (Some(count), Some(recorded_at)) = (body.count(), self.recorded_at) else {
            return Ok(());
        };
        let first_index = first_index(&self.frontier, count);
        let bytes = body.seal(&FrameHeader {
            epoch: EPOCH,
            first_index,
            count,
            recorded_at,
            previous: self.previous,
            root_after: self.frontier.root(),
        });
        self.previous = FrameHash::of(&bytes);
        self.loader.push(&StoredFrame {
            first_index,
            count,
            bytes: Bytes::from(bytes),
        })?;
        Ok(())
    }

    /// Makes all of it durable; the frontier of the entries.
    pub fn finish(mut self) -> Result<Frontier, BagError> {
        self.seal()?;
        self.loader.finish()?;
        Ok(self.frontier)
    }
}

fn first_index(frontier: &Frontier, count: NonZeroU32) -> u64 {
    frontier.size().saturating_sub(u64::from(count.get()))
}
