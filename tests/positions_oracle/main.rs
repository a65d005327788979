//! Positions and comparisons against a slow oracle that shares no code with them.
//!
//! Random histories of a small world are folded as the daemon folds them, and read again from
//! the records by the oracle, for every `known_at` and for every `as_of` at which an answer
//! can change, of every actor on every topic, with and without parts; and by whose readings
//! and whose trust the dice say.

mod actors;
mod asking;
mod calendar;
mod cases;
mod change;
mod coverage;
mod front;
mod generator;
mod hearing;
mod oracle;
mod readings;
mod scribe;
mod sources;
mod sparse;
mod subject;
mod trust;
mod world;

use std::collections::BTreeSet;

use asking::{Dice, instants, many_ways, one_way, questions};
use generator::history;
use onrecord::fold::MemoryTables;
use onrecord::position::Testimony;
use onrecord::projection::positions::Collected;
use oracle::{Answer, Case, Question, Told};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use scribe::ledger;
use trust::{Known, Line, Standing};
use world::MILESTONES;

/// How long a history is at most. An answer rests on a handful of statements; what matters is
/// how their dates, versions, readings and voices lie to each other.
const STEPS_MAX: usize = 32;

/// Histories a run, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 48;

/// Comparisons a history and question.
const COMPARISONS: usize = 8;

/// Questions a history for which the entries are gathered that their answers rest on.
const SPARSE: usize = 8;

/// At how many dates a question is asked that is put in another way than plainly.
const DATES_OTHERWISE: usize = 3;

/// Steps towards a smaller history, once one fails.
const SHRINKING_MAX: u32 = 512;

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config.max_shrink_iters = SHRINKING_MAX;
    config.failure_persistence = None;
    config
}

/// A history and what is read from it.
struct World<'a> {
    lines: &'a [Line],
    tables: MemoryTables,
    /// By `known_at`.
    known: Vec<Known<'a>>,
    statements: Vec<Vec<Standing<'a>>>,
}

impl<'a> World<'a> {
    fn new(lines: &'a [Line]) -> Self {
        let known = (0..=lines.len()).map(|known_at| Known::new(&lines[..known_at]));
        let known: Vec<Known> = known.collect();
        Self {
            lines,
            tables: subject::tables(lines),
            statements: known.iter().map(Known::statements).collect(),
            known,
        }
    }

    fn case(&self, question: &Question, known_at: usize) -> Option<Case<'_>> {
        Case::new(&self.known[known_at], &self.statements[known_at], question)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_position_is_the_oracles_at_every_as_of_and_known_at(
        steps in history(STEPS_MAX),
        mut dice in any::<u32>().prop_map(Dice),
    ) {
        let (lines, _) = ledger(&steps);
        let world = World::new(&lines);
        for question in questions() {
            let mut before = None;
            for known_at in 0..=lines.len() {
                before = hold(&world, &question, known_at, before.as_ref())?;
                let otherwise = [one_way, many_ways][known_at % 2];
                let question = otherwise(&question, &lines[..known_at], &mut dice);
                hold_otherwise(&world, &question, known_at, &mut dice)?;
            }
        }
    }

    #[test]
    fn every_comparison_is_the_oracles_between_any_two_as_of_known_at_and_filters(
        steps in history(STEPS_MAX),
        mut dice in any::<u32>().prop_map(Dice),
    ) {
        let (lines, size) = ledger(&steps);
        let world = World::new(&lines);
        for question in questions() {
            for _ in 0..COMPARISONS {
                compare(&world, &question, size, &mut dice)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_position_follows_from_the_entries_that_its_bundle_has(
        steps in history(STEPS_MAX),
        mut dice in any::<u32>().prop_map(Dice),
    ) {
        let (lines, size) = ledger(&steps);
        let world = World::new(&lines);
        let whole = sparse::Folded::all(&lines);
        let questions = questions();
        for turn in 0..SPARSE {
            let known_at = size + dice.roll(lines.len() - size + 1);
            let plain = &questions[dice.roll(questions.len())];
            let question = match turn % 3 {
                0 => plain.clone(),
                1 => one_way(plain, &lines[..known_at], &mut dice),
                _ => many_ways(plain, &lines[..known_at], &mut dice),
            };
            let case = world.case(&question, known_at).unwrap();
            let mut dates: Vec<i64> = instants(&case).into_iter().collect();
            dates.extend(MILESTONES.map(|date| calendar::span(date).latest));
            dates.retain(|d| sparse::can_be_asked(*d));
            let d = dates[dice.roll(dates.len())];
            let about = || format!("{question:?} as of {d} known at {known_at}");
            let asked = sparse::put(&question, known_at, d);
            let (answer, gathered) = whole.gather(&asked);
            let expected = case.answer(d);
            same(&expected.found, &sparse::found(&answer), about)?;
            let deciding = answer.deciding.as_ref().map(|it| usize::try_from(it.version_index).unwrap());
            same(&expected.deciding.map(|named| named.version), &deciding, about)?;
            let again = sparse::Folded::of(gathered.values()).answer(&asked);
            same(&Some(answer), &again, about)?;
        }
    }
}

/// What an answer follows from, but for its date: in the oracle's words and in the archive's.
type Heard = (BTreeSet<Told>, Vec<Testimony>);

/// Holds every answer to a question plainly put against the oracle's; unless it is heard as
/// `before`, when every answer was.
fn hold(
    world: &World,
    question: &Question,
    known_at: usize,
    before: Option<&Heard>,
) -> Result<Option<Heard>, TestCaseError> {
    let about = |d: i64| format!("{question:?} as of {d} known at {known_at}");
    let Some((case, collected)) = both(world, question, known_at)? else {
        return Ok(None);
    };
    let asked = collected.asked.iter().map(ToString::to_string).collect();
    same(&case.asked, &asked, || about(i64::MAX))?;
    let told = case.told();
    same(&told, &subject::told(&collected), || about(i64::MAX))?;
    let heard = (told, collected.testimonies.clone());
    let dates = if before == Some(&heard) {
        BTreeSet::from([i64::MAX])
    } else {
        instants(&case)
    };
    for d in dates {
        let expected = case.answer(d);
        let actual = subject::answer(&collected, &subject::position_at(&collected, d));
        same(&expected, &actual, || about(d))?;
        by_index(world, question, known_at, (d, &expected))?;
    }
    Ok(Some(heard))
}

/// Holds answers to a question that is put in another way against the oracle's, at dates that
/// the dice say.
fn hold_otherwise(
    world: &World,
    question: &Question,
    known_at: usize,
    dice: &mut Dice,
) -> Result<(), TestCaseError> {
    let Some((case, collected)) = both(world, question, known_at)? else {
        return Ok(());
    };
    let about = |d: i64| format!("{question:?} as of {d} known at {known_at}");
    same(&case.told(), &subject::told(&collected), || about(i64::MAX))?;
    let dates: Vec<i64> = instants(&case).into_iter().collect();
    for _ in 0..DATES_OTHERWISE {
        let d = dates[dice.roll(dates.len())];
        let expected = case.answer(d);
        let actual = subject::answer(&collected, &subject::position_at(&collected, d));
        same(&expected, &actual, || about(d))?;
        by_index(world, question, known_at, (d, &expected))?;
    }
    Ok(())
}

/// Holds what the index picks, if it answers the question, against the oracle's answer.
fn by_index(
    world: &World,
    question: &Question,
    known_at: usize,
    (d, expected): (i64, &Answer),
) -> Result<(), TestCaseError> {
    let answer = subject::answered(&world.tables, question, known_at, d);
    let actual = subject::answer(&answer.collected, &answer.position());
    same(expected, &actual, || {
        format!("{question:?} as of {d} known at {known_at}, by the index")
    })
}

/// What both know of the question; none if neither knows the actor.
fn both<'a>(
    world: &'a World,
    question: &Question,
    known_at: usize,
) -> Result<Option<(Case<'a>, Collected)>, TestCaseError> {
    let case = world.case(question, known_at);
    let collected = subject::collected(&world.tables, question, known_at);
    let known = (case.is_some(), collected.is_some());
    same(&known.0, &known.1, || {
        format!("{question:?} at {known_at}: whether the actor is known")
    })?;
    Ok(case.zip(collected))
}

/// Holds a comparison between two positions picked at random, and around a milestone, against
/// the oracle's.
fn compare(
    world: &World,
    question: &Question,
    size: usize,
    dice: &mut Dice,
) -> Result<(), TestCaseError> {
    let known_at = [(); 2].map(|()| size + dice.roll(world.lines.len() - size + 1));
    let mut asked = [question.clone(), question.clone()];
    for (one, known_at) in asked.iter_mut().zip(known_at) {
        if dice.roll(2) == 0 {
            *one = one_way(question, &world.lines[..known_at], dice);
        }
    }
    let cases = [0, 1].map(|end| world.case(&asked[end], known_at[end]).unwrap());
    let milestones = MILESTONES.map(calendar::span);
    let mut dates: BTreeSet<i64> = cases.iter().flat_map(instants).collect();
    dates.extend(milestones.map(|milestone| milestone.earliest));
    let dates: Vec<i64> = dates.into_iter().collect();
    let ends = [(); 2].map(|()| dates[dice.roll(dates.len())]);

    let answers = [0, 1].map(|end| cases[end].answer(ends[end]));
    let collected =
        [0, 1].map(|end| subject::collected(&world.tables, &asked[end], known_at[end]).unwrap());
    let positions = [0, 1].map(|end| subject::position_at(&collected[end], ends[end]));
    let about = || format!("{asked:?} as of {ends:?} known at {known_at:?}");
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
