//! How the history of a statement is kept under its pairs, and found again.

use std::collections::BTreeSet;

use super::*;
use crate::fold::Changes;
use crate::projection::positions::fold::fold_next;
use crate::projection::positions::history::{Pair, heard_of};
use crate::projection::positions::index::Memory;
use crate::projection::positions::{HEARD, Standings, entries_about, entries_between};

/// Signs what an entry brought.
fn attest(script: &mut Script, signer: u8, entry: u64) -> u64 {
    let key = crate::record::VerifierKey::check(&crate::projection::fixtures::key(signer));
    let record = script.id(entry).to_string();
    script.put(
        &[1],
        Kind::AttestationAdded(proto::AttestationAdded {
            record,
            verifiers: vec![key.unwrap().to_string()],
            ..proto::AttestationAdded::default()
        }),
    )
}

/// What comes to a statement from when it bears on nothing to when it bears on four pairs, each
/// named by another entry: the entries, and the holder that each of them names, if it names one.
fn grown(script: &mut Script) -> Vec<(u64, Option<&'static str>)> {
    let supports = |holder: &str| answer("meeting", holder, Polarity::Supports);
    let unread = statement("aide", &[], "2025-08-15", Vec::new());
    let own = script.record(unread.clone());
    let mut done = vec![(own, None)];
    done.push((script.add_evidence(own, "a"), None));
    // Something else comes between, so that entries do not follow one another.
    script.source("b", "2025-08-25", CAPTURED);
    let read = script.read(&[2], own, supports("public"));
    done.push((read, Some("public")));
    script.source("c", "2025-08-25", CAPTURED);
    done.push((attest(script, 3, read), None));
    done.push((script.read(&[2], own, supports("head")), Some("head")));
    done.push((script.add_evidence(own, "b"), None));
    let mut corrected = unread;
    corrected.readings = vec![supports("office")];
    let corrected = script.correct(own, corrected);
    done.push((corrected, Some("office")));
    script.source("d", "2025-08-25", CAPTURED);
    done.push((attest(script, 3, corrected), None));
    // An actor that sorts before the others, as rows are read under the first.
    done.push((script.read(&[4], own, supports("aide")), Some("aide")));
    done.push((script.add_evidence(own, "c"), None));
    done.push((script.retract(own), None));
    done
}

fn meeting(actor: &str) -> Pair {
    Pair {
        actor: slug(actor),
        topic: slug("meeting"),
    }
}

#[test]
fn a_history_is_whole_under_every_pair_that_it_came_to_bear_on_with_the_readings_of_that() {
    let mut script = actors();
    let done = grown(&mut script);
    let (own, last) = (done[0].0, done[done.len() - 1].0);
    let tables = script.tables(&PositionsFold);
    for actor in ["aide", "head", "office", "public"] {
        // From any of its rows down.
        for (newest, _) in &done {
            let bears = done.iter().position(|it| it.1 == Some(actor)).unwrap();
            let changed = heard_of(&tables, &meeting(actor), own, *newest).unwrap();
            let known = done.iter().filter(|(entry, _)| entry <= newest);
            let known: Vec<u64> = known.map(|(entry, _)| *entry).collect();
            assert_eq!(
                changed.keys().copied().collect::<Vec<_>>(),
                known,
                "{actor}"
            );
            let reading = changed.iter().filter(|(_, it)| !it.readings().is_empty());
            let reading: Vec<u64> = reading.map(|(entry, _)| *entry).collect();
            let named = Some(done[bears].0).filter(|entry| entry <= newest);
            assert_eq!(reading, named.into_iter().collect::<Vec<_>>(), "{actor}");
        }
    }
    let about = |known_at| entries_about(&tables, own, known_at).unwrap();
    let all: Vec<u64> = done.iter().map(|(entry, _)| *entry).collect();
    assert_eq!(about(u64::MAX), all);
    assert_eq!(about(last), all[..all.len() - 1]);
}

#[test]
fn how_a_statement_stands_is_told_by_the_readings_under_all_its_pairs() {
    let mut script = actors();
    let done = grown(&mut script);
    let tables = script.tables(&PositionsFold);
    let retracted = done[done.len() - 1].0;
    for known_at in [retracted, u64::MAX] {
        let standings = Standings::at(&tables, known_at).unwrap();
        let standing = standings.of(&script.id(done[0].0)).unwrap().unwrap();
        let read = [2, 4, 8].map(|place: usize| done[place].0);
        assert_eq!(standing.readings, BTreeSet::from(read));
        assert_eq!(standing.version, done[6].0);
        assert_eq!(standing.untrusted, BTreeSet::new());
        let retraction = Some(retracted).filter(|it| *it < known_at);
        assert_eq!(standing.retraction, retraction);
    }
}

#[test]
fn what_coders_read_as_something_else_is_not_named_among_what_changed_a_position() {
    let mut script = actors();
    let own = script.record(said("aide", &["palace"], "2025-08-15"));
    let from = script.entries.len() as u64;
    let public = script.read(&[2], own, answer("meeting", "public", Polarity::Opposes));
    script.read(&[2], own, answer("treaty", "", Polarity::Opposes));
    let meeting = script.read(&[2], own, answer("meeting", "", Polarity::Opposes));
    // What was done before it came to bear on the treaty was copied there.
    let tables = script.tables(&PositionsFold);
    let range = from..script.entries.len() as u64;
    let named = |actor| {
        let subject = subject(actor, None);
        entries_between(&tables, &subject, false, range.clone()).unwrap()
    };
    assert_eq!(named("aide"), BTreeSet::from([meeting]));
    assert_eq!(named("palace"), BTreeSet::from([meeting]));
    assert_eq!(named("public"), BTreeSet::from([public]));
}

#[test]
fn a_chain_of_rows_that_is_broken_is_damage_and_nothing_else() {
    let mut script = actors();
    let own = script.record(said("aide", &["palace"], "2025-08-15"));
    script.source("b", "2025-08-25", CAPTURED);
    let middle = script.add_evidence(own, "b");
    let newest = script.add_evidence(own, "a");
    let pair = meeting("palace");
    let key = |entry: u64| {
        let above = u8::try_from(entry - own).unwrap();
        let key = Pair::key(&pair.actor, &pair.topic).index(own);
        key.bytes(&[above]).into_bytes()
    };
    let whole = script.tables(&PositionsFold);
    let row = whole.get(&key(middle)).unwrap().unwrap();
    assert_eq!(u64::from(row[0]), middle - own);
    let since = |since: u8| {
        let mut row = row.clone();
        row[0] = since;
        Some(row)
    };
    // On the row itself, on one that is not there, beyond the first, below everything, and none.
    for row in [since(0), since(1), since(3), since(0x7f), None] {
        let mut tables = script.tables(&PositionsFold);
        tables.apply(Changes::from([(key(middle), row)]));
        let found = heard_of(&tables, &pair, own, newest);
        let is_damage = matches!(&found, Err(FoldError::Row { table }) if *table == HEARD.name);
        assert!(is_damage, "{found:?}");
    }
    // A row that is asked for and not there.
    assert!(heard_of(&whole, &pair, own, newest + 1).is_err());
    assert!(heard_of(&whole, &pair, own, own - 1).is_err());
}

/// Tables that count how often histories are read of them.
struct Histories<'a> {
    tables: &'a MemoryTables,
    read: Cell<usize>,
}

impl Histories<'_> {
    fn note(&self, key: &[u8]) {
        let is_history = key.first() == Some(&HEARD.byte);
        self.read.set(self.read.get() + usize::from(is_history));
    }
}

impl Tables for Histories<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.note(key);
        self.tables.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        if let Bound::Included(key) | Bound::Excluded(key) = start {
            self.note(key);
        }
        self.tables.rows(start, order)
    }
}

#[test]
fn a_seal_reads_no_history_of_what_was_recorded_since_the_last_and_is_remembered() {
    let mut script = actors();
    for day in 10..28 {
        script.record(said("aide", &["palace"], &format!("2025-08-{day}")));
    }
    let (mut tables, mut memory) = (MemoryTables::default(), Memory::default());
    let [mut remembering, mut forgetting] = [0, 0];
    for entry in &script.entries {
        let counted = Histories {
            tables: &tables,
            read: Cell::new(0),
        };
        let changes = fold_next(&mut memory, &counted, entry, &Shape::SMALLEST).unwrap();
        remembering += counted.read.take();
        assert_eq!(fold(&counted, entry, &Shape::SMALLEST).unwrap(), changes);
        forgetting += counted.read.take();
        tables.apply(changes);
    }
    assert_eq!(remembering, 0);
    assert!(forgetting > 0);
}
