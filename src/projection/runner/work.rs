//! The threads that work for a projection: one follows the ledger into what answers, one may
//! build what is to answer next, one may verify what answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use tokio::sync::watch;

use super::{EntrySource, RunnerError};

/// The threads of one projection. Held locked for a look or a change alone.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) follower: Option<Hand>,
    pub(super) builder: Option<Hand>,
    pub(super) verifier: Option<Hand>,
    /// No thread is started any more.
    pub(super) stopping: bool,
}

impl Work {
    /// Has every thread stop; what to wait for.
    pub(super) fn stop(&mut self) -> impl Iterator<Item = Hand> + use<> {
        self.stopping = true;
        let hands = [&mut self.follower, &mut self.builder, &mut self.verifier];
        let hands = hands.map(Option::take);
        for hand in hands.iter().flatten() {
            hand.stop();
        }
        hands.into_iter().flatten()
    }
}

/// A thread at work.
#[derive(Debug)]
pub(super) struct Hand {
    stop: Arc<AtomicBool>,
    /// Disconnected once the thread has ended and let go of everything.
    ended: Receiver<()>,
}

impl Hand {
    /// Starts `work` on a thread of its own; it is told by a flag when to stop.
    pub(super) fn start(
        name: String,
        work: impl FnOnce(Arc<AtomicBool>) + Send + 'static,
    ) -> Result<Self, RunnerError> {
        let stop = Arc::<AtomicBool>::default();
        let (alive, ended) = bounded(0);
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            // Dropped last.
            let _alive: Sender<()> = alive;
            work(told);
        });
        thread.map_err(RunnerError::Thread)?;
        Ok(Self { stop, ended })
    }

    /// Has it stop. A thread that waits for the ledger must be woken besides.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether it is still at work.
    pub(super) fn is_at_work(&self) -> bool {
        self.ended.try_recv() == Err(TryRecvError::Empty)
    }

    /// Has it stop, and waits for its end.
    pub(super) fn stop_and_wait(self, source: &dyn EntrySource) {
        self.stop();
        source.wake();
        self.wait();
    }

    /// Waits for its end.
    pub(super) fn wait(self) {
        // Nothing is ever sent: this is the end.
        let _ = self.ended.recv();
    }

    /// Waits for its end; whether that came by `deadline`.
    pub(super) fn ended_by(self, deadline: Instant) -> bool {
        self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
    }
}

/// How work goes on that somebody asked for. Dropping it gives the work up, as far as that can
/// be done.
#[derive(Debug)]
pub struct Steps<S> {
    newest: watch::Receiver<S>,
    given_up: Arc<AtomicBool>,
    is_begun: bool,
}

impl<S: Clone> Steps<S> {
    /// The first step, and what tells of more.
    pub(crate) fn begin(first: S) -> (watch::Sender<S>, Self) {
        let (told, newest) = watch::channel(first);
        let steps = Self {
            newest,
            given_up: Arc::default(),
            is_begun: false,
        };
        (told, steps)
    }

    /// Set once the work is given up.
    pub(crate) fn given_up(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.given_up)
    }

    /// The newest step, once it is news; none after the last.
    pub async fn next(&mut self) -> Option<S> {
        if self.is_begun && self.newest.changed().await.is_err() {
            return None;
        }
        self.is_begun = true;
        Some(self.newest.borrow_and_update().clone())
    }
}

impl<S> Drop for Steps<S> {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Release);
    }
}
