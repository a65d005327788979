//! Which positions an entry is said to have changed, against what it did change.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::projection::positions::{Filter, Pair, SourceFilter, TouchedScope, touched};

const TOPICS: [&str; 2] = ["meeting", "meeting-place"];

fn pairs() -> Vec<Pair> {
    let pair = |actor, topic| Pair {
        actor: slug(actor),
        topic: slug(topic),
    };
    ACTORS
        .iter()
        .flat_map(|(actor, _)| TOPICS.map(|topic| pair(actor, topic)))
        .collect()
}

fn everything(with_parts: Option<bool>, by_source: bool) -> TouchedScope {
    TouchedScope {
        actor: None,
        topic: None,
        with_parts,
        by_source,
    }
}

fn reached(
    tables: &dyn Tables,
    scope: &TouchedScope,
    size: usize,
) -> BTreeMap<u64, BTreeSet<Pair>> {
    let rows = touched(tables, scope, 0..size as u64);
    rows.map(Result::unwrap).collect()
}

/// What is heard of a pair at every size of the ledger.
fn heard_at(
    tables: &dyn Tables,
    pair: &Pair,
    with_parts: Option<bool>,
    terms: &Terms,
    size: usize,
) -> Vec<Vec<Testimony>> {
    let subject = Subject {
        actor: pair.actor.clone(),
        topic: pair.topic.clone(),
        with_parts,
    };
    let at = |known_at| collect(tables, &subject, terms, known_at).unwrap();
    let heard = (0..=size as u64).map(|known_at| at(known_at).map(|it| it.testimonies));
    heard.map(Option::unwrap_or_default).collect()
}

/// Terms of every sort that takes something away.
fn terms() -> [Terms; 3] {
    let filtered = |filter| Terms {
        filter,
        ..Terms::default()
    };
    [
        Terms::default(),
        filtered(Filter {
            sources: SourceFilter {
                public_by: Some(day("2025-08-19").latest),
                ..SourceFilter::default()
            },
            ..Filter::default()
        }),
        filtered(Filter {
            mandated: true,
            never: BTreeSet::from([0]),
            attestations_min: 2,
            ..Filter::default()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_entry_changes_what_is_heard_of_a_pair_that_it_does_not_touch(script in history()) {
        let size = script.entries.len();
        let tables = script.tables(&PositionsFold);
        for with_parts in [None, Some(true), Some(false)] {
            for terms in terms() {
                let by_source = terms.filter.sources != SourceFilter::default();
                let reached = reached(&tables, &everything(with_parts, by_source), size);
                for pair in pairs() {
                    let heard = heard_at(&tables, &pair, with_parts, &terms, size);
                    for (entry, around) in (0_u64..).zip(heard.windows(2)) {
                        let touches = reached.get(&entry).is_some_and(|it| it.contains(&pair));
                        prop_assert!(
                            touches || around[0] == around[1],
                            "{:?} {with_parts:?} by {:?}",
                            pair,
                            script.entries[usize::try_from(entry).unwrap()].record.kind
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_narrower_scope_has_the_same_pairs_but_for_those_out_of_it(script in history()) {
        let size = script.entries.len();
        let tables = script.tables(&PositionsFold);
        for with_parts in [None, Some(true)] {
            let all = reached(&tables, &everything(with_parts, true), size);
            for pair in pairs() {
                for by in 1..4 {
                    let scope = TouchedScope {
                        actor: (by & 1 != 0).then(|| pair.actor.clone()),
                        topic: (by & 2 != 0).then(|| pair.topic.clone()),
                        ..everything(with_parts, true)
                    };
                    let narrow = reached(&tables, &scope, size);
                    for (entry, pairs) in &all {
                        let within = pairs.iter().filter(|it| {
                            scope.actor.as_ref().is_none_or(|actor| *actor == it.actor)
                                && scope.topic.as_ref().is_none_or(|topic| *topic == it.topic)
                        });
                        prop_assert!(within.eq(&narrow[entry]), "{:?} at {}", scope, entry);
                    }
                }
            }
        }
    }
}

#[test]
fn a_plain_statement_touches_what_it_bears_on_and_nothing_else() {
    let mut script = actors();
    let first = script.record(said("aide", &["palace"], "2025-08-15"));
    script.actor("aide", ActorKind::Person, "");
    script.mandate(
        "aide",
        "ministry",
        proto::Authority::Delegate,
        &[],
        ("", ""),
    );
    let tables = script.tables(&PositionsFold);
    let reached = reached(&tables, &everything(None, true), script.entries.len());
    let names = |entry: u64| -> Vec<&str> {
        let pairs = reached.get(&entry).into_iter().flatten();
        pairs.map(|pair| pair.actor.as_str()).collect()
    };
    assert_eq!(names(first), ["aide", "palace", "state"]);
    assert!(names(first + 1).is_empty(), "the aide is what they were");
    // Whatever the state is asked, its ministry's new voice may count there.
    assert_eq!(names(first + 2), ["state"]);
}
