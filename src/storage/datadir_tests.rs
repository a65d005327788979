use super::super::RecordingSyncer;
use super::*;

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_created_directory_opens_again_with_all_its_parts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    assert!(!DataDir::exists(&path));
    drop(DataDir::create(&path).unwrap());
    assert!(DataDir::exists(&path));
    let dir = DataDir::open(&path).unwrap();
    assert!(dir.parts().texts().is_dir() && dir.parts().ledger().is_dir());
    assert_eq!(
        entries(&path),
        [
            "FORMAT",
            "LOCK",
            "admission",
            "ledger",
            "projections",
            "sources",
            "texts"
        ]
    );
}

#[test]
fn creation_syncs_the_new_directory_its_marker_and_its_parts_in_order() {
    let root = tempfile::tempdir().unwrap();
    let syncer = Arc::new(RecordingSyncer::below(root.path()));
    DataDir::create_with(&root.path().join("data"), syncer.clone()).unwrap();
    assert_eq!(
        syncer.take(),
        [
            "sync_dir ",
            "sync_file data/FORMAT.new",
            "rename data/FORMAT.new data/FORMAT",
            "sync_dir data",
            "sync_dir data",
        ]
    );
}

#[test]
fn a_creation_that_was_cut_short_can_be_done_again() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("data");
    let syncer = Arc::new(RecordingSyncer::below(root.path()));
    for call in ["sync_dir ", "sync_file", "rename"] {
        syncer.fail(call, io::ErrorKind::Other);
        DataDir::create_with(&path, syncer.clone()).unwrap_err();
        assert!(!DataDir::exists(&path));
    }
    // From the rename on the directory is an archive's, and opening it makes what is missing.
    syncer.fail("sync_dir data", io::ErrorKind::Other);
    DataDir::create_with(&path, syncer.clone()).unwrap_err();
    let dir = DataDir::open(&path).unwrap();
    assert!(dir.parts().ledger().is_dir());
}

#[test]
fn a_directory_in_use_is_refused_with_the_process_that_uses_it() {
    let root = tempfile::tempdir().unwrap();
    let held = DataDir::create(root.path()).unwrap();
    let error = DataDir::open(root.path()).unwrap_err();
    let process = std::process::id().to_string();
    assert!(matches!(&error, DataDirError::Locked { process: p, .. } if *p == process));
    assert!(error.to_string().contains("stop it"));
    drop(held);
    DataDir::open(root.path()).unwrap();
}

#[test]
fn another_programs_directory_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("notes.txt"), "mine").unwrap();
    for result in [DataDir::open(root.path()), DataDir::create(root.path())] {
        assert!(matches!(result, Err(DataDirError::NotOurs { .. })));
    }
    assert_eq!(entries(root.path()), ["notes.txt"]);
    fs::write(root.path().join("FORMAT"), "some other format\n").unwrap();
    let error = DataDir::open(root.path()).unwrap_err();
    assert!(matches!(error, DataDirError::NotOurs { .. }));
}

#[test]
fn an_empty_or_missing_directory_holds_no_archive() {
    let root = tempfile::tempdir().unwrap();
    for path in [root.path().to_owned(), root.path().join("missing")] {
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::Missing { .. }));
        assert!(error.to_string().contains("onrecord init"));
    }
    assert!(entries(root.path()).is_empty());
}

#[test]
fn a_file_in_the_place_of_a_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    fs::write(&path, "x").unwrap();
    for result in [DataDir::open(&path), DataDir::create(&path)] {
        assert!(matches!(result, Err(DataDirError::NotADirectory { .. })));
    }
}

#[test]
fn an_archive_is_not_created_over() {
    let root = tempfile::tempdir().unwrap();
    drop(DataDir::create(root.path()).unwrap());
    let error = DataDir::create(root.path()).unwrap_err();
    assert!(matches!(error, DataDirError::AlreadyExists { .. }));
}

#[test]
fn a_newer_format_is_refused_by_number_and_a_damaged_marker_by_name() {
    let root = tempfile::tempdir().unwrap();
    drop(DataDir::create(root.path()).unwrap());
    let marker = root.path().join("FORMAT");
    fs::write(&marker, "onrecord data directory\nformat 2\nwith more\n").unwrap();
    let error = DataDir::open(root.path()).unwrap_err();
    assert!(matches!(error, DataDirError::NewerFormat { found: 2, .. }));
    assert!(error.to_string().contains("use a newer onrecord"));
    for text in [
        "onrecord data directory\n",
        "onrecord data directory\nformat 0\n",
        "onrecord data directory\nformat one\n",
    ] {
        fs::write(&marker, text).unwrap();
        let error = DataDir::open(root.path()).unwrap_err();
        assert!(
            matches!(error, DataDirError::FormatDamaged { .. }),
            "{text}"
        );
    }
}

#[test]
fn a_refused_permission_is_told_apart() {
    for kind in [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ] {
        let root = tempfile::tempdir().unwrap();
        let syncer = Arc::new(RecordingSyncer::below(root.path()));
        syncer.fail("sync_file", kind);
        let error = DataDir::create_with(root.path(), syncer).unwrap_err();
        assert!(matches!(error, DataDirError::NoPermission { .. }));
        assert_eq!(error.kind(), FaultKind::Operator);
    }
}

#[test]
fn a_head_is_read_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    let dir = DataDir::create(root.path()).unwrap();
    assert_eq!(dir.read_head().unwrap(), None);
    for size in [0, 1, u64::MAX] {
        let head = Head {
            size,
            root: [size.to_le_bytes()[0]; 32],
        };
        dir.write_head(&head).unwrap();
        assert_eq!(dir.read_head().unwrap(), Some(head));
    }
}

#[test]
fn a_head_that_could_not_be_synced_leaves_the_old_one() {
    let root = tempfile::tempdir().unwrap();
    let syncer = Arc::new(RecordingSyncer::below(root.path()));
    let dir = DataDir::create_with(root.path(), syncer.clone()).unwrap();
    let old = Head {
        size: 1,
        root: [1; 32],
    };
    dir.write_head(&old).unwrap();
    syncer.take();
    for call in ["sync_file HEAD.new", "rename HEAD.new"] {
        syncer.fail(call, io::ErrorKind::StorageFull);
        let new = Head {
            size: 2,
            root: [2; 32],
        };
        assert_eq!(
            dir.write_head(&new).unwrap_err().kind(),
            FaultKind::DiskFull
        );
        assert_eq!(dir.read_head().unwrap(), Some(old));
    }
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_head_goes_unnoticed() {
    let root = tempfile::tempdir().unwrap();
    let dir = DataDir::create(root.path()).unwrap();
    let head = Head {
        size: 1234,
        root: [7; 32],
    };
    let whole = head_text(&head).into_bytes();
    let path = root.path().join("HEAD");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for damaged in [&flipped[..], &whole[..at]] {
            fs::write(&path, damaged).unwrap();
            let result = dir.read_head();
            assert!(matches!(result, Err(DataDirError::HeadDamaged { .. })));
        }
    }
}

#[test]
fn a_restored_directory_is_marked_until_the_mark_is_taken_away() {
    let root = tempfile::tempdir().unwrap();
    let dir = DataDir::create(&root.path().join("data")).unwrap();
    assert!(!dir.is_restored());
    dir.mark_restored().unwrap();
    drop(dir);
    let dir = DataDir::open(&root.path().join("data")).unwrap();
    assert!(dir.is_restored());
    for _ in 0..2 {
        dir.clear_restored().unwrap();
        assert!(!dir.is_restored());
    }
}
