//! What the tests of this room start from: scripts of records as admission would let them in,
//! and random histories of them.

mod histories;

use bytes::Bytes;
use prost::Message;

pub(super) use histories::{ACTORS, history};

use crate::fold::{Digest, Fold, MemoryTables};
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
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
#[derive(Clone, Debug, Default)]
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

    /// Adds evidence for the words from the source that goes by a name.
    pub(super) fn add_evidence(&mut self, introduced: u64, source: &str) -> u64 {
        let statement = self.id(introduced).to_string();
        self.put(
            &[1],
            Kind::EvidenceAdded(proto::EvidenceAdded {
                statement,
                evidence: vec![words(source)],
                ..proto::EvidenceAdded::default()
            }),
        )
    }

    pub(super) fn review(&mut self, target: Target) -> u64 {
        self.put(
            &[1],
            Kind::ReviewPublished(proto::ReviewPublished {
                target: Some(target),
                ..proto::ReviewPublished::default()
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

/// The speaker of a statement; empty if anonymous.
pub(super) fn speaker(statement: &proto::Statement) -> String {
    match &statement.voice {
        Some(Voice::Speaker(speaker)) => speaker.clone(),
        _ => String::new(),
    }
}
