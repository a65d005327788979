//! Walks along ascending or descending indexes, and the search for what several have in
//! common, which skips from candidate to candidate (a leapfrog join).
//!
//! A walk is asked for the nearest index at a place or beyond it, and places go one way: up,
//! or down. Nothing here knows rows.

use crate::fold::{FoldError, Order};

/// Indexes in one order, to be skipped along.
pub(super) trait Walk {
    /// The nearest index at `from` or beyond it; none if there is none. No call lies before
    /// the one that came before it.
    fn seek(&mut self, from: u64) -> Result<Option<u64>, FoldError>;
}

/// The nearest of some ascending indexes, at `from` or beyond it in this order.
pub(super) fn nearest(ascending: &[u64], from: u64, order: Order) -> Option<u64> {
    match order {
        Order::Ascending => {
            let place = ascending.partition_point(|index| *index < from);
            ascending.get(place).copied()
        }
        Order::Descending => {
            let place = ascending.partition_point(|index| *index <= from);
            ascending.get(place.checked_sub(1)?).copied()
        }
    }
}

/// What at least one of several walks comes past.
pub(super) struct AnyOf<'t> {
    /// Each with the answer that it gave last, which holds until a call lies beyond it.
    walks: Vec<(Box<dyn Walk + 't>, Answer)>,
    order: Order,
}

/// The last answer of a walk.
#[derive(Clone, Copy)]
enum Answer {
    NotAsked,
    At(u64),
    End,
}

impl<'t> AnyOf<'t> {
    pub(super) fn new(walks: Vec<Box<dyn Walk + 't>>, order: Order) -> Self {
        let walks = walks.into_iter().map(|walk| (walk, Answer::NotAsked));
        Self {
            walks: walks.collect(),
            order,
        }
    }
}

impl Walk for AnyOf<'_> {
    fn seek(&mut self, from: u64) -> Result<Option<u64>, FoldError> {
        let mut best = None;
        for (walk, answer) in &mut self.walks {
            let stale = match *answer {
                Answer::NotAsked => true,
                Answer::At(index) => before(index, from, self.order),
                Answer::End => false,
            };
            if stale {
                *answer = walk.seek(from)?.map_or(Answer::End, Answer::At);
            }
            if let Answer::At(index) = *answer
                && best.is_none_or(|best| before(index, best, self.order))
            {
                best = Some(index);
            }
        }
        Ok(best)
    }
}

/// Whether a walk comes past `index` before it comes past `other`.
const fn before(index: u64, other: u64, order: Order) -> bool {
    match order {
        Order::Ascending => index < other,
        Order::Descending => index > other,
    }
}

/// Where a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All walks come past this index.
    Found(u64),
    /// It has looked as often as it may; nothing is to be found before this index.
    Paused(u64),
    /// There is nothing more.
    End,
}

/// The search for what several walks have in common.
pub struct Search<'t> {
    walks: Vec<Box<dyn Walk + 't>>,
    order: Order,
}

impl<'t> Search<'t> {
    /// Searches at least one walk.
    pub(super) fn new(walks: Vec<Box<dyn Walk + 't>>, order: Order) -> Self {
        Self { walks, order }
    }

    /// The nearest index at `from` or beyond it that all walks come past. Each look at a walk
    /// takes one of `looks`; it pauses without any left, though never before it came further
    /// than `from`. No call may lie before the one that came before it.
    ///
    /// # Errors
    ///
    /// The rows cannot be read, or are not what was written.
    pub fn seek(&mut self, from: u64, looks: &mut usize) -> Result<Step, FoldError> {
        let mut at = from;
        let mut agreed = 0;
        for turn in (0..self.walks.len()).cycle() {
            let Some(walk) = self.walks.get_mut(turn) else {
                break;
            };
            if *looks == 0 && at != from {
                return Ok(Step::Paused(at));
            }
            *looks = looks.saturating_sub(1);
            match walk.seek(at)? {
                None => break,
                Some(found) if found == at => agreed += 1,
                Some(found) => {
                    at = found;
                    agreed = 1;
                }
            }
            if agreed == self.walks.len() {
                return Ok(Step::Found(at));
            }
        }
        Ok(Step::End)
    }

    /// Where the search goes on after `index`; none at the end of all indexes.
    #[must_use]
    pub const fn beyond(&self, index: u64) -> Option<u64> {
        match self.order {
            Order::Ascending => index.checked_add(1),
            Order::Descending => index.checked_sub(1),
        }
    }
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("walks", &self.walks.len())
            .field("order", &self.order)
            .finish()
    }
}
