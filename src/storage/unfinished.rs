//! A data directory in the making: filled first, and said to be an archive last, so that what a
//! kill or a cancellation leaves behind never passes for one. Dropped before it is finished, it
//! takes away what it made.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::datadir::{DataDir, DataDirError, RESTORED, UNFINISHED, permission};
use super::fault::Attempt as _;
use super::sync::{DiskSyncer, replace_file};

/// What lies in a data directory beside the directories of its parts.
const FILES: [&str; 6] = [
    "HEAD",
    "HEAD.new",
    RESTORED,
    "FORMAT.new",
    UNFINISHED,
    "UNFINISHED.new",
];

/// What a data directory is filled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A copy of an archive that is served.
    Backup,
    /// The way back from one.
    Restore,
    /// The founding of a replica from a bag.
    Import,
    /// Something that this release does not know.
    Unknown,
}

impl Work {
    /// All that are known.
    const KNOWN: [Self; 3] = [Self::Backup, Self::Restore, Self::Import];

    /// Which of them a marker names.
    pub(super) fn named_in(marker: &[u8]) -> Self {
        let is_named = |work: &Self| work.marker().as_bytes() == marker;
        Self::KNOWN
            .into_iter()
            .find(is_named)
            .unwrap_or(Self::Unknown)
    }

    fn marker(self) -> String {
        format!(
            "This directory is being filled by {self}. Until it has a FORMAT, it is no archive.\n"
        )
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup => "a backup",
            Self::Restore => "a restore",
            Self::Import => "an import",
            Self::Unknown => "something",
        })
    }
}

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
    /// Begins at `path`, which is missing or an empty directory, and marks it, so that what a kill
    /// leaves there is known for what it is.
    pub fn begin(path: &Path, work: Work) -> Result<Self, DataDirError> {
        let is_new = !path.exists();
        let dir = DataDir::begin(path, Arc::new(DiskSyncer))?;
        let unfinished = Self {
            dir: Some(dir),
            path: path.to_owned(),
            is_new,
        };
        if let Some(dir) = &unfinished.dir {
            let marker = path.join(UNFINISHED);
            let text = work.marker();
            replace_file(&*dir.syncer(), &marker, text.as_bytes()).map_err(permission)?;
            dir.make_parts().map_err(permission)?;
        }
        Ok(unfinished)
    }

    /// As [`begin`](Self::begin), of what is read from `source_dir`, in which it may not lie.
    pub fn begin_apart(path: &Path, source_dir: &Path, work: Work) -> Result<Self, DataDirError> {
        if lies_in(path, source_dir)? {
            return Err(DataDirError::InsideSource {
                path: path.to_owned(),
                source_dir: source_dir.to_owned(),
            });
        }
        Self::begin(path, work)
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
            // It says nothing any more.
            let marker = self.path.join(UNFINISHED);
            ignore_missing(fs::remove_file(&marker))
                .attempt("remove", &marker)
                .map_err(permission)?;
        }
        self.dir = None;
        Ok(())
    }

    fn remove(&self, dir: &DataDir) -> io::Result<()> {
        for part in dir.parts().all() {
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

/// Whether `path`, which need not be there, is `directory` or lies in it, whatever links lead
/// there. A path that goes up (`..`) where nothing is yet is taken by its part that is there.
pub fn lies_in(path: &Path, directory: &Path) -> Result<bool, DataDirError> {
    let found = nearest(path).attempt("look up", path);
    let directory = nearest(directory).attempt("look up", directory);
    let directory = directory.map_err(permission)?;
    Ok(found.map_err(permission)?.starts_with(directory))
}

/// The nearest directory at or above `path` that exists, with no links in its path.
fn nearest(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    for ancestor in absolute.ancestors() {
        match ancestor.canonicalize() {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            other => return other,
        }
    }
    Ok(absolute)
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
        let unfinished = UnfinishedDir::begin(&path, Work::Backup).unwrap();
        fs::write(unfinished.dir().unwrap().parts().sources().join("x"), b"x").unwrap();
        unfinished.dir().unwrap().mark_restored().unwrap();
        assert!(!DataDir::exists(&path));
        drop(unfinished);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        drop(UnfinishedDir::begin(&path, Work::Backup).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_made_in_what_it_is_made_from() {
        let home = tempfile::tempdir().unwrap();
        let source = home.path().join("source");
        fs::create_dir(&source).unwrap();
        std::os::unix::fs::symlink(&source, home.path().join("link")).unwrap();
        for inside in ["source", "source/a/b", "link/a"] {
            let path = home.path().join(inside);
            let refused = UnfinishedDir::begin_apart(&path, &source, Work::Restore).unwrap_err();
            assert!(matches!(refused, DataDirError::InsideSource { .. }));
        }
        assert_eq!(fs::read_dir(&source).unwrap().count(), 0);
        let beside = home.path().join("source-2");
        UnfinishedDir::begin_apart(&beside, &source, Work::Restore).unwrap();
    }

    #[test]
    fn what_is_finished_is_an_archive() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new");
        UnfinishedDir::begin(&path, Work::Backup)
            .unwrap()
            .finish()
            .unwrap();
        assert!(!DataDir::open(&path).unwrap().is_restored());
        let again = UnfinishedDir::begin(&path, Work::Backup).unwrap_err();
        assert!(matches!(again, DataDirError::AlreadyExists { .. }));
        fs::remove_file(path.join("FORMAT")).unwrap();
        let again = UnfinishedDir::begin(&path, Work::Backup).unwrap_err();
        assert!(matches!(again, DataDirError::NotOurs { .. }));
        assert!(path.join("ledger").exists(), "what is not ours stays");
    }

    #[test]
    fn what_a_kill_leaves_is_told_as_that_and_stays() {
        for (work, name) in [
            (Work::Backup, "a backup"),
            (Work::Restore, "a restore"),
            (Work::Import, "an import"),
        ] {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("new");
            let killed = UnfinishedDir::begin(&path, work).unwrap();
            let meanwhile = UnfinishedDir::begin(&path, work).unwrap_err();
            assert!(
                matches!(meanwhile, DataDirError::Locked { .. }),
                "{meanwhile}"
            );
            // As a kill does, which lets go of the lock and removes nothing.
            let mut killed = std::mem::ManuallyDrop::new(killed);
            drop(killed.dir.take());
            let refused = [
                UnfinishedDir::begin(&path, work).map(drop),
                DataDir::open(&path).map(drop),
                DataDir::create(&path).map(drop),
            ];
            for refused in refused {
                let refused = refused.unwrap_err().to_string();
                assert!(refused.contains(name), "{refused}");
                assert!(refused.contains("remove it, and begin again"), "{refused}");
            }
            assert!(path.join("ledger").exists());
        }
    }
}
