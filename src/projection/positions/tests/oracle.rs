//! What bears on a question, by reading the whole ledger below the basis, record by record.
//! Slow and obvious; shares nothing with the fold but the types.

use std::collections::{BTreeMap, BTreeSet};

use crate::position::{Authority, Testimony};
use crate::projection::fixtures::{Script, slug, speaker};
use crate::record::proto::record::Kind;
use crate::record::{Basis, Date, Engagement, Entry, Interval, Micros, Polarity, Stance, proto};

/// The ledger below a basis.
pub(super) struct Oracle<'a> {
    script: &'a Script,
    entries: &'a [Entry],
}

/// A reading with the entry that gave it and its place there.
type Given = (u64, u32, proto::Reading);

impl<'a> Oracle<'a> {
    pub(super) fn new(script: &'a Script, known_at: u64) -> Self {
        let entries = &script.entries[..usize::try_from(known_at).unwrap()];
        Self { script, entries }
    }

    /// What bears on the question; none if the actor is unknown.
    pub(super) fn testimonies(
        &self,
        actor: &str,
        topic: &str,
        with_parts: Option<bool>,
    ) -> Option<Vec<Testimony>> {
        let kind = self.actors().get(actor)?.0;
        let parts = with_parts.unwrap_or(kind == i32::from(proto::ActorKind::State));
        let asked = if parts {
            self.with_parts(actor)
        } else {
            BTreeSet::from([actor.to_owned()])
        };
        let mut found = vec![];
        for entry in self.entries {
            if matches!(entry.record.kind, Some(Kind::StatementRecorded(_))) {
                self.testimonies_of(entry, &asked, topic, &mut found);
            }
        }
        Some(found)
    }

    fn testimonies_of(
        &self,
        introduced: &Entry,
        asked: &BTreeSet<String>,
        topic: &str,
        found: &mut Vec<Testimony>,
    ) {
        let id = introduced.record_id.to_string();
        let mut version = introduced.index;
        let mut statement = self.script.statement(introduced.index);
        let mut coded: Vec<Given> = vec![];
        for entry in self.entries {
            match &entry.record.kind {
                Some(Kind::StatementRetracted(it)) if it.statement == id => return,
                Some(Kind::StatementCorrected(it)) if it.statement == id => {
                    version = entry.index;
                    statement = it.corrected.clone().unwrap();
                }
                Some(Kind::ReadingAdded(it)) if it.statement == id => {
                    coded.push((entry.index, 0, it.reading.clone().unwrap()));
                }
                _ => {}
            }
        }
        let spoke = speaker(&statement);
        let bodies: Vec<&String> = statement.said_for.iter().map(|it| &it.actor).collect();
        let own = (0..).zip(statement.readings.clone());
        let mut given: Vec<Given> = own.map(|(place, it)| (version, place, it)).collect();
        given.extend(coded);
        let holder = |reading: &proto::Reading| {
            let named = !reading.holder.is_empty();
            if named {
                reading.holder.clone()
            } else {
                spoke.clone()
            }
        };
        for (given_by, place, reading) in &given {
            let rival = |other: &&Given| {
                other.2.topic == reading.topic && holder(&other.2) == holder(reading)
            };
            let newest = given.iter().filter(rival).map(|other| other.0).max();
            let holder = holder(reading);
            let for_asked = holder == spoke && bodies.iter().any(|body| asked.contains(*body));
            let bears = asked.contains(&holder) || for_asked;
            if reading.topic != topic || newest != Some(*given_by) || !bears {
                continue;
            }
            let said_at = self.said_at(&statement, version);
            let through = bodies.iter().copied().chain([&holder]);
            let through: BTreeSet<&String> = through.filter(|it| asked.contains(*it)).collect();
            let authority = if asked.contains(&spoke) {
                Authority::Principal
            } else {
                let of = |body: &&String| self.authority(&spoke, body, topic, said_at);
                through.iter().map(of).max().unwrap()
            };
            found.push(Testimony {
                statement: introduced.index,
                version,
                given_by: *given_by,
                place: *place,
                speaker: (!spoke.is_empty()).then(|| slug(&spoke)),
                holder: slug(&holder),
                authority,
                said_at,
                repeated_until: interval(&statement.repeated_until),
                basis: match reading.basis() {
                    proto::ReadingBasis::Relayed => Basis::Relayed,
                    proto::ReadingBasis::OwnWords | proto::ReadingBasis::Unspecified => {
                        Basis::OwnWords
                    }
                    other => panic!("not in these histories: {other:?}"),
                },
                relayed: !statement.relayed_by.is_empty(),
                engagement: engagement(reading),
            });
        }
        found.sort_by_key(|it| (it.statement, it.version, it.given_by, it.place));
    }

    /// Every actor's kind and what it is part of.
    fn actors(&self) -> BTreeMap<String, (i32, String)> {
        let mut actors = BTreeMap::new();
        for entry in self.entries {
            if let Some(Kind::ActorDefined(it)) = &entry.record.kind {
                actors.insert(it.actor_id.clone(), (it.kind, it.part_of.clone()));
            }
        }
        actors
    }

    fn with_parts(&self, actor: &str) -> BTreeSet<String> {
        let actors = self.actors();
        let mut found = BTreeSet::from([actor.to_owned()]);
        for _ in 0..actors.len() {
            for (id, (_, whole)) in &actors {
                if found.contains(whole) {
                    found.insert(id.clone());
                }
            }
        }
        found
    }

    fn authority(&self, person: &str, body: &str, topic: &str, said: Interval) -> Authority {
        let mut mandates: BTreeMap<&str, proto::MandateGranted> = BTreeMap::new();
        for entry in self.entries {
            match &entry.record.kind {
                Some(Kind::MandateGranted(it)) => {
                    mandates.insert(&it.mandate_id, it.clone());
                }
                Some(Kind::MandateEnded(it)) => {
                    mandates.get_mut(&it.mandate_id[..]).unwrap().end = it.end.clone();
                }
                _ => {}
            }
        }
        let in_force = |it: &&proto::MandateGranted| {
            it.person == person
                && it.organization == body
                && (it.topics.is_empty() || it.topics.iter().any(|covered| covered == topic))
                && interval(&it.start).is_none_or(|start| start.earliest <= said.earliest)
                && interval(&it.end).is_none_or(|end| end.latest >= said.latest)
        };
        let rank = |it: &proto::MandateGranted| match it.authority() {
            proto::Authority::Principal => Authority::Principal,
            proto::Authority::Spokesperson => Authority::Spokesperson,
            proto::Authority::Delegate => Authority::Delegate,
            proto::Authority::Affiliated => Authority::Affiliated,
            proto::Authority::Unspecified => panic!("a mandate without authority"),
        };
        let ranks = mandates.values().filter(in_force).map(rank);
        ranks.max().unwrap_or(Authority::None)
    }

    fn said_at(&self, statement: &proto::Statement, version: u64) -> Interval {
        if let Some(said_at) = interval(&statement.said_at) {
            return said_at;
        }
        let mut published = vec![];
        let mut captured = vec![];
        for evidence in &statement.evidence {
            let below = self.entries.iter().filter(|entry| entry.index < version);
            let newest = below.rev().find_map(|entry| match &entry.record.kind {
                Some(Kind::SourceArchived(it)) if it.source == evidence.source => Some(it),
                _ => None,
            });
            let source = newest.unwrap();
            published.extend(interval(&source.published_at).map(|it| it.latest));
            let at = Micros::from_timestamp(&source.captured_at.unwrap()).unwrap();
            captured.push(at.whole_seconds() + 1);
        }
        let bounds = if published.is_empty() {
            captured
        } else {
            published
        };
        Interval {
            earliest: Interval::ALL.earliest,
            latest: bounds.into_iter().min().unwrap(),
        }
    }
}

fn interval(date: &str) -> Option<Interval> {
    (!date.is_empty()).then(|| date.parse::<Date>().unwrap().interval())
}

fn engagement(reading: &proto::Reading) -> Engagement {
    let polarity = match reading.polarity() {
        proto::Polarity::Supports => Polarity::Supports,
        proto::Polarity::Open => Polarity::Open,
        proto::Polarity::Opposes => Polarity::Opposes,
        proto::Polarity::Mixed => Polarity::Mixed,
        proto::Polarity::NoPosition | proto::Polarity::Unspecified => Polarity::NoPosition,
    };
    match reading.engagement() {
        proto::Engagement::Answered => Engagement::Answered(Stance {
            polarity,
            strength: None,
            conditions: vec![],
        }),
        proto::Engagement::Declined => Engagement::Declined,
        _ => Engagement::Deflected,
    }
}
