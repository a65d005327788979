//! What the signer's thread, the witnesses' threads and the services share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::home::SignerHome;
use super::not_signing::NotSigning;
use super::published::{Notes, Published, PublishedNote};
use super::suspicion::told;
use super::tree::Tree;
use super::witness::{Cosigning, Errand, Refused, Todo, WitnessStatus};
use crate::admission::witness_policy;
use crate::fold::Tables;
use crate::ledger::Clock;
use crate::merkle::{CosignatureTime, NoteKey, NoteSignature, WitnessPolicy};
use crate::storage::Suspicion;

/// What proofs and promises are read from. Let go of when the signer stops, whatever a witness
/// still keeps waiting.
#[derive(Clone)]
pub(super) struct Sources {
    pub tree: Arc<dyn Tree>,
    pub records: Arc<dyn Tables + Send + Sync>,
    /// Where a suspicion is noted; none where nothing is signed.
    pub home: Option<Arc<dyn SignerHome>>,
}

/// See the module.
pub(super) struct Shared {
    pub published: Published,
    pub clock: Arc<dyn Clock>,
    cosigning: Mutex<Cosigning>,
    /// A checkpoint was published, a witness answered, or the signer stops.
    news: Condvar,
    sources: Mutex<Option<Sources>>,
    stop: AtomicBool,
}

/// How checkpoints and witnesses are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The newest checkpoints of this run, or why there are none.
    pub notes: Notes,
    /// The witnesses.
    pub witnesses: Vec<WitnessStatus>,
    /// How many of them have to cosign; 0 if nobody has to.
    pub quorum: usize,
}

impl Shared {
    pub fn new(sources: Sources, clock: Arc<dyn Clock>, cosigning: Cosigning) -> Self {
        Self {
            published: Published::new(),
            clock,
            cosigning: Mutex::new(cosigning),
            news: Condvar::new(),
            sources: Mutex::new(Some(sources)),
            stop: AtomicBool::new(false),
        }
    }

    pub const fn stop_flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Has every thread end at its next look, and lets go of what they read.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        lock(&self.sources).take();
        // With the lock held, nobody is between a look and the wait that follows it.
        drop(lock(&self.cosigning));
        self.news.notify_all();
    }

    /// What proofs are made from; none once the signer stops.
    pub fn sources(&self) -> Option<Sources> {
        lock(&self.sources).clone()
    }

    pub fn status(&self) -> Status {
        let named = self.named();
        let (witnesses, quorum) = {
            let cosigning = lock(&self.cosigning);
            let named = named.as_ref().unwrap_or_else(|| cosigning.policy());
            (cosigning.status(named), named.quorum())
        };
        let notes = self.published.notes();
        Status {
            notes,
            witnesses,
            quorum,
        }
    }

    /// Who has to cosign what is signed from here on. The round at hand may be about a checkpoint of
    /// before they were named, and before the first there is none. None where that cannot be read.
    fn named(&self) -> Option<WitnessPolicy> {
        let sources = self.sources()?;
        let named = witness_policy(&*sources.records, u64::MAX);
        named
            .inspect_err(|error| tracing::error!(%error, "who is to cosign cannot be read"))
            .ok()
    }

    /// Nothing is signed, for this reason, unless there is one that does not pass.
    pub fn halt(&self, why: &NotSigning) {
        if !self.published.halt(why) {
            return;
        }
        if why.may_pass() {
            tracing::warn!(%why, "no checkpoint is signed for now");
        } else {
            tracing::error!(%why, "no checkpoint is signed");
        }
    }

    /// Nothing is signed any more, for what `witness` says of `seen` entries: that it has seen
    /// them, or that they are not what `signed` entries begin with. Noted first, so that a
    /// restart does not sign again.
    pub fn suspect(&self, witness: &NoteKey, seen: u64, signed: u64) {
        let suspicion = Suspicion {
            witness: witness.to_string(),
            seen,
            signed,
        };
        if let Some(home) = self.sources().and_then(|sources| sources.home)
            && let Err(error) = home.note_suspicion(&suspicion)
        {
            tracing::error!(%error, "what a witness says cannot be noted");
        }
        self.halt(&told(witness, &suspicion));
    }

    /// Shows a checkpoint that was signed, and has the witnesses cosign it.
    pub fn publish(&self, note: PublishedNote) {
        self.published.publish(note);
        self.advance(&mut lock(&self.cosigning));
    }

    /// Waits until there is a checkpoint that the witness at `seat` is to cosign; none once the
    /// signer stops.
    pub fn errand(&self, seat: usize) -> Option<Errand> {
        let mut cosigning = lock(&self.cosigning);
        loop {
            if self.stop.load(Ordering::Acquire) {
                return None;
            }
            let now = self.clock.monotonic();
            cosigning = match cosigning.todo(seat, now) {
                Todo::Ask(errand) => return Some(*errand),
                Todo::At(time) => {
                    let (cosigning, _) = self
                        .news
                        .wait_timeout(cosigning, time.saturating_sub(now))
                        .unwrap_or_else(PoisonError::into_inner);
                    cosigning
                }
                Todo::Later => self
                    .news
                    .wait(cosigning)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// The witness at `seat` is known to have seen `size` entries.
    pub fn has_seen(&self, seat: usize, size: u64) {
        lock(&self.cosigning).has_seen(seat, size);
    }

    /// Takes what came of an errand.
    pub fn done(
        &self,
        seat: usize,
        errand: &Errand,
        outcome: Result<(NoteSignature, CosignatureTime), Refused>,
    ) {
        let mut cosigning = lock(&self.cosigning);
        if let Some(note) = cosigning.done(seat, errand, outcome, self.clock.monotonic()) {
            self.published.join(note);
        }
        self.advance(&mut cosigning);
    }

    /// Begins the next round, if it is due.
    fn advance(&self, cosigning: &mut Cosigning) {
        if let Some(newest) = self.published.newest()
            && cosigning.is_due(&newest)
            && let Some(sources) = self.sources()
        {
            match witness_policy(&*sources.records, newest.size) {
                Ok(policy) => cosigning.begin(&newest, policy, self.clock.monotonic()),
                Err(error) => tracing::error!(%error, "who is to cosign cannot be read"),
            }
        }
        self.news.notify_all();
    }
}

/// What these locks guard is whole at every moment, also where a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the signer looks whether the tiles have been read as far as the head.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);
