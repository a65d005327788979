//! A data directory: who may use it, where each part of an archive lies in it, and `HEAD`.
//!
//! ```text
//! FORMAT        that this is an onrecord data directory, and of which format
//! LOCK          held by the process that uses it
//! HEAD          size and root of the ledger as they were last noted, beside the database
//! ledger/       the frames
//! admission/    the state that admission judges by
//! projections/  one directory a projection and version; disposable
//! sources/      archived documents
//! texts/        their extracted texts; disposable
//! RESTORED      it came from a backup, and nobody has said yet which checkpoint it continues
//! UNFINISHED    it is being filled, and by what; where there is a FORMAT, that is over
//! ```
//!
//! An open [`DataDir`] holds the lock. Every refusal says in one sentence what is wrong and what
//! to do. `HEAD` may lag behind the ledger; a ledger shorter than `HEAD` has lost entries.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{Attempt, FaultKind, IoFault};
use super::head::{Head, head_text, parse_head};
use super::lock_file::LockFile;
use super::parts::Parts;
use super::sync::{DiskSyncer, Syncer, replace_file};
use super::unfinished::Work;

/// The format of data directories that this program writes and reads.
pub const FORMAT_NUMBER: u32 = 1;

const MAGIC: &str = "onrecord data directory";

/// The longest `FORMAT` or `HEAD` that is read: both are below 250 bytes.
const MARKER_BYTES_MAX: u64 = 4096;

/// The name of the file that marks a directory that came from a backup.
pub const RESTORED: &str = "RESTORED";

const RESTORED_TEXT: &str = "\
This archive was restored from a backup. It takes no records and signs no checkpoint until it is told
which checkpoint it continues: onrecord serve --continue-from CHECKPOINT_FILE
";

const REPLICA_TEXT: &str = "\
This is a replica of an archive, made from a bag. It is served for reading: it takes no records
and signs no checkpoint.
";

/// The name of the file that marks a directory which is being filled, and says by what.
pub(super) const UNFINISHED: &str = "UNFINISHED";

/// What a directory may hold and yet count as empty: what a creation that was cut short leaves,
/// and what a fresh file system has.
const IGNORED: [&str; 4] = ["LOCK", "FORMAT.new", "UNFINISHED.new", "lost+found"];

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// An operation on a file failed.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// This process may not use it.
    #[error("no permission to use {}; run as its owner or give this user access to it", path.display())]
    NoPermission {
        /// The file or directory that may not be used.
        path: PathBuf,
    },
    /// There is nothing there.
    #[error("{} holds no archive; create one with `onrecord init`", path.display())]
    Missing {
        /// The data directory.
        path: PathBuf,
    },
    /// There is no directory to look at.
    #[error("{} does not exist; name the directory of an archive: a data directory, a copy of one, or what `onrecord backup` wrote", path.display())]
    NoDirectory {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is none of an archive to look at.
    #[error("{} holds no archive: there is no FORMAT in it; name the directory of an archive: a data directory, a copy of one, or what `onrecord backup` wrote", path.display())]
    NoFormat {
        /// The directory.
        path: PathBuf,
    },
    /// A file lies there.
    #[error("{} is not a directory; name a directory for the archive", path.display())]
    NotADirectory {
        /// Where a data directory should be.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{} is not empty and was not made by onrecord; name another directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// It holds what a backup, a restore or an import left that was cut short.
    #[error("{} holds what {work} left that was cut short, and is no archive; remove it, and begin again", path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
        /// What was cut short.
        work: Work,
    },
    /// It holds an archive already.
    #[error("{} holds an archive already; use it, or name another directory", path.display())]
    AlreadyExists {
        /// The data directory.
        path: PathBuf,
    },
    /// It lies in what it is to be made from.
    #[error("{} lies in {}, which it is to be made from; name a directory outside of it", path.display(), source_dir.display())]
    InsideSource {
        /// Where the archive should be.
        path: PathBuf,
        /// What it is to be made from.
        source_dir: PathBuf,
    },
    /// A running daemon uses it.
    #[error("{} is in use by a running daemon (process {process}); stop it, or talk to it over gRPC", path.display())]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The daemon's process id, or a question mark.
        process: String,
    },
    /// A later onrecord made it.
    #[error("{} has format {found}, and this onrecord knows {FORMAT_NUMBER}; use a newer onrecord", path.display())]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The format marker is damaged.
    #[error("{} is damaged; restore the data directory from a backup", path.display())]
    FormatDamaged {
        /// The marker.
        path: PathBuf,
    },
    /// `HEAD` is damaged.
    #[error("{} is damaged, so that nothing tells whether the ledger has lost its end; restore the data directory from a backup, or, where the ledger is known to be whole, start once with --accept-ledger-as-found", path.display())]
    HeadDamaged {
        /// The file.
        path: PathBuf,
    },
}

impl DataDirError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Io(fault) => fault.kind(),
            Self::Missing { .. }
            | Self::NoDirectory { .. }
            | Self::NoFormat { .. }
            | Self::NotADirectory { .. }
            | Self::NotOurs { .. }
            | Self::Unfinished { .. }
            | Self::AlreadyExists { .. }
            | Self::InsideSource { .. } => FaultKind::FixInput,
            Self::NoPermission { .. } | Self::Locked { .. } | Self::NewerFormat { .. } => {
                FaultKind::Operator
            }
            Self::FormatDamaged { .. } | Self::HeadDamaged { .. } => FaultKind::Damaged,
        }
    }
}

/// A data directory in use by this process alone.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    syncer: Arc<dyn Syncer>,
    /// Holds the lock until this is dropped.
    _lock: LockFile,
}

impl DataDir {
    /// Whether `path` holds an archive, of whatever format.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        matches!(look_at(path), Ok(Content::Archive(_)))
    }

    /// Makes an empty data directory at `path`, which is missing or an empty directory.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        Self::create_with(path, Arc::new(DiskSyncer))
    }

    /// As [`create`](Self::create), syncing through `syncer`.
    pub fn create_with(path: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, DataDirError> {
        let dir = Self::begin(path, syncer)?;
        dir.write_format()?;
        dir.make_parts().map_err(permission)?;
        Ok(dir)
    }

    /// A directory that is locked and holds nothing yet, and does not say that it is an archive.
    pub(super) fn begin(path: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, DataDirError> {
        if let Content::Archive(_) = at_rest(path, look_at(path))? {
            return Err(DataDirError::AlreadyExists {
                path: path.to_owned(),
            });
        }
        make_root(&*syncer, path).map_err(permission)?;
        let lock = lock(path)?;
        // Looked at again with the lock held: two may have begun at once.
        if let Content::Archive(_) = look_at(path)? {
            return Err(DataDirError::AlreadyExists {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            syncer,
            _lock: lock,
        })
    }

    /// Takes the data directory at `path` into use.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        Self::open_with(path, Arc::new(DiskSyncer))
    }

    /// As [`open`](Self::open), syncing through `syncer`.
    pub fn open_with(path: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, DataDirError> {
        match at_rest(path, look_at(path))? {
            Content::Archive(FORMAT_NUMBER) => {}
            Content::Archive(found) => {
                return Err(DataDirError::NewerFormat {
                    path: path.to_owned(),
                    found,
                });
            }
            Content::Nothing => {
                return Err(DataDirError::Missing {
                    path: path.to_owned(),
                });
            }
        }
        let dir = Self {
            path: path.to_owned(),
            syncer,
            _lock: lock(path)?,
        };
        dir.make_parts().map_err(permission)?;
        Ok(dir)
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What makes writes in it durable.
    #[must_use]
    pub fn syncer(&self) -> Arc<dyn Syncer> {
        Arc::clone(&self.syncer)
    }

    /// Where the parts of the archive lie.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        Parts::at(&self.path)
    }

    /// Whether it was restored from a backup and nobody has said since which checkpoint it
    /// continues.
    ///
    /// Where that cannot be told, it counts as restored: no checkpoint is signed on a guess.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.path.join(RESTORED).try_exists().unwrap_or(true)
    }

    /// Marks it as restored from a backup, durably.
    pub fn mark_restored(&self) -> Result<(), DataDirError> {
        let path = self.path.join(RESTORED);
        replace_file(&*self.syncer, &path, RESTORED_TEXT.as_bytes()).map_err(permission)
    }

    /// Marks it as a replica that came from a bag, durably. A replica counts as restored, too.
    pub fn mark_replica(&self) -> Result<(), DataDirError> {
        let path = self.path.join(RESTORED);
        replace_file(&*self.syncer, &path, REPLICA_TEXT.as_bytes()).map_err(permission)
    }

    /// Whether it is marked as a replica.
    pub fn is_replica(&self) -> Result<bool, DataDirError> {
        let text = read_marker(&self.path.join(RESTORED)).map_err(permission)?;
        Ok(text.is_some_and(|text| text == REPLICA_TEXT.as_bytes()))
    }

    /// Takes the mark away, durably, once it is known which checkpoint the ledger continues.
    pub fn clear_restored(&self) -> Result<(), DataDirError> {
        let path = self.path.join(RESTORED);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).attempt("remove", &path).map_err(permission);
            }
            _ => {}
        }
        let synced = self.syncer.sync_dir(&self.path);
        synced
            .attempt("sync the directory", &self.path)
            .map_err(permission)
    }

    /// The head as it was last noted, if it ever was.
    pub fn read_head(&self) -> Result<Option<Head>, DataDirError> {
        read_head(&self.path)
    }

    /// Notes the head, durably. At every moment the file holds the old one or the new one.
    pub fn write_head(&self, head: &Head) -> Result<(), DataDirError> {
        let text = head_text(head);
        replace_file(&*self.syncer, &self.head_path(), text.as_bytes()).map_err(permission)
    }

    fn head_path(&self) -> PathBuf {
        head_path(&self.path)
    }

    /// Says that this is an archive.
    pub(super) fn write_format(&self) -> Result<(), DataDirError> {
        let format = format!("{MAGIC}\nformat {FORMAT_NUMBER}\n");
        replace_file(&*self.syncer, &format_path(&self.path), format.as_bytes()).map_err(permission)
    }

    pub(super) fn make_parts(&self) -> Result<(), IoFault> {
        for part in &self.parts().all() {
            match fs::create_dir(part) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error).attempt("create the directory", part);
                }
                _ => {}
            }
        }
        self.syncer
            .sync_dir(&self.path)
            .attempt("sync the directory", &self.path)
    }
}

/// The head that was noted in the data directory at `path`, if one ever was.
pub(super) fn read_head(path: &Path) -> Result<Option<Head>, DataDirError> {
    let path = head_path(path);
    let Some(bytes) = read_marker(&path).map_err(permission)? else {
        return Ok(None);
    };
    match parse_head(&bytes) {
        Some(head) => Ok(Some(head)),
        None => Err(DataDirError::HeadDamaged { path }),
    }
}

fn head_path(path: &Path) -> PathBuf {
    path.join("HEAD")
}

/// What stands at a path that may become a data directory or is one.
pub(super) enum Content {
    /// Nothing, or an empty directory.
    Nothing,
    /// An archive of this format.
    Archive(u32),
}

pub(super) fn look_at(path: &Path) -> Result<Content, DataDirError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(DataDirError::NotADirectory {
                path: path.to_owned(),
            });
        }
        other => other
            .attempt("list the directory", path)
            .map_err(permission)?,
    };
    let marker = format_path(path);
    if let Some(bytes) = read_marker(&marker).map_err(permission)? {
        return parse_format(&bytes, &marker).map(Content::Archive);
    }
    if let Some(bytes) = read_marker(&path.join(UNFINISHED)).map_err(permission)? {
        return Err(DataDirError::Unfinished {
            path: path.to_owned(),
            work: Work::named_in(&bytes),
        });
    }
    for entry in entries {
        let name = entry.attempt("list the directory", path)?.file_name();
        if !IGNORED.iter().any(|ignored| name == *ignored) {
            return Err(DataDirError::NotOurs {
                path: path.to_owned(),
            });
        }
    }
    Ok(Content::Nothing)
}

/// What `look_at` found, or that the directory is in use, where somebody is still filling it.
fn at_rest<T>(path: &Path, found: Result<T, DataDirError>) -> Result<T, DataDirError> {
    if let Err(DataDirError::Unfinished { .. }) = &found
        && let Ok(lock) = File::open(path.join("LOCK"))
        && let Err((TryLockError::WouldBlock, lock)) = LockFile::try_lock(lock)
    {
        return Err(locked(path, lock));
    }
    found
}

fn parse_format(bytes: &[u8], marker: &Path) -> Result<u32, DataDirError> {
    let text = String::from_utf8_lossy(bytes);
    let Some(rest) = text.strip_prefix(MAGIC) else {
        return Err(DataDirError::NotOurs {
            path: marker.parent().unwrap_or(marker).to_owned(),
        });
    };
    let number = rest.strip_prefix("\nformat ");
    let number = number.and_then(|rest| rest.lines().next()?.parse().ok());
    match number {
        // A later format may say more below; there was none before the first.
        Some(number) if number >= FORMAT_NUMBER => Ok(number),
        _ => Err(DataDirError::FormatDamaged {
            path: marker.to_owned(),
        }),
    }
}

/// Makes the directory, and those above it, for its owner alone.
pub(super) fn make_root(syncer: &dyn Syncer, path: &Path) -> Result<(), IoFault> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
        .collect();
    for dir in missing.iter().rev() {
        DirBuilder::new()
            .mode(0o700)
            .create(dir)
            .attempt("create the directory", dir)?;
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        syncer
            .sync_dir(parent)
            .attempt("sync the directory", parent)?;
    }
    Ok(())
}

/// Takes the lock and notes in it who has it.
pub(super) fn lock(path: &Path) -> Result<LockFile, DataDirError> {
    let lock = path.join("LOCK");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock)
        .attempt("open", &lock)
        .map_err(permission)?;
    let held = match LockFile::try_lock(file) {
        Ok(held) => held,
        Err((TryLockError::WouldBlock, file)) => return Err(locked(path, file)),
        Err((TryLockError::Error(error), _)) => {
            return Err(error).attempt("lock", &lock).map_err(permission);
        }
    };
    let mut file = held.file();
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()))
        .attempt("write", &lock)?;
    Ok(held)
}

/// That somebody else holds the lock.
pub(super) fn locked(path: &Path, lock: File) -> DataDirError {
    let mut process = String::new();
    // Only for the message.
    let _ = lock.take(20).read_to_string(&mut process);
    let process = process.trim();
    DataDirError::Locked {
        path: path.to_owned(),
        process: if process.is_empty() { "?" } else { process }.to_owned(),
    }
}

fn format_path(path: &Path) -> PathBuf {
    path.join("FORMAT")
}

/// The first bytes of a marker file; `None` if there is no such file.
pub(super) fn read_marker(path: &Path) -> Result<Option<Vec<u8>>, IoFault> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.attempt("open", path)?,
    };
    let mut bytes = Vec::new();
    file.take(MARKER_BYTES_MAX)
        .read_to_end(&mut bytes)
        .attempt("read", path)?;
    Ok(Some(bytes))
}

/// A refused permission, told apart.
pub(super) fn permission(fault: IoFault) -> DataDirError {
    match fault.source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            DataDirError::NoPermission { path: fault.path }
        }
        _ => DataDirError::Io(fault),
    }
}

#[cfg(test)]
#[path = "datadir_tests.rs"]
mod tests;
