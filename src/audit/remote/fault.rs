//! Why what a site serves cannot be what its checkpoint commits to, or cannot be had.

use super::site::SiteError;
use crate::merkle::Hash;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be had.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The tiles of the right edge are of another tree.
    #[error(
        "the tiles at the right edge of {size} entries have the root {found}, and the checkpoint commits to {expected}"
    )]
    Edge {
        /// The checkpoint's size.
        size: u64,
        /// The checkpoint's root.
        expected: Hash,
        /// The root of what is served.
        found: Hash,
    },
    /// A tile or bundle is not one of the tree.
    #[error("{path} is not what the checkpoint commits to: {reason}")]
    Tile {
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry is not the one of the tree.
    #[error(
        "entry {index} is not the one that the checkpoint commits to: its leaf hash is {found}, not {expected}"
    )]
    Entry {
        /// Its index.
        index: u64,
        /// Its hash in the tree.
        expected: Hash,
        /// The hash of what is served.
        found: Hash,
    },
    /// The tree has nothing there.
    #[error("a tree of {size} entries has nothing at {index}")]
    Beyond {
        /// What was asked for.
        index: u64,
        /// The checkpoint's size.
        size: u64,
    },
}

impl Fault {
    /// Whether nobody answered, which says nothing about the archive.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Site(SiteError::Away { .. }))
    }
}
