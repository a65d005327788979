//! A data directory that is looked at: not a byte of it is changed, and nobody else uses it
//! meanwhile. It may be damaged in any way, or lie on a medium that cannot be written.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::datadir::{
    Content, DataDirError, FORMAT_NUMBER, RESTORED, locked, look_at, permission, read_head,
};
use super::fault::Attempt;
use super::head::Head;
use super::lock_file::LockFile;
use super::parts::Parts;

/// See the module.
#[derive(Debug)]
pub struct ExaminedDir {
    path: PathBuf,
    /// Holds the lock, where there is one, until this is dropped.
    _lock: Option<LockFile>,
}

impl ExaminedDir {
    /// Looks at the directory at `path`, which no daemon may be using.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        if !path.is_dir() {
            look_at(path)?;
            return Err(DataDirError::NoDirectory {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock(path)?,
        })
    }

    /// Whether its marker says that this release reads it, and why not otherwise.
    pub fn check_format(&self) -> Result<(), DataDirError> {
        let path = self.path.clone();
        match look_at(&path) {
            Ok(Content::Archive(FORMAT_NUMBER)) => Ok(()),
            Ok(Content::Archive(found)) => Err(DataDirError::NewerFormat { path, found }),
            Ok(Content::Nothing) | Err(DataDirError::NotOurs { .. }) => {
                Err(DataDirError::NoFormat { path })
            }
            Err(error) => Err(error),
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The head as it was last noted, if it ever was.
    pub fn read_head(&self) -> Result<Option<Head>, DataDirError> {
        read_head(&self.path)
    }

    /// Whether the archive came from elsewhere.
    ///
    /// Where that cannot be told, it counts as restored: no checkpoint is signed on a guess.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.path.join(RESTORED).try_exists().unwrap_or(true)
    }

    /// Where the parts of the archive lie.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        Parts::at(&self.path)
    }
}

/// Takes the lock without noting so in it; none where there is no such file.
fn lock(path: &Path) -> Result<Option<LockFile>, DataDirError> {
    let lock = path.join("LOCK");
    let file = match File::open(&lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.attempt("open", &lock).map_err(permission)?,
    };
    match LockFile::try_lock(file) {
        Ok(held) => Ok(Some(held)),
        Err((TryLockError::WouldBlock, file)) => Err(locked(path, file)),
        Err((TryLockError::Error(error), _)) => {
            Err(error).attempt("lock", &lock).map_err(permission)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::datadir::DataDir;
    use super::*;

    #[test]
    fn a_directory_in_use_is_not_looked_at_and_one_that_is_looked_at_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let used = DataDir::create(&path).unwrap();
        let locked = ExaminedDir::open(&path).unwrap_err();
        assert!(matches!(locked, DataDirError::Locked { .. }), "{locked}");
        drop(used);
        let examined = ExaminedDir::open(&path).unwrap();
        examined.check_format().unwrap();
        assert_eq!(examined.read_head().unwrap(), None);
        assert!(matches!(
            DataDir::open(&path),
            Err(DataDirError::Locked { .. })
        ));
    }

    #[test]
    fn where_nothing_is_there_is_nothing_to_look_at() {
        let home = tempfile::tempdir().unwrap();
        let missing = ExaminedDir::open(&home.path().join("data")).unwrap_err();
        assert!(matches!(missing, DataDirError::NoDirectory { .. }));
        let examined = ExaminedDir::open(home.path()).unwrap();
        for letter in [false, true] {
            if letter {
                std::fs::write(home.path().join("letter"), b"mine").unwrap();
            }
            let none = examined.check_format().unwrap_err();
            assert!(matches!(none, DataDirError::NoFormat { .. }), "{none}");
        }
    }
}
