//! What bounds a batch.

use super::*;
use crate::projection::runner::builds::Builds;
use crate::projection::runner::folding::{Folding, Pace};
use crate::projection::runner::projection::Opened;

/// Changes so many rows by every entry, each of so many bytes.
struct Writes {
    rows: u16,
    bytes: usize,
}

impl Fold for Writes {
    fn name(&self) -> &'static str {
        "writes"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(&self, _state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let rows = (0..self.rows).map(|row| {
            let key = [&[1][..], &entry.index.to_be_bytes(), &row.to_be_bytes()];
            (key.concat(), Some(vec![0; self.bytes]))
        });
        Ok(rows.collect())
    }
}

/// How far the first batch of those goes that follow a ledger, in frames of `length` entries.
fn first_batch(fold: Writes, entries: &[Entry], length: usize) -> u64 {
    let directory = directory();
    let home = home(directory.path());
    let fold: Arc<dyn Fold> = Arc::new(fold);
    let (builds, _) = Builds::find(&home, &*fold).unwrap();
    let build = builds.next();
    let tables = LsmTables::open(&build.path, &home.cache).unwrap().tables;
    let opened = Arc::new(Opened { build, tables });
    let start = Cursor::start(&*fold);
    let shelf = Shelf::of(entries, length);
    let mut folding = Folding::new(fold, shelf, opened, start);
    folding
        .advance(entries.len() as u64, Pace::Following)
        .unwrap();
    folding.cursor.size
}

#[test]
fn a_batch_ends_with_the_frame_that_fills_it_by_keys_bytes_or_entries() {
    let one = some_script().entries.swap_remove(0);
    let at = |index| Entry {
        index,
        ..one.clone()
    };
    let entries: Vec<Entry> = (0..9_000).map(at).collect();
    let first_batch = |rows, bytes, length| first_batch(Writes { rows, bytes }, &entries, length);
    // Of 4096 keys.
    assert_eq!(first_batch(128, 0, 1), 32);
    assert_eq!(first_batch(128, 0, 5), 35);
    // Of 1 MiB.
    assert_eq!(first_batch(1, 32 << 10, 1), 32);
    // Of 4096 entries, although nothing is changed.
    assert_eq!(first_batch(0, 0, 64), 4_096);
    assert_eq!(first_batch(0, 0, 1_000), 5_000);
}
