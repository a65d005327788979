//! Random histories: a small world of actors who speak on two topics, and what is put on
//! record about it, in any order. Every step names what it touches by a number, so that a
//! history stays meaningful when proptest takes steps away; a step that has nothing to touch
//! is left out.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{
    self, ActorKind, AnonymityReason, Authority, CapacityBasis, ConditionKind, Engagement,
    Establishes, Polarity, ReadingBasis,
};
use onrecord::record::{ContentId, SigningKey};
use prost::Message as _;
use proptest::prelude::*;
use prost_types::Timestamp;

use super::visible::Line;

pub const TOPICS: [&str; 2] = ["meeting", "ceasefire"];
pub const STATE: &str = "state";
pub const BODIES: [&str; 3] = [STATE, "office", "ministry"];
pub const PERSONS: [&str; 5] = ["leader", "spokesman", "envoy", "scholar", "citizen"];
pub const GROUP: &str = "capitals";
/// The dates of milestones, of every width.
pub const MILESTONES: [&str; 4] = [
    "2025-08-15",
    "2025-08-15T10:00:00Z",
    "2025-08",
    "[2025-08-12..2025-08-16]",
];

const DATES: [&str; 20] = [
    "2025-08-15",
    "2025-08-10",
    "2025-08-12",
    "2025-08-16",
    "2025-08-19",
    "2025-08-22",
    "2025-08-11",
    "2025-08",
    "2025-07",
    "2025",
    "2025-08-XX",
    "2025-08-1X",
    "[2025-08-12..2025-08-16]",
    "[2025-08-10..2025-08-12]",
    "[..2025-08-15]",
    "[..2025-08-10]",
    "2025-08-15T10:00:00Z",
    "2025-08-15T10:00:01Z",
    "2025-08-15T13:00:00+03:00",
    "2025-08-16T00:30:00+03:00",
];

const CONDITIONS: [(&str, ConditionKind, &str); 6] = [
    ("prepared", ConditionKind::OnlyIf, "prepared with care"),
    ("prepared", ConditionKind::Unless, "prepared with care"),
    ("moscow", ConditionKind::OnlyIf, "in Moscow"),
    ("", ConditionKind::OnlyIf, "in Moscow"),
    ("", ConditionKind::OnlyIf, "with agreed results"),
    ("", ConditionKind::After, "with agreed results"),
];

/// Keys: the attestor's, two coders', a steward's.
const ATTESTOR: u8 = 0;
const STEWARD: u8 = 3;

/// A step of a history.
#[derive(Clone, Debug)]
pub enum Step {
    State(Capacity, Wording),
    Correct(usize, Wording, bool),
    Read(usize, Judgement, u8),
    Retract(usize),
    Grant(Grant),
    End(usize, Option<usize>),
    Move(bool, usize),
    Archive(usize, Option<usize>),
}

/// Who speaks, and for whom.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// A person, a body, or nobody.
    speaker: Option<usize>,
    /// One bit a body.
    said_for: u8,
}

/// What a version of a statement says.
#[derive(Clone, Debug)]
pub struct Wording {
    said_at: Option<usize>,
    repeated_until: Option<usize>,
    relayed: bool,
    sources: u8,
    readings: Vec<Judgement>,
}

/// A reading, to be made consistent with its statement.
#[derive(Clone, Debug)]
pub struct Judgement {
    topic: bool,
    holder: Option<usize>,
    basis: ReadingBasis,
    engagement: Engagement,
    polarity: Polarity,
    strength: u32,
    /// One bit a condition.
    conditions: u8,
}

/// A mandate, which replaces the one of the same person, body and number.
#[derive(Clone, Debug)]
pub struct Grant {
    person: usize,
    body: usize,
    number: bool,
    authority: Authority,
    topics: u8,
    start: Option<usize>,
    end: Option<usize>,
}

/// A history of at most `steps_max` steps.
pub fn history(steps_max: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..=steps_max)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (capacity(), wording()).prop_map(|(c, w)| Step::State(c, w)),
        3 => (any::<usize>(), wording(), any::<bool>())
            .prop_map(|(of, w, by)| Step::Correct(of, w, by)),
        3 => (any::<usize>(), judgement(), 0..3_u8).prop_map(|(of, r, by)| Step::Read(of, r, by)),
        1 => any::<usize>().prop_map(Step::Retract),
        3 => grant().prop_map(Step::Grant),
        1 => (any::<usize>(), date()).prop_map(|(of, end)| Step::End(of, end)),
        1 => (any::<bool>(), 0..3_usize).prop_map(|(which, into)| Step::Move(which, into)),
        1 => (0..3_usize, date()).prop_map(|(source, published)| Step::Archive(source, published)),
    ]
}

fn capacity() -> impl Strategy<Value = Capacity> {
    let speaker = prop_oneof![
        8 => (0..5_usize).prop_map(Some),
        2 => (5..8_usize).prop_map(Some),
        1 => Just(None),
    ];
    let said_for = prop_oneof![
        1 => Just(0),
        4 => Just(2),
        1 => Just(4),
        2 => 0..8_u8,
    ];
    (speaker, said_for).prop_map(|(speaker, said_for)| Capacity { speaker, said_for })
}

fn wording() -> impl Strategy<Value = Wording> {
    let seldom = prop_oneof![
        4 => Just(None),
        1 => (0..DATES.len()).prop_map(Some),
    ];
    let readings = proptest::collection::vec(judgement(), 1..=3);
    (date(), seldom, 0..8_u8, 0..8_u8, readings).prop_map(
        |(said_at, repeated_until, relayed, sources, readings)| Wording {
            said_at,
            repeated_until,
            relayed: relayed == 7,
            sources,
            readings,
        },
    )
}

fn date() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![
        6 => (0..DATES.len()).prop_map(Some),
        1 => Just(None),
    ]
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let holder = prop_oneof![
        3 => Just(None),
        2 => (0..9_usize).prop_map(Some),
    ];
    let basis = prop_oneof![
        3 => Just(ReadingBasis::Unspecified),
        4 => Just(ReadingBasis::OwnWords),
        1 => prop_oneof![
            Just(ReadingBasis::Relayed),
            Just(ReadingBasis::Ascribed),
            Just(ReadingBasis::Conduct),
            Just(ReadingBasis::Survey),
        ],
    ];
    let engagement = prop_oneof![
        6 => Just(Engagement::Answered),
        1 => Just(Engagement::Declined),
        1 => Just(Engagement::Deflected),
    ];
    let polarity = prop_oneof![
        Just(Polarity::Supports),
        Just(Polarity::Open),
        Just(Polarity::Opposes),
        Just(Polarity::Mixed),
        Just(Polarity::NoPosition),
    ];
    let conditions = prop_oneof![
        2 => Just(0),
        1 => (0..6_u8).prop_map(|bit| 1 << bit),
        1 => 0..64_u8,
    ];
    let topic = proptest::bool::weighted(0.25);
    (topic, holder, basis, engagement, polarity, 0..4_u32, conditions).prop_map(
        |(topic, holder, basis, engagement, polarity, strength, conditions)| Judgement {
            topic,
            holder,
            basis,
            engagement,
            polarity,
            strength,
            conditions,
        },
    )
}

fn grant() -> impl Strategy<Value = Grant> {
    let authority = prop_oneof![
        Just(Authority::Principal),
        Just(Authority::Spokesperson),
        Just(Authority::Delegate),
        Just(Authority::Affiliated),
    ];
    (
        0..5_usize,
        0..3_usize,
        any::<bool>(),
        authority,
        0..4_u8,
        date(),
        date(),
    )
        .prop_map(
            |(person, body, number, authority, topics, start, end)| Grant {
                person,
                body,
                number,
                authority,
                topics,
                start,
                end,
            },
        )
}

/// The keys, by number.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number + 1; 32])
}

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
        self.push(Kind::ArchiveFounded(proto::ArchiveFounded::default()), STEWARD);
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
            let body = if authority == Authority::Delegate { 2 } else { 1 };
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
        }
    }

    /// One of the statements that are not retracted, as it was recorded.
    fn standing(&self, number: usize) -> Option<(String, proto::Statement)> {
        let retracted = |id: &str| {
            self.lines.iter().any(
                |line| matches!(line.kind(), Kind::StatementRetracted(r) if r.statement == id),
            )
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

/// Everybody who may be named as a holder or speaker: persons, bodies, the group.
fn somebody(number: usize) -> &'static str {
    match number {
        0..5 => PERSONS[number],
        5..8 => BODIES[number - 5],
        _ => GROUP,
    }
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
    statement.relayed_by = if wording.relayed { "citizen" } else { "" }.to_owned();
    let mut sources: Vec<usize> = (0..3).filter(|bit| wording.sources & (1 << bit) != 0).collect();
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
            let named = if r.holder.is_empty() { speaker(statement) } else { &r.holder };
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
    statement.said_for.iter().map(|of| of.actor.clone()).collect()
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
    let chosen = CONDITIONS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
    chosen
        .map(|(_, (id, kind, text))| proto::Condition {
            id: (*id).to_owned(),
            kind: (*kind).into(),
            text: (*text).to_owned(),
        })
        .collect()
}
