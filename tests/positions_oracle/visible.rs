//! What the first `known_at` entries say, read again from the records for every question:
//! actors, mandates, sources, and what was said about a topic.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{self, Authority, Engagement, Establishes, Polarity, ReadingBasis};

use super::calendar::{Span, span};

/// An entry of the ledger, as the oracle takes it. Its index is its place in the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record's content id.
    pub id: String,
    /// Which keys signed it.
    pub signers: Vec<u8>,
    pub record: proto::Record,
}

impl Line {
    pub fn kind(&self) -> &Kind {
        self.record.kind.as_ref().unwrap()
    }
}

/// A stance: polarity, strength (0: not coded), conditions as (id, kind, text).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stance {
    pub polarity: Polarity,
    pub strength: u32,
    pub conditions: Vec<Demand>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    pub id: String,
    pub kind: i32,
    pub text: String,
}

/// A reading that stands, of a statement that is visible.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The index of the `StatementRecorded`.
    pub statement: usize,
    /// The index of the version that stands.
    pub version: usize,
    /// The index of the entry that gave the reading, and its place there.
    pub given_by: usize,
    pub place: usize,
    pub said_at: Span,
    pub repeated_until: Option<Span>,
    /// None if anonymous.
    pub speaker: Option<String>,
    pub said_for: Vec<String>,
    pub relayed: bool,
    pub holder: String,
    pub basis: ReadingBasis,
    /// None if declined or deflected.
    pub stance: Option<Stance>,
}

/// The ledger below `known_at`.
pub struct Visible<'a>(pub &'a [Line]);

impl Visible<'_> {
    /// The newest definition of an actor.
    fn actor(&self, id: &str) -> Option<&proto::ActorDefined> {
        self.0.iter().rev().find_map(|line| match line.kind() {
            Kind::ActorDefined(actor) if actor.actor_id == id => Some(actor),
            _ => None,
        })
    }

    pub fn actor_kind(&self, id: &str) -> Option<proto::ActorKind> {
        self.actor(id).map(proto::ActorDefined::kind)
    }

    /// The actor with everything that is part of it, or part of a part.
    pub fn with_parts(&self, id: &str) -> BTreeSet<String> {
        let mut asked = BTreeSet::from([id.to_owned()]);
        loop {
            let before = asked.len();
            for line in self.0 {
                if let Kind::ActorDefined(defined) = line.kind()
                    && let Some(newest) = self.actor(&defined.actor_id)
                    && asked.contains(&newest.part_of)
                {
                    asked.insert(newest.actor_id.clone());
                }
            }
            if asked.len() == before {
                return asked;
            }
        }
    }

    /// The authorities of the mandates, from `person` for `organization`, that are in force
    /// at `said_at` and cover the topic.
    pub fn mandates(
        &self,
        person: &str,
        organization: &str,
        topic: &str,
        said_at: Span,
    ) -> Vec<Authority> {
        let mut newest: BTreeMap<&str, proto::MandateGranted> = BTreeMap::new();
        for line in self.0 {
            match line.kind() {
                Kind::MandateGranted(mandate) => {
                    newest.insert(&mandate.mandate_id, mandate.clone());
                }
                Kind::MandateEnded(ended) => {
                    let mandate = newest.get_mut(&ended.mandate_id[..]).unwrap();
                    mandate.end.clone_from(&ended.end);
                }
                _ => {}
            }
        }
        let in_force = |mandate: &&proto::MandateGranted| {
            let begun =
                mandate.start.is_empty() || span(&mandate.start).earliest <= said_at.earliest;
            let lasting = mandate.end.is_empty() || said_at.latest <= span(&mandate.end).latest;
            begun && lasting
        };
        newest
            .values()
            .filter(|mandate| mandate.person == person && mandate.organization == organization)
            .filter(|mandate| {
                mandate.topics.is_empty() || mandate.topics.iter().any(|other| other == topic)
            })
            .filter(in_force)
            .map(proto::MandateGranted::authority)
            .collect()
    }

    /// Every reading about `topic` that stands.
    pub fn said(&self, topic: &str) -> Vec<Heard> {
        let mut all = Vec::new();
        for (index, line) in self.0.iter().enumerate() {
            if let Kind::StatementRecorded(first) = line.kind()
                && !self.is_retracted(&line.id)
            {
                let (version, whole) = self.newest_version(index, &line.id, first);
                for (given_by, place, reading) in self.readings(index, version, whole) {
                    if reading.topic == topic {
                        all.push(self.one(index, version, whole, given_by, place, reading));
                    }
                }
            }
        }
        all
    }

    fn is_retracted(&self, statement: &str) -> bool {
        self.0.iter().any(
            |line| matches!(line.kind(), Kind::StatementRetracted(r) if r.statement == statement),
        )
    }

    fn newest_version<'b>(
        &'b self,
        index: usize,
        id: &str,
        first: &'b proto::Statement,
    ) -> (usize, &'b proto::Statement) {
        let mut newest = (index, first);
        for (index, line) in self.0.iter().enumerate() {
            if let Kind::StatementCorrected(correction) = line.kind()
                && correction.statement == id
            {
                newest = (index, correction.corrected.as_ref().unwrap());
            }
        }
        newest
    }

    /// The readings of a statement that stand, one for a topic and holder, with the entry
    /// that gave each and its place there.
    fn readings<'b>(
        &'b self,
        index: usize,
        version: usize,
        whole: &'b proto::Statement,
    ) -> Vec<(usize, usize, &'b proto::Reading)> {
        let recorded = &self.0[index];
        let mut given: Vec<(usize, usize, &proto::Reading)> = Vec::new();
        for (place, reading) in whole.readings.iter().enumerate() {
            given.push((version, place, reading));
        }
        for (at, line) in self.0.iter().enumerate() {
            if let Kind::ReadingAdded(added) = line.kind()
                && added.statement == recorded.id
            {
                given.push((at, 0, added.reading.as_ref().unwrap()));
            }
        }
        let same = |a: &proto::Reading, b: &proto::Reading| {
            a.topic == b.topic && holder(whole, a) == holder(whole, b)
        };
        let stands = |one: &&(usize, usize, &proto::Reading)| {
            !given
                .iter()
                .any(|other| same(one.2, other.2) && (other.0, other.1) > (one.0, one.1))
        };
        given.iter().filter(stands).copied().collect()
    }

    fn one(
        &self,
        statement: usize,
        version: usize,
        whole: &proto::Statement,
        given_by: usize,
        place: usize,
        reading: &proto::Reading,
    ) -> Heard {
        let until = &whole.repeated_until;
        let basis = match reading.basis() {
            ReadingBasis::Unspecified => ReadingBasis::OwnWords,
            named => named,
        };
        Heard {
            statement,
            version,
            given_by,
            place,
            said_at: self.said_at(version, whole),
            repeated_until: (!until.is_empty()).then(|| span(until)),
            speaker: speaker(whole).map(str::to_owned),
            said_for: whole.said_for.iter().map(|of| of.actor.clone()).collect(),
            relayed: !whole.relayed_by.is_empty(),
            holder: holder(whole, reading).to_owned(),
            basis,
            stance: (reading.engagement() == Engagement::Answered).then(|| stance(reading)),
        }
    }

    /// When it was said; without a date, up to the smallest publication, or else capture, of
    /// the sources of its words, as they stood where the version entered the ledger.
    fn said_at(&self, version: usize, whole: &proto::Statement) -> Span {
        if !whole.said_at.is_empty() {
            return span(&whole.said_at);
        }
        let mut published = Vec::new();
        let mut captured = Vec::new();
        for evidence in &whole.evidence {
            let newest = self.0[..version].iter().rev().find_map(|l| match l.kind() {
                Kind::SourceArchived(source) if source.source == evidence.source => Some(source),
                _ => None,
            });
            if let Some(source) = newest
                && evidence
                    .establishes()
                    .any(|what| what == Establishes::Words)
            {
                if !source.published_at.is_empty() {
                    published.push(span(&source.published_at).latest);
                }
                captured.push(source.captured_at.as_ref().unwrap().seconds + 1);
            }
        }
        let latest = *published.iter().min().or(captured.iter().min()).unwrap();
        Span {
            earliest: span("0000").earliest,
            latest,
        }
    }
}

fn speaker(statement: &proto::Statement) -> Option<&str> {
    match statement.voice.as_ref().unwrap() {
        Voice::Speaker(speaker) => Some(speaker),
        Voice::Anonymous(_) => None,
    }
}

fn holder<'a>(statement: &'a proto::Statement, reading: &'a proto::Reading) -> &'a str {
    if reading.holder.is_empty() {
        speaker(statement).unwrap()
    } else {
        &reading.holder
    }
}

fn stance(reading: &proto::Reading) -> Stance {
    let demand = |condition: &proto::Condition| Demand {
        id: condition.id.clone(),
        kind: condition.kind,
        text: condition.text.clone(),
    };
    Stance {
        polarity: reading.polarity(),
        strength: reading.strength,
        conditions: reading.conditions.iter().map(demand).collect(),
    }
}
