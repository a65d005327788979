//! The archived documents: the bytes of sources and the texts extracted from them, as
//! admission needs them, and the end of uploads that no record ever names.
//!
//! Both are addressed by the hash of their bytes and never change. A text can be extracted
//! again from its source; it is kept because every statement is held against one.
//!
//! **Invariant**: bytes that are on record, or that a record on its way may put there, are
//! never removed. Whoever looks for a source or keeps a text marks it as used, under the lock
//! under which [`StoredDocuments::expire`] removes; and expiry spares what was used since the
//! expiry before the last. An append that takes less time than lies between two expiries is
//! therefore either seen in the ledger, or its documents are seen in use.
//!
//! Which documents are on record is not known here: whoever calls expiry says so.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::admission::{Documents, DocumentsError};
use crate::record::ContentId;
use crate::storage::{BlobError, BlobStore};
use crate::text::{ExtractError, Profile, SearchText, TEXT_BYTES_MAX};

/// How many bytes of text are kept ready for searching, if the settings do not say:
/// 256 MiB, five thousand sources of 50 KB.
pub const TEXT_CACHE_BYTES: usize = 256 << 20;

/// How many documents are looked at in one step of an expiry.
const EXPIRY_PAGE: usize = 1024;

/// The sources and texts of an archive.
pub struct StoredDocuments {
    sources: Arc<dyn BlobStore>,
    texts: Arc<dyn BlobStore>,
    ready: Mutex<Ready>,
    /// What must not be removed. Held while something is removed.
    used: Mutex<Used>,
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
    /// Documents in these two stores, with at most `cache_bytes_max` bytes of text kept ready.
    #[must_use]
    pub fn new(
        sources: Arc<dyn BlobStore>,
        texts: Arc<dyn BlobStore>,
        cache_bytes_max: usize,
    ) -> Self {
        Self {
            sources,
            texts,
            ready: Mutex::new(Ready::new(cache_bytes_max)),
            used: Mutex::default(),
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
        let bytes = self.sources.read_all(source, u64::MAX)?;
        let extracted = profile.extract(&bytes, media_type)?;
        drop(bytes);
        Ok(Some(KeptText {
            profile,
            malformed: extracted.malformed,
            text_id: self.keep(extracted.text)?,
        }))
    }

    /// An extracted text with its line ends, its hash checked; none if it is not kept.
    pub fn extracted_text(&self, text_id: &ContentId) -> Result<Option<String>, BlobError> {
        match self.texts.read_all(text_id, TEXT_BYTES_MAX as u64) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
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

    fn keep(&self, text: String) -> Result<ContentId, BlobError> {
        let id = ContentId::of(text.as_bytes());
        lock(&self.used).mark(id);
        if !self.texts.contains(&id)? {
            let mut writer = self.texts.begin(TEXT_BYTES_MAX as u64)?;
            writer.write(text.as_bytes())?;
            writer.finish()?;
        }
        let known = lock(&self.ready).find(&id).is_some();
        if !known {
            lock(&self.ready).keep(SearchText::new(text));
        }
        Ok(id)
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
        lock(&self.used).mark(*source);
        match self.sources.open(source) {
            Ok(reader) => Ok(Some(reader.size)),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn bytes(&self, source: &ContentId) -> Result<Option<Vec<u8>>, DocumentsError> {
        lock(&self.used).mark(*source);
        match self.sources.read_all(source, u64::MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        self.search_text(text_id)
            .map_err(|error| unreadable(&error))
    }

    fn keep_text(&self, text: String) -> Result<ContentId, DocumentsError> {
        self.keep(text).map_err(|error| unreadable(&error))
    }
}

impl std::fmt::Debug for StoredDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDocuments").finish_non_exhaustive()
    }
}

/// Something that may be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Documents in use, since the last expiry began and since the one before.
#[derive(Default)]
struct Used {
    since: HashSet<ContentId>,
    before: HashSet<ContentId>,
}

impl Used {
    fn mark(&mut self, id: ContentId) {
        self.since.insert(id);
    }

    fn contains(&self, id: &ContentId) -> bool {
        self.since.contains(id) || self.before.contains(id)
    }

    fn turn(&mut self) {
        self.before = std::mem::take(&mut self.since);
    }
}

/// The texts that were searched last, within a bound on their bytes.
struct Ready {
    bytes_max: usize,
    bytes: usize,
    /// Each text with the number of its last use.
    texts: HashMap<ContentId, (SearchText, u64)>,
    /// The same by that number, least recent first.
    order: BTreeMap<u64, ContentId>,
    uses: u64,
}

impl Ready {
    fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            texts: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
        }
    }

    fn find(&mut self, id: &ContentId) -> Option<SearchText> {
        let (text, used) = self.texts.get_mut(id)?;
        self.order.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.order.insert(self.uses, *id);
        Some(text.clone())
    }

    fn keep(&mut self, text: SearchText) {
        let id = text.text_id();
        self.forget(&id);
        self.bytes += text.byte_len();
        self.uses += 1;
        self.order.insert(self.uses, id);
        self.texts.insert(id, (text, self.uses));
        while self.bytes > self.bytes_max
            && let Some((_, least)) = self.order.pop_first()
        {
            self.forget(&least);
        }
    }

    fn forget(&mut self, id: &ContentId) {
        if let Some((text, used)) = self.texts.remove(id) {
            self.order.remove(&used);
            self.bytes -= text.byte_len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::storage::MemoryBlobs;

    struct Archive {
        documents: StoredDocuments,
        texts: MemoryBlobs,
    }

    fn archive(cache_bytes_max: usize) -> Archive {
        let (sources, texts) = (MemoryBlobs::new(), MemoryBlobs::new());
        Archive {
            documents: StoredDocuments::new(
                Arc::new(sources),
                Arc::new(texts.clone()),
                cache_bytes_max,
            ),
            texts,
        }
    }

    impl Archive {
        fn upload(&self, bytes: &[u8]) -> ContentId {
            let mut writer = self.documents.sources().begin(u64::MAX).unwrap();
            writer.write(bytes).unwrap();
            writer.finish().unwrap()
        }

        /// Removes all that is not on record and not in use, however new.
        fn expire(&self, on_record: &[Document]) -> usize {
            let later = SystemTime::now() + Duration::from_secs(3600);
            self.documents.begin_expiry();
            self.documents
                .expire(later, |document| {
                    Ok::<_, BlobError>(on_record.contains(&document))
                })
                .unwrap()
        }
    }

    #[test]
    fn a_text_is_kept_once_under_the_hash_of_its_utf_8() {
        let archive = archive(1024);
        let source = archive.upload(b"one\r\ntwo");
        let kept = archive.documents.extract(&source, "text/plain").unwrap();
        let kept = kept.unwrap();
        assert_eq!(kept.text_id, ContentId::of(b"one\ntwo"));
        assert_eq!(
            archive.documents.keep_text("one\ntwo".to_owned()).unwrap(),
            kept.text_id
        );
        let text = archive.documents.extracted_text(&kept.text_id).unwrap();
        assert_eq!(text.as_deref(), Some("one\ntwo"));
        assert_eq!(
            archive.documents.extract(&source, "image/png").unwrap(),
            None
        );
    }

    #[test]
    fn a_text_that_fell_out_of_the_cache_is_read_again() {
        let archive = archive(10);
        let texts = ["aaaaaa", "bbbbbb", "cccccc"];
        let ids = texts.map(|text| archive.documents.keep_text(text.to_owned()).unwrap());
        assert_eq!(lock(&archive.documents.ready).texts.len(), 1);
        for id in ids {
            let text = archive.documents.text(&id).unwrap().unwrap();
            assert_eq!(text.text_id(), id);
            assert!(lock(&archive.documents.ready).bytes <= 10);
        }
    }

    #[test]
    fn the_cache_keeps_what_was_used_last() {
        let archive = archive(12);
        let [one, two, three] =
            ["aaaaaa", "bbbbbb", "cccccc"].map(|text| ContentId::of(text.as_bytes()));
        for text in ["aaaaaa", "bbbbbb"] {
            archive.documents.keep_text(text.to_owned()).unwrap();
        }
        archive.documents.text(&one).unwrap();
        archive.documents.keep_text("cccccc".to_owned()).unwrap();
        let ready = lock(&archive.documents.ready);
        let held = |id| ready.texts.contains_key(&id);
        assert_eq!((held(one), held(two), held(three)), (true, false, true));
    }

    #[test]
    fn what_was_never_stored_has_no_size_bytes_or_text() {
        let archive = archive(1024);
        let id = ContentId::of(b"nothing");
        assert_eq!(archive.documents.size(&id), Ok(None));
        assert_eq!(archive.documents.bytes(&id), Ok(None));
        assert!(archive.documents.text(&id).unwrap().is_none());
    }

    #[test]
    fn a_damaged_text_is_an_error_and_not_a_missing_one() {
        let archive = archive(0);
        let id = archive.documents.keep_text("text".to_owned()).unwrap();
        assert!(archive.texts.damage(&id));
        assert!(archive.documents.text(&id).is_err());
    }

    #[test]
    fn an_upload_that_no_record_names_expires_and_one_on_record_does_not() {
        let archive = archive(1024);
        let [named, unnamed] = [&b"named"[..], b"unnamed"].map(|bytes| archive.upload(bytes));
        assert_eq!(archive.expire(&[Document::Source(named)]), 1);
        assert_eq!(archive.documents.size(&unnamed), Ok(None));
        assert_eq!(archive.documents.size(&named), Ok(Some(5)));
    }

    #[test]
    fn an_upload_that_a_record_on_its_way_was_held_against_is_spared_until_the_expiry_after_next() {
        let archive = archive(1024);
        let source = archive.upload(b"source");
        archive.documents.size(&source).unwrap();
        let text = archive.documents.keep_text("text".to_owned()).unwrap();
        assert_eq!(archive.expire(&[]), 0);
        assert_eq!(archive.expire(&[]), 2);
        assert!(archive.documents.text(&text).unwrap().is_none());
    }

    #[test]
    fn an_upload_that_is_young_does_not_expire() {
        let archive = archive(1024);
        archive.upload(b"source");
        let earlier = SystemTime::now() - Duration::from_secs(3600);
        let removed = archive
            .documents
            .expire(earlier, |_| Ok::<_, BlobError>(false));
        assert_eq!(removed.unwrap(), 0);
    }
}
