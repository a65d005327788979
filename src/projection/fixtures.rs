//! What the tests of this room start from: scripts of records as admission would let them in,
//! and random histories of them.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use crate::fold::{Digest, Fold, MemoryTables};
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::record::{ContentId, Entry, Micros, SigningKey, Slug, proto};

/// 2025-09-01T00:00:00Z, when every source was captured unless it says otherwise.
pub(super) const CAPTURED: i64 = 1_756_684_800;

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// The public key that goes by a small number.
pub(super) fn key(signer: u8) -> [u8; 32] {
    *SigningKey::from_seed([signer; 32]).public().as_bytes()
}

/// A ledger in the making.
#[derive(Clone, Default)]
pub(super) struct Script {
    pub(super) entries: Vec<Entry>,
}

impl Script {
    /// Appends a record that these verifiers sign. Gives its index.
    pub(super) fn put(&mut self, signers: &[u8], kind: Kind) -> u64 {
        let index = self.entries.len() as u64;
        let record = proto::Record {
            origin: "example.org/archive".to_owned(),
            signed_at: Some(Micros(i64::try_from(index).unwrap()).to_timestamp()),
            kind: Some(kind),
        };
        let payload = Bytes::from(record.encode_to_vec());
        let sign = |signer: &u8| proto::Signature {
            public_key: Bytes::copy_from_slice(&key(*signer)),
            signature: Bytes::new(),
        };
        let envelope = proto::Envelope {
            payload: payload.clone(),
            signatures: signers.iter().map(sign).collect(),
        };
        let recorded_at = Micros(i64::try_from(index).unwrap() * 1000);
        let id = ContentId::of(&payload);
        self.entries
            .push(Entry::new(index, recorded_at, id, record, envelope));
        index
    }

    /// The id of the record at `index`.
    pub(super) fn id(&self, index: u64) -> ContentId {
        self.entries[usize::try_from(index).unwrap()].record_id
    }

    pub(super) fn actor(&mut self, id: &str, kind: proto::ActorKind, part_of: &str) -> u64 {
        self.put(
            &[1],
            Kind::ActorDefined(proto::ActorDefined {
                actor_id: id.to_owned(),
                kind: kind.into(),
                part_of: part_of.to_owned(),
                ..proto::ActorDefined::default()
            }),
        )
    }

    /// Grants a mandate named after person and organisation, from and to these dates.
    pub(super) fn mandate(
        &mut self,
        person: &str,
        organization: &str,
        authority: proto::Authority,
        topics: &[&str],
        (start, end): (&str, &str),
    ) -> u64 {
        self.put(
            &[1],
            Kind::MandateGranted(proto::MandateGranted {
                mandate_id: format!("{person}-{organization}"),
                person: person.to_owned(),
                organization: organization.to_owned(),
                authority: authority.into(),
                topics: topics.iter().map(ToString::to_string).collect(),
                start: start.to_owned(),
                end: end.to_owned(),
                ..proto::MandateGranted::default()
            }),
        )
    }

    pub(super) fn end_mandate(&mut self, id: &str, end: &str) -> u64 {
        self.put(
            &[1],
            Kind::MandateEnded(proto::MandateEnded {
                mandate_id: id.to_owned(),
                end: end.to_owned(),
                ..proto::MandateEnded::default()
            }),
        )
    }

    /// Archives the source that goes by a name.
    pub(super) fn source(&mut self, name: &str, published_at: &str, captured: i64) -> u64 {
        self.put(
            &[1],
            Kind::SourceArchived(proto::SourceArchived {
                source: source_id(name),
                published_at: published_at.to_owned(),
                captured_at: Some(Micros(captured * 1_000_000).to_timestamp()),
                ..proto::SourceArchived::default()
            }),
        )
    }

    pub(super) fn record(&mut self, statement: proto::Statement) -> u64 {
        self.put(&[1], Kind::StatementRecorded(statement))
    }

    /// Corrects the statement that entry `introduced` introduced.
    pub(super) fn correct(&mut self, introduced: u64, corrected: proto::Statement) -> u64 {
        let statement = self.id(introduced).to_string();
        self.put(
            &[1],
            Kind::StatementCorrected(proto::StatementCorrected {
                statement,
                corrected: Some(corrected),
                ..proto::StatementCorrected::default()
            }),
        )
    }

    pub(super) fn retract(&mut self, introduced: u64) -> u64 {
        let statement = self.id(introduced).to_string();
        self.put(
            &[1],
            Kind::StatementRetracted(proto::StatementRetracted {
                statement,
                ..proto::StatementRetracted::default()
            }),
        )
    }

    /// Adds a coder's reading of the statement that entry `introduced` introduced.
    pub(super) fn read(&mut self, coders: &[u8], introduced: u64, reading: proto::Reading) -> u64 {
        let statement = self.id(introduced).to_string();
        let speaker = match self.statement(introduced).voice {
            Some(Voice::Speaker(speaker)) => speaker,
            _ => String::new(),
        };
        self.put(
            coders,
            Kind::ReadingAdded(proto::ReadingAdded {
                statement,
                speaker,
                reading: Some(reading),
                ..proto::ReadingAdded::default()
            }),
        )
    }

    /// The statement as entry `introduced` introduced it.
    pub(super) fn statement(&self, introduced: u64) -> proto::Statement {
        let entry = &self.entries[usize::try_from(introduced).unwrap()];
        match &entry.record.kind {
            Some(Kind::StatementRecorded(statement)) => statement.clone(),
            other => panic!("entry {introduced} introduces no statement: {other:?}"),
        }
    }

    /// The tables and digest after the first `size` entries.
    pub(super) fn fold(&self, fold: &dyn Fold, size: usize) -> (MemoryTables, Digest) {
        let mut tables = MemoryTables::default();
        let mut digest = Digest::start(fold.name(), fold.version());
        for entry in &self.entries[..size] {
            let changes = fold.fold(&tables, entry).unwrap();
            digest = digest.after(entry.index, &changes);
            tables.apply(changes);
        }
        (tables, digest)
    }

    /// The tables after all entries.
    pub(super) fn tables(&self, fold: &dyn Fold) -> MemoryTables {
        self.fold(fold, self.entries.len()).0
    }
}

/// The id of the source that goes by a name.
pub(super) fn source_id(name: &str) -> String {
    ContentId::of(name.as_bytes()).to_string()
}

/// Words by `speaker` (nobody named if that is empty) for these organisations, from source
/// "a", with these readings.
pub(super) fn statement(
    speaker: &str,
    said_for: &[&str],
    said_at: &str,
    readings: Vec<proto::Reading>,
) -> proto::Statement {
    let body = |actor: &&str| proto::SaidFor {
        actor: (*actor).to_owned(),
        basis: proto::CapacityBasis::Stated.into(),
    };
    let voice = if speaker.is_empty() {
        Voice::Anonymous(proto::AnonymousSpeaker::default())
    } else {
        Voice::Speaker(speaker.to_owned())
    };
    proto::Statement {
        said_for: said_for.iter().map(body).collect(),
        said_at: said_at.to_owned(),
        evidence: vec![words("a")],
        readings,
        voice: Some(voice),
        ..proto::Statement::default()
    }
}

/// Evidence from the source that goes by a name, for the words.
pub(super) fn words(source: &str) -> proto::Evidence {
    proto::Evidence {
        source: source_id(source),
        establishes: vec![
            proto::Establishes::Speaker.into(),
            proto::Establishes::Words.into(),
        ],
        ..proto::Evidence::default()
    }
}

/// An answer on `topic`, the stance being `holder`'s (the speaker's if that is empty).
pub(super) fn answer(topic: &str, holder: &str, polarity: proto::Polarity) -> proto::Reading {
    proto::Reading {
        topic: topic.to_owned(),
        holder: holder.to_owned(),
        engagement: proto::Engagement::Answered.into(),
        polarity: polarity.into(),
        ..proto::Reading::default()
    }
}

/// The actors of random histories.
pub(super) const ACTORS: [(&str, proto::ActorKind); 7] = [
    ("state", proto::ActorKind::State),
    ("palace", proto::ActorKind::Organization),
    ("ministry", proto::ActorKind::Organization),
    ("office", proto::ActorKind::Organization),
    ("head", proto::ActorKind::Person),
    ("aide", proto::ActorKind::Person),
    ("public", proto::ActorKind::Population),
];

/// The topics of random histories.
pub(super) const TOPICS: [&str; 2] = ["meeting", "meeting-place"];

const PEOPLE: [&str; 2] = ["head", "aide"];
const BODIES: [&str; 4] = ["state", "palace", "ministry", "office"];
const SPEAKERS: [&str; 4] = ["head", "aide", "ministry", ""];
const DATES: [&str; 5] = [
    "",
    "2025-08-15",
    "2025-08",
    "2025-08-20T10:00:00Z",
    "[2025-08-10..2025-08-18]",
];

/// One step of a random history. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Part(usize, usize),
    Grant(usize, usize, i32, usize, usize, bool),
    End(usize, usize),
    Archive(bool, usize, i64),
    Say(Words),
    Correct(usize, Words),
    Retract(usize),
    Read(usize, u8, Reading),
}

#[derive(Clone, Debug)]
struct Words {
    speaker: usize,
    said_for: u8,
    said_at: usize,
    repeated: bool,
    relayed: bool,
    both_sources: bool,
    readings: Vec<Reading>,
}

#[derive(Clone, Debug)]
struct Reading {
    topic: usize,
    holder: usize,
    basis: i32,
    engagement: i32,
    polarity: i32,
}

/// A random history of some ten to forty records.
pub(super) fn history() -> impl Strategy<Value = Script> {
    prop::collection::vec(step(), 1..28).prop_map(|steps| {
        let mut script = Script::default();
        for (id, kind) in ACTORS {
            let whole = if kind == proto::ActorKind::Organization { "state" } else { "" };
            script.actor(id, kind, whole);
        }
        script.source("a", "2025-08-25", CAPTURED);
        script.source("b", "", CAPTURED - 86_400);
        for step in steps {
            take(&mut script, step);
        }
        script
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..3_usize, 0..4_usize).prop_map(|(part, whole)| Step::Part(part, whole)),
        2 => (0..2_usize, 0..4_usize, 1..5, 0..5_usize, 0..5_usize, any::<bool>())
            .prop_map(|(p, o, a, s, e, t)| Step::Grant(p, o, a, s, e, t)),
        1 => (any::<usize>(), 1..5_usize).prop_map(|(mandate, end)| Step::End(mandate, end)),
        1 => (any::<bool>(), 0..5_usize, -3..3_i64).prop_map(|(a, p, c)| Step::Archive(a, p, c)),
        6 => words().prop_map(Step::Say),
        3 => (any::<usize>(), words()).prop_map(|(which, words)| Step::Correct(which, words)),
        1 => any::<usize>().prop_map(Step::Retract),
        4 => (any::<usize>(), 1..4_u8, reading()).prop_map(|(s, c, r)| Step::Read(s, c, r)),
    ]
}

fn words() -> impl Strategy<Value = Words> {
    let said = (0..4_usize, 0..16_u8, 0..5_usize);
    let marks = (any::<bool>(), prop::bool::weighted(0.1), any::<bool>());
    let readings = prop::collection::vec(reading(), 0..4);
    (said, marks, readings).prop_map(
        |((speaker, said_for, said_at), (repeated, relayed, both_sources), readings)| Words {
            speaker,
            said_for,
            said_at,
            repeated,
            relayed,
            both_sources,
            readings,
        },
    )
}

fn reading() -> impl Strategy<Value = Reading> {
    (0..2_usize, 0..9_usize, 0..3, 1..4, 1..6).prop_map(
        |(topic, holder, basis, engagement, polarity)| Reading {
            topic,
            holder,
            basis,
            engagement,
            polarity,
        },
    )
}

/// Appends what a step says, or nothing where admission would not have it.
fn take(script: &mut Script, step: Step) {
    match step {
        Step::Part(part, whole) => {
            // A part comes after its whole in the list, so that there is no circle.
            let (part, whole) = (part + 1, whole.min(part));
            let kind = proto::ActorKind::Organization;
            script.actor(BODIES[part], kind, ["", "state", "palace", "ministry"][whole]);
        }
        Step::Grant(person, body, authority, start, end, limited) => {
            let topics: &[&str] = if limited { &TOPICS[..1] } else { &[] };
            let authority = proto::Authority::try_from(authority).unwrap();
            let terms = (DATES[start], DATES[end]);
            script.mandate(PEOPLE[person], BODIES[body], authority, topics, terms);
        }
        Step::End(which, end) => {
            let mandates: Vec<String> = script.entries.iter().filter_map(mandate_of).collect();
            if let Some(id) = pick(&mandates, which) {
                script.end_mandate(id, DATES[end]);
            }
        }
        Step::Archive(a, published, days) => {
            let name = if a { "a" } else { "b" };
            script.source(name, DATES[published], CAPTURED + days * 86_400);
        }
        Step::Say(words) => {
            let statement = words.statement(SPEAKERS[words.speaker], words.said_for);
            script.record(statement);
        }
        Step::Correct(which, words) => {
            if let Some(introduced) = pick(&live(script), which) {
                let before = script.statement(*introduced);
                let speaker = speaker(&before);
                let mut corrected = words.statement(&speaker, 0);
                corrected.said_for = before.said_for;
                script.correct(*introduced, corrected);
            }
        }
        Step::Retract(which) => {
            if let Some(introduced) = pick(&live(script), which) {
                script.retract(*introduced);
            }
        }
        Step::Read(which, coder, reading) => {
            if let Some(introduced) = pick(&live(script), which) {
                let speaker = speaker(&script.statement(*introduced));
                script.read(&[coder], *introduced, reading.message(&speaker));
            }
        }
    }
}

impl Words {
    fn statement(&self, speaker: &str, said_for: u8) -> proto::Statement {
        let bodies = (0..4).filter(|bit| said_for & (1 << bit) != 0);
        let bodies: Vec<&str> = bodies.map(|bit| BODIES[bit]).collect();
        let readings = self.readings.iter();
        let readings = readings.map(|reading| reading.message(speaker)).collect();
        let mut statement = statement(speaker, &bodies, DATES[self.said_at], readings);
        if self.repeated {
            "2025-08-22".clone_into(&mut statement.repeated_until);
        }
        if self.relayed {
            "aide".clone_into(&mut statement.relayed_by);
        }
        if self.both_sources {
            statement.evidence.push(words_of_b());
        }
        statement
    }
}

fn words_of_b() -> proto::Evidence {
    words("b")
}

impl Reading {
    fn message(&self, speaker: &str) -> proto::Reading {
        let holder = match self.holder {
            number if number < ACTORS.len() => ACTORS[number].0,
            _ if speaker.is_empty() => "public",
            _ => "",
        };
        let answered = self.engagement == i32::from(proto::Engagement::Answered);
        proto::Reading {
            topic: TOPICS[self.topic].to_owned(),
            holder: holder.to_owned(),
            basis: self.basis,
            engagement: self.engagement,
            polarity: if answered { self.polarity } else { 0 },
            ..proto::Reading::default()
        }
    }
}

fn pick<T>(list: &[T], number: usize) -> Option<&T> {
    list.get(number.checked_rem(list.len())?)
}

pub(super) fn speaker(statement: &proto::Statement) -> String {
    match &statement.voice {
        Some(Voice::Speaker(speaker)) => speaker.clone(),
        _ => String::new(),
    }
}

fn mandate_of(entry: &Entry) -> Option<String> {
    match &entry.record.kind {
        Some(Kind::MandateGranted(granted)) => Some(granted.mandate_id.clone()),
        _ => None,
    }
}

/// The entries that introduced statements which are not retracted.
fn live(script: &Script) -> Vec<u64> {
    let retracted: Vec<String> = script
        .entries
        .iter()
        .filter_map(|entry| match &entry.record.kind {
            Some(Kind::StatementRetracted(retracted)) => Some(retracted.statement.clone()),
            _ => None,
        })
        .collect();
    let introduced = |entry: &&Entry| {
        matches!(entry.record.kind, Some(Kind::StatementRecorded(_)))
            && !retracted.contains(&entry.record_id.to_string())
    };
    script.entries.iter().filter(introduced).map(|it| it.index).collect()
}
