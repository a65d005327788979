//! Where each part of an archive lies in a data directory, whatever it is opened for.

use std::path::{Path, PathBuf};

/// The parts of the archive in a data directory.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a>(&'a Path);

impl<'a> Parts<'a> {
    /// Those in the data directory at `path`.
    pub(super) const fn at(path: &'a Path) -> Self {
        Self(path)
    }

    /// Where the ledger's frames are.
    #[must_use]
    pub fn ledger(self) -> PathBuf {
        self.0.join("ledger")
    }

    /// Where admission's state is.
    #[must_use]
    pub fn admission(self) -> PathBuf {
        self.0.join("admission")
    }

    /// Where projections are, one directory each.
    #[must_use]
    pub fn projections(self) -> PathBuf {
        self.0.join("projections")
    }

    /// Where archived documents are.
    #[must_use]
    pub fn sources(self) -> PathBuf {
        self.0.join("sources")
    }

    /// Where extracted texts are.
    #[must_use]
    pub fn texts(self) -> PathBuf {
        self.0.join("texts")
    }

    /// All of them.
    pub(super) fn all(self) -> [PathBuf; 5] {
        [
            self.ledger(),
            self.admission(),
            self.projections(),
            self.sources(),
            self.texts(),
        ]
    }
}
