//! Where the builds of a projection lie: one directory each, `<name>-v<version>` for the first
//! and `<name>-v<version>.<number>` for those that replaced it.
//!
//! A build is served once it has read the whole ledger; the file `BUILT` in its directory says
//! that it has. Directories are never renamed while they are open: a build takes another's
//! place by having a greater number. So whatever moment a process is killed at, what lies there
//! says which build answers, which one is to be gone on with, and what is of no use and goes.
//! All of it is disposable: nothing here is synced for its own sake.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Home, RunnerError};
use crate::fold::Fold;

/// In the directory of a build that has read the whole ledger.
const BUILT: &str = "BUILT";

/// What stands in the name of a directory that was moved aside as it was damaged.
const DAMAGED: &str = ".damaged-";

/// How many damaged directories of one projection are kept for somebody to look at.
const DAMAGED_KEPT_MAX: usize = 3;

/// One build of a projection's tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Build {
    /// The version of the fold that built it.
    pub(super) version: u32,
    /// Greater than that of the build whose place it takes.
    pub(super) number: u64,
    /// Where it lies.
    pub(super) path: PathBuf,
}

impl Build {
    /// Whether it has read the whole ledger at some time.
    pub(super) fn is_built(&self) -> bool {
        self.path.join(BUILT).exists()
    }

    /// Notes that it has read the whole ledger.
    pub(super) fn mark_built(&self) -> Result<(), RunnerError> {
        let marked = self.path.join(BUILT);
        File::create(&marked).map(drop).map_err(at(&marked))
    }

    /// Removes it. It is not open.
    pub(super) fn remove(&self) -> Result<(), RunnerError> {
        fs::remove_dir_all(&self.path).map_err(at(&self.path))
    }
}

/// The builds of one projection.
#[derive(Debug)]
pub(super) struct Builds {
    directory: PathBuf,
    name: &'static str,
    version: u32,
    /// The number of the next build.
    next: AtomicU64,
}

impl Builds {
    /// Those of `fold` in `home`, and what is there, those with the greatest numbers first.
    pub(super) fn find(home: &Home, fold: &dyn Fold) -> Result<(Self, Vec<Build>), RunnerError> {
        let directory = home.directory.clone();
        fs::create_dir_all(&directory).map_err(at(&directory))?;
        let mut builds = Self {
            directory,
            name: fold.name(),
            version: fold.version(),
            next: AtomicU64::new(0),
        };
        let mut found = Vec::new();
        let mut damaged = Vec::new();
        for entry in fs::read_dir(&builds.directory).map_err(at(&builds.directory))? {
            let path = entry.map_err(at(&builds.directory))?.path();
            if let Some(build) = builds.parse(&path) {
                found.push(build);
            } else if builds.is_damaged(&path) {
                damaged.push(path);
            }
        }
        damaged.sort();
        damaged.truncate(damaged.len().saturating_sub(DAMAGED_KEPT_MAX));
        for path in damaged {
            fs::remove_dir_all(&path).map_err(at(&path))?;
        }
        found.sort_by_key(|build| std::cmp::Reverse(build.number));
        if let Some(greatest) = found.first() {
            builds.next = AtomicU64::new(greatest.number.saturating_add(1));
        }
        Ok((builds, found))
    }

    /// A build of the fold's version with nothing in it, to be made.
    pub(super) fn next(&self) -> Build {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let first = format!("{}-v{}", self.name, self.version);
        let directory = match number {
            0 => first,
            number => format!("{first}.{number}"),
        };
        Build {
            version: self.version,
            number,
            path: self.directory.join(directory),
        }
    }

    /// Removes what was found but `kept`, as far as it lies there: of no use any more.
    pub(super) fn remove_all_but(found: &[Build], kept: &[&Build]) {
        for build in found.iter().filter(|build| !kept.contains(build)) {
            if !build.path.exists() {
                continue;
            }
            match build.remove() {
                Ok(()) => {
                    tracing::info!(path = %build.path.display(), "a build of no use is removed");
                }
                Err(error) => tracing::warn!(%error, "a build of no use is left behind"),
            }
        }
    }

    fn parse(&self, path: &Path) -> Option<Build> {
        let rest = self.rest(path)?;
        let (version, number) = rest.split_once('.').unwrap_or((rest, "0"));
        Some(Build {
            version: version.parse().ok()?,
            number: number.parse().ok()?,
            path: path.to_owned(),
        })
    }

    fn is_damaged(&self, path: &Path) -> bool {
        self.rest(path).is_some_and(|rest| rest.contains(DAMAGED))
    }

    /// What follows `<name>-v` in the name of a directory.
    fn rest<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(self.name)?.strip_prefix("-v")
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RunnerError {
    let path = path.display().to_string();
    move |error| RunnerError::Directory { path, error }
}
