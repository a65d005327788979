//! The blob store's contract: documents addressed by the BLAKE3 hash of their bytes.
//!
//! A document is there whole and durable, or it is not there: [`BlobWriter::finish`] answers
//! after it would survive a power cut. Storing the same bytes again is harmless and counts as a
//! fresh use. The store does not know which records name a document; whoever knows takes away
//! what none ever did.

use std::fmt;
use std::io::{self, Read};
use std::time::SystemTime;

use super::fault::{FaultKind, IoFault};
use crate::record::ContentId;

/// Why a document could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// An operation on a file failed; [`IoFault::is_disk_full`] tells a full disk apart.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// No document has this id.
    #[error("no document {id} is archived here")]
    Missing {
        /// The id asked for.
        id: ContentId,
    },
    /// The document is larger than the caller allows.
    #[error("the document is larger than {bytes_max} bytes")]
    TooLarge {
        /// The caller's bound.
        bytes_max: u64,
    },
    /// An earlier write of this document failed, so that it is not whole.
    #[error("the upload failed half-way; send the document again")]
    Incomplete,
    /// The stored bytes are not the ones that were archived.
    #[error(
        "the document {expected} is damaged: its bytes hash to {found}; restore it from a backup or upload it again"
    )]
    Damaged {
        /// The id it is stored under.
        expected: ContentId,
        /// The id of the bytes found.
        found: ContentId,
    },
}

impl BlobError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Io(fault) => fault.kind(),
            Self::Incomplete => FaultKind::Retry,
            Self::Missing { .. } | Self::TooLarge { .. } => FaultKind::FixInput,
            Self::Damaged { .. } => FaultKind::Damaged,
        }
    }
}

/// A document being uploaded. Dropping it before [`finish`](Self::finish) leaves nothing behind.
pub trait BlobWriter: Send {
    /// Adds bytes to the document. After an error it cannot be finished.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError>;

    /// Makes the document durable under the hash of its bytes, and only then answers.
    fn finish(self: Box<Self>) -> Result<ContentId, BlobError>;
}

/// A document being read, from its first byte on. Does not check the hash: a reader of the
/// whole hashes what it read, or uses [`BlobStore::read_all`].
pub struct BlobReader {
    /// Size of the document in bytes.
    pub size: u64,
    pub(super) source: Box<dyn Read + Send>,
}

impl BlobReader {
    /// The document of `size` bytes that `source` gives.
    #[must_use]
    pub fn new(size: u64, source: impl Read + Send + 'static) -> Self {
        let source = Box::new(source);
        Self { size, source }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Documents by content id. See the module for the contract.
pub trait BlobStore: Send + Sync {
    /// Begins a document of at most `bytes_max` bytes.
    fn begin(&self, bytes_max: u64) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Whether the document is here. Does not read it.
    fn contains(&self, id: &ContentId) -> Result<bool, BlobError>;

    /// Opens the document for reading.
    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError>;

    /// The whole document, of at most `bytes_max` bytes, its hash checked.
    fn read_all(&self, id: &ContentId, bytes_max: u64) -> Result<Vec<u8>, BlobError> {
        let mut reader = self.open(id)?;
        if reader.size > bytes_max {
            return Err(BlobError::TooLarge { bytes_max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(reader.size).unwrap_or(0));
        reader
            .by_ref()
            .take(bytes_max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| IoFault {
                action: "read the document",
                path: id.to_string().into(),
                source,
            })?;
        let found = ContentId::of(&bytes);
        if found == *id {
            Ok(bytes)
        } else {
            Err(BlobError::Damaged {
                expected: *id,
                found,
            })
        }
    }

    /// How many bytes are free where documents are kept, for a process without privileges; none
    /// if that is no disk.
    fn free_bytes(&self) -> Result<Option<u64>, BlobError> {
        Ok(None)
    }

    /// Takes the document away; whether it was there.
    fn remove(&self, id: &ContentId) -> Result<bool, BlobError>;

    /// Up to `ids_max` documents that were last stored before `before`, in order of id, from
    /// the first one after `after` on.
    fn list_older_than(
        &self,
        before: SystemTime,
        after: Option<&ContentId>,
        ids_max: usize,
    ) -> Result<Vec<ContentId>, BlobError>;

    /// Takes the document away unless it was stored again at `before` or since; whether it
    /// did. The check and the removal are one step, so that an upload in between wins.
    fn remove_if_older_than(&self, id: &ContentId, before: SystemTime) -> Result<bool, BlobError>;
}
