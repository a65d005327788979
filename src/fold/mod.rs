//! The contract of everything that is derived from the ledger.
//!
//! A [`Fold`] is a pure function `(state, entry) -> changes`: no clock, no randomness, no
//! dependence on the order of a hash map, no floats, no tables but its own. Its state is one
//! ordered table of bytes to bytes ([`Tables`]), so that equal ledgers give equal states on
//! every machine, which [`Digest`] shows. Where the state is kept, and how changes become
//! durable, is somebody else's business.

mod batch;
mod changes;
mod digest;
mod near;
mod recent;
mod tables;

use std::any::Any;

pub use batch::Batch;
pub use changes::{Changed, Changes};
pub use digest::Digest;
pub use near::near;
pub use recent::RecentRows;
pub use tables::{MemoryTables, Order, Overlay, Row, Scan, Tables, TablesError};

use crate::record::Entry;

/// What a fold keeps in memory from one entry to the next, as it likes.
pub type Memory = Box<dyn Any + Send>;

/// State derived from the ledger, one entry at a time.
pub trait Fold: Send + Sync {
    /// A name that stays the same from version to version: `[a-z]+`.
    fn name(&self) -> &'static str;

    /// Raised whenever equal ledgers would no longer give equal tables.
    fn version(&self) -> u32;

    /// The older versions whose tables the queries of this version read as well: whose rows
    /// have the same format, and mean the same. They answer, as far as they go, until tables of
    /// this version are built; an older version that is not named here answers nothing, as the
    /// code that knew how to read it is gone.
    fn readable_versions(&self) -> &'static [u32] {
        &[]
    }

    /// What `entry` changes, given the state after all entries below it.
    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError>;

    /// What [`fold_next`](Self::fold_next) begins with, and keeps from each entry to the next.
    fn memory(&self) -> Memory {
        Box::new(())
    }

    /// As [`fold`](Self::fold), of an entry that comes next after those that `memory` has seen,
    /// all of whose changes `state` shows: what the memory still knows of them need not be read
    /// from the state again. It is no part of the state, and may begin empty at any entry. After
    /// an error it is of no use.
    fn fold_next(
        &self,
        memory: &mut Memory,
        state: &dyn Tables,
        entry: &Entry,
    ) -> Result<Changes, FoldError> {
        let _ = memory;
        self.fold(state, entry)
    }
}

/// Why an entry could not be folded. Admission lets no such entry in: the ledger or the
/// state was damaged, or was written by other rules.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The state could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// A row does not decode.
    #[error("a row of the {table} table does not decode")]
    Row {
        /// Which table.
        table: &'static str,
    },
    /// The entry is not what admission lets in.
    #[error("entry {index}: {problem}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        problem: String,
    },
}
