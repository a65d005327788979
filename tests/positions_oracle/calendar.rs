//! Dates by hand: the forms that the generator uses, turned into seconds by counting days one
//! at a time. It shares nothing with the library's dates, so that a mistake there shows.

/// A half-open interval of UTC seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub earliest: i64,
    pub latest: i64,
}

pub const DAY: i64 = 86_400;

/// What a date of the generator's vocabulary stands for.
pub fn span(text: &str) -> Span {
    if let Some(range) = text.strip_prefix('[') {
        let (from, to) = range.trim_end_matches(']').split_once("..").unwrap();
        let earliest = if from.is_empty() {
            first_second(0, 1, 1)
        } else {
            span(from).earliest
        };
        let latest = span(to).latest;
        return Span { earliest, latest };
    }
    if text.contains('T') {
        let earliest = time(text);
        let latest = earliest + 1;
        return Span { earliest, latest };
    }
    let parts: Vec<&str> = text.split('-').collect();
    let year = number(parts[0]);
    let (earliest, latest) = match parts[..] {
        [_] => (first_second(year, 1, 1), first_second(year + 1, 1, 1)),
        [_, month] | [_, month, "XX"] => {
            let month = number(month);
            let earliest = first_second(year, month, 1);
            (earliest, earliest + month_length(year, month) * DAY)
        }
        [_, month, "1X"] => {
            let earliest = first_second(year, number(month), 10);
            (earliest, earliest + 10 * DAY)
        }
        [_, month, day] => {
            let earliest = first_second(year, number(month), number(day));
            (earliest, earliest + DAY)
        }
        _ => panic!("{text} is not in the vocabulary"),
    };
    Span { earliest, latest }
}

/// `2025-08-15T10:00:00Z` or with an offset `+03:00`.
fn time(text: &str) -> i64 {
    let (day, clock) = text.split_once('T').unwrap();
    let offset = match &clock[8..] {
        "Z" => 0,
        zone => {
            let minutes = number(&zone[1..3]) * 60 + number(&zone[4..6]);
            if zone.starts_with('-') {
                -minutes * 60
            } else {
                minutes * 60
            }
        }
    };
    let seconds = number(&clock[0..2]) * 3600 + number(&clock[3..5]) * 60 + number(&clock[6..8]);
    span(day).earliest + seconds - offset
}

/// The first second of a day, counted from 1970 year by year and month by month.
fn first_second(year: i64, month: i64, day: i64) -> i64 {
    let mut days = 0;
    for y in 1970..year {
        days += year_length(y);
    }
    for y in year..1970 {
        days -= year_length(y);
    }
    for m in 1..month {
        days += month_length(year, m);
    }
    (days + day - 1) * DAY
}

fn year_length(year: i64) -> i64 {
    365 + i64::from(is_leap(year))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn number(digits: &str) -> i64 {
    digits.parse().unwrap()
}

#[test]
fn the_calendar_by_hand_agrees_with_known_instants() {
    assert_eq!(first_second(1970, 1, 1), 0);
    // `date -u -d 2025-08-15 +%s`
    assert_eq!(first_second(2025, 8, 15), 1_755_216_000);
    // `date -u -d 0000-01-01 +%s`
    assert_eq!(first_second(0, 1, 1), -62_167_219_200);
    assert_eq!(span("2025-08-16T00:30:00+03:00").earliest, 1_755_293_400);
    assert_eq!(span("2025-08-1X").earliest, span("2025-08-10").earliest);
    assert_eq!(span("2025-08-1X").latest, span("2025-08-20").earliest);
    assert_eq!(span("2025").latest - span("2025").earliest, 365 * DAY);
}
