//! Writes a history down as the records that admission would have let in: definitions name the
//! version that they replace, readings are consistent with their statements. A step that has
//! nothing to touch is left out.

use onrecord::record::ContentId;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{
    self, ActorKind, AnonymityReason, Authority, CapacityBasis, Engagement, Establishes, Polarity,
    ReadingBasis,
};
use prost::Message as _;
use prost_types::Timestamp;

use super::generator::{Capacity, Grant, Judgement, Step, Wording};
use super::visible::Line;
use super::world::{BODIES, CONDITIONS, DATES, GROUP, PERSONS, STATE, TOPICS, somebody};

/// Who signs: the attestor (0), who reads too, as do two coders (1, 2), and a steward.
const ATTESTOR: u8 = 0;
const STEWARD: u8 = 3;

/// The ledger of a history: the world first, then what its steps put on record. Also the
/// size of the world.
pub fn ledger(steps: &[Step]) -> (Vec<Line>, usize) {
    let mut ledger = Ledger::default();
    ledger.found();
    let world = ledger.lines.len();
    for step in steps {
        ledger.take(step);
    }
    (ledger.lines, world)
}

#[derive(Default)]
struct Ledger {
    lines: Vec<Line>,
}

impl Ledger {
    fn push(&mut self, kind: Kind, signer: u8) {
        let record = proto::Record {
            origin: "oracle.invalid/positions".to_owned(),
            signed_at: Some(Timestamp {
                seconds: 1_760_000_000 + i64::try_from(self.lines.len()).unwrap(),
                nanos: 0,
            }),
            kind: Some(kind),
        };
        self.lines.push(Line {
            id: ContentId::of(&record.encode_to_vec()).to_string(),
            signers: vec![signer],
            record,
        });
    }

    fn found(&mut self) {
        self.push(
            Kind::ArchiveFounded(proto::ArchiveFounded::default()),
            STEWARD,
        );
        for topic in TOPICS {
            let defined = proto::TopicDefined {
                topic_id: topic.to_owned(),
                kind: proto::TopicKind::Policy.into(),
                proposition: format!("There should be a {topic}."),
                ..Default::default()
            };
            self.push(Kind::TopicDefined(defined), ATTESTOR);
        }
        self.actor(STATE, ActorKind::State, "");
        self.actor("office", ActorKind::Organization, STATE);
        self.actor("ministry", ActorKind::Organization, STATE);
        for person in PERSONS {
            self.actor(person, ActorKind::Person, "");
        }
        self.actor(GROUP, ActorKind::Group, "");
        for (source, published) in [(0, Some(0)), (1, Some(2)), (2, None)] {
            self.archive(source, published);
        }
        let authorities = [
            Authority::Principal,
            Authority::Spokesperson,
            Authority::Delegate,
            Authority::Affiliated,
        ];
        for (person, authority) in authorities.into_iter().enumerate() {
            let body = if authority == Authority::Delegate {
                2
            } else {
                1
            };
            self.grant(&Grant {
                person,
                body,
                number: false,
                authority,
                topics: u8::from(authority == Authority::Delegate),
                start: None,
                end: None,
            });
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::State(capacity, wording) => {
                let statement = statement(capacity, wording);
                self.push(Kind::StatementRecorded(statement), ATTESTOR);
            }
            Step::Correct(of, wording, by_steward) => self.correct(*of, wording, *by_steward),
            Step::Read(of, judgement, by) => self.read(*of, judgement, *by),
            Step::Retract(of) => self.retract(*of),
            Step::Grant(grant) => self.grant(grant),
            Step::End(of, end) => self.end(*of, *end),
            Step::Move(ministry, into) => {
                let (who, wholes) = if *ministry {
                    ("ministry", ["", STATE, "office"])
                } else {
                    ("office", ["", STATE, ""])
                };
                self.actor(who, ActorKind::Organization, wholes[*into]);
            }
            Step::Archive(source, published) => self.archive(*source, *published),
            Step::Evidence(of, source) => self.further_evidence(*of, *source),
        }
    }

    /// One of the statements that are not retracted, as it was recorded.
    fn standing(&self, number: usize) -> Option<(String, proto::Statement)> {
        let retracted = |id: &str| {
            self.lines
                .iter()
                .any(|line| matches!(line.kind(), Kind::StatementRetracted(r) if r.statement == id))
        };
        let mut standing = Vec::new();
        for line in &self.lines {
            if let Kind::StatementRecorded(statement) = line.kind()
                && !retracted(&line.id)
            {
                standing.push((line.id.clone(), statement.clone()));
            }
        }
        (!standing.is_empty()).then(|| standing.swap_remove(number % standing.len()))
    }

    fn correct(&mut self, of: usize, wording: &Wording, by_steward: bool) {
        let Some((id, first)) = self.standing(of) else {
            return;
        };
        let earlier = self.lines.iter().rev().find_map(|line| match line.kind() {
            Kind::StatementCorrected(other) if other.statement == id => Some(line.id.clone()),
            _ => None,
        });
        let mut corrected = first;
        word(&mut corrected, wording);
        let correction = proto::StatementCorrected {
            corrects: earlier.unwrap_or_else(|| id.clone()),
            statement: id,
            corrected: Some(corrected),
            reason: "a slip".to_owned(),
        };
        let signer = if by_steward { STEWARD } else { ATTESTOR };
        self.push(Kind::StatementCorrected(correction), signer);
    }

    fn read(&mut self, of: usize, judgement: &Judgement, by: u8) {
        let Some((id, statement)) = self.standing(of) else {
            return;
        };
        let added = proto::ReadingAdded {
            statement: id,
            speaker: speaker(&statement).to_owned(),
            said_for: said_for(&statement),
            reading: Some(reading(&statement, judgement)),
            rationale: String::new(),
        };
        self.push(Kind::ReadingAdded(added), by);
    }

    fn retract(&mut self, of: usize) {
        let Some((id, statement)) = self.standing(of) else {
            return;
        };
        let retracted = proto::StatementRetracted {
            statement: id,
            speaker: speaker(&statement).to_owned(),
            said_for: said_for(&statement),
            reason: "fabricated".to_owned(),
        };
        self.push(Kind::StatementRetracted(retracted), ATTESTOR);
    }

    /// Positions rest on a statement's own evidence: this must change nothing.
    fn further_evidence(&mut self, of: usize, source: usize) {
        let Some((id, statement)) = self.standing(of) else {
            return;
        };
        let added = proto::EvidenceAdded {
            statement: id,
            speaker: speaker(&statement).to_owned(),
            said_for: said_for(&statement),
            evidence: vec![proto::Evidence {
                source: source_id(source),
                text_id: source_id(source),
                establishes: vec![Establishes::Words.into()],
                ..Default::default()
            }],
        };
        self.push(Kind::EvidenceAdded(added), ATTESTOR);
    }

    fn grant(&mut self, grant: &Grant) {
        let (person, body) = (PERSONS[grant.person], BODIES[grant.body]);
        let mandate_id = format!("{person}-{body}-{}", u8::from(grant.number));
        let topics = (0..2).filter(|bit| grant.topics & (1 << bit) != 0);
        let granted = proto::MandateGranted {
            replaces: self.newest_mandate(&mandate_id).unwrap_or_default(),
            mandate_id,
            person: person.to_owned(),
            organization: body.to_owned(),
            role_title: "an office".to_owned(),
            authority: grant.authority.into(),
            topics: topics.map(|bit| TOPICS[bit].to_owned()).collect(),
            start: date_text(grant.start),
            end: date_text(grant.end),
            evidence: Vec::new(),
        };
        self.push(Kind::MandateGranted(granted), ATTESTOR);
    }

    fn end(&mut self, of: usize, end: Option<usize>) {
        let granted: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| match line.kind() {
                Kind::MandateGranted(mandate) => Some(mandate.mandate_id.clone()),
                _ => None,
            })
            .collect();
        let mandate_id = granted[of % granted.len()].clone();
        let ended = proto::MandateEnded {
            replaces: self.newest_mandate(&mandate_id).unwrap(),
            mandate_id,
            end: DATES[end.unwrap_or(0)].to_owned(),
            reason: "left".to_owned(),
            evidence: Vec::new(),
        };
        self.push(Kind::MandateEnded(ended), ATTESTOR);
    }

    fn newest_mandate(&self, id: &str) -> Option<String> {
        self.newest(|kind| match kind {
            Kind::MandateGranted(mandate) => mandate.mandate_id == id,
            Kind::MandateEnded(mandate) => mandate.mandate_id == id,
            _ => false,
        })
    }

    fn actor(&mut self, id: &str, kind: ActorKind, part_of: &str) {
        let same = |kind: &Kind| matches!(kind, Kind::ActorDefined(a) if a.actor_id == id);
        let members = if kind == ActorKind::Group {
            BODIES.map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let defined = proto::ActorDefined {
            actor_id: id.to_owned(),
            kind: kind.into(),
            names: vec![proto::LocalizedName {
                language: "en".to_owned(),
                name: id.to_owned(),
            }],
            part_of: part_of.to_owned(),
            members,
            replaces: self.newest(same).unwrap_or_default(),
            ..Default::default()
        };
        self.push(Kind::ActorDefined(defined), ATTESTOR);
    }

    fn archive(&mut self, source: usize, published: Option<usize>) {
        let id = source_id(source);
        let same = |kind: &Kind| matches!(kind, Kind::SourceArchived(s) if s.source == id);
        let archived = proto::SourceArchived {
            replaces: self.newest(same).unwrap_or_default(),
            source: id.clone(),
            media_type: "text/plain".to_owned(),
            published_at: date_text(published),
            // 2025-08-17T12:00:00.5Z and some hours on, a source.
            captured_at: Some(Timestamp {
                seconds: 1_755_432_000 + 7_200 * i64::try_from(source).unwrap(),
                nanos: 500_000_000,
            }),
            role: proto::SourceRole::Secondary.into(),
            profile: "plain-text/1".to_owned(),
            text_id: id,
            ..Default::default()
        };
        self.push(Kind::SourceArchived(archived), ATTESTOR);
    }

    fn newest(&self, fits: impl Fn(&Kind) -> bool) -> Option<String> {
        let newest = self.lines.iter().rev().find(|line| fits(line.kind()));
        newest.map(|line| line.id.clone())
    }
}

fn source_id(number: usize) -> String {
    ContentId::of(&[u8::try_from(number).unwrap()]).to_string()
}

fn date_text(number: Option<usize>) -> String {
    number.map_or_else(String::new, |number| DATES[number].to_owned())
}

fn statement(capacity: &Capacity, wording: &Wording) -> proto::Statement {
    let said_for = (0..3).filter(|bit| capacity.said_for & (1 << bit) != 0);
    let mut statement = proto::Statement {
        said_for: said_for
            .map(|bit| proto::SaidFor {
                actor: BODIES[bit].to_owned(),
                basis: CapacityBasis::Stated.into(),
            })
            .collect(),
        wording: proto::Wording::Paraphrased.into(),
        language: "en".to_owned(),
        text: "What was said.".to_owned(),
        voice: Some(match capacity.speaker {
            Some(number) => Voice::Speaker(somebody(number).to_owned()),
            None => Voice::Anonymous(proto::AnonymousSpeaker {
                description: "an official".to_owned(),
                reason: AnonymityReason::NameWithheld.into(),
            }),
        }),
        ..Default::default()
    };
    word(&mut statement, wording);
    statement
}

/// Gives a statement the dates, sources and readings of a version.
fn word(statement: &mut proto::Statement, wording: &Wording) {
    statement.said_at = date_text(wording.said_at);
    statement.repeated_until = repeated_until(wording);
    let relayed_by = if wording.relayed { "citizen" } else { "" };
    relayed_by.clone_into(&mut statement.relayed_by);
    let mut sources: Vec<usize> = (0..3)
        .filter(|bit| wording.sources & (1 << bit) != 0)
        .collect();
    if sources.is_empty() {
        sources.push(0);
    }
    // The last of several establishes the speaker only.
    let last = sources.len() - 1;
    let evidence = |(place, number): (usize, usize)| proto::Evidence {
        source: source_id(number),
        text_id: source_id(number),
        segments: vec![proto::Segment {
            exact: "What was said.".to_owned(),
            ..Default::default()
        }],
        establishes: if place == last && place > 0 {
            vec![Establishes::Speaker.into()]
        } else {
            vec![Establishes::Words.into(), Establishes::Speaker.into()]
        },
    };
    statement.evidence = sources.into_iter().enumerate().map(evidence).collect();
    let mut readings: Vec<proto::Reading> = Vec::new();
    for judgement in &wording.readings {
        let one = reading(statement, judgement);
        let holder = |r: &proto::Reading| {
            let named = if r.holder.is_empty() {
                speaker(statement)
            } else {
                &r.holder
            };
            (r.topic.clone(), named.to_owned())
        };
        if !readings.iter().any(|other| holder(other) == holder(&one)) {
            readings.push(one);
        }
    }
    statement.readings = readings;
}

/// Left out where it would begin before what it repeats.
fn repeated_until(wording: &Wording) -> String {
    let (Some(said_at), Some(until)) = (wording.said_at, wording.repeated_until) else {
        return String::new();
    };
    let earliest = |number: usize| super::calendar::span(DATES[number]).earliest;
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
    statement
        .said_for
        .iter()
        .map(|of| of.actor.clone())
        .collect()
}

/// A reading that its statement can have: an anonymous one names its holder, own words are
/// the speaker's or an organisation's that it was said for, and only an answer has a stance.
fn reading(statement: &proto::Statement, judgement: &Judgement) -> proto::Reading {
    let speaker = speaker(statement);
    let named = judgement.holder.map_or("", somebody);
    let holder = if speaker.is_empty() && named.is_empty() {
        "office"
    } else {
        named
    };
    let own = speaker.is_empty()
        || holder.is_empty()
        || holder == speaker
        || said_for(statement).iter().any(|body| body == holder);
    let claims_own = matches!(
        judgement.basis,
        ReadingBasis::Unspecified | ReadingBasis::OwnWords
    );
    let basis = if claims_own && !own {
        ReadingBasis::Ascribed
    } else {
        judgement.basis
    };
    let mut reading = proto::Reading {
        topic: TOPICS[usize::from(judgement.topic)].to_owned(),
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

fn conditions(bits: u8) -> Vec<proto::Condition> {
    let chosen = CONDITIONS
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    chosen
        .map(|(_, (id, kind, text))| proto::Condition {
            id: (*id).to_owned(),
            kind: (*kind).into(),
            text: (*text).to_owned(),
        })
        .collect()
}
