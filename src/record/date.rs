//! When something was said, began or was published: the dates that a record may carry, and
//! the interval of seconds that each of them stands for.
//!
//! The notation is EDTF (ISO 8601-2:2019, Annex A), narrowed to what has one meaning here: a
//! time with its offset, a day, a month, a year, masked digits, and "once, some time in this
//! range". The invariant of a [`Date`] is that it was written in such a form and that its
//! interval lies within the years 0000 to 9999 UTC and is not empty. The EDTF library says
//! what a notation means in calendar days; offsets and seconds are reckoned here, because
//! EDTF bounds know neither. What is valid EDTF but could be understood in two ways, or not
//! as a moment at all, is refused by name, with the form to use instead.
//!
//! Only one thing goes beyond EDTF: the ends of a range may be times with an offset.
//!
//! It knows no clock and no time zones by name, and it does not decide whether a date is
//! plausible beside other dates.

use std::fmt;
use std::str::FromStr;

use edtf_core::{Bound, BoundDate, Edtf, Precision, TimeShift, YearKind};
use jiff::SignedDuration;
use jiff::civil;

use super::interval::{CYCLE_SECONDS, CYCLE_YEARS, DAY_SECONDS, Interval};

/// The longest text that is looked at, in bytes. The longest accepted date has 54: a range
/// between two times, `[` 25 `..` 25 `]`.
const LENGTH_MAX: usize = 64;

/// The origin from which seconds are counted.
const EPOCH: civil::DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// The characters of EDTF that say "uncertain", "approximate" and both.
const QUALIFIERS: [char; 3] = ['?', '~', '%'];

/// A date as somebody wrote it, known to be of an accepted form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    text: String,
    span: Span,
}

impl Date {
    /// The seconds that it may mean: the one second of a time, the UTC day of a day, and for
    /// all else from the first second of the earliest day to the last second of the latest.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.span.interval
    }

    /// Whether it was written as a time with an offset, or as a range between such times. If
    /// not, it names calendar days, and nobody said in which time zone.
    #[must_use]
    pub const fn has_time_of_day(&self) -> bool {
        matches!(self.span.unit, Unit::Second)
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let span = match text.len() {
            0 => Err(DateError::Empty),
            length if length > LENGTH_MAX => Err(DateError::TooLong { length }),
            _ => unqualified(text),
        }?;
        Ok(Self {
            text: text.to_owned(),
            span,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is not an accepted date. [`DateError::accepted`] gives the form to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// No text at all.
    #[error("the date is empty")]
    Empty,
    /// Longer than any accepted date.
    #[error("a date of {length} bytes is longer than any accepted one")]
    TooLong {
        /// The bytes given.
        length: usize,
    },
    /// Neither an accepted form nor one of those refused by name; or a day or an hour that
    /// does not exist.
    #[error("not a date: {reason}")]
    NotADate {
        /// What was wrong where the text stopped being a date.
        reason: &'static str,
    },
    /// A year before 0000 or after 9999, or one with a sign or a `Y` before it, or a time whose
    /// offset takes it out of these years.
    #[error("the year is not one of 0000 to 9999 in UTC, written with four digits")]
    YearOutOfRange,
    /// `1950S2`: a year of which only some digits are meant.
    #[error("the year has significant digits ('S')")]
    SignificantDigits,
    /// `2025-21` and its like, 21 to 41: seasons, quarters, parts of a year.
    #[error("the month is a code for a season or another part of the year")]
    Season,
    /// `?`, `~` or `%` anywhere in what would otherwise be a date.
    #[error("the date is qualified as uncertain or approximate ('?', '~' or '%')")]
    Qualified,
    /// A time of day without `Z` or an offset.
    #[error("the time of day has no offset from UTC")]
    TimeWithoutOffset,
    /// A time of day in hours and minutes.
    #[error("the time of day has no seconds")]
    TimeWithoutSeconds,
    /// A time of day more exact than a second.
    #[error("the time of day has a fraction of a second")]
    FractionOfSecond,
    /// A leap second: UTC seconds are counted without them.
    #[error("second 60 is not counted")]
    LeapSecond,
    /// `A/B`: something that lasted.
    #[error("an interval A/B lasts from A to B; this is a date at which something was, once")]
    Interval,
    /// `A/..`, `../B`, `A/`, `/B` or `[A..]`.
    #[error("an end is open or unknown")]
    OpenEnd,
    /// `{A,B}`: every one of several dates.
    #[error("a set in braces means every date in it")]
    AllOfSet,
    /// `[A,B]` or `[A]`: one of the dates that a list names.
    #[error("a list in brackets means one of the dates in it")]
    List,
    /// `[A..B]` of which an end has masked digits.
    #[error("an end of the range has masked digits ('X')")]
    MaskedRangeEnd,
    /// `[A..B]` of which one end is a day, say, and the other a month.
    #[error("the ends of the range are not written to the same unit")]
    UnevenRange,
    /// `[A..B]` with A after B.
    #[error("the range ends before it begins")]
    BackwardRange,
}

impl DateError {
    /// What would be accepted in place of what was refused, to be shown beside it.
    #[must_use]
    pub const fn accepted(&self) -> &'static str {
        match self {
            Self::Empty | Self::TooLong { .. } | Self::NotADate { .. } => {
                "a time with offset (2025-08-15T19:30:00Z, 2025-08-15T22:30:00+03:00), a day \
                 (2025-08-15), a month (2025-08), a year (2025), masked digits (2025-08-XX), \
                 one of a range ([2025-08-01..2025-08-15]), or some time up to ([..2025-08-15])"
            }
            Self::YearOutOfRange => "a year from 0000 to 9999 in four digits: 2025, 0476",
            Self::SignificantDigits => "masked digits: 19XX, 195X",
            Self::Season => "the range of its months or days: [2025-06..2025-08]",
            Self::Qualified => {
                "the range that is sure to hold the date: [2025-08-01..2025-08-15], or \
                 [..2025-08-15] for some time up to it"
            }
            Self::TimeWithoutOffset | Self::TimeWithoutSeconds => {
                "a time to the second with Z or the offset of the place: \
                 2025-08-15T19:30:00Z, 2025-08-15T22:30:00+03:00; or the day alone: 2025-08-15"
            }
            Self::FractionOfSecond => "whole seconds: 2025-08-15T19:30:00Z",
            Self::LeapSecond => "second 59: 2016-12-31T23:59:59Z",
            Self::Interval => {
                "for a thing said over a time, the first time in saidAt and the last in \
                 repeatedUntil; for once, some time in it, [2025-08-01..2025-08-15]"
            }
            Self::OpenEnd => {
                "[..2025-08-15] for some time up to it; [2025-08-01..2025-08-15] for some time \
                 in it, with the latest date that it can have been as its end"
            }
            Self::AllOfSet => {
                "one date for each record; or, for a thing said over a time, the first time in \
                 saidAt and the last in repeatedUntil"
            }
            Self::List => {
                "the range that holds all the dates listed: [2025-08-01..2025-08-15]; a single \
                 date without brackets: 2025-08-15"
            }
            Self::MaskedRangeEnd => "whole months or years as its ends: [2025-08..2025-09]",
            Self::UnevenRange => {
                "two days, two months, two years or two times with offset: \
                 [2025-08-01..2025-08-15], [2025-07..2025-08]"
            }
            Self::BackwardRange => "the earlier date first: [2025-08-01..2025-08-15]",
        }
    }
}

/// What a date, or the end of a range, comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    interval: Interval,
    unit: Unit,
}

/// The smallest unit that was written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Day,
    Month,
    Year,
    /// Some digits are masked, of whichever unit.
    Masked,
}

/// Refuses a text for its qualifiers if it would be a date, accepted or not, without them.
fn unqualified(text: &str) -> Result<Span, DateError> {
    if !text.contains(QUALIFIERS) {
        return expression(text);
    }
    match expression(&text.replace(QUALIFIERS, "")) {
        Err(refusal @ DateError::NotADate { .. }) => Err(refusal),
        _ => Err(DateError::Qualified),
    }
}

/// Brackets, braces and slashes first; what has none of them is a single date.
fn expression(text: &str) -> Result<Span, DateError> {
    if let Some(inner) = enclosed(text, '[', ']') {
        one_of(inner)
    } else if enclosed(text, '{', '}').is_some() {
        Err(DateError::AllOfSet)
    } else if let Some((start, end)) = text.split_once('/') {
        Err(interval_refusal(start, end))
    } else {
        single(text)
    }
}

fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// What stands between `[` and `]`: of EDTF's one-of sets, those of a single range.
fn one_of(inner: &str) -> Result<Span, DateError> {
    if inner.contains(',') {
        return Err(DateError::List);
    }
    match inner.split_once("..") {
        None => single(inner).and(Err(DateError::List)),
        Some(("", "")) => Err(DateError::OpenEnd),
        Some((start, "")) => single(start).and(Err(DateError::OpenEnd)),
        Some(("", end)) => Ok(up_to(single(end)?)),
        Some((start, end)) => between(single(start)?, single(end)?),
    }
}

/// `[..B]`: at some time up to B.
const fn up_to(end: Span) -> Span {
    Span {
        interval: Interval {
            earliest: Interval::ALL.earliest,
            latest: end.interval.latest,
        },
        unit: end.unit,
    }
}

/// `[A..B]`: once, some time from the beginning of A to the end of B.
fn between(start: Span, end: Span) -> Result<Span, DateError> {
    if start.unit == Unit::Masked || end.unit == Unit::Masked {
        return Err(DateError::MaskedRangeEnd);
    }
    if start.unit != end.unit {
        return Err(DateError::UnevenRange);
    }
    if start.interval.earliest > end.interval.earliest {
        return Err(DateError::BackwardRange);
    }
    Ok(Span {
        interval: Interval {
            earliest: start.interval.earliest,
            latest: end.interval.latest,
        },
        unit: start.unit,
    })
}

/// Why `start/end` is refused: as an interval if its ends are dates, open or unknown, and as
/// no date at all if not (`15/08/2025`).
fn interval_refusal(start: &str, end: &str) -> DateError {
    let open = |text: &str| text.is_empty() || text == "..";
    let dated = |text: &str| match single(text) {
        Err(DateError::NotADate { reason }) => Err(reason),
        _ => Ok(()),
    };
    let (from, to) = (start.strip_prefix(".."), end.strip_suffix(".."));
    let ends = [from.unwrap_or(start), to.unwrap_or(end)];
    if ends.iter().all(|text| open(text)) {
        let reason = "an interval without a date at either end";
        return DateError::NotADate { reason };
    }
    for text in ends.iter().filter(|text| !open(text)) {
        if let Err(reason) = dated(text) {
            return DateError::NotADate { reason };
        }
    }
    if from.is_some() || to.is_some() || open(start) || open(end) {
        return DateError::OpenEnd;
    }
    DateError::Interval
}

/// One date without brackets: a time with offset, a day, a month, a year, masked or not.
fn single(text: &str) -> Result<Span, DateError> {
    match Edtf::parse(text) {
        Ok(Edtf::Date(date)) => calendar_days(&date),
        Ok(Edtf::DateTime(moment)) => second_of(&moment),
        // Reached from within brackets or beside a slash: standing alone, both are dealt with
        // before.
        Ok(Edtf::Interval(_) | Edtf::Set(_)) => Err(DateError::NotADate {
            reason: "only single dates can stand in brackets or beside a slash",
        }),
        Err(error) => Err(refusal_of_invalid(text).unwrap_or(DateError::NotADate {
            reason: error.message,
        })),
    }
}

/// The days from the earliest to the latest that the digits allow.
fn calendar_days(date: &edtf_core::Date) -> Result<Span, DateError> {
    if date.is_uncertain() || date.is_approximate() {
        return Err(DateError::Qualified);
    }
    let YearKind::Standard {
        negative: false, ..
    } = date.year.kind
    else {
        return Err(DateError::YearOutOfRange);
    };
    if date.year.significant_digits.is_some() {
        return Err(DateError::SignificantDigits);
    }
    let unit = match date.precision() {
        Precision::Season => return Err(DateError::Season),
        _ if date.has_unspecified() => Unit::Masked,
        Precision::Year => Unit::Year,
        Precision::Month => Unit::Month,
        Precision::Day => Unit::Day,
    };
    let bounds = Edtf::Date(*date).bounds();
    let (Bound::Date(first), Bound::Date(last)) = (bounds.earliest, bounds.latest) else {
        return Err(DateError::YearOutOfRange);
    };
    let interval = Interval {
        earliest: midnight(first)?,
        // Not the midnight of the next day: after 9999-12-31 the library has none.
        latest: midnight(last)? + DAY_SECONDS,
    };
    Ok(Span { interval, unit })
}

/// The second that begins at a time of day, in UTC.
fn second_of(moment: &edtf_core::DateTime) -> Result<Span, DateError> {
    let offset_minutes = match moment.time.shift {
        None => return Err(DateError::TimeWithoutOffset),
        Some(TimeShift::Utc) => 0,
        Some(TimeShift::Offset { minutes, .. }) => minutes,
    };
    if moment.time.second == 60 {
        return Err(DateError::LeapSecond);
    }
    let Bound::Date(day) = Edtf::DateTime(*moment).bounds().earliest else {
        return Err(DateError::YearOutOfRange);
    };
    let (hour, minute) = (i64::from(moment.time.hour), i64::from(moment.time.minute));
    let local = midnight(day)? + (hour * 60 + minute) * 60 + i64::from(moment.time.second);
    let earliest = local - i64::from(offset_minutes) * 60;
    if !(Interval::ALL.earliest..Interval::ALL.latest).contains(&earliest) {
        return Err(DateError::YearOutOfRange);
    }
    let latest = earliest + 1;
    Ok(Span {
        interval: Interval { earliest, latest },
        unit: Unit::Second,
    })
}

/// The first second of a calendar day in UTC.
fn midnight(day: BoundDate) -> Result<i64, DateError> {
    civil_date(day)
        .map(|date| date.to_datetime(civil::Time::midnight()))
        .map(|start| start.duration_since(EPOCH).as_secs())
        .ok_or(DateError::YearOutOfRange)
}

fn civil_date(day: BoundDate) -> Option<civil::Date> {
    let year = i16::try_from(day.year).ok()?;
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (month, day) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
    civil::Date::new(year, month, day).ok()
}

/// The name for something that is not EDTF, or not to this library, but that people write.
fn refusal_of_invalid(text: &str) -> Option<DateError> {
    let year = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - year.len();
    let signed = text.strip_prefix(['Y', '+', '-']).unwrap_or("");
    let signed = signed.strip_prefix('-').unwrap_or(signed);
    if signed.starts_with(|c: char| c.is_ascii_digit())
        || (digits > 4 && year.starts_with('-'))
        || (digits == 5 && year.is_empty())
    {
        return Some(DateError::YearOutOfRange);
    }
    let (day, time) = text.split_once('T')?;
    let valid = |text: &str| matches!(Edtf::parse(text), Ok(Edtf::DateTime(_)));
    if let Some((whole, fraction)) = time.split_once(['.', ',']) {
        let shift = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_one = shift.len() < fraction.len() && valid(&format!("{day}T{whole}{shift}"));
        return is_one.then_some(DateError::FractionOfSecond);
    }
    let (minutes, shift) = (time.get(..5)?, time.get(5..)?);
    valid(&format!("{day}T{minutes}:00{shift}")).then_some(DateError::TimeWithoutSeconds)
}

/// A second since 1970-01-01T00:00:00Z as RFC 3339 in UTC with `Z`, for messages. Outside the
/// years 0000 to 9999, which RFC 3339 does not reach, the year has a sign or more digits.
#[must_use]
pub fn format_instant(seconds: i64) -> String {
    // Reckoned in the one cycle that begins with the epoch, so that every number of seconds
    // stays within what the library can hold; the addition has nothing to saturate.
    let cycles = seconds.div_euclid(CYCLE_SECONDS);
    let within = SignedDuration::from_secs(seconds.rem_euclid(CYCLE_SECONDS));
    let moment = EPOCH.saturating_add(within);
    let year = i64::from(moment.year()) + cycles * CYCLE_YEARS;
    let sign = if year < 0 { "-" } else { "" };
    let (month, day) = (moment.month(), moment.day());
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    let year = year.unsigned_abs();
    format!("{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests;
