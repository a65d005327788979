//! Uploads, and the room that there is for them: how much may be kept that no record names, and
//! how much of the disk is never taken, so that the ledger can always go on.
//!
//! **Invariant**: what is on its way and what is kept without a record's naming it is never more
//! than [`Limits::unnamed_bytes_max`], but for what was there when the daemon started, and for
//! texts, which have as much as their source's extraction gives. What a record has come to name
//! counts until room is short.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use super::{Document, DocumentsOnRecord, StoredDocuments, lock};
use crate::record::ContentId;
use crate::storage::{BlobError, BlobStore, BlobWriter};

/// As how many bytes a document counts besides its own: a file costs the disk more than its
/// bytes. So 4 GiB hold 262,144 documents at most, of which 20 MB are remembered.
const DOCUMENT_BYTES: u64 = 16 << 10;

/// How many documents are looked at in one step of counting.
const COUNT_PAGE: usize = 1024;

/// Bounds of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes of text are kept ready for searching.
    pub text_cache_bytes: usize,
    /// How many bytes of documents and texts are kept that no record names.
    pub unnamed_bytes_max: u64,
    /// How many bytes of the disk uploads leave free.
    pub disk_reserve_bytes: u64,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It cannot be written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// There is no room for more that no record names.
    #[error(
        "uploads that no record names, and those under way, would have more than {bytes_max} bytes"
    )]
    Unnamed {
        /// How many they may have.
        bytes_max: u64,
    },
    /// It would take what is kept free for the ledger.
    #[error(
        "the disk has {free_bytes} bytes free, of which {reserve_bytes} are kept for the ledger"
    )]
    Reserve {
        /// How many are free.
        free_bytes: u64,
        /// How many must stay so.
        reserve_bytes: u64,
    },
}

/// What is kept that no record names, as far as is known.
#[derive(Default)]
pub(super) struct Unnamed {
    /// Whether what was there at the start is among it.
    counted: bool,
    kept: HashMap<Document, u64>,
    kept_bytes: u64,
    /// The size of the ledger by which those that are named were last dropped.
    dropped_at: Option<u64>,
}

impl Unnamed {
    fn keep(&mut self, document: Document, bytes: u64) {
        let bytes = bytes.saturating_add(DOCUMENT_BYTES);
        self.kept_bytes = self.kept_bytes.saturating_add(bytes);
        let before = self.kept.insert(document, bytes);
        self.kept_bytes = self.kept_bytes.saturating_sub(before.unwrap_or(0));
    }

    pub(super) fn forget(&mut self, document: &Document) {
        let bytes = self.kept.remove(document).unwrap_or(0);
        self.kept_bytes = self.kept_bytes.saturating_sub(bytes);
    }

    /// Whether there is room for so many bytes, kept or coming, in all.
    const fn has_room(&self, bytes: u64, bytes_max: u64) -> bool {
        self.kept_bytes.saturating_add(bytes) <= bytes_max
    }

    /// Drops what a record has come to name, unless the ledger is as it was when that was last
    /// done.
    fn drop_named(&mut self, on_record: &dyn DocumentsOnRecord) {
        let size = on_record.size();
        if self.dropped_at == Some(size) {
            return;
        }
        self.dropped_at = Some(size);
        self.kept.retain(|document, _| !on_record.names(document));
        self.kept_bytes = self.kept.values().sum();
    }

    /// Adds what a store has that no record names.
    fn count(
        &mut self,
        store: &dyn BlobStore,
        name: fn(ContentId) -> Document,
        on_record: &dyn DocumentsOnRecord,
    ) -> Result<(), BlobError> {
        let mut after = None;
        loop {
            let page = store.list_older_than(SystemTime::now(), after.as_ref(), COUNT_PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(*last);
            for id in page {
                let document = name(id);
                if on_record.names(&document) {
                    continue;
                }
                match store.open(&id) {
                    Ok(found) => self.keep(document, found.size),
                    // It has expired meanwhile.
                    Err(BlobError::Missing { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

impl StoredDocuments {
    /// Begins to take a document of at most `bytes_max` bytes.
    pub fn begin_upload(self: &Arc<Self>, bytes_max: u64) -> Result<Upload, UploadError> {
        let mut coming = Coming {
            documents: Arc::clone(self),
            bytes: 0,
        };
        coming.take(DOCUMENT_BYTES)?;
        Ok(Upload {
            writer: self.sources.begin(bytes_max)?,
            hasher: blake3::Hasher::new(),
            size_bytes: 0,
            coming,
        })
    }

    /// Counts what is there that no record names, unless that was done already. Looks at every
    /// document.
    pub fn count_unnamed(&self) -> Result<(), BlobError> {
        self.unnamed().map(drop)
    }

    /// What no record names, counted.
    fn unnamed(&self) -> Result<MutexGuard<'_, Unnamed>, BlobError> {
        let mut unnamed = lock(&self.unnamed);
        if !unnamed.counted {
            unnamed.count(&*self.sources, Document::Source, &*self.on_record)?;
            unnamed.count(&*self.texts, Document::Text, &*self.on_record)?;
            unnamed.counted = true;
        }
        Ok(unnamed)
    }

    /// Counts a document that has come, if no record names it.
    pub(super) fn count_uploaded(&self, document: Document, bytes: u64) {
        if !self.on_record.names(&document) {
            lock(&self.unnamed).keep(document, bytes);
        }
    }

    /// Refuses bytes for which the disk has no room.
    fn check_disk(&self, bytes: u64) -> Result<(), UploadError> {
        let reserve_bytes = self.limits.disk_reserve_bytes;
        match self.sources.free_bytes()? {
            Some(free_bytes) if free_bytes < reserve_bytes.saturating_add(bytes) => {
                Err(UploadError::Reserve {
                    free_bytes,
                    reserve_bytes,
                })
            }
            _ => Ok(()),
        }
    }
}

/// A document on its way in. Dropping it before [`finish`](Self::finish) leaves nothing behind.
pub struct Upload {
    writer: Box<dyn BlobWriter>,
    hasher: blake3::Hasher,
    size_bytes: u64,
    coming: Coming,
}

impl Upload {
    /// Adds bytes to the document.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.coming.take(bytes.len() as u64)?;
        self.writer.write(bytes)?;
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// The id of the bytes so far.
    #[must_use]
    pub fn id(&self) -> ContentId {
        ContentId::from(self.hasher.finalize())
    }

    /// How many bytes have come.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Makes the document durable.
    pub fn finish(self) -> Result<ContentId, UploadError> {
        let id = self.writer.finish()?;
        let documents = &self.coming.documents;
        documents.count_uploaded(Document::Source(id), self.size_bytes);
        Ok(id)
    }
}

/// Bytes that are on their way, until it is dropped.
struct Coming {
    documents: Arc<StoredDocuments>,
    bytes: u64,
}

impl Coming {
    fn take(&mut self, bytes: u64) -> Result<(), UploadError> {
        self.documents.check_disk(bytes)?;
        let bytes_max = self.documents.limits.unnamed_bytes_max;
        // Adds nothing but under the lock.
        let mut unnamed = self.documents.unnamed()?;
        let coming = self.documents.coming_bytes.load(Ordering::Relaxed);
        let coming = coming.saturating_add(bytes);
        if !unnamed.has_room(coming, bytes_max) {
            unnamed.drop_named(&*self.documents.on_record);
        }
        if !unnamed.has_room(coming, bytes_max) {
            return Err(UploadError::Unnamed { bytes_max });
        }
        let coming_bytes = &self.documents.coming_bytes;
        coming_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        // Without the lock: an upload may be dropped where nothing may wait.
        let coming_bytes = &self.documents.coming_bytes;
        coming_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
