//! `HEAD`: the ledger's size and root, noted beside the database, and the thread that keeps it.
//!
//! It is what tells a ledger that lost its end from one that never had it. So it is noted, and
//! synced, within a second of any new entry and at a clean stop; never before the entries it
//! names are durable, and never on the way of an acknowledgement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::poison::{PoisonCell, Poisoned};
use super::reader::{Head, Reader};
use crate::storage::{self, DataDir, DataDirError};

/// The time between two notes. A write and its syncs are left the other half of a second.
const NOTE_EVERY: Duration = Duration::from_millis(500);

/// Where the head is noted.
pub trait HeadFile: Send + Sync {
    /// The head as it was last noted, if it ever was.
    fn read(&self) -> Result<Option<storage::Head>, DataDirError>;

    /// Notes the head, durably and as a whole.
    fn write(&self, head: &storage::Head) -> Result<(), DataDirError>;
}

impl HeadFile for DataDir {
    fn read(&self) -> Result<Option<storage::Head>, DataDirError> {
        self.read_head()
    }

    fn write(&self, head: &storage::Head) -> Result<(), DataDirError> {
        self.write_head(head)
    }
}

impl From<Head> for storage::Head {
    fn from(head: Head) -> Self {
        Self {
            size: head.size,
            root: head.root.into(),
        }
    }
}

/// The thread that notes the head.
pub(super) struct HeadKeeper {
    stop: Arc<AtomicBool>,
    reader: Reader,
    /// Ends a pause.
    pause: Sender<()>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl HeadKeeper {
    /// Starts the thread, where the head that `reader` shows is noted and nothing is appended yet.
    /// It poisons the ledger, and calls `failed`, if a head cannot be noted.
    pub fn start(
        file: Arc<dyn HeadFile>,
        reader: Reader,
        poison: PoisonCell,
        failed: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        // Before anything is appended, and not when the thread comes to run: by then there may be
        // entries that nobody has noted.
        let noted = reader.head();
        let (pause, paused) = bounded(1);
        let (alive, ended) = bounded(0);
        let stop = Arc::new(AtomicBool::new(false));
        let keeper = Self {
            stop: Arc::clone(&stop),
            reader: reader.clone(),
            pause,
            ended,
        };
        thread::Builder::new()
            .name("ledger-head".to_owned())
            .spawn(move || {
                // Dropped last: whoever sees it go may use the files again.
                let _alive: Sender<()> = alive;
                if let Err(error) = keep(file, reader, noted, &stop, &paused) {
                    poison.set(Poisoned::Head {
                        detail: error.to_string(),
                    });
                    failed();
                }
            })?;
        Ok(keeper)
    }

    /// Notes the newest head and ends the thread; whether it ended by `deadline`.
    pub fn stop(&self, deadline: Instant) -> bool {
        self.stop.store(true, Ordering::Release);
        self.reader.wake();
        // Full if it was asked before.
        let _ = self.pause.try_send(());
        self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for HeadKeeper {
    /// Has the thread end, without waiting for it.
    fn drop(&mut self) {
        self.stop(Instant::now());
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "file and reader are let go of when it returns"
)]
fn keep(
    file: Arc<dyn HeadFile>,
    reader: Reader,
    mut noted: Head,
    stop: &AtomicBool,
    paused: &Receiver<()>,
) -> Result<(), DataDirError> {
    while let Some(head) = reader.wait_beyond_blocking(noted.size, stop) {
        file.write(&head.into())?;
        noted = head;
        // Ends early when the keeper stops.
        let _ = paused.recv_timeout(NOTE_EVERY);
    }
    let head = reader.head();
    if head.size > noted.size {
        file.write(&head.into())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use crossbeam_channel::never;

    use super::*;
    use crate::ledger::tests::fixture::{Machine, actor};

    /// A head in memory.
    #[derive(Default)]
    struct Noted(Mutex<Option<storage::Head>>);

    impl HeadFile for Noted {
        fn read(&self) -> Result<Option<storage::Head>, DataDirError> {
            Ok(*self.0.lock().unwrap())
        }

        fn write(&self, head: &storage::Head) -> Result<(), DataDirError> {
            *self.0.lock().unwrap() = Some(*head);
            Ok(())
        }
    }

    #[test]
    fn what_was_recorded_and_stopped_before_the_thread_came_to_run_is_noted() {
        let machine = Machine::new();
        let running = machine.founded();
        running.record(vec![actor(1)]);
        let reader = running.reader.clone();
        running.stop();
        let before = Machine::new().open().unwrap().reader().head();
        let file = Arc::new(Noted::default());
        let (stop, head) = (AtomicBool::new(true), reader.head());
        keep(Arc::clone(&file) as _, reader, before, &stop, &never()).unwrap();
        assert_eq!(file.read().unwrap(), Some(head.into()));
    }
}
