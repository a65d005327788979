//! What stands beside the position, and when there is none.

use super::*;
use crate::position::Authority::{Delegate, Principal, Spokesperson};
use crate::position::Finding;
use crate::record::Basis;
use crate::record::Polarity::{NoPosition, Open, Opposes, Supports};

fn silent(testimonies: &[Testimony], as_of: i64) -> Position<'_> {
    let question = Question {
        as_of,
        has_voice: false,
    };
    position(testimonies, question, PAGE)
}

fn on(basis: Basis, testimony: Testimony) -> Testimony {
    Testimony { basis, ..testimony }
}

#[test]
fn a_group_has_no_voice_and_all_that_bears_on_it_is_reported() {
    let said = [answer(1, days(1, 2), plain(Open)), evasion(2, days(3, 4))];
    let position = silent(&said, 4);
    assert_eq!(position.finding, Finding::NoVoice);
    assert_eq!(entries(&position.reported.items), [2, 1]);
    assert_eq!(position.deciding, None);
    assert_eq!(position.latest_evasion, None);
    assert!(position.front.items.is_empty() && position.voices.items.is_empty());
    assert!(position.decision().certain);
}

#[test]
fn an_answer_is_stated_from_the_end_of_its_interval_on() {
    let said = [answer(1, days(1, 3), plain(Open))];
    let findings = [1, 2, 3].map(|d| as_of(&said, d).finding);
    assert_eq!(
        findings,
        [Finding::NoRecord, Finding::Undated, Finding::Stated]
    );
}

#[test]
fn who_certainly_spoke_but_never_answered_evaded() {
    let said = [evasion(1, days(1, 2)), answer(2, days(1, 9), plain(Open))];
    let position = as_of(&said, 5);
    assert_eq!(position.finding, Finding::Evaded);
    assert_eq!(
        position.latest_evasion.map(|d| d.testimony.given_by),
        Some(1)
    );
    assert_eq!(position.deciding, None);
}

#[test]
fn what_is_only_reported_leaves_no_record_of_the_actors_own() {
    let mut anonymous = answer(5, days(1, 2), plain(Open));
    anonymous.speaker = None;
    let mut relayed = answer(6, days(1, 2), plain(Open));
    relayed.relayed = true;
    let said = [
        on(Basis::Relayed, answer(1, days(1, 2), plain(Open))),
        on(Basis::Ascribed, answer(2, days(1, 2), plain(Open))),
        on(Basis::Conduct, answer(3, days(1, 2), plain(Open))),
        on(Basis::Survey, evasion(4, days(1, 9))),
        anonymous,
        relayed,
    ];
    let position = as_of(&said, 5);
    assert_eq!(position.finding, Finding::NoRecord);
    assert_eq!(entries(&position.reported.items), [4, 6, 5, 3, 2, 1]);
    let definite = position.reported.items.iter().filter(|each| each.definite);
    assert_eq!(definite.count(), 5);
}

#[test]
fn everything_that_bears_may_be_possible_but_only_a_candidate_makes_it_uncertain() {
    let said = [
        on(Basis::Relayed, answer(1, days(1, 9), plain(Open))),
        evasion(2, days(2, 9)),
    ];
    let position = as_of(&said, 5);
    assert_eq!(entries(&position.possible.items), [2, 1]);
    assert_eq!(position.possible_candidates, 0);
    assert!(position.decision().certain);

    let said = [answer(3, days(4, 9), plain(Open))];
    let position = as_of(&said, 5);
    assert_eq!(position.possible_candidates, 1);
    assert!(!position.decision().certain);
}

#[test]
fn a_statement_is_possible_only_between_its_ends() {
    let said = [answer(1, days(3, 6), plain(Open))];
    let possible = [3, 4, 5, 6].map(|d| as_of(&said, d).possible.total);
    assert_eq!(possible, [0, 1, 1, 0]);
    let considered = [3, 4, 5, 6].map(|d| as_of(&said, d).considered);
    assert_eq!(considered, [0, 1, 1, 1]);
}

#[test]
fn a_run_goes_on_through_what_says_the_same_and_begins_where_it_was_first_said() {
    let said = [
        answer(1, days(1, 2), plain(Supports)),
        answer(2, days(3, 4), plain(Open)),
        answer(3, days(5, 6), plain(Open)),
        repeated(days(9, 10), answer(4, days(7, 8), plain(Open))),
    ];
    let position = as_of(&said, 10);
    assert_eq!(position.since, Some(days(3, 4)));
    assert_eq!(position.deciding.map(|d| d.interval), Some(days(9, 10)));
    assert_eq!(position.previous.map(|d| d.testimony.given_by), Some(1));
}

#[test]
fn a_first_position_has_none_before_it() {
    let said = [answer(1, days(1, 2), plain(NoPosition))];
    let position = as_of(&said, 2);
    assert_eq!(position.since, Some(days(1, 2)));
    assert_eq!(position.previous, None);
}

#[test]
fn the_latest_evasion_counts_only_if_no_member_of_the_front_may_be_newer() {
    let said = [
        answer(1, days(1, 4), plain(Open)),
        evasion(2, days(3, 5)),
        evasion(3, days(4, 5)),
        evasion(4, days(2, 7)),
    ];
    let latest = |d| as_of(&said, d).latest_evasion.map(|d| d.testimony.given_by);
    assert_eq!(latest(4), None);
    assert_eq!(latest(5), Some(3));
    assert_eq!(latest(7), Some(3));
}

#[test]
fn an_evasion_must_be_newer_than_every_member_of_the_front_not_only_the_deciding_one() {
    let said = [
        by("head", Principal, answer(1, days(1, 3), plain(Open))),
        by("envoy", Delegate, answer(2, days(2, 6), plain(Open))),
        evasion(3, days(4, 5)),
    ];
    let position = as_of(&said, 6);
    assert_eq!(deciding(&position), Some(1));
    assert_eq!(position.latest_evasion, None);
}

#[test]
fn each_speaker_has_a_position_of_their_own() {
    let said = [
        by("head", Principal, answer(1, days(1, 2), plain(Open))),
        by(
            "voice",
            Spokesperson,
            answer(2, days(3, 4), plain(Supports)),
        ),
        by("voice", Spokesperson, answer(3, days(5, 6), plain(Open))),
        by("mute", Delegate, evasion(4, days(5, 6))),
    ];
    let voices = |d| {
        let position = as_of(&said, d);
        let voices = position.voices.items.iter();
        let named = voices.map(|v| (v.speaker.to_string(), v.deciding.testimony.given_by));
        (named.collect::<Vec<_>>(), position.diverge)
    };
    let (head, voice) = ("head".to_owned(), "voice".to_owned());
    assert_eq!(
        voices(4),
        (vec![(head.clone(), 1), (voice.clone(), 2)], true)
    );
    assert_eq!(voices(6), (vec![(head, 1), (voice, 3)], false));
}

#[test]
fn order_is_uncertain_where_polarities_differ_within_the_front() {
    let said = [
        answer(1, days(1, 3), plain(Open)),
        answer(2, days(2, 3), plain(Supports)),
        answer(3, days(4, 5), strong(Supports, 1)),
        answer(4, days(4, 5), strong(Supports, 3)),
    ];
    assert!(as_of(&said, 3).order_uncertain);
    assert!(!as_of(&said, 3).decision().certain);
    assert!(!as_of(&said, 5).order_uncertain);
}

#[test]
fn a_position_contradicts_a_higher_voice_that_last_said_otherwise() {
    let said = [
        by("head", Principal, answer(1, days(1, 2), plain(Opposes))),
        by("voice", Spokesperson, answer(2, days(3, 4), plain(Open))),
        by("head", Principal, answer(3, days(5, 6), plain(Open))),
        by("voice", Spokesperson, answer(4, days(7, 8), plain(Open))),
        by("envoy", Delegate, answer(5, days(9, 10), plain(Opposes))),
    ];
    let contradicts = [2, 4, 6, 8, 10].map(|d| as_of(&said, d).contradicts_higher_authority);
    assert_eq!(contradicts, [false, true, false, false, true]);
}

#[test]
fn a_lower_voice_that_says_otherwise_contradicts_nobody() {
    let said = [
        by("envoy", Delegate, answer(1, days(1, 2), plain(Opposes))),
        by("head", Principal, answer(2, days(3, 4), plain(Open))),
    ];
    let position = as_of(&said, 4);
    assert!(position.diverge);
    assert!(!position.contradicts_higher_authority);
}

#[test]
fn a_voice_of_the_same_authority_that_says_otherwise_is_no_higher_one() {
    let said = [
        by("head", Principal, answer(1, days(1, 2), plain(Opposes))),
        by("actor", Principal, answer(2, days(3, 4), plain(Open))),
    ];
    let position = as_of(&said, 4);
    assert!(position.diverge);
    assert!(!position.contradicts_higher_authority);
}

#[test]
fn the_newest_statement_is_the_newest_definite_one_of_whatever_kind() {
    let said = [
        answer(1, days(1, 2), plain(Open)),
        on(Basis::Ascribed, answer(2, days(3, 4), plain(Open))),
        evasion(3, days(4, 9)),
    ];
    let newest = [1, 2, 5, 9].map(|d| as_of(&said, d).newest.map(|d| d.testimony.given_by));
    assert_eq!(newest, [None, Some(1), Some(2), Some(3)]);
}

#[test]
fn a_page_cuts_the_lists_but_not_the_counts_nor_what_follows_from_them() {
    let said: Vec<_> = (0..5_u64)
        .map(|entry| {
            let polarity = if entry == 0 { Opposes } else { Open };
            by(
                &format!("voice-{entry}"),
                Delegate,
                answer(entry, days(1, 3), plain(polarity)),
            )
        })
        .collect();
    let question = Question {
        as_of: 3,
        has_voice: true,
    };
    let position = position(&said, question, 2);
    assert_eq!(entries(&position.front.items), [4, 3]);
    assert_eq!((position.front.total, position.voices.total), (5, 5));
    assert_eq!(position.voices.items.len(), 2);
    assert!(position.diverge && position.order_uncertain);
}
