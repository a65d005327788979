//! A data directory in the making: filled first, and said to be an archive last, so that what a
//! kill or a cancellation leaves behind never passes for one. Dropped before it is finished, it
//! takes away what it made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::datadir::{DataDir, DataDirError, RESTORED, permission};
use super::sync::DiskSyncer;

/// What lies in a data directory beside the directories of its parts.
const FILES: [&str; 4] = ["HEAD", "HEAD.new", RESTORED, "FORMAT.new"];

/// See the module.
#[derive(Debug)]
pub struct UnfinishedDir {
    /// None once it is finished.
    dir: Option<DataDir>,
    path: PathBuf,
    /// Whether there was no directory before.
    is_new: bool,
}

impl UnfinishedDir {
    /// Begins at `path`, which is missing or an empty directory.
    pub fn begin(path: &Path) -> Result<Self, DataDirError> {
        let is_new = !path.exists();
        let dir = DataDir::begin(path, Arc::new(DiskSyncer))?;
        let unfinished = Self {
            dir: Some(dir),
            path: path.to_owned(),
            is_new,
        };
        if let Some(dir) = &unfinished.dir {
            dir.make_parts().map_err(permission)?;
        }
        Ok(unfinished)
    }

    /// The directory, to be filled; none once it is finished.
    #[must_use]
    pub fn dir(&self) -> Option<&DataDir> {
        self.dir.as_ref()
    }

    /// Says, durably, that it is an archive.
    pub fn finish(mut self) -> Result<(), DataDirError> {
        if let Some(dir) = &self.dir {
            dir.write_format()?;
        }
        self.dir = None;
        Ok(())
    }

    fn remove(&self, dir: &DataDir) -> io::Result<()> {
        let parts = [
            dir.ledger(),
            dir.admission(),
            dir.projections(),
            dir.sources(),
            dir.texts(),
        ];
        for part in parts {
            ignore_missing(fs::remove_dir_all(part))?;
        }
        for name in FILES {
            ignore_missing(fs::remove_file(self.path.join(name)))?;
        }
        ignore_missing(fs::remove_file(self.path.join("LOCK")))?;
        if self.is_new {
            fs::remove_dir(&self.path)?;
        }
        Ok(())
    }
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl Drop for UnfinishedDir {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take()
            && let Err(error) = self.remove(&dir)
        {
            let path = self.path.display();
            tracing::warn!(%path, %error, "what was left unfinished could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_is_no_archive_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new");
        let unfinished = UnfinishedDir::begin(&path).unwrap();
        fs::write(unfinished.dir().unwrap().sources().join("x"), b"x").unwrap();
        unfinished.dir().unwrap().mark_restored().unwrap();
        assert!(!DataDir::exists(&path));
        drop(unfinished);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        drop(UnfinishedDir::begin(&path).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn what_is_finished_is_an_archive() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new");
        UnfinishedDir::begin(&path).unwrap().finish().unwrap();
        assert!(!DataDir::open(&path).unwrap().is_restored());
        let again = UnfinishedDir::begin(&path).unwrap_err();
        assert!(matches!(again, DataDirError::AlreadyExists { .. }));
        fs::remove_file(path.join("FORMAT")).unwrap();
        let again = UnfinishedDir::begin(&path).unwrap_err();
        assert!(matches!(again, DataDirError::NotOurs { .. }));
        assert!(path.join("ledger").exists(), "what is not ours stays");
    }
}
