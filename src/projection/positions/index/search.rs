//! What a question looks for on a pair: each search reads the pages on its way, and finds what
//! it needs in items, before any statement is read.

use std::ops::ControlFlow;

use super::item::{ByKind, Item, Kind, Mark, Sort};
use super::state::State;
use super::tree::{Child, Pages};
use crate::fold::{FoldError, Order, Tables};

/// Looks at a pair as it stands at the question's K.
pub(super) struct Search<'a> {
    state: &'a State,
    pages: Pages<'a>,
    as_of: i64,
}

/// Among which items a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Among {
    All,
    /// Those of one sort that lists go looking for.
    Listed(Sort),
}

/// How long a search is to go on.
const GO_ON: ControlFlow<()> = ControlFlow::Continue(());
const ENOUGH: ControlFlow<()> = ControlFlow::Break(());

impl<'a> Search<'a> {
    pub(super) fn new(tables: &'a dyn Tables, state: &'a State, as_of: i64) -> Self {
        Self {
            state,
            pages: Pages::new(tables),
            as_of,
        }
    }

    /// Shows items in this order, passing over pages that are not wanted.
    fn visit(
        &mut self,
        order: Order,
        wanted: impl Fn(&Child) -> bool,
        show: impl FnMut(&Item) -> ControlFlow<()>,
    ) -> Result<(), FoldError> {
        self.visit_among(Among::All, order, wanted, show)
    }

    fn visit_among(
        &mut self,
        among: Among,
        order: Order,
        wanted: impl Fn(&Child) -> bool,
        mut show: impl FnMut(&Item) -> ControlFlow<()>,
    ) -> Result<(), FoldError> {
        let state = self.state;
        let tree = match among {
            Among::All => state.by_age.as_ref(),
            Among::Listed(sort) => state.listed.get(&sort),
        };
        let come = state.come.values();
        let mut come = come.filter(|it| match among {
            Among::All => true,
            Among::Listed(sort) => it.sort() == sort,
        });
        let mut next = move || match order {
            Order::Ascending => come.next(),
            Order::Descending => come.next_back(),
        };
        let mut loose = next();
        let is_before = |one: &Item, other: &Item| match order {
            Order::Ascending => one.newness < other.newness,
            Order::Descending => one.newness > other.newness,
        };
        if let Some(tree) = tree {
            let flow = self.pages.walk(tree, order, &wanted, &mut |item| {
                while let Some(before) = loose.filter(|it| is_before(it, item)) {
                    show(before)?;
                    loose = next();
                }
                if state.gone.contains_key(&item.newness) {
                    return GO_ON;
                }
                show(item)
            })?;
            if flow == ENOUGH {
                return Ok(());
            }
        }
        while let Some(item) = loose {
            if show(item) == ENOUGH {
                break;
            }
            loose = next();
        }
        Ok(())
    }

    /// By kind, how many testimonies are definite.
    pub(super) fn definite(&mut self) -> Result<ByKind<u64>, FoldError> {
        let (state, as_of) = (self.state, self.as_of);
        let counts = match &state.by_age {
            Some(tree) => self.pages.count(tree, as_of)?,
            None => [0; 3],
        };
        Ok(corrected(counts, state, |it| {
            it.counts && it.newness.latest <= as_of
        }))
    }

    /// By kind, how many testimonies are definite or possible.
    pub(super) fn considered(&mut self) -> Result<ByKind<u64>, FoldError> {
        let (state, as_of) = (self.state, self.as_of);
        let counts = match &state.by_beginning {
            Some(tree) => self.pages.count(tree, as_of.saturating_sub(1))?,
            None => [0; 3],
        };
        Ok(corrected(counts, state, |it| {
            it.begins.is_some_and(|begins| begins < as_of)
        }))
    }

    /// The candidates of the front; of a speaker's own, if one is named. Sought from the newest
    /// down, until what is left ends before the last of them begins.
    pub(super) fn front(&mut self, speaker: Option<u8>) -> Result<Vec<Item>, FoldError> {
        let as_of = self.as_of;
        let wanted = |page: &Child| {
            page.reaches_down_to(as_of)
                && match speaker {
                    Some(speaker) => page.holds_speaker(speaker),
                    None => page.holds(Kind::Candidate),
                }
        };
        let mut front: Vec<Item> = Vec::new();
        let mut begins = i64::MIN;
        self.visit(Order::Descending, wanted, |item| {
            let is_meant = item.kind == Kind::Candidate
                && item.is_definite(as_of)
                && (speaker.is_none() || item.speaker == speaker);
            if !is_meant {
                return GO_ON;
            }
            if item.newness.latest <= begins {
                return ENOUGH;
            }
            begins = begins.max(item.newness.earliest);
            front.push(item.clone());
            GO_ON
        })?;
        Ok(front)
    }

    /// The newest evasion that begins when the front is over, whose greatest `latest` is given.
    pub(super) fn evasion(&mut self, front: Option<i64>) -> Result<Option<Item>, FoldError> {
        let as_of = self.as_of;
        let wanted = |page: &Child| {
            page.holds(Kind::Evasion)
                && page.reaches_down_to(as_of)
                && front.is_none_or(|end| page.reaches_beyond(end))
        };
        let mut found = None;
        self.visit(Order::Descending, wanted, |item| {
            if front.is_some_and(|end| item.newness.latest <= end) {
                return ENOUGH;
            }
            let is_meant = item.kind == Kind::Evasion
                && item.is_definite(as_of)
                && front.is_none_or(|end| item.newness.earliest >= end);
            if !is_meant {
                return GO_ON;
            }
            found = Some(item.clone());
            ENOUGH
        })?;
        Ok(found)
    }

    /// The newest of some kinds that are definite, or possible, or either.
    pub(super) fn newest(
        &mut self,
        kinds: &[Kind],
        (definite, possible): (bool, bool),
        count: usize,
    ) -> Result<Vec<Item>, FoldError> {
        let as_of = self.as_of;
        let wanted = |page: &Child| {
            let mut kinds = kinds.iter();
            kinds.any(|kind| {
                definite && page.holds(*kind) && page.reaches_down_to(as_of)
                    || possible && page.begins_before(*kind, as_of) && page.reaches_beyond(as_of)
            })
        };
        let mut found = Vec::new();
        self.visit(Order::Descending, wanted, |item| {
            if found.len() >= count {
                return ENOUGH;
            }
            let stands = definite && item.is_definite(as_of) || possible && item.is_possible(as_of);
            if stands && kinds.contains(&item.kind) {
                found.push(item.clone());
            }
            GO_ON
        })?;
        Ok(found)
    }

    /// The newest of those reported, definite or possible.
    pub(super) fn reported(&mut self, count: usize) -> Result<Vec<Item>, FoldError> {
        let as_of = self.as_of;
        let wanted =
            |page: &Child| page.reaches_down_to(as_of) || page.begins_before(Kind::Reported, as_of);
        let is_meant = |item: &Item| item.is_definite(as_of) || item.is_possible(as_of);
        let mut found = Vec::new();
        for sort in Sort::REPORTED {
            let among = Among::Listed(sort);
            self.add_newest(&mut found, count, (among, sort), wanted, is_meant)?;
        }
        Ok(found)
    }

    /// The newest of those possible.
    pub(super) fn possible(&mut self, count: usize) -> Result<Vec<Item>, FoldError> {
        let as_of = self.as_of;
        let wanted =
            |page: &Child| page.reaches_beyond(as_of) && page.begins_before_in_any_kind(as_of);
        let mut found = Vec::new();
        for sort in Sort::VAGUE {
            let is_meant = |item: &Item| item.is_possible(as_of);
            let among = Among::Listed(sort);
            self.add_newest(&mut found, count, (among, sort), wanted, is_meant)?;
        }
        // Those that are possible for a day at most lie close to one another as it is.
        let is_meant = |item: &Item| !item.sort().is_vague() && item.is_possible(as_of);
        let among = (Among::All, Sort::UNLISTED);
        self.add_newest(&mut found, count, among, wanted, is_meant)?;
        Ok(found)
    }

    /// Puts the newest of a sort to those of others, the newest first, and keeps so many of all.
    fn add_newest(
        &mut self,
        found: &mut Vec<Item>,
        count: usize,
        (among, sort): (Among, Sort),
        wanted: impl Fn(&Child) -> bool,
        is_meant: impl Fn(&Item) -> bool,
    ) -> Result<(), FoldError> {
        // What is older is of no use.
        let oldest = found.get(count.wrapping_sub(1)).map(|it| it.newness);
        let end = sort.ends_before(self.as_of);
        let wanted = |page: &Child| {
            wanted(page)
                && page.reaches_down_to(end)
                && oldest.is_none_or(|oldest| page.reaches_up_to(oldest.latest))
        };
        let mut left = count;
        self.visit_among(among, Order::Descending, wanted, |item| {
            if left == 0 || oldest.is_some_and(|oldest| item.newness < oldest) {
                return ENOUGH;
            }
            if is_meant(item) {
                found.push(item.clone());
                left -= 1;
            }
            GO_ON
        })?;
        found.sort_unstable_by_key(|it| std::cmp::Reverse(it.newness));
        found.truncate(count);
        Ok(())
    }

    /// When the newest candidate ends that is not marked so, in whichever form.
    pub(super) fn otherwise(&mut self, mark: Mark) -> Result<Option<i64>, FoldError> {
        let as_of = self.as_of;
        let wanted = |page: &Child| page.reaches_down_to(as_of) && page.holds_other_than(mark);
        let mut found = None;
        self.visit(Order::Descending, wanted, |item| {
            if !could_decide(item, as_of) || item.mark == mark {
                return GO_ON;
            }
            found = Some(item.newness.latest);
            ENOUGH
        })?;
        Ok(found)
    }

    /// The least date from which on a candidate stands that begins at `end` or after it; with
    /// no such bound, any. None by the date asked for.
    pub(super) fn cleared(&mut self, end: Option<i64>) -> Result<Option<i64>, FoldError> {
        let as_of = self.as_of;
        let wanted = |page: &Child| {
            page.holds(Kind::Candidate) && end.is_none_or(|end| page.reaches_beyond(end))
        };
        let mut found = None;
        self.visit(Order::Ascending, wanted, |item| {
            if item.newness.latest > as_of {
                return ENOUGH;
            }
            // A form that another replaces might leave the front again.
            let is_meant = could_decide(item, as_of)
                && end.is_none_or(|end| item.newness.earliest >= end && item.until.is_none());
            if !is_meant {
                return GO_ON;
            }
            found = Some(item.newness.latest);
            ENOUGH
        })?;
        Ok(found)
    }

    /// So many candidates that end by a date, in whichever form, the newest of them, with all
    /// that end when the last of these does; and when those end that are left out, if any are.
    pub(super) fn window(
        &mut self,
        until: i64,
        count: usize,
    ) -> Result<(Vec<Item>, Option<i64>), FoldError> {
        let wanted = |page: &Child| page.holds(Kind::Candidate) && page.reaches_down_to(until);
        let (mut found, mut left_out): (Vec<Item>, _) = (Vec::new(), None);
        self.visit(Order::Descending, wanted, |item| {
            if !could_decide(item, until) {
                return GO_ON;
            }
            let latest = item.newness.latest;
            let is_tied = found.last().is_none_or(|it| it.newness.latest == latest);
            if found.len() >= count && !is_tied {
                left_out = Some(latest);
                return ENOUGH;
            }
            found.push(item.clone());
            GO_ON
        })?;
        Ok((found, left_out))
    }
}

/// Whether a candidate could decide at some date up to this one.
fn could_decide(item: &Item, as_of: i64) -> bool {
    item.kind == Kind::Candidate && item.appears() && item.newness.latest <= as_of
}

/// What is counted in the trees, with what has come and gone beside them.
fn corrected(
    mut counts: ByKind<u64>,
    state: &State,
    counted: impl Fn(&Item) -> bool,
) -> ByKind<u64> {
    for item in state.come.values().filter(|it| counted(it)) {
        counts[item.kind as usize] += 1;
    }
    for item in state.gone.values().filter(|it| counted(it)) {
        let count = &mut counts[item.kind as usize];
        *count = count.saturating_sub(1);
    }
    counts
}
