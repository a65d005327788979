//! The steps of a timeline.

use super::*;
use crate::position::ChangeKind::{FirstStated, Hardened, TookSide, Unchanged};
use crate::position::{ChangeKind, timeline};
use crate::record::Polarity::{Open, Supports};

fn steps(testimonies: &[Testimony], until: i64) -> Vec<(i64, u64, Option<ChangeKind>)> {
    let question = Question {
        as_of: until,
        has_voice: true,
    };
    timeline(testimonies, question)
        .iter()
        .map(|step| {
            let kind = step.comparison.as_ref().map(|comparison| comparison.kind);
            (step.at, step.testimony.testimony.given_by, kind)
        })
        .collect()
}

#[test]
fn each_change_of_what_decides_is_a_step_and_each_evasion_a_mark() {
    let said = [
        answer(5, days(9, 10), strong(Supports, 3)),
        answer(1, days(1, 2), plain(Open)),
        evasion(2, days(3, 4)),
        repeated(days(5, 6), answer(3, days(3, 4), plain(Open))),
        answer(4, days(7, 8), strong(Supports, 1)),
        answer(6, days(11, 12), plain(Open)),
    ];
    assert_eq!(
        steps(&said, 11),
        [
            (2, 1, Some(FirstStated)),
            (4, 3, Some(Unchanged)),
            (4, 2, None),
            (6, 3, Some(Unchanged)),
            (8, 4, Some(TookSide)),
            (10, 5, Some(Hardened)),
        ]
    );
}

#[test]
fn what_becomes_definite_without_deciding_is_no_step() {
    let said = [
        answer(1, days(8, 9), plain(Open)),
        answer(2, days(1, 2), plain(Supports)),
        answer(3, days(1, 5), plain(Open)),
        answer(4, days(3, 5), plain(Supports)),
    ];
    let decided: Vec<_> = steps(&said, 9)
        .into_iter()
        .map(|(_, entry, _)| entry)
        .collect();
    assert_eq!(decided, [2, 4, 1]);
}

#[test]
fn an_evasion_over_a_time_is_marked_at_both_ends() {
    let said = [repeated(days(5, 6), evasion(1, days(1, 2)))];
    assert_eq!(steps(&said, 5), [(2, 1, None)]);
    assert_eq!(steps(&said, 6), [(2, 1, None), (6, 1, None)]);
}

#[test]
fn a_group_has_no_timeline() {
    let said = [answer(1, days(1, 2), plain(Open)), evasion(2, days(1, 2))];
    let question = Question {
        as_of: 9,
        has_voice: false,
    };
    assert!(timeline(&said, question).is_empty());
}
