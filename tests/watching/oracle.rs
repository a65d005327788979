//! The watch against a slow oracle that asks for every position at every size of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::rpc::proto::{
    ComparePositionsRequest, Finding, GetPositionRequest, Position, PositionFilter, Stance,
    TimeRange, WatchPositionsRequest, WatchPositionsResponse, WatchedPosition,
};
use tonic::Code;

use crate::common::Client;
use crate::ledger::{ACTORS, Ledger, TOPICS};
use crate::{Watched, from, place};

/// After the end of everything.
const END: &str = "9999";

const STEPS: usize = 90;

/// What makes a position another one.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    finding: Finding,
    deciding: Option<(u64, u64, u64, u32, Option<TimeRange>)>,
    stance: Option<Stance>,
}

impl Held {
    fn nothing() -> Self {
        Self {
            finding: Finding::NoRecord,
            deciding: None,
            stance: None,
        }
    }

    fn of(position: &Position) -> Self {
        let decides = position.deciding.as_ref().map(|it| {
            let range = it.interval.clone();
            (
                it.index,
                it.version_index,
                it.reading_index,
                it.place,
                range,
            )
        });
        Self {
            finding: position.finding(),
            deciding: decides,
            stance: position.stance.clone(),
        }
    }

    fn before(change: &WatchPositionsResponse) -> Self {
        let brief = change.before.as_ref().expect("what was before");
        Self::of(&Position {
            finding: brief.finding,
            deciding: brief.deciding.clone(),
            stance: brief.stance.clone(),
            ..Position::default()
        })
    }
}

/// What is asked of a watch, other than where it begins.
#[derive(Clone, Debug, Default)]
struct Terms {
    with_parts: Option<bool>,
    filter: Option<PositionFilter>,
    as_of: &'static str,
}

impl Terms {
    fn request(&self, start: u64) -> WatchPositionsRequest {
        WatchPositionsRequest {
            with_parts: self.with_parts,
            filter: self.filter.clone(),
            as_of: self.as_of.to_owned(),
            ..from(start)
        }
    }

    fn as_of(&self) -> String {
        let as_of = if self.as_of.is_empty() {
            END
        } else {
            self.as_of
        };
        as_of.to_owned()
    }

    /// The position at one size of the ledger.
    async fn held(&self, client: &mut Client, pair: &WatchedPosition, known_at: u64) -> Held {
        let request = GetPositionRequest {
            actor: pair.actor.clone(),
            topic: pair.topic.clone(),
            as_of: self.as_of(),
            known_at: Some(known_at),
            with_parts: self.with_parts,
            filter: self.filter.clone(),
            ..GetPositionRequest::default()
        };
        match client.positions.get_position(request).await {
            Ok(answer) => Held::of(&answer.into_inner().position.expect("a position")),
            // Neither the actor, nor the topic, nor who the filter names was on record.
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                Held::nothing()
            }
        }
    }

    /// Every change at every entry of the ledger, each with what was before and after.
    async fn changes(
        &self,
        client: &mut Client,
        size: u64,
    ) -> BTreeMap<(u64, String, String), (Held, Held)> {
        let mut changes = BTreeMap::new();
        for pair in pairs() {
            let mut before = Held::nothing();
            for known_at in 0..=size {
                let after = self.held(client, &pair, known_at).await;
                if after != before && after.finding != Finding::NoVoice {
                    let key = (known_at - 1, pair.actor.clone(), pair.topic.clone());
                    changes.insert(key, (before, after.clone()));
                }
                before = after;
            }
        }
        changes
    }

    /// The comparison of the positions before and after a change.
    async fn compared(&self, client: &mut Client, change: &WatchPositionsResponse) {
        let (index, pair) = place(change);
        let request = ComparePositionsRequest {
            actor: pair.actor,
            topic: pair.topic,
            from_as_of: self.as_of(),
            to_as_of: self.as_of(),
            from_known_at: Some(index),
            to_known_at: Some(index + 1),
            with_parts: self.with_parts,
            filter: self.filter.clone(),
            ..ComparePositionsRequest::default()
        };
        let Ok(answer) = client.positions.compare_positions(request).await else {
            return;
        };
        let answer = answer.into_inner();
        assert_eq!(change.comparison, answer.comparison);
        let (told, whole) = (change.position.as_ref().unwrap(), answer.to.unwrap());
        assert_eq!(told.deciding, whole.deciding);
        assert_eq!(told.since, whole.since);
        assert_eq!(told.reported_count, whole.reported_count);
        assert_eq!(told.filtered_by, whole.filtered_by);
        assert!(told.reported.len() <= 10 && told.front.len() <= 10);
    }
}

fn pairs() -> impl Iterator<Item = WatchedPosition> {
    ACTORS.iter().flat_map(|actor| {
        TOPICS.iter().map(|topic| WatchedPosition {
            actor: (*actor).to_owned(),
            topic: (*topic).to_owned(),
        })
    })
}

/// What does not depend on when it was asked.
fn timeless(changes: &[WatchPositionsResponse]) -> Vec<WatchPositionsResponse> {
    let timeless = |change: &WatchPositionsResponse| {
        let mut change = change.clone();
        let basis = change.basis.as_mut().expect("a basis");
        assert_eq!(basis.known_at, change.index + 1);
        assert!(basis.ledger_size >= basis.known_at);
        basis.ledger_size = 0;
        basis.root.clear();
        change
    };
    changes.iter().map(timeless).collect()
}

/// Watches from the beginning and holds every change against the oracle's.
async fn hold(ledger: &mut Ledger, terms: &Terms) -> Vec<WatchPositionsResponse> {
    let size = ledger.archive.size;
    let client = &mut ledger.archive.client;
    let mut watched = Watched::new(client, terms.request(0)).await;
    let (told, mark) = watched.until_the_mark().await;
    assert_eq!((mark.size, mark.root.len()), (size, 32));
    let expected = terms.changes(client, size).await;
    let keys = told.iter().map(|change| {
        let (index, pair) = place(change);
        (index, pair.actor, pair.topic)
    });
    let keys: Vec<_> = keys.collect();
    assert!(
        keys.iter().eq(expected.keys()),
        "{terms:?}\n{keys:?}\n{:?}",
        expected.keys()
    );
    for (change, (before, after)) in told.iter().zip(expected.values()) {
        assert_eq!(&Held::before(change), before);
        assert_eq!(&Held::of(change.position.as_ref().unwrap()), after);
        terms.compared(client, change).await;
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_at_every_entry_is_told_on_whatever_terms() {
    let mut kinds = BTreeSet::new();
    let mut told_on: BTreeMap<String, usize> = BTreeMap::new();
    for seed in [1, 2] {
        let mut ledger = Ledger::new(seed).await;
        ledger.grow(STEPS).await;
        ledger.rearrange().await;
        let filtered = |change: fn(&mut PositionFilter, String)| {
            let mut filter = PositionFilter::default();
            change(&mut filter, ledger.second.id());
            Terms {
                filter: Some(filter),
                ..Terms::default()
            }
        };
        for terms in [
            Terms::default(),
            Terms {
                with_parts: Some(true),
                as_of: "2025-08-16",
                ..Terms::default()
            },
            Terms {
                with_parts: Some(false),
                ..Terms::default()
            },
            filtered(|filter, _| filter.publishers = vec!["Agency".to_owned()]),
            filtered(|filter, second| filter.verifiers = vec![second]),
            filtered(|filter, second| filter.coder = second),
            filtered(|filter, _| {
                filter.mandated_only = true;
                filter.attestations_min = 2;
            }),
        ] {
            let told = hold(&mut ledger, &terms).await;
            *told_on.entry(format!("{terms:?}")).or_insert(0) += told.len();
            kinds.extend(told.into_iter().map(|change| change.record_kind));
        }
    }
    assert!(told_on.values().all(|told| *told > 3), "{told_on:?}");
    for kind in [
        "statement_recorded",
        "statement_corrected",
        "statement_retracted",
        "reading_added",
        "actor_defined",
        "mandate_granted",
        "verifier_revoked",
        "attestation_added",
        "source_archived",
    ] {
        assert!(
            kinds.contains(kind),
            "no {kind} changed anything: {kinds:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_resumed_at_any_size_or_within_an_entry_goes_on_where_it_was() {
    let mut ledger = Ledger::new(3).await;
    ledger.grow(STEPS).await;
    let size = ledger.archive.size;
    let client = &mut ledger.archive.client;
    let (all, _) = Watched::new(client, from(0)).await.until_the_mark().await;
    let all = timeless(&all);
    for start in 0..=size {
        let (told, mark) = Watched::new(client, from(start))
            .await
            .until_the_mark()
            .await;
        let rest: Vec<_> = all.iter().filter(|it| it.index >= start).cloned().collect();
        assert_eq!(timeless(&told), rest);
        assert_eq!(mark.size, size);
    }
    for (number, change) in all.iter().enumerate() {
        let (index, pair) = place(change);
        let request = WatchPositionsRequest {
            after: Some(pair),
            ..from(index)
        };
        let (told, _) = Watched::new(client, request).await.until_the_mark().await;
        assert_eq!(timeless(&told), all[number + 1..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_an_actor_or_a_topic_is_told_its_part_of_everything() {
    let mut ledger = Ledger::new(4).await;
    ledger.grow(STEPS).await;
    let client = &mut ledger.archive.client;
    let (all, _) = Watched::new(client, from(0)).await.until_the_mark().await;
    let all = timeless(&all);
    for actor in ACTORS.into_iter().chain([""]) {
        for topic in TOPICS.into_iter().chain([""]) {
            let request = WatchPositionsRequest {
                actor: actor.to_owned(),
                topic: topic.to_owned(),
                ..from(0)
            };
            let (told, _) = Watched::new(client, request).await.until_the_mark().await;
            let wanted = |change: &&WatchPositionsResponse| {
                let (_, pair) = place(change);
                (actor.is_empty() || pair.actor == actor)
                    && (topic.is_empty() || pair.topic == topic)
            };
            let wanted: Vec<_> = all.iter().filter(wanted).cloned().collect();
            assert_eq!(timeless(&told), wanted, "{actor} {topic}");
        }
    }
}
