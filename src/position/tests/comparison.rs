//! The table of comparisons: row by row, and over all pairs of stances.

use super::*;
use crate::position::ChangeKind::{
    ConditionsAdded, ConditionsChanged, ConditionsDropped, FirstStated, Hardened, NoLongerOnRecord,
    NoRecord, NotRestated, Reversed, Shifted, Softened, TookSide, Unchanged, Withdrawn,
};
use crate::position::Direction::{None as Neither, TowardOpposition, TowardSupport};
use crate::position::{ChangeKind, Comparison, Direction, Placement, compare, placement};
use crate::record::Polarity::{Mixed, NoPosition, Open, Opposes, Supports};
use crate::record::{ConditionKind, Engagement, Polarity, Stance, Strength};

const NOT_STATED: Decision<'static> = Decision {
    deciding: None,
    certain: true,
};

/// Kind, what else, and direction of a comparison between two statements.
fn between(from: &Stance, to: &Stance) -> (ChangeKind, Vec<ChangeKind>, Direction) {
    let from = answer(1, days(1, 2), from.clone());
    let to = answer(2, days(3, 4), to.clone());
    let Comparison {
        kind,
        also,
        direction,
        ..
    } = compare(&decided(&from), &decided(&to));
    (kind, also, direction)
}

fn kind(from: &Stance, to: &Stance) -> ChangeKind {
    between(from, to).0
}

fn direction(from: &Stance, to: &Stance) -> Direction {
    between(from, to).2
}

/// Every stance that two ids, two texts and all strengths make.
fn stances() -> Vec<Stance> {
    let conditions: [&[&str]; 7] = [
        &[],
        &["a"],
        &["b"],
        &["a", "b"],
        &["~x"],
        &["~x", "~y"],
        &["a", "~x"],
    ];
    let mut stances = Vec::new();
    for polarity in [Supports, Open, Opposes, Mixed, NoPosition] {
        for degree in 0..=3 {
            for names in conditions {
                stances.push(Stance {
                    strength: Strength::from_degree(degree),
                    ..conditional(polarity, names)
                });
            }
        }
    }
    stances
}

#[test]
fn row_1_neither_stated_is_no_record() {
    let comparison = compare(&NOT_STATED, &NOT_STATED);
    assert_eq!(comparison.kind, NoRecord);
    assert_eq!(comparison.direction, Neither);
}

#[test]
fn row_2_only_the_earlier_stated_is_no_longer_on_record() {
    let said = answer(1, days(1, 2), plain(Supports));
    let comparison = compare(&decided(&said), &NOT_STATED);
    assert_eq!(comparison.kind, NoLongerOnRecord);
    assert_eq!(comparison.direction, Neither);
}

#[test]
fn row_3_only_the_later_stated_is_first_stated() {
    let said = answer(1, days(1, 2), conditional(Supports, &["a"]));
    let comparison = compare(&NOT_STATED, &decided(&said));
    assert_eq!(comparison.kind, FirstStated);
    assert_eq!(comparison.direction, Neither);
    assert!(comparison.also.is_empty() && comparison.conditions_added.is_empty());
}

#[test]
fn row_4_the_same_version_reading_and_interval_is_not_restated() {
    let said = repeated(days(5, 6), answer(1, days(1, 2), plain(NoPosition)));
    assert_eq!(compare(&decided(&said), &decided(&said)).kind, NotRestated);

    let again = Decision {
        deciding: said.at(6),
        certain: true,
    };
    assert_eq!(compare(&decided(&said), &again).kind, Unchanged);
    let mut corrected = said.clone();
    corrected.version = 9;
    assert_eq!(
        compare(&decided(&said), &decided(&corrected)).kind,
        Unchanged
    );
    let mut reread = said.clone();
    reread.given_by = 9;
    assert_eq!(compare(&decided(&said), &decided(&reread)).kind, Unchanged);
    let mut next = said.clone();
    next.place = 1;
    assert_eq!(compare(&decided(&said), &decided(&next)).kind, Unchanged);
}

#[test]
fn rows_5_to_7_no_position_is_taken_left_or_kept() {
    assert_eq!(kind(&plain(NoPosition), &plain(NoPosition)), Unchanged);
    for polarity in [Supports, Open, Opposes, Mixed] {
        assert_eq!(kind(&plain(polarity), &plain(NoPosition)), Withdrawn);
        assert_eq!(kind(&plain(NoPosition), &plain(polarity)), FirstStated);
        assert_eq!(direction(&plain(polarity), &plain(NoPosition)), Neither);
        assert_eq!(direction(&plain(NoPosition), &plain(polarity)), Neither);
    }
}

#[test]
fn rows_8_to_11_polarity_alone_makes_the_kind() {
    let rows = [
        (Supports, Opposes, Reversed, TowardOpposition),
        (Opposes, Supports, Reversed, TowardSupport),
        (Supports, Open, Softened, TowardOpposition),
        (Supports, Mixed, Softened, TowardOpposition),
        (Opposes, Open, Softened, TowardSupport),
        (Opposes, Mixed, Softened, TowardSupport),
        (Open, Supports, TookSide, TowardSupport),
        (Mixed, Supports, TookSide, TowardSupport),
        (Open, Opposes, TookSide, TowardOpposition),
        (Mixed, Opposes, TookSide, TowardOpposition),
        (Open, Mixed, Shifted, Neither),
        (Mixed, Open, Shifted, Neither),
    ];
    for (from, to, kind, direction) in rows {
        assert_eq!(
            between(&strong(from, 2), &plain(to)),
            (kind, vec![], direction)
        );
    }
}

#[test]
fn row_12_strength_counts_on_the_same_side() {
    let less = (strong(Supports, 3), strong(Supports, 1));
    assert_eq!(
        between(&less.0, &less.1),
        (Softened, vec![], TowardOpposition)
    );
    assert_eq!(between(&less.1, &less.0), (Hardened, vec![], TowardSupport));
    let against = (strong(Opposes, 1), strong(Opposes, 2));
    assert_eq!(
        between(&against.0, &against.1),
        (Hardened, vec![], TowardOpposition)
    );
    assert_eq!(
        between(&strong(Open, 1), &strong(Open, 3)),
        (Unchanged, vec![], Neither)
    );
}

#[test]
fn a_missing_strength_equals_the_others_on_the_same_side_and_is_one_across() {
    assert_eq!(
        between(&plain(Supports), &strong(Supports, 3)),
        (Unchanged, vec![], Neither)
    );
    assert_eq!(
        between(&strong(Opposes, 3), &plain(Opposes)),
        (Unchanged, vec![], Neither)
    );
    assert_eq!(direction(&plain(Supports), &plain(Open)), TowardOpposition);
}

#[test]
fn rows_13_and_14_conditions_are_added_dropped_or_changed() {
    let none = plain(Open);
    let one = conditional(Open, &["a"]);
    let both = conditional(Open, &["b", "a"]);
    let other = conditional(Open, &["b"]);
    assert_eq!(kind(&none, &one), ConditionsAdded);
    assert_eq!(kind(&one, &both), ConditionsAdded);
    assert_eq!(kind(&both, &one), ConditionsDropped);
    assert_eq!(kind(&one, &none), ConditionsDropped);
    assert_eq!(kind(&one, &other), ConditionsChanged);
}

#[test]
fn row_15_what_says_the_same_is_unchanged() {
    let stance = Stance {
        strength: Strength::from_degree(2),
        ..conditional(Supports, &["a", "~x"])
    };
    assert_eq!(between(&stance, &stance), (Unchanged, vec![], Neither));
}

#[test]
fn conditions_match_by_id_and_kind_whatever_their_text() {
    let from = conditional(Open, &["a"]);
    let mut to = conditional(Open, &["a"]);
    to.conditions[0].text = "in other words".to_owned();
    assert_eq!(kind(&from, &to), Unchanged);
    to.conditions[0].kind = ConditionKind::Unless;
    assert_eq!(kind(&from, &to), ConditionsChanged);
}

#[test]
fn conditions_without_an_id_match_by_exact_text() {
    let from = conditional(Open, &["~x"]);
    assert_eq!(kind(&from, &conditional(Open, &["~x"])), Unchanged);
    assert_eq!(kind(&from, &conditional(Open, &["~X"])), ConditionsChanged);
    assert_eq!(
        kind(&from, &conditional(Open, &["~x", "~y"])),
        ConditionsAdded
    );
}

#[test]
fn an_id_against_a_bare_text_is_undecidable_but_none_against_some_is_not() {
    let bare = conditional(Open, &["~a"]);
    let named = conditional(Open, &["a"]);
    assert_eq!(between(&named, &bare), (ConditionsChanged, vec![], Neither));
    assert_eq!(kind(&plain(Open), &bare), ConditionsAdded);
    assert_eq!(kind(&bare, &plain(Open)), ConditionsDropped);
}

#[test]
fn what_strength_and_conditions_say_beyond_the_kind_goes_into_also() {
    let weak = conditional(Supports, &["a"]);
    let firm = strong(Supports, 3);
    let hedged = Stance {
        strength: Strength::from_degree(1),
        ..weak.clone()
    };
    assert_eq!(
        between(&firm, &hedged),
        (Softened, vec![ConditionsAdded], TowardOpposition)
    );
    assert_eq!(
        between(&firm, &conditional(Opposes, &["a"])),
        (Reversed, vec![ConditionsAdded], TowardOpposition)
    );
    assert_eq!(
        between(&conditional(Open, &["b"]), &weak),
        (TookSide, vec![ConditionsChanged], TowardSupport)
    );
}

#[test]
fn conditions_alone_pull_support_and_openness_down_and_opposition_up() {
    let added = |polarity| direction(&plain(polarity), &conditional(polarity, &["a"]));
    let dropped = |polarity| direction(&conditional(polarity, &["a"]), &plain(polarity));
    assert_eq!(added(Supports), TowardOpposition);
    assert_eq!(added(Open), TowardOpposition);
    assert_eq!(added(Opposes), TowardSupport);
    assert_eq!(added(Mixed), Neither);
    assert_eq!(dropped(Supports), TowardSupport);
    assert_eq!(dropped(Open), TowardSupport);
    assert_eq!(dropped(Opposes), TowardOpposition);
    assert_eq!(dropped(Mixed), Neither);
    let exchanged = direction(&conditional(Open, &["a"]), &conditional(Open, &["b"]));
    assert_eq!(exchanged, Neither);
}

#[test]
fn a_comparison_lists_the_conditions_that_only_one_end_has() {
    let from = answer(1, days(1, 2), conditional(Open, &["a", "b"]));
    let to = answer(2, days(3, 4), conditional(Open, &["b", "c", "~d"]));
    let comparison = compare(&decided(&from), &decided(&to));
    assert_eq!(
        comparison.conditions_added,
        [&condition("c"), &condition("~d")]
    );
    assert_eq!(comparison.conditions_dropped, [&condition("a")]);
}

#[test]
fn a_comparison_is_certain_only_if_both_ends_are() {
    let said = answer(1, days(1, 2), plain(Open));
    let sure = decided(&said);
    let unsure = Decision {
        certain: false,
        ..sure
    };
    assert!(compare(&sure, &sure).certain);
    assert!(!compare(&unsure, &sure).certain);
    assert!(!compare(&sure, &unsure).certain);
    assert!(!compare(&NOT_STATED, &unsure).certain);
}

#[test]
fn a_deciding_statement_is_placed_about_a_milestone_by_its_interval() {
    let milestone = days(10, 12);
    let placed = |first, end| {
        let said = answer(1, days(first, end), plain(Open));
        placement(&decided(&said), milestone)
    };
    assert_eq!(placed(9, 10), Some(Placement::Before));
    assert_eq!(placed(12, 13), Some(Placement::Since));
    assert_eq!(placed(10, 12), Some(Placement::During));
    assert_eq!(placed(11, 12), Some(Placement::During));
    assert_eq!(placed(9, 11), Some(Placement::Unplaced));
    assert_eq!(placed(11, 13), Some(Placement::Unplaced));
    assert_eq!(placed(9, 13), Some(Placement::Unplaced));
    assert_eq!(placement(&NOT_STATED, milestone), None);
    let said = answer(1, days(10, 12), plain(Open));
    let in_dispute = disputed(Engagement::Answered(plain(Supports)), said);
    assert_eq!(placement(&decided(&in_dispute), milestone), None);
}

/// The table from row 5 on, each row as the predicate that it states.
fn table(from: &Stance, to: &Stance) -> Vec<(u8, ChangeKind)> {
    let is_side = |polarity: Polarity| polarity == Supports || polarity == Opposes;
    let is_between = |polarity: Polarity| polarity == Open || polarity == Mixed;
    let (f, t) = (from.polarity, to.polarity);
    let same_side = f == t && is_side(f);
    let degree = |stance: &Stance| stance.strength.map_or(0, Strength::degree);
    let coded = degree(from) > 0 && degree(to) > 0;
    let names = |stance: &Stance| -> Vec<String> {
        let named = stance.conditions.iter();
        named
            .map(|c| {
                c.id.as_ref()
                    .map_or(format!("~{}", c.text), ToString::to_string)
            })
            .collect()
    };
    let (had, has) = (names(from), names(to));
    let added = has.iter().any(|name| !had.contains(name));
    let dropped = had.iter().any(|name| !has.contains(name));
    let rows = [
        (5, f == NoPosition && t == NoPosition, Unchanged),
        (6, t == NoPosition, Withdrawn),
        (7, f == NoPosition, FirstStated),
        (8, is_side(f) && is_side(t) && f != t, Reversed),
        (9, is_side(f) && is_between(t), Softened),
        (10, is_between(f) && is_side(t), TookSide),
        (11, is_between(f) && is_between(t) && f != t, Shifted),
        (
            12,
            same_side && coded && degree(to) < degree(from),
            Softened,
        ),
        (
            12,
            same_side && coded && degree(to) > degree(from),
            Hardened,
        ),
        (13, added && !dropped, ConditionsAdded),
        (13, dropped && !added, ConditionsDropped),
        (14, added && dropped, ConditionsChanged),
        (15, true, Unchanged),
    ];
    let matching = rows.into_iter().filter(|(_, holds, _)| *holds);
    matching.map(|(row, _, kind)| (row, kind)).collect()
}

#[test]
fn over_all_pairs_the_kind_is_the_first_row_that_matches_and_rows_12_to_14_the_rest() {
    let stances = stances();
    for from in &stances {
        for to in &stances {
            let rows = table(from, to);
            let mut rest = rows.iter();
            let first = rest.next().map(|(_, kind)| *kind);
            let also: Vec<_> = rest
                .filter(|(row, _)| (12..=14).contains(row))
                .map(|(_, kind)| *kind)
                .collect();
            let (kind, said_also, _) = between(from, to);
            assert_eq!((Some(kind), said_also), (first, also), "{from:?} {to:?}");
        }
    }
}

#[test]
fn over_all_pairs_swapping_the_ends_turns_the_direction_round() {
    let stances = stances();
    for from in &stances {
        for to in &stances {
            let turned = match direction(from, to) {
                Neither => Neither,
                TowardSupport => TowardOpposition,
                TowardOpposition => TowardSupport,
            };
            assert_eq!(direction(to, from), turned, "{from:?} {to:?}");
        }
    }
}

#[test]
fn over_all_pairs_direction_follows_side_times_strength_where_they_differ() {
    let stances = stances();
    let weight = |stance: &Stance, other: &Stance| {
        let own = stance.strength.map(|s| i32::from(s.degree()));
        let others = other.strength.map(|s| i32::from(s.degree()));
        let same = stance.polarity == other.polarity;
        let strength = own.or(if same { others } else { None }).unwrap_or(1);
        match stance.polarity {
            Supports => strength,
            Opposes => -strength,
            Open | Mixed | NoPosition => 0,
        }
    };
    for from in &stances {
        for to in &stances {
            let moved = weight(to, from) - weight(from, to);
            if from.polarity == NoPosition || to.polarity == NoPosition {
                assert_eq!(direction(from, to), Neither);
            } else if moved > 0 {
                assert_eq!(direction(from, to), TowardSupport);
            } else if moved < 0 {
                assert_eq!(direction(from, to), TowardOpposition);
            } else if from.polarity != to.polarity {
                assert_eq!(direction(from, to), Neither);
            }
        }
    }
}
