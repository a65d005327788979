//! The archived documents: the bytes of sources and the texts extracted from them, as
//! admission needs them, and the end of uploads that no record ever names.
//!
//! Both are addressed by the hash of their bytes and never change. A text is kept because
//! every statement is held against one; where it was lost or damaged, it is extracted again
//! from its source, as a record says.
//!
//! **Invariant**: bytes that are on record, or that a record on its way may put there, are
//! never removed. Whoever finds a source or keeps a text marks it as used, under the lock
//! under which [`StoredDocuments::expire`] removes; and expiry spares what was used since the
//! expiry before the last. An append that takes less time than lies between two expiries is
//! therefore either seen in the ledger, or its documents are seen in use.
//!
//! Which documents are on record is not known here: whoever calls expiry says so.

mod extraction;
mod ready;
#[cfg(test)]
mod tests;
mod uploads;
mod used;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use extraction::{DocumentsOnRecord, Extraction};
pub use uploads::{Limits, Upload, UploadError};

use crate::admission::{Documents, DocumentsError, TextError};
use crate::record::ContentId;
use crate::storage::{BlobError, BlobStore};
use crate::text::{ExtractError, Extracted, Profile, SearchText, TEXT_BYTES_MAX};
use extraction::Remembered;
use ready::Ready;
use uploads::Unnamed;
use used::Used;

/// How many bytes of text are kept ready for searching, if the settings do not say:
/// 256 MiB, five thousand sources of 50 KB.
pub const TEXT_CACHE_BYTES: usize = 256 << 20;

/// How many documents are looked at in one step of an expiry.
const EXPIRY_PAGE: usize = 1024;

/// The sources and texts of an archive.
pub struct StoredDocuments {
    sources: Arc<dyn BlobStore>,
    texts: Arc<dyn BlobStore>,
    on_record: Arc<dyn DocumentsOnRecord>,
    ready: Mutex<Ready>,
    remembered: Mutex<Remembered>,
    /// What must not be removed. Held while something is removed, and from finding a document
    /// to marking it.
    used: Mutex<Used>,
    /// Never locked while `used` is, nor the other way round.
    unnamed: Mutex<Unnamed>,
    /// How many bytes are on their way.
    coming_bytes: AtomicU64,
    limits: Limits,
}

/// The text of a document, as it was extracted and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptText {
    /// The profile that gave it.
    pub profile: Profile,
    /// Its id.
    pub text_id: ContentId,
    /// How many malformed byte sequences it shows as U+FFFD.
    pub malformed: u64,
}

/// Why a document has no text.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The document cannot be read, or its text not be written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The profile gives no text.
    #[error(transparent)]
    Extract(#[from] ExtractError),
}

impl StoredDocuments {
    /// Documents in these two stores, within `limits`. `on_record` tells what records name, and
    /// how a text that was lost is extracted again.
    #[must_use]
    pub fn new(
        sources: Arc<dyn BlobStore>,
        texts: Arc<dyn BlobStore>,
        on_record: Arc<dyn DocumentsOnRecord>,
        limits: Limits,
    ) -> Self {
        Self {
            sources,
            texts,
            on_record,
            ready: Mutex::new(Ready::new(limits.text_cache_bytes)),
            remembered: Mutex::default(),
            used: Mutex::default(),
            unnamed: Mutex::default(),
            coming_bytes: AtomicU64::new(0),
            limits,
        }
    }

    /// The sources' bytes.
    #[must_use]
    pub fn sources(&self) -> &dyn BlobStore {
        &*self.sources
    }

    /// Extracts the text of a stored source and keeps it; none if no profile reads the media
    /// type. Needs memory of a few times the source.
    pub fn extract(
        &self,
        source: &ContentId,
        media_type: &str,
    ) -> Result<Option<KeptText>, KeepError> {
        let Some(profile) = Profile::for_media_type(media_type) else {
            return Ok(None);
        };
        let extracted = self.run(source, profile, media_type)?;
        let bytes = extracted.text.len() as u64;
        let text_id = self.keep(extracted.text)?;
        self.count_uploaded(Document::Text(text_id), bytes);
        Ok(Some(KeptText {
            profile,
            malformed: extracted.malformed,
            text_id,
        }))
    }

    /// An extracted text with its line ends, its hash checked; none if it is not kept and no
    /// record says how to extract it.
    pub fn extracted_text(&self, text_id: &ContentId) -> Result<Option<String>, BlobError> {
        let lost = match self.texts.read_all(text_id, TEXT_BYTES_MAX as u64) {
            Ok(bytes) => return Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            // No text is too large: one that is found so is not what was kept.
            Err(
                lost @ (BlobError::Missing { .. }
                | BlobError::Damaged { .. }
                | BlobError::TooLarge { .. }),
            ) => lost,
            Err(error) => return Err(error),
        };
        match (self.extract_again(text_id)?, lost) {
            (Some(text), _) => Ok(Some(text)),
            (None, BlobError::Missing { .. }) => Ok(None),
            (None, lost) => Err(lost),
        }
    }

    /// A text that is on record, extracted from its source and kept; none if it cannot be had.
    fn extract_again(&self, text_id: &ContentId) -> Result<Option<String>, BlobError> {
        let Some(extraction) = self.on_record.of_text(text_id) else {
            return Ok(None);
        };
        let Extraction {
            source,
            profile,
            media_type,
        } = extraction;
        let text = match self.run(&source, profile, &media_type) {
            Ok(extracted) => extracted.text,
            Err(KeepError::Extract(_) | KeepError::Blob(BlobError::Missing { .. })) => {
                return Ok(None);
            }
            Err(KeepError::Blob(error)) => return Err(error),
        };
        if ContentId::of(text.as_bytes()) != *text_id {
            return Ok(None);
        }
        tracing::warn!(%text_id, %source, "a text was lost and is extracted again");
        self.keep(text.clone())?;
        Ok(Some(text))
    }

    fn run(
        &self,
        source: &ContentId,
        profile: Profile,
        media_type: &str,
    ) -> Result<Extracted, KeepError> {
        let bytes = self.sources.read_all(source, u64::MAX)?;
        Ok(profile.extract(&bytes, media_type)?)
    }

    /// Removes what was last uploaded before `before`, was not used lately, and is not on
    /// record. `is_on_record` answers for the ledger as it stood when this was called, or
    /// later. Answers how many documents and texts it removed.
    pub fn expire<E: From<BlobError>>(
        &self,
        before: SystemTime,
        is_on_record: impl Fn(Document) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let mut removed = 0;
        for (store, name) in [
            (&self.sources, Document::Source as fn(ContentId) -> Document),
            (&self.texts, Document::Text),
        ] {
            let mut after = None;
            loop {
                let page = store.list_older_than(before, after.as_ref(), EXPIRY_PAGE)?;
                let Some(last) = page.last() else {
                    break;
                };
                after = Some(*last);
                for id in &page {
                    if !is_on_record(name(*id))? && self.remove(&**store, id, before)? {
                        lock(&self.unnamed).forget(&name(*id));
                        removed += 1;
                    }
                }
            }
        }
        Ok(removed)
    }

    /// Begins the time after which what was not used may expire. To be called before the head
    /// is read by which [`expire`](Self::expire) is told what is on record.
    pub fn begin_expiry(&self) {
        lock(&self.used).turn();
    }

    fn remove(
        &self,
        store: &dyn BlobStore,
        id: &ContentId,
        before: SystemTime,
    ) -> Result<bool, BlobError> {
        let used = lock(&self.used);
        if used.contains(id) {
            return Ok(false);
        }
        let removed = store.remove_if_older_than(id, before)?;
        lock(&self.ready).forget(id);
        Ok(removed)
    }

    /// Keeps a text, in place of what stands under its id and is not it.
    fn keep(&self, text: String) -> Result<ContentId, BlobError> {
        let id = ContentId::of(text.as_bytes());
        let is_kept = self.find_text(&id)? && self.is_whole(&id)?;
        if !is_kept {
            let mut writer = self.texts.begin(TEXT_BYTES_MAX as u64)?;
            writer.write(text.as_bytes())?;
            writer.finish()?;
            lock(&self.used).mark(id);
        }
        let known = lock(&self.ready).find(&id).is_some();
        if !known {
            lock(&self.ready).keep(SearchText::new(text));
        }
        Ok(id)
    }

    /// Whether something stands under a text's id, which then counts as used.
    fn find_text(&self, id: &ContentId) -> Result<bool, BlobError> {
        let mut used = lock(&self.used);
        let found = self.texts.contains(id)?;
        if found {
            used.mark(*id);
        }
        Ok(found)
    }

    /// Whether what stands under a text's id is the text.
    fn is_whole(&self, id: &ContentId) -> Result<bool, BlobError> {
        match self.texts.read_all(id, TEXT_BYTES_MAX as u64) {
            Ok(_) => Ok(true),
            Err(BlobError::Io(fault)) => Err(fault.into()),
            Err(_) => Ok(false),
        }
    }

    fn search_text(&self, id: &ContentId) -> Result<Option<SearchText>, BlobError> {
        if let Some(text) = lock(&self.ready).find(id) {
            return Ok(Some(text));
        }
        let Some(text) = self.extracted_text(id)? else {
            return Ok(None);
        };
        let text = SearchText::new(text);
        lock(&self.ready).keep(text.clone());
        Ok(Some(text))
    }
}

impl Documents for StoredDocuments {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
        let mut used = lock(&self.used);
        match self.sources.open(source) {
            Ok(reader) => {
                used.mark(*source);
                Ok(Some(reader.size))
            }
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn text_of(
        &self,
        source: &ContentId,
        profile: Profile,
        media_type: &str,
    ) -> Result<Option<ContentId>, TextError> {
        let extraction = Extraction {
            source: *source,
            profile,
            media_type: media_type.to_owned(),
        };
        let remembered = lock(&self.remembered).find(&extraction);
        match remembered {
            Some(Ok(text_id)) if self.find_text(&text_id).map_err(|it| unreadable(&it))? => {
                return Ok(Some(text_id));
            }
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(_)) | None => {}
        }
        let gave = match self.run(source, profile, media_type) {
            Ok(extracted) => Ok(self.keep(extracted.text).map_err(|it| unreadable(&it))?),
            Err(KeepError::Extract(error)) => Err(error),
            Err(KeepError::Blob(BlobError::Missing { .. })) => return Ok(None),
            Err(KeepError::Blob(error)) => return Err(unreadable(&error).into()),
        };
        lock(&self.remembered).keep(extraction, gave.clone());
        Ok(Some(gave?))
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        self.search_text(text_id)
            .map_err(|error| unreadable(&error))
    }
}

impl std::fmt::Debug for StoredDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDocuments").finish_non_exhaustive()
    }
}

/// Something that may be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// A source, by its id.
    Source(ContentId),
    /// An extracted text, by its id.
    Text(ContentId),
}

fn unreadable(error: &BlobError) -> DocumentsError {
    DocumentsError(error.to_string())
}

/// What these locks guard is whole at every moment, also where a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
