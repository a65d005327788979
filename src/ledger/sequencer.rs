//! The sequencer: the one thread that owns the ledger's tail, and the threads around it.
//!
//! ```text
//! callers -> queue -> intake threads -> sequencer -> committer -> disk
//!                                           |<-----------'
//!                                           '-> admission state, head, answers
//! ```
//!
//! The sequencer judges records in the order in which they were queued, and makes the next
//! frame while the one before is on its way to the disk: so frames fill by themselves under
//! load, and a lone record waits for nobody. At most one frame is on its way at a time.
//!
//! Invariants: a frame is shown, and its callers are answered, only once it is durable; so are
//! those whose answer was decided after it was begun, as it may rest on it. Once anything
//! fails the ledger is poisoned: the thread ends, everybody who waits is told, the database is
//! leaked rather than closed, and nothing is tried again.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::clock::{Clock, ClockWatch};
use super::draft::{Bench, Draft, Sealed};
use super::head::HeadKeeper;
use super::intake::{Appender, Arrivals, Intake, Randomness};
use super::job::Job;
use super::poison::{PoisonCell, Poisoned};
use super::reader::Reader;
use super::recovery::{Ledger, Tail};
use super::state::AdmissionState;
use crate::admission::Documents;
use crate::fold::{FoldError, Overlay};
use crate::storage::{AppendOutcome, FrameStore};

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

/// What happens to the sequencer.
enum Event {
    /// Intake has prepared what it took under this ticket.
    Prepared(u64, Vec<Job>),
    /// The frame on its way has arrived, or has not.
    Committed(AppendOutcome),
    /// Nothing more will be prepared.
    Stop,
    /// The ledger was poisoned elsewhere.
    Poisoned,
}

/// A frame on its way to the disk.
struct Commit {
    first_index: u64,
    count: NonZeroU32,
    frame: Vec<u8>,
}

/// The running ledger: whoever holds it ends it.
pub struct Sequencer {
    appender: Appender,
    reader: Reader,
    events: Sender<Event>,
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
        let (events, inbox) = unbounded();
        let (alive, ended) = bounded(0);

        let (appender, arrivals) = Appender::new(
            settings.queue_records_max,
            settings.queue_bytes_max,
            poison.clone(),
        );
        let (intake_alive, intake_ended) = bounded(0);
        let arrivals = Arc::new(Arrivals::new(arrivals));
        for number in 0..settings.intake_threads.max(1) {
            let intake = Intake {
                origin: reader.origin().to_owned(),
                state: self.state.tables(),
                documents: Arc::clone(&surroundings.documents),
                randomness: Randomness::new(&surroundings.seed, number),
                poison: poison.clone(),
            };
            let (arrivals, events) = (Arc::clone(&arrivals), events.clone());
            let guard = Guard::new("ledger-intake", &poison, &events, &intake_alive);
            spawn(guard, move || {
                intake.run(&arrivals, |ticket, jobs| {
                    events.send(Event::Prepared(ticket, jobs)).is_ok()
                });
            })?;
        }

        let (commits, orders) = bounded(1);
        let guard = Guard::new("ledger-committer", &poison, &events, &alive);
        let (frames, outcomes) = (Arc::clone(&self.parts.frames), events.clone());
        spawn(guard, move || commit_all(&*frames, &orders, &outcomes))?;

        let failed = events.clone();
        let keeper = HeadKeeper::start(
            Arc::clone(&self.parts.head),
            reader.clone(),
            poison.clone(),
            move || {
                let _ = failed.send(Event::Poisoned);
            },
        )
        .map_err(StartError)?;

        let guard = Guard::new("ledger-sequencer", &poison, &events, &alive);
        let sequence = Sequence {
            draft: Draft::after(&self.tail),
            tail: self.tail,
            bench: Bench {
                watch: ClockWatch::start(&*surroundings.clock),
                clock: surroundings.clock,
                documents: surroundings.documents,
                reader: reader.clone(),
                on_its_way: None,
            },
            state: self.state,
            epoch: self.parts.frames.epoch(),
            frames: self.parts.frames,
            reader: reader.clone(),
            poison,
            inbox,
            commits,
            commit_bound: settings.commit_bound,
            in_flight: None,
            ready: VecDeque::new(),
            judged: Vec::new(),
            landed: Vec::new(),
            early: BTreeMap::new(),
            next_ticket: 0,
            stopping: false,
        };
        spawn(guard, move || sequence.run())?;

        let sequencer = Sequencer {
            appender: appender.clone(),
            reader,
            events,
            keeper,
            intake_ended,
            ended,
        };
        Ok((sequencer, appender))
    }
}

impl Sequencer {
    /// Takes no more records, brings those that are queued to an end, notes the head, and ends
    /// the threads. Each of these three steps may take `bound`; whether all were done in it.
    #[must_use]
    pub fn stop(self, bound: Duration) -> bool {
        let (prepared, committed, noted) = self.end(bound);
        let size = self.reader.head().size;
        tracing::debug!(size, prepared, committed, noted, "the ledger has stopped");
        prepared && committed && noted
    }

    fn end(&self, bound: Duration) -> (bool, bool, bool) {
        let done =
            |ended: &Receiver<()>| ended.recv_timeout(bound) == Err(RecvTimeoutError::Disconnected);
        self.appender.close();
        let prepared = done(&self.intake_ended);
        let _ = self.events.send(Event::Stop);
        let committed = done(&self.ended);
        (prepared, committed, self.keeper.stop(bound))
    }
}

impl Drop for Sequencer {
    /// Has the threads end, without waiting for them.
    fn drop(&mut self) {
        self.end(Duration::ZERO);
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
    events: Sender<Event>,
    _alive: Sender<()>,
}

impl Guard {
    fn new(
        name: &'static str,
        poison: &PoisonCell,
        events: &Sender<Event>,
        alive: &Sender<()>,
    ) -> Self {
        Self {
            name,
            poison: poison.clone(),
            events: events.clone(),
            _alive: alive.clone(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.poison.set(Poisoned::Panicked { thread: self.name });
            let _ = self.events.send(Event::Poisoned);
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
fn commit_all(frames: &dyn FrameStore, orders: &Receiver<Commit>, outcomes: &Sender<Event>) {
    for order in orders {
        let outcome = frames.append(order.first_index, order.count, &order.frame);
        if outcomes.send(Event::Committed(outcome)).is_err() {
            break;
        }
    }
}

/// A frame on its way to the disk, and who waits for it.
struct InFlight {
    sealed: Sealed,
    jobs: Vec<Job>,
    /// When it counts as failed.
    deadline: Instant,
}

/// What the sequencer's thread owns.
struct Sequence {
    inbox: Receiver<Event>,
    /// Jobs in order, the first perhaps judged in part. Jobs move from here to `judged`, with
    /// their frame to `in_flight`, and to `landed`: never out of this struct before they are
    /// answered, so that none is dropped before the ledger is poisoned.
    ready: VecDeque<Job>,
    /// Jobs that wait for the frame in the making.
    judged: Vec<Job>,
    /// Jobs whose frame is durable.
    landed: Vec<Job>,
    /// Jobs that were prepared before others that come first.
    early: BTreeMap<u64, Vec<Job>>,
    next_ticket: u64,
    stopping: bool,

    /// After the last frame that was sealed, durable or not.
    tail: Tail,
    draft: Draft,
    state: AdmissionState,
    bench: Bench,

    commits: Sender<Commit>,
    in_flight: Option<InFlight>,
    commit_bound: Duration,
    epoch: u64,
    frames: Arc<dyn FrameStore>,

    reader: Reader,
    poison: PoisonCell,
}

impl Sequence {
    fn run(mut self) {
        // Poisoned before the jobs are dropped, which sends their callers to look for why.
        let panicked = |_| {
            Err(Poisoned::Panicked {
                thread: "ledger-sequencer",
            })
        };
        if let Err(reason) = catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or_else(panicked)
        {
            self.poison.set(reason);
        }
        if self.poison.get().is_some() {
            // Closing a database whose sync failed would sync it again.
            std::mem::forget(Arc::clone(&self.frames));
        }
        // Whoever still waits is told by being dropped.
    }

    fn work(&mut self) -> Result<(), Poisoned> {
        loop {
            self.judge_ready()?;
            if self.in_flight.is_none() {
                if self.draft.has_entries() {
                    self.launch()?;
                    continue;
                }
                // These rest on nothing that is not durable. The next record reads the clock.
                self.judged.drain(..).for_each(Job::answer);
                self.draft = Draft::after(&self.tail);
            }
            if self.stopping && self.in_flight.is_none() {
                return Ok(());
            }
            let mut event = Some(self.wait()?);
            while let Some(next) = event {
                self.take(next)?;
                event = self.inbox.try_recv().ok();
            }
            if let Some(reason) = self.poison.get() {
                return Err(reason.clone());
            }
        }
    }

    /// The next event; in time, if a frame is on its way.
    fn wait(&self) -> Result<Event, Poisoned> {
        let event = match &self.in_flight {
            Some(frame) => self.inbox.recv_deadline(frame.deadline),
            None => self
                .inbox
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
        };
        event.map_err(|error| match error {
            RecvTimeoutError::Timeout => Poisoned::TimedOut {
                bound: self.commit_bound,
            },
            // The committer and the sequencer's owner hold senders.
            RecvTimeoutError::Disconnected => Poisoned::Panicked {
                thread: "ledger-committer",
            },
        })
    }

    fn take(&mut self, event: Event) -> Result<(), Poisoned> {
        match event {
            Event::Prepared(ticket, jobs) => {
                self.early.insert(ticket, jobs);
                while let Some(jobs) = self.early.remove(&self.next_ticket) {
                    self.ready.extend(jobs);
                    self.next_ticket += 1;
                }
            }
            Event::Committed(outcome) => self.committed(outcome)?,
            Event::Stop => self.stopping = true,
            // Looked at by the caller.
            Event::Poisoned => {}
        }
        Ok(())
    }

    /// Judges what is ready, until the frame is full.
    fn judge_ready(&mut self) -> Result<(), Poisoned> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let on_its_way = self.in_flight.as_ref();
        self.bench.on_its_way = on_its_way.map(|frame| Arc::clone(&frame.sealed.frame));
        // What is stored, then what the frame on its way changes, then what this one does.
        let mut stored = Overlay::new(&self.state);
        if let Some(frame) = &mut self.in_flight {
            stored.add(std::mem::take(&mut frame.sealed.changes));
        }
        let mut state = Overlay::new(&stored);
        state.add(std::mem::take(&mut self.draft.changes));

        let (ready, done) = (&mut self.ready, &mut self.judged);
        let judged = judge_jobs(ready, done, &mut self.draft, &mut state, &self.bench);

        self.draft.changes = state.into_changes();
        if let Some(frame) = &mut self.in_flight {
            frame.sealed.changes = stored.into_changes();
        }
        judged.map_err(|error| self.distrusted(&error))
    }

    /// Sends the frame in the making on its way, and begins the next.
    fn launch(&mut self) -> Result<(), Poisoned> {
        let next = Draft::after(&self.tail);
        let draft = std::mem::replace(&mut self.draft, next);
        let Some((sealed, frame)) = draft.seal(&mut self.tail, self.epoch) else {
            return Ok(());
        };
        self.draft = Draft::after(&self.tail);
        // The first that is ready may have been judged in part.
        for job in self.judged.iter_mut().chain(self.ready.front_mut()) {
            job.settle(&sealed.head, sealed.frame.recorded_at);
        }
        let commit = Commit {
            first_index: sealed.frame.first_index,
            count: sealed.count,
            frame,
        };
        self.in_flight = Some(InFlight {
            sealed,
            jobs: std::mem::take(&mut self.judged),
            deadline: Instant::now() + self.commit_bound,
        });
        self.commits.send(commit).map_err(|_| Poisoned::Panicked {
            thread: "ledger-committer",
        })
    }

    /// The frame on its way has arrived, or nobody knows whether it has.
    fn committed(&mut self, outcome: AppendOutcome) -> Result<(), Poisoned> {
        match outcome {
            AppendOutcome::Durable => {}
            AppendOutcome::Fenced => return Err(Poisoned::Fenced),
            AppendOutcome::Conflict { expected: found } => {
                let sealed = self.in_flight.as_ref().map(|frame| &frame.sealed);
                let expected = sealed.map_or(found, |sealed| sealed.frame.first_index);
                return Err(Poisoned::Conflict { expected, found });
            }
            AppendOutcome::TooLarge { bytes, .. } => return Err(Poisoned::FrameTooLarge { bytes }),
            AppendOutcome::Unknown(poison) => return Err(Poisoned::Store(poison)),
        }
        let Some(InFlight { sealed, jobs, .. }) = self.in_flight.take() else {
            return Ok(());
        };
        self.landed = jobs;
        // The next frame goes to the disk while this one is shown.
        let launched = if self.draft.has_entries() {
            self.launch()
        } else {
            Ok(())
        };
        let advanced = self.state.advance(sealed.changes, &sealed.frontier);
        self.reader.publish(sealed.head, sealed.frame);
        self.landed.drain(..).for_each(Job::answer);
        advanced.map_err(|error| Poisoned::AdmissionState {
            detail: error.to_string(),
        })?;
        launched
    }

    /// The admission state is not what the ledger gives: it is built again at the next start.
    fn distrusted(&self, error: &FoldError) -> Poisoned {
        let detail = match self.state.distrust() {
            Ok(()) => error.to_string(),
            Err(second) => format!("{error}; {second}"),
        };
        Poisoned::AdmissionState { detail }
    }
}

/// Judges jobs in order, as long as the frame has room.
fn judge_jobs(
    ready: &mut VecDeque<Job>,
    done: &mut Vec<Job>,
    draft: &mut Draft,
    state: &mut Overlay<'_>,
    bench: &Bench,
) -> Result<(), FoldError> {
    while let Some(job) = ready.front_mut() {
        if !draft.judge(job, state, bench)? {
            break;
        }
        done.extend(ready.pop_front());
    }
    Ok(())
}
