//! How the rest of the room calls into a storage engine: sled reports some damage by panicking,
//! and waits for ever after some write errors, and lsm-tree expects blocks to decode, so every
//! call runs behind [`guarded`], and every call of sled's that waits for a disk behind a bound. The panic's message still reaches the panic hook; nothing
//! is silenced.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::fault::IoFault;

/// How a call into a storage engine failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineFault {
    /// The operating system refused something.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The engine says that what it reads is not what it wrote, or that it met a bug.
    #[error("{0}")]
    Damaged(String),
    /// The engine panicked.
    #[error("the storage engine panicked: {0}")]
    Panicked(String),
}

impl From<sled::Error> for EngineFault {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<lsm_tree::Error> for EngineFault {
    fn from(error: lsm_tree::Error) -> Self {
        match error {
            lsm_tree::Error::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl EngineFault {
    /// The operating system's part of it, as a fault at `path`; else what the engine said. Reads that
    /// end early or find nonsense are its way of saying that a file is damaged.
    pub fn split(self, action: &'static str, path: &Path) -> Result<IoFault, String> {
        match self {
            Self::Io(source)
                if !matches!(
                    source.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::NotFound
                ) =>
            {
                Ok(IoFault {
                    action,
                    path: path.to_owned(),
                    source,
                })
            }
            other => Err(other.to_string()),
        }
    }
}

/// Calls into an engine and turns a panic into an error.
pub(super) fn guarded<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<T, EngineFault>
where
    EngineFault: From<E>,
{
    // What a panic leaves half-done inside the engine is not used again: every caller poisons or
    // discards the handle, or only read.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(EngineFault::from),
        Err(payload) => Err(EngineFault::Panicked(panic_message(&*payload))),
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it gave no reason".to_owned())
}

/// Runs `work` in a thread of its own and waits for at most `bound`; the thread is left behind
/// if it takes longer. `None` if it did, or if it panicked.
pub(super) fn bounded<T: Send + 'static>(
    bound: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("storage-bounded".to_owned())
        .spawn(move || {
            // Nobody listens any more once the bound has passed.
            let _ = answer.send(work());
        })
        .ok()?;
    answered.recv_timeout(bound).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_behind_the_guard_becomes_an_error_with_its_message() {
        let result = guarded(|| -> Result<(), io::Error> { panic!("page {} is gone", 7) });
        assert!(matches!(result, Err(EngineFault::Panicked(text)) if text == "page 7 is gone"));
    }

    #[test]
    fn work_that_never_ends_is_left_behind() {
        let (hold, wait) = mpsc::channel::<()>();
        let waited = bounded(Duration::from_millis(1), move || wait.recv().is_ok());
        assert_eq!(waited, None);
        drop(hold);
        assert_eq!(bounded(Duration::from_mins(1), || 3), Some(3));
    }
}
