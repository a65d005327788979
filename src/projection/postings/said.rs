//! Under which weeks a statement is found: those in which it may have been said.
//!
//! A week is seven days of seconds, counted from 1970-01-01. What may have been said over a
//! longer time, or does not say when, stands under one heading that every search by time looks
//! at, so that a statement has few postings, and a search few to look at.

use crate::fold::FoldError;
use crate::projection::read::date;
use crate::record::{Entry, Interval, proto};

const WEEK_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The most weeks that a statement is posted under: what is dated to a month lies in six at
/// most, the day before a week's first and 31 - 1 = 30 days after it.
const POSTED_WEEKS_MAX: i64 = 6;

/// The most weeks that a search looks at: five years and one day more lie in 262. A search over
/// a longer time would gain little by leaving others out, so it looks at all statements.
const SOUGHT_WEEKS_MAX: i64 = 262;

/// When a statement may have been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// In a week, by its number.
    InWeek(i64),
    /// In no particular one.
    AtAnyTime,
}

/// When a version of a statement may have been said: under what it is posted.
pub(super) fn said_in(entry: &Entry, statement: &proto::Statement) -> Result<Vec<Said>, FoldError> {
    let Some(said_at) = date(entry, "said_at", &statement.said_at)? else {
        return Ok(vec![Said::AtAnyTime]);
    };
    let mut interval = said_at.interval();
    if let Some(until) = date(entry, "repeated_until", &statement.repeated_until)? {
        interval.latest = interval.latest.max(until.interval().latest);
    }
    let weeks = weeks(interval, POSTED_WEEKS_MAX);
    Ok(weeks.unwrap_or_else(|| vec![Said::AtAnyTime]))
}

/// Under what the statements stand that may have been said in an interval; none where that
/// would not narrow a search.
pub(super) fn may_be_in(interval: Interval) -> Option<Vec<Said>> {
    let mut weeks = weeks(interval, SOUGHT_WEEKS_MAX)?;
    weeks.push(Said::AtAnyTime);
    Some(weeks)
}

/// The weeks that an interval lies in; none if they are more than `most`.
fn weeks(interval: Interval, most: i64) -> Option<Vec<Said>> {
    let first = interval.earliest.div_euclid(WEEK_SECONDS);
    let last = (interval.latest - 1).div_euclid(WEEK_SECONDS);
    (last - first < most).then(|| (first..=last).map(Said::InWeek).collect())
}
