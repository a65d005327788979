use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::fold::post;
use super::rows::{Heading, OPEN, SEALED, key};
use super::*;
use crate::fold::{Changes, MemoryTables};
use crate::projection::fixtures::{CAPTURED, Script, answer, history, slug, source_id, statement};
use crate::record::proto::{self, Polarity, record::Kind};
use crate::record::{ContentId, Date, subjects};

const ORDERS: [Order; 2] = [Order::Ascending, Order::Descending];

fn about(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<Subject> {
    let subject = |number| Subject::Verifier([number; 32]);
    numbers.into_iter().map(subject).collect()
}

/// Everything that a search comes past from an index on, with so many looks a turn.
fn all(mut search: Search<'_>, from: u64, looks_a_turn: usize) -> Vec<u64> {
    let mut found = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next {
        let mut looks = looks_a_turn;
        next = match search.seek(from, &mut looks).unwrap() {
            Step::Found(index) => {
                found.push(index);
                search.beyond(index)
            }
            Step::Paused(at) => {
                assert_eq!(looks, 0, "it paused before it had to");
                Some(at)
            }
            Step::End => None,
        };
    }
    found
}

/// What a slow reader finds: of all entries, in this order from this index on, those that the
/// filter wants.
fn slowly(
    entries: &BTreeMap<u64, BTreeSet<Subject>>,
    filter: &EntryFilter,
    from: u64,
    order: Order,
) -> Vec<u64> {
    let wanted = entries.iter().filter(|(_, about)| filter.matches(about));
    let wanted = wanted.map(|(index, _)| *index);
    match order {
        Order::Ascending => wanted.filter(|index| *index >= from).collect(),
        Order::Descending => wanted.rev().filter(|index| *index <= from).collect(),
    }
}

/// What entries are about, by index. Subject 0 is in most, each further one in fewer.
fn ledger() -> impl Strategy<Value = BTreeMap<u64, BTreeSet<Subject>>> {
    let entry = (any::<[u8; 4]>(), 1..4_u64);
    prop::collection::vec(entry, 0..600).prop_map(|entries| {
        let mut index = 0;
        let mut ledger = BTreeMap::new();
        for (dice, step) in entries {
            index += step;
            let present = |(number, roll): (u8, u8)| roll < 250 >> (2 * number);
            let numbers = (0..4).zip(dice).filter(|it| present(*it));
            ledger.insert(index, about(numbers.map(|(number, _)| number)));
        }
        ledger
    })
}

fn posted(ledger: &BTreeMap<u64, BTreeSet<Subject>>) -> MemoryTables {
    let mut tables = MemoryTables::default();
    for (index, about) in ledger {
        let mut changes = Changes::new();
        for subject in about {
            assert!(post(&mut changes, &tables, Heading::About(subject), *index).unwrap());
        }
        tables.apply(changes);
    }
    tables
}

proptest! {
    #[test]
    fn a_search_finds_what_a_reader_of_all_entries_finds(
        ledger in ledger(),
        wanted in prop::collection::btree_set(0..5_u8, 1..4),
        from in 0..1_500_u64,
        looks in 1..20_usize,
    ) {
        let tables = posted(&ledger);
        let filter = EntryFilter { about: about(wanted), ..EntryFilter::default() };
        for order in ORDERS {
            let search = entries(&tables, &filter, order).unwrap();
            prop_assert_eq!(all(search, from, looks), slowly(&ledger, &filter, from, order));
        }
    }

    #[test]
    fn a_search_that_begins_anew_at_any_place_goes_on_as_one_that_never_stopped(
        ledger in ledger(),
        wanted in prop::collection::btree_set(0..3_u8, 1..3),
        starts in prop::collection::btree_set(0..1_500_u64, 1..40),
    ) {
        let tables = posted(&ledger);
        let filter = EntryFilter { about: about(wanted), ..EntryFilter::default() };
        for order in ORDERS {
            let mut starts: Vec<u64> = starts.iter().copied().collect();
            if order == Order::Descending {
                starts.reverse();
            }
            let mut kept = entries(&tables, &filter, order).unwrap();
            for from in starts {
                let mut fresh = entries(&tables, &filter, order).unwrap();
                let (mut one, mut other) = (usize::MAX, usize::MAX);
                prop_assert_eq!(
                    kept.seek(from, &mut one).unwrap(),
                    fresh.seek(from, &mut other).unwrap()
                );
            }
        }
    }

    #[test]
    fn a_search_misses_nothing_known_to_it_while_blocks_are_sealed(
        ledger in ledger(), known in 0..600_usize, rows_read in 0..8_usize,
    ) {
        // The rows as they were when the search began, for its first reads; then as they are
        // once everything is posted.
        let known: BTreeMap<_, _> = ledger.iter().take(known).map(|(k, v)| (*k, v.clone())).collect();
        let growing = Growing {
            before: posted(&known),
            after: posted(&ledger),
            reads_left: rows_read.into(),
        };
        let filter = EntryFilter { about: about([0, 1]), ..EntryFilter::default() };
        let Some((last, _)) = known.last_key_value() else { return Ok(()) };
        for (order, from) in [(Order::Ascending, 0), (Order::Descending, *last)] {
            growing.reads_left.set(rows_read);
            let mut found = all(entries(&growing, &filter, order).unwrap(), from, 7);
            found.retain(|index| index <= last);
            prop_assert_eq!(found, slowly(&known, &filter, from, order));
        }
    }

    #[test]
    fn a_history_s_entries_are_found_by_kind_and_subjects(script in history(), looks in 1..9_usize) {
        let tables = script.tables(&PostingsFold);
        let ledger: BTreeMap<_, _> = script.entries.iter().map(|it| (it.index, subjects(it))).collect();
        let known: BTreeSet<Subject> = ledger.values().flatten().cloned().collect();
        let last = ledger.len() as u64;
        let kinds = [RecordKind::StatementRecorded, RecordKind::ReadingAdded];
        for subject in known {
            for kinds in [&kinds[..0], &kinds[..1], &kinds] {
                let filter = EntryFilter {
                    kinds: kinds.iter().copied().collect(),
                    about: [subject.clone()].into(),
                };
                for (order, from) in [(Order::Ascending, 0), (Order::Descending, last)] {
                    let search = entries(&tables, &filter, order).unwrap();
                    prop_assert_eq!(all(search, from, looks), slowly(&ledger, &filter, from, order));
                }
            }
        }
    }

    #[test]
    fn every_statement_is_found_by_all_that_was_ever_said_of_it(script in history()) {
        let tables = script.tables(&PostingsFold);
        for (introduced, about) in said_of_statements(&script) {
            for subject in about {
                for (order, from) in [(Order::Ascending, 0), (Order::Descending, u64::MAX)] {
                    let found = all(statements(&tables, &[subject.clone()].into(), None, order), from, 99);
                    prop_assert!(found.contains(&introduced), "{subject:?}: {found:?}");
                    prop_assert!(found.iter().all(|index| script.introduces(*index)));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_statement_is_found_by_every_time_at_which_it_was_ever_said_to_be_said(
        script in history(), from in -40..40_i64, days in 1..3_000_i64,
    ) {
        let tables = script.tables(&PostingsFold);
        let from = CAPTURED + from * 86_400;
        let asked = Interval { earliest: from, latest: from + days * 86_400 };
        for (introduced, times) in times_of_statements(&script) {
            let meets = |said: &Interval| said.meets(asked);
            for (order, from) in [(Order::Ascending, 0), (Order::Descending, u64::MAX)] {
                let found = all(statements(&tables, &BTreeSet::new(), Some(asked), order), from, 99);
                prop_assert!(found.contains(&introduced) || !times.iter().any(meets));
            }
        }
    }
}

/// Where each statement was introduced, and when it may have been said by each version.
fn times_of_statements(script: &Script) -> BTreeMap<u64, Vec<Interval>> {
    let mut introduced = BTreeMap::new();
    let mut times: BTreeMap<u64, Vec<Interval>> = BTreeMap::new();
    for entry in &script.entries {
        let (id, statement) = match &entry.record.kind {
            Some(Kind::StatementRecorded(it)) => {
                introduced.insert(entry.record_id.to_string(), entry.index);
                (entry.record_id.to_string(), it)
            }
            Some(Kind::StatementCorrected(it)) => {
                (it.statement.clone(), it.corrected.as_ref().unwrap())
            }
            _ => continue,
        };
        let date = |text: &str| text.parse::<Date>().map(|date| date.interval());
        let mut said = date(&statement.said_at).unwrap_or(Interval::ALL);
        if let Ok(until) = date(&statement.repeated_until) {
            said.latest = said.latest.max(until.latest);
        }
        times.entry(introduced[&id]).or_default().push(said);
    }
    times
}

/// Tables that grow under a reader after some reads.
struct Growing {
    before: MemoryTables,
    after: MemoryTables,
    reads_left: std::cell::Cell<usize>,
}

impl Growing {
    fn read(&self) -> &MemoryTables {
        match self.reads_left.get().checked_sub(1) {
            Some(left) => {
                self.reads_left.set(left);
                &self.before
            }
            None => &self.after,
        }
    }
}

impl Tables for Growing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, crate::fold::TablesError> {
        self.read().get(key)
    }

    fn rows(&self, start: std::ops::Bound<&[u8]>, order: Order) -> crate::fold::Scan<'_> {
        self.read().rows(start, order)
    }
}

impl Script {
    fn introduces(&self, index: u64) -> bool {
        let entry = &self.entries[usize::try_from(index).unwrap()];
        matches!(entry.record.kind, Some(Kind::StatementRecorded(_)))
    }
}

/// Where each statement was introduced, and the topics, sources and actors of that entry, of
/// its corrections, of its readings and of its further evidence.
fn said_of_statements(script: &Script) -> BTreeMap<u64, BTreeSet<Subject>> {
    let mut introduced = BTreeMap::new();
    let mut said: BTreeMap<u64, BTreeSet<Subject>> = BTreeMap::new();
    for entry in &script.entries {
        let (id, found) = match &entry.record.kind {
            Some(Kind::StatementRecorded(_)) => {
                introduced.insert(entry.record_id.to_string(), entry.index);
                (entry.record_id.to_string(), subjects(entry))
            }
            Some(Kind::StatementCorrected(it)) => (it.statement.clone(), subjects(entry)),
            Some(Kind::ReadingAdded(it)) => (it.statement.clone(), subjects(entry)),
            Some(Kind::EvidenceAdded(it)) => (it.statement.clone(), subjects(entry)),
            _ => continue,
        };
        let of_the_statement = |it: &Subject| matches!(it, Subject::Topic(_) | Subject::Source(_));
        let about = said.entry(introduced[&id]).or_default();
        about.extend(found.into_iter().filter(of_the_statement));
    }
    said
}

#[test]
fn a_statement_is_found_where_it_was_introduced_by_what_was_said_of_it_later() {
    let mut script = Script::default();
    let early = script.record(statement("head", &[], "2025", vec![]));
    let other = script.record(statement("aide", &[], "2025", vec![]));
    let late = answer("meeting", "", Polarity::Open);
    script.read(&[7], early, late.clone());
    script.add_evidence(other, "b");
    let attested = proto::AttestationAdded {
        record: script.id(other).to_string(),
        verifiers: vec![ContentId::from([9; 32]).to_string()],
        ..proto::AttestationAdded::default()
    };
    script.put(&[1], Kind::AttestationAdded(attested.clone()));
    script.correct(other, statement("aide", &[], "2025", vec![late]));
    let of_no_statement = ContentId::of(b"no statement").to_string();
    script.put(
        &[1],
        Kind::AttestationAdded(proto::AttestationAdded {
            record: of_no_statement,
            ..attested
        }),
    );
    let tables = script.tables(&PostingsFold);
    let found = |about: &[Subject]| {
        let about = about.iter().cloned().collect();
        let up = all(statements(&tables, &about, None, Order::Ascending), 0, 99);
        let mut down = all(
            statements(&tables, &about, None, Order::Descending),
            u64::MAX,
            99,
        );
        down.reverse();
        assert_eq!(up, down);
        up
    };
    let source: ContentId = source_id("b").parse().unwrap();
    let (head, meeting) = (
        Subject::Actor(slug("head")),
        Subject::Topic(slug("meeting")),
    );
    assert_eq!(found(&[]), [early, other]);
    assert_eq!(found(std::slice::from_ref(&meeting)), [early, other]);
    assert_eq!(found(&[Subject::Source(source)]), [other]);
    assert_eq!(found(&[Subject::Verifier([9; 32])]), [other]);
    assert_eq!(found(std::slice::from_ref(&head)), [early]);
    assert_eq!(found(&[head.clone(), meeting]), [early]);
    assert_eq!(found(&[head, Subject::Source(source)]), [0_u64; 0]);
}

#[test]
fn a_time_leads_to_the_statements_of_its_weeks_and_to_those_of_no_particular_week() {
    let mut script = Script::default();
    let mut said = |said_at| script.record(statement("head", &[], said_at, vec![]));
    let [july, august, year, unknown] = ["2025-07-01", "2025-08", "2025", ""].map(&mut said);
    let later = said("2025-08-15");
    script.correct(july, statement("head", &[], "2025-10-01", vec![]));
    let tables = script.tables(&PostingsFold);
    let found = |asked: &str| {
        let asked = asked.parse::<Date>().unwrap().interval();
        let search = statements(&tables, &BTreeSet::new(), Some(asked), Order::Ascending);
        all(search, 0, 99)
    };
    assert_eq!(found("2025-07-01"), [july, year, unknown]);
    assert_eq!(found("2025-08-15"), [august, year, unknown, later]);
    assert_eq!(found("2025-08-28"), [august, year, unknown]);
    assert_eq!(found("2025-10"), [july, year, unknown]);
    assert_eq!(found("2031"), [year, unknown]);
    // So long a time narrows nothing.
    assert_eq!(found("[2031..2041]"), [july, august, year, unknown, later]);
}

#[test]
fn a_statement_with_more_to_say_of_it_than_a_block_holds_is_still_found_where_it_was_introduced() {
    let mut script = Script::default();
    script.actor("head", proto::ActorKind::Person, "");
    let introduced = script.record(statement("head", &[], "2025", vec![]));
    for _ in 0..2 * BLOCK_LENGTH {
        script.read(&[7], introduced, answer("meeting", "", Polarity::Open));
    }
    script.read(&[7], introduced, answer("price", "", Polarity::Open));
    let tables = script.tables(&PostingsFold);
    let about = [Subject::Topic(slug("price"))].into();
    let found = all(statements(&tables, &about, None, Order::Ascending), 0, 99);
    assert_eq!(found, [introduced]);
}

#[test]
fn a_subject_has_one_open_row_and_one_a_full_block() {
    let about = about([0]);
    let ledger: BTreeMap<_, _> = (0..1_000).map(|index| (index, about.clone())).collect();
    let tables = posted(&ledger);
    let rows = |table| {
        let subject = Heading::About(about.first().unwrap());
        let sealed = key(table, subject).into_bytes();
        tables.scan(&sealed).count()
    };
    assert_eq!(rows(OPEN), 1);
    assert_eq!(rows(SEALED), 999 / BLOCK_LENGTH);
}

#[test]
fn damaged_rows_are_reported() {
    let ledger: BTreeMap<_, _> = (0..200).map(|index| (index, about([0]))).collect();
    let about = about([0]);
    let subject = Heading::About(about.first().unwrap());
    for damaged in [
        key(OPEN, subject).into_bytes(),
        key(SEALED, subject).index(64).into_bytes(),
    ] {
        let mut tables = posted(&ledger);
        tables.apply(Changes::from([(damaged, Some(vec![0, 0x80]))]));
        let filter = EntryFilter {
            about: about.clone(),
            ..EntryFilter::default()
        };
        let mut search = entries(&tables, &filter, Order::Ascending).unwrap();
        assert!(search.seek(70, &mut 9).is_err());
    }
}
