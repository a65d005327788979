//! Why a ledger must not be opened, in sentences for whoever runs it.

use super::reader::ReadError;
use super::tail::BrokenLink;
use crate::fold::FoldError;
use crate::merkle::Hash;
use crate::storage::{DataDirError, StoreError, TableError};

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
    /// Nothing says how long the ledger was.
    #[error(
        "HEAD is missing beside a ledger of {found} entries, so that nothing tells whether it has lost its end; restore the data directory from a backup, or, where {found} entries are known to be all, start once with --accept-ledger-as-found"
    )]
    NoHead {
        /// The size of the database.
        found: u64,
    },
    /// Entries that were folded are gone.
    #[error(
        "the ledger has lost entries: its database holds {found}, and the admission state has read {read}; restore the data directory from a backup that holds at least {read}; one that holds fewer is restored without the directories admission and projections, which are built again"
    )]
    ShorterThanAdmission {
        /// How many entries were folded.
        read: u64,
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
