//! Stretches of time as the rules reckon in them, and what follows from two of them.

use serde::{Deserialize, Serialize};

/// A UTC day has no leap seconds here, as in POSIX time.
pub(super) const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The Gregorian calendar repeats itself after 400 years.
pub(super) const CYCLE_YEARS: i64 = 400;
/// 400 years have 97 leap days.
pub(super) const CYCLE_SECONDS: i64 = (CYCLE_YEARS * 365 + 97) * DAY_SECONDS;

/// A half-open interval of time: `earliest` belongs to it, `latest` is the first second after
/// it. Both are whole UTC seconds since 1970-01-01T00:00:00Z, negative before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The first second that belongs to it.
    pub earliest: i64,
    /// The first second after it.
    pub latest: i64,
}

impl Interval {
    /// Every second that a date can stand for: from 0000-01-01T00:00:00Z, where `[..B]`
    /// begins, to 10000-01-01T00:00:00Z. The epoch is 719,528 days after its beginning, and
    /// it is 25 cycles of 400 years long.
    pub const ALL: Self = Self {
        earliest: -719_528 * DAY_SECONDS,
        latest: -719_528 * DAY_SECONDS + 25 * CYCLE_SECONDS,
    };

    /// Whether some second belongs to both.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.earliest < other.latest && other.earliest < self.latest
    }

    /// When something was said that does not say when: at some time up to the earliest
    /// publication of the sources of its words, or if none of them has one, up to the earliest
    /// capture. Of each source, the first second after its publication and after its capture.
    #[must_use]
    pub fn unstated(sources: impl IntoIterator<Item = (Option<i64>, i64)>) -> Self {
        let (mut published, mut captured): (Option<i64>, Option<i64>) = (None, None);
        for (after_publication, after_capture) in sources {
            published = published.into_iter().chain(after_publication).min();
            captured = captured.into_iter().chain([after_capture]).min();
        }
        Self {
            latest: published.or(captured).unwrap_or(Self::ALL.latest),
            ..Self::ALL
        }
    }
}

/// How much of a stretch of time another one covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// No second of it.
    None,
    /// Some of it.
    Part,
    /// All of it.
    Whole,
}

/// How long something is in force: from the first second of its start to the last of its end.
/// What is left out is unbounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// When it starts.
    pub start: Option<Interval>,
    /// When it ends.
    pub end: Option<Interval>,
}

impl Term {
    /// How much of `interval` it is in force.
    #[must_use]
    pub fn cover(&self, interval: Interval) -> Cover {
        let from = self.start.map_or(i64::MIN, |start| start.earliest);
        let to = self.end.map_or(i64::MAX, |end| end.latest);
        if from <= interval.earliest && interval.latest <= to {
            Cover::Whole
        } else if from < interval.latest && interval.earliest < to {
            Cover::Part
        } else {
            Cover::None
        }
    }

    /// Whether it is in force at `interval`, wherever in it the moment lies.
    #[must_use]
    pub fn covers(&self, interval: Interval) -> bool {
        self.cover(interval) == Cover::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn interval(earliest: i64, latest: i64) -> Interval {
        Interval { earliest, latest }
    }

    #[test]
    fn a_term_lasts_from_the_first_second_of_its_start_to_the_last_of_its_end() {
        let term = Term {
            start: Some(interval(10, 20)),
            end: Some(interval(30, 40)),
        };
        for (asked, cover) in [
            (interval(10, 40), Cover::Whole),
            (interval(9, 40), Cover::Part),
            (interval(10, 41), Cover::Part),
            (interval(0, 10), Cover::None),
            (interval(40, 41), Cover::None),
            (interval(0, 100), Cover::Part),
        ] {
            assert_eq!(term.cover(asked), cover, "{asked:?}");
            assert_eq!(term.covers(asked), cover == Cover::Whole);
        }
        assert!(Term::default().covers(Interval::ALL));
    }

    #[test]
    fn two_stretches_of_time_meet_where_they_have_a_second_in_common() {
        let asked = interval(10, 20);
        for (other, meet) in [
            (interval(0, 10), false),
            (interval(0, 11), true),
            (interval(12, 13), true),
            (interval(19, 30), true),
            (interval(20, 30), false),
            (Interval::ALL, true),
        ] {
            assert_eq!(asked.meets(other), meet, "{other:?}");
            assert_eq!(other.meets(asked), meet, "{other:?}");
        }
    }

    #[test]
    fn what_does_not_say_when_was_said_by_its_first_publication_or_else_its_first_capture() {
        let up_to = |sources: &[(Option<i64>, i64)]| {
            let interval = Interval::unstated(sources.iter().copied());
            assert_eq!(interval.earliest, Interval::ALL.earliest);
            interval.latest
        };
        assert_eq!(up_to(&[(None, 7), (Some(9), 8), (Some(12), 5)]), 9);
        assert_eq!(up_to(&[(None, 7), (None, 6)]), 6);
        assert_eq!(up_to(&[]), Interval::ALL.latest);
    }
}
