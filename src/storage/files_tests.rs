use std::io::Read;
use std::time::Duration;

use super::super::{FaultKind, MemoryBlobs, RecordingSyncer};
use super::*;

struct Fixture {
    root: tempfile::TempDir,
    syncer: Arc<RecordingSyncer>,
    blobs: FileBlobs,
}

fn fixture() -> Fixture {
    let root = tempfile::tempdir().unwrap();
    let syncer = Arc::new(RecordingSyncer::below(root.path()));
    let blobs = FileBlobs::open(root.path(), syncer.clone()).unwrap();
    Fixture {
        root,
        syncer,
        blobs,
    }
}

fn store(blobs: &dyn BlobStore, bytes: &[u8]) -> ContentId {
    let mut writer = blobs.begin(1 << 20).unwrap();
    for part in bytes.chunks(3) {
        writer.write(part).unwrap();
    }
    writer.finish().unwrap()
}

fn both(check: impl Fn(&dyn BlobStore)) {
    check(&fixture().blobs);
    check(&MemoryBlobs::new());
}

fn incoming(fixture: &Fixture) -> usize {
    fs::read_dir(fixture.root.path().join("incoming"))
        .unwrap()
        .count()
}

#[test]
fn what_is_stored_is_read_back_under_the_hash_of_its_bytes() {
    both(|blobs| {
        for bytes in [&b""[..], b"x", b"a longer document"] {
            let id = ContentId::of(bytes);
            assert!(!blobs.contains(&id).unwrap());
            assert_eq!(store(blobs, bytes), id);
            assert!(blobs.contains(&id).unwrap());
            assert_eq!(blobs.read_all(&id, 100).unwrap(), bytes);
            let mut reader = blobs.open(&id).unwrap();
            assert_eq!(reader.size, bytes.len() as u64);
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    });
}

#[test]
fn an_unknown_document_is_missing() {
    both(|blobs| {
        let id = ContentId::of(b"never stored");
        assert!(matches!(blobs.open(&id), Err(BlobError::Missing { .. })));
        assert!(!blobs.remove(&id).unwrap());
        assert!(!blobs.remove_if_older_than(&id, SystemTime::now()).unwrap());
    });
}

#[test]
fn a_document_is_synced_before_it_is_put_in_place_and_its_directories_after() {
    let fixture = fixture();
    fixture.syncer.take();
    let id = store(&fixture.blobs, b"document").to_string();
    let (shard, rest) = id.split_at(2);
    let put = |number: u32| {
        [
            format!("sync_file incoming/{number}"),
            format!("rename incoming/{number} {shard}/{rest}"),
            format!("sync_dir {shard}"),
        ]
    };
    let [synced, renamed, listed] = put(0);
    // The root is synced because the shard's directory is new in it.
    assert_eq!(
        fixture.syncer.take(),
        [synced, "sync_dir ".to_owned(), renamed, listed]
    );
    store(&fixture.blobs, b"document");
    assert_eq!(fixture.syncer.take(), put(1));
}

#[test]
fn no_id_is_answered_when_a_sync_fails_and_a_full_disk_is_told_apart() {
    let fixture = fixture();
    for call in ["sync_file", "rename", "sync_dir"] {
        let mut writer = fixture.blobs.begin(100).unwrap();
        writer.write(call.as_bytes()).unwrap();
        fixture.syncer.fail(call, io::ErrorKind::StorageFull);
        let error = writer.finish().unwrap_err();
        assert_eq!(error.kind(), FaultKind::DiskFull, "{call}");
        fixture.syncer.heal();
        assert_eq!(incoming(&fixture), 0);
        store(&fixture.blobs, call.as_bytes());
    }
}

#[test]
fn a_document_larger_than_its_bound_is_refused_and_cannot_be_finished() {
    both(|blobs| {
        let mut writer = blobs.begin(5).unwrap();
        writer.write(b"1234").unwrap();
        let refused = writer.write(b"56");
        assert!(matches!(refused, Err(BlobError::TooLarge { bytes_max: 5 })));
        assert!(matches!(writer.write(b""), Err(BlobError::Incomplete)));
        assert!(matches!(writer.finish(), Err(BlobError::Incomplete)));
        let id = store(blobs, b"123456");
        let error = blobs.read_all(&id, 5).unwrap_err();
        assert!(matches!(error, BlobError::TooLarge { bytes_max: 5 }));
        assert_eq!(blobs.read_all(&id, 6).unwrap(), b"123456");
    });
}

#[test]
fn an_abandoned_upload_leaves_nothing_behind() {
    let fixture = fixture();
    let mut writer = fixture.blobs.begin(100).unwrap();
    writer.write(b"half").unwrap();
    assert_eq!(incoming(&fixture), 1);
    drop(writer);
    assert_eq!(incoming(&fixture), 0);
}

#[test]
fn what_a_crash_left_of_an_upload_is_removed_when_the_store_is_opened() {
    let fixture = fixture();
    let mut writer = fixture.blobs.begin(100).unwrap();
    writer.write(b"half").unwrap();
    std::mem::forget(writer);
    assert_eq!(incoming(&fixture), 1);
    FileBlobs::open(fixture.root.path(), fixture.syncer.clone()).unwrap();
    assert_eq!(incoming(&fixture), 0);
}

#[test]
fn damage_is_reported_with_both_hashes_and_healed_by_storing_the_document_again() {
    let fixture = fixture();
    let id = store(&fixture.blobs, b"document");
    fs::write(fixture.blobs.shared.path(&id), b"documend").unwrap();
    match fixture.blobs.read_all(&id, 100) {
        Err(BlobError::Damaged { expected, found }) => {
            assert_eq!((expected, found), (id, ContentId::of(b"documend")));
        }
        other => panic!("{other:?}"),
    }
    store(&fixture.blobs, b"document");
    assert_eq!(fixture.blobs.read_all(&id, 100).unwrap(), b"document");

    let blobs = MemoryBlobs::new();
    let id = store(&blobs, b"document");
    assert!(blobs.damage(&id));
    let result = blobs.read_all(&id, 100);
    assert!(matches!(result, Err(BlobError::Damaged { .. })));
}

#[test]
fn removing_a_document_syncs_the_directory_it_was_in() {
    let fixture = fixture();
    let id = store(&fixture.blobs, b"document");
    fixture.syncer.take();
    assert!(fixture.blobs.remove(&id).unwrap());
    assert_eq!(
        fixture.syncer.take(),
        [format!("sync_dir {}", &id.to_string()[..2])]
    );
    assert!(!fixture.blobs.contains(&id).unwrap());
}

#[test]
fn documents_are_listed_by_age_in_pages_in_order_of_their_ids() {
    both(|blobs| {
        let before = SystemTime::now() - Duration::from_hours(1);
        let mut ids: Vec<ContentId> = (0..20_u8).map(|n| store(blobs, &[n])).collect();
        ids.sort_unstable();
        let list = |before, after, max| blobs.list_older_than(before, after, max).unwrap();
        assert_eq!(list(before, None, 100), []);
        let after = SystemTime::now() + Duration::from_hours(1);
        assert_eq!(list(after, None, 100), ids);
        assert_eq!(list(after, None, 7), ids[..7]);
        assert_eq!(list(after, Some(&ids[6]), 100), ids[7..]);
    });
}

#[test]
fn a_document_that_was_stored_again_is_not_expired() {
    both(|blobs| {
        let id = store(blobs, b"document");
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        assert!(!blobs.remove_if_older_than(&id, long_ago).unwrap());
        let soon = SystemTime::now() + Duration::from_hours(1);
        assert!(blobs.remove_if_older_than(&id, soon).unwrap());
        assert!(!blobs.contains(&id).unwrap());
    });
    let fixture = fixture();
    let id = store(&fixture.blobs, b"document");
    let old = SystemTime::now() - Duration::from_hours(10);
    let path = fixture.blobs.shared.path(&id);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_modified(old).unwrap();
    let expiry = SystemTime::now() - Duration::from_hours(1);
    assert_eq!(
        fixture.blobs.list_older_than(expiry, None, 10).unwrap(),
        [id]
    );
    store(&fixture.blobs, b"document");
    assert!(!fixture.blobs.remove_if_older_than(&id, expiry).unwrap());
}
