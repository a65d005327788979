//! The threads of a ledger that takes records: starting them, and ending them within a bound.
//!
//! ```text
//! callers -> queue -> intake threads -> sequencer -> committer -> disk
//!                                           |<-----------'
//!                                           '-> admission state, head, answers
//! ```
//!
//! Beside them the head's keeper. Each shows that it is alive by a channel that is
//! disconnected with it, and poisons the ledger if it panics.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::clock::Clock;
use super::head::HeadKeeper;
use super::intake::{Appender, Arrival, Arrivals, Intake, Randomness};
use super::poison::{PoisonCell, Poisoned};
use super::reader::Reader;
use super::recovery::Ledger;
use super::sequencer::{Commit, Lines, Notice, Sequence};
use crate::admission::Documents;
use crate::storage::FrameStore;

/// How the ledger takes records.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most records on their way at a time.
    pub queue_records_max: usize,
    /// The most bytes of envelopes on their way at a time.
    pub queue_bytes_max: usize,
    /// How many threads prepare records; at least one.
    pub intake_threads: usize,
    /// How long a commit may take before it counts as failed.
    pub commit_bound: Duration,
}

impl Default for Settings {
    /// 8,192 records of up to 32 MiB; a thread for each core but one; half a minute a commit,
    /// which no healthy disk takes.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            queue_records_max: 8_192,
            queue_bytes_max: 32 << 20,
            intake_threads: cores.saturating_sub(1).max(1),
            commit_bound: Duration::from_secs(30),
        }
    }
}

/// What the ledger needs of the world to take records.
pub struct Surroundings {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The archived documents that records rest on.
    pub documents: Arc<dyn Documents + Send + Sync>,
    /// 32 bytes that nobody outside can know, new for each run: they weigh signature batches.
    pub seed: [u8; 32],
}

/// The running ledger: whoever holds it ends it.
pub struct Sequencer {
    appender: Appender,
    reader: Reader,
    notices: Sender<Notice>,
    keeper: HeadKeeper,
    /// Disconnected once the intake threads have ended.
    intake_ended: Receiver<()>,
    /// Disconnected once sequencer and committer have ended.
    ended: Receiver<()>,
}

impl Ledger {
    /// Starts taking records.
    pub fn start(
        self,
        settings: &Settings,
        surroundings: Surroundings,
    ) -> Result<(Sequencer, Appender), StartError> {
        let poison = PoisonCell::default();
        let reader = self.reader();
        let (notices, inbox) = unbounded();
        let crew = Crew { poison, notices };

        let (appender, arrivals) = Appender::new(
            settings.queue_records_max,
            settings.queue_bytes_max,
            crew.poison.clone(),
        );
        let intake_ended = crew.start_intake(&self, settings, &surroundings, arrivals)?;
        let (alive, ended) = bounded(0);
        let commits = crew.start_committer(&self.parts.frames, &alive)?;
        let keeper = crew.start_keeper(&self, &reader)?;
        let lines = Lines {
            inbox,
            commits,
            poison: crew.poison.clone(),
        };
        let sequence = Sequence::of(self, surroundings, settings.commit_bound, lines);
        spawn(crew.guard("ledger-sequencer", &alive), move || {
            sequence.run();
        })?;

        let sequencer = Sequencer {
            appender: appender.clone(),
            reader,
            notices: crew.notices,
            keeper,
            intake_ended,
            ended,
        };
        Ok((sequencer, appender))
    }
}

/// What every thread is started with: where it says that it failed, and whom it tells.
struct Crew {
    poison: PoisonCell,
    notices: Sender<Notice>,
}

impl Crew {
    /// Starts the threads that prepare records; disconnected once they have ended.
    fn start_intake(
        &self,
        ledger: &Ledger,
        settings: &Settings,
        surroundings: &Surroundings,
        arrivals: Receiver<Arrival>,
    ) -> Result<Receiver<()>, StartError> {
        let (alive, ended) = bounded(0);
        let arrivals = Arc::new(Arrivals::new(arrivals));
        for number in 0..settings.intake_threads.max(1) {
            let intake = Intake {
                origin: ledger.reader.origin().to_owned(),
                state: ledger.records(),
                documents: Arc::clone(&surroundings.documents),
                randomness: Randomness::new(&surroundings.seed, number),
                poison: self.poison.clone(),
            };
            let (arrivals, notices) = (Arc::clone(&arrivals), self.notices.clone());
            spawn(self.guard("ledger-intake", &alive), move || {
                intake.run(&arrivals, |ticket, jobs| {
                    notices.send(Notice::Prepared(ticket, jobs)).is_ok()
                });
            })?;
        }
        Ok(ended)
    }

    /// Starts the thread that writes frames; where to send them.
    fn start_committer(
        &self,
        frames: &Arc<dyn FrameStore>,
        alive: &Sender<()>,
    ) -> Result<Sender<Commit>, StartError> {
        let (commits, orders) = bounded(1);
        let (frames, outcomes) = (Arc::clone(frames), self.notices.clone());
        spawn(self.guard("ledger-committer", alive), move || {
            commit_all(&*frames, &orders, &outcomes);
        })?;
        Ok(commits)
    }

    /// Starts the thread that notes the head.
    fn start_keeper(&self, ledger: &Ledger, reader: &Reader) -> Result<HeadKeeper, StartError> {
        let failed = self.notices.clone();
        HeadKeeper::start(
            Arc::clone(&ledger.parts.head),
            reader.clone(),
            self.poison.clone(),
            move || {
                let _ = failed.send(Notice::Poisoned);
            },
        )
        .map_err(StartError)
    }

    /// What a thread holds while it is alive.
    fn guard(&self, name: &'static str, alive: &Sender<()>) -> Guard {
        Guard {
            name,
            poison: self.poison.clone(),
            notices: self.notices.clone(),
            _alive: alive.clone(),
        }
    }
}

impl Sequencer {
    /// Takes no more records, brings those that are queued to an end, notes the head, and ends
    /// the threads; whether all of that was done by `deadline`.
    #[must_use]
    pub fn stop(self, deadline: Instant) -> bool {
        let (prepared, committed, noted) = self.end(deadline);
        let size = self.reader.head().size;
        tracing::debug!(size, prepared, committed, noted, "the ledger has stopped");
        prepared && committed && noted
    }

    fn end(&self, deadline: Instant) -> (bool, bool, bool) {
        let done = |ended: &Receiver<()>| {
            ended.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
        };
        self.appender.close();
        let prepared = done(&self.intake_ended);
        let _ = self.notices.send(Notice::Stop);
        let committed = done(&self.ended);
        (prepared, committed, self.keeper.stop(deadline))
    }
}

impl Drop for Sequencer {
    /// Has the threads end, without waiting for them.
    fn drop(&mut self) {
        self.end(Instant::now());
    }
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// A thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the ledger's threads cannot be started: {0}; raise the limit on threads")]
pub struct StartError(std::io::Error);

/// Held by a thread: shows that it is alive, and poisons the ledger if it panics.
struct Guard {
    name: &'static str,
    poison: PoisonCell,
    notices: Sender<Notice>,
    _alive: Sender<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.poison.set(Poisoned::Panicked { thread: self.name });
            let _ = self.notices.send(Notice::Poisoned);
        }
    }
}

fn spawn(guard: Guard, work: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    let thread = thread::Builder::new().name(guard.name.to_owned());
    let spawned = thread.spawn(move || {
        let _guard = guard;
        work();
    });
    spawned.map(drop).map_err(StartError)
}

/// The committer: writes one frame after the other and says what became of it.
fn commit_all(frames: &dyn FrameStore, orders: &Receiver<Commit>, outcomes: &Sender<Notice>) {
    for order in orders {
        let outcome = frames.append(order.first_index, order.count, &order.frame);
        if outcomes.send(Notice::Committed(outcome)).is_err() {
            break;
        }
    }
}
