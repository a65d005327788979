//! The way in: a bounded queue, and the threads that do the pure work of admission before the
//! sequencer decides.
//!
//! A caller takes permits for its records and their bytes, and keeps them until it is answered,
//! so that nothing behind the queue can grow without bound. A thread takes several callers'
//! records at once and prepares them together: one signature batch for all of them is several
//! times cheaper than one each. What a thread takes gets a ticket while the queue's lock is
//! held, so that the sequencer can put back in order what the threads finish out of order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use prost::Message;
use rand_core::{TryCryptoRng, TryRng};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};

use super::job::{Job, Reply};
use super::outcome::{AppendError, Outcome};
use super::poison::{PoisonCell, Poisoned};
use super::state::AdmissionTables;
use crate::admission::{self, Documents, Prepared, Refusal};
use crate::record::proto;

/// How many records a thread takes before it stops taking callers: a batch of 256 signatures
/// costs less than a third of single ones, and larger batches gain little more.
const RECORDS_AT_ONCE: usize = 256;

/// How many callers at once are several: with fewer, a batch would hardly grow.
const CALLERS_MANY: usize = 4;

/// How often a thread lets others run first for the sake of a larger batch.
const YIELDS: usize = 2;

/// A batch of so many records is large enough: it costs a third more a signature than one of
/// [`RECORDS_AT_ONCE`].
const RECORDS_ENOUGH: usize = 64;

/// What a caller is told to wait when the queue is full: a full queue of 8,192 records drains
/// in about as long.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// A handle for appending. Clones feed the same ledger.
#[derive(Clone)]
pub struct Appender {
    shared: Arc<Shared>,
}

struct Shared {
    /// None once the daemon is stopping.
    queue: RwLock<Option<Sender<Arrival>>>,
    records: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    records_max: usize,
    bytes_max: usize,
    poison: PoisonCell,
}

/// One call's records on their way to the intake threads.
pub(super) struct Arrival {
    envelopes: Vec<proto::Envelope>,
    reply: Reply,
}

/// Records that are on their way; see [`Appender::submit`].
pub struct Submitted {
    answer: oneshot::Receiver<Vec<Outcome>>,
    shared: Arc<Shared>,
}

impl Submitted {
    /// Waits for what becomes of them: one outcome a record, in order. Dropping this instead
    /// does not take them back.
    pub async fn outcomes(self) -> Result<Vec<Outcome>, AppendError> {
        match self.answer.await {
            Ok(outcomes) => Ok(outcomes),
            Err(_) => Err(self.shared.closed().unwrap_or(AppendError::Panicked)),
        }
    }
}

impl std::fmt::Debug for Submitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submitted").finish_non_exhaustive()
    }
}

impl Appender {
    /// A handle whose arrivals come out of the receiver.
    pub(super) fn new(
        records_max: usize,
        bytes_max: usize,
        poison: PoisonCell,
    ) -> (Self, Receiver<Arrival>) {
        // Permits bound what is in it.
        let (queue, arrivals) = crossbeam_channel::unbounded();
        let shared = Shared {
            queue: RwLock::new(Some(queue)),
            records: Arc::new(Semaphore::new(records_max)),
            bytes: Arc::new(Semaphore::new(bytes_max)),
            records_max,
            bytes_max,
            poison,
        };
        let shared = Arc::new(shared);
        (Self { shared }, arrivals)
    }

    /// Appends records and waits for what becomes of them: one outcome a record, in order.
    /// Answers [`AppendError::Overloaded`] at once where the queue is full.
    pub async fn append(
        &self,
        envelopes: Vec<proto::Envelope>,
    ) -> Result<Vec<Outcome>, AppendError> {
        self.try_submit(envelopes)?.outcomes().await
    }

    /// As [`append`](Self::append), but waits for room in the queue.
    pub async fn append_waiting(
        &self,
        envelopes: Vec<proto::Envelope>,
    ) -> Result<Vec<Outcome>, AppendError> {
        self.submit(envelopes).await?.outcomes().await
    }

    /// Sends records on their way, or says at once that the queue is full. What one task
    /// submits is recorded in that order.
    pub fn try_submit(&self, envelopes: Vec<proto::Envelope>) -> Result<Submitted, AppendError> {
        let (records, bytes) = self.measure(&envelopes)?;
        let acquire = |semaphore: &Arc<Semaphore>, count| {
            Arc::clone(semaphore)
                .try_acquire_many_owned(count)
                .map_err(|error| match error {
                    TryAcquireError::NoPermits => AppendError::Overloaded {
                        retry_after: RETRY_AFTER,
                    },
                    TryAcquireError::Closed => AppendError::Stopping,
                })
        };
        let permits = [
            acquire(&self.shared.records, records)?,
            acquire(&self.shared.bytes, bytes)?,
        ];
        self.enqueue(envelopes, permits)
    }

    /// As [`try_submit`](Self::try_submit), but waits for room in the queue: a stream that
    /// sends faster than the ledger takes is held back by it.
    pub async fn submit(&self, envelopes: Vec<proto::Envelope>) -> Result<Submitted, AppendError> {
        let (records, bytes) = self.measure(&envelopes)?;
        let acquire = async |semaphore: &Arc<Semaphore>, count| {
            let permits = Arc::clone(semaphore).acquire_many_owned(count).await;
            permits.map_err(|_| AppendError::Stopping)
        };
        let permits = [
            acquire(&self.shared.records, records).await?,
            acquire(&self.shared.bytes, bytes).await?,
        ];
        self.enqueue(envelopes, permits)
    }

    /// Why the ledger takes no more records, if it does not.
    #[must_use]
    pub fn poisoned(&self) -> Option<Poisoned> {
        self.shared.poison.get().cloned()
    }

    /// Takes no more from here on: the intake threads end once the queue is empty.
    pub(super) fn close(&self) {
        let queue = self.shared.queue.write();
        *queue.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How many permits the records need.
    fn measure(&self, envelopes: &[proto::Envelope]) -> Result<(u32, u32), AppendError> {
        if let Some(error) = self.shared.closed() {
            return Err(error);
        }
        let records = envelopes.len();
        let bytes = envelopes.iter().map(Message::encoded_len).sum();
        let within =
            |count: usize, most: usize| u32::try_from(count).ok().filter(|_| count <= most);
        let permits =
            within(records, self.shared.records_max).zip(within(bytes, self.shared.bytes_max));
        permits.ok_or(AppendError::TooMuch { records, bytes })
    }

    fn enqueue(
        &self,
        envelopes: Vec<proto::Envelope>,
        permits: [OwnedSemaphorePermit; 2],
    ) -> Result<Submitted, AppendError> {
        let (answer, receiver) = oneshot::channel();
        let reply = Reply::new(answer, permits);
        let queue = self
            .shared
            .queue
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let sent = queue
            .as_ref()
            .is_some_and(|queue| queue.send(Arrival { envelopes, reply }).is_ok());
        drop(queue);
        if !sent {
            return Err(self.shared.closed().unwrap_or(AppendError::Stopping));
        }
        Ok(Submitted {
            answer: receiver,
            shared: Arc::clone(&self.shared),
        })
    }
}

impl Shared {
    /// Why nothing is appended any more, if so.
    fn closed(&self) -> Option<AppendError> {
        if let Some(reason) = self.poison.get() {
            let reason = reason.clone();
            return Some(AppendError::Poisoned { reason });
        }
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue.is_none().then_some(AppendError::Stopping)
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appender")
            .field("poisoned", &self.shared.poison.get())
            .finish_non_exhaustive()
    }
}

/// The queue's other end, shared by the intake threads.
///
/// Where several callers append at once, a thread that has taken few records lets other threads
/// run before it goes on, among them those that bring further records. A processor with nothing
/// else to do comes back at once; one that is short of time comes back to a larger batch, which
/// costs less a record to verify, to sync and to follow. A lone caller waits for nobody.
pub(super) struct Arrivals(Mutex<Line>);

/// See [`Arrivals`].
struct Line {
    queue: Receiver<Arrival>,
    next_ticket: u64,
    /// How many callers were taken last.
    callers_before: usize,
}

/// Arrivals that are taken together.
#[derive(Default)]
struct Taken {
    arrivals: Vec<Arrival>,
    records: usize,
}

impl Arrivals {
    pub const fn new(queue: Receiver<Arrival>) -> Self {
        Self(Mutex::new(Line {
            queue,
            next_ticket: 0,
            callers_before: 0,
        }))
    }

    /// Waits for arrivals and takes several, with the ticket of their place in the order; none
    /// once the queue is closed and empty.
    fn take(&self) -> Option<(u64, Vec<Arrival>)> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Taken::default();
        taken.add(line.queue.recv().ok()?);
        taken.add_waiting(&line.queue);
        if line.callers_before.max(taken.arrivals.len()) >= CALLERS_MANY {
            for _ in 0..YIELDS {
                if taken.records >= RECORDS_ENOUGH {
                    break;
                }
                std::thread::yield_now();
                taken.add_waiting(&line.queue);
            }
        }
        line.callers_before = taken.arrivals.len();
        let ticket = line.next_ticket;
        line.next_ticket += 1;
        Some((ticket, taken.arrivals))
    }
}

impl Taken {
    fn add(&mut self, arrival: Arrival) {
        self.records += arrival.envelopes.len();
        self.arrivals.push(arrival);
    }

    /// Adds what waits in the queue, up to a batch.
    fn add_waiting(&mut self, queue: &Receiver<Arrival>) {
        while self.records < RECORDS_AT_ONCE
            && let Ok(arrival) = queue.try_recv()
        {
            self.add(arrival);
        }
    }
}

/// What an intake thread works with.
pub(super) struct Intake {
    /// The archive's origin.
    pub origin: String,
    /// Admission's state, which trails the sequencer's by what is not durable yet.
    pub state: AdmissionTables,
    pub documents: Arc<dyn Documents + Send + Sync>,
    pub randomness: Randomness,
    pub poison: PoisonCell,
}

impl Intake {
    /// Prepares arrivals until the queue is closed and empty, or nobody takes the jobs.
    pub fn run(mut self, arrivals: &Arrivals, mut deliver: impl FnMut(u64, Vec<Job>) -> bool) {
        while let Some((ticket, arrivals)) = arrivals.take() {
            // A poisoned ledger answers by dropping them.
            if self.poison.get().is_none() && !deliver(ticket, self.prepare(arrivals)) {
                break;
            }
        }
    }

    /// Prepares the records of several callers as one batch. Should that panic, then each
    /// caller's by themselves, so that nobody suffers for another.
    fn prepare(&mut self, arrivals: Vec<Arrival>) -> Vec<Job> {
        let (envelopes, replies): (Vec<_>, Vec<_>) = arrivals
            .into_iter()
            .map(|arrival| (arrival.envelopes, arrival.reply))
            .unzip();
        let lengths: Vec<usize> = envelopes.iter().map(Vec::len).collect();
        let batch = envelopes.iter().flatten().cloned().collect();
        let Some(prepared) = self.prepare_batch(batch) else {
            let alone = envelopes.into_iter().zip(replies);
            return alone
                .filter_map(|(envelopes, reply)| {
                    let records = self.prepare_batch(envelopes)?;
                    Some(Job::new(records, reply))
                })
                .collect();
        };
        let mut prepared = prepared.into_iter();
        let jobs = lengths.into_iter().zip(replies);
        jobs.map(|(length, reply)| Job::new(prepared.by_ref().take(length), reply))
            .collect()
    }

    /// None if it panicked: then the batch is dropped, which tells its callers.
    fn prepare_batch(
        &mut self,
        envelopes: Vec<proto::Envelope>,
    ) -> Option<Vec<Result<Prepared, Refusal>>> {
        let prepare = || {
            let randomness = &mut self.randomness;
            let (origin, state, documents) = (&self.origin, &self.state, &*self.documents);
            admission::prepare(envelopes, origin, state, documents, randomness)
        };
        catch_unwind(AssertUnwindSafe(prepare)).ok()
    }
}

/// Randomness that weighs signature batches: BLAKE3's stream over a seed that no signer knows.
pub struct Randomness(blake3::OutputReader);

impl Randomness {
    /// The stream of one thread.
    #[must_use]
    pub fn new(seed: &[u8; 32], thread: usize) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(seed);
        hasher.update(b"onrecord intake thread");
        hasher.update(&thread.to_be_bytes());
        Self(hasher.finalize_xof())
    }
}

impl TryRng for Randomness {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Randomness {}
