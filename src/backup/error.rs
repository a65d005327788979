//! Why an archive is not copied, or not restored.

use crate::ledger::{OpenError, ReadError};
use crate::record::ContentId;
use crate::storage::{self, BlobError, DataDirError, FaultKind, IoFault};

/// How many documents that are not whole are named.
pub(super) const DOCUMENTS_NAMED_MAX: usize = 20;

/// Why an archive is not copied, or not restored. Nothing that looks like an archive is left.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The directory of the copy, or what is to be restored, cannot be used.
    #[error(transparent)]
    Dir(#[from] DataDirError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A database of frames cannot be written or opened.
    #[error(transparent)]
    Frames(#[from] storage::OpenError),
    /// The copy does not lead to the head that it was made for, or the backup not to its own.
    #[error(transparent)]
    Chain(#[from] OpenError),
    /// A file cannot be written.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// Documents on record are missing or damaged.
    #[error(
        "{count} of the documents on record are not whole: {}; upload them again or take them from an older backup",
        told.join("; ")
    )]
    Documents {
        /// How many.
        count: u64,
        /// The first of them, each with what is wrong.
        told: Vec<String>,
    },
    /// A document cannot be written.
    #[error("document {id}: {error}")]
    Document {
        /// Which.
        id: ContentId,
        /// Why not.
        error: BlobError,
    },
    /// What was copied is not what was to be.
    #[error(
        "the copy leads to {found_size} entries with the root {found_root}, and the ledger had {size} with {root}"
    )]
    OtherHead {
        /// How many entries were to be copied.
        size: u64,
        /// Their root.
        root: String,
        /// How many were found in the copy.
        found_size: u64,
        /// Their root.
        found_root: String,
    },
    /// What is to be restored says nothing of its length.
    #[error("{directory} has no HEAD, so that nothing tells whether its ledger is whole")]
    NoHead {
        /// What is to be restored.
        directory: String,
    },
    /// No thread can be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// It was given up.
    #[error("the copy was given up")]
    GivenUp,
}

impl BackupError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Dir(error) => error.kind(),
            Self::Frames(error) => error.kind(),
            Self::Io(fault) => fault.kind(),
            Self::Read(ReadError::Store(error)) | Self::Chain(OpenError::Store(error)) => {
                error.kind()
            }
            Self::Document { error, .. } => error.kind(),
            Self::Read(_)
            | Self::Chain(_)
            | Self::Documents { .. }
            | Self::OtherHead { .. }
            | Self::NoHead { .. } => FaultKind::Damaged,
            Self::Thread(_) | Self::GivenUp => FaultKind::Retry,
        }
    }
}
