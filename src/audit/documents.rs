//! Documents for a replay: sources from a store that is only read, texts extracted from them
//! again, so that no text is believed that was kept.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::admission::{Documents, DocumentsError, TextError};
use crate::documents::{Document, DocumentsOnRecord, Extraction, Limits, StoredDocuments};
use crate::record::ContentId;
use crate::storage::{BlobError, BlobReader, BlobStore, BlobWriter};
use crate::text::{Profile, SearchText};

/// The sources of an archive, and their texts as they come out of them. A row of some 200 bytes
/// is kept in memory for each text.
pub struct SourceTexts {
    documents: StoredDocuments,
    extracted: Arc<Extracted>,
}

impl SourceTexts {
    /// The sources in `sources`, with up to `cache_bytes` of text kept ready for searching.
    #[must_use]
    pub fn new(sources: Arc<dyn BlobStore>, cache_bytes: usize) -> Self {
        Self::after(sources, cache_bytes, None)
    }

    /// As [`new`](Self::new), for entries that follow others: `earlier` tells how the texts came
    /// from their sources that those name.
    #[must_use]
    pub fn after(
        sources: Arc<dyn BlobStore>,
        cache_bytes: usize,
        earlier: Option<Arc<dyn DocumentsOnRecord>>,
    ) -> Self {
        let extracted = Arc::new(Extracted {
            texts: Mutex::default(),
            earlier,
        });
        let limits = Limits {
            text_cache_bytes: cache_bytes,
            // Nothing is uploaded here.
            unnamed_bytes_max: u64::MAX,
            disk_reserve_bytes: 0,
        };
        let on_record = Arc::clone(&extracted) as Arc<dyn DocumentsOnRecord>;
        Self {
            documents: StoredDocuments::new(sources, Arc::new(Forgetful), on_record, limits),
            extracted,
        }
    }
}

impl Documents for SourceTexts {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
        self.documents.size(source)
    }

    fn text_of(
        &self,
        source: &ContentId,
        profile: Profile,
        media_type: &str,
    ) -> Result<Option<ContentId>, TextError> {
        let text_id = self.documents.text_of(source, profile, media_type)?;
        if let Some(text_id) = text_id {
            let extraction = Extraction {
                source: *source,
                profile,
                media_type: media_type.to_owned(),
            };
            self.extracted.lock().insert(text_id, extraction);
        }
        Ok(text_id)
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        self.documents.text(text_id)
    }
}

impl std::fmt::Debug for SourceTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceTexts").finish_non_exhaustive()
    }
}

/// What gave each text.
struct Extracted {
    texts: Mutex<HashMap<ContentId, Extraction>>,
    earlier: Option<Arc<dyn DocumentsOnRecord>>,
}

impl Extracted {
    fn lock(&self) -> MutexGuard<'_, HashMap<ContentId, Extraction>> {
        // A panic with the lock held leaves nothing half-done.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DocumentsOnRecord for Extracted {
    fn of_text(&self, text_id: &ContentId) -> Option<Extraction> {
        let known = self.lock().get(text_id).cloned();
        known.or_else(|| self.earlier.as_ref()?.of_text(text_id))
    }

    fn names(&self, _: &Document) -> bool {
        true
    }

    fn size(&self) -> u64 {
        0
    }
}

/// A store that keeps nothing: texts are had from their sources.
struct Forgetful;

impl BlobStore for Forgetful {
    fn begin(&self, _: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(Hashing(blake3::Hasher::new())))
    }

    fn contains(&self, _: &ContentId) -> Result<bool, BlobError> {
        Ok(false)
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        Err(BlobError::Missing { id: *id })
    }

    fn remove(&self, _: &ContentId) -> Result<bool, BlobError> {
        Ok(false)
    }

    fn list_older_than(
        &self,
        _: SystemTime,
        _: Option<&ContentId>,
        _: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        Ok(Vec::new())
    }

    fn remove_if_older_than(&self, _: &ContentId, _: SystemTime) -> Result<bool, BlobError> {
        Ok(false)
    }
}

struct Hashing(blake3::Hasher);

impl BlobWriter for Hashing {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.0.update(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ContentId, BlobError> {
        Ok(ContentId::from(self.0.finalize()))
    }
}

/// The id of what a reader gives.
pub(super) fn id_of(mut reader: impl Read) -> io::Result<ContentId> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut reader)?;
    Ok(ContentId::from(hasher.finalize()))
}
