mod histories;
mod readings;
mod touched;
mod trust;

use std::cell::Cell;
use std::ops::Bound;

use proptest::prelude::*;

use super::fold::fold;
use super::index::Shape;
use super::{Collected, PositionsFold, Subject, Terms, actors_on, collect};
use crate::fold::{Fold, FoldError, MemoryTables, Order, Scan, Tables, TablesError};
use crate::position::{Authority, Testimony};
use crate::projection::fixtures::{
    ACTORS, CAPTURED, Script, answer, history, slug, statement, words,
};
use crate::record::proto::record::Kind;
use crate::record::proto::{self, ActorKind, Polarity};
use crate::record::{Condition, ConditionKind, Date, Engagement, Interval, Strength};

fn said(speaker: &str, said_for: &[&str], said_at: &str) -> proto::Statement {
    let readings = vec![answer("meeting", "", Polarity::Open)];
    statement(speaker, said_for, said_at, readings)
}

fn subject(actor: &str, parts: Option<bool>) -> Subject {
    Subject {
        actor: slug(actor),
        topic: slug("meeting"),
        with_parts: parts,
    }
}

fn ask(tables: &dyn Tables, actor: &str, parts: Option<bool>, known_at: u64) -> Collected {
    on_terms(tables, actor, parts, known_at, &Terms::default())
}

fn on_terms(
    tables: &dyn Tables,
    actor: &str,
    parts: Option<bool>,
    known_at: u64,
    terms: &Terms,
) -> Collected {
    let collected = collect(tables, &subject(actor, parts), terms, known_at);
    collected.unwrap().unwrap()
}

/// What the script's end has on an actor and the topic "meeting".
fn heard(script: &Script, actor: &str) -> Vec<Testimony> {
    let tables = script.tables(&PositionsFold);
    ask(&tables, actor, None, script.entries.len() as u64).testimonies
}

fn day(date: &str) -> Interval {
    date.parse::<Date>().unwrap().interval()
}

/// A state with two parts, one of which has a part, and two people.
fn actors() -> Script {
    let mut script = Script::default();
    for (id, kind) in ACTORS {
        let whole = if kind == ActorKind::Organization {
            "state"
        } else {
            ""
        };
        script.actor(id, kind, whole);
    }
    script.source("a", "2025-08-25", CAPTURED);
    script
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_answer_at_a_basis_stays_the_same_however_far_the_projection_reads_on(
        script in history(),
    ) {
        let end = script.tables(&PositionsFold);
        for size in 0..=script.entries.len() {
            let (then, _) = script.fold(&PositionsFold, size);
            for (actor, _) in ACTORS {
                let ask = |tables: &MemoryTables| {
                    let known_at = size as u64;
                    collect(tables, &subject(actor, None), &Terms::default(), known_at).unwrap()
                };
                prop_assert_eq!(ask(&then), ask(&end));
            }
        }
    }
}

#[test]
fn a_statement_said_for_an_organisation_bears_on_its_holder_and_on_that_organisation() {
    let mut script = actors();
    let index = script.record(said("aide", &["palace"], "2025-08-15"));
    for actor in ["aide", "palace"] {
        let found = heard(&script, actor);
        assert_eq!(found.len(), 1, "{actor}");
        assert_eq!(
            (found[0].statement, found[0].version, found[0].given_by),
            (index, index, index)
        );
    }
    assert_eq!(heard(&script, "ministry"), []);
    assert_eq!(heard(&script, "head"), []);
}

#[test]
fn a_plain_statement_takes_four_rows_and_is_counted_on_each_of_its_pairs() {
    let mut script = actors();
    script.record(said("aide", &["palace"], "2025-08-15"));
    let before = script.tables(&PositionsFold).all().count();
    script.record(said("aide", &["palace"], "2025-08-16"));
    let entry = script.entries.last().unwrap();
    let (state, _) = script.fold(&PositionsFold, script.entries.len() - 1);
    assert_eq!(PositionsFold.fold(&state, entry).unwrap().len(), 4 + 2);
    assert_eq!(script.tables(&PositionsFold).all().count(), before + 4);
}

/// Tables that count the rows that are read of them.
struct Counted<'a> {
    tables: &'a MemoryTables,
    rows: Cell<usize>,
}

impl Tables for Counted<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.rows.set(self.rows.get() + 1);
        self.tables.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        let rows = self.tables.rows(start, order);
        Box::new(rows.inspect(|_| self.rows.set(self.rows.get() + 1)))
    }
}

#[test]
fn what_comes_to_a_statement_reads_no_more_rows_however_much_came_before() {
    let mut script = actors();
    let introduced = script.record(said("aide", &["palace"], "2025-08-15"));
    let mut tables = MemoryTables::default();
    let mut read = Vec::new();
    for _ in 0..60 {
        script.add_evidence(introduced, "a");
        script.read(&[2], introduced, answer("meeting", "", Polarity::Supports));
    }
    for entry in &script.entries {
        let counted = Counted {
            tables: &tables,
            rows: Cell::new(0),
        };
        // Seals, which read what came since the last, aside.
        let shape = Shape::NEVER;
        let changes = fold(&counted, entry, &shape).unwrap();
        read.push(counted.rows.get());
        tables.apply(changes);
    }
    let late: Vec<usize> = read.split_off(usize::try_from(introduced).unwrap() + 3);
    let pair: Vec<&[usize]> = late.chunks_exact(2).collect();
    assert!(pair.iter().all(|rows| rows == &pair[0]), "{late:?}");
}

#[test]
fn a_statement_without_a_reading_is_heard_once_it_is_read() {
    let mut script = actors();
    let introduced = script.record(statement("aide", &["palace"], "2025-08-15", Vec::new()));
    script.add_evidence(introduced, "a");
    for actor in ["aide", "palace"] {
        assert_eq!(heard(&script, actor), [], "{actor}");
    }
    let read = script.read(&[2], introduced, answer("meeting", "", Polarity::Supports));
    script.add_evidence(introduced, "a");
    for actor in ["aide", "palace"] {
        let found = heard(&script, actor);
        let given: Vec<_> = found.iter().map(|it| (it.statement, it.given_by)).collect();
        assert_eq!(given, [(introduced, read)], "{actor}");
    }
}

#[test]
fn a_statement_said_for_several_parts_is_heard_once_with_the_highest_authority() {
    let mut script = actors();
    let authority = |script: &mut Script, body, authority| {
        script.mandate("aide", body, authority, &[], ("", ""));
    };
    authority(&mut script, "palace", proto::Authority::Delegate);
    authority(&mut script, "ministry", proto::Authority::Spokesperson);
    authority(&mut script, "office", proto::Authority::Principal);
    script.record(said("aide", &["palace", "ministry"], "2025-08-15"));
    let found = heard(&script, "state");
    assert_eq!(found.len(), 1);
    // The mandate for the office does not count: it was not said for the office.
    assert_eq!(found[0].authority, Authority::Spokesperson);
    assert_eq!(heard(&script, "palace")[0].authority, Authority::Delegate);
}

#[test]
fn an_actor_that_speaks_itself_speaks_as_its_principal() {
    let mut script = actors();
    script.record(said("ministry", &[], "2025-08-15"));
    assert_eq!(
        heard(&script, "ministry")[0].authority,
        Authority::Principal
    );
    assert_eq!(heard(&script, "state")[0].authority, Authority::Principal);
}

#[test]
fn parts_speak_for_a_state_unless_asked_otherwise_and_for_others_only_when_asked() {
    let mut script = actors();
    script.actor("office", ActorKind::Organization, "palace");
    script.record(said("aide", &["office"], "2025-08-15"));
    let tables = script.tables(&PositionsFold);
    let end = script.entries.len() as u64;
    let count = |actor, parts| ask(&tables, actor, parts, end).testimonies.len();
    assert_eq!(count("state", None), 1);
    assert_eq!(count("state", Some(false)), 0);
    assert_eq!(count("palace", None), 0);
    assert_eq!(count("palace", Some(true)), 1);
    let asked = ask(&tables, "state", None, end).asked;
    let names: Vec<_> = asked.iter().map(crate::record::Slug::as_str).collect();
    assert_eq!(names, ["state", "ministry", "office", "palace"]);
    // Before the palace had its part, the office was the state's own.
    assert_eq!(ask(&tables, "palace", Some(true), 7).asked.len(), 1);
}

#[test]
fn a_circle_of_parts_has_an_end() {
    let mut script = Script::default();
    script.actor("palace", ActorKind::Organization, "office");
    script.actor("office", ActorKind::Organization, "palace");
    let tables = script.tables(&PositionsFold);
    assert_eq!(ask(&tables, "palace", Some(true), 2).asked.len(), 2);
}

#[test]
fn a_mandate_counts_where_it_covers_all_of_the_time_and_the_topic() {
    let authority = |topics: &[&str], terms, said_at| {
        let mut script = actors();
        let authority = proto::Authority::Spokesperson;
        script.mandate("aide", "palace", authority, topics, terms);
        script.record(said("aide", &["palace"], said_at));
        heard(&script, "palace")[0].authority
    };
    let covered = Authority::Spokesperson;
    assert_eq!(authority(&[], ("", ""), ""), covered);
    assert_eq!(authority(&[], ("2025-08-15", ""), "2025-08-15"), covered);
    assert_eq!(authority(&[], ("", "2025-08-15"), "2025-08-15"), covered);
    assert_eq!(authority(&[], ("2025", "2025"), "2025-08-15"), covered);
    assert_eq!(
        authority(&["price", "meeting"], ("", ""), "2025-08-15"),
        covered
    );
    for (topics, terms, said_at) in [
        (&[][..], ("2025-08-16", ""), "2025-08-15"),
        (&[], ("", "2025-08-14"), "2025-08-15"),
        (&[], ("2025-08-15", ""), "2025-08"),
        (&[], ("", "2025-08-15"), "2025-08"),
        (&[], ("2020", ""), ""),
        (&["price"], ("", ""), "2025-08-15"),
    ] {
        assert_eq!(
            authority(topics, terms, said_at),
            Authority::None,
            "{terms:?} {said_at}"
        );
    }
}

#[test]
fn mandates_count_as_they_are_known_at_the_basis_not_as_when_the_statement_came_in() {
    let mut script = actors();
    script.record(said("aide", &["palace"], "2025-08-15"));
    let authority = proto::Authority::Delegate;
    let granted = script.mandate("aide", "palace", authority, &[], ("", ""));
    let ended = script.end_mandate("aide-palace", "2025-01");
    let tables = script.tables(&PositionsFold);
    let authority = |known_at| ask(&tables, "palace", None, known_at).testimonies[0].authority;
    assert_eq!(authority(granted), Authority::None);
    assert_eq!(authority(granted + 1), Authority::Delegate);
    assert_eq!(authority(ended), Authority::Delegate);
    assert_eq!(authority(ended + 1), Authority::None);
}

#[test]
fn a_person_speaks_for_the_organisations_of_their_mandates_but_those_of_mere_affiliation() {
    let mut script = actors();
    for (body, authority) in [
        ("office", proto::Authority::Delegate),
        ("ministry", proto::Authority::Affiliated),
        ("palace", proto::Authority::Spokesperson),
    ] {
        script.mandate("aide", body, authority, &[], ("", ""));
    }
    let tables = script.tables(&PositionsFold);
    let bodies = |person, known_at| ask(&tables, person, None, known_at).speaks_for;
    assert_eq!(bodies("aide", u64::MAX), [slug("office"), slug("palace")]);
    assert_eq!(bodies("aide", 9), [slug("office")]);
    assert_eq!(bodies("head", u64::MAX), []);
}

#[test]
fn one_who_is_only_affiliated_with_a_body_never_speaks_for_it_but_may_for_another() {
    let mut script = actors();
    let affiliated = proto::Authority::Affiliated;
    script.mandate("aide", "palace", affiliated, &[], ("", ""));
    script.record(said("aide", &["palace", "ministry"], "2025-08-15"));
    let found = heard(&script, "palace");
    assert_eq!(found[0].authority, Authority::Affiliated);
    assert!(!found[0].is_admissible());
    let found = heard(&script, "ministry");
    assert_eq!(found[0].authority, Authority::None);
    assert!(found[0].is_admissible());

    let delegate = proto::Authority::Delegate;
    script.mandate("aide", "state", delegate, &[], ("", ""));
    script.record(said("aide", &["palace", "state"], "2025-08-16"));
    let found = heard(&script, "palace");
    assert_eq!(found[1].authority, Authority::Affiliated);
    let found = heard(&script, "state");
    assert_eq!(found[1].authority, Authority::Delegate);
}

#[test]
fn words_without_a_date_were_said_up_to_the_smallest_publication_of_their_sources() {
    let mut script = actors();
    script.source("b", "2025-08-20", CAPTURED);
    script.source("c", "", CAPTURED - 30 * 86_400);
    script.source("d", "2025-08-01", CAPTURED);
    let mut undated = said("aide", &["palace"], "");
    // "d" does not give the words.
    let mut speaker_alone = words("d");
    speaker_alone.establishes = vec![proto::Establishes::Speaker.into()];
    undated.evidence = vec![words("a"), words("b"), words("c"), speaker_alone];
    script.record(undated);
    let expected = Interval {
        earliest: Interval::ALL.earliest,
        latest: day("2025-08-20").latest,
    };
    assert_eq!(heard(&script, "palace")[0].said_at, expected);
}

#[test]
fn words_without_a_date_from_unpublished_sources_were_said_up_to_the_first_capture() {
    let mut script = actors();
    script.source("b", "", CAPTURED);
    script.source("c", "", CAPTURED - 86_400);
    let mut undated = said("aide", &["palace"], "");
    undated.evidence = vec![words("b"), words("c")];
    script.record(undated);
    assert_eq!(
        heard(&script, "palace")[0].said_at.latest,
        CAPTURED - 86_400 + 1
    );
}

#[test]
fn a_source_counts_as_it_was_on_record_when_the_version_came_in() {
    let mut script = actors();
    let introduced = script.record(said("aide", &["palace"], ""));
    script.source("a", "2025-08-10", CAPTURED);
    let latest = |script: &Script| heard(script, "palace")[0].said_at.latest;
    assert_eq!(latest(&script), day("2025-08-25").latest);
    script.correct(introduced, said("aide", &["palace"], ""));
    assert_eq!(latest(&script), day("2025-08-10").latest);
}

#[test]
fn what_is_told_of_a_testimony_is_found_beside_it() {
    let mut script = actors();
    let mut relayed = said("aide", &["palace", "office"], "2025-08");
    "2025-08-22".clone_into(&mut relayed.repeated_until);
    "head".clone_into(&mut relayed.relayed_by);
    script.record(said("aide", &["palace"], "2025-08-14"));
    let index = script.record(relayed);
    let tables = script.tables(&PositionsFold);
    let found = ask(&tables, "palace", None, u64::MAX);
    let detail = found.detail(&found.testimonies[1]).unwrap();
    assert_eq!(detail.statement_id, script.id(index));
    assert_eq!(detail.said_for, [slug("palace"), slug("office")]);
    assert_eq!(detail.said_at, "2025-08");
    assert_eq!(detail.repeated_until.as_deref(), Some("2025-08-22"));
    assert_eq!(detail.relayed_by, Some(slug("head")));
    assert!(found.testimonies[1].relayed);
    let mut unknown = found.testimonies[1].clone();
    unknown.statement += 1;
    assert_eq!(found.detail(&unknown), None);
}

#[test]
fn a_readings_strength_and_conditions_are_kept() {
    let mut script = actors();
    let mut spoken = said("aide", &[], "2025-08-15");
    spoken.readings[0].strength = 3;
    spoken.readings[0].conditions = vec![proto::Condition {
        id: "agenda".to_owned(),
        kind: proto::ConditionKind::OnlyIf.into(),
        text: "when there is an agenda".to_owned(),
    }];
    script.record(spoken);
    let found = heard(&script, "aide");
    let Engagement::Answered(stance) = &found[0].engagement else {
        panic!("{found:?}");
    };
    assert_eq!(stance.strength, Some(Strength::Committed));
    let expected = Condition {
        id: Some(slug("agenda")),
        kind: ConditionKind::OnlyIf,
        text: "when there is an agenda".to_owned(),
    };
    assert_eq!(stance.conditions, [expected]);
}

#[test]
fn groups_and_populations_have_no_voice() {
    let script = actors();
    let tables = script.tables(&PositionsFold);
    for (actor, kind) in ACTORS {
        let found = ask(&tables, actor, None, u64::MAX);
        assert_eq!(found.kind, kind);
        assert_eq!(found.has_voice(), kind != ActorKind::Population, "{actor}");
    }
    let terms = Terms::default();
    let unknown = collect(&tables, &subject("nobody", None), &terms, u64::MAX);
    assert_eq!(unknown.unwrap(), None);
    let not_yet = collect(&tables, &subject("state", None), &terms, 0);
    assert_eq!(not_yet.unwrap(), None);
}

#[test]
fn the_actors_on_a_topic_are_those_on_whom_something_bears() {
    let mut script = actors();
    let first = script.record(said("aide", &["palace"], "2025-08-15"));
    script.record(said("aide", &["ministry"], "2025-08-15"));
    let tables = script.tables(&PositionsFold);
    let on = |topic, known_at| {
        let found: Result<Vec<_>, _> = actors_on(&tables, &slug(topic), known_at).collect();
        found.unwrap()
    };
    assert_eq!(on("meeting", first), []);
    assert_eq!(on("meeting", first + 1), [slug("aide"), slug("palace")]);
    assert_eq!(
        on("meeting", first + 2),
        [slug("aide"), slug("ministry"), slug("palace")]
    );
    assert_eq!(on("meet", u64::MAX), []);
}

#[test]
fn what_admission_would_not_have_stops_the_fold_at_its_entry() {
    let spoken = |change: fn(&mut proto::Statement)| {
        let mut statement = said("aide", &["palace"], "2025-08-15");
        change(&mut statement);
        Kind::StatementRecorded(statement)
    };
    let unknown = Kind::StatementRetracted(proto::StatementRetracted {
        statement: crate::projection::fixtures::source_id("no statement"),
        ..proto::StatementRetracted::default()
    });
    for kind in [
        spoken(|it| it.voice = None),
        spoken(|it| it.readings[0].polarity = 0),
        spoken(|it| it.readings[0].strength = 4),
        spoken(|it| it.readings[0].engagement = 99),
        spoken(|it| "Meeting".clone_into(&mut it.readings[0].topic)),
        spoken(|it| "yesterday".clone_into(&mut it.said_at)),
        spoken(|it| {
            it.said_at.clear();
            it.evidence.clear();
        }),
        spoken(|it| {
            it.said_at.clear();
            it.evidence = vec![words("never archived")];
        }),
        unknown,
    ] {
        let mut script = actors();
        let index = script.put(&[1], kind.clone());
        let (state, _) = script.fold(&PositionsFold, script.entries.len() - 1);
        let error = PositionsFold
            .fold(&state, script.entries.last().unwrap())
            .unwrap_err();
        let FoldError::Entry { index: at, .. } = error else {
            panic!("{error} for {kind:?}");
        };
        assert_eq!(at, index);
    }
}
