//! What the index keeps of a testimony: when it stands, what it counts as, who says it and
//! whether it says the same as another. Enough to find what decides, not to show it.

use serde::{Deserialize, Serialize};

use crate::position::{Newness, Testimony};
use crate::record::{Interval, Polarity, Stance, Strength};

/// What a testimony counts as, whatever mandates there are, as long as its speaker is not
/// merely affiliated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// It can make a position.
    Candidate,
    /// It speaks for the actor, without an answer.
    Evasion,
    /// It is reported beside the position.
    Reported,
}

/// How long something may be only possible without being vague: a day, as most dates are given.
const VAGUE_SECONDS: i64 = 86_400;
/// And how long without being open: a month, as most others are.
const OPEN_SECONDS: i64 = 31 * 86_400;

/// By what lists go looking for an item: some look for some sorts alone, and each sort is
/// possible at other dates than the others, so that every sort is kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Sort(u8);

impl Sort {
    /// What no list goes looking for: it speaks for the actor, and is possible for a day at most.
    pub(super) const UNLISTED: Self = Self(0);
    /// What is only reported, the vaguest first: what is possible for longer than a month, up to
    /// a month, and for a day at most.
    pub(super) const REPORTED: [Self; 3] = [Self(6), Self(5), Self(4)];
    /// What is possible for longer than a day, the vaguest first.
    pub(super) const VAGUE: [Self; 4] = [Self(6), Self(2), Self(5), Self(1)];

    /// The date before which everything of the sort ends that begins before another.
    pub(super) const fn ends_before(self, as_of: i64) -> i64 {
        match self.0 & 3 {
            0 => as_of.saturating_add(VAGUE_SECONDS),
            1 => as_of.saturating_add(OPEN_SECONDS),
            _ => i64::MAX,
        }
    }

    /// Whether it is possible for longer than a day.
    pub(super) const fn is_vague(self) -> bool {
        self.0 & 3 != 0
    }

    /// As it stands in keys.
    pub(super) const fn byte(self) -> u8 {
        self.0
    }
}

/// Something for each kind.
pub(super) type ByKind<T> = [T; 3];

/// Whether two answers are the same stance: if both are marked alike, one carries on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mark {
    /// There is no stance, or coders disagree what it is: it carries on nothing.
    Nothing,
    /// A stance without conditions.
    Plain(Polarity, Option<Strength>),
    /// The beginning of a hash of a stance with its conditions.
    Conditional([u8; 16]),
}

/// One form of a testimony. What was said over a time has two: the first until its end is
/// definite, the second from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub(super) struct Item {
    /// Its place in the order of age, by the form's interval.
    pub(super) newness: Newness,
    /// It is possible from the first second after this one; none for a second form, which is
    /// never only possible.
    pub(super) begins: Option<i64>,
    /// The date at which the second form replaces it, if there is one.
    pub(super) until: Option<i64>,
    /// Whether the testimony becomes definite with this form.
    pub(super) counts: bool,
    pub(super) kind: Kind,
    /// The number of its speaker on the pair; none if nobody is named.
    pub(super) speaker: Option<u8>,
    pub(super) mark: Mark,
    /// The last entry that did something to the statement: that which introduced it, if nothing
    /// else was done to it.
    pub(super) changed_by: u64,
}

impl Item {
    /// The forms of a testimony.
    pub(super) fn of(testimony: &Testimony, speaker: Option<u8>, changed_by: u64) -> Vec<Self> {
        let said_at = testimony.said_at;
        let repeated = testimony.repeated_until.filter(|it| *it != said_at);
        // A first form whose interval ends after the second's is never definite.
        let ends = repeated.map_or(said_at.latest, |it| it.latest.min(said_at.latest));
        let form = |interval: Interval| Self {
            newness: Newness {
                latest: interval.latest,
                earliest: interval.earliest,
                statement: testimony.statement,
                given_by: testimony.given_by,
                place: testimony.place,
            },
            begins: None,
            until: None,
            counts: false,
            kind: kind(testimony),
            speaker,
            mark: testimony.stance().map_or(Mark::Nothing, mark),
            changed_by,
        };
        let mut first = form(said_at);
        first.begins = Some(said_at.earliest.min(ends.saturating_sub(1)));
        first.until = repeated.map(|it| it.latest);
        first.counts = first.appears();
        let second = repeated.map(|interval| {
            let mut second = form(interval);
            second.counts = !first.counts;
            second
        });
        std::iter::once(first.clone()).chain(second).collect()
    }

    /// Whether there is a date at which this form is definite.
    pub(super) fn appears(&self) -> bool {
        self.until.is_none_or(|until| self.newness.latest < until)
    }

    /// Whether the lists of an answer go looking for it: what is only reported, and what may have
    /// been said by dates that lie further apart than most. It is seldom; so it is kept apart,
    /// where it lies close together.
    pub(super) fn is_listed(&self) -> bool {
        self.sort() != Sort::UNLISTED
    }

    /// Of what sort it is.
    pub(super) fn sort(&self) -> Sort {
        let possible = self
            .begins
            .map_or(0, |begins| self.newness.latest.saturating_sub(begins));
        let vagueness = u8::from(possible > VAGUE_SECONDS) + u8::from(possible > OPEN_SECONDS);
        Sort(u8::from(self.kind == Kind::Reported) << 2 | vagueness)
    }

    /// Whether it is definite at a date, and no other form has replaced it.
    pub(super) fn is_definite(&self, as_of: i64) -> bool {
        self.newness.latest <= as_of && self.until.is_none_or(|until| as_of < until)
    }

    /// Whether it may have been said by a date, and is not definite there.
    pub(super) fn is_possible(&self, as_of: i64) -> bool {
        self.newness.latest > as_of
            && self.begins.is_some_and(|begins| begins < as_of)
            && self.until.is_none_or(|until| as_of < until)
    }

    /// The same in the order of beginnings, with what is counted there alone; none for a
    /// second form.
    pub(super) fn beginning(&self) -> Option<Self> {
        let begins = self.begins?;
        Some(Self {
            newness: Newness {
                latest: begins,
                earliest: begins,
                ..self.newness
            },
            begins: None,
            until: None,
            counts: true,
            kind: self.kind,
            speaker: None,
            mark: Mark::Nothing,
            changed_by: self.newness.statement,
        })
    }
}

/// An item as it stands in a row: dates and entries by how far they lie from one another, which
/// mostly takes a byte.
#[derive(Serialize, Deserialize)]
struct Packed {
    latest: i64,
    /// How far `earliest` lies below.
    span: u64,
    statement: u64,
    /// How far `given_by` lies above it.
    given_after: u64,
    place: u32,
    /// How far `begins` lies below `earliest`.
    begins: Option<u64>,
    until: Option<i64>,
    kind: Kind,
    counts: bool,
    /// How far `changed_by` lies above `statement`.
    changed_after: u64,
    speaker: Option<u8>,
    mark: Mark,
}

impl From<Item> for Packed {
    fn from(item: Item) -> Self {
        let Newness {
            latest,
            earliest,
            statement,
            given_by,
            place,
        } = item.newness;
        Self {
            latest,
            // Distances wrap, so that any two dates and entries have one.
            span: latest.wrapping_sub(earliest).cast_unsigned(),
            statement,
            given_after: given_by.wrapping_sub(statement),
            place,
            begins: item
                .begins
                .map(|begins| earliest.wrapping_sub(begins).cast_unsigned()),
            until: item.until,
            kind: item.kind,
            counts: item.counts,
            changed_after: item.changed_by.wrapping_sub(statement),
            speaker: item.speaker,
            mark: item.mark,
        }
    }
}

impl From<Packed> for Item {
    fn from(packed: Packed) -> Self {
        let earliest = packed.latest.wrapping_sub(packed.span.cast_signed());
        Self {
            newness: Newness {
                latest: packed.latest,
                earliest,
                statement: packed.statement,
                given_by: packed.statement.wrapping_add(packed.given_after),
                place: packed.place,
            },
            begins: packed
                .begins
                .map(|below| earliest.wrapping_sub(below.cast_signed())),
            until: packed.until,
            counts: packed.counts,
            kind: packed.kind,
            speaker: packed.speaker,
            mark: packed.mark,
            changed_by: packed.statement.wrapping_add(packed.changed_after),
        }
    }
}

/// What a testimony counts as.
fn kind(testimony: &Testimony) -> Kind {
    if testimony.is_candidate() {
        Kind::Candidate
    } else if testimony.is_admissible() {
        Kind::Evasion
    } else {
        Kind::Reported
    }
}

/// What tells a stance apart.
fn mark(stance: &Stance) -> Mark {
    if stance.conditions.is_empty() {
        return Mark::Plain(stance.polarity, stance.strength);
    }
    let mut conditions: Vec<_> = stance
        .conditions
        .iter()
        .map(|it| match &it.id {
            Some(id) => (it.kind, Some(id.as_str()), ""),
            None => (it.kind, None, &it.text[..]),
        })
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    let told_apart = (stance.polarity, stance.strength, conditions);
    let Ok(told_apart) = postcard::to_stdvec(&told_apart) else {
        return Mark::Nothing;
    };
    let hash = blake3::hash(&told_apart);
    let beginning = hash.as_bytes().first_chunk().copied();
    beginning.map_or(Mark::Nothing, Mark::Conditional)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_item_is_read_back_as_it_was_written(
            (latest, earliest, begins, until) in any::<(i64, i64, Option<i64>, Option<i64>)>(),
            (statement, given_by, place) in any::<(u64, u64, u32)>(),
            (counts, changed_by, speaker) in any::<(bool, u64, Option<u8>)>(),
            kind in prop_oneof![Just(Kind::Candidate), Just(Kind::Evasion), Just(Kind::Reported)],
            mark in prop_oneof![
                Just(Mark::Nothing),
                Just(Mark::Plain(Polarity::Open, None)),
                any::<[u8; 16]>().prop_map(Mark::Conditional),
            ],
        ) {
            let newness = Newness { latest, earliest, statement, given_by, place };
            let item = Item { newness, begins, until, counts, kind, speaker, mark, changed_by };
            let row = postcard::to_stdvec(&item).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Item>(&row), Ok(item));
        }
    }
}
