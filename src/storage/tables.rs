//! The projection store's contract: sorted rows of disposable state.
//!
//! A batch of changes is applied whole or not at all, also when the process is killed or the
//! power fails: what is reopened is the state after some batch, no older than what the caller
//! can compute again from the ledger, or it is known to be damaged. Nothing here is ever the
//! only copy of anything: the ledger is the write-ahead log of every table. A read shows the
//! rows as they were between two batches; two reads may have batches between them, so rows
//! must carry what readers need to tell one basis from another.

use super::fault::{FaultKind, IoFault};
use crate::fold::{Changed, Changes, Tables, TablesError};

/// The largest row, key and value together: 1 MiB. Records end at 64 KiB, so a row that says
/// more than sixteen of them together is a mistake.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// The longest key: the storage engine's length field has 16 bits.
pub const KEY_BYTES_MAX: usize = u16::MAX as usize;

/// Why rows could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// An operation on a file failed.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// Another process, or an earlier handle, has the tables open.
    #[error("the tables in {path} are in use by another process; stop it first")]
    Locked {
        /// Where the tables are.
        path: String,
    },
    /// The storage engine failed or panicked.
    #[error("the tables cannot be used and must be rebuilt: {detail}")]
    Engine {
        /// What it said.
        detail: String,
    },
    /// An earlier write failed: the tables must be reopened or rebuilt.
    #[error("the tables cannot be used since a write failed; they must be reopened")]
    Broken,
    /// A row or its key has a size that no table takes.
    #[error(
        "a row of {bytes} bytes under a key of {key_bytes} is refused: a key has 1 to {KEY_BYTES_MAX} bytes, a row at most {ROW_BYTES_MAX}"
    )]
    RowSize {
        /// Size of its key and value together.
        bytes: usize,
        /// Size of its key.
        key_bytes: usize,
    },
}

impl TableError {
    /// What is to be done about it.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Io(fault) => fault.kind(),
            Self::Locked { .. } => FaultKind::Operator,
            Self::Engine { .. } | Self::Broken => FaultKind::Damaged,
            Self::RowSize { .. } => FaultKind::FixInput,
        }
    }
}

impl From<TableError> for TablesError {
    fn from(error: TableError) -> Self {
        Self(error.to_string())
    }
}

/// Sorted rows of disposable state. See the module for the contract.
pub trait ProjectionStore: Tables + Send + Sync {
    /// Applies all `changes` or none, and shows them.
    fn apply(&self, changes: Changes) -> Result<(), TableError>;

    /// As [`apply`](Self::apply), for changes that are a file's worth, in key order: they are
    /// durable when this returns.
    fn ingest(&self, changes: &[Changed<'_>]) -> Result<(), TableError> {
        let rows = changes.iter();
        let owned = rows.map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
        self.apply(owned.collect())?;
        self.persist()
    }

    /// Takes every row away.
    fn clear(&self) -> Result<(), TableError>;

    /// Writes out what waits in memory, so that what was applied survives also power loss.
    fn persist(&self) -> Result<(), TableError>;

    /// Bytes that the tables take on disk.
    fn bytes_on_disk(&self) -> u64;
}

/// Refuses rows that no table takes.
pub(super) fn check_rows<'r>(
    rows: impl IntoIterator<Item = Changed<'r>>,
) -> Result<(), TableError> {
    for (key, value) in rows {
        let key_bytes = key.len();
        let bytes = key_bytes + value.map_or(0, <[u8]>::len);
        if bytes > ROW_BYTES_MAX || !(1..=KEY_BYTES_MAX).contains(&key_bytes) {
            return Err(TableError::RowSize { bytes, key_bytes });
        }
    }
    Ok(())
}
