//! Building beside what answers.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// The last step of a build.
fn end(steps: &mut Steps<RebuildStep>) -> RebuildStep {
    block_on(async {
        let mut last = None;
        while let Some(step) = steps.next().await {
            let is_last = !matches!(step, RebuildStep::Folding(_));
            last = Some(step);
            if is_last {
                break;
            }
        }
        last.unwrap()
    })
}

fn rows(tables: &dyn Tables) -> Vec<crate::fold::Row> {
    tables.scan(&[]).map(Result::unwrap).collect()
}

#[test]
fn a_rebuild_gives_the_rows_and_the_digest_of_what_answers_meanwhile() {
    let mut script = some_script();
    for fold in folds() {
        let directory = directory();
        let shelf = Shelf::of(&script.entries[..9], 3);
        let runner = start(&fold, directory.path(), &shelf);
        let projection = runner.projection();
        wait_for(&projection, 9).unwrap();

        shelf.close(6);
        let mut rebuild = projection.rebuild().unwrap();
        shelf.wait_for_somebody();
        // What answers follows the ledger as before.
        shelf.append(&script.entries[9..10]);
        assert_eq!(wait_for(&projection, 10).unwrap().size, 10);
        assert_eq!(projection.building().unwrap().total, 9);
        let again = projection.rebuild().unwrap_err();
        assert!(matches!(again, RebuildError::UnderWay { .. }), "{again}");
        let before = (rows(projection.tables()), projection.cursor());

        shelf.open();
        let RebuildStep::Swapped { cursor, .. } = end(&mut rebuild) else {
            panic!("it is not swapped in");
        };
        assert_eq!((cursor, projection.building()), (before.1, None));
        assert_eq!((rows(projection.tables()), projection.cursor()), before);
        let name = fold.name();
        let version = fold.version();
        assert_eq!(
            directories(directory.path()),
            [format!("{name}-v{version}.1")]
        );

        // It follows, and is found again.
        drop(rebuild);
        script.source("one more", "2025", 0);
        shelf.append(&script.entries[10..]);
        let (tables, cursor) = read(runner, 11);
        assert_eq!((tables, cursor.digest), script.fold(&*fold, 11));
        drop(projection);
        let reopened = start(&fold, directory.path(), &shelf);
        assert_eq!(reopened.projection().cursor(), cursor);
        script.entries.truncate(10);
    }
}

#[test]
fn a_rebuild_that_is_given_up_leaves_nothing_behind() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 1);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    let cursor = wait_for(&projection, 10).unwrap();
    let before = rows(projection.tables());

    shelf.close(0);
    let mut rebuild = projection.rebuild().unwrap();
    shelf.wait_for_somebody();
    assert_eq!(directories(directory.path()).len(), 2);
    rebuild.given_up().store(true, Ordering::Release);
    shelf.open();
    assert_eq!(end(&mut rebuild), RebuildStep::Stopped);
    assert_eq!(directories(directory.path()), [catalog("")]);
    assert_eq!(
        (rows(projection.tables()), projection.cursor()),
        (before, cursor)
    );
    assert!(projection.rebuild().is_ok(), "another can be asked for");
    assert!(runner.stop(deadline()));
}

#[test]
fn what_a_kill_left_of_a_rebuild_goes_at_the_next_start() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    let (tables, cursor) = read(start(&fold, directory.path(), &shelf), 10);
    let projections = home(directory.path()).directory;
    for left in [catalog(".1"), catalog(".7"), catalog(".7.damaged-1")] {
        fs::create_dir(projections.join(left)).unwrap();
    }
    // Another projection's.
    fs::create_dir(projections.join("catalogs-v1")).unwrap();
    let runner = start(&fold, directory.path(), &shelf);
    assert_eq!(runner.projection().cursor(), cursor);
    let left = [
        catalog(""),
        catalog(".7.damaged-1"),
        "catalogs-v1".to_owned(),
    ];
    wait_until(|| directories(directory.path()) == left);
    assert_eq!(read(runner, 10), (tables, cursor));
}

#[test]
fn a_rebuild_that_was_swapped_in_just_before_a_kill_is_what_the_next_start_finds() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    let (_, cursor) = read(start(&fold, directory.path(), &shelf), 10);
    let projections = home(directory.path()).directory;
    let first = projections.join(catalog(""));
    fs::rename(&first, projections.join(catalog(".1"))).unwrap();
    let elsewhere = self::directory();
    let older = Shelf::of(&script.entries[..4], 2);
    read(start(&fold, elsewhere.path(), &older), 4);
    fs::rename(home(elsewhere.path()).directory.join(catalog("")), first).unwrap();
    let runner = start(&fold, directory.path(), &shelf);
    assert_eq!(runner.projection().cursor(), cursor);
    assert_eq!(directories(directory.path()), [catalog(".1")]);
}

#[test]
fn a_first_build_that_was_cut_short_is_gone_on_with() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    let (tables, cursor) = read(start(&fold, directory.path(), &shelf), 10);
    fs::remove_file(home(directory.path()).directory.join(catalog("/BUILT"))).unwrap();
    let mut more = script;
    more.source("one more", "2025", 0);
    shelf.append(&more.entries[10..]);
    let shelf_again = Shelf::of(&more.entries[..10], 2);
    shelf_again.append(&more.entries[10..]);
    let (found, after) = read(start(&fold, directory.path(), &shelf_again), 11);
    assert_ne!((found, after), (tables, cursor));
    assert_eq!(shelf_again.lowest_read(), Some(10), "it did not begin anew");
    assert_eq!(after.digest, more.fold(&*fold, 11).1);
}

#[test]
fn whoever_has_begun_to_read_goes_on_with_the_old_rows_and_they_go_with_the_last_reader() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    wait_for(&projection, 10).unwrap();
    let expected = rows(projection.tables());
    let mut reading = projection.tables().scan(&[]);
    let mut read: Vec<_> = reading.by_ref().take(2).map(Result::unwrap).collect();
    let mut rebuild = projection.rebuild().unwrap();
    assert!(matches!(end(&mut rebuild), RebuildStep::Swapped { .. }));
    assert_eq!(directories(directory.path()), [catalog(""), catalog(".1")]);
    read.extend(reading.by_ref().map(Result::unwrap));
    assert_eq!(read, expected);
    drop(reading);
    // The thread that follows lets go of them, too.
    wait_until(|| directories(directory.path()) == [catalog(".1")]);
    assert!(runner.stop(deadline()));
}

/// Fails at an entry for as long as it is told to.
struct Mended {
    at: u64,
    fails: Arc<AtomicBool>,
}

impl Fold for Mended {
    fn name(&self) -> &'static str {
        "mended"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let told = self.fails.load(Ordering::Acquire);
        let fold = Stumbling {
            at: if told { self.at } else { u64::MAX },
            panics: false,
        };
        fold.fold(state, entry)
    }
}

#[test]
fn a_rebuild_that_fails_says_where_and_what_answers_goes_on() {
    let script = some_script();
    let fails = Arc::<AtomicBool>::default();
    let fold: Arc<dyn Fold> = Arc::new(Mended {
        at: 7,
        fails: Arc::clone(&fails),
    });
    let directory = directory();
    let shelf = Shelf::of(&script.entries[..9], 3);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    wait_for(&projection, 9).unwrap();
    fails.store(true, Ordering::Release);
    let mut rebuild = projection.rebuild().unwrap();
    let failed = end(&mut rebuild);
    assert!(
        matches!(&failed, RebuildStep::Failed { index: 7, reason } if reason == "entry 7: as told"),
        "{failed:?}"
    );
    assert_eq!(projection.status(), Status::Following);
    shelf.append(&script.entries[9..10]);
    assert_eq!(wait_for(&projection, 10).unwrap().size, 10);
    assert_eq!(directories(directory.path()), ["mended-v1"]);
    assert!(runner.stop(deadline()));
}

#[test]
fn a_projection_that_failed_is_healed_by_a_rebuild() {
    let script = some_script();
    let fails = Arc::new(AtomicBool::new(true));
    let fold: Arc<dyn Fold> = Arc::new(Mended {
        at: 7,
        fails: Arc::clone(&fails),
    });
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 3);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    let stopped = wait_for(&projection, 10).unwrap_err();
    assert!(matches!(stopped.status, Status::Failed { index: 7, .. }));
    fails.store(false, Ordering::Release);
    let mut rebuild = projection.rebuild().unwrap();
    assert!(matches!(end(&mut rebuild), RebuildStep::Swapped { .. }));
    assert_eq!(wait_for(&projection, 10).unwrap().size, 10);
    assert_eq!(projection.status(), Status::Following);
    assert!(runner.stop(deadline()));
}
