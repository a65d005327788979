//! The replay: every entry of a ledger again, in order, from the bytes of its leaf.
//!
//! For each entry: that its bytes are the one encoding of an entry, its leaf's hash, that its
//! time does not go back, every signature, and the verdict of admission by the entries below it,
//! with the passages that it quotes in the documents. What comes out is what is wrong, entry by
//! entry, and the frontier of the tree over all of them, for whoever holds a root.
//!
//! Batches of entries are prepared on all cores (decoding, hashes, signatures in batches,
//! documents), and judged and folded in order by whoever calls. What they change in the state is
//! written to its store by the file, now and then: memory is bounded by the batches in between, by
//! a file's worth of changes, and by the store. An entry that admission does not let in is folded
//! all the same, as far as it can be: those above were judged with it there. So the first finding
//! is the one to look at; later ones may follow from it.
//!
//! No disk and no network: leaves, documents and entries below come from the caller.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use prost::Message as _;

use crate::admission::{self, Below, BelowError, Documents, Prepared, Reason, Refusal, Verdict};
use crate::fold::{Batch, Fold as _, FoldError, Overlay};
use crate::ledger::{AdmissionState, Randomness};
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::record::{Entry, EntryError, Micros, proto};
use crate::storage::{ProjectionStore, TableError};

/// How many entries are prepared together: a batch of signatures that is larger is hardly
/// cheaper by the signature.
const BATCH_ENTRIES: usize = 2_048;

/// A batch ends with the entry that brings it to so many bytes: entries are of a few hundred
/// mostly, and of 64 KiB at most.
const BATCH_BYTES: usize = 8 << 20;

/// How many batches are on their way for each thread: one at work, and two to go on with while the
/// state is written out.
const BATCHES_PER_THREAD: usize = 3;

/// After how many entries the state is written out, unless there is a reason for another number.
pub const WRITE_AFTER_ENTRIES: u64 = 1 << 16;

/// The state is written out earlier once its changes take so many bytes; with the index over
/// them that is some 40 MiB.
const WRITE_AFTER_BYTES: usize = 16 << 20;

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
    /// After how many entries the state is written out.
    pub write_after_entries: u64,
}

/// See the module.
pub struct Replay<'a> {
    origin: &'a str,
    /// As it is written out.
    state: AdmissionState,
    /// What the entries from `written` on changed in it.
    changes: Batch,
    written: u64,
    write_after_entries: u64,
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
    /// Entries could not be prepared.
    #[error("entries could not be prepared: the code that looks at them panicked")]
    Panicked,
}

/// Who follows a replay. What is wrong with an entry is told before the state holds it, and the
/// state is written out.
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

    /// The state is about to be written out, up to the first `size` entries.
    fn writing(&mut self, _size: u64) -> Result<(), ReplayError<E>> {
        Ok(())
    }
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

/// Entries, as far as they can be looked at without those below them.
struct Ready {
    number: u64,
    first_index: u64,
    opened: Vec<Opened>,
    /// One for each of those that could be opened.
    prepared: Vec<Result<Prepared, Refusal>>,
}

/// A leaf, with its hash and the time that it names.
struct Opened {
    leaf: Bytes,
    hash: Hash,
    recorded_at: Result<Micros, Problem>,
}

/// The leaves of a batch, from an index on.
struct Unopened {
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
            changes: Batch::default(),
            written: 0,
            write_after_entries: parts.write_after_entries,
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
            written: frontier.size(),
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

    /// Replays all leaves of `source`, which go on from those so far, and hands what is wrong
    /// with them to `found`, in order. The state is written out when this returns, also where
    /// `source` failed: up to there.
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
        work: &Sender<Unopened>,
        ready: &Receiver<Option<Ready>>,
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
                let mut bytes = 0;
                while !is_over && leaves.len() < BATCH_ENTRIES && bytes < BATCH_BYTES {
                    match source.next().transpose() {
                        Ok(Some(leaf)) => {
                            bytes += leaf.len();
                            leaves.push(leaf);
                        }
                        Ok(None) => is_over = true,
                        Err(error) => {
                            failed = Some(ReplayError::Source(error));
                            is_over = true;
                        }
                    }
                }
                if leaves.is_empty() {
                    break;
                }
                let number = handed_out;
                let next_index = first_index + leaves.len() as u64;
                let batch = Unopened {
                    number,
                    first_index,
                    leaves,
                };
                work.send(batch).map_err(|_| ReplayError::Panicked)?;
                first_index = next_index;
                handed_out += 1;
            }
            if judged == handed_out {
                self.write_out(follower)?;
                return failed.map_or(Ok(()), Err);
            }
            let batch = ready.recv().ok().flatten();
            let batch = batch.ok_or(ReplayError::Panicked)?;
            out_of_turn.insert(batch.number, batch);
            while let Some(batch) = out_of_turn.remove(&judged) {
                self.judge(batch, follower)?;
                judged += 1;
            }
        }
    }

    /// Judges a batch and folds it.
    fn judge<E>(
        &mut self,
        batch: Ready,
        follower: &mut impl Follower<E>,
    ) -> Result<(), ReplayError<E>> {
        let mut overlay = Overlay::over(&self.state, mem::take(&mut self.changes));
        let mut drafted = Vec::with_capacity(batch.opened.len());
        let mut prepared = batch.prepared.into_iter();
        for (index, opened) in (batch.first_index..).zip(batch.opened) {
            let mut tell = |problem| follower.found(Finding { index, problem });
            self.frontier.push(opened.hash);
            let ready = opened.recorded_at.and_then(|recorded_at| {
                let prepared = prepared.next().ok_or(Problem::NotCanonical)?;
                Ok((recorded_at, prepared.map_err(Problem::NotAdmitted)?))
            });
            let (recorded_at, prepared) = match ready {
                Ok(ready) => ready,
                Err(problem) => {
                    tell(problem)?;
                    continue;
                }
            };
            if Some(recorded_at) < self.recorded_at {
                tell(Problem::TimeGoesBack)?;
            }
            self.recorded_at = Some(recorded_at);
            let below = BelowBatch {
                below: self.below,
                drafted: &drafted,
            };
            let at = (index, recorded_at);
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
                recorded_at,
                record_id: prepared.record_id,
                record: prepared.record,
                envelope: prepared.envelope,
                encoded: opened.leaf,
            };
            match AdmissionState::FOLD.fold(&overlay, &entry) {
                Ok(changes) => overlay.add(changes),
                Err(error @ FoldError::Tables(_)) => return Err(error.into()),
                Err(error) => tell(Problem::NotFolded(error.to_string()))?,
            }
            drafted.push(Arc::new(entry));
        }
        follower.told()?;
        self.changes = overlay.into_batch();
        follower.entered(drafted, &self.frontier)?;
        let is_due = self.frontier.size() - self.written >= self.write_after_entries;
        if is_due || self.changes.bytes() >= WRITE_AFTER_BYTES {
            self.write_out(follower)?;
        }
        Ok(())
    }

    /// Writes out the state, if it changed.
    fn write_out<E>(&mut self, follower: &mut impl Follower<E>) -> Result<(), ReplayError<E>> {
        let size = self.frontier.size();
        if self.written < size {
            follower.writing(size)?;
            let changes = mem::take(&mut self.changes);
            self.changes = self.state.fill(changes, &self.frontier)?;
            self.written = size;
        }
        Ok(())
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

/// Prepares batches until there are no more. Of one that panics nothing is left, which is told
/// too: whoever waits for it would wait for ever.
fn prepare_all(
    leaves: &Receiver<Unopened>,
    done: &Sender<Option<Ready>>,
    origin: &str,
    documents: &dyn Documents,
    mut randomness: Randomness,
) {
    while let Ok(batch) = leaves.recv() {
        let prepare = || prepare(batch, origin, documents, &mut randomness);
        let ready = catch_unwind(AssertUnwindSafe(prepare)).ok();
        if done.send(ready).is_err() {
            return;
        }
    }
}

/// Does all of a batch that can be done without the entries below it.
fn prepare(
    batch: Unopened,
    origin: &str,
    documents: &dyn Documents,
    randomness: &mut Randomness,
) -> Ready {
    let mut envelopes = Vec::with_capacity(batch.leaves.len());
    let leaves = batch.leaves.into_iter();
    let opened = leaves.map(|leaf| Opened {
        recorded_at: open(&leaf).map(|(recorded_at, envelope)| {
            envelopes.push(envelope);
            recorded_at
        }),
        hash: leaf_hash(&leaf),
        leaf,
    });
    Ready {
        number: batch.number,
        first_index: batch.first_index,
        opened: opened.collect(),
        prepared: admission::prepare_entered(envelopes, origin, documents, randomness),
    }
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

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
