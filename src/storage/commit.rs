//! The committer: the thread that carries out one change to the ledger's database at a time and
//! makes it durable. It is a thread of its own so that its caller can stop waiting: after some
//! write errors sled's `flush` never returns.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::fault::is_disk_full;
use super::frames::{KEY_BYTES, Poison, PoisonCause};
use super::guard::{EngineFault, guarded};
use super::passed::Passed;
use super::sync::Syncer;

/// What is to be done before the sync.
pub(super) enum Order {
    /// Put a value under a key.
    Put {
        /// The key.
        key: [u8; KEY_BYTES],
        /// The value.
        value: Vec<u8>,
    },
    /// Take a key away.
    Remove {
        /// The key.
        key: [u8; KEY_BYTES],
    },
    /// Only sync.
    Nothing,
}

/// The log file of a database, by a handle of our own: fdatasync covers what any handle wrote.
pub(super) struct Log {
    pub file: File,
    pub path: PathBuf,
}

/// The line to the committer's thread. Whoever holds it is the only writer.
pub(super) struct Committer {
    orders: SyncSender<Order>,
    answers: Receiver<Result<(), Poison>>,
    bound: Duration,
    thread: JoinHandle<()>,
}

impl Committer {
    /// Starts the thread. A commit that takes longer than `bound` counts as failed.
    pub fn start(
        db: sled::Db,
        log: Log,
        syncer: Arc<dyn Syncer>,
        bound: Duration,
    ) -> io::Result<Self> {
        let (orders, ordered) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("ledger-commit".to_owned())
            .spawn(move || {
                let mut passed = Passed::default();
                while let Ok(order) = ordered.recv() {
                    if answer
                        .send(commit(&db, order, &mut passed, &log, &*syncer))
                        .is_err()
                    {
                        break;
                    }
                }
            })?;
        Ok(Self {
            orders,
            answers,
            bound,
            thread,
        })
    }

    /// Carries out one order, durably. After an error there must be no other: an answer that
    /// comes too late would be taken for the next one's.
    pub fn carry_out(&self, order: Order) -> Result<(), Poison> {
        let gone = || poison(PoisonCause::Panicked, "the committer's thread is gone");
        self.orders.send(order).map_err(|_| gone())?;
        match self.answers.recv_timeout(self.bound) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => Err(poison(
                PoisonCause::TimedOut,
                format!("nothing was heard for {:?}", self.bound),
            )),
        }
    }

    /// Ends the thread and waits until it let go of the database. For ever, if it hangs.
    pub fn join(self) {
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::warn!("the committer's thread panicked");
        }
    }
}

/// The change, sled's flush, then the sync that reaches the disk.
fn commit(
    db: &sled::Db,
    order: Order,
    passed: &mut Passed,
    log: &Log,
    syncer: &dyn Syncer,
) -> Result<(), Poison> {
    guarded(|| match order {
        Order::Put { key, value } => db.insert(key, value).and_then(|_| passed.pass(db, key)),
        Order::Remove { key } => db.remove(key).map(|_| ()),
        Order::Nothing => Ok(()),
    })
    .map_err(|fault| engine_poison(PoisonCause::Write, &fault))?;
    guarded(|| syncer.flush(&mut || db.flush().map(|_| ()).map_err(io::Error::from)))
        .map_err(|fault| engine_poison(PoisonCause::Write, &fault))?;
    syncer
        .sync_data(&log.file, &log.path)
        .map_err(|error| engine_poison(PoisonCause::Sync, &EngineFault::Io(error)))
}

fn engine_poison(cause: PoisonCause, fault: &EngineFault) -> Poison {
    let cause = match fault {
        EngineFault::Io(error) if is_disk_full(error) => PoisonCause::DiskFull,
        EngineFault::Panicked(_) => PoisonCause::Panicked,
        _ => cause,
    };
    poison(cause, fault.to_string())
}

fn poison(cause: PoisonCause, detail: impl Into<String>) -> Poison {
    let detail = detail.into();
    Poison { cause, detail }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::super::sled_dir;
    use super::super::sync::DiskSyncer;
    use super::*;

    /// Syncs files only once somebody sent it a message.
    #[derive(Debug)]
    struct Hanging(Mutex<Receiver<()>>);

    impl Syncer for Hanging {
        fn flush(&self, write_out: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
            write_out()
        }

        fn sync_data(&self, _file: &File, _path: &Path) -> io::Result<()> {
            self.0.lock().unwrap().recv().map_err(io::Error::other)
        }

        fn sync_file(&self, file: &File, path: &Path) -> io::Result<()> {
            self.sync_data(file, path)
        }

        fn sync_dir(&self, dir: &Path) -> io::Result<()> {
            DiskSyncer.sync_dir(dir)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            DiskSyncer.rename(from, to)
        }
    }

    #[test]
    fn a_commit_that_hangs_counts_as_failed_once_its_bound_has_passed() {
        let dir = tempfile::tempdir().unwrap();
        let db = sled_dir::open_sled(dir.path(), 512 << 10, 1 << 20).unwrap();
        let path = sled_dir::log_path(dir.path());
        let file = File::open(&path).unwrap();
        let (release, released) = sync_channel(0);
        let committer = Committer::start(
            db,
            Log { file, path },
            Arc::new(Hanging(Mutex::new(released))),
            Duration::from_millis(5),
        )
        .unwrap();
        let poison = committer.carry_out(Order::Nothing).unwrap_err();
        assert_eq!(poison.cause, PoisonCause::TimedOut);
        drop(release);
        committer.join();
    }
}
