//! What the tests of this room start from: testimonies in a few words, on a calendar whose
//! days are numbered and whose seconds are days.

use crate::position::{Authority, Bases, Rival, Testimony};
use crate::record::{
    Basis, Condition, ConditionKind, Engagement, Interval, Polarity, Slug, Stance, Strength,
};

/// The days from `first` up to, but not with, `end`.
pub(in crate::position) const fn days(first: i64, end: i64) -> Interval {
    Interval {
        earliest: first,
        latest: end,
    }
}

pub(in crate::position) fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}

/// A stance without strength or conditions.
pub(in crate::position) fn plain(polarity: Polarity) -> Stance {
    Stance {
        polarity,
        strength: None,
        conditions: Vec::new(),
    }
}

/// A stance of some strength, from 1 to 3.
pub(in crate::position) fn strong(polarity: Polarity, degree: u32) -> Stance {
    Stance {
        strength: Some(Strength::from_degree(degree).expect("a degree")),
        ..plain(polarity)
    }
}

/// A stance under conditions, each with an id or, where it starts with `~`, without.
pub(in crate::position) fn conditional(polarity: Polarity, conditions: &[&str]) -> Stance {
    Stance {
        conditions: conditions.iter().map(|name| condition(name)).collect(),
        ..plain(polarity)
    }
}

pub(in crate::position) fn condition(name: &str) -> Condition {
    let (id, text) = match name.strip_prefix('~') {
        Some(text) => (None, text),
        None => (Some(slug(name)), name),
    };
    Condition {
        id,
        kind: ConditionKind::OnlyIf,
        text: text.to_owned(),
    }
}

/// The principal's own words, the statement and its version being entry `entry`.
pub(in crate::position) fn answer(entry: u64, said_at: Interval, stance: Stance) -> Testimony {
    engaged(entry, said_at, Engagement::Answered(stance))
}

/// The principal's own words that take no stance.
pub(in crate::position) fn evasion(entry: u64, said_at: Interval) -> Testimony {
    engaged(entry, said_at, Engagement::Deflected)
}

fn engaged(entry: u64, said_at: Interval, engagement: Engagement) -> Testimony {
    Testimony {
        statement: entry,
        version: entry,
        given_by: entry,
        place: 0,
        speaker: Some(slug("head")),
        holder: slug("actor"),
        authority: Authority::Principal,
        said_at,
        repeated_until: None,
        basis: Basis::OwnWords,
        relayed: false,
        engagement,
        rivals: Vec::new(),
        own: Bases::OWN_WORDS,
    }
}

/// Who says it, and with what authority.
pub(in crate::position) fn by(
    speaker: &str,
    authority: Authority,
    testimony: Testimony,
) -> Testimony {
    Testimony {
        speaker: Some(slug(speaker)),
        authority,
        ..testimony
    }
}

/// When it was said for the last time.
pub(in crate::position) fn repeated(until: Interval, testimony: Testimony) -> Testimony {
    Testimony {
        repeated_until: Some(until),
        ..testimony
    }
}

/// As many coders read it otherwise.
pub(in crate::position) fn disputed(engagement: Engagement, testimony: Testimony) -> Testimony {
    let rival = Rival {
        given_by: testimony.given_by + 1,
        place: 0,
        basis: testimony.basis,
        engagement,
    };
    Testimony {
        rivals: vec![rival],
        ..testimony
    }
}
