//! The projection store's contract: sorted rows of disposable state.
//!
//! A batch of changes is applied whole or not at all, also when the process is killed in
//! between: what is reopened is the state after some batch, no older than what the caller can
//! compute again from the ledger, or it is known to be damaged. Nothing here is ever the only
//! copy of anything. There are no snapshots: a scan sees batches that are applied while it
//! runs, so rows must carry what readers need to tell one basis from another.

use std::ops::Bound;

use super::fault::{FaultKind, IoFault};

/// The largest row, key and value together: 1 MiB. Records end at 64 KiB, so a row that says
/// more than sixteen of them together is a mistake.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// A key and its new value; `None` takes the row away.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Rows of a scan, read as they are asked for.
pub type Rows<'a> = Box<dyn Iterator<Item = Result<(Vec<u8>, Vec<u8>), TableError>> + Send + 'a>;

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
    /// An earlier batch failed half-way: the tables must be reopened or rebuilt.
    #[error("the tables cannot be used since a batch failed; they must be reopened")]
    Broken,
    /// A row is larger than [`ROW_BYTES_MAX`].
    #[error("a row of {bytes} bytes is larger than {ROW_BYTES_MAX}")]
    RowTooLarge {
        /// Size of its key and value together.
        bytes: usize,
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
            Self::RowTooLarge { .. } => FaultKind::FixInput,
        }
    }
}

/// Which way a scan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Forwards,
    /// From the largest key down.
    Backwards,
}

/// A range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it begins.
    pub start: Bound<Vec<u8>>,
    /// Where it ends.
    pub end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            start: Bound::Unbounded,
            end: Bound::Unbounded,
        }
    }

    /// The keys from `start` on and before `end`.
    #[must_use]
    pub fn between(start: &[u8], end: &[u8]) -> Self {
        Self {
            start: Bound::Included(start.to_vec()),
            end: Bound::Excluded(end.to_vec()),
        }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        // The first key after them all: the prefix without its trailing 0xFF, its last byte
        // one higher. A prefix of 0xFF alone has none.
        let mut end = prefix.to_vec();
        let end = loop {
            match end.pop() {
                None => break Bound::Unbounded,
                Some(0xFF) => {}
                Some(byte) => {
                    end.push(byte + 1);
                    break Bound::Excluded(end);
                }
            }
        };
        Self {
            start: Bound::Included(prefix.to_vec()),
            end,
        }
    }

    /// Whether no key can lie in it.
    pub(super) fn is_empty(&self) -> bool {
        use Bound::{Excluded, Included};
        match (&self.start, &self.end) {
            (Included(start), Included(end)) => start > end,
            (Included(start) | Excluded(start), Excluded(end))
            | (Excluded(start), Included(end)) => start >= end,
            _ => false,
        }
    }
}

/// Sorted rows of disposable state. See the module for the contract.
pub trait ProjectionStore: Send + Sync {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError>;

    /// The rows in `range`, read as they are asked for. Ends after the first error.
    fn scan(&self, range: KeyRange, direction: Direction) -> Rows<'_>;

    /// Applies all `changes` or none. Of several to one key the last counts.
    fn apply(&self, changes: &[Change]) -> Result<(), TableError>;

    /// Bytes that the tables take on disk.
    fn bytes_on_disk(&self) -> Result<u64, TableError>;
}

/// Refuses rows that no table takes.
pub(super) fn check_rows(changes: &[Change]) -> Result<(), TableError> {
    for (key, value) in changes {
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
        if bytes > ROW_BYTES_MAX {
            return Err(TableError::RowTooLarge { bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(range: &KeyRange, key: &[u8]) -> bool {
        use std::ops::RangeBounds;
        (range.start.clone(), range.end.clone()).contains(&key.to_vec())
    }

    proptest! {
        #[test]
        fn a_prefix_range_holds_exactly_the_keys_that_begin_with_it(
            prefix in prop::collection::vec(prop_oneof![Just(0xFF_u8), any::<u8>()], 0..4),
            key in prop::collection::vec(prop_oneof![Just(0xFF_u8), any::<u8>()], 0..6),
            tail in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let range = KeyRange::prefix(&prefix);
            prop_assert_eq!(contains(&range, &key), key.starts_with(&prefix));
            prop_assert!(contains(&range, &[prefix, tail].concat()));
        }
    }

    #[test]
    fn a_range_whose_end_lies_before_its_start_is_empty() {
        assert!(KeyRange::between(b"b", b"a").is_empty());
        assert!(KeyRange::between(b"a", b"a").is_empty());
        assert!(!KeyRange::between(b"a", b"b").is_empty());
        assert!(!KeyRange::all().is_empty());
    }
}
