//! Why a bag is not written, or no replica comes of it.

use std::path::PathBuf;

use crate::audit::{Finding, ReplayError};
use crate::ledger;
use crate::merkle::{BundleError, TileError};
use crate::record::{ContentId, EntryError};
use crate::storage::{self, BlobError, DataDirError, TableError};

/// Why a bag is not written, or no replica comes of it.
#[derive(Debug, thiserror::Error)]
pub enum BagError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The directory of a new bag has something in it.
    #[error("{} is not empty; name a directory that is empty or not there yet", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// It is no bag.
    #[error("{} is no bag: {why}; name a directory that `onrecord export archive` wrote", path.display())]
    NotABag {
        /// The directory.
        path: PathBuf,
        /// What is missing or malformed.
        why: String,
    },
    /// A file is not what its manifest says.
    #[error("{name} is {problem}; get another copy of the bag")]
    Manifest {
        /// The file, as the manifest has it.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There are no entries to put into a bag, or in one.
    #[error("the bag holds no entries")]
    Empty,
    /// Entries that cannot stand in a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Hashes that are no tile.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A tile is not what the entries give.
    #[error("data/{path} is not the tile that the entries give")]
    OtherTile {
        /// Its path.
        path: String,
    },
    /// An entry does not decode.
    #[error("entry {index}: {error}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        error: EntryError,
    },
    /// Entries that no frame can hold together.
    #[error("entry {index} does not fit in a frame with those of its time")]
    Frame {
        /// The index of the entry.
        index: u64,
    },
    /// Entry 0 founds no archive.
    #[error("entry 0 does not found an archive")]
    NotFounded,
    /// The entries give another root than the bag says.
    #[error(
        "the {entries} entries have the root {found}, and {named} says {expected_entries} with {expected}"
    )]
    OtherRoot {
        /// What says so.
        named: &'static str,
        /// How many entries there are.
        entries: u64,
        /// Their root.
        found: String,
        /// How many there should be.
        expected_entries: u64,
        /// What their root should be.
        expected: String,
    },
    /// The checkpoint is not signed by a key of the archive.
    #[error("data/checkpoint is no checkpoint of this archive: {why}")]
    Checkpoint {
        /// Why not.
        why: String,
    },
    /// Nobody signed for what the bag holds.
    #[error(
        "the bag has no checkpoint, so that nobody vouches for its entries; get a bag with one, or take it without"
    )]
    NoCheckpoint,
    /// Entries that admission does not let in.
    #[error("{count} entries are not what an archive takes; the first: {first}")]
    Entries {
        /// How many.
        count: u64,
        /// The first of them.
        first: Box<Finding>,
    },
    /// A document on record is not in the bag.
    #[error("the document {id}, which is on record, is not in the bag")]
    DocumentMissing {
        /// Which.
        id: ContentId,
    },
    /// A document is not what its name says.
    #[error("data/sources/{id} hashes to {found}")]
    OtherDocument {
        /// Its name.
        id: ContentId,
        /// Its id.
        found: ContentId,
    },
    /// The replica's directory cannot be used.
    #[error(transparent)]
    Dir(#[from] DataDirError),
    /// The replica's frames cannot be written.
    #[error(transparent)]
    Frames(#[from] storage::OpenError),
    /// The replica's frames do not lead where they should.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// A document cannot be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The state of admission cannot be kept.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The entries could not be replayed.
    #[error("the entries could not be replayed: {0}")]
    Replay(String),
}

impl From<ReplayError<BagError>> for BagError {
    fn from(error: ReplayError<BagError>) -> Self {
        match error {
            ReplayError::Source(error) => error,
            error => Self::Replay(error.to_string()),
        }
    }
}
