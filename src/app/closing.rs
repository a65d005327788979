//! The end of a daemon, by one deadline.
//!
//! Whatever ends may wait for a disk that never answers. So all of it is ended, in order, on a
//! thread of its own, and what has not ended by the deadline is left behind and named. That
//! loses nothing that was acknowledged: the next start recovers, as it does after a kill.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tokio::runtime::Runtime;

use super::archive::Archive;
use crate::projection::Runner;

/// How long the runtime's threads have to end once the services have.
const RUNTIME_BOUND: Duration = Duration::from_secs(2);

/// What an ending waits for before its first step.
const NOTHING_BEGUN: &str = "a thread to end on";

/// Ends an archive and the runtime that served it: calls that are still open, as they hold its
/// parts; the ledger, with its head noted; the projections; then the files that are open.
pub fn close(runtime: Runtime, archive: Archive, deadline: Instant) {
    let ended = by(deadline, move |steps| {
        steps.begin("open calls");
        let left = deadline.saturating_duration_since(Instant::now());
        runtime.shutdown_timeout(left.min(RUNTIME_BOUND));

        // It would sign what the ledger still takes.
        steps.begin("the signer");
        if !archive.signing.stop(deadline) {
            tracing::warn!("the signer did not stop in time");
        }
        drop(archive.signing);
        steps.begin("the ledger");
        if !archive.sequencer.stop(deadline) {
            tracing::warn!("the ledger did not stop in time; the next start recovers it");
        }
        // Their rows are closed with the last handle on them.
        let runners = [
            archive.catalog,
            archive.positions,
            archive.postings,
            archive.statements,
            archive.tiles,
        ];
        let projections = runners.each_ref().map(Runner::projection);
        for runner in runners {
            let name = runner.projection().name();
            steps.begin(name);
            if !runner.stop(deadline) {
                tracing::warn!(name, "the projection did not stop in time");
            }
        }
        steps.begin("the rows of the projections");
        drop(projections);
        steps.begin("the ledger's files");
    });
    if let Err(left_behind) = ended {
        tracing::warn!("{left_behind}");
    }
}

/// What was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the daemon ends without waiting any longer for {step}; the next start recovers")]
struct LeftBehind {
    /// What did not end by the deadline.
    step: &'static str,
}

/// Tells which step of an ending has begun.
struct Steps(Sender<&'static str>);

impl Steps {
    fn begin(&self, step: &'static str) {
        // Nobody listens any more once the deadline has passed.
        let _ = self.0.send(step);
    }
}

/// Runs `ending` on a thread of its own and waits for it until `deadline`.
fn by(deadline: Instant, ending: impl FnOnce(&Steps) + Send + 'static) -> Result<(), LeftBehind> {
    let (begun, steps) = unbounded();
    let spawned = thread::Builder::new()
        .name("onrecord-closing".to_owned())
        .spawn(move || ending(&Steps(begun)));
    if spawned.is_err() {
        return Err(LeftBehind {
            step: NOTHING_BEGUN,
        });
    }
    wait(&steps, deadline)
}

/// Waits for the last of the steps that begin, until `deadline`.
fn wait(steps: &Receiver<&'static str>, deadline: Instant) -> Result<(), LeftBehind> {
    let mut step = NOTHING_BEGUN;
    loop {
        match steps.recv_deadline(deadline) {
            Ok(begun) => step = begun,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => return Err(LeftBehind { step }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_by_the_deadline_is_left_behind_and_named() {
        let (begun, steps) = unbounded();
        let ending = Steps(begun);
        let left_behind = |step| Err(LeftBehind { step });
        assert_eq!(wait(&steps, Instant::now()), left_behind(NOTHING_BEGUN));
        ending.begin("the first");
        ending.begin("the second");
        assert_eq!(wait(&steps, Instant::now()), left_behind("the second"));
    }

    #[test]
    fn an_ending_that_never_ends_holds_nobody_up() {
        let (release, released) = unbounded::<()>();
        let ended = by(Instant::now(), move |_| {
            let _ = released.recv();
        });
        let step = NOTHING_BEGUN;
        assert_eq!(ended, Err(LeftBehind { step }));
        drop(release);
    }

    #[test]
    fn what_ends_in_time_is_waited_for() {
        let (done, was_done) = unbounded();
        let hour = Instant::now() + Duration::from_hours(1);
        let ended = by(hour, move |steps| {
            steps.begin("the only one");
            done.send(()).unwrap();
        });
        assert_eq!((ended, was_done.try_recv()), (Ok(()), Ok(())));
    }
}
