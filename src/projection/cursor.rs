//! How far a projection has read, as it stands among its rows: it commits together with the
//! changes that brought it there, so that the rows are always those of the cursor.

use serde::{Deserialize, Serialize};

use super::rows::Table;
use crate::fold::{Digest, Fold, FoldError, Row, Tables};
use crate::merkle::{Hash, empty_root};

/// The one row of the runner's own table.
const CURSOR: Table = Table {
    byte: 0,
    name: "cursor",
};

/// How far a projection has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// How many entries it has folded.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// The digest of the state that they gave.
    pub digest: Digest,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    size: u64,
    root: Hash,
    digest: [u8; 32],
}

/// Whether the row at `key` is the cursor.
pub(super) fn is_cursor(key: &[u8]) -> bool {
    key == CURSOR.key().as_bytes()
}

impl Cursor {
    /// The cursor of a projection that has read nothing.
    #[must_use]
    pub fn start(fold: &dyn Fold) -> Self {
        Self {
            size: 0,
            root: empty_root(),
            digest: Digest::start(fold.name(), fold.version()),
        }
    }

    /// The cursor that stands among the rows; none if there is none.
    pub fn load(tables: &dyn Tables) -> Result<Option<Self>, FoldError> {
        let value = tables.get(CURSOR.key().as_bytes())?;
        value.map(|value| Self::decode(&value)).transpose()
    }

    /// The cursor that a row's value says.
    pub(super) fn decode(value: &[u8]) -> Result<Self, FoldError> {
        let stored: Stored = CURSOR.decode(value)?;
        Ok(Self {
            size: stored.size,
            root: stored.root,
            digest: Digest::from(stored.digest),
        })
    }

    /// The row to commit with what brought the projection here.
    pub fn row(&self) -> Result<Row, FoldError> {
        let stored = Stored {
            size: self.size,
            root: self.root,
            digest: *self.digest.as_bytes(),
        };
        Ok((CURSOR.key().into_bytes(), CURSOR.encode(&stored)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::{Changes, MemoryTables};
    use crate::projection::catalog::CatalogFold;

    #[test]
    fn a_cursor_is_read_back_as_it_was_stored() {
        let mut tables = MemoryTables::default();
        assert_eq!(Cursor::load(&tables).unwrap(), None);
        let cursor = Cursor {
            size: 7,
            root: Hash::from([3; 32]),
            ..Cursor::start(&CatalogFold)
        };
        let (key, value) = cursor.row().unwrap();
        assert_eq!(key, [0]);
        tables.apply(Changes::from([(key, Some(value))]));
        assert_eq!(Cursor::load(&tables).unwrap(), Some(cursor));
    }
}
