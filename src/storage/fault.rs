//! A failed operation on a file, with what was tried and where, and the one question every
//! caller asks of an error: what is to be done about it.

use std::io;
use std::path::{Path, PathBuf};

/// What is to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The same call may succeed later.
    Retry,
    /// The call itself must change.
    FixInput,
    /// There is no space left where the data lives; an operator must make some.
    DiskFull,
    /// An operator must act: a permission, another process, a failing disk.
    Operator,
    /// What was stored is not what was written; it comes back from a backup or a rebuild only.
    Damaged,
}

/// An operation on a file or directory that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct IoFault {
    /// What was tried, as a verb phrase: "sync the directory".
    pub action: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the operating system answered.
    pub source: io::Error,
}

impl IoFault {
    /// Whether the disk, or the share of it that this process may use, is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        is_disk_full(&self.source)
    }

    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        if self.is_disk_full() {
            FaultKind::DiskFull
        } else {
            FaultKind::Operator
        }
    }
}

/// Whether `error` says that there is no space left.
pub(super) fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Says what was tried, where, when an operation fails.
pub(super) trait Attempt<T> {
    /// `action` as in "cannot {action} {path}".
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, IoFault>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, IoFault> {
        self.map_err(|source| IoFault {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
