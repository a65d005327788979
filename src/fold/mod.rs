//! The contract of everything that is derived from the ledger.
//!
//! A [`Fold`] is a pure function `(state, entry) -> changes`: no clock, no randomness, no
//! dependence on the order of a hash map, no floats, no tables but its own. Its state is one
//! ordered table of bytes to bytes ([`Tables`]), so that equal ledgers give equal states on
//! every machine, which [`Digest`] shows. Where the state is kept, and how changes become
//! durable, is somebody else's business.

mod digest;
mod near;
mod recent;
mod tables;

use std::collections::BTreeMap;

pub use digest::Digest;
pub use near::near;
pub use recent::RecentRows;
pub use tables::{MemoryTables, Order, Overlay, Row, Scan, Tables, TablesError};

use crate::record::Entry;

/// What an entry changes: key to new value, or to none where the row goes. Sorted by key.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// State derived from the ledger, one entry at a time.
pub trait Fold: Send + Sync {
    /// A name that stays the same from version to version: `[a-z]+`.
    fn name(&self) -> &'static str;

    /// Raised whenever equal ledgers would no longer give equal tables.
    fn version(&self) -> u32;

    /// What `entry` changes, given the state after all entries below it.
    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError>;
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
