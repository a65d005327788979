//! How many entries a second are replayed: hashed, their signatures checked, their verdicts
//! repeated and folded, with the state in memory.
//!
//! `cargo bench --bench replay -- [ENTRIES]`

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use onrecord::admission::{Below, BelowError};
use onrecord::audit::{Replay, ReplayParts, SourceTexts};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorDefined, ActorKind, ArchiveFounded, LocalizedName, PolicySet, Record, Role,
    VerifierEnrolled,
};
use onrecord::record::{ContentId, Entry, Micros, SigningKey};
use onrecord::storage::{MemoryBlobs, MemoryTables};
use prost::Message as _;

const ORIGIN: &str = "bench.example/replay";
const ENTRIES: u64 = 500_000;
const TIME: i64 = 1_756_684_800_000_000;

struct Nothing;

impl Below for Nothing {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        Err(BelowError(format!("entry {index} is not looked at")))
    }
}

fn main() {
    let entries = std::env::args().find_map(|it| it.parse().ok());
    let entries = entries.unwrap_or(ENTRIES);
    let key = SigningKey::from_seed([1; 32]);
    let leaves: Vec<Bytes> = (0..entries).map(|index| leaf(&key, index)).collect();
    let bytes: usize = leaves.iter().map(Bytes::len).sum();
    let documents = SourceTexts::new(Arc::new(MemoryBlobs::new()), 1 << 20);
    let mut replay = Replay::new(ReplayParts {
        origin: ORIGIN,
        state: Arc::new(MemoryTables::new()),
        documents: &documents,
        below: &Nothing,
        seed: [7; 32],
    });
    let started = Instant::now();
    let mut findings = Vec::new();
    let source = leaves.into_iter().map(Ok::<_, Infallible>);
    replay
        .run(source, |finding| findings.push(finding))
        .expect("the entries are replayed");
    let elapsed = started.elapsed().as_secs_f64();
    assert_eq!(findings, []);
    assert_eq!(replay.frontier().size(), entries);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = entries as f64 / elapsed;
    println!(
        "{entries} entries of {} bytes on average",
        bytes as u64 / entries.max(1)
    );
    println!("{rate:.0} entries a second, {elapsed:.2} s");
}

/// An archive that is founded, and defines actors.
fn leaf(key: &SigningKey, index: u64) -> Bytes {
    let kind = if index == 0 {
        Kind::ArchiveFounded(ArchiveFounded {
            checkpoint_key: key.public().to_string(),
            verifiers: vec![VerifierEnrolled {
                verifier: key.public().to_string(),
                name: "steward".to_owned(),
                roles: vec![Role::Steward.into(), Role::Attestor.into()],
                replaces: String::new(),
            }],
            policy: Some(PolicySet {
                attestations_min: 1,
                admission_rules: onrecord::admission::ADMISSION_RULES,
            }),
        })
    } else {
        Kind::ActorDefined(ActorDefined {
            actor_id: format!("person-{index}"),
            kind: ActorKind::Person.into(),
            names: vec![LocalizedName {
                language: "en".to_owned(),
                name: format!("Person {index}"),
            }],
            ..ActorDefined::default()
        })
    };
    let record = Record {
        origin: ORIGIN.to_owned(),
        signed_at: Some(Micros(TIME).to_timestamp()),
        kind: Some(kind),
    };
    let envelope = key.seal(Bytes::from(record.encode_to_vec()));
    let id = ContentId::of(&envelope.payload);
    let time = Micros(TIME + i64::try_from(index).unwrap_or(i64::MAX - TIME));
    Entry::new(index, time, id, record, envelope).encoded
}
