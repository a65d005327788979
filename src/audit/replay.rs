//! The replay: every entry of a ledger again, in order, from the bytes of its leaf.
//!
//! For each entry: that its bytes are the one encoding of an entry, its leaf's hash, that its
//! time does not go back, every signature, and the verdict of admission by the entries below it,
//! with the passages that it quotes in the documents. What comes out is what is wrong, entry by
//! entry, and the frontier of the tree over all of them, for whoever holds a root.
//!
//! Batches of entries are prepared on all cores (decoding, hashes, signatures in batches,
//! documents), and judged and folded in order by whoever calls: memory is bounded by the batches
//! in between, and by the store of the state. An entry that admission does not let in is folded
//! all the same, as far as it can be: those above were judged with it there. So the first finding
//! is the one to look at; later ones may follow from it.
//!
//! No disk and no network: leaves, documents and entries below come from the caller.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use prost::Message as _;

use crate::admission::{self, Below, BelowError, Documents, Prepared, Reason, Refusal, Verdict};
use crate::fold::{Fold as _, FoldError, Overlay};
use crate::ledger::{AdmissionState, Randomness};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::record::{Entry, EntryError, Micros, proto};
use crate::storage::{ProjectionStore, TableError};

/// How many entries are prepared together: a batch of signatures that is larger is hardly
/// cheaper by the signature.
const BATCH_ENTRIES: usize = 1_024;

/// How many batches are on their way for each thread: one at work, one to go on with.
const BATCHES_PER_THREAD: usize = 2;

/// What a replay stands on.
pub struct ReplayParts<'a> {
    /// The origin that every record must be signed for.
    pub origin: &'a str,
    /// An empty store, for the state that admission judges by.
    pub state: Arc<dyn ProjectionStore>,
    /// The archived documents.
    pub documents: &'a dyn Documents,
    /// The entries below, wherever admission looks back.
    pub below: &'a dyn Below,
    /// 32 bytes that no signer knows.
    pub seed: [u8; 32],
}

/// See the module.
pub struct Replay<'a> {
    origin: &'a str,
    state: AdmissionState,
    documents: &'a dyn Documents,
    below: &'a dyn Below,
    seed: [u8; 32],
    frontier: Frontier,
    recorded_at: Option<Micros>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {index}: {problem}")]
pub struct Finding {
    /// Its index.
    pub index: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Its bytes are no entry.
    #[error("{0}")]
    Malformed(EntryError),
    /// Its bytes are not the one encoding of what they say.
    #[error("its bytes are not the encoding of the entry that they decode to")]
    NotCanonical,
    /// It was recorded before the entry below it.
    #[error("it names a time before that of the entry below it")]
    TimeGoesBack,
    /// Its record stands below it already.
    #[error("its record is on record already, as entry {index}")]
    RecordedTwice {
        /// Where.
        index: u64,
    },
    /// Admission does not let it in.
    #[error("admission does not let it in: {0}")]
    NotAdmitted(Refusal),
    /// A document that it rests on is not there, so that it could not be judged.
    #[error("it could not be judged: {refusal}")]
    NotJudged {
        /// What is missing.
        refusal: Refusal,
        /// Where its passages are held against a version of a statement, the entry of that.
        version: Option<u64>,
    },
    /// It does not fold into the state.
    #[error("it does not follow from the entries below it: {0}")]
    NotFolded(String),
}

impl Problem {
    /// Whether it means that something was not looked at, and no more.
    #[must_use]
    pub const fn is_not_judged(&self) -> bool {
        matches!(self, Self::NotJudged { .. })
    }
}

/// Why a replay could not be carried out; that says nothing about the entries.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    /// The leaves cannot be had.
    #[error("{0}")]
    Source(E),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] FoldError),
    /// The state cannot be written.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// A thread ended by itself.
    #[error("a thread that prepares entries ended by itself")]
    Panicked,
}

/// Who follows a replay. What is wrong with an entry is told before the state holds it.
pub trait Follower<E> {
    /// Something is wrong with an entry.
    fn found(&mut self, finding: Finding) -> Result<(), ReplayError<E>>;

    /// All was told that is wrong with the next entries; the state will hold them now.
    fn told(&mut self) -> Result<(), ReplayError<E>> {
        Ok(())
    }

    /// These entries are in the state, the last ones before `frontier`: all that could be decoded.
    fn entered(
        &mut self,
        entries: Vec<Arc<Entry>>,
        frontier: &Frontier,
    ) -> Result<(), ReplayError<E>>;
}

/// Whoever is told of findings alone.
struct Told<F>(F);

impl<E, F: FnMut(Finding)> Follower<E> for Told<F> {
    fn found(&mut self, finding: Finding) -> Result<(), ReplayError<E>> {
        (self.0)(finding);
        Ok(())
    }

    fn entered(&mut self, _: Vec<Arc<Entry>>, _: &Frontier) -> Result<(), ReplayError<E>> {
        Ok(())
    }
}

/// An entry, as far as it can be looked at without those below it.
struct Ready {
    index: u64,
    leaf: Bytes,
    hash: Hash,
    recorded_at: Micros,
    prepared: Result<Prepared, Problem>,
}

/// The leaves of a batch, from an index on.
struct Batch {
    number: u64,
    first_index: u64,
    leaves: Vec<Bytes>,
}

impl<'a> Replay<'a> {
    /// A replay from entry 0 on.
    #[must_use]
    pub fn new(parts: ReplayParts<'a>) -> Self {
        Self {
            origin: parts.origin,
            state: AdmissionState::new(parts.state),
            documents: parts.documents,
            below: parts.below,
            seed: parts.seed,
            frontier: Frontier::new(),
            recorded_at: None,
        }
    }

    /// A replay that goes on where one ended whose state is `parts.state`: after the entries of
    /// `frontier`, the last of which was recorded at `recorded_at`.
    #[must_use]
    pub fn resume(parts: ReplayParts<'a>, frontier: Frontier, recorded_at: Option<Micros>) -> Self {
        Self {
            frontier,
            recorded_at,
            ..Self::new(parts)
        }
    }

    /// The frontier of the entries so far: their number, and the root over them.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// What admission judges by, after the entries so far.
    #[must_use]
    pub const fn state(&self) -> &AdmissionState {
        &self.state
    }

    /// Replays all leaves of `source`, which go on from those so far, and hands what is wrong
    /// with them to `found`, in order.
    pub fn run<E>(
        &mut self,
        source: impl Iterator<Item = Result<Bytes, E>>,
        found: impl FnMut(Finding),
    ) -> Result<(), ReplayError<E>> {
        self.run_with(source, &mut Told(found))
    }

    /// As [`run`](Self::run), for whoever follows the entries that were replayed.
    pub fn run_with<E>(
        &mut self,
        source: impl Iterator<Item = Result<Bytes, E>>,
        follower: &mut impl Follower<E>,
    ) -> Result<(), ReplayError<E>> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let waiting_max = threads * BATCHES_PER_THREAD;
        let (work, leaves) = bounded(waiting_max);
        let (done, ready) = bounded(waiting_max);
        let (origin, documents, seed) = (self.origin, self.documents, self.seed);
        thread::scope(move |scope| {
            for thread in 0..threads {
                let (leaves, done) = (leaves.clone(), done.clone());
                let randomness = Randomness::new(&seed, thread);
                scope.spawn(move || prepare_all(&leaves, &done, origin, documents, randomness));
            }
            // Only the threads hold the other ends, so that the loss of all is noticed.
            drop((leaves, done));
            let judged = self.judge_all(source, waiting_max, &work, &ready, follower);
            // Has the threads end, which the scope waits for.
            drop((work, ready));
            judged
        })
    }

    /// Hands out batches and judges them as they come back, in order.
    fn judge_all<E>(
        &mut self,
        mut source: impl Iterator<Item = Result<Bytes, E>>,
        waiting_max: usize,
        work: &Sender<Batch>,
        ready: &Receiver<(u64, Vec<Ready>)>,
        follower: &mut impl Follower<E>,
    ) -> Result<(), ReplayError<E>> {
        let mut first_index = self.frontier.size();
        let (mut handed_out, mut judged) = (0, 0);
        let mut out_of_turn = BTreeMap::new();
        let mut failed = None;
        let mut is_over = false;
        loop {
            while !is_over && handed_out - judged < waiting_max as u64 {
                let mut leaves = Vec::with_capacity(BATCH_ENTRIES);
                for leaf in source.by_ref().take(BATCH_ENTRIES) {
                    match leaf {
                        Ok(leaf) => leaves.push(leaf),
                        Err(error) => {
                            failed = Some(ReplayError::Source(error));
                            break;
                        }
                    }
                }
                is_over = leaves.len() < BATCH_ENTRIES;
                if leaves.is_empty() {
                    break;
                }
                let number = handed_out;
                let next_index = first_index + leaves.len() as u64;
                let batch = Batch {
                    number,
                    first_index,
                    leaves,
                };
                work.send(batch).map_err(|_| ReplayError::Panicked)?;
                first_index = next_index;
                handed_out += 1;
            }
            if judged == handed_out {
                return failed.map_or(Ok(()), Err);
            }
            let (number, batch) = ready.recv().map_err(|_| ReplayError::Panicked)?;
            out_of_turn.insert(number, batch);
            while let Some(batch) = out_of_turn.remove(&judged) {
                self.judge(batch, follower)?;
                judged += 1;
            }
        }
    }

    /// Judges a batch and folds it.
    fn judge<E>(
        &mut self,
        batch: Vec<Ready>,
        follower: &mut impl Follower<E>,
    ) -> Result<(), ReplayError<E>> {
        let mut overlay = Overlay::new(&self.state);
        let mut drafted = Vec::with_capacity(batch.len());
        for ready in batch {
            let index = ready.index;
            let mut tell = |problem| follower.found(Finding { index, problem });
            self.frontier.push(ready.hash);
            let prepared = match ready.prepared {
                Ok(prepared) => prepared,
                Err(problem) => {
                    tell(problem)?;
                    continue;
                }
            };
            if Some(ready.recorded_at) < self.recorded_at {
                tell(Problem::TimeGoesBack)?;
            }
            self.recorded_at = Some(ready.recorded_at);
            let below = BelowBatch {
                below: self.below,
                drafted: &drafted,
            };
            let at = (index, ready.recorded_at);
            let verdict =
                admission::judge(&overlay, self.documents, &below, &prepared, at.0, at.1)?;
            if let Some(mut problem) = problem_of(verdict) {
                if let Problem::NotJudged { version, .. } = &mut problem {
                    let rest = admission::judge_without_documents(
                        &overlay,
                        self.documents,
                        &below,
                        &prepared,
                        at.0,
                        at.1,
                    )?;
                    if let Some(Problem::NotAdmitted(refusal)) = problem_of(rest) {
                        problem = Problem::NotAdmitted(refusal);
                    } else if let Some(kind) = &prepared.record.kind {
                        *version = admission::version_vouched_for(&overlay, &below, kind)?;
                    }
                }
                tell(problem)?;
            }
            let entry = Entry {
                index,
                recorded_at: ready.recorded_at,
                record_id: prepared.record_id,
                record: prepared.record,
                envelope: prepared.envelope,
                encoded: ready.leaf,
            };
            match AdmissionState::FOLD.fold(&overlay, &entry) {
                Ok(changes) => overlay.add(changes),
                Err(error @ FoldError::Tables(_)) => return Err(error.into()),
                Err(error) => tell(Problem::NotFolded(error.to_string()))?,
            }
            drafted.push(Arc::new(entry));
        }
        follower.told()?;
        let changes = overlay.into_changes();
        self.state.advance(changes, &self.frontier)?;
        follower.entered(drafted, &self.frontier)
    }
}

impl fmt::Debug for Replay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("origin", &self.origin)
            .field("size", &self.frontier.size())
            .finish_non_exhaustive()
    }
}

/// What a verdict on an entry of the ledger says against it.
fn problem_of(verdict: Verdict) -> Option<Problem> {
    match verdict {
        Verdict::Admit => None,
        Verdict::AlreadyRecorded { index, .. } => Some(Problem::RecordedTwice { index }),
        Verdict::Refuse(refusal) => Some(match refusal.reason {
            Reason::SourceBytesMissing | Reason::DocumentUnreadable => Problem::NotJudged {
                refusal,
                version: None,
            },
            _ => Problem::NotAdmitted(refusal),
        }),
    }
}

/// The entries below one of a batch.
struct BelowBatch<'a> {
    below: &'a dyn Below,
    drafted: &'a [Arc<Entry>],
}

impl Below for BelowBatch<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let place = self
            .drafted
            .binary_search_by_key(&index, |entry| entry.index);
        match place.ok().and_then(|place| self.drafted.get(place)) {
            Some(entry) => Ok(Arc::clone(entry)),
            None => self.below.entry(index),
        }
    }
}

/// Prepares batches until there are no more.
fn prepare_all(
    leaves: &Receiver<Batch>,
    done: &Sender<(u64, Vec<Ready>)>,
    origin: &str,
    documents: &dyn Documents,
    mut randomness: Randomness,
) {
    while let Ok(batch) = leaves.recv() {
        let ready = prepare(
            batch.first_index,
            batch.leaves,
            origin,
            documents,
            &mut randomness,
        );
        if done.send((batch.number, ready)).is_err() {
            return;
        }
    }
}

/// Does all of a batch that can be done without the entries below it.
fn prepare(
    first_index: u64,
    leaves: Vec<Bytes>,
    origin: &str,
    documents: &dyn Documents,
    randomness: &mut Randomness,
) -> Vec<Ready> {
    let mut envelopes = Vec::with_capacity(leaves.len());
    let mut opened = Vec::with_capacity(leaves.len());
    for leaf in &leaves {
        opened.push(open(leaf).map(|(recorded_at, envelope)| {
            envelopes.push(envelope);
            recorded_at
        }));
    }
    let prepared = admission::prepare_entered(envelopes, origin, documents, randomness);
    let mut prepared = prepared.into_iter();
    let ready = (first_index..).zip(leaves).zip(opened);
    ready
        .map(|((index, leaf), opened)| Ready {
            index,
            hash: leaf_hash(&leaf),
            leaf,
            recorded_at: opened.as_ref().copied().unwrap_or(Micros(i64::MIN)),
            prepared: opened.and_then(|_| {
                // There is one for each that was opened.
                let missing = Err(Problem::NotCanonical);
                let prepared = prepared.next();
                prepared.map_or(missing, |it| it.map_err(Problem::NotAdmitted))
            }),
        })
        .collect()
}

/// Decodes a leaf, which must be the one encoding of what it says.
fn open(leaf: &Bytes) -> Result<(Micros, proto::Envelope), Problem> {
    let malformed = |error: EntryError| Problem::Malformed(error);
    let stored = proto::Entry::decode(leaf.clone()).map_err(|error| malformed(error.into()))?;
    if stored.encode_to_vec() != *leaf {
        return Err(Problem::NotCanonical);
    }
    let incomplete = |field| malformed(EntryError::Incomplete(field));
    let time = stored
        .recorded_at
        .ok_or_else(|| incomplete("recorded_at"))?;
    let recorded_at = Micros::from_timestamp(&time).ok_or_else(|| incomplete("recorded_at"))?;
    if recorded_at.to_timestamp() != time {
        return Err(incomplete("recorded_at"));
    }
    let envelope = stored.envelope.ok_or_else(|| incomplete("envelope"))?;
    Ok((recorded_at, envelope))
}
