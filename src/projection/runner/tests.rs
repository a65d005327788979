mod batches;
mod rebuilding;
mod shelf;
mod verifying;
mod versions;

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::fold::{Changes, Digest, FoldError, MemoryTables};
use crate::ledger::{DecodedFrame, Head};
use crate::merkle::empty_root;
use crate::projection::catalog::CatalogFold;
use crate::projection::fixtures::{Script, history};
use crate::projection::positions::PositionsFold;
use crate::projection::statements::StatementsFold;
use crate::projection::tiles::TilesFold;
use crate::record::Entry;
use crate::storage::{BlockCache, ProjectionStore as _};
use shelf::{Shelf, head};

fn folds() -> [Arc<dyn Fold>; 4] {
    [
        Arc::new(CatalogFold),
        Arc::new(StatementsFold),
        Arc::new(PositionsFold),
        Arc::new(TilesFold),
    ]
}

fn home(directory: &Path) -> Home {
    Home {
        directory: directory.join("projections"),
        cache: BlockCache::of(1 << 20),
    }
}

fn start(fold: &Arc<dyn Fold>, directory: &Path, shelf: &Arc<Shelf>) -> Runner {
    Runner::start(Arc::clone(fold), &home(directory), Arc::clone(shelf) as _).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(work)
}

fn wait_for(projection: &Projection, size: u64) -> Result<Cursor, NotFollowing> {
    let read = block_on(projection.wait_for(size));
    read.map(|read| read.cursor())
}

/// The directories of projections.
fn directories(directory: &Path) -> Vec<String> {
    let found = fs::read_dir(home(directory).directory).unwrap();
    let mut names: Vec<String> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The rows but for the cursor, and the cursor, once `size` entries are read.
fn read(runner: Runner, size: usize) -> (MemoryTables, Cursor) {
    let projection = runner.projection();
    let cursor = wait_for(&projection, size as u64).unwrap();
    assert!(runner.stop(deadline()));
    let rows = projection.tables().scan(&[]).map(Result::unwrap);
    let changes = rows
        .filter(|(key, _)| key[0] != 0)
        .map(|(key, value)| (key, Some(value)));
    let mut tables = MemoryTables::default();
    tables.apply(changes.collect());
    (tables, cursor)
}

/// The directory of a build of the catalog.
fn catalog(suffix: &str) -> String {
    format!("catalog-v{}{suffix}", CatalogFold.version())
}

/// Waits for what another thread is about to do.
fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        std::thread::yield_now();
    }
}

/// Far later than anything here takes.
fn deadline() -> Instant {
    Instant::now() + std::time::Duration::from_mins(1)
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Passes over all entries but one, at which it does what it is told.
struct Stumbling {
    at: u64,
    panics: bool,
}

impl Fold for Stumbling {
    fn name(&self) -> &'static str {
        "stumbling"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(&self, _state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        if entry.index != self.at {
            let row = (vec![1, u8::try_from(entry.index).unwrap()], Some(vec![]));
            return Ok(Changes::from([row]));
        }
        assert!(!self.panics, "as told");
        Err(FoldError::Entry {
            index: entry.index,
            problem: "as told".to_owned(),
        })
    }
}

fn some_script() -> Script {
    let mut script = Script::default();
    for number in 0..10 {
        script.source(&format!("source {number}"), "2025", 0);
    }
    script
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn frames_of_any_length_read_at_once_or_in_two_runs_give_what_entry_by_entry_gives(
        script in history(), length in 1..8_usize, break_at in any::<prop::sample::Index>(),
    ) {
        let size = script.entries.len();
        for fold in folds() {
            let (tables, digest) = script.fold(&*fold, size);
            let at_once = directory();
            let shelf = Shelf::of(&script.entries, length);
            let (found, cursor) = read(start(&fold, at_once.path(), &shelf), size);
            prop_assert_eq!(&found, &tables);
            prop_assert_eq!(cursor.digest, digest);
            prop_assert_eq!(cursor.root, shelf.head().root);

            let in_two = directory();
            let shelf = Arc::new(Shelf::default());
            let (first, second) = script.entries.split_at(break_at.index(size));
            for frame in first.chunks(length) {
                shelf.append(frame);
            }
            read(start(&fold, in_two.path(), &shelf), first.len());
            for frame in second.chunks(length) {
                shelf.append(frame);
            }
            let reopened = start(&fold, in_two.path(), &shelf);
            prop_assert!(reopened.projection().cursor().size >= first.len() as u64);
            let (found, cursor) = read(reopened, size);
            prop_assert_eq!(&found, &tables);
            prop_assert_eq!(cursor.digest, digest);
        }
    }

    #[test]
    fn a_replay_from_entry_0_gives_the_digest_of_the_live_state(script in history()) {
        for fold in folds() {
            let live = directory();
            let shelf = Arc::new(Shelf::default());
            let runner = start(&fold, live.path(), &shelf);
            let projection = runner.projection();
            for (size, entry) in (1..).zip(&script.entries) {
                shelf.append(std::slice::from_ref(entry));
                let cursor = wait_for(&projection, size).unwrap();
                prop_assert_eq!(cursor.size, size);
            }
            let (tables, cursor) = read(runner, script.entries.len());
            let replayed = directory();
            let shelf = Shelf::of(&script.entries, 5);
            let (again, replay) = read(start(&fold, replayed.path(), &shelf), script.entries.len());
            prop_assert_eq!(replay.digest, cursor.digest);
            prop_assert_eq!(again, tables);
        }
    }
}

#[test]
fn more_keys_than_a_batch_takes_are_read_in_several() {
    let mut script = Script::default();
    for number in 0..1000 {
        script.source(&format!("source {number}"), "2025", 0);
    }
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 3);
    let (tables, cursor) = read(start(&fold, directory.path(), &shelf), 1000);
    assert_eq!((tables, cursor.digest), script.fold(&*fold, 1000));
}

#[test]
fn rows_that_contradict_the_ledger_are_built_again() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let expected = script.fold(&*fold, 10);
    let mut other = Script::default();
    other.actor("head", crate::record::proto::ActorKind::Person, "");
    other.entries.extend_from_slice(&script.entries[1..]);

    // Another history; two of which no frame ends at the cursor.
    for (before, length, read_before) in [(&other, 2, 10), (&script, 1, 4), (&script, 3, 3)] {
        let directory = directory();
        let shelf = Shelf::of(&before.entries[..read_before], length);
        read(start(&fold, directory.path(), &shelf), read_before);
        let shelf = Shelf::of(&script.entries, 5);
        let (tables, cursor) = read(start(&fold, directory.path(), &shelf), 10);
        assert_eq!((tables, cursor.digest), expected);
    }
}

#[test]
fn a_ledger_that_is_shorter_than_what_was_read_of_it_is_not_followed() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    read(
        start(&fold, directory.path(), &Shelf::of(&script.entries, 5)),
        10,
    );
    for held in [0, 5] {
        let shelf = Shelf::of(&script.entries[..held], 5);
        let started = Runner::start(Arc::clone(&fold), &home(directory.path()), shelf);
        let error = started.unwrap_err().to_string();
        assert!(
            error.contains(&format!(
                "holds {held}, and the projection catalog has read 10"
            )),
            "{error}"
        );
    }
    // Nothing was taken from the rows.
    let shelf = Shelf::of(&script.entries, 5);
    assert_eq!(
        start(&fold, directory.path(), &shelf)
            .projection()
            .cursor()
            .size,
        10
    );
}

#[test]
fn rows_without_a_cursor_are_built_again() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let home = home(directory.path());
    fs::create_dir(&home.directory).unwrap();
    let path = home.directory.join(catalog(""));
    let stray = LsmTables::open(&path, &home.cache).unwrap().tables;
    let row = (vec![b'a', 1], Some(vec![2]));
    stray.apply(Changes::from([row])).unwrap();
    drop(stray);
    let shelf = Shelf::of(&script.entries, 5);
    let (tables, _) = read(start(&fold, directory.path(), &shelf), 10);
    assert_eq!(tables, script.fold(&*fold, 10).0);
}

#[test]
fn a_fold_that_fails_stops_its_projection_at_its_entry_and_keeps_what_came_before() {
    let script = some_script();
    for panics in [false, true] {
        let fold: Arc<dyn Fold> = Arc::new(Stumbling { at: 7, panics });
        let directory = directory();
        let shelf = Shelf::of(&script.entries, 3);
        let runner = start(&fold, directory.path(), &shelf);
        let projection = runner.projection();
        let refused = wait_for(&projection, 10).unwrap_err();
        let Status::Failed { index, reason } = &refused.status else {
            panic!("{refused:?}");
        };
        if panics {
            assert!(reason.contains("panicked"), "{reason}");
        } else {
            assert_eq!(*index, 7);
            assert_eq!(reason, "entry 7: as told");
            assert_eq!(refused.size, 6);
            assert_eq!(wait_for(&projection, 6).unwrap().size, 6);
            assert_eq!(projection.tables().scan(&[1]).count(), 6);
        }
        assert_eq!(projection.status(), refused.status);
        drop(runner);
        assert_eq!(projection.status(), refused.status);
    }
}

#[test]
fn a_runner_that_is_stopped_ends_its_waits_and_lets_go_of_its_rows() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 3);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    let waiting = {
        let projection = projection.clone();
        std::thread::spawn(move || wait_for(&projection, 11))
    };
    wait_for(&projection, 10).unwrap();
    assert!(runner.stop(deadline()));
    let ended = waiting.join().unwrap().unwrap_err();
    assert_eq!((ended.size, ended.status), (10, Status::Stopped));
    drop(projection);
    // Opening again does not find them in use.
    read(start(&fold, directory.path(), &shelf), 10);
}

/// Never lets go of whoever waits for more.
struct Hanging;

impl EntrySource for Hanging {
    fn head(&self) -> Head {
        head(&[])
    }

    fn frame_at(&self, _: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError> {
        Ok(None)
    }

    fn wait_beyond(&self, _: u64, _: &AtomicBool) -> Option<Head> {
        loop {
            std::thread::park();
        }
    }

    fn wake(&self) {}
}

#[test]
fn a_runner_that_hangs_is_left_behind_at_the_deadline() {
    let directory = directory();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let runner = Runner::start(fold, &home(directory.path()), Arc::new(Hanging)).unwrap();
    assert!(!runner.stop(Instant::now()));
}

#[test]
fn a_projection_that_has_read_nothing_says_so() {
    let fold: Arc<dyn Fold> = Arc::new(PositionsFold);
    let directory = directory();
    let shelf = Arc::new(Shelf::default());
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    let version = PositionsFold.version();
    assert_eq!(
        (projection.name(), projection.version()),
        ("positions", version)
    );
    let cursor = Cursor {
        size: 0,
        root: empty_root(),
        digest: Digest::start("positions", version),
    };
    assert_eq!(projection.cursor(), cursor);
    assert_eq!(projection.status(), Status::Following);
    assert!(runner.stop(deadline()));
    drop(projection);
    let reopened = start(&fold, directory.path(), &shelf);
    assert_eq!(reopened.projection().cursor(), cursor);
}
