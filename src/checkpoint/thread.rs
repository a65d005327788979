//! The threads of a signer: one that follows the ledger, and one a witness.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::home::SignerHome;
use super::not_signing::NotSigning;
use super::published::Published;
use super::shared::{LOOK_EVERY, Shared, Sources, Status};
use super::signer::Signer;
use super::suspicion::unsuspected;
use super::tree::Tree;
use super::witness::{Cosigning, Transport, Witness, work};
use crate::fold::Tables;
use crate::ledger::{Clock, Reader};

/// After how long a wait for the tiles is told of: a healthy daemon's are milliseconds behind.
const BEHIND_TOLD_AFTER: Duration = Duration::from_secs(1);

/// What a signer signs and from where.
pub struct Parts {
    /// The ledger.
    pub reader: Reader,
    /// Admission's rows, which name the archive's keys and witnesses.
    pub records: Arc<dyn Tables + Send + Sync>,
    /// The hashes below the head.
    pub tree: Arc<dyn Tree>,
    /// The signer's home, or why nothing is signed.
    pub home: Result<Arc<dyn SignerHome>, NotSigning>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The witnesses that can be asked, and the way to each.
    pub witnesses: Vec<(Witness, Box<dyn Transport>)>,
}

/// How often a signer signs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The time between two checkpoints.
    pub interval: Duration,
    /// The time between two requests to a witness.
    pub witness_interval: Duration,
}

/// The archive's checkpoints, to be asked. Clones are the same.
#[derive(Clone)]
pub struct Checkpoints {
    shared: Arc<Shared>,
}

impl Checkpoints {
    /// The notes that are published.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.shared.published
    }

    /// How checkpoints and witnesses are.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }
}

impl std::fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoints")
            .field("published", self.published())
            .finish_non_exhaustive()
    }
}

/// A signer at work. Dropping it has its threads end, without waiting.
pub struct Signing {
    shared: Arc<Shared>,
    reader: Reader,
    /// Ends a pause.
    pause: Sender<()>,
    /// Disconnected once the signer's thread has ended.
    ended: Receiver<()>,
}

impl Signing {
    /// Starts a signer. Where there is a reason not to sign, it serves that reason.
    pub fn start(parts: Parts, settings: &Settings) -> io::Result<Self> {
        let Parts {
            reader,
            records,
            tree,
            home,
            clock,
            witnesses,
        } = parts;
        let (asked, transports): (Vec<_>, Vec<_>) = witnesses.into_iter().unzip();
        let cosigning = Cosigning::new(asked.clone(), settings.witness_interval);
        let sources = Sources {
            tree: Arc::clone(&tree),
            records: Arc::clone(&records),
            home: home.as_ref().ok().map(Arc::clone),
        };
        let shared = Arc::new(Shared::new(sources, clock, cosigning));
        let (pause, paused) = bounded(1);
        let (alive, ended) = bounded(0);
        let signing = Self {
            shared: Arc::clone(&shared),
            reader: reader.clone(),
            pause,
            ended,
        };
        let signer = home.and_then(|home| {
            let names = asked.iter().map(|it| it.key.note_key());
            unsuspected(&*home, names)?;
            let signer = Signer::open(reader.origin(), home, tree, records)?;
            // Nothing is taken meanwhile that could not be signed.
            signer.is_continued(&reader.head())?;
            Ok(signer)
        });
        let signer = match signer {
            Ok(signer) => signer,
            Err(why) => {
                shared.halt(&why);
                return Ok(signing);
            }
        };
        for (seat, (witness, transport)) in std::iter::zip(asked, transports).enumerate() {
            let shared = Arc::clone(&shared);
            let ask = move || work(&shared, seat, &witness.key, &*transport);
            thread::Builder::new()
                .name("onrecord-witness".to_owned())
                .spawn(ask)?;
        }
        let interval = settings.interval;
        thread::Builder::new()
            .name("onrecord-signer".to_owned())
            .spawn(move || {
                // Dropped last: whoever sees it go may use the files again.
                let _alive: Sender<()> = alive;
                let guard = Guard(shared);
                follow(signer, &guard.0, &reader, interval, &paused);
            })?;
        Ok(signing)
    }

    /// What is signed, to be asked.
    #[must_use]
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Stops after the checkpoint at hand; whether the signer's thread ended by `deadline`. A
    /// witness that is being waited for is left behind.
    #[must_use]
    pub fn stop(&self, deadline: Instant) -> bool {
        self.shared.stop();
        self.reader.wake();
        // Full if it was asked before.
        let _ = self.pause.try_send(());
        self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Signing {
    /// Has the threads end, without waiting for them.
    fn drop(&mut self) {
        let _ = self.stop(Instant::now());
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

/// Says that the signer ended, where it panicked.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.halt(&NotSigning::Ended);
        }
    }
}

/// Signs the ledger as it grows, at most once in `interval`, until it is told to stop or must
/// not sign any more.
fn follow(
    mut signer: Signer,
    shared: &Shared,
    reader: &Reader,
    interval: Duration,
    paused: &Receiver<()>,
) {
    // What was signed last is shown again after a restart, also where nothing has come since.
    let mut shown = 0;
    let mut behind_since = None;
    while reader
        .wait_beyond_blocking(shown, shared.stop_flag())
        .is_some()
    {
        if shared
            .published
            .not_signing()
            .is_some_and(|why| !why.may_pass())
        {
            return;
        }
        let begun = shared.clock.monotonic();
        let pause = match signer.sign(&reader.head(), shared.clock.now()) {
            Ok(note) => {
                shown = note.size;
                behind_since = None;
                shared.publish(note);
                let taken = shared.clock.monotonic().saturating_sub(begun);
                interval.saturating_sub(taken)
            }
            Err(why @ NotSigning::Behind { .. }) => {
                let since = *behind_since.get_or_insert(begun);
                if begun.saturating_sub(since) > BEHIND_TOLD_AFTER {
                    shared.halt(&why);
                }
                LOOK_EVERY
            }
            Err(why) => {
                shared.halt(&why);
                interval
            }
        };
        // Ends early when the signer stops.
        let _ = paused.recv_timeout(pause);
    }
}
