//! How many entries a second are replayed: hashed, their signatures checked, their verdicts
//! repeated and folded, with the state in memory; and how many an audit from outside checks, which
//! holds each against its tile as well, and replays the projections into tables on disk. Rates are
//! by the clock, and by the processor's time, which other work on the machine leaves alone.
//!
//! `cargo bench --bench replay -- [ENTRIES]`

mod audit;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mimalloc::MiMalloc;
use onrecord::admission::{Below, BelowError};
use onrecord::audit::{Replay, ReplayParts, SourceTexts, WRITE_AFTER_ENTRIES};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorDefined, ActorKind, ArchiveFounded, LocalizedName, PolicySet, Record, Role,
    VerifierEnrolled,
};
use onrecord::record::{ContentId, Entry, Micros, SigningKey};
use onrecord::storage::{MemoryBlobs, MemoryTables};
use prost::Message as _;
use rustix::time::{ClockId, clock_gettime};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
        write_after_entries: WRITE_AFTER_ENTRIES,
    });
    let spent = Spent::begin();
    let mut findings = Vec::new();
    let source = leaves.iter().cloned().map(Ok::<_, Infallible>);
    replay
        .run(source, |finding| findings.push(finding))
        .expect("the entries are replayed");
    assert_eq!(findings, []);
    assert_eq!(replay.frontier().size(), entries);
    println!(
        "{entries} entries of {} bytes on average",
        bytes as u64 / entries.max(1)
    );
    println!("replayed: {}", rate(entries, &spent));
    audit::measure(&leaves, &key);
}

/// What something takes.
struct Spent {
    started: Instant,
    processor: Duration,
}

impl Spent {
    fn begin() -> Self {
        Self {
            started: Instant::now(),
            processor: processor(),
        }
    }
}

/// The time that all threads of this process have had.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(entries: u64, spent: &Spent) -> String {
    let elapsed = spent.started.elapsed().as_secs_f64();
    let processor = processor().saturating_sub(spent.processor).as_secs_f64();
    let entries = entries as f64;
    format!(
        "{:.0} entries a second, {elapsed:.2} s; {:.1} µs of a processor each, so {:.0} a second on two",
        entries / elapsed,
        processor * 1e6 / entries,
        2.0 * entries / processor
    )
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
