//! Positions and comparisons against a slow oracle that shares no code with them.
//!
//! Random histories of a small world are folded as the daemon folds them, and read again from
//! the records by the oracle, for every `known_at` and for every `as_of` at which an answer
//! can change, of every actor on every topic, with and without parts.

#[path = "positions_oracle/calendar.rs"]
mod calendar;
#[path = "positions_oracle/change.rs"]
mod change;
#[path = "positions_oracle/generator.rs"]
mod generator;
#[path = "positions_oracle/oracle.rs"]
mod oracle;
#[path = "positions_oracle/scribe.rs"]
mod scribe;
#[path = "positions_oracle/subject.rs"]
mod subject;
#[path = "positions_oracle/visible.rs"]
mod visible;
#[path = "positions_oracle/world.rs"]
mod world;

use std::collections::BTreeSet;

use generator::history;
use onrecord::fold::MemoryTables;
use oracle::{Answer, Case, Found, Question};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{TestCaseError, TestRunner};
use scribe::ledger;
use visible::Line;
use world::{BODIES, GROUP, MILESTONES, PERSONS, TOPICS};

/// How long a history is at most. An answer rests on a handful of statements; what matters is
/// how their dates, versions and voices lie to each other.
const STEPS_MAX: usize = 24;

/// Histories a run, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 64;

/// Comparisons a history and question.
const COMPARISONS: usize = 24;

/// Steps towards a smaller history, once one fails.
const SHRINKING_MAX: u32 = 4096;

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config.max_shrink_iters = SHRINKING_MAX;
    config.failure_persistence = None;
    config
}

/// Picks that follow from one number, so that a history's comparisons shrink as one.
#[derive(Clone, Debug)]
struct Dice(u32);

impl Dice {
    /// One of the first `count` numbers: by a linear congruential generator, whose upper bits
    /// are the good ones.
    fn roll(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as usize % count
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_position_is_the_oracles_at_every_as_of_and_known_at(
        steps in history(STEPS_MAX),
    ) {
        let (lines, _) = ledger(&steps);
        let tables = subject::tables(&lines);
        for known_at in 0..=lines.len() {
            for question in questions() {
                hold(&lines, &tables, &question, known_at)?;
            }
        }
    }

    #[test]
    fn every_comparison_is_the_oracles_between_any_two_as_of_and_known_at(
        steps in history(STEPS_MAX),
        mut dice in any::<u32>().prop_map(Dice),
    ) {
        let (lines, world) = ledger(&steps);
        let tables = subject::tables(&lines);
        for question in questions() {
            for _ in 0..COMPARISONS {
                compare(&lines, &tables, &question, world, &mut dice)?;
            }
        }
    }
}

/// Everybody on everything; bodies with and without their parts.
fn questions() -> Vec<Question<'static>> {
    let mut questions = Vec::new();
    let actors = BODIES.iter().chain(&PERSONS).chain([&GROUP]);
    for actor in actors {
        for topic in TOPICS {
            for with_parts in [false, true] {
                if BODIES.contains(actor) || !with_parts {
                    questions.push(Question {
                        actor,
                        topic,
                        with_parts,
                    });
                }
            }
        }
    }
    questions
}

/// Holds every answer to one question against the oracle's.
fn hold(
    lines: &[Line],
    tables: &MemoryTables,
    question: &Question,
    known_at: usize,
) -> Result<(), TestCaseError> {
    let case = Case::new(&lines[..known_at], question);
    let collected = subject::collected(tables, question, known_at);
    let (case, collected) = match (case, collected) {
        (None, None) => return Ok(()),
        (Some(case), Some(collected)) => (case, collected),
        (case, _) => {
            let known = case.is_some();
            return Err(TestCaseError::fail(format!(
                "{question:?} at {known_at}: the oracle knows the actor: {known}"
            )));
        }
    };
    let asked = collected.asked.iter().map(ToString::to_string).collect();
    same(&case.asked, &asked, || {
        format!("{question:?} at {known_at}")
    })?;
    for d in instants(&case) {
        let expected = case.answer(d);
        let actual = subject::answer(&subject::position_at(&collected, d));
        same(&expected, &actual, || {
            format!("{question:?} as of {d} known at {known_at}")
        })?;
    }
    Ok(())
}

/// Holds a comparison between two positions picked at random, and around a milestone, against
/// the oracle's.
fn compare(
    lines: &[Line],
    tables: &MemoryTables,
    question: &Question,
    world: usize,
    dice: &mut Dice,
) -> Result<(), TestCaseError> {
    let known_at = [(); 2].map(|()| world + dice.roll(lines.len() - world + 1));
    let cases = known_at.map(|known_at| Case::new(&lines[..known_at], question).unwrap());
    let collected =
        known_at.map(|known_at| subject::collected(tables, question, known_at).unwrap());
    let mut instants = instants(&cases[0]);
    instants.extend(self::instants(&cases[1]));
    let milestones = MILESTONES.map(calendar::span);
    instants.extend(milestones.map(|milestone| milestone.earliest));
    let instants: Vec<i64> = instants.into_iter().collect();
    let ends = [(); 2].map(|()| instants[dice.roll(instants.len())]);

    let answers = [cases[0].answer(ends[0]), cases[1].answer(ends[1])];
    let positions = [
        subject::position_at(&collected[0], ends[0]),
        subject::position_at(&collected[1], ends[1]),
    ];
    let about = || format!("{question:?} as of {ends:?} known at {known_at:?}");
    let expected = change::change(&change::end(&answers[0]), &change::end(&answers[1]));
    let certain = change::certain(&answers[0], &answers[1]);
    let actual = subject::difference(&positions[0], &positions[1]);
    same(&(expected, certain), &actual, about)?;
    for milestone in milestones {
        let expected = change::place(&answers[1], milestone);
        let actual = subject::place(&positions[1], milestone);
        same(&expected, &actual, about)?;
    }
    Ok(())
}

/// Every second at which an answer can change, with the seconds beside it.
fn instants(case: &Case) -> BTreeSet<i64> {
    let mut instants = BTreeSet::from([i64::MIN, i64::MAX]);
    for bound in case.bounds() {
        instants.extend([bound - 1, bound, bound + 1]);
    }
    instants
}

fn same<T: PartialEq + std::fmt::Debug>(
    expected: &T,
    actual: &T,
    about: impl Fn() -> String,
) -> Result<(), TestCaseError> {
    if expected == actual {
        return Ok(());
    }
    let about = about();
    Err(TestCaseError::fail(format!(
        "{about}\nthe oracle: {expected:#?}\nthe archive: {actual:#?}"
    )))
}

#[test]
fn the_histories_meet_every_finding_every_kind_of_change_and_every_warning() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..CASES {
        let steps = history(STEPS_MAX).new_tree(&mut runner).unwrap().current();
        let (lines, _) = ledger(&steps);
        for question in questions() {
            let case = Case::new(&lines, &question).unwrap();
            let mut before: Option<Answer> = None;
            for d in instants(&case) {
                let answer = case.answer(d);
                meet(before.as_ref(), &answer, &mut met);
                before = Some(answer);
            }
        }
    }
    let wanted = "NoVoice Stated Evaded Undated NoRecord \
        FirstStated NotRestated Unchanged Withdrawn Reversed Softened TookSide Shifted Hardened \
        ConditionsAdded ConditionsDropped ConditionsChanged also \
        Support Opposition Neither Before Since During Unplaced \
        previous run evasion-since wide-front divergence uncertain-order contradiction \
        reports possible-candidates only-affiliated";
    let missed: Vec<_> = wanted
        .split_whitespace()
        .filter(|name| !met.contains(*name))
        .collect();
    assert!(missed.is_empty(), "the histories never meet {missed:?}");
}

/// Names what an answer shows, and its difference from the one before.
fn meet(before: Option<&Answer>, answer: &Answer, met: &mut BTreeSet<String>) {
    met.insert(format!("{:?}", answer.found));
    let stated = answer.found == Found::Stated;
    let shows = [
        ("previous", answer.previous.is_some()),
        ("run", answer.since != answer.last_affirmed),
        ("evasion-since", stated && answer.latest_evasion.is_some()),
        ("wide-front", answer.front.len() > 2),
        ("divergence", answer.diverge),
        ("uncertain-order", answer.order_uncertain),
        ("contradiction", answer.contradicts_higher_authority),
        ("reports", answer.reported.len() > 2),
        ("possible-candidates", answer.possible_candidates > 1),
        ("only-affiliated", answer.affiliated > 0),
    ];
    for (name, holds) in shows {
        if holds {
            met.insert(name.to_owned());
        }
    }
    for milestone in MILESTONES.map(calendar::span) {
        if let Some(place) = change::place(answer, milestone) {
            met.insert(format!("{place:?}"));
        }
    }
    if let Some(before) = before {
        let change = change::change(&change::end(before), &change::end(answer));
        met.insert(format!("{:?}", change.kind));
        met.insert(format!("{:?}", change.toward));
        if !change.also.is_empty() {
            met.insert("also".to_owned());
        }
    }
}
