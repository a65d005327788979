use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::super::{KEY_BYTES_MAX, MemoryTables, ROW_BYTES_MAX};
use super::*;
use crate::fold::Batch;

const CACHE: u64 = 4 << 20;

fn open(dir: &Path) -> OpenedTables {
    LsmTables::open(dir, &BlockCache::of(CACHE)).unwrap()
}

fn put(key: &str, value: &str) -> Changes {
    Changes::from([(key.into(), Some(value.into()))])
}

fn rows(tables: &dyn Tables) -> Vec<Row> {
    tables.scan(&[]).collect::<Result<_, _>>().unwrap()
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

fn bytes(least: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0), Just(0xFF), 0..3_u8], least..4)
}

/// A step of a history of tables.
#[derive(Clone, Debug)]
enum Act {
    Apply(Changes),
    /// Written into a file at once.
    Ingest(Changes),
    Clear,
    /// Written out, so that what follows overlaps a file.
    Persist,
    Reopen,
}

fn changes() -> impl Strategy<Value = Changes> {
    prop::collection::vec((bytes(1), prop::option::of(bytes(0))), 0..30)
        .prop_map(|changes| changes.into_iter().collect())
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => changes().prop_map(Act::Apply),
        2 => changes().prop_map(Act::Ingest),
        1 => Just(Act::Clear),
        2 => Just(Act::Persist),
        1 => Just(Act::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn tables_hold_what_a_sorted_map_holds(
        acts in prop::collection::vec(act(), 0..12),
        prefixes in prop::collection::vec(bytes(0), 1..12),
    ) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("tables");
        let mut tables = open(&dir).tables;
        let memory = MemoryTables::new();
        let mut map = BTreeMap::new();
        for act in acts {
            let is_whole_file = matches!(act, Act::Ingest(_));
            match act {
                Act::Apply(changes) | Act::Ingest(changes) => {
                    if is_whole_file {
                        let mut batch = Batch::default();
                        batch.add(changes.clone());
                        tables.ingest(&batch.sorted()).unwrap();
                        memory.ingest(&batch.sorted()).unwrap();
                    } else {
                        tables.apply(changes.clone()).unwrap();
                        memory.apply(changes.clone()).unwrap();
                    }
                    for (key, value) in changes {
                        match value {
                            Some(value) => map.insert(key, value),
                            None => map.remove(&key),
                        };
                    }
                }
                Act::Clear => {
                    tables.clear().unwrap();
                    memory.clear().unwrap();
                    map.clear();
                }
                Act::Persist => tables.persist().unwrap(),
                Act::Reopen => {
                    drop(tables);
                    let opened = open(&dir);
                    prop_assert_eq!(opened.origin, TablesOrigin::Reopened);
                    tables = opened.tables;
                }
            }
            let expected: Vec<Row> = map.clone().into_iter().collect();
            prop_assert_eq!(&rows(&tables), &expected);
            prop_assert_eq!(&rows(&memory), &expected);
        }
        for prefix in prefixes {
            prop_assert_eq!(tables.get(&prefix).unwrap(), map.get(&prefix).cloned());
            for tables in [&tables as &dyn Tables, &memory] {
                let scanned: Result<Vec<Row>, _> = tables.scan(&prefix).collect();
                let back: Result<Vec<Row>, _> = tables.scan_back(&prefix).collect();
                let inside = map.iter().filter(|(key, _)| key.starts_with(&prefix));
                let mut expected: Vec<Row> = inside.map(|(k, v)| (k.clone(), v.clone())).collect();
                prop_assert_eq!(&scanned.unwrap(), &expected);
                expected.reverse();
                prop_assert_eq!(&back.unwrap(), &expected);
            }
            for start in [Bound::Included(&prefix[..]), Bound::Excluded(&prefix), Bound::Unbounded] {
                for order in [Order::Ascending, Order::Descending] {
                    let rows: Result<Vec<Row>, _> = tables.rows(start, order).collect();
                    let expected: Result<Vec<Row>, _> = memory.rows(start, order).collect();
                    prop_assert_eq!(rows.unwrap(), expected.unwrap());
                }
            }
        }
    }
}

#[test]
fn a_scan_shows_the_rows_as_they_were_when_it_began() {
    let root = tempfile::tempdir().unwrap();
    let lsm = open(&root.path().join("tables")).tables;
    let memory = MemoryTables::new();
    for tables in [&lsm as &dyn ProjectionStore, &memory] {
        let row = |n: u32| (n.to_be_bytes().to_vec(), Some(b"old".to_vec()));
        tables.apply((0..500).map(row).collect()).unwrap();
        let mut scan = tables.scan(&[]);
        scan.next().unwrap().unwrap();
        tables.clear().unwrap();
        let later = (499_u32.to_be_bytes().to_vec(), Some(b"new".to_vec()));
        tables.apply(Changes::from([later])).unwrap();
        tables.persist().unwrap();
        assert_eq!(scan.last().unwrap().unwrap().1, b"old");
        assert_eq!(rows(tables).len(), 1);
    }
}

#[test]
fn a_row_or_key_beyond_its_bound_is_refused_and_its_batch_with_it() {
    let root = tempfile::tempdir().unwrap();
    let lsm = open(&root.path().join("tables")).tables;
    let memory = MemoryTables::new();
    for tables in [&lsm as &dyn ProjectionStore, &memory] {
        let row = |key: usize, value: usize| (vec![b'k'; key], Some(vec![7; value]));
        let largest_value = ROW_BYTES_MAX - KEY_BYTES_MAX;
        for (key, value) in [
            (0, 1),
            (KEY_BYTES_MAX + 1, 1),
            (KEY_BYTES_MAX, largest_value + 1),
        ] {
            let batch = Changes::from([(b"a".to_vec(), Some(vec![1])), row(key, value)]);
            let refused = tables.apply(batch);
            assert!(matches!(refused, Err(TableError::RowSize { .. })));
            assert_eq!(rows(tables), []);
        }
        let largest = row(KEY_BYTES_MAX, largest_value);
        tables.apply(Changes::from([largest.clone()])).unwrap();
        assert_eq!(tables.get(&largest.0).unwrap(), largest.1);
        tables.persist().unwrap();
        assert!(tables.bytes_on_disk() >= ROW_BYTES_MAX as u64);
    }
}

#[test]
fn tables_begin_in_an_empty_directory_that_was_made_for_them() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    fs::create_dir(&dir).unwrap();
    assert_eq!(open(&dir).origin, TablesOrigin::Created);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn what_was_written_out_is_found_where_nothing_was_closed() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open(&dir);
    opened.tables.apply(put("a", "1")).unwrap();
    opened.tables.persist().unwrap();
    opened.tables.apply(put("b", "2")).unwrap();
    let crashed = root.path().join("crashed");
    copy_tree(&dir, &crashed);
    let found = open(&crashed);
    assert_eq!(found.origin, TablesOrigin::Reopened);
    assert_eq!(rows(&found.tables), [(b"a".to_vec(), b"1".to_vec())]);
    drop(opened);
    assert_eq!(rows(&open(&dir).tables).len(), 2, "closing writes out");
}

#[test]
fn many_rows_are_written_out_and_merged_while_they_are_read() {
    let root = tempfile::tempdir().unwrap();
    let tables = open(&root.path().join("tables")).tables;
    let key = |n: u64| blake3::hash(&n.to_be_bytes()).as_bytes().to_vec();
    let (batches, per_batch) = (60_u64, 1_000_u64);
    // Every batch also sets one row again: readers see it grow.
    let counter = b"counter".to_vec();
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut seen = 0;
            while seen < batches {
                let now = tables
                    .get(&counter)
                    .unwrap()
                    .map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap()));
                assert!(now >= seen);
                seen = now;
                if let Some(last) = (seen * per_batch).checked_sub(1) {
                    assert!(tables.get(&key(last)).unwrap().is_some());
                    assert_eq!(tables.scan(&key(last)).count(), 1);
                }
            }
        });
        for batch in 0..batches {
            let numbers = batch * per_batch..(batch + 1) * per_batch;
            let mut changes: Changes = numbers.map(|n| (key(n), Some(vec![7; 600]))).collect();
            let count = (batch + 1).to_be_bytes().to_vec();
            changes.insert(counter.clone(), Some(count));
            tables.apply(changes).unwrap();
        }
        reader.join().unwrap();
    });
    assert!(tables.shared.tree.table_count() > 1);
    assert!(tables.shared.tree.active_memtable().size() < MEMORY_BYTES_MAX);
    assert_eq!(rows(&tables).len() as u64, batches * per_batch + 1);
}

#[test]
fn damaged_tables_are_moved_aside_a_bounded_number_of_times() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    drop(open(&dir));
    for round in 1..=5_u32 {
        for entry in fs::read_dir(dir.join("rows")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::write(path, b"nonsense that is long enough").unwrap();
            }
        }
        let opened = open(&dir);
        let TablesOrigin::Replaced { kept_at, .. } = &opened.origin else {
            panic!("{:?}", opened.origin);
        };
        let aside = root.path().join(format!("tables.damaged-{round}"));
        assert_eq!(*kept_at, (round <= DAMAGED_KEPT_MAX).then_some(aside));
        assert_eq!(rows(&opened.tables), []);
        opened.tables.apply(put("a", "1")).unwrap();
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 4);
}

/// Every file below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    entries.flat_map(below).collect()
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_no_row() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open(&dir);
    let row = |n: usize| {
        (
            format!("{n}").into_bytes(),
            Some("value".repeat(n).into_bytes()),
        )
    };
    opened.tables.apply((0..50).map(row).collect()).unwrap();
    let expected = rows(&opened.tables);
    drop(opened);
    let mut refused = 0;
    for path in files(&dir.join("rows")) {
        let whole = fs::read(&path).unwrap();
        for n in 0..whole.len().min(24) {
            let at = n * whole.len() / whole.len().min(24);
            let copy = root.path().join("copy");
            copy_tree(&dir, &copy);
            let mut bytes = whole.clone();
            bytes[at] ^= 0x08;
            fs::write(copy.join(path.strip_prefix(&dir).unwrap()), bytes).unwrap();
            let opened = open(&copy);
            let scanned: Result<Vec<_>, _> = opened.tables.scan(&[]).collect();
            match (scanned, &opened.origin) {
                (Ok(found), TablesOrigin::Reopened) => assert_eq!(found, expected),
                _ => refused += 1,
            }
            drop(opened);
            for name in fs::read_dir(root.path()).unwrap() {
                let path = name.unwrap().path();
                if path != dir {
                    fs::remove_dir_all(path).unwrap();
                }
            }
        }
    }
    assert!(refused > 0);
}

#[test]
fn tables_in_use_are_refused_and_not_moved_aside() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let opened = open(&dir);
    let again = LsmTables::open(&dir, &BlockCache::of(CACHE));
    assert!(matches!(again, Err(TableError::Locked { .. })));
    opened.tables.apply(put("a", "1")).unwrap();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn after_a_failed_write_nothing_is_shown_until_the_tables_are_reopened() {
    let root = tempfile::tempdir().unwrap();
    let opened = open(&root.path().join("tables"));
    opened.tables.apply(put("a", "1")).unwrap();
    let mut scan = opened.tables.scan(&[]);
    opened.tables.shared.broken.store(true, Ordering::Release);
    assert!(opened.tables.get(b"a").is_err());
    assert!(matches!(
        opened.tables.apply(put("a", "2")),
        Err(TableError::Broken)
    ));
    assert!(scan.next().unwrap().is_err());
    assert!(scan.next().is_none());
}

#[test]
fn a_disk_that_takes_no_file_breaks_the_tables_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let tables = open(&dir).tables;
    tables.apply(put("a", "1")).unwrap();
    fs::remove_dir_all(dir.join("rows")).unwrap();
    tables.persist().unwrap_err();
    assert!(matches!(
        tables.apply(put("b", "2")),
        Err(TableError::Broken)
    ));
}

/// What the killed process writes: batch n sets 40 rows, `last` among them, to n, in values
/// that make a few hundred batches fill the memory.
fn numbered_batch(n: u32) -> Changes {
    let value = Some([&n.to_be_bytes()[..], &[7; 1_000]].concat());
    let row = |row: u32| (format!("row {}", (n + row * 7) % 500).into(), value.clone());
    let mut batch: Changes = (0..39).map(row).collect();
    batch.insert(b"last".to_vec(), value.clone());
    batch
}

/// The number of the first batch that `tables` do not hold.
fn next_batch(tables: &dyn Tables) -> u32 {
    let last = tables.get(b"last").unwrap();
    last.map_or(0, |last| {
        u32::from_be_bytes(last[..4].try_into().unwrap()) + 1
    })
}

const CHILD_DIR: &str = "ONRECORD_TEST_TABLES";

/// Not a test of its own: the process that the next one kills.
#[test]
fn writes_batches_until_it_is_killed_if_told_where() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let tables = open(Path::new(&dir)).tables;
    for n in next_batch(&tables).. {
        tables.apply(numbered_batch(n)).unwrap();
        eprintln!("applied {n}");
    }
}

#[test]
fn after_kill_9_the_tables_are_as_they_were_after_some_batch() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("tables");
    let child_test = concat!(
        "storage::lsm_tables::tests::",
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
        for _ in 0..220 + round * 83 {
            lines.next().unwrap().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let opened = open(&dir);
        if let TablesOrigin::Replaced { why, .. } = opened.origin {
            panic!("{why}");
        }
        let end = next_batch(&opened.tables);
        for n in applied..end {
            for (key, value) in numbered_batch(n) {
                expected.insert(key, value.unwrap());
            }
        }
        applied = end;
        let found: BTreeMap<_, _> = rows(&opened.tables).into_iter().collect();
        assert!(found == expected, "not the state after batch {end}");
        // Left as the kill left it: the next round begins where this one's files end.
        std::mem::forget(opened);
        let copy = root.path().join(format!("after-{round}"));
        copy_tree(&dir, &copy);
        fs::remove_dir_all(&dir).unwrap();
        fs::rename(&copy, &dir).unwrap();
    }
    assert!(applied > 0);
}
