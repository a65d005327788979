//! What the index answers, held to what everything answers, with an index so small that short
//! histories fill many pages of it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Memory, Shape};
use crate::fold::{MemoryTables, Tables as _};
use crate::position::{Question, position};
use crate::projection::fixtures::{self, ACTORS, CAPTURED, Script, answer, slug, statement};
use crate::projection::positions::fold::{fold, fold_next};
use crate::projection::positions::{self, Answer, Collected, Subject, Terms, collect};
use crate::projection::positions::{PAGES, SEALS, SHOWN};
use crate::record::proto::record::Kind;
use crate::record::proto::{self, Authority, Polarity, ReadingBasis as Basis, ReferenceKind};
use crate::record::{SigningKey, VerifierKey};

/// As it grows in practice: several seals to a tree, several items to a page.
const MIDDLING: Shape = Shape {
    one_in: 2,
    entries_min: 3,
    loose_items_max: 6,
    leaf_items_max: 4,
    inner_pages_max: 3,
};

/// Once how many entries a fold forgets, among those that fold the same.
const FORGETTING: [u64; 2] = [13, u64::MAX];

/// The tables of a script, which are the same whatever is remembered from entry to entry.
fn tables(script: &Script, shape: &Shape) -> MemoryTables {
    let mut tables = MemoryTables::default();
    let mut memories = FORGETTING.map(|entries| (entries, Memory::default()));
    for entry in &script.entries {
        let changes = fold(&tables, entry, shape).unwrap();
        for (forgetting, memory) in &mut memories {
            if entry.index % *forgetting == 0 {
                *memory = Memory::default();
            }
            let remembering = fold_next(memory, &tables, entry, shape).unwrap();
            assert_eq!(remembering, changes, "forgetting each {forgetting}");
        }
        tables.apply(changes);
    }
    tables
}

fn subject(actor: &str) -> Subject {
    Subject {
        actor: slug(actor),
        topic: slug("meeting"),
        with_parts: Some(false),
    }
}

fn ask(tables: &MemoryTables, actor: &str, known_at: u64, as_of: i64, page: usize) -> Answer {
    let terms = Terms::default();
    let subject = subject(actor);
    let found = positions::answer(tables, &subject, &terms, known_at, (as_of, page));
    found.unwrap().unwrap()
}

/// The dates asked for at which an answer may be another than just before.
fn dates(collected: &Collected) -> BTreeSet<i64> {
    let said = collected.testimonies.iter().map(|it| it.said_at);
    let repeated = collected
        .testimonies
        .iter()
        .filter_map(|it| it.repeated_until);
    said.chain(repeated)
        .flat_map(|it| [it.earliest, it.earliest + 1, it.latest - 1, it.latest])
        .chain([i64::MIN, i64::MAX])
        .collect()
}

/// Holds every answer on some actors to that of everything.
fn hold(script: &Script, shape: &Shape, actors: &[&str]) -> Result<(), TestCaseError> {
    let tables = tables(script, shape);
    for known_at in 0..=script.entries.len() as u64 {
        for actor in actors {
            let terms = Terms::default();
            let whole = collect(&tables, &subject(actor), &terms, known_at).unwrap();
            let Some(whole) = whole else { continue };
            for (number, as_of) in dates(&whole).into_iter().enumerate() {
                let page = [1, 2, 100][number % 3];
                let answer = ask(&tables, actor, known_at, as_of, page);
                let question = Question {
                    as_of,
                    has_voice: whole.has_voice(),
                };
                let expected = position(&whole.testimonies, question, page);
                prop_assert_eq!(answer.position(), expected, "{} at {}", actor, known_at);
                for testimony in &answer.collected.testimonies {
                    let detail = answer.collected.detail(testimony);
                    prop_assert_eq!(detail, whole.detail(testimony));
                }
            }
        }
    }
    Ok(())
}

/// The days, and vaguer dates about them, on which things are said.
const DATES: [&str; 14] = [
    "2025-08-01",
    "2025-08-02",
    "2025-08-03",
    "2025-08-04",
    "2025-08-05",
    "2025-08-02T10:00:00Z",
    "2025-08-02T11:00:00Z",
    "2025-08-03T09:00:00Z",
    "2025-08-04T09:00:00Z",
    "2025-08",
    "2025-07",
    "[2025-08-02..2025-08-04]",
    "[..2025-08-03]",
    "",
];

const SPEAKERS: [&str; 4] = ["head", "aide", "palace", ""];

#[derive(Clone, Debug)]
struct Words {
    speaker: usize,
    said_at: usize,
    repeated_until: Option<usize>,
    relayed: bool,
    reading: Reading,
}

#[derive(Clone, Debug)]
struct Reading {
    basis: Basis,
    polarity: Option<Polarity>,
    strength: u32,
    conditions: u8,
    of_the_palace: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Say(Words),
    Correct(Index, Words),
    Retract(Index),
    Read(Index, u8, Reading),
    Attest(Index, u8),
    Grant(usize, Authority),
}

fn reading() -> impl Strategy<Value = Reading> {
    let basis = prop_oneof![9 => Just(Basis::OwnWords), 1 => Just(Basis::Ascribed)];
    let polarity = prop_oneof![
        8 => Just(Some(Polarity::Supports)),
        2 => Just(Some(Polarity::Opposes)),
        1 => Just(Some(Polarity::NoPosition)),
        1 => Just(None),
    ];
    let strength = prop_oneof![4 => Just(2_u32), 1 => 0..4_u32];
    let conditions = prop_oneof![6 => Just(0), 1 => 1..4_u8];
    let palace = prop::bool::weighted(0.2);
    (basis, polarity, strength, conditions, palace).prop_map(
        |(basis, polarity, strength, conditions, of_the_palace)| Reading {
            basis,
            polarity,
            strength,
            conditions,
            of_the_palace,
        },
    )
}

fn words() -> impl Strategy<Value = Words> {
    let speaker = prop_oneof![4 => 0..3_usize, 1 => Just(3)];
    let said_at = prop_oneof![6 => 0..9_usize, 2 => 9..DATES.len()];
    let repeated = prop::option::weighted(0.2, 0..12_usize);
    let marks = (said_at, repeated, prop::bool::weighted(0.1));
    (speaker, marks, reading()).prop_map(
        |(speaker, (said_at, repeated_until, relayed), reading)| Words {
            speaker,
            said_at,
            repeated_until,
            relayed,
            reading,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let authority = prop_oneof![Just(Authority::Delegate), Just(Authority::Spokesperson)];
    prop_oneof![
        12 => words().prop_map(Step::Say),
        2 => (any::<Index>(), words()).prop_map(|(which, words)| Step::Correct(which, words)),
        1 => any::<Index>().prop_map(Step::Retract),
        2 => (any::<Index>(), 2..5_u8, reading()).prop_map(|(s, c, r)| Step::Read(s, c, r)),
        1 => (any::<Index>(), 2..5_u8).prop_map(|(which, signer)| Step::Attest(which, signer)),
        1 => (0..2_usize, authority).prop_map(|(person, it)| Step::Grant(person, it)),
    ]
}

impl Reading {
    fn message(&self, speaker: &str) -> proto::Reading {
        let holder = if self.of_the_palace || speaker.is_empty() {
            "palace"
        } else {
            ""
        };
        let polarity = self.polarity.unwrap_or(Polarity::Unspecified);
        let mut reading = answer("meeting", holder, polarity);
        reading.basis = self.basis.into();
        if self.polarity.is_none() {
            reading.engagement = proto::Engagement::Declined.into();
            return reading;
        }
        reading.strength = self.strength;
        let conditions = (0..2).filter(|bit| self.conditions & (1 << bit) != 0);
        reading.conditions = conditions
            .map(|number| condition(&format!("c{number}")))
            .collect();
        reading
    }
}

fn condition(id: &str) -> proto::Condition {
    proto::Condition {
        id: id.to_owned(),
        kind: proto::ConditionKind::OnlyIf.into(),
        text: id.to_owned(),
    }
}

impl Words {
    fn statement(&self, speaker: &str) -> proto::Statement {
        let readings = vec![self.reading.message(speaker)];
        let mut statement = statement(speaker, &["palace"], DATES[self.said_at], readings);
        if let Some(date) = self.repeated_until {
            DATES[date].clone_into(&mut statement.repeated_until);
        }
        if self.relayed {
            "aide".clone_into(&mut statement.relayed_by);
        }
        statement
    }
}

fn actors() -> Script {
    let mut script = Script::default();
    for (id, kind) in ACTORS {
        script.actor(id, kind, "");
    }
    script.source("a", "2025-08-05", CAPTURED);
    script
}

fn dense_history() -> impl Strategy<Value = Script> {
    prop::collection::vec(step(), 1..36).prop_map(|steps| {
        let mut script = actors();
        let mut said = Vec::new();
        for step in steps {
            take(&mut script, &mut said, step);
        }
        script
    })
}

fn take(script: &mut Script, said: &mut Vec<u64>, step: Step) {
    let pick = |which: Index| (!said.is_empty()).then(|| *which.get(said));
    match step {
        Step::Say(words) => {
            let index = script.record(words.statement(SPEAKERS[words.speaker]));
            said.push(index);
        }
        Step::Correct(which, words) => {
            if let Some(statement) = pick(which) {
                let speaker = fixtures::speaker(&script.statement(statement));
                script.correct(statement, words.statement(&speaker));
            }
        }
        Step::Retract(which) => {
            if let Some(statement) = pick(which) {
                script.retract(statement);
                said.retain(|it| *it != statement);
            }
        }
        Step::Read(which, coder, reading) => {
            if let Some(statement) = pick(which) {
                let speaker = fixtures::speaker(&script.statement(statement));
                script.read(&[coder], statement, reading.message(&speaker));
            }
        }
        Step::Attest(which, signer) => {
            if let Some(statement) = pick(which) {
                let record = script.id(statement).to_string();
                script.put(
                    &[1],
                    Kind::AttestationAdded(proto::AttestationAdded {
                        record,
                        verifiers: vec![verifier(signer)],
                        ..proto::AttestationAdded::default()
                    }),
                );
            }
        }
        Step::Grant(person, authority) => {
            script.mandate(SPEAKERS[person], "palace", authority, &[], ("", ""));
        }
    }
}

fn verifier(signer: u8) -> String {
    let key = SigningKey::from_seed([signer; 32]).public();
    VerifierKey::check(key.as_bytes()).unwrap().to_string()
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 24;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn on_one_pair_every_answer_is_that_of_everything(script in dense_history()) {
        hold(&script, &Shape::SMALLEST, &["palace", "aide"])?;
        hold(&script, &MIDDLING, &["palace"])?;
    }

    #[test]
    fn on_any_pair_every_answer_is_that_of_everything(script in fixtures::history()) {
        let actors = ACTORS.map(|(actor, _)| actor);
        hold(&script, &Shape::SMALLEST, &actors)?;
    }
}

/// So many statements of the palace by its head, one a day.
fn daily(count: usize) -> Script {
    let mut script = actors();
    for number in 0..count {
        let said_at = format!("2025-{:02}-{:02}", 1 + number / 28, 1 + number % 28);
        let readings = vec![answer("meeting", "", Polarity::Supports)];
        script.record(statement("head", &["palace"], &said_at, readings));
    }
    script
}

/// Whether a part is enough for the palace's position at the end of a script, and at its
/// entry `known_at`.
fn is_picked(script: &Script, known_at: u64) -> [bool; 2] {
    hold(script, &MIDDLING, &["palace"]).unwrap();
    let tables = tables(script, &MIDDLING);
    [known_at, script.entries.len() as u64].map(|known_at| {
        ask(&tables, "palace", known_at, i64::MAX, 1)
            .exact
            .is_some()
    })
}

#[test]
fn an_unbroken_run_is_told_from_a_few_of_its_statements() {
    let mut script = daily(200);
    let readings = vec![answer("meeting", "", Polarity::Opposes)];
    script.record(statement("head", &["palace"], "2024-12-31", readings));
    let tables = tables(&script, &MIDDLING);
    let known_at = script.entries.len() as u64;
    for known_at in [known_at - 1, known_at] {
        let answer = ask(&tables, "palace", known_at, i64::MAX, 1);
        assert!(answer.exact.is_some());
        assert!(answer.collected.testimonies.len() < 12);
        let terms = Terms::default();
        let whole = collect(&tables, &subject("palace"), &terms, known_at).unwrap();
        let whole = whole.unwrap();
        let question = Question {
            as_of: i64::MAX,
            has_voice: true,
        };
        assert_eq!(answer.position(), position(&whole.testimonies, question, 1));
    }
}

#[test]
fn an_evasion_since_the_front_is_found_behind_one_that_may_be_older() {
    let mut script = daily(40);
    let evasion = Reading {
        basis: Basis::OwnWords,
        polarity: None,
        strength: 0,
        conditions: 0,
        of_the_palace: false,
    };
    for said_at in ["2025-03-01", "2025"] {
        let readings = vec![evasion.message("head")];
        script.record(statement("head", &["palace"], said_at, readings));
    }
    let known_at = script.entries.len() as u64;
    assert_eq!(is_picked(&script, known_at), [true, true]);
    let tables = tables(&script, &MIDDLING);
    let answer = ask(&tables, "palace", known_at, i64::MAX, 1);
    let evasion = answer.position().latest_evasion.unwrap();
    assert_eq!(evasion.testimony.statement, known_at - 2);
}

#[test]
fn everything_is_read_where_a_verifier_who_signed_is_doubted() {
    let mut script = daily(40);
    let before = script.entries.len() as u64;
    for (signer, is_still_picked) in [(9, true), (1, false)] {
        script.put(
            &[1],
            Kind::VerifierRevoked(proto::VerifierRevoked {
                verifier: verifier(signer),
                untrusted_from: Some(before - 5),
                ..proto::VerifierRevoked::default()
            }),
        );
        assert_eq!(is_picked(&script, before), [true, is_still_picked]);
    }
}

#[test]
fn everything_is_read_where_statements_are_one_utterance() {
    let mut script = daily(40);
    let before = script.entries.len() as u64;
    let first = script.id(before - 1).to_string();
    let readings = vec![answer("meeting", "", Polarity::Opposes)];
    let mut same = statement("head", &["palace"], "2025-02-12", readings);
    same.refers_to.push(proto::RefersTo {
        statement: first,
        kind: ReferenceKind::SameUtterance.into(),
    });
    script.record(same);
    assert_eq!(is_picked(&script, before), [true, false]);
}

#[test]
fn everything_is_read_where_a_speaker_may_be_no_more_than_affiliated() {
    let mut script = daily(40);
    let before = script.entries.len() as u64;
    script.mandate(
        "head",
        "palace",
        Authority::Affiliated,
        &[],
        ("2025-01-10", ""),
    );
    assert_eq!(is_picked(&script, before), [true, false]);
}

#[test]
fn everything_is_read_where_there_are_more_speakers_than_are_told_apart() {
    let mut script = daily(8);
    let before = script.entries.len() as u64;
    for number in 0..=super::state::SPEAKERS_MAX {
        let speaker = format!("aide-{number}");
        let readings = vec![answer("meeting", "", Polarity::Opposes)];
        script.record(statement(&speaker, &["palace"], "2025-02-12", readings));
    }
    let tables = tables(&script, &MIDDLING);
    let picked = |known_at| {
        ask(&tables, "palace", known_at, i64::MAX, 1)
            .exact
            .is_some()
    };
    assert!(picked(before + 32));
    assert!(!picked(script.entries.len() as u64));
}

#[test]
fn a_pair_is_sealed_whatever_else_comes_between_and_its_seals_stay() {
    let script = daily(120);
    let end = tables(&script, &MIDDLING);
    let mut then = MemoryTables::default();
    for entry in &script.entries {
        let changes = fold(&then, entry, &MIDDLING).unwrap();
        then.apply(changes);
        for table in [SEALS, PAGES, SHOWN] {
            let byte = table.byte;
            let mut rows = then.all().filter(|(key, _)| key[0] == byte);
            assert!(rows.all(|(key, value)| { end.get(key).unwrap().as_deref() == Some(value) }));
        }
    }
}
