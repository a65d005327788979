use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::storage::MemoryBlobs;

struct Archive {
    documents: StoredDocuments,
    sources: MemoryBlobs,
    texts: MemoryBlobs,
    on_record: Arc<OnRecord>,
}

/// What records say of texts.
#[derive(Default)]
struct OnRecord(Mutex<HashMap<ContentId, Extraction>>);

impl DocumentsOnRecord for OnRecord {
    fn of_text(&self, text_id: &ContentId) -> Option<Extraction> {
        lock(&self.0).get(text_id).cloned()
    }

    fn names(&self, document: &Document) -> bool {
        let on_record = lock(&self.0);
        match document {
            Document::Source(id) => on_record.values().any(|it| it.source == *id),
            Document::Text(id) => on_record.contains_key(id),
        }
    }

    fn size(&self) -> u64 {
        lock(&self.0).len() as u64
    }
}

fn archive(cache_bytes_max: usize) -> Archive {
    let (sources, texts) = (MemoryBlobs::new(), MemoryBlobs::new());
    let on_record = Arc::new(OnRecord::default());
    Archive {
        documents: StoredDocuments::new(
            Arc::new(sources.clone()),
            Arc::new(texts.clone()),
            Arc::clone(&on_record) as _,
            Limits {
                text_cache_bytes: cache_bytes_max,
                unnamed_bytes_max: 1 << 20,
                disk_reserve_bytes: 0,
            },
        ),
        sources,
        texts,
        on_record,
    }
}

impl Archive {
    fn upload(&self, bytes: &[u8]) -> ContentId {
        let mut writer = self.sources.begin(u64::MAX).unwrap();
        writer.write(bytes).unwrap();
        writer.finish().unwrap()
    }

    /// Uploads a source and keeps its text; the ids of both.
    fn archive(&self, bytes: &[u8]) -> (ContentId, ContentId) {
        let source = self.upload(bytes);
        let kept = self.documents.extract(&source, "text/plain").unwrap();
        (source, kept.unwrap().text_id)
    }

    /// Puts on record that a source has a text.
    fn put_on_record(&self, source: ContentId, text_id: ContentId) {
        let extraction = Extraction {
            source,
            profile: Profile::PlainText1,
            media_type: "text/plain".to_owned(),
        };
        lock(&self.on_record.0).insert(text_id, extraction);
    }

    fn text_of(&self, source: &ContentId) -> Result<Option<ContentId>, TextError> {
        self.documents
            .text_of(source, Profile::PlainText1, "text/plain")
    }

    fn text(&self, text_id: &ContentId) -> Option<String> {
        self.documents.extracted_text(text_id).unwrap()
    }

    /// Removes all that is not on record and not in use, however new.
    fn expire(&self, on_record: &[Document]) -> usize {
        let later = SystemTime::now() + Duration::from_hours(1);
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
    let (source, text_id) = archive.archive(b"one\r\ntwo");
    assert_eq!(text_id, ContentId::of(b"one\ntwo"));
    assert_eq!(archive.text_of(&source), Ok(Some(text_id)));
    assert_eq!(archive.text(&text_id).as_deref(), Some("one\ntwo"));
    assert_eq!(
        archive.documents.extract(&source, "image/png").unwrap(),
        None
    );
}

#[test]
fn a_text_that_fell_out_of_the_cache_is_read_again() {
    let archive = archive(10);
    let texts = [&b"aaaaaa"[..], b"bbbbbb", b"cccccc"].map(|text| archive.archive(text).1);
    for id in texts {
        let text = archive.documents.text(&id).unwrap().unwrap();
        assert_eq!(text.text_id(), id);
    }
}

#[test]
fn what_was_never_stored_has_no_size_or_text_and_is_not_remembered() {
    let archive = archive(1024);
    let id = ContentId::of(b"nothing");
    assert_eq!(archive.documents.size(&id), Ok(None));
    assert_eq!(archive.text_of(&id), Ok(None));
    assert!(archive.documents.text(&id).unwrap().is_none());
    assert!(lock(&archive.documents.used).is_empty());
}

#[test]
fn a_source_is_read_once_for_one_profile_and_media_type() {
    let archive = archive(1024);
    let source = archive.upload(b"text");
    let text_id = archive.text_of(&source);
    assert!(archive.sources.damage(&source));
    assert_eq!(archive.text_of(&source), text_id);
    let otherwise =
        archive
            .documents
            .text_of(&source, Profile::PlainText1, "text/plain;charset=koi8-r");
    assert!(matches!(otherwise, Err(TextError::Documents(_))));
}

#[test]
fn a_text_that_went_is_extracted_again_although_its_id_is_remembered() {
    let archive = archive(0);
    let source = archive.upload(b"text");
    let text_id = archive.text_of(&source).unwrap().unwrap();
    assert!(archive.texts.remove(&text_id).unwrap());
    assert_eq!(archive.text_of(&source), Ok(Some(text_id)));
    assert_eq!(archive.text(&text_id).as_deref(), Some("text"));
}

#[test]
fn a_text_on_record_that_was_lost_or_damaged_comes_again_from_its_source() {
    let archive = archive(0);
    let (source, text_id) = archive.archive(b"one\r\ntwo");
    archive.put_on_record(source, text_id);
    for lose in [
        MemoryBlobs::damage,
        |texts: &MemoryBlobs, id: &ContentId| texts.remove(id).unwrap(),
    ] {
        assert!(lose(&archive.texts, &text_id));
        let found = archive.documents.text(&text_id).unwrap();
        assert_eq!(found.map(|text| text.text_id()), Some(text_id));
        let kept = archive.texts.read_all(&text_id, u64::MAX);
        assert_eq!(kept.unwrap(), b"one\ntwo", "it is kept again");
    }
}

#[test]
fn a_damaged_text_whose_source_is_damaged_too_is_an_error_and_not_a_missing_one() {
    let archive = archive(0);
    let (source, text_id) = archive.archive(b"text");
    assert!(archive.texts.damage(&text_id));
    assert!(archive.documents.text(&text_id).is_err(), "not on record");
    archive.put_on_record(source, text_id);
    assert!(archive.sources.damage(&source));
    assert!(archive.documents.text(&text_id).is_err());
    assert!(archive.sources.remove(&source).unwrap());
    assert!(archive.documents.text(&text_id).is_err());
}

#[test]
fn a_source_that_gives_another_text_than_its_record_says_replaces_none() {
    let archive = archive(0);
    let (source, _) = archive.archive(b"another");
    let lost = ContentId::of(b"lost");
    archive.put_on_record(source, lost);
    assert_eq!(archive.text(&lost), None);
    assert!(!archive.texts.contains(&lost).unwrap());
}

#[test]
fn extracting_again_puts_a_whole_text_in_place_of_a_damaged_one() {
    let archive = archive(0);
    let (_, text_id) = archive.archive(b"text");
    assert!(archive.texts.damage(&text_id));
    archive.archive(b"text");
    assert_eq!(archive.text(&text_id).as_deref(), Some("text"));
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
    let text_id = archive.text_of(&source).unwrap().unwrap();
    assert_eq!(archive.expire(&[]), 0);
    assert_eq!(archive.expire(&[]), 2);
    assert!(archive.documents.text(&text_id).unwrap().is_none());
}

#[test]
fn a_text_that_a_record_on_its_way_was_held_against_again_is_spared_too() {
    let archive = archive(1024);
    let source = archive.upload(b"source");
    let text_id = archive.text_of(&source).unwrap().unwrap();
    archive.documents.begin_expiry();
    archive.text_of(&source).unwrap();
    assert_eq!(archive.expire(&[Document::Source(source)]), 0);
    assert!(archive.texts.contains(&text_id).unwrap());
}

#[test]
fn an_upload_that_is_young_does_not_expire() {
    let archive = archive(1024);
    archive.upload(b"source");
    let earlier = SystemTime::now() - Duration::from_hours(1);
    let removed = archive
        .documents
        .expire(earlier, |_| Ok::<_, BlobError>(false));
    assert_eq!(removed.unwrap(), 0);
}

/// Uploads a document of so many bytes by way of the documents.
fn upload(
    documents: &Arc<StoredDocuments>,
    byte: u8,
    size: usize,
) -> Result<ContentId, UploadError> {
    let mut upload = documents.begin_upload(u64::MAX)?;
    upload.write(&vec![byte; size])?;
    upload.finish()
}

#[test]
fn uploads_are_refused_where_too_much_is_kept_that_no_record_names() {
    // With what a document counts as besides, two of them have less than 1 MiB.
    const HALF: usize = 480_000;
    let archive = archive(0);
    // What was there at the start counts.
    archive.upload(&vec![0; HALF]);
    let documents = Arc::new(archive.documents);
    let unfinished = documents.begin_upload(u64::MAX).unwrap();
    let first = upload(&documents, 1, HALF).unwrap();
    let refused = |byte| {
        let error = upload(&documents, byte, HALF).unwrap_err();
        assert!(matches!(error, UploadError::Unnamed { .. }), "{error}");
    };
    refused(2);
    // It is here already, and takes no more room once it is kept.
    drop(unfinished);
    refused(1);
    assert_eq!(documents.coming_bytes.load(Ordering::Relaxed), 0);

    let text_id = ContentId::of(b"its text");
    let extraction = Extraction {
        source: first,
        profile: Profile::PlainText1,
        media_type: "text/plain".to_owned(),
    };
    lock(&archive.on_record.0).insert(text_id, extraction);
    // What is named makes room, and is not counted again.
    upload(&documents, 1, HALF).unwrap();
    upload(&documents, 2, HALF).unwrap();
    refused(3);

    for _ in 0..2 {
        documents.begin_expiry();
    }
    let later = SystemTime::now() + Duration::from_mins(1);
    let named = |document| Ok::<_, BlobError>(archive.on_record.names(&document));
    assert_eq!(documents.expire(later, named).unwrap(), 2);
    upload(&documents, 3, HALF).unwrap();
    upload(&documents, 4, HALF).unwrap();
}
