//! What overviews list of a question, one by one and against slow readings of the rules.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::oracle::{
    END, answered, candidates, changes, definite, front, own, polarity, possible, testimonies,
    voices,
};
use super::*;
use crate::position::{Authority, Standing, diverging_since, reversals, standing};
use crate::record::Polarity::{self, NoPosition, Open, Opposes, Supports};

const fn asked(as_of: i64) -> Question {
    Question {
        as_of,
        has_voice: true,
    }
}

/// When the side changed, what held, left and took, and how many decided in between.
fn sides(said: &[Testimony], as_of: i64) -> Vec<(i64, [u64; 3], usize)> {
    let entry = |dated: &Dated<'_>| dated.testimony.given_by;
    reversals(said, asked(as_of))
        .iter()
        .map(|it| {
            (
                it.at,
                [entry(&it.held), entry(&it.left), entry(&it.took)],
                it.between,
            )
        })
        .collect()
}

#[test]
fn a_side_is_changed_at_once_or_by_way_of_others() {
    let said = [
        answer(1, days(1, 2), plain(Supports)),
        answer(2, days(3, 4), strong(Supports, 3)),
        answer(3, days(5, 6), plain(Opposes)),
        answer(4, days(7, 8), plain(Open)),
        answer(5, days(9, 10), plain(NoPosition)),
        answer(6, days(11, 12), plain(Supports)),
    ];
    assert_eq!(sides(&said, 12), [(6, [2, 3, 3], 0), (12, [3, 4, 6], 2)],);
    assert_eq!(sides(&said, 11), [(6, [2, 3, 3], 0)]);
}

#[test]
fn back_to_the_same_side_is_no_reversal() {
    let said = [
        answer(1, days(1, 2), plain(Supports)),
        answer(2, days(3, 4), plain(Open)),
        answer(3, days(5, 6), plain(Supports)),
        answer(4, days(7, 8), plain(Opposes)),
    ];
    assert_eq!(sides(&said, 9), [(8, [3, 4, 4], 0)]);
}

#[test]
fn a_group_neither_reverses_nor_diverges_and_all_of_it_is_reported() {
    let said = [
        answer(1, days(1, 2), plain(Supports)),
        by(
            "voice",
            Authority::Delegate,
            answer(2, days(3, 4), plain(Opposes)),
        ),
    ];
    let question = Question {
        as_of: 9,
        has_voice: false,
    };
    assert!(reversals(&said, question).is_empty());
    assert_eq!(diverging_since(&said, question), None);
    assert!(standing(&said, question, Standing::Front).is_empty());
    assert_eq!(
        entries(&standing(&said, question, Standing::Reported)),
        [2, 1]
    );
}

#[test]
fn voices_have_differed_since_the_last_time_that_they_agreed() {
    let voice = |it| by("voice", Authority::Delegate, it);
    let said = [
        answer(1, days(1, 2), plain(Supports)),
        voice(answer(2, days(3, 4), plain(Opposes))),
        voice(answer(3, days(5, 6), plain(Supports))),
        voice(answer(4, days(7, 8), plain(Open))),
        answer(5, days(9, 10), plain(Opposes)),
    ];
    let since: Vec<_> = (2..=11).map(|d| diverging_since(&said, asked(d))).collect();
    let [none, first, second] = [None, Some(4), Some(8)];
    assert_eq!(
        since,
        [
            none, none, first, first, none, none, second, second, second, second
        ]
    );
}

/// The changes of side, read off what decides at every date.
fn slow_sides(said: &[Testimony], until: i64) -> Vec<(i64, [u64; 3], usize)> {
    let steps: Vec<(i64, u64, Option<Polarity>)> = changes(said, until)
        .into_iter()
        .filter_map(|(at, decision)| {
            let decides = decision.deciding?.testimony;
            let side = polarity(decides).filter(|it| matches!(it, Supports | Opposes));
            Some((at, decides.given_by, side))
        })
        .collect();
    let on_a_side: Vec<usize> = (0..steps.len())
        .filter(|&it| steps[it].2.is_some())
        .collect();
    on_a_side
        .windows(2)
        .filter(|pair| steps[pair[0]].2 != steps[pair[1]].2)
        .map(|pair| {
            let [before, after] = [pair[0], pair[1]];
            let named = [before, before + 1, after].map(|it| steps[it].1);
            (steps[after].0, named, after - before - 1)
        })
        .collect()
}

fn differ(said: &[Testimony], d: i64) -> bool {
    let voices = voices(said, d);
    let polarities: BTreeSet<_> = voices.iter().filter_map(|it| polarity(it)).collect();
    polarities.len() > 1
}

fn slow_standing(said: &[Testimony], d: i64, standing: Standing) -> BTreeSet<(u64, u32)> {
    let definite = definite(said, d).into_iter().map(|(it, _)| it);
    let chosen: Vec<&Testimony> = match standing {
        Standing::Any => definite.chain(possible(said, d)).collect(),
        Standing::Possible => possible(said, d),
        Standing::Reported => definite
            .chain(possible(said, d))
            .filter(|it| !own(it))
            .collect(),
        Standing::Candidate => candidates(said, d).into_iter().map(|(it, _)| it).collect(),
        Standing::Evasion => definite.filter(|it| own(it) && !answered(it)).collect(),
        Standing::Front => front(&candidates(said, d))
            .into_iter()
            .map(|(it, _)| it)
            .collect(),
    };
    chosen
        .into_iter()
        .map(|it| (it.given_by, it.place))
        .collect()
}

proptest! {
    #[test]
    fn reversals_are_the_changes_of_side_from_date_to_date(said in testimonies(), d in 0..=END) {
        prop_assert_eq!(sides(&said, d), slow_sides(&said, d));
        for reversal in reversals(&said, asked(d)) {
            prop_assert_eq!(reversal.comparison.kind, crate::position::ChangeKind::Reversed);
        }
    }

    #[test]
    fn voices_have_differed_at_every_date_since(said in testimonies(), d in 0..=END) {
        let since = (0..=d).rev().take_while(|&it| differ(&said, it)).last();
        prop_assert_eq!(diverging_since(&said, asked(d)), since);
        prop_assert_eq!(as_of(&said, d).diverge, since.is_some());
    }

    #[test]
    fn everything_stands_where_the_rules_say_newest_first(said in testimonies(), d in 0..=END) {
        for each in [
            Standing::Any, Standing::Possible, Standing::Reported, Standing::Candidate,
            Standing::Evasion, Standing::Front,
        ] {
            let found = standing(&said, asked(d), each);
            let age = |it: &Dated<'_>| {
                (it.interval.latest, it.interval.earliest, it.testimony.statement, it.testimony.place)
            };
            prop_assert!(found.iter().rev().is_sorted_by_key(age), "{each:?}");
            let named: BTreeSet<_> = found.iter().map(|it| (it.testimony.given_by, it.testimony.place)).collect();
            prop_assert_eq!(named.len(), found.len());
            prop_assert_eq!(named, slow_standing(&said, d, each), "{:?} at {}", each, d);
        }
    }
}
