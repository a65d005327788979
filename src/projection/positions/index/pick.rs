//! The statements that make a position: found in the index, read whole, and heard as all
//! statements are.
//!
//! More than needed does no harm: whatever is read bears on the question, and the position
//! over it is the same. So picks only ever add up.

use std::collections::BTreeSet;

use super::copies::{Copies, Place};
use super::item::{Item, Kind, Mark};
use super::search::Search;
use super::state::State;
use crate::fold::FoldError;
use crate::position::{Dated, Position, Testimony, origin};
use crate::projection::positions::TALLIES;
use crate::projection::positions::history::{Changed, Pair, Tally, heard_of};
use crate::projection::positions::question::{Bench, Collected, Detail, has_voice, order};
use crate::projection::positions::same::Ties;
use crate::record::Interval;

/// How many candidates are looked at for the last break of the run, before more are.
const WINDOW: usize = 4;

/// A reading, and the interval with which it decided.
type Previous = ((u64, u64, u32), Interval);

/// When an unbroken run began, and what decided before.
type Run = (Option<Interval>, Option<Previous>);

/// What cannot be told from the statements that were picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// When the unbroken run began.
    since: Option<Interval>,
    /// The reading that decided before it, and its interval.
    previous: Option<Previous>,
    considered: usize,
    possible: usize,
    possible_candidates: usize,
    reported: usize,
}

impl Exact {
    /// Puts into a position over the statements that were picked, at the date that they were
    /// picked for, what all statements give.
    pub fn complete<'a>(&self, position: &mut Position<'a>, collected: &'a Collected) {
        position.since = self.since;
        position.previous = self.previous.and_then(|(reading, interval)| {
            Some(Dated {
                testimony: collected.testimony(reading)?,
                interval,
                definite: true,
            })
        });
        position.considered = self.considered;
        position.possible.total = self.possible;
        position.possible_candidates = self.possible_candidates;
        position.reported.total = self.reported;
    }
}

/// What was picked, and what it does not tell.
pub(in super::super) type Picked = (Vec<(Testimony, Detail)>, Exact);

/// Picks what makes the position at a date, with lists of `page` items; none where the index
/// does not answer.
pub(in super::super) fn pick(
    bench: &mut Bench<'_>,
    pair: &Pair,
    (as_of, page): (i64, usize),
) -> Result<Option<Picked>, FoldError> {
    if !bench.terms.are_default() || bench.asked.len() > 1 {
        return Ok(None);
    }
    // Most pairs have few statements and no index, which one row tells for a fraction of what
    // looking for a seal costs.
    let tally: Option<Tally> = TALLIES.get(bench.tables, &Tally::key(pair))?;
    if tally.is_none_or(|it| it.sealed.is_none()) {
        return Ok(None);
    }
    let Some(mut state) = State::sealed(bench.tables, pair, bench.known_at)? else {
        return Ok(None);
    };
    if state.closed {
        return Ok(None);
    }
    state.advance(bench.tables, pair, bench.known_at)?;
    if state.closed || state.is_doubted(&bench.trust) {
        return Ok(None);
    }
    for speaker in state.speakers.iter().filter(|it| **it != pair.actor) {
        if bench.mandates.may_be_affiliated(speaker, &pair.actor)? {
            return Ok(None);
        }
    }
    let picks = Picks {
        search: Search::new(bench.tables, &state, as_of),
        bench,
        pair,
        state: &state,
        as_of,
        page,
        statements: BTreeSet::new(),
        testimonies: Vec::new(),
        details: Vec::new(),
    };
    picks.all().map(Some)
}

struct Picks<'p, 'b> {
    bench: &'p mut Bench<'b>,
    pair: &'p Pair,
    state: &'p State,
    search: Search<'p>,
    as_of: i64,
    page: usize,
    /// The statements that were read.
    statements: BTreeSet<u64>,
    testimonies: Vec<Testimony>,
    details: Vec<Detail>,
}

impl Picks<'_, '_> {
    fn all(mut self) -> Result<Picked, FoldError> {
        const OWN: [Kind; 2] = [Kind::Candidate, Kind::Evasion];
        const ALL: [Kind; 3] = [Kind::Candidate, Kind::Evasion, Kind::Reported];
        const DEFINITE: (bool, bool) = (true, false);
        const POSSIBLE: (bool, bool) = (false, true);
        const EITHER: (bool, bool) = (true, true);

        let has_voice = has_voice(self.bench.kind);
        self.newest(&ALL, DEFINITE, 1)?;
        let listed = self.search.possible(self.page)?;
        self.read_in_order(&listed)?;
        let reported: &[Kind] = if has_voice { &[Kind::Reported] } else { &ALL };
        let mut run = (None, None);
        if has_voice {
            let reported = self.search.reported(self.page)?;
            self.read_in_order(&reported)?;
            // Unless some of what is possible is listed already, or all.
            if listed.len() >= self.page && listed.iter().all(|it| it.kind == Kind::Reported) {
                self.newest(&OWN, POSSIBLE, 1)?;
            }
            let front = self.search.front(None)?;
            self.read(&front)?;
            let end = front.iter().map(|it| it.newness.latest).max();
            let evasion = self.search.evasion(end)?;
            self.read(evasion.as_slice())?;
            for speaker in (0..).take(self.state.speakers.len()) {
                let front = self.search.front(Some(speaker))?;
                self.read(&front)?;
            }
            if !front.is_empty() {
                run = self.run(&front)?;
            }
        } else {
            self.newest(&ALL, EITHER, self.page)?;
        }
        let considered = self.search.considered()?;
        let definite = self.search.definite()?;
        let possible = |kind: Kind| {
            let kind = kind as usize;
            considered[kind].saturating_sub(definite[kind])
        };
        let reported = reported.iter().map(|kind| considered[*kind as usize]);
        let candidates = if has_voice {
            possible(Kind::Candidate)
        } else {
            0
        };
        let exact = Exact {
            since: run.0,
            previous: run.1,
            considered: count(considered.iter().sum()),
            possible: count(ALL.into_iter().map(possible).sum()),
            possible_candidates: count(candidates),
            reported: count(reported.sum()),
        };
        let testimonies = self.testimonies.into_iter();
        Ok((testimonies.zip(self.details).collect(), exact))
    }

    /// Reads the newest of some kinds that are definite, or possible, or either.
    fn newest(
        &mut self,
        kinds: &[Kind],
        which: (bool, bool),
        count: usize,
    ) -> Result<(), FoldError> {
        let found = self.search.newest(kinds, which, count)?;
        self.read(&found)
    }

    /// Reads the statements of items, each once.
    fn read(&mut self, items: &[Item]) -> Result<(), FoldError> {
        for item in items {
            if self.statements.insert(item.newness.statement) {
                let changed = self.changed(item)?;
                self.hear(item, &changed)?;
            }
        }
        Ok(())
    }

    /// As [`read`](Self::read), of items in the order of age, the newest first: from copies, as
    /// far as there are any.
    fn read_in_order(&mut self, items: &[Item]) -> Result<(), FoldError> {
        let mut copies = Copies::new(self.bench.tables, self.pair);
        for item in items {
            let statement = item.newness.statement;
            if !self.statements.insert(statement) {
                continue;
            }
            let mut copy = None;
            if item.is_listed() {
                let place = Place::of(item);
                copy = match self.state.fresh.get(&place) {
                    Some(fresh) => Some(fresh.clone()),
                    None => copies.at(place)?,
                };
            }
            let changed = match copy {
                Some(changed) => changed,
                None => self.changed(item)?,
            };
            self.hear(item, &changed)?;
        }
        Ok(())
    }

    /// What was done to the statement of an item.
    fn changed(&self, item: &Item) -> Result<Changed, FoldError> {
        let statement = item.newness.statement;
        heard_of(self.bench.tables, self.pair, statement, item.changed_by)
    }

    fn hear(&mut self, item: &Item, changed: &Changed) -> Result<(), FoldError> {
        let statement = item.newness.statement;
        for (testimony, detail) in self.bench.hear(statement, changed, &mut Ties::default())? {
            self.testimonies.push(testimony);
            self.details.push(detail);
        }
        Ok(())
    }

    /// When the unbroken run began that ends in the position, and what decided before.
    ///
    /// If the whole front takes one stance, no break lies between the last candidate of another
    /// stance, once the front is clear of it, and the date asked for: so the break is looked
    /// for from there down.
    fn run(&mut self, front: &[Item]) -> Result<Run, FoldError> {
        let mut until = self.as_of;
        if let Some(mark) = only_mark(front) {
            let otherwise = self.search.otherwise(mark)?;
            until = self.search.cleared(otherwise)?.unwrap_or(until);
        }
        let mut count = WINDOW;
        loop {
            let (window, left_out) = self.search.window(until, count)?;
            self.read(&window)?;
            if let Some(found) = origin(&self.testimonies, until, left_out) {
                let previous = found.previous.map(|it| (order(it.testimony), it.interval));
                return Ok((found.since, previous));
            }
            count = count.saturating_mul(2);
        }
    }
}

/// The one stance that all of a front take.
fn only_mark(front: &[Item]) -> Option<Mark> {
    let mark = front.first()?.mark;
    let is_only = mark != Mark::Nothing && front.iter().all(|it| it.mark == mark);
    is_only.then_some(mark)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
