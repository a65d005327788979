//! Records as people in tests would write them, and keys to sign them with.

use bytes::Bytes;
use onrecord::record::envelope::RECORD_PAYLOAD_TYPE;
use onrecord::record::proto::{
    ActorDefined, ActorKind, AttestationAdded, Authority, CapacityBasis, Condition, ConditionKind,
    Engagement, Envelope, Establishes, Evidence, EvidenceAdded, LocalizedName, MandateGranted,
    MilestoneDefined, Polarity, Reading, Record, ReviewPublished, Role, SaidFor, Segment,
    SourceArchived, SourceRole, SourceWithheld, Statement, TopicDefined, TopicKind,
    VerifierEnrolled, WithholdingScope, Wording, record::Kind, review_published::Target,
    statement::Voice,
};
use onrecord::record::{ContentId, SigningKey};
use prost::Message as _;
use prost_types::Timestamp;
use sha2::Digest as _;

pub const ORIGIN: &str = "archive.example/test";

/// 2025-09-01T00:00:00Z.
pub const SIGNED_AT: i64 = 1_756_684_800;

/// 2025-08-20T06:00:00Z.
pub const CAPTURED_AT: i64 = 1_755_669_600;

/// A document of one line.
pub const TEXT_OF_ONE_LINE: &str = "The minister spoke on Tuesday.";

/// Someone with a key.
pub struct Signer {
    pub key: SigningKey,
}

impl Signer {
    pub fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_seed([seed; 32]),
        }
    }

    /// Who founds the archives of tests, in all four roles.
    pub fn steward() -> Self {
        Self::new(1)
    }

    pub fn id(&self) -> String {
        self.key.public().to_string()
    }

    pub fn seal(&self, kind: Kind) -> Envelope {
        self.seal_record(&record(kind))
    }

    pub fn seal_record(&self, record: &Record) -> Envelope {
        self.key.seal(Bytes::from(record.encode_to_vec()))
    }

    /// The record that enrols them.
    pub fn enrolled(&self, roles: &[Role]) -> Kind {
        Kind::VerifierEnrolled(VerifierEnrolled {
            verifier: self.id(),
            name: "a verifier".to_owned(),
            roles: roles.iter().map(|role| i32::from(*role)).collect(),
            replaces: String::new(),
        })
    }
}

pub fn record(kind: Kind) -> Record {
    Record {
        origin: ORIGIN.to_owned(),
        signed_at: Some(at(SIGNED_AT)),
        kind: Some(kind),
    }
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

pub fn actor(id: &str, kind: ActorKind) -> ActorDefined {
    ActorDefined {
        actor_id: id.to_owned(),
        kind: kind.into(),
        names: vec![LocalizedName {
            language: "en".to_owned(),
            name: format!("The {id}"),
        }],
        ..ActorDefined::default()
    }
}

/// A person whose definition has some 60,000 bytes, nearly all that a record takes: 117 names of
/// the 500 code points that one may have.
pub fn bulky(id: &str) -> ActorDefined {
    let person = actor(id, ActorKind::Person);
    let name = LocalizedName {
        name: "a".repeat(500),
        ..person.names[0].clone()
    };
    ActorDefined {
        names: vec![name; 117],
        ..person
    }
}

pub fn part_of(id: &str, whole: &str) -> ActorDefined {
    ActorDefined {
        part_of: whole.to_owned(),
        ..actor(id, ActorKind::Organization)
    }
}

pub fn mandate(person: &str, organization: &str, authority: Authority) -> MandateGranted {
    MandateGranted {
        mandate_id: format!("{person}-{organization}"),
        person: person.to_owned(),
        organization: organization.to_owned(),
        role_title: "an office".to_owned(),
        authority: authority.into(),
        ..MandateGranted::default()
    }
}

pub fn topic(id: &str) -> TopicDefined {
    TopicDefined {
        topic_id: id.to_owned(),
        kind: TopicKind::Policy.into(),
        proposition: format!("There should be a {id}."),
        ..TopicDefined::default()
    }
}

pub fn milestone(id: &str, date: &str) -> MilestoneDefined {
    MilestoneDefined {
        milestone_id: id.to_owned(),
        title: format!("The {id}"),
        date: date.to_owned(),
        ..MilestoneDefined::default()
    }
}

/// A plain text that was uploaded as it stands, in UTF-8 and without needless white space.
pub fn source(text: &str) -> SourceArchived {
    let id = ContentId::of(text.as_bytes()).to_string();
    SourceArchived {
        source: id.clone(),
        media_type: "text/plain".to_owned(),
        size_bytes: text.len() as u64,
        captured_at: Some(at(CAPTURED_AT)),
        published_at: "2025-08-19".to_owned(),
        role: SourceRole::Secondary.into(),
        profile: "plain-text/1".to_owned(),
        text_id: id,
        ..SourceArchived::default()
    }
}

/// A passage of such a text, which establishes words and speaker.
pub fn evidence(text: &str, exact: &str) -> Evidence {
    let id = ContentId::of(text.as_bytes()).to_string();
    Evidence {
        source: id.clone(),
        text_id: id,
        segments: vec![segment(exact)],
        establishes: vec![Establishes::Words.into(), Establishes::Speaker.into()],
    }
}

pub fn segment(exact: &str) -> Segment {
    Segment {
        exact: exact.to_owned(),
        ..Segment::default()
    }
}

/// What `speaker` said on `said_at`, paraphrased from a passage of a source's text.
pub fn statement(speaker: &str, said_at: &str, text: &str, exact: &str) -> Statement {
    Statement {
        said_at: said_at.to_owned(),
        wording: Wording::Paraphrased.into(),
        language: "en".to_owned(),
        spoken_language: "ru".to_owned(),
        text: format!("As {speaker} put it: {exact}"),
        evidence: vec![evidence(text, exact)],
        voice: Some(Voice::Speaker(speaker.to_owned())),
        ..Statement::default()
    }
}

/// Further evidence for what `speaker` said for these.
pub fn evidence_added(
    statement: &str,
    speaker: &str,
    said_for: &[&str],
    evidence: Vec<Evidence>,
) -> EvidenceAdded {
    EvidenceAdded {
        statement: statement.to_owned(),
        speaker: speaker.to_owned(),
        said_for: said_for.iter().map(|&of| of.to_owned()).collect(),
        evidence,
    }
}

/// Further signatures over a record's payload.
pub fn attestation_added(of: &Envelope, signers: &[&Signer]) -> AttestationAdded {
    let sign = |signer: &&Signer| signer.key.sign(RECORD_PAYLOAD_TYPE, &of.payload).signature;
    AttestationAdded {
        record: ContentId::of(&of.payload).to_string(),
        verifiers: signers.iter().map(|signer| signer.id()).collect(),
        signatures: signers.iter().map(sign).collect(),
    }
}

pub fn withheld(text: &str, scope: WithholdingScope) -> SourceWithheld {
    SourceWithheld {
        source: ContentId::of(text.as_bytes()).to_string(),
        scope: scope.into(),
        reason: "The publisher asked for it.".to_owned(),
        authority: "A court.".to_owned(),
    }
}

pub fn review(target: Target) -> ReviewPublished {
    ReviewPublished {
        verdict: "Mostly true".to_owned(),
        rating: 4,
        rating_worst: 1,
        rating_best: 5,
        url: "https://reviews.example/1".to_owned(),
        publisher: "Reviews".to_owned(),
        published_at: "2025-08-25".to_owned(),
        target: Some(target),
    }
}

/// The verifier key of a witness, in the form of signed notes.
pub fn witness(name: &str, key: &[u8]) -> String {
    let key = [&[4], key].concat();
    let id = [name.as_bytes(), b"\n", &key].concat();
    let id = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(id)[..4]);
    format!("{name}+{id}+{}", data_encoding::BASE64.encode(&key))
}

pub fn said_for(organization: &str, basis: CapacityBasis) -> SaidFor {
    SaidFor {
        actor: organization.to_owned(),
        basis: basis.into(),
    }
}

pub fn answered(topic: &str, polarity: Polarity) -> Reading {
    Reading {
        topic: topic.to_owned(),
        engagement: Engagement::Answered.into(),
        polarity: polarity.into(),
        ..Reading::default()
    }
}

pub fn only_if(id: &str) -> Condition {
    Condition {
        id: id.to_owned(),
        kind: ConditionKind::OnlyIf.into(),
        text: format!("only if {id}"),
    }
}
