//! A new version of a fold, beside the tables of an older one.

use super::*;

/// Notes each entry, with its own version as the value.
struct Versioned {
    version: u32,
    readable: &'static [u32],
}

impl Fold for Versioned {
    fn name(&self) -> &'static str {
        "versioned"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn readable_versions(&self) -> &'static [u32] {
        self.readable
    }

    fn fold(&self, _state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let key = [&[b'n'][..], &entry.index.to_be_bytes()].concat();
        let value = self.version.to_be_bytes().to_vec();
        Ok(Changes::from([(key, Some(value))]))
    }
}

fn version(version: u32, readable: &'static [u32]) -> Arc<dyn Fold> {
    Arc::new(Versioned { version, readable })
}

/// How many rows there are, and which version wrote the first.
fn shown(projection: &Projection) -> (usize, u32) {
    let rows: Vec<_> = projection
        .tables()
        .scan(b"n")
        .map(|row| row.unwrap().1)
        .collect();
    let first = rows[0][..].try_into().unwrap();
    (rows.len(), u32::from_be_bytes(first))
}

#[test]
fn an_older_version_that_can_be_read_answers_where_it_stands_until_the_new_one_is_built() {
    let script = some_script();
    let directory = directory();
    let shelf = Shelf::of(&script.entries[..8], 2);
    read(start(&version(1, &[]), directory.path(), &shelf), 8);
    // Two releases later: the newest that can be read answers.
    read(start(&version(3, &[]), directory.path(), &shelf), 8);
    shelf.close(4);
    let runner = start(&version(4, &[3, 1]), directory.path(), &shelf);
    let projection = runner.projection();
    shelf.wait_for_somebody();
    shelf.append(&script.entries[8..]);
    let answering = projection.snapshot().unwrap();
    assert_eq!((answering.version(), answering.cursor().size), (3, 8));
    assert_eq!((projection.version(), shown(&projection)), (3, (8, 3)));
    let building = projection.building().unwrap();
    assert_eq!((building.version, building.total), (4, 8));
    assert_eq!(projection.status(), Status::Following);
    let refused = projection.verify().unwrap_err();
    assert!(matches!(
        refused,
        RebuildError::OtherVersion {
            answering: 3,
            building: 4
        }
    ));
    shelf.open();
    assert_eq!(wait_for(&projection, 10).unwrap().size, 10);
    assert_eq!((projection.version(), shown(&projection)), (4, (10, 4)));
    assert_eq!(projection.building(), None);
    // The old tables answer whoever took hold of them.
    assert_eq!((answering.version(), answering.scan(b"n").count()), (3, 8));
    drop(answering);
    wait_until(|| directories(directory.path()) == ["versioned-v4.2"]);
    assert!(runner.stop(deadline()));
}

#[test]
fn nothing_answers_where_no_older_version_can_be_read_until_the_new_one_is_built() {
    let script = some_script();
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    read(start(&version(1, &[]), directory.path(), &shelf), 10);
    shelf.close(4);
    let runner = start(&version(2, &[]), directory.path(), &shelf);
    let projection = runner.projection();
    shelf.wait_for_somebody();
    assert!(projection.snapshot().is_none());
    assert!(projection.tables().get(b"n").is_err());
    assert!(projection.tables().scan(b"n").next().unwrap().is_err());
    assert_eq!((projection.version(), projection.cursor().size), (2, 0));
    assert_eq!(projection.building().unwrap().total, 10);
    assert!(matches!(projection.verify(), Err(RebuildError::NotBuilt)));
    shelf.open();
    assert_eq!(wait_for(&projection, 0).unwrap().size, 10);
    assert_eq!(shown(&projection), (10, 2));
    wait_until(|| directories(directory.path()) == ["versioned-v2.1"]);
    assert!(runner.stop(deadline()));
}

#[test]
fn a_release_that_is_taken_back_finds_its_tables_if_the_newer_ones_were_not_finished() {
    let script = some_script();
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 2);
    let (_, cursor) = read(start(&version(1, &[]), directory.path(), &shelf), 10);
    shelf.close(4);
    let newer = start(&version(2, &[]), directory.path(), &shelf);
    shelf.wait_for_somebody();
    let hands: Vec<_> = newer.tell_to_stop().collect();
    shelf.open();
    for hand in hands {
        assert!(hand.ended_by(deadline()));
    }
    drop(newer);
    assert_eq!(
        directories(directory.path()),
        ["versioned-v1", "versioned-v2.1"]
    );
    let older = start(&version(1, &[]), directory.path(), &shelf);
    assert_eq!(older.projection().cursor(), cursor);
    assert_eq!(directories(directory.path()), ["versioned-v1"]);
}

#[test]
fn older_rows_that_the_ledger_contradicts_answer_nothing() {
    let script = some_script();
    let mut other = Script::default();
    other.actor("head", crate::record::proto::ActorKind::Person, "");
    other.entries.extend_from_slice(&script.entries[1..]);
    let directory = directory();
    let shelf = Shelf::of(&other.entries, 2);
    read(start(&version(1, &[]), directory.path(), &shelf), 10);
    let shelf = Shelf::of(&script.entries, 2);
    shelf.close(0);
    let runner = start(&version(2, &[1]), directory.path(), &shelf);
    let projection = runner.projection();
    shelf.wait_for_somebody();
    assert!(projection.snapshot().is_none());
    shelf.open();
    assert_eq!(wait_for(&projection, 10).unwrap().size, 10);
    assert_eq!(projection.version(), 2);
    assert!(runner.stop(deadline()));
}
