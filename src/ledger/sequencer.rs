//! The sequencer: the one thread that owns the ledger's tail.
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
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::clock::ClockWatch;
use super::draft::{Bench, Draft, Sealed};
use super::job::Job;
use super::poison::{PoisonCell, Poisoned};
use super::reader::Reader;
use super::recovery::Ledger;
use super::state::AdmissionState;
use super::tail::Tail;
use super::threads::Surroundings;
use crate::fold::{FoldError, Overlay};
use crate::storage::{AppendOutcome, FrameStore};

/// What the sequencer is told of.
pub(super) enum Notice {
    /// Intake has prepared what it took under this ticket.
    Prepared(u64, Vec<Job>),
    /// The frame on its way has arrived, or has not.
    Committed(AppendOutcome),
    /// Nothing more will be prepared.
    Stop,
    /// The ledger was poisoned elsewhere.
    Poisoned,
}

/// A frame for the committer.
pub(super) struct Commit {
    pub first_index: u64,
    pub count: NonZeroU32,
    pub frame: Vec<u8>,
}

/// How the sequencer speaks with the threads around it.
pub(super) struct Lines {
    pub inbox: Receiver<Notice>,
    pub commits: Sender<Commit>,
    pub poison: PoisonCell,
}

/// A frame on its way to the disk, and who waits for it.
struct InFlight {
    sealed: Sealed,
    jobs: Vec<Job>,
    /// When it counts as failed.
    deadline: Instant,
}

/// What the sequencer's thread owns.
pub(super) struct Sequence {
    lines: Lines,
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

    in_flight: Option<InFlight>,
    commit_bound: Duration,
    epoch: u64,
    frames: Arc<dyn FrameStore>,
    reader: Reader,
}

impl Sequence {
    /// What goes on where `ledger` ends.
    pub fn of(
        ledger: Ledger,
        surroundings: Surroundings,
        commit_bound: Duration,
        lines: Lines,
    ) -> Self {
        Self {
            lines,
            ready: VecDeque::new(),
            judged: Vec::new(),
            landed: Vec::new(),
            early: BTreeMap::new(),
            next_ticket: 0,
            stopping: false,
            draft: Draft::after(&ledger.tail),
            tail: ledger.tail,
            state: ledger.state,
            bench: Bench {
                watch: ClockWatch::start(&*surroundings.clock),
                clock: surroundings.clock,
                documents: surroundings.documents,
                reader: ledger.reader.clone(),
                on_its_way: None,
            },
            in_flight: None,
            commit_bound,
            epoch: ledger.parts.frames.epoch(),
            frames: ledger.parts.frames,
            reader: ledger.reader,
        }
    }

    /// Judges and launches until it is told to stop, or fails.
    pub fn run(mut self) {
        // Poisoned before the jobs are dropped, which sends their callers to look for why.
        let panicked = |_| {
            Err(Poisoned::Panicked {
                thread: "ledger-sequencer",
            })
        };
        if let Err(reason) = catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or_else(panicked)
        {
            self.lines.poison.set(reason);
        }
        if self.lines.poison.get().is_some() {
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
                self.reader.settle(None);
            }
            if self.stopping && self.in_flight.is_none() {
                return Ok(());
            }
            let mut notice = Some(self.wait()?);
            while let Some(next) = notice {
                self.take(next)?;
                notice = self.lines.inbox.try_recv().ok();
            }
            if let Some(reason) = self.lines.poison.get() {
                return Err(reason.clone());
            }
        }
    }

    /// The next notice; in time, if a frame is on its way.
    fn wait(&self) -> Result<Notice, Poisoned> {
        let notice = match &self.in_flight {
            Some(frame) => self.lines.inbox.recv_deadline(frame.deadline),
            None => self
                .lines
                .inbox
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
        };
        notice.map_err(|error| match error {
            RecvTimeoutError::Timeout => Poisoned::TimedOut {
                bound: self.commit_bound,
            },
            // The committer and the sequencer's owner hold senders.
            RecvTimeoutError::Disconnected => Poisoned::Panicked {
                thread: "ledger-committer",
            },
        })
    }

    fn take(&mut self, notice: Notice) -> Result<(), Poisoned> {
        match notice {
            Notice::Prepared(ticket, jobs) => {
                self.early.insert(ticket, jobs);
                while let Some(jobs) = self.early.remove(&self.next_ticket) {
                    self.ready.extend(jobs);
                    self.next_ticket += 1;
                }
            }
            Notice::Committed(outcome) => self.committed(outcome)?,
            Notice::Stop => self.stopping = true,
            // Looked at by the caller.
            Notice::Poisoned => {}
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
        self.lines
            .commits
            .send(commit)
            .map_err(|_| Poisoned::Panicked {
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
        let next = self.in_flight.as_ref();
        let next = next.map(|frame| frame.sealed.frame.recorded_at);
        self.reader.settle(next.or(self.draft.time()));
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
