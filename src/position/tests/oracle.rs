//! The sweep against a slow reading of the rules: at every date everything is worked out
//! anew, from lists alone.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::position::{Authority, Bases, Finding, Step, compare, timeline};
use crate::record::{Basis, Engagement, Interval, Polarity, Stance, Strength};

/// All dates lie below it.
pub(super) const END: i64 = 24;

/// The reading that stands at a date, with its interval: what the slow rules deal in.
pub(super) type Standing<'a> = (&'a Testimony, Interval);

pub(super) fn own(testimony: &Testimony) -> bool {
    testimony.speaker.is_some()
        && testimony.authority != Authority::Affiliated
        && testimony.basis == Basis::OwnWords
        && !testimony.relayed
}

pub(super) fn answered(testimony: &Testimony) -> bool {
    let answer = |engagement: &Engagement| matches!(engagement, Engagement::Answered(_));
    answer(&testimony.engagement) || testimony.rivals.iter().any(|it| answer(&it.engagement))
}

/// None if it is disputed.
pub(super) fn polarity(testimony: &Testimony) -> Option<Polarity> {
    match &testimony.engagement {
        _ if !testimony.rivals.is_empty() => None,
        Engagement::Answered(stance) => Some(stance.polarity),
        other => panic!("{other:?} has no polarity"),
    }
}

fn interval(testimony: &Testimony, d: i64) -> Interval {
    match testimony.repeated_until {
        Some(last) if last.latest <= d => last,
        _ => testimony.said_at,
    }
}

pub(super) fn definite(said: &[Testimony], d: i64) -> Vec<Standing<'_>> {
    said.iter()
        .map(|t| (t, interval(t, d)))
        .filter(|(_, i)| i.latest <= d)
        .collect()
}

pub(super) fn possible(said: &[Testimony], d: i64) -> Vec<&Testimony> {
    said.iter()
        .filter(|t| interval(t, d).earliest < d && d < interval(t, d).latest)
        .collect()
}

pub(super) fn candidates(said: &[Testimony], d: i64) -> Vec<Standing<'_>> {
    let mut standing = definite(said, d);
    standing.retain(|(t, _)| own(t) && answered(t));
    standing
}

/// The front, the deciding one first.
pub(super) fn front<'a>(candidates: &[Standing<'a>]) -> Vec<Standing<'a>> {
    let greatest_earliest = candidates.iter().map(|(_, i)| i.earliest).max();
    let mut front: Vec<_> = candidates
        .iter()
        .filter(|(_, i)| Some(i.latest) > greatest_earliest)
        .copied()
        .collect();
    front.sort_by_key(|(t, i)| {
        (
            t.authority,
            i.latest,
            i.earliest,
            t.statement,
            (t.given_by, t.place),
        )
    });
    front.reverse();
    front
}

fn divided(front: &[Standing<'_>]) -> bool {
    let polarities: BTreeSet<_> = front.iter().map(|(t, _)| polarity(t)).collect();
    polarities.len() > 1 || polarities.contains(&None) && front.len() > 1
}

/// The position as one end of a comparison.
pub(super) fn end(said: &[Testimony], d: i64) -> Decision<'_> {
    let front = front(&candidates(said, d));
    let may_be = possible(said, d).iter().any(|t| own(t) && answered(t));
    Decision {
        deciding: front.first().map(|&(testimony, interval)| Dated {
            testimony,
            interval,
            definite: true,
        }),
        certain: !may_be
            && !divided(&front)
            && front.first().is_none_or(|(t, _)| polarity(t).is_some()),
    }
}

/// What decides at each date up to `until` where it is another than the day before.
pub(super) fn changes(said: &[Testimony], until: i64) -> Vec<(i64, Decision<'_>)> {
    let mut changes: Vec<(i64, Decision<'_>)> = Vec::new();
    for d in 0..=until {
        let end = end(said, d);
        if end.deciding != changes.last().and_then(|(_, last)| last.deciding) {
            changes.push((d, end));
        }
    }
    changes
}

/// Since when, and what decided before.
fn run(said: &[Testimony], until: i64) -> (Option<Interval>, Option<Dated<'_>>) {
    let changes = changes(said, until);
    let Some(mut first) = changes.len().checked_sub(1) else {
        return (None, None);
    };
    while first > 0 {
        let kind = compare(&changes[first - 1].1, &changes[first].1).kind;
        if !matches!(kind, crate::position::ChangeKind::Unchanged) {
            break;
        }
        first -= 1;
    }
    let since = changes[first]
        .1
        .deciding
        .map(|dated| dated.testimony.said_at);
    let previous = first.checked_sub(1).and_then(|at| changes[at].1.deciding);
    (since, previous)
}

fn finding(said: &[Testimony], d: i64) -> Finding {
    let definite: Vec<_> = definite(said, d)
        .into_iter()
        .filter(|(t, _)| own(t))
        .collect();
    if let Some((decides, _)) = front(&candidates(said, d)).first() {
        match polarity(decides) {
            Some(_) => Finding::Stated,
            None => Finding::Disputed,
        }
    } else if !definite.is_empty() {
        Finding::Evaded
    } else if possible(said, d).iter().any(|t| own(t)) {
        Finding::Undated
    } else {
        Finding::NoRecord
    }
}

/// What decides for each speaker, among their own.
pub(super) fn voices(said: &[Testimony], d: i64) -> Vec<&Testimony> {
    let candidates = candidates(said, d);
    let speakers: BTreeSet<_> = candidates.iter().map(|(t, _)| &t.speaker).collect();
    speakers
        .into_iter()
        .map(|speaker| {
            let mut own = candidates.clone();
            own.retain(|(t, _)| t.speaker == *speaker);
            front(&own)[0].0
        })
        .collect()
}

/// The evasions that are not older than any of the front, newest last.
fn evasions(said: &[Testimony], d: i64) -> Vec<Standing<'_>> {
    let front = front(&candidates(said, d));
    let mut evasions = definite(said, d);
    evasions.retain(|(t, i)| {
        own(t) && !answered(t) && front.iter().all(|(_, other)| i.earliest >= other.latest)
    });
    evasions.sort_by_key(|(t, i)| (i.latest, i.earliest, t.statement, t.given_by, t.place));
    evasions
}

fn intervals() -> impl Strategy<Value = Interval> {
    (0..END - 8, 1..8_i64).prop_map(|(first, length)| days(first, first + length))
}

fn engagements() -> impl Strategy<Value = Engagement> {
    let polarities = prop::sample::select(vec![
        Polarity::Supports,
        Polarity::Open,
        Polarity::Opposes,
        Polarity::NoPosition,
    ]);
    let stance =
        (polarities, 0..3_u32, any::<bool>()).prop_map(|(polarity, degree, bound)| Stance {
            strength: Strength::from_degree(degree),
            ..conditional(polarity, if bound { &["a"] } else { &[] })
        });
    prop_oneof![
        5 => stance.prop_map(Engagement::Answered),
        1 => Just(Engagement::Declined),
        1 => Just(Engagement::Deflected),
    ]
}

pub(super) fn testimonies() -> impl Strategy<Value = Vec<Testimony>> {
    let authorities = prop::sample::select(vec![
        Authority::Affiliated,
        Authority::None,
        Authority::Delegate,
        Authority::Spokesperson,
        Authority::Principal,
    ]);
    let one = (
        0..3_u64,
        (intervals(), prop::option::weighted(0.3, intervals())),
        prop::sample::select(vec![Some("head"), Some("voice"), Some("envoy"), None]),
        authorities,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        (engagements(), prop::option::weighted(0.15, engagements())),
    );
    vec(one, 0..12).prop_map(|all| {
        let readings = all.into_iter().zip(0..);
        readings
            .map(
                |(
                    (
                        entry,
                        (said_at, repeated_until),
                        speaker,
                        authority,
                        relayed,
                        survey,
                        (engagement, rival),
                    ),
                    place,
                )| {
                    let testimony = Testimony {
                        statement: entry,
                        version: entry,
                        given_by: entry,
                        place,
                        speaker: speaker.map(slug),
                        holder: slug("actor"),
                        authority,
                        said_at,
                        repeated_until,
                        basis: if survey {
                            Basis::Survey
                        } else {
                            Basis::OwnWords
                        },
                        relayed,
                        engagement,
                        rivals: Vec::new(),
                        own: Bases::OWN_WORDS,
                    };
                    match rival {
                        Some(rival) => disputed(rival, testimony),
                        None => testimony,
                    }
                },
            )
            .collect()
    })
}

proptest! {
    #[test]
    fn a_position_is_what_the_rules_say_at_every_date(said in testimonies()) {
        for d in 0..=END {
            let position = as_of(&said, d);
            let slow_front = front(&candidates(&said, d));
            let members: Vec<_> = position.front.items.iter().map(|m| (m.testimony, m.interval)).collect();
            prop_assert_eq!(&members, &slow_front, "front at {}", d);
            prop_assert_eq!(position.decision(), end(&said, d), "decision at {}", d);
            prop_assert_eq!(position.order_uncertain, divided(&slow_front));
            prop_assert_eq!((position.since, position.previous), run(&said, d), "run at {}", d);
            prop_assert_eq!(position.finding, finding(&said, d), "finding at {}", d);
            let evasion = position.latest_evasion.map(|e| (e.testimony, e.interval));
            prop_assert_eq!(evasion, evasions(&said, d).last().copied(), "evasion at {}", d);
            let slow_voices = voices(&said, d);
            let mut decide: Vec<_> = position.voices.items.iter().map(|v| v.deciding.testimony).collect();
            decide.sort_by_key(|t| &t.speaker);
            prop_assert_eq!(&decide, &slow_voices, "voices at {}", d);
            let polarities: BTreeSet<_> = slow_voices.iter().filter_map(|t| polarity(t)).collect();
            prop_assert_eq!(position.diverge, polarities.len() > 1);
            let contradicted = slow_front.first().is_some_and(|(decides, _)| {
                let mut higher = slow_voices.iter().filter(|t| t.authority > decides.authority);
                higher.any(|t| {
                    let (one, other) = (polarity(t), polarity(decides));
                    one.is_some() && other.is_some() && one != other
                })
            });
            prop_assert_eq!(position.contradicts_higher_authority, contradicted);
            prop_assert_eq!(position.possible.total, possible(&said, d).len());
            prop_assert_eq!(position.considered, possible(&said, d).len() + definite(&said, d).len());
            let reported = possible(&said, d).into_iter().chain(definite(&said, d).into_iter().map(|(t, _)| t));
            prop_assert_eq!(position.reported.total, reported.filter(|t| !own(t)).count());
        }
    }

    #[test]
    fn a_timeline_is_every_change_of_the_position_from_date_to_date(said in testimonies()) {
        let question = Question { as_of: END, has_voice: true };
        let steps = timeline(&said, question);
        let decided = steps.iter().filter(|step| step.comparison.is_some());
        let mut before = Decision { deciding: None, certain: true };
        let slow: Vec<_> = changes(&said, END).into_iter().filter_map(|(at, decision)| {
            let comparison = Some(compare(&before, &decision));
            before = decision;
            let testimony = decision.deciding?;
            Some(Step { at, testimony, comparison })
        }).collect();
        prop_assert_eq!(decided.cloned().collect::<Vec<_>>(), slow);
        prop_assert!(steps.is_sorted_by_key(|step| step.at));
    }

    #[test]
    fn the_order_in_which_readings_are_handed_over_changes_nothing(
        (said, shuffled) in testimonies().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
        d in 0..=END,
    ) {
        prop_assert_eq!(as_of(&said, d), as_of(&shuffled, d));
        let question = Question { as_of: d, has_voice: true };
        prop_assert_eq!(timeline(&said, question), timeline(&shuffled, question));
    }
}
