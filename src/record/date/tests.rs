//! What dates mean is checked against a calendar that counts days one by one, and what is
//! accepted against the EDTF library.

use proptest::prelude::*;

use super::*;

fn date(text: &str) -> Date {
    text.parse()
        .unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

fn refusal(text: &str) -> DateError {
    match text.parse::<Date>() {
        Ok(date) => panic!("{text} means {:?}", date.interval()),
        Err(refusal) => refusal,
    }
}

/// The ends of the interval, as an instant each.
fn ends(text: &str) -> [String; 2] {
    let interval = date(text).interval();
    [interval.earliest, interval.latest].map(format_instant)
}

#[track_caller]
fn assert_means(text: &str, earliest: &str, latest: &str) {
    assert_eq!(ends(text), [earliest, latest], "{text}");
}

#[track_caller]
fn assert_refused(refused: DateError, texts: &[&str]) {
    for text in texts {
        assert_eq!(refusal(text), refused, "{text}");
    }
}

#[track_caller]
fn assert_not_dates(texts: &[&str]) {
    for text in texts {
        let refusal = refusal(text);
        assert!(
            matches!(refusal, DateError::NotADate { .. }),
            "{text}: {refusal:?}"
        );
    }
}

/// A calendar that shares nothing with the libraries.
mod calendar {
    pub const fn is_leap(year: i64) -> bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    pub const fn days_of(year: i64, month: usize) -> i64 {
        match month {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// Seconds from 1970 to the midnight that begins a day, a year and a month at a time.
    pub fn midnight(year: i64, month: usize, day: i64) -> i64 {
        let length = |year| if is_leap(year) { 366 } else { 365 };
        let since_year_0: i64 = (0..year).map(length).sum();
        let to_1970: i64 = (0..1970).map(length).sum();
        let before: i64 = (1..month).map(|month| days_of(year, month)).sum();
        (since_year_0 - to_1970 + before + day - 1) * 86_400
    }

    /// Every day of the years given, as it is written.
    pub fn days(years: std::ops::Range<i64>) -> impl Iterator<Item = (i64, usize, i64, String)> {
        years
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .flat_map(|(y, m)| (1..=days_of(y, m)).map(move |d| (y, m, d)))
            .map(|(y, m, d)| (y, m, d, format!("{y:04}-{m:02}-{d:02}")))
    }
}

#[test]
fn a_day_is_its_utc_day() {
    assert_means("2025-08-15", "2025-08-15T00:00:00Z", "2025-08-16T00:00:00Z");
    assert_eq!(date("1970-01-01").interval().earliest, 0);
    assert_eq!(date("1969-12-31").interval().latest, 0);
    assert!(!date("2025-08-15").has_time_of_day());
}

#[test]
fn a_month_and_a_year_reach_from_their_first_second_to_their_last() {
    assert_means("2025-08", "2025-08-01T00:00:00Z", "2025-09-01T00:00:00Z");
    assert_means("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
    assert_means("2025", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    assert!(!date("2025").has_time_of_day());
}

#[test]
fn a_time_is_one_second_in_utc_whatever_day_its_offset_shows() {
    assert_means(
        "2025-08-19T00:30:00+03:00",
        "2025-08-18T21:30:00Z",
        "2025-08-18T21:30:01Z",
    );
    assert_means(
        "2025-12-31T23:59:59-11:30",
        "2026-01-01T11:29:59Z",
        "2026-01-01T11:30:00Z",
    );
    assert_means(
        "2024-03-01T13:59:59+14:00",
        "2024-02-29T23:59:59Z",
        "2024-03-01T00:00:00Z",
    );
    assert_means(
        "2025-08-15T19:30:00Z",
        "2025-08-15T19:30:00Z",
        "2025-08-15T19:30:01Z",
    );
    assert!(date("2025-08-15T19:30:00Z").has_time_of_day());
}

#[test]
fn an_offset_in_hours_alone_is_the_same_moment() {
    assert_eq!(
        date("2025-08-19T00:30:00+03").interval(),
        date("2025-08-19T00:30:00+03:00").interval()
    );
}

#[test]
fn masked_digits_reach_from_the_earliest_day_that_fits_to_the_latest() {
    for (text, earliest, latest) in [
        ("2025-08-XX", "2025-08-01", "2025-09-01"),
        ("2025-02-XX", "2025-02-01", "2025-03-01"),
        ("2024-02-2X", "2024-02-20", "2024-03-01"),
        ("2025-02-2X", "2025-02-20", "2025-03-01"),
        ("2025-08-X9", "2025-08-09", "2025-08-30"),
        ("2025-1X", "2025-10-01", "2026-01-01"),
        ("2025-XX", "2025-01-01", "2026-01-01"),
        ("2025-XX-XX", "2025-01-01", "2026-01-01"),
        ("2025-XX-31", "2025-01-31", "2026-01-01"),
        ("202X", "2020-01-01", "2030-01-01"),
        ("20XX", "2000-01-01", "2100-01-01"),
        ("202X-02-29", "2020-02-29", "2028-03-01"),
        ("XXXX", "0000-01-01", "10000-01-01"),
    ] {
        let midnight = |day: &str| format!("{day}T00:00:00Z");
        assert_eq!(ends(text), [earliest, latest].map(midnight), "{text}");
    }
    assert_not_dates(&[
        "2025-02-3X",
        "2025-2X",
        "X900-02-29",
        "2025-08-XXT10:00:00Z",
    ]);
}

#[test]
fn a_range_reaches_from_the_start_of_one_end_to_the_close_of_the_other() {
    for (text, earliest, latest) in [
        ("[2025-08-01..2025-08-15]", "2025-08-01", "2025-08-16"),
        ("[2025-08-15..2025-08-15]", "2025-08-15", "2025-08-16"),
        ("[2024-02..2024-02]", "2024-02-01", "2024-03-01"),
        ("[2025-07..2025-12]", "2025-07-01", "2026-01-01"),
        ("[2022..2024]", "2022-01-01", "2025-01-01"),
    ] {
        let midnight = |day: &str| format!("{day}T00:00:00Z");
        assert_eq!(ends(text), [earliest, latest].map(midnight), "{text}");
        assert!(!date(text).has_time_of_day());
    }
}

#[test]
fn a_range_between_two_times_ends_after_the_second_of_the_later_one() {
    let text = "[2025-08-15T22:30:00-08:00..2025-08-16T09:00:00+03:00]";
    // The later one on the clock on the wall is the earlier one in UTC.
    assert_eq!(refusal(text), DateError::BackwardRange);
    let text = "[2025-08-15T20:30:00-08:00..2025-08-16T09:00:00+03:00]";
    assert_means(text, "2025-08-16T04:30:00Z", "2025-08-16T06:00:01Z");
    assert!(date(text).has_time_of_day());
    let text = "[..2025-08-16T09:00:00+03:00]";
    assert_means(text, "0000-01-01T00:00:00Z", "2025-08-16T06:00:01Z");
    assert!(date(text).has_time_of_day());
}

#[test]
fn some_time_up_to_a_date_begins_with_the_year_0() {
    for (text, latest) in [
        ("[..2025-08-15]", "2025-08-16T00:00:00Z"),
        ("[..2024-02]", "2024-03-01T00:00:00Z"),
        ("[..2025]", "2026-01-01T00:00:00Z"),
        ("[..2025-08-XX]", "2025-09-01T00:00:00Z"),
        ("[..0000-01-01]", "0000-01-02T00:00:00Z"),
    ] {
        assert_means(text, "0000-01-01T00:00:00Z", latest);
        assert_eq!(date(text).interval().earliest, Interval::ALL.earliest);
        assert!(!date(text).has_time_of_day());
    }
}

#[test]
fn the_first_and_the_last_second_of_all_can_be_named() {
    let all = [date("[0000..9999]"), date("[..9999-12-31]"), date("XXXX")];
    assert!(all.iter().all(|date| date.interval() == Interval::ALL));
    assert_means(
        "9999-12-31",
        "9999-12-31T00:00:00Z",
        "10000-01-01T00:00:00Z",
    );
    assert_means(
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
    );
    assert_means(
        "0000-01-01T03:00:00+03:00",
        "0000-01-01T00:00:00Z",
        "0000-01-01T00:00:01Z",
    );
    assert_means("0000-02-29", "0000-02-29T00:00:00Z", "0000-03-01T00:00:00Z");
}

#[test]
fn a_date_keeps_the_text_it_was_given() {
    let text = "2025-08-19T00:30:00+03";
    assert_eq!(date(text).as_str(), text);
    assert_eq!(date(text).to_string(), text);
}

#[test]
fn a_time_that_is_not_a_whole_second_in_utc_is_refused_by_what_it_lacks_or_has_too_much() {
    use DateError as E;
    let no_offset = ["2025-08-15T19:30:00", "[..2025-08-15T19:30:00]"];
    assert_refused(E::TimeWithoutOffset, &no_offset);
    let no_seconds = [
        "2025-08-15T19:30Z",
        "2025-08-15T19:30",
        "2025-08-15T19:30+03:00",
    ];
    assert_refused(E::TimeWithoutSeconds, &no_seconds);
    let fractions = [
        "2025-08-15T19:30:00.5Z",
        "2025-08-15T19:30:00,250+03:00",
        "2025-08-15T19:30:00.000",
        "[2025-08-15T19:30:00.5Z..2025-08-15T19:31:00Z]",
    ];
    assert_refused(E::FractionOfSecond, &fractions);
    let leap_seconds = ["2016-12-31T23:59:60Z", "2017-01-01T02:59:60+03:00"];
    assert_refused(E::LeapSecond, &leap_seconds);
}

#[test]
fn an_interval_is_refused_as_one_and_as_open_if_an_end_is_open_or_unknown() {
    let intervals = [
        "2025-08-01/2025-08-15",
        "2025/2026",
        "2025-08-15T19:30:00Z/2025-08-15T20:30:00Z",
        "2025-08-15T19:30:00/2025-08-15T20:30:00",
        "2025-XX/2025-12",
    ];
    assert_refused(DateError::Interval, &intervals);
    let open = [
        "2025-08-01/..",
        "../2025-08-01",
        "2025-08-01/",
        "/2025-08-01",
        "..2025/2026..",
        "2025-08-01T00:00:00Z/..",
        "[2025-08-01..]",
        "[2025-08-01T00:00:00Z..]",
        "[..]",
    ];
    assert_refused(DateError::OpenEnd, &open);
}

#[test]
fn qualifiers_are_refused_wherever_they_stand() {
    let qualified = [
        "2025-08-15?",
        "2025-08~",
        "2025%",
        "?2025-08-~15",
        "[2025-08-01?..2025-08-15]",
        "2025?/2026",
        "2025-08-15T19:30:00Z~",
        "{2025?,2026}",
    ];
    assert_refused(DateError::Qualified, &qualified);
}

#[test]
fn sets_lists_and_parts_of_a_year_are_refused_by_name() {
    use DateError as E;
    let seasons = [
        "2025-21",
        "2025-24",
        "2025-33",
        "2025-41",
        "[2025-21..2025-22]",
    ];
    assert_refused(E::Season, &seasons);
    let all_of = ["{2025-08-15,2025-08-16}", "{2025..2026}", "{2025}"];
    assert_refused(E::AllOfSet, &all_of);
    let lists = ["[2025-08-15,2025-08-16]", "[2025-08-15]", "[..2024,2025]"];
    assert_refused(E::List, &lists);
    assert_refused(E::SignificantDigits, &["1950S2", "[..1950S2]"]);
    assert_refused(E::Empty, &[""]);
}

#[test]
fn a_range_whose_ends_do_not_make_one_is_refused_by_name() {
    use DateError as E;
    let masked = ["[2025-08-XX..2025-09-XX]", "[202X..2030]"];
    assert_refused(E::MaskedRangeEnd, &masked);
    let uneven = [
        "[2025-08..2025-08-15]",
        "[2025-08-14..2025-08-15T10:00:00Z]",
    ];
    assert_refused(E::UnevenRange, &uneven);
    let backward = [
        "[2025-08-16..2025-08-15]",
        "[2026..2025]",
        "[2025-09..2025-08]",
    ];
    assert_refused(E::BackwardRange, &backward);
}

#[test]
fn years_outside_0000_to_9999_are_refused_however_they_are_written() {
    assert_refused(
        DateError::YearOutOfRange,
        &[
            "-0044",
            "-0044-03-15",
            "-0044-03-15T12:00:00Z",
            "-0000",
            "[..-0044]",
            "Y170000002",
            "Y-17E7",
            "Y3388E2S3",
            "Y9E99999S1",
            "Y2025",
            "+2025-08-15",
            "+12025-08-15",
            "10000",
            "12025-08-15",
            "12025-08-15T10:00:00Z",
            // A year that its offset moves out of range.
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ],
    );
}

#[test]
fn what_is_no_date_is_refused_with_what_is_wrong_in_it() {
    assert_not_dates(&[
        "yesterday",
        "what?",
        "15/08/2025",
        "08/15/2025",
        "2025/08/15",
        "/",
        "../..",
        "2025-8-15",
        "20250815",
        "2025-W33",
        "2025-228",
        " 2025-08-15",
        "2025-08-15 ",
        "2025-08-15 19:30:00Z",
        "2025-08-15t19:30:00z",
        "2025−08−15",
        "２０２５-08-15",
        "2025-08-15T19:30:00.Z",
        "2025-08-15T19:30:00+15:00",
        "2025-08-15T19:30:00-00:00",
        "2025-08-15T24:00:00Z",
        "2025-08-15Tтт:тт",
        "[2025-08-15",
        "2025-08-15]",
        "[]",
        "[[2025]..2026]",
        "[2025/2026..2027]",
        "[2025...2026]",
        "[2025..2026..2027]",
    ]);
    let wrong = |text: &str| refusal(text).to_string();
    assert_eq!(
        wrong("2025-02-29"),
        "not a date: day is out of range for the month"
    );
    assert_eq!(wrong("1900-02-29"), wrong("2025-02-29"));
    assert_eq!(
        wrong("2025-13"),
        "not a date: month must be 01-12 or a sub-year code 21-41"
    );
}

#[test]
fn a_text_longer_than_any_date_is_refused_for_its_length() {
    let longest = "[2025-08-01T00:00:00+03:00..2025-08-15T00:00:00+03:00]";
    assert_eq!(longest.len(), 54);
    assert!(longest.parse::<Date>().is_ok());
    let (fits, too_long) = ("[".repeat(LENGTH_MAX), "[".repeat(LENGTH_MAX + 1));
    assert_not_dates(&[&fits]);
    assert_refused(DateError::TooLong { length: 65 }, &[&too_long]);
}

#[test]
fn every_form_that_a_refusal_proposes_is_accepted() {
    let texts = [
        "",
        "Y99999",
        "1950S2",
        "2025-21",
        "2025?",
        "2025-08-15T19:30:00",
        "2025-08-15T19:30Z",
        "2025-08-15T19:30:00.5Z",
        "2016-12-31T23:59:60Z",
        "2025/2026",
        "2025/..",
        "{2025}",
        "[2025,2026]",
        "[2025-XX..2026-XX]",
        "[2025..2026-01]",
        "[2026..2025]",
    ];
    let mut proposed = 0;
    for text in texts {
        let accepted = refusal(text).accepted();
        let forms = accepted
            .split([' ', ',', ';', '(', ')'])
            .map(|word| word.trim_end_matches(':'))
            .filter(|word| word.starts_with(|c: char| c == '[' || c.is_ascii_digit()))
            .filter(|word| !matches!(*word, "0000" | "9999" | "59"));
        for form in forms {
            assert!(form.parse::<Date>().is_ok(), "{text}: {form} in {accepted}");
            proposed += 1;
        }
    }
    assert!(proposed > texts.len(), "{proposed} forms");
}

#[test]
fn every_day_around_the_turns_of_centuries_begins_where_counting_puts_it() {
    let years = [
        0..2,
        99..101,
        1599..1601,
        1899..1901,
        1968..2030,
        9998..10_000,
    ];
    for (year, month, day, text) in years.into_iter().flat_map(calendar::days) {
        let earliest = calendar::midnight(year, month, day);
        let latest = earliest + 86_400;
        let expected = Interval { earliest, latest };
        assert_eq!(date(&text).interval(), expected, "{text}");
        assert_eq!(format_instant(earliest), format!("{text}T00:00:00Z"));
    }
}

#[test]
fn an_instant_is_shown_for_every_number_of_seconds() {
    assert_eq!(format_instant(0), "1970-01-01T00:00:00Z");
    assert_eq!(format_instant(-1), "1969-12-31T23:59:59Z");
    assert_eq!(
        format_instant(Interval::ALL.earliest),
        "0000-01-01T00:00:00Z"
    );
    assert_eq!(
        format_instant(Interval::ALL.earliest - 1),
        "-0001-12-31T23:59:59Z"
    );
    assert_eq!(
        format_instant(Interval::ALL.latest),
        "10000-01-01T00:00:00Z"
    );
    assert_eq!(format_instant(i64::MAX), "292277026596-12-04T15:30:07Z");
    assert_eq!(format_instant(i64::MIN), "-292277022657-01-27T08:29:52Z");
}

/// A day written with some of its digits masked, and the years to look for it in.
fn masked_day() -> impl Strategy<Value = (String, std::ops::Range<i64>)> {
    let day = (0..10_000_i64, 1..=12_usize, 1..=31_i64);
    let masks = prop::collection::vec(any::<bool>(), 6);
    (day, masks, 1..=3_usize).prop_map(|((year, month, day), masks, fields)| {
        let text = format!("{year:04}-{month:02}-{day:02}");
        // Of the year the last two digits at most, so that the oracle has a century to count.
        let masked_places = [2, 3, 5, 6, 8, 9];
        let mut bytes = text.into_bytes();
        for (place, masked) in masked_places.into_iter().zip(masks) {
            if masked {
                bytes[place] = b'X';
            }
        }
        bytes.truncate([4, 7, 10][fields - 1]);
        let century = year / 100 * 100;
        (String::from_utf8(bytes).unwrap(), century..century + 100)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn masked_digits_mean_the_days_that_a_search_of_the_century_finds(
        (text, century) in masked_day()
    ) {
        let fits = |day: &str| text.bytes().zip(day.bytes()).all(|(t, d)| t == b'X' || t == d);
        let mut found = calendar::days(century).filter(|(.., day)| fits(day));
        let first = found.next();
        let last = found.last().or_else(|| first.clone());
        let start = |(year, month, day, _)| calendar::midnight(year, month, day);
        let expected = first.zip(last).map(|(first, last)| Interval {
            earliest: start(first),
            latest: start(last) + 86_400,
        });
        prop_assert_eq!(text.parse::<Date>().ok().map(|date| date.interval()), expected);
    }
}

/// Texts close to dates: pieces of notation in any order.
fn nearly_a_date() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "2025",
        "0000",
        "9999",
        "-",
        "08",
        "12",
        "02",
        "29",
        "31",
        "XX",
        "2025-08-15",
        "T",
        "19:30:00",
        "23:59:60",
        "Z",
        "+03:00",
        "-12:00",
        ".5",
        ",",
        "..",
        "[",
        "]",
        "{",
        "}",
        "/",
        "?",
        "~",
        "%",
        "Y",
        "E",
        "S",
        "99999999999999999999",
        "1950S2",
        "Y9E99999",
        "é",
        "2025-21",
        " ",
        "2025-08",
        "2024",
        "XXXX-02-29",
    ]);
    prop::collection::vec(pieces, 0..9).prop_map(|pieces| pieces.concat())
}

/// One of the accepted forms or close to one, in brackets or not.
fn bracketed() -> impl Strategy<Value = String> {
    let single = prop_oneof![
        "20[0-2][0-9]-[01][0-9]-[0-3][0-9]",
        "20[0-2][0-9]-[01X][0-9X]",
        "[0-9]{4}",
        masked_day().prop_map(|(text, _)| text),
    ];
    (single.clone(), single, 0..6).prop_map(|(a, b, form)| match form {
        0 => a,
        1 => format!("[..{a}]"),
        2 => format!("[{a}..]"),
        3 => format!("[{a},{b}]"),
        4 => format!("{a}/{b}"),
        _ => format!("[{a}..{b}]"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_makes_it_panic_and_what_it_accepts_lies_within_all_time(
        text in prop_oneof![".{0,80}", "[0-9XTZYES:.,+/~?%{}\\[\\]-]{0,70}", nearly_a_date()]
    ) {
        match text.parse::<Date>() {
            Ok(date) => {
                let Interval { earliest, latest } = date.interval();
                prop_assert!(Interval::ALL.earliest <= earliest);
                prop_assert!(earliest < latest);
                prop_assert!(latest <= Interval::ALL.latest);
                prop_assert_eq!(date.as_str(), &text);
            }
            Err(refusal) => {
                prop_assert!(!refusal.to_string().is_empty());
                prop_assert!(!refusal.accepted().is_empty());
            }
        }
    }

    #[test]
    fn without_times_it_accepts_only_edtf_and_means_what_edtf_means(text in bracketed()) {
        let edtf = Edtf::parse(&text);
        let Ok(date) = text.parse::<Date>() else {
            // Nothing that EDTF has as a date or a range within the years is refused.
            let listed = text.contains([',', '/']) || text.ends_with("..]");
            let season = ["-2", "-3", "-4"].iter().any(|code| text.contains(code));
            prop_assert!(edtf.is_err() || listed || season, "{}", text);
            return Ok(());
        };
        let Ok(bounds) = edtf.map(|edtf| edtf.bounds()) else {
            return Err(TestCaseError::fail(format!("{text} is not EDTF")));
        };
        let midnight = |bound| match bound {
            Bound::NegativeInfinity => Some(Interval::ALL.earliest),
            Bound::Date(day) => {
                Some(calendar::midnight(day.year, day.month.into(), day.day.into()))
            }
            Bound::PositiveInfinity | Bound::Unknown => None,
        };
        let Interval { earliest, latest } = date.interval();
        prop_assert_eq!(Some(earliest), midnight(bounds.earliest));
        prop_assert_eq!(Some(latest - 86_400), midnight(bounds.latest));
    }

    #[test]
    fn a_time_is_its_reading_on_the_clock_less_its_offset(
        (year, month, day) in (1..9999_i64, 1..=12_usize, 1..=28_i64),
        (hour, minute, second) in (0..24_i64, 0..60_i64, 0..60_i64),
        offset_minutes in -840..=840_i64,
    ) {
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let shift = offset_minutes.abs();
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
            shift / 60,
            shift % 60
        );
        let clock = calendar::midnight(year, month, day) + hour * 3600 + minute * 60 + second;
        let earliest = clock - offset_minutes * 60;
        let latest = earliest + 1;
        prop_assert_eq!(date(&text).interval(), Interval { earliest, latest });
    }

    #[test]
    fn an_instant_reads_back_as_its_second(
        seconds in Interval::ALL.earliest..Interval::ALL.latest
    ) {
        let shown = format_instant(seconds);
        let read = date(&shown).interval();
        prop_assert_eq!(read, Interval { earliest: seconds, latest: seconds + 1 });
    }

    #[test]
    fn no_number_of_seconds_makes_an_instant_panic(seconds in any::<i64>()) {
        prop_assert!(format_instant(seconds).ends_with('Z'));
    }
}
