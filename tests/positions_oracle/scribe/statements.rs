//! Statements, their versions, evidence and readings.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{
    self, AnonymityReason, CapacityBasis, Engagement, Establishes, Polarity, ReadingBasis,
    ReferenceKind,
};

use super::vouching::pick;
use super::{Ledger, date_text, source_id};
use crate::calendar::span;
use crate::generator::{After, Capacity, Judgement, Kept, Version};
use crate::trust::Known;
use crate::world::{
    ATTESTORS, BODIES, CODERS, CONDITIONS, DATES, SOURCES, STEWARDS, TOPICS, WORDINGS, somebody,
};

/// A statement on record, as it was recorded.
struct Recorded {
    index: usize,
    id: String,
    first: proto::Statement,
}

impl Ledger {
    /// By as many attestors as the policy asks for.
    pub(super) fn state(&mut self, capacity: &Capacity, version: &Version, by: u8) {
        let needed = Known::new(&self.lines).attestations_min(self.lines.len());
        let attestors = self.enrolled(&ATTESTORS);
        let mut signers = pick(&attestors, by);
        for other in &attestors {
            if signers.len() < needed && !signers.contains(other) {
                signers.push(*other);
            }
        }
        if signers.is_empty() || signers.len() < needed {
            return;
        }
        let mut statement = capacity_of(capacity);
        self.word(&mut statement, version);
        statement.readings = self.readings(&statement, &version.readings);
        self.push(Kind::StatementRecorded(statement), &signers);
    }

    /// One of the statements that no retraction which is trusted takes back.
    fn standing(&self, number: usize) -> Option<Recorded> {
        let known = Known::new(&self.lines);
        let is_retracted = |id: &str| {
            let mut lines = self.lines.iter().zip(&known.trusted);
            lines.any(|(line, trusted)| {
                let retracts =
                    matches!(line.kind(), Kind::StatementRetracted(r) if r.statement == id);
                retracts && !trusted.is_empty()
            })
        };
        let mut standing = self.recorded();
        standing.retain(|one| !is_retracted(&one.id));
        (!standing.is_empty()).then(|| standing.swap_remove(number % standing.len()))
    }

    fn recorded(&self) -> Vec<Recorded> {
        let mut all = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if let Kind::StatementRecorded(first) = line.kind() {
                all.push(Recorded {
                    index,
                    id: line.id.clone(),
                    first: first.clone(),
                });
            }
        }
        all
    }

    /// By original signers and stewards.
    fn may_correct(&self, recorded: &Recorded) -> Vec<u8> {
        let mut may = self.original_signers(recorded.index);
        may.extend(STEWARDS);
        self.enrolled(&may)
    }

    pub(super) fn correct(&mut self, of: usize, version: &Version, kept: Kept, by: u8) {
        let Some(recorded) = self.standing(of) else {
            return;
        };
        let signers = pick(&self.may_correct(&recorded), by);
        let Recorded { id, first, .. } = recorded;
        let newest = self.lines.iter().rev().find_map(|line| match line.kind() {
            Kind::StatementCorrected(other) if other.statement == id => {
                Some((line.id.clone(), other.corrected.clone().unwrap()))
            }
            _ => None,
        });
        let (corrects, whole) = newest.unwrap_or_else(|| (id.clone(), first));
        let mut corrected = whole;
        self.word(&mut corrected, version);
        corrected.readings = match kept {
            Kept::All => corrected.readings,
            Kept::None => Vec::new(),
            Kept::Other => self.readings(&corrected, &version.readings),
        };
        let correction = proto::StatementCorrected {
            corrects,
            statement: id,
            corrected: Some(corrected),
            reason: "a slip".to_owned(),
        };
        self.push(Kind::StatementCorrected(correction), &signers);
    }

    pub(super) fn read(&mut self, of: usize, judgement: &Judgement, after: After, by: u8) {
        let coders = pick(&self.enrolled(&CODERS), by);
        let Some(Recorded { id, first, .. }) = self.standing(of) else {
            return;
        };
        if coders.is_empty() {
            return;
        }
        let earlier = self.readings_of(&id);
        let one = |number: usize| earlier.get(number % earlier.len().max(1));
        let mut reading = self.reading(&first, judgement, None);
        match after {
            After::Nothing => {}
            After::Echo(number) => {
                if let Some(earlier) = one(number) {
                    reading = echo(earlier, reading);
                }
            }
            After::Contest(number) => {
                if let Some(earlier) = one(number) {
                    let contested = proto::Reading {
                        topic: earlier.topic.clone(),
                        holder: earlier.holder.clone(),
                        ..Default::default()
                    };
                    reading = self.reading(&first, judgement, Some(&contested));
                }
            }
        }
        let added = proto::ReadingAdded {
            statement: id,
            speaker: speaker(&first).to_owned(),
            said_for: said_for(&first),
            reading: Some(reading),
            rationale: String::new(),
        };
        self.push(Kind::ReadingAdded(added), &coders);
    }

    /// Every reading that a statement was ever given.
    fn readings_of(&self, id: &str) -> Vec<proto::Reading> {
        let mut all = Vec::new();
        for line in &self.lines {
            match line.kind() {
                Kind::StatementRecorded(first) if line.id == id => {
                    all.extend_from_slice(&first.readings);
                }
                Kind::StatementCorrected(correction) if correction.statement == id => {
                    all.extend_from_slice(&correction.corrected.as_ref().unwrap().readings);
                }
                Kind::ReadingAdded(added) if added.statement == id => {
                    all.extend(added.reading.clone());
                }
                _ => {}
            }
        }
        all
    }

    pub(super) fn retract(&mut self, of: usize, by: u8) {
        let Some(recorded) = self.standing(of) else {
            return;
        };
        let signers = pick(&self.may_correct(&recorded), by);
        let retracted = proto::StatementRetracted {
            speaker: speaker(&recorded.first).to_owned(),
            said_for: said_for(&recorded.first),
            statement: recorded.id,
            reason: "fabricated".to_owned(),
        };
        self.push(Kind::StatementRetracted(retracted), &signers);
    }

    pub(super) fn further_evidence(&mut self, of: usize, source: usize, words: bool, by: u8) {
        let attestors = pick(&self.enrolled(&ATTESTORS), by);
        let Some(Recorded { id, first, .. }) = self.standing(of) else {
            return;
        };
        if attestors.is_empty() {
            return;
        }
        let establishes = if words {
            Establishes::Words
        } else {
            Establishes::Speaker
        };
        let added = proto::EvidenceAdded {
            statement: id,
            speaker: speaker(&first).to_owned(),
            said_for: said_for(&first),
            evidence: vec![evidence(source, &[establishes])],
        };
        self.push(Kind::EvidenceAdded(added), &attestors);
    }

    /// Gives a statement the dates, sources and references of a version.
    fn word(&self, statement: &mut proto::Statement, version: &Version) {
        statement.wording = WORDINGS[version.wording].into();
        statement.said_at = date_text(version.said_at);
        statement.repeated_until = repeated_until(version);
        let relayed_by = if version.relayed { "citizen" } else { "" };
        relayed_by.clone_into(&mut statement.relayed_by);
        statement.evidence = sourced(version.sources);
        let recorded = self.recorded();
        let refers_to = version.refers_to.filter(|_| !recorded.is_empty());
        let refers_to = refers_to.map(|(number, is_same)| proto::RefersTo {
            statement: recorded[number % recorded.len()].id.clone(),
            kind: if is_same {
                ReferenceKind::SameUtterance.into()
            } else {
                ReferenceKind::Qualifies.into()
            },
        });
        statement.refers_to = refers_to.into_iter().collect();
    }

    /// One of a topic and holder.
    fn readings(
        &self,
        statement: &proto::Statement,
        judgements: &[Judgement],
    ) -> Vec<proto::Reading> {
        let about = |reading: &proto::Reading| {
            let holder = if reading.holder.is_empty() {
                speaker(statement)
            } else {
                &reading.holder
            };
            (reading.topic.clone(), holder.to_owned())
        };
        let mut readings: Vec<proto::Reading> = Vec::new();
        for judgement in judgements {
            let one = self.reading(statement, judgement, None);
            if !readings.iter().any(|other| about(other) == about(&one)) {
                readings.push(one);
            }
        }
        readings
    }

    /// A reading that its statement can have: an anonymous one names its holder, own words are
    /// the speaker's or an organisation's that it was said for, and only an answer has a
    /// stance. Topic and holder may be another's.
    fn reading(
        &self,
        statement: &proto::Statement,
        judgement: &Judgement,
        contested: Option<&proto::Reading>,
    ) -> proto::Reading {
        let speaker = speaker(statement);
        let named = judgement.holder.map_or("", somebody);
        let own = TOPICS[usize::from(judgement.topic)];
        let (topic, holder) = match contested {
            Some(other) => (&other.topic[..], &other.holder[..]),
            None if speaker.is_empty() && named.is_empty() => (own, "office"),
            None => (own, named),
        };
        let are_own = speaker.is_empty()
            || holder.is_empty()
            || holder == speaker
            || said_for(statement).iter().any(|body| body == holder);
        let basis = if is_own(judgement.basis) && !are_own {
            ReadingBasis::Ascribed
        } else {
            judgement.basis
        };
        let mut reading = proto::Reading {
            topic: topic.to_owned(),
            codebook: self.codebook(topic, judgement.codebook),
            holder: holder.to_owned(),
            basis: basis.into(),
            engagement: judgement.engagement.into(),
            ..Default::default()
        };
        if judgement.engagement == Engagement::Answered {
            reading.polarity = judgement.polarity.into();
            if judgement.polarity != Polarity::NoPosition {
                reading.strength = judgement.strength;
                reading.conditions = conditions(judgement.conditions);
            }
        }
        reading
    }

    /// One of the versions of a topic, or none in particular.
    fn codebook(&self, topic: &str, number: Option<usize>) -> String {
        let versions: Vec<&String> = self
            .lines
            .iter()
            .filter(|line| matches!(line.kind(), Kind::TopicDefined(t) if t.topic_id == topic))
            .map(|line| &line.id)
            .collect();
        number.map_or_else(String::new, |number| {
            versions[number % versions.len()].clone()
        })
    }
}

fn is_own(basis: ReadingBasis) -> bool {
    matches!(basis, ReadingBasis::Unspecified | ReadingBasis::OwnWords)
}

/// What another reading says, as the reader of `reading` may write it: the conditions in other
/// words and the other way round, by the same codebook version or another.
fn echo(earlier: &proto::Reading, reading: proto::Reading) -> proto::Reading {
    let mut echo = earlier.clone();
    echo.conditions.reverse();
    for condition in &mut echo.conditions {
        if !condition.id.is_empty() {
            condition.text = format!("{}, as it were", condition.text);
        }
    }
    if reading.topic == echo.topic {
        echo.codebook = reading.codebook;
    }
    if is_own(earlier.basis()) && is_own(ReadingBasis::try_from(reading.basis).unwrap()) {
        echo.basis = reading.basis;
    }
    echo
}

/// Who speaks, and for whom.
fn capacity_of(capacity: &Capacity) -> proto::Statement {
    let said_for = (0..3).filter(|bit| capacity.said_for & (1 << bit) != 0);
    proto::Statement {
        said_for: said_for
            .map(|bit| proto::SaidFor {
                actor: BODIES[bit].to_owned(),
                basis: CapacityBasis::Stated.into(),
            })
            .collect(),
        language: "en".to_owned(),
        spoken_language: "en".to_owned(),
        text: "What was said.".to_owned(),
        voice: Some(match capacity.speaker {
            Some(number) => Voice::Speaker(somebody(number).to_owned()),
            None => Voice::Anonymous(proto::AnonymousSpeaker {
                description: "an official".to_owned(),
                reason: AnonymityReason::NameWithheld.into(),
            }),
        }),
        ..Default::default()
    }
}

/// The last of several sources establishes the speaker only.
fn sourced(bits: u8) -> Vec<proto::Evidence> {
    let named = (0..SOURCES).filter(|bit| bits & (1 << bit) != 0);
    let mut sources: Vec<usize> = named.collect();
    if sources.is_empty() {
        sources.push(0);
    }
    let last = sources.len() - 1;
    let places = sources.into_iter().enumerate();
    let evidence = |(place, source)| {
        if place == last && place > 0 {
            evidence(source, &[Establishes::Speaker])
        } else {
            evidence(source, &[Establishes::Words, Establishes::Speaker])
        }
    };
    places.map(evidence).collect()
}

fn evidence(source: usize, establishes: &[Establishes]) -> proto::Evidence {
    proto::Evidence {
        source: source_id(source),
        text_id: source_id(source),
        segments: vec![proto::Segment {
            exact: "What was said.".to_owned(),
            ..Default::default()
        }],
        establishes: establishes.iter().map(|what| i32::from(*what)).collect(),
    }
}

/// Left out where it would begin before what it repeats.
fn repeated_until(version: &Version) -> String {
    let (Some(said_at), Some(until)) = (version.said_at, version.repeated_until) else {
        return String::new();
    };
    let earliest = |number: usize| span(DATES[number]).earliest;
    if earliest(until) < earliest(said_at) {
        return String::new();
    }
    DATES[until].to_owned()
}

fn speaker(statement: &proto::Statement) -> &str {
    match &statement.voice {
        Some(Voice::Speaker(speaker)) => speaker,
        _ => "",
    }
}

fn said_for(statement: &proto::Statement) -> Vec<String> {
    let all = statement.said_for.iter();
    all.map(|of| of.actor.clone()).collect()
}

/// Each condition once, whatever its words.
fn conditions(bits: u8) -> Vec<proto::Condition> {
    let mut conditions: Vec<proto::Condition> = Vec::new();
    for (bit, (id, kind, text)) in CONDITIONS.iter().enumerate() {
        let condition = proto::Condition {
            id: (*id).to_owned(),
            kind: (*kind).into(),
            text: (*text).to_owned(),
        };
        let same = |other: &proto::Condition| {
            !id.is_empty() && other.id == *id && other.kind == condition.kind
        };
        if bits & (1 << bit) != 0 && !conditions.iter().any(same) {
            conditions.push(condition);
        }
    }
    conditions
}
