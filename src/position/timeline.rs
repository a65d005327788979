//! How a position came about: what decided from when on, as the date asked for grows, and
//! where the actor evaded.
//!
//! The position is not worked out anew at every date: it can change only where a statement
//! becomes definite, at the end of its interval, so that one sweep over those ends, in order,
//! meets every change. Each statement has one, or two where it was said over a time: the
//! whole costs n log n.

use std::iter::Peekable;
use std::vec;

use super::comparison::{Comparison, Decision, compare};
use super::front::Front;
use super::{Dated, Question, Testimony};

/// A step of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The least date asked for at which it counts: the end of its interval.
    pub at: i64,
    /// What decides from then on, or evades.
    pub testimony: Dated<'a>,
    /// How it differs from what decided before, each as of its own step; nothing for an
    /// evasion, which changes nothing.
    pub comparison: Option<Comparison<'a>>,
}

/// Every step up to the date asked for, oldest first. Of those at one date, what decides
/// stands first, then the evasions by age.
#[must_use]
pub fn timeline(testimonies: &[Testimony], question: Question) -> Vec<Step<'_>> {
    if !question.has_voice {
        return Vec::new();
    }
    let mut before = Decision::NOTHING;
    let mut steps: Vec<_> = Sweep::new(testimonies, question.as_of)
        .filter_map(|Takeover { at, decision }| {
            let comparison = Some(compare(&before, &decision));
            before = decision;
            let testimony = decision.deciding?;
            Some(Step {
                at,
                testimony,
                comparison,
            })
        })
        .collect();
    let evasions = testimonies
        .iter()
        .filter(|testimony| testimony.is_admissible() && !testimony.is_candidate());
    steps.extend(appearances(evasions, question.as_of).map(|testimony| Step {
        at: testimony.interval.latest,
        testimony,
        comparison: None,
    }));
    steps.sort_by_key(|step| (step.at, step.comparison.is_none()));
    steps
}

/// A change of what decides.
#[derive(Clone, Copy)]
pub(super) struct Takeover<'a> {
    /// The least date asked for at which it decides.
    pub(super) at: i64,
    /// What decides from then on.
    pub(super) decision: Decision<'a>,
}

/// What a date at which something becomes definite changes.
pub(super) enum Advance<'a> {
    /// The same decides.
    Same,
    /// Something else does.
    Takeover(Takeover<'a>),
}

/// Every change of what decides, as the date asked for grows up to a bound; once it has ended,
/// its front is the one at that bound.
pub(super) struct Sweep<'a> {
    appearances: Peekable<vec::IntoIter<Dated<'a>>>,
    possible: PossibleCandidates,
    front: Front<'a>,
    deciding: Option<Dated<'a>>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(testimonies: &'a [Testimony], until: i64) -> Self {
        let candidates = || testimonies.iter().filter(|each| each.is_candidate());
        Self {
            appearances: appearances(candidates(), until).peekable(),
            possible: PossibleCandidates::new(candidates()),
            front: Front::default(),
            deciding: None,
        }
    }

    /// The front at the bound.
    pub(super) fn into_front(mut self) -> Front<'a> {
        self.by_ref().for_each(drop);
        self.front
    }

    /// The front at the date that the sweep has come to.
    pub(super) const fn front(&self) -> &Front<'a> {
        &self.front
    }

    /// Goes on to the next date at which something becomes definite, and says whether that
    /// changes what decides; none after the last.
    pub(super) fn advance(&mut self) -> Option<Advance<'a>> {
        let first = self.appearances.next()?;
        let at = first.interval.latest;
        self.front.take(first);
        while let Some(dated) = self
            .appearances
            .next_if(|dated| dated.interval.latest == at)
        {
            self.front.take(dated);
        }
        let deciding = self.front.deciding();
        let goes_on = matches!(
            (&self.deciding, &deciding),
            (Some(before), Some(after)) if before.is_same(after)
        );
        if goes_on {
            return Some(Advance::Same);
        }
        self.deciding = deciding;
        let disputed = deciding.is_some_and(|it| it.testimony.is_disputed());
        let certain = !disputed && self.possible.at(at) == 0 && !self.front.is_divided();
        let decision = Decision { deciding, certain };
        Some(Advance::Takeover(Takeover { at, decision }))
    }
}

impl<'a> Iterator for Sweep<'a> {
    type Item = Takeover<'a>;

    fn next(&mut self) -> Option<Takeover<'a>> {
        loop {
            if let Advance::Takeover(takeover) = self.advance()? {
                return Some(takeover);
            }
        }
    }
}

/// The forms in which testimonies become definite by `until`, oldest first.
pub(super) fn appearances<'a>(
    testimonies: impl Iterator<Item = &'a Testimony>,
    until: i64,
) -> vec::IntoIter<Dated<'a>> {
    let mut appearances: Vec<_> = testimonies
        .flat_map(Testimony::appearances)
        .filter(|dated| dated.interval.latest <= until)
        .collect();
    appearances.sort_unstable_by_key(Dated::newness);
    appearances.into_iter()
}

/// How many candidates are possible at a date, for dates that grow.
struct PossibleCandidates {
    /// The first date at which each is possible, and the first at which it no longer is.
    begins: Peekable<vec::IntoIter<i64>>,
    ends: Peekable<vec::IntoIter<i64>>,
    count: usize,
}

impl PossibleCandidates {
    fn new<'a>(candidates: impl Iterator<Item = &'a Testimony>) -> Self {
        let (mut begins, mut ends): (Vec<_>, Vec<_>) = candidates
            .filter_map(|candidate| {
                let begin = candidate.said_at.earliest.saturating_add(1);
                let end = candidate.appearances().next()?.interval.latest;
                (begin < end).then_some((begin, end))
            })
            .unzip();
        begins.sort_unstable();
        ends.sort_unstable();
        Self {
            begins: begins.into_iter().peekable(),
            ends: ends.into_iter().peekable(),
            count: 0,
        }
    }

    fn at(&mut self, as_of: i64) -> usize {
        while self.begins.next_if(|&begin| begin <= as_of).is_some() {
            self.count += 1;
        }
        while self.ends.next_if(|&end| end <= as_of).is_some() {
            self.count -= 1;
        }
        self.count
    }
}
