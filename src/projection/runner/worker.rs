//! What builds tables until they may answer, and then follows the ledger into them.
//!
//! Tables that are being built are seen by nobody. Once they have read nearly all of the
//! ledger they are written out and marked as built; then the follower of those that answer is
//! stopped, the new ones read on to where it stood, and take its place, all at once. So what
//! is shown never goes back, and at every moment something whole answers that answered before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::RunnerError;
use super::builds::{Build, Builds};
use super::folding::{Folding, Halt, Pace};
use super::projection::{Building, Opened, Shared, Shown, Status};
use super::work::{Hand, Steps, Work};
use crate::projection::Cursor;
use crate::storage::ProjectionStore as _;

/// A build has caught up when it lacks no more entries than this: two of the largest frames,
/// which are folded in the time that a reader waits for anyway.
pub(super) const CAUGHT_UP_WITHIN: u64 = 2_048;

/// How a build stands, as told to whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RebuildStep {
    /// It folds.
    Folding(Building),
    /// It answers.
    Swapped {
        /// The version of the fold that built it.
        version: u32,
        /// How far it had read then.
        cursor: Cursor,
    },
    /// It has failed and is of no use; what answered before goes on.
    Failed {
        /// The entry that could not be folded; where another thing failed, the first that it
        /// has not read.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// It was told to stop.
    Stopped,
}

impl Shared {
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tables that nobody sees, with what fills them.
    pub(super) fn folding(&self, opened: Arc<Opened>, cursor: Cursor) -> Folding {
        let (fold, source) = (Arc::clone(&self.fold), Arc::clone(&self.source));
        Folding::new(fold, source, opened, cursor)
    }

    /// Has a thread follow the ledger into what answers.
    pub(super) fn follow(
        self: &Arc<Self>,
        work: &mut Work,
        opened: Arc<Opened>,
        cursor: Cursor,
    ) -> Result<(), RunnerError> {
        let shared = Arc::clone(self);
        let name = format!("onrecord-{}", self.fold.name());
        let hand = Hand::start(name, move |stop| {
            let folding = shared.folding(opened, cursor);
            Follower {
                shared,
                folding,
                stop,
            }
            .run();
        })?;
        work.follower = Some(hand);
        Ok(())
    }

    /// Has a thread fill tables that nobody sees, and put them in place of what answers.
    pub(super) fn build(
        self: &Arc<Self>,
        work: &mut Work,
        opened: Opened,
        cursor: Cursor,
        purpose: Purpose,
    ) -> Result<Steps<RebuildStep>, RunnerError> {
        let first = Building {
            version: self.fold.version(),
            done: cursor.size,
            total: self.source.head().size,
        };
        let (steps, rebuild) = Steps::begin(RebuildStep::Folding(first));
        let given_up = rebuild.given_up();
        let building = |building| {
            let shown = |shown: &mut Shown| shown.building = building;
            self.shown.0.send_modify(shown);
        };
        building(Some(first));
        let shared = Arc::clone(self);
        let name = format!("onrecord-{}-build", self.fold.name());
        let hand = Hand::start(name, move |stop| {
            let folding = shared.folding(Arc::new(opened), cursor);
            let builder = Builder {
                shared,
                folding,
                stop,
                purpose,
                given_up,
                is_placing: false,
                steps,
            };
            builder.run();
        });
        work.builder = Some(hand.inspect_err(|_| building(None))?);
        Ok(rebuild)
    }
}

/// Runs what may halt or panic.
pub(super) fn run<T>(work: impl FnOnce() -> Result<T, Halt>) -> Result<T, (Option<u64>, String)> {
    let Ok(result) = catch_unwind(AssertUnwindSafe(work)) else {
        let reason = "the fold or the storage engine panicked";
        return Err((None, reason.to_owned()));
    };
    result.map_err(|halt| (halt.index(), halt.to_string()))
}

/// Follows the ledger into what answers.
struct Follower {
    shared: Arc<Shared>,
    folding: Folding,
    stop: Arc<AtomicBool>,
}

impl Follower {
    fn run(mut self) {
        let status = match run(|| self.follow()) {
            Ok(()) if self.shared.work().stopping => Status::Stopped,
            // Other tables take the place of these.
            Ok(()) => return,
            Err((index, reason)) => {
                let (index, reason) = failed(&self.folding, index, reason);
                Status::Failed { index, reason }
            }
        };
        self.shared
            .shown
            .0
            .send_modify(|shown| shown.status = status);
    }

    fn follow(&mut self) -> Result<(), Halt> {
        let source = Arc::clone(&self.shared.source);
        while let Some(head) = source.wait_beyond(self.folding.cursor.size, &self.stop) {
            let advanced = self.folding.advance(head.size, Pace::Following);
            let cursor = self.folding.cursor;
            self.shared
                .shown
                .0
                .send_modify(|shown| shown.cursor = cursor);
            advanced?;
        }
        Ok(())
    }
}

/// Where and why it failed.
fn failed(folding: &Folding, index: Option<u64>, reason: String) -> (u64, String) {
    let index = index.unwrap_or(folding.cursor.size);
    let path = folding.opened.build.path.display();
    tracing::error!(%path, index, reason, "a projection stopped");
    (index, reason)
}

/// What tables are built for.
pub(super) enum Purpose {
    /// There are none of this version: the next start goes on with what is done until then.
    First {
        /// What is of no use once there are.
        obsolete: Vec<Build>,
    },
    /// Somebody asked for it: what is not finished goes.
    Asked,
}

/// Fills tables that nobody sees.
struct Builder {
    shared: Arc<Shared>,
    folding: Folding,
    stop: Arc<AtomicBool>,
    purpose: Purpose,
    /// Set once nobody wants a build any more that was asked for.
    given_up: Arc<AtomicBool>,
    /// Nothing follows into what answers any more, as these tables are to take its place.
    is_placing: bool,
    steps: watch::Sender<RebuildStep>,
}

impl Builder {
    fn run(mut self) {
        let step = match run(|| self.build()) {
            Ok(true) => RebuildStep::Swapped {
                version: self.folding.opened.build.version,
                cursor: self.folding.cursor,
            },
            Ok(false) => RebuildStep::Stopped,
            Err((index, reason)) => {
                let (index, reason) = failed(&self.folding, index, reason);
                RebuildStep::Failed { index, reason }
            }
        };
        self.end(step);
    }

    /// Builds, and takes the place of what answers; false if it was told to stop before.
    fn build(&mut self) -> Result<bool, Halt> {
        let mut head = self.shared.source.head().size;
        self.tell(head);
        if head.saturating_sub(self.folding.cursor.size) > CAUGHT_UP_WITHIN {
            self.folding.read_ahead(head)?;
        }
        while head.saturating_sub(self.folding.cursor.size) > CAUGHT_UP_WITHIN {
            if self.is_stopped() {
                return Ok(false);
            }
            self.folding.advance(head, Pace::Building)?;
            head = self.shared.source.head().size;
            self.tell(head);
        }
        self.read_on(self.shared.source.head().size)?;
        if self.is_stopped() {
            return Ok(false);
        }
        self.folding.opened.tables.persist()?;
        self.folding.opened.build.mark_built()?;
        self.take_place()
    }

    /// Reads on up to `size` entries.
    fn read_on(&mut self, size: u64) -> Result<(), Halt> {
        while self.folding.cursor.size < size {
            self.folding.advance(size, Pace::Following)?;
        }
        Ok(())
    }

    /// Takes the place of what answers, from where that stands.
    fn take_place(&mut self) -> Result<bool, Halt> {
        let shared = Arc::clone(&self.shared);
        self.is_placing = true;
        let follower = shared.work().follower.take();
        if let Some(follower) = follower {
            follower.stop_and_wait(&*shared.source);
        }
        let size = shared.shown.0.borrow().cursor.size;
        self.read_on(size)?;
        let mut work = shared.work();
        if work.stopping {
            return Ok(false);
        }
        let (opened, cursor) = (Arc::clone(&self.folding.opened), self.folding.cursor);
        let mut before = None;
        shared.shown.0.send_modify(|shown| {
            before = shown.answering.replace(Arc::clone(&opened));
            shown.cursor = cursor;
            shown.status = Status::Following;
            shown.building = None;
        });
        shared.follow(&mut work, opened, cursor)?;
        drop(work);
        let mut kept = vec![&self.folding.opened.build];
        if let Some(before) = &before {
            before.tables.discard_when_closed();
            kept.push(&before.build);
        }
        if let Purpose::First { obsolete } = &self.purpose {
            Builds::remove_all_but(obsolete, &kept);
        }
        Ok(true)
    }

    fn is_stopped(&self) -> bool {
        let given_up =
            matches!(self.purpose, Purpose::Asked) && self.given_up.load(Ordering::Acquire);
        given_up || self.stop.load(Ordering::Acquire)
    }

    fn tell(&self, total: u64) {
        let building = Building {
            version: self.folding.opened.build.version,
            done: self.folding.cursor.size,
            total,
        };
        self.shared
            .shown
            .0
            .send_modify(|shown| shown.building = Some(building));
        self.steps.send_replace(RebuildStep::Folding(building));
    }

    /// Ends, whatever came of it. Takes no lock on the work: a next build waits for this end
    /// with that held.
    fn end(self, step: RebuildStep) {
        let Self {
            shared,
            folding,
            purpose,
            is_placing,
            steps,
            ..
        } = self;
        let is_asked = matches!(purpose, Purpose::Asked);
        let is_of_no_use = is_asked && !is_placing;
        if is_of_no_use {
            folding.opened.tables.discard_when_closed();
        }
        shared.shown.0.send_modify(|shown| {
            shown.building = None;
            let status = match &step {
                RebuildStep::Failed { index, reason } => Status::Failed {
                    index: *index,
                    reason: reason.clone(),
                },
                RebuildStep::Stopped => Status::Stopped,
                RebuildStep::Swapped { .. } | RebuildStep::Folding(_) => return,
            };
            // Where something follows the ledger, that goes on.
            if is_of_no_use {
                return;
            }
            // Where nothing else answers, what was read until here does.
            if shown.answering.is_none() && matches!(status, Status::Failed { .. }) {
                shown.answering = Some(Arc::clone(&folding.opened));
                shown.cursor = folding.cursor;
            }
            shown.status = status;
        });
        // Whoever is told finds nothing left of it.
        drop(folding);
        steps.send_replace(step);
    }
}
