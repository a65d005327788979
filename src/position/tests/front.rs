//! The front: which candidates may be the newest, and which of them decides.

use super::*;
use crate::position::Authority::{Delegate, Principal, Spokesperson};
use crate::record::Polarity::{Open, Opposes, Supports};

#[test]
fn a_front_holds_exactly_the_candidates_that_end_after_the_greatest_beginning() {
    let said = [
        answer(1, days(1, 5), plain(Open)),
        answer(2, days(2, 6), plain(Open)),
        answer(3, days(5, 7), plain(Open)),
    ];
    let position = as_of(&said, 7);
    assert_eq!(entries(&position.front.items), [3, 2]);
    assert_eq!(position.front.total, 2);
}

#[test]
fn authority_decides_in_the_front_however_much_newer_the_others_are() {
    let said = [
        by("head", Principal, answer(1, days(1, 10), plain(Open))),
        by(
            "voice",
            Spokesperson,
            answer(2, days(9, 12), plain(Supports)),
        ),
    ];
    assert_eq!(deciding(&as_of(&said, 12)), Some(1));
}

#[test]
fn authority_does_not_hold_a_position_against_one_that_is_certainly_newer() {
    let said = [
        by("head", Principal, answer(1, days(1, 9), plain(Open))),
        by("envoy", Delegate, answer(2, days(9, 12), plain(Supports))),
    ];
    assert_eq!(deciding(&as_of(&said, 12)), Some(2));
}

#[test]
fn the_front_decides_where_comparing_in_pairs_runs_in_a_circle() {
    // In pairs the head stands above the voice and the voice above the envoy, whose intervals
    // overlap; and the envoy above the head, being newer.
    let said = [
        by("head", Principal, answer(1, days(1, 4), plain(Open))),
        by(
            "voice",
            Spokesperson,
            answer(2, days(3, 8), plain(Supports)),
        ),
        by("envoy", Delegate, answer(3, days(6, 9), plain(Opposes))),
    ];
    let position = as_of(&said, 9);
    assert_eq!(entries(&position.front.items), [2, 3]);
}

#[test]
fn with_equal_authority_the_greater_latest_decides() {
    let said = [
        answer(1, days(1, 9), plain(Open)),
        answer(2, days(5, 8), plain(Open)),
    ];
    assert_eq!(deciding(&as_of(&said, 9)), Some(1));
}

#[test]
fn with_equal_latest_the_greater_earliest_decides() {
    let said = [
        answer(1, days(5, 9), plain(Open)),
        answer(2, days(1, 9), plain(Open)),
    ];
    assert_eq!(deciding(&as_of(&said, 9)), Some(1));
}

#[test]
fn with_equal_intervals_the_later_statement_decides_not_the_later_reading() {
    let mut older = answer(1, days(1, 2), plain(Open));
    older.version = 8;
    older.given_by = 9;
    let said = [older, answer(2, days(1, 2), plain(Supports))];
    assert_eq!(deciding(&as_of(&said, 2)), Some(2));
}

#[test]
fn of_two_readings_of_one_statement_the_later_in_place_decides() {
    let mut last = answer(1, days(1, 2), plain(Supports));
    last.holder = slug("head");
    last.place = 1;
    let said = [last, answer(1, days(1, 2), plain(Open))];
    let position = as_of(&said, 2);
    assert_eq!(
        position.deciding.map(|dated| dated.testimony.place),
        Some(1)
    );
}

#[test]
fn of_two_readings_of_one_statement_the_later_entry_decides_before_the_place() {
    let mut first = answer(1, days(1, 2), plain(Supports));
    first.place = 3;
    let mut added = answer(1, days(1, 2), plain(Open));
    added.given_by = 5;
    assert_eq!(deciding(&as_of(&[first, added], 2)), Some(5));
}

#[test]
fn a_repetition_counts_only_once_it_is_definite() {
    let said = [
        repeated(days(5, 8), answer(1, days(1, 2), plain(Open))),
        answer(2, days(3, 4), plain(Supports)),
    ];
    assert_eq!(deciding(&as_of(&said, 7)), Some(2));
    let position = as_of(&said, 8);
    assert_eq!(deciding(&position), Some(1));
    assert_eq!(
        position.deciding.map(|dated| dated.interval),
        Some(days(5, 8))
    );
    assert_eq!(entries(&position.front.items), [1]);
}

#[test]
fn a_repetition_that_is_dated_before_the_first_time_is_makes_the_statement_definite() {
    let said = [repeated(days(5, 6), answer(1, days(1, 30), plain(Open)))];
    assert_eq!(deciding(&as_of(&said, 5)), None);
    assert_eq!(deciding(&as_of(&said, 6)), Some(1));
}

#[test]
fn a_repetition_that_begins_no_later_moves_the_front_back() {
    // The first time is bounded below better than the last: with it E falls from 6 to 2, and
    // the older statement may be the newest again.
    let said = [
        by("head", Principal, answer(1, days(3, 5), plain(Open))),
        by(
            "envoy",
            Delegate,
            repeated(days(2, 9), answer(2, days(6, 7), plain(Supports))),
        ),
    ];
    assert_eq!(deciding(&as_of(&said, 8)), Some(2));
    assert_eq!(deciding(&as_of(&said, 9)), Some(1));
}
