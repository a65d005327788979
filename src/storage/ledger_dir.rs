//! The ledger's directory: `frames/`, the database, and `EPOCH`, the number of times it was
//! opened or more, which lies beside the database because that holds frames and nothing else. And the
//! reasons why a ledger does not open, each with what to do about it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Attempt, FaultKind, IoFault};
use super::frames::StoreError;
use super::guard::EngineFault;
use super::lock_file::LockFile;
use super::sled_dir::{self, Access};
use super::sync::{Syncer, replace_file};

/// Why a frame store could not be created or opened. Where nothing else is said, nothing was
/// changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An operation on a file failed.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// There is no ledger here.
    #[error("{} holds no ledger; restore it from a backup", dir.display())]
    Missing {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// There is a ledger here already.
    #[error("{} holds a ledger already; found the archive in another directory", dir.display())]
    AlreadyExists {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// Somebody else has the database open.
    #[error("the ledger in {} is in use by another process; stop it first", dir.display())]
    Locked {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// The database holds records that are never synced.
    #[error("the ledger in {} has {files} files in blobs/, where nothing may be; restore it from a backup", dir.display())]
    Blobs {
        /// The ledger's directory.
        dir: PathBuf,
        /// How many.
        files: usize,
    },
    /// The database does not open.
    #[error("the ledger in {} does not open ({detail}); keep a copy and restore it from a backup", dir.display())]
    Damaged {
        /// The ledger's directory.
        dir: PathBuf,
        /// What sled said.
        detail: String,
    },
    /// The database is still opening after longer than any whole one takes.
    #[error("the ledger in {} does not open within {seconds} seconds; keep a copy and restore it from a backup", dir.display())]
    TooSlow {
        /// The ledger's directory.
        dir: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The database opens, its frames do not read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Io(fault) => fault.kind(),
            Self::Store(error) => error.kind(),
            Self::AlreadyExists { .. } => FaultKind::FixInput,
            Self::Locked { .. } => FaultKind::Operator,
            _ => FaultKind::Damaged,
        }
    }
}

pub(super) fn frames_dir(dir: &Path) -> PathBuf {
    dir.join("frames")
}

/// Where a copy lies while it is examined.
pub(super) fn copy_dir(dir: &Path) -> PathBuf {
    dir.join("frames.copy")
}

pub(super) fn remove_copy(copy: &Path) {
    if let Err(error) = sled_dir::remove_dir(copy) {
        tracing::warn!(path = %copy.display(), %error, "could not remove a copy");
    }
}

/// Looks at a ledger without changing it: that it is there, that nobody has it open, and that
/// nothing left its log. Keeps others from opening it until the lock is let go of.
pub(super) fn examine(dir: &Path, access: Access) -> Result<LockFile, OpenError> {
    let frames = frames_dir(dir);
    if !sled_dir::log_path(&frames).exists() {
        return Err(OpenError::Missing {
            dir: dir.to_owned(),
        });
    }
    let lock = sled_dir::try_lock(&frames, access)?.ok_or_else(|| OpenError::Locked {
        dir: dir.to_owned(),
    })?;
    match sled_dir::blob_files(&frames)? {
        0 => Ok(lock),
        files => Err(OpenError::Blobs {
            dir: dir.to_owned(),
            files,
        }),
    }
}

pub(super) fn open_error(fault: EngineFault, dir: &Path) -> OpenError {
    match fault.split("open the ledger in", dir) {
        Ok(fault) => fault.into(),
        Err(detail) => OpenError::Damaged {
            dir: dir.to_owned(),
            detail,
        },
    }
}

/// The epoch lies beside the database, which holds frames and nothing else.
fn epoch_path(dir: &Path) -> PathBuf {
    dir.join("EPOCH")
}

/// The epoch as it was claimed last. One that is lost counts as 0: the frames name theirs, and
/// recovery claims above it.
pub(super) fn read_epoch(dir: &Path) -> Result<u64, IoFault> {
    let path = epoch_path(dir);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.attempt("read", &path)?,
    };
    let number = str::from_utf8(&text).ok();
    let number = number.and_then(|text| text.trim().parse().ok());
    if number.is_none() {
        tracing::warn!(path = %path.display(), "the epoch is lost; the frames tell it");
    }
    Ok(number.unwrap_or(0))
}

pub(super) fn write_epoch(dir: &Path, syncer: &dyn Syncer, epoch: u64) -> Result<(), IoFault> {
    replace_file(syncer, &epoch_path(dir), format!("{epoch}\n").as_bytes())
}
