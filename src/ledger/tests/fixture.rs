//! A small archive on a disk in memory: signed records, a clock that tests set, a `HEAD` that
//! loses power together with the disk.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use std::{io, thread};

use bytes::Bytes;
use prost::Message as _;
use tokio::runtime::{Builder, Runtime};

use crate::admission::{Documents, DocumentsError, TextError};
use crate::ledger::{
    AppendError, Appender, Clock, Head, HeadFile, Ledger, OpenError, Outcome, Parts, Reader,
    Sequencer, Settings, Surroundings,
};
use crate::merkle::{Frontier, leaf_hash};
use crate::record::proto::{self, record::Kind};
use crate::record::{ContentId, Micros, SigningKey};
use crate::storage::{
    self, AppendOutcome, DataDirError, FrameStore, IoFault, MemoryDisk, MemoryFrames, MemoryTables,
    Poison, ProjectionStore, StoreError, StoredFrame,
};
use crate::text::{Profile, SearchText};

pub const ORIGIN: &str = "archive.example.org";

/// Far later than anything here takes.
pub fn deadline() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub fn steward() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// The record that founds the archive.
pub fn founding() -> proto::Envelope {
    let verifier = steward().public().to_string();
    let enrolled = proto::VerifierEnrolled {
        verifier,
        name: "the newsroom".to_owned(),
        roles: (1..=4).collect(),
        replaces: String::new(),
    };
    let policy = proto::PolicySet {
        attestations_min: 1,
        admission_rules: 1,
    };
    signed(Kind::ArchiveFounded(proto::ArchiveFounded {
        checkpoint_key: SigningKey::from_seed([2; 32]).public().to_string(),
        verifiers: vec![enrolled],
        policy: Some(policy),
    }))
}

/// The definition of the `number`-th person.
pub fn actor(number: usize) -> proto::Envelope {
    actor_named(number, &["A. Person"])
}

/// The same with names of so many bytes.
pub fn long_actor(number: usize, name_bytes: usize) -> proto::Envelope {
    let names = "n".repeat(name_bytes);
    let names = names.as_bytes().chunks(NAME_BYTES_MAX);
    let names: Vec<_> = names.map(|it| std::str::from_utf8(it).unwrap()).collect();
    actor_named(number, &names)
}

/// The longest name that a record takes.
const NAME_BYTES_MAX: usize = 500;

fn actor_named(number: usize, names: &[&str]) -> proto::Envelope {
    let name = |name: &&str| proto::LocalizedName {
        language: "en".to_owned(),
        name: (*name).to_owned(),
    };
    signed(Kind::ActorDefined(proto::ActorDefined {
        actor_id: format!("person-{number}"),
        kind: proto::ActorKind::Person.into(),
        names: names.iter().map(name).collect(),
        ..proto::ActorDefined::default()
    }))
}

pub fn actors(numbers: std::ops::Range<usize>) -> Vec<proto::Envelope> {
    numbers.map(actor).collect()
}

fn signed(kind: Kind) -> proto::Envelope {
    let record = proto::Record {
        origin: ORIGIN.to_owned(),
        signed_at: Some(Micros(1_700_000_000_000_000).to_timestamp()),
        kind: Some(kind),
    };
    steward().seal(Bytes::from(record.encode_to_vec()))
}

/// A clock that a test sets, and that goes on by a microsecond whenever it is read.
pub struct TestClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl TestClock {
    pub fn new() -> Self {
        Self {
            wall: AtomicI64::new(1_750_000_000_000_000),
            monotonic: AtomicU64::new(0),
        }
    }

    /// Time passes.
    pub fn pass(&self, micros: u32) {
        self.wall.fetch_add(i64::from(micros), Ordering::SeqCst);
        self.monotonic
            .fetch_add(u64::from(micros), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock.
    pub fn set_by(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(self.wall.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic.load(Ordering::SeqCst))
    }
}

/// No document at all.
pub struct NoDocuments;

impl Documents for NoDocuments {
    fn size(&self, _: &ContentId) -> Result<Option<u64>, DocumentsError> {
        Ok(None)
    }

    fn text_of(&self, _: &ContentId, _: Profile, _: &str) -> Result<Option<ContentId>, TextError> {
        Ok(None)
    }

    fn text(&self, _: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(None)
    }
}

/// `HEAD` beside a disk in memory: a handle from before a power cut notes nothing.
struct NotedHead {
    noted: Arc<Mutex<Option<storage::Head>>>,
    disk: MemoryDisk,
    power_cuts: u64,
    broken: bool,
}

impl HeadFile for NotedHead {
    fn read(&self) -> Result<Option<storage::Head>, DataDirError> {
        Ok(*self.noted.lock().unwrap())
    }

    fn write(&self, head: &storage::Head) -> Result<(), DataDirError> {
        let mut noted = self.noted.lock().unwrap();
        if self.broken || self.disk.power_cuts() != self.power_cuts {
            return Err(DataDirError::Io(IoFault {
                action: "sync",
                path: "HEAD.new".into(),
                source: io::Error::from(io::ErrorKind::StorageFull),
            }));
        }
        *noted = Some(*head);
        Ok(())
    }
}

/// A machine with an archive on it.
#[derive(Clone)]
pub struct Machine {
    pub disk: MemoryDisk,
    pub admission: Arc<dyn ProjectionStore>,
    pub noted: Arc<Mutex<Option<storage::Head>>>,
    pub clock: Arc<TestClock>,
    pub settings: Settings,
    /// Whether `HEAD` can no longer be written.
    pub head_broken: bool,
}

impl Machine {
    pub fn new() -> Self {
        Self {
            disk: MemoryDisk::new(),
            admission: Arc::new(MemoryTables::new()),
            noted: Arc::default(),
            clock: Arc::new(TestClock::new()),
            settings: Settings {
                intake_threads: 2,
                ..Settings::default()
            },
            head_broken: false,
        }
    }

    pub fn frames(&self) -> MemoryFrames {
        MemoryFrames::open(&self.disk)
    }

    pub fn open(&self) -> Result<Ledger, OpenError> {
        self.open_on(Arc::new(self.frames()))
    }

    pub fn open_on(&self, frames: Arc<dyn FrameStore>) -> Result<Ledger, OpenError> {
        Ledger::open(Parts {
            frames,
            admission: Arc::clone(&self.admission),
            head: Arc::new(NotedHead {
                noted: Arc::clone(&self.noted),
                disk: self.disk.clone(),
                power_cuts: self.disk.power_cuts(),
                broken: false,
            }),
            origin: Some(ORIGIN.to_owned()),
        })
    }

    pub fn start(&self) -> Running {
        self.run(self.open().unwrap())
    }

    pub fn run(&self, mut ledger: Ledger) -> Running {
        if self.head_broken {
            ledger.parts.head = Arc::new(NotedHead {
                noted: Arc::clone(&self.noted),
                disk: self.disk.clone(),
                power_cuts: self.disk.power_cuts(),
                broken: true,
            });
        }
        let reader = ledger.reader();
        let surroundings = Surroundings {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            documents: Arc::new(NoDocuments),
            seed: [9; 32],
        };
        let (sequencer, appender) = ledger.start(&self.settings, surroundings).unwrap();
        Running {
            sequencer,
            appender,
            reader,
            runtime: Builder::new_current_thread().build().unwrap(),
        }
    }

    /// Takes records with a store that does something else than append.
    pub fn start_instead<F>(&self, append: F) -> Running
    where
        F: Fn(&MemoryFrames, u64, NonZeroU32, &[u8]) -> AppendOutcome + Send + Sync + 'static,
    {
        let frames = self.frames();
        let frames = Arc::new(Instead {
            frames,
            append,
            before_read: Box::new(|| ()),
        });
        self.run(self.open_on(frames).unwrap())
    }

    /// A founded archive, taking records.
    pub fn founded(&self) -> Running {
        let running = self.start();
        running.append(vec![founding()]).unwrap();
        running
    }

    pub fn admission_rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = self.admission.scan(&[]);
        rows.collect::<Result<_, _>>().unwrap()
    }
}

/// A frame store that does something else than append, and something before it reads.
pub struct Instead<F> {
    pub frames: MemoryFrames,
    pub append: F,
    pub before_read: Box<dyn Fn() + Send + Sync>,
}

impl<F: Fn(&MemoryFrames, u64, NonZeroU32, &[u8]) -> AppendOutcome + Send + Sync> FrameStore
    for Instead<F>
{
    fn epoch(&self) -> u64 {
        self.frames.epoch()
    }

    fn claim_above(&self, shown: u64) -> Result<(), StoreError> {
        self.frames.claim_above(shown)
    }

    fn next_index(&self) -> u64 {
        self.frames.next_index()
    }

    fn poison(&self) -> Option<Poison> {
        self.frames.poison()
    }

    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome {
        (self.append)(&self.frames, first_index, count, frame)
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        (self.before_read)();
        self.frames.read_from(index, frames_max)
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        self.frames.tail()
    }

    fn sync_from(&self, index: u64) -> Result<(), StoreError> {
        self.frames.sync_from(index)
    }

    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError> {
        self.frames.discard_tail(first_index)
    }

    fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        self.frames.bytes_on_disk()
    }
}

/// A gate that is closed until it is opened.
#[derive(Default)]
pub struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub fn pass(&self) {
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }

    pub fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// A ledger that takes records.
pub struct Running {
    pub sequencer: Sequencer,
    pub appender: Appender,
    pub reader: Reader,
    pub runtime: Runtime,
}

impl Running {
    /// Appends and waits.
    pub fn append(&self, envelopes: Vec<proto::Envelope>) -> Result<Vec<Outcome>, AppendError> {
        self.runtime
            .block_on(self.appender.append_waiting(envelopes))
    }

    /// Appends records that must all enter; their indexes.
    pub fn record(&self, envelopes: Vec<proto::Envelope>) -> Vec<u64> {
        let index = |outcome: &Outcome| match outcome {
            Outcome::Recorded { index, .. } => *index,
            other => panic!("not recorded: {other:?}"),
        };
        self.append(envelopes).unwrap().iter().map(index).collect()
    }

    pub fn stop(self) {
        assert!(self.sequencer.stop(deadline()));
    }
}

/// The head that the entries of a ledger give, which must be the one it shows; so must those
/// at the end of every frame.
pub fn verify(reader: &Reader) -> Head {
    let head = reader.head();
    let mut frontier = Frontier::new();
    let mut recorded_at = None;
    while let Some(frame) = reader.frame_at(frontier.size()).unwrap() {
        for entry in &frame.entries {
            assert_eq!(entry.index, frontier.size());
            assert_eq!(entry.recorded_at, frame.recorded_at);
            frontier.push(leaf_hash(&entry.encoded));
        }
        assert_eq!(frame.root_after, frontier.root());
        assert!(Some(frame.recorded_at) > recorded_at);
        recorded_at = Some(frame.recorded_at);
    }
    assert_eq!(
        head,
        Head {
            size: frontier.size(),
            root: frontier.root(),
            recorded_at
        }
    );
    head
}

/// Waits until a condition holds, which it must soon.
pub fn eventually(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
