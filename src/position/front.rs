//! The front: every candidate that may be the newest. With E the greatest *earliest* among
//! the candidates, these are the ones whose *latest* lies after E; the one of highest
//! authority decides, then the newest.
//!
//! Candidates are never compared in pairs: "authority where intervals overlap, else newer" is
//! not transitive. They are kept in order of age by authority and polarity, so that what
//! decides is found among the newest of at most 4 x 6 groups, however many there are and
//! whichever way E moves. What is disputed has no polarity, and a group of its own.

use std::collections::BTreeMap;

use super::{Authority, Dated, Newness, Testimony};
use crate::record::{Interval, Polarity};

/// The candidates that are definite at some date, as its front sees them.
#[derive(Default)]
pub(super) struct Front<'a> {
    groups: BTreeMap<(Authority, Option<Polarity>), BTreeMap<Newness, Dated<'a>>>,
    /// How many candidates begin at each second. Its last key is E.
    beginnings: BTreeMap<i64, usize>,
}

impl<'a> Front<'a> {
    /// Takes in a candidate in the form in which it stands; a later form of the same candidate
    /// replaces the earlier.
    pub(super) fn take(&mut self, dated: Dated<'a>) {
        if dated.interval != dated.testimony.said_at {
            self.withdraw(dated.testimony, dated.testimony.said_at);
        }
        let replaced = self
            .groups
            .entry(group(dated.testimony))
            .or_default()
            .insert(dated.newness(), dated);
        if replaced.is_none() {
            *self.beginnings.entry(dated.interval.earliest).or_default() += 1;
        }
    }

    /// Takes out a candidate in an earlier form, if it is there.
    fn withdraw(&mut self, testimony: &'a Testimony, interval: Interval) {
        let dated = Dated {
            testimony,
            interval,
            definite: true,
        };
        let group = self.groups.get_mut(&group(testimony));
        let removed = group.and_then(|group| group.remove(&dated.newness()));
        if removed.is_none() {
            return;
        }
        if let Some(count) = self.beginnings.get_mut(&interval.earliest) {
            *count -= 1;
            if *count == 0 {
                self.beginnings.remove(&interval.earliest);
            }
        }
    }

    /// Every candidate that may be the newest, the one that decides first.
    pub(super) fn members(&self) -> Vec<Dated<'a>> {
        let mut members: Vec<_> = self
            .groups
            .values()
            .flat_map(|group| group.values().rev().take_while(|&each| self.holds(each)))
            .copied()
            .collect();
        members.sort_unstable_by_key(|member| std::cmp::Reverse(member.rank()));
        members
    }

    /// The candidate that decides; none if there is no candidate.
    pub(super) fn deciding(&self) -> Option<Dated<'a>> {
        self.newest_of_groups()
            .map(|(_, dated)| dated)
            .max_by_key(Dated::rank)
    }

    /// Whether polarities differ within the front, so that its order decides. What is disputed
    /// may have any, and differs from everything beside it.
    pub(super) fn is_divided(&self) -> bool {
        let mut polarities = self.newest_of_groups().map(|(polarity, _)| polarity);
        let Some(first) = polarities.next() else {
            return false;
        };
        polarities.any(|polarity| polarity != first) || first.is_none() && self.disputed() > 1
    }

    /// How many members of the front are disputed.
    fn disputed(&self) -> usize {
        let disputed = self
            .groups
            .iter()
            .filter(|((_, polarity), _)| polarity.is_none());
        disputed
            .flat_map(|(_, group)| group.values().rev().take_while(|&each| self.holds(each)))
            .count()
    }

    /// The newest candidate of each group that reaches into the front, with its polarity.
    fn newest_of_groups(&self) -> impl Iterator<Item = (Option<Polarity>, Dated<'a>)> {
        self.groups
            .iter()
            .filter_map(|((_, polarity), group)| Some((*polarity, *group.values().next_back()?)))
            .filter(|(_, newest)| self.holds(newest))
    }

    /// Whether a candidate may be the newest.
    fn holds(&self, candidate: &Dated<'_>) -> bool {
        self.greatest_earliest()
            .is_some_and(|earliest| candidate.interval.latest > earliest)
    }

    /// E: when the candidate that begins last begins.
    pub(super) fn greatest_earliest(&self) -> Option<i64> {
        let (earliest, _) = self.beginnings.last_key_value()?;
        Some(*earliest)
    }
}

/// The group that a candidate belongs to.
fn group(candidate: &Testimony) -> (Authority, Option<Polarity>) {
    let polarity = candidate.stance().map(|stance| stance.polarity);
    (candidate.authority, polarity)
}
