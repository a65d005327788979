//! The records: statements with evidence over 50 KB sources, by 8 verifiers, spread over
//! actors and topics. The same run makes the same records.

use bytes::Bytes;
use onrecord::record::SigningKey;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{
    ActorDefined, ActorKind, CapacityBasis, Engagement, Envelope, Establishes, Evidence,
    LocalizedName, Polarity, Reading, Record, Role, SaidFor, Segment, SourceArchived, SourceRole,
    Statement, TopicDefined, TopicKind, VerifierEnrolled, Wording,
};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::put_source_request::Part;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::source_service_client::SourceServiceClient;
use onrecord::rpc::proto::{
    AppendRequest, GetPositionRequest, PutSourceHeader, PutSourceRequest, PutSourceResponse,
};
use prost::Message as _;

use crate::Fallible;
use crate::daemon::Daemon;

const VERIFIERS: u8 = 8;
const POLARITIES: [Polarity; 4] = [
    Polarity::Supports,
    Polarity::Open,
    Polarity::Opposes,
    Polarity::Mixed,
];
const ACTORS: usize = 1_000;
const TOPICS: usize = 50;
const SOURCES: usize = 20;
/// Sentences of about 80 bytes in one source: 50 KB.
const SENTENCES: usize = 620;
/// 2026-01-01T00:00:00Z, before which everything was said.
const SIGNED_AT_SECONDS: i64 = 1_767_225_600;

/// Who makes the records.
pub struct Author {
    verifiers: Vec<SigningKey>,
    sources: Vec<PutSourceResponse>,
    made: usize,
    records: usize,
    payload_bytes: u64,
}

impl Author {
    /// Enrols the verifiers and puts actors, topics and sources on record.
    pub async fn found(daemon: &Daemon) -> Fallible<Self> {
        let steward = SigningKey::from_seed(daemon.steward_seed()?);
        let mut author = Self {
            verifiers: (1..=VERIFIERS)
                .map(|n| SigningKey::from_seed([n; 32]))
                .collect(),
            sources: Vec::new(),
            made: 0,
            records: 1,
            payload_bytes: 0,
        };
        let mut client = SourceServiceClient::new(daemon.connect().await?);
        for place in 0..SOURCES {
            let header = PutSourceHeader {
                media_type: "text/plain".to_owned(),
                source: String::new(),
            };
            let parts = [
                Part::Header(header),
                Part::Chunk(Bytes::from(document(place))),
            ];
            let parts = parts.map(|part| PutSourceRequest { part: Some(part) });
            let stored = client.put_source(tokio_stream::iter(parts)).await?;
            author.sources.push(stored.into_inner());
        }
        let kinds = author.definitions();
        let envelopes: Vec<_> = kinds
            .into_iter()
            .map(|kind| author.count(seal(kind, &steward)))
            .collect();
        let mut client = RecordServiceClient::new(daemon.connect().await?);
        for batch in envelopes.chunks(500) {
            let request = AppendRequest {
                envelopes: batch.to_vec(),
                proof: false,
            };
            for result in client.append(request).await?.into_inner().results {
                if !matches!(result.outcome, Some(Outcome::Recorded(_))) {
                    return Err(format!("not recorded: {result:?}").into());
                }
            }
        }
        Ok(author)
    }

    /// The next so many statements, signed.
    pub fn statements(&mut self, count: usize) -> Vec<Envelope> {
        (0..count).map(|_| self.statement()).collect()
    }

    /// Questions about everybody, spread as the statements are.
    pub fn questions(count: usize) -> Vec<GetPositionRequest> {
        let question = |n: usize| GetPositionRequest {
            actor: format!("actor-{}", n * 7 % ACTORS),
            topic: format!("topic-{}", n * 3 % TOPICS),
            as_of: "2025-12-31".to_owned(),
            ..GetPositionRequest::default()
        };
        (0..count).map(question).collect()
    }

    /// How many records were made.
    pub const fn records(&self) -> usize {
        self.records
    }

    /// How many bytes were signed.
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    fn definitions(&self) -> Vec<Kind> {
        let verifier = |key: &SigningKey| VerifierEnrolled {
            verifier: key.public().to_string(),
            name: "bench".to_owned(),
            roles: vec![Role::Attestor as i32],
            replaces: String::new(),
        };
        let mut kinds: Vec<_> = self
            .verifiers
            .iter()
            .map(verifier)
            .map(Kind::VerifierEnrolled)
            .collect();
        kinds.push(actor("organization", ActorKind::Organization));
        kinds.extend((0..ACTORS).map(|n| actor(&format!("actor-{n}"), ActorKind::Person)));
        kinds.extend((0..TOPICS).map(|n| {
            Kind::TopicDefined(TopicDefined {
                topic_id: format!("topic-{n}"),
                kind: TopicKind::Policy as i32,
                proposition: format!("Measure number {n} should be taken."),
                ..TopicDefined::default()
            })
        }));
        kinds.extend(self.sources.iter().map(|stored| {
            Kind::SourceArchived(SourceArchived {
                source: stored.source.clone(),
                media_type: "text/plain".to_owned(),
                size_bytes: stored.size_bytes,
                captured_at: Some(prost_types::Timestamp {
                    seconds: SIGNED_AT_SECONDS,
                    nanos: 0,
                }),
                role: SourceRole::Secondary as i32,
                profile: stored.profile.clone(),
                text_id: stored.text_id.clone(),
                ..SourceArchived::default()
            })
        }));
        kinds
    }

    fn statement(&mut self) -> Envelope {
        let n = self.made;
        self.made += 1;
        let source = n % SOURCES;
        let stored = &self.sources[source];
        let words = sentence(source, n * 13 % SENTENCES);
        let statement = Statement {
            voice: Some(Voice::Speaker(format!("actor-{}", n % ACTORS))),
            said_for: vec![SaidFor {
                actor: "organization".to_owned(),
                basis: CapacityBasis::Stated as i32,
            }],
            said_at: format!(
                "2025-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                n % 12 + 1,
                n % 28 + 1,
                n % 24,
                n / 24 % 60,
                n / 1440 % 60
            ),
            wording: Wording::Verbatim as i32,
            language: "en".to_owned(),
            spoken_language: "en".to_owned(),
            venue: format!("press conference {n}"),
            text: words.clone(),
            evidence: vec![Evidence {
                source: stored.source.clone(),
                text_id: stored.text_id.clone(),
                segments: vec![Segment {
                    exact: words,
                    ..Segment::default()
                }],
                establishes: vec![Establishes::Words as i32, Establishes::Speaker as i32],
            }],
            readings: vec![Reading {
                topic: format!("topic-{}", n / ACTORS % TOPICS),
                engagement: Engagement::Answered as i32,
                polarity: POLARITIES[n % POLARITIES.len()] as i32,
                strength: 2,
                ..Reading::default()
            }],
            ..Statement::default()
        };
        let key = n % self.verifiers.len();
        let envelope = seal(Kind::StatementRecorded(statement), &self.verifiers[key]);
        self.count(envelope)
    }

    fn count(&mut self, envelope: Envelope) -> Envelope {
        self.records += 1;
        self.payload_bytes += envelope.payload.len() as u64;
        envelope
    }
}

fn seal(kind: Kind, key: &SigningKey) -> Envelope {
    let record = Record {
        origin: "bench.example.org".to_owned(),
        signed_at: Some(prost_types::Timestamp {
            seconds: SIGNED_AT_SECONDS,
            nanos: 0,
        }),
        kind: Some(kind),
    };
    key.seal(Bytes::from(record.encode_to_vec()))
}

fn actor(id: &str, kind: ActorKind) -> Kind {
    Kind::ActorDefined(ActorDefined {
        actor_id: id.to_owned(),
        kind: kind as i32,
        names: vec![LocalizedName {
            language: "en".to_owned(),
            name: id.to_owned(),
        }],
        ..ActorDefined::default()
    })
}

/// A source of about 50 KB in which every sentence stands once.
fn document(source: usize) -> String {
    let sentences: Vec<_> = (0..SENTENCES).map(|n| sentence(source, n)).collect();
    sentences.join("\n")
}

/// A sentence of words that vary as they do in prose: what they are is drawn from a hash.
fn sentence(source: usize, n: usize) -> String {
    let seed = format!("{source} {n}");
    let mut draw = [0; 9];
    blake3::Hasher::new()
        .update(seed.as_bytes())
        .finalize_xof()
        .fill(&mut draw);
    let word = |byte: &u8| WORDS[usize::from(*byte) % WORDS.len()];
    let words: Vec<_> = draw.iter().map(word).collect();
    format!("{} under measure {n}.", words.join(" "))
}

const WORDS: &[&str] = &[
    "again",
    "agreed",
    "always",
    "border",
    "building",
    "bridge",
    "called",
    "cabinet",
    "council",
    "country",
    "decision",
    "delay",
    "deputies",
    "district",
    "economy",
    "every",
    "family",
    "first",
    "government",
    "harbour",
    "however",
    "important",
    "journey",
    "kitchen",
    "language",
    "later",
    "minister",
    "morning",
    "nation",
    "never",
    "office",
    "opened",
    "people",
    "prepared",
    "question",
    "quickly",
    "railway",
    "region",
    "school",
    "several",
    "should",
    "together",
    "treaty",
    "under",
    "valley",
    "village",
    "water",
    "winter",
    "yesterday",
    "zone",
];
