use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::Bound;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::super::{DiskSyncer, MemoryTables, RecordingSyncer};
use super::*;

const CACHE: u64 = 4 << 20;

fn disk() -> Arc<dyn Syncer> {
    Arc::new(DiskSyncer)
}

fn open(dir: &Path) -> OpenedTables {
    SledTables::open(dir, CACHE, &disk()).unwrap()
}

fn open_under(dir: &Path, boot: &str) -> OpenedTables {
    SledTables::open_under(dir, CACHE, &disk(), boot).unwrap()
}

fn put(key: &str, value: &str) -> Change {
    (key.into(), Some(value.into()))
}

fn rows(tables: &dyn ProjectionStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    tables
        .scan(KeyRange::all(), Direction::Forwards)
        .collect::<Result<_, _>>()
        .unwrap()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(0xFF), 0..3_u8], 0..4)
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        Just(Bound::Unbounded),
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
    ]
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

fn check_against_map(
    tables: &dyn ProjectionStore,
    batches: &[Vec<Change>],
    ranges: &[Bounds],
) -> Result<(), TestCaseError> {
    let mut map: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for batch in batches {
        tables.apply(batch).unwrap();
        for (key, value) in batch {
            map.remove(key);
            map.extend(value.clone().map(|value| (key.clone(), value)));
            prop_assert_eq!(tables.get(key).unwrap(), map.get(key).cloned());
        }
    }
    for (start, end) in ranges {
        let inside = |key: &Vec<u8>| {
            use std::ops::RangeBounds;
            (start.clone(), end.clone()).contains(key)
        };
        let mut expected: Vec<_> = map.clone().into_iter().filter(|(k, _)| inside(k)).collect();
        for direction in [Direction::Forwards, Direction::Backwards] {
            let (start, end) = (start.clone(), end.clone());
            let scan = tables.scan(KeyRange { start, end }, direction);
            let scanned: Vec<_> = scan.collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(&scanned, &expected);
            expected.reverse();
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn tables_hold_what_a_sorted_map_holds(
        batches in prop::collection::vec(
            prop::collection::btree_map(key(), prop::option::of(key()), 0..30)
                .prop_map(|batch| batch.into_iter().collect::<Vec<Change>>()),
            0..6,
        ),
        ranges in prop::collection::vec((bound(), bound()), 1..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(&dir.path().join("tables"));
        check_against_map(&opened.tables, &batches, &ranges)?;
        check_against_map(&MemoryTables::new(), &batches, &ranges)?;
    }
}

#[test]
fn of_several_changes_to_one_key_the_last_counts() {
    let dir = tempfile::tempdir().unwrap();
    let sled = open(&dir.path().join("tables")).tables;
    let memory = MemoryTables::new();
    for tables in [&sled as &dyn ProjectionStore, &memory] {
        let gone = (b"b".to_vec(), None);
        let batch = [put("a", "1"), put("b", "1"), gone, put("a", "2")];
        tables.apply(&batch).unwrap();
        assert_eq!(rows(tables), [(b"a".to_vec(), b"2".to_vec())]);
    }
    assert_eq!(memory.bytes_on_disk().unwrap(), 2);
    sled.db.as_ref().unwrap().flush().unwrap();
    assert!(sled.bytes_on_disk().unwrap() > 2);
}

#[test]
fn a_scan_reads_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let sled = open(&dir.path().join("tables")).tables;
    let memory = MemoryTables::new();
    for tables in [&sled as &dyn ProjectionStore, &memory] {
        let many: Vec<Change> = (0..500).map(|n| put(&format!("{n:03}"), "old")).collect();
        tables.apply(&many).unwrap();
        let mut scan = tables.scan(KeyRange::all(), Direction::Forwards);
        scan.next().unwrap().unwrap();
        tables.apply(&[put("499", "new")]).unwrap();
        assert_eq!(scan.last().unwrap().unwrap().1, b"new");
    }
}

#[test]
fn a_row_beyond_the_bound_is_refused_and_its_batch_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let sled = open(&dir.path().join("tables")).tables;
    let memory = MemoryTables::new();
    for tables in [&sled as &dyn ProjectionStore, &memory] {
        let row = |value: usize| (b"key".to_vec(), Some(vec![7; value]));
        let largest = super::super::ROW_BYTES_MAX - 3;
        let refused = tables.apply(&[put("a", "1"), row(largest + 1)]);
        assert!(matches!(refused, Err(TableError::RowTooLarge { .. })));
        assert_eq!(rows(tables), []);
        tables.apply(&[row(largest)]).unwrap();
        assert_eq!(tables.get(b"key").unwrap(), row(largest).1);
    }
}

#[test]
fn tables_begin_in_an_empty_directory_that_was_made_for_them() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    std::fs::create_dir(&dir).unwrap();
    assert_eq!(open_under(&dir, "monday").origin, TablesOrigin::Created);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn tables_reopen_as_they_were_closed_even_on_another_run_of_the_machine() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open_under(&dir, "monday");
    assert_eq!(opened.origin, TablesOrigin::Created);
    opened.tables.apply(&[put("a", "1")]).unwrap();
    opened.tables.close().unwrap();
    let opened = open_under(&dir, "tuesday");
    assert_eq!(opened.origin, TablesOrigin::Reopened);
    assert_eq!(opened.tables.get(b"a").unwrap(), Some(b"1".to_vec()));
    drop(opened);
    assert_eq!(open_under(&dir, "").origin, TablesOrigin::Reopened);
}

#[test]
fn closing_syncs_everything_before_it_says_so() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let syncer = Arc::new(RecordingSyncer::below(root.path()));
    let shared: Arc<dyn Syncer> = syncer.clone();
    let opened = SledTables::open(&dir, CACHE, &shared).unwrap();
    opened.tables.apply(&[put("a", "1")]).unwrap();
    assert!(syncer.take().is_empty(), "open tables are not synced");
    opened.tables.close().unwrap();
    assert_eq!(
        syncer.take(),
        [
            "sync_file tables/OPENED",
            "sync_dir tables/rows/blobs",
            "sync_file tables/rows/conf",
            "sync_file tables/rows/db",
            "sync_dir tables/rows",
            "sync_dir tables",
            "sync_dir ",
            "sync_file tables/CLOSED.new",
            "rename tables/CLOSED.new tables/CLOSED",
            "sync_dir tables",
        ]
    );
    // And takes it back, durably, before anything is written.
    drop(SledTables::open(&dir, CACHE, &shared).unwrap());
    assert_eq!(syncer.take()[0], "sync_dir tables");
}

#[test]
fn tables_that_were_open_when_the_machine_went_down_are_not_believed() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open_under(&dir, "monday");
    opened.tables.apply(&[put("a", "1")]).unwrap();
    opened.tables.db.as_ref().unwrap().flush().unwrap();
    for (boot, believed) in [("monday", true), ("tuesday", false), ("", false)] {
        let crashed = root.path().join(format!("crashed-{boot}"));
        copy_tree(&dir, &crashed);
        let found = open_under(&crashed, boot);
        let there = found.tables.get(b"a").unwrap().is_some();
        assert_eq!(there, believed, "{boot}");
        assert_eq!(found.origin == TablesOrigin::Reopened, believed, "{boot}");
    }
}

#[test]
fn damaged_tables_are_moved_aside_a_bounded_number_of_times() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    drop(open(&dir));
    for round in 1..=5_u32 {
        fs::write(dir.join("rows/conf"), b"nonsense that is long enough").unwrap();
        let opened = open(&dir);
        let TablesOrigin::Replaced { kept_at, .. } = &opened.origin else {
            panic!("{:?}", opened.origin);
        };
        let aside = root.path().join(format!("tables.damaged-{round}"));
        assert_eq!(*kept_at, (round <= DAMAGED_KEPT_MAX).then_some(aside));
        assert_eq!(rows(&opened.tables), []);
        opened.tables.apply(&[put("a", "1")]).unwrap();
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 4);
}

#[test]
fn no_flipped_byte_panics_an_open() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open(&dir);
    for n in 0..50 {
        opened
            .tables
            .apply(&[put(&format!("{n}"), &"value".repeat(n))])
            .unwrap();
    }
    opened.tables.close().unwrap();
    let whole = fs::read(dir.join("rows/db")).unwrap();
    for n in 0..16 {
        let damaged = root.path().join(format!("copy-{n}"));
        copy_tree(&dir, &damaged);
        let mut bytes = whole.clone();
        let at = n * whole.len() / 16 + n;
        bytes[at] ^= 0x08;
        fs::write(damaged.join("rows/db"), bytes).unwrap();
        let opened = open(&damaged);
        let scanned: Result<Vec<_>, _> = opened
            .tables
            .scan(KeyRange::all(), Direction::Forwards)
            .collect();
        // What could not be read was said to be so.
        drop(scanned);
    }
}

#[test]
fn tables_in_use_are_refused_and_not_moved_aside() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open(&dir);
    let again = SledTables::open(&dir, CACHE, &disk());
    assert!(matches!(again, Err(TableError::Locked { .. })));
    opened.tables.apply(&[put("a", "1")]).unwrap();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn after_a_failed_batch_nothing_is_shown_until_the_tables_are_reopened() {
    let root = tempfile::tempdir().unwrap();
    let opened = open(&root.path().join("tables"));
    let mut scan = opened.tables.scan(KeyRange::all(), Direction::Forwards);
    opened.tables.broken.store(true, Ordering::Release);
    assert!(matches!(opened.tables.get(b"a"), Err(TableError::Broken)));
    let batch = opened.tables.apply(&[put("a", "1")]);
    assert!(matches!(batch, Err(TableError::Broken)));
    assert!(matches!(scan.next(), Some(Err(TableError::Broken))));
    assert!(scan.next().is_none());
}

#[test]
fn memory_is_freed_once_for_every_250_keys_of_a_large_batch_and_once_more() {
    let counts = [0, 64, 65, 250, 251, 2_000].map(collections);
    assert_eq!(counts, [0, 0, 2, 2, 3, 9]);
}

/// What the killed process writes: batch n sets 40 rows, `last` among them, to n.
fn numbered_batch(n: u32) -> Vec<Change> {
    let value = Some(n.to_be_bytes().to_vec());
    let mut batch: Vec<Change> = (0..39)
        .map(|row| (format!("row {}", (n + row * 7) % 500).into(), value.clone()))
        .collect();
    batch.push((b"last".to_vec(), value));
    batch
}

const CHILD_DIR: &str = "ONRECORD_TEST_TABLES";

/// Not a test of its own: the process that the next one kills.
#[test]
fn writes_batches_until_it_is_killed_if_told_where() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let tables = open(Path::new(&dir)).tables;
    let last = tables.get(b"last").unwrap();
    let first = last.map_or(0, |last| u32::from_be_bytes(last.try_into().unwrap()) + 1);
    for n in first.. {
        tables.apply(&numbered_batch(n)).unwrap();
        eprintln!("applied {n}");
    }
}

#[test]
fn after_kill_9_the_tables_are_as_they_were_after_some_batch() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let child_test = concat!(
        "storage::sled_tables::tests::",
        "writes_batches_until_it_is_killed_if_told_where"
    );
    let mut expected: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut applied = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([child_test, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD_DIR, &dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        for _ in 0..20 + round * 83 {
            lines.next().unwrap().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let opened = open(&dir);
        if let TablesOrigin::Replaced { why, .. } = opened.origin {
            panic!("{why}");
        }
        let last = opened.tables.get(b"last").unwrap();
        let end = last.map_or(0, |last| u32::from_be_bytes(last.try_into().unwrap()) + 1);
        for n in applied..end {
            for (key, value) in numbered_batch(n) {
                expected.insert(key, value.unwrap());
            }
        }
        applied = end;
        let found: BTreeMap<_, _> = rows(&opened.tables).into_iter().collect();
        assert!(found == expected, "not the state after batch {end}");
        // Left as the kill left it: the next round replays the same log and more.
        std::mem::forget(opened);
        let copy = root.path().join(format!("after-{round}"));
        copy_tree(&dir, &copy);
        fs::remove_dir_all(&dir).unwrap();
        fs::rename(&copy, &dir).unwrap();
    }
    assert!(applied > 0);
}
