//! What is derived from the ledger, to be asked: the catalog of definitions, the fate of
//! statements, what bears on positions, which entries are about what, and the tiles of the Merkle
//! tree.
//!
//! Each projection is a [`Fold`](crate::fold::Fold) with tables of its own, and functions that
//! read them. There are no snapshots: a row carries the index of the entry that made it and,
//! where something can supersede it, of the entry that did. A reader names a basis, the number
//! K of entries that are known to it, and sees what an entry v brought and an entry u took away
//! iff v < K <= u. So the same question at the same K has the same answer for ever, however
//! far the projection has read on, as long as it has read K entries.
//!
//! The folds and queries are pure, and work on any [`Tables`](crate::fold::Tables). Only the
//! runner, which follows the ledger and keeps the tables on disk, needs an operating system.

pub mod catalog;
pub mod positions;
pub mod postings;
pub mod statements;
pub mod tiles;

#[cfg(feature = "daemon")]
mod cursor;
#[cfg(feature = "daemon")]
mod key_text;
mod read;
mod rows;
#[cfg(feature = "daemon")]
mod runner;

#[cfg(test)]
mod fixtures;

#[cfg(feature = "daemon")]
pub use cursor::Cursor;
pub use read::Provenance;
#[cfg(feature = "daemon")]
pub use runner::{
    Building, Compared, EntrySource, Home, NotFollowing, Projection, RebuildError, RebuildStep,
    Runner, RunnerError, Snapshot, Status, Steps, TablesFault, Verdict, VerifyStep, compare_tables,
    examine,
};
