//! The tiles of a ledger that grows, to be asked.

use std::sync::Arc;

use super::{RecentTiles, nodes, tile};
use crate::fold::FoldError;
use crate::merkle::{HashReader, TileId, TileReadError};
use crate::projection::{Cursor, NotFollowing, Projection, Snapshot};

/// The tiles of the ledger. Clones are the same, and keep what one of them has read.
#[derive(Clone, Debug)]
pub struct Tiles {
    projection: Projection,
    recent: Arc<RecentTiles>,
}

/// The tiles as far as they have been folded; proofs of any size up to that can be made.
#[derive(Clone, Debug)]
pub struct TilesAt {
    snapshot: Snapshot,
    recent: Arc<RecentTiles>,
}

impl Tiles {
    /// The tiles that `projection`, of [`TilesFold`](super::TilesFold), keeps.
    #[must_use]
    pub fn new(projection: Projection) -> Self {
        Self {
            projection,
            recent: Arc::default(),
        }
    }

    /// As far as they have been folded; none while they are built for the first time.
    #[must_use]
    pub fn now(&self) -> Option<TilesAt> {
        self.projection.snapshot().map(|it| self.at(it))
    }

    /// Once `size` entries have been folded, for as long as the projection reads on; the caller
    /// bounds the wait.
    pub async fn wait_for(&self, size: u64) -> Result<TilesAt, NotFollowing> {
        let read = self.projection.wait_for(size).await;
        read.map(|snapshot| self.at(snapshot))
    }

    /// As they stand in `snapshot`, which is of the same projection.
    #[must_use]
    pub fn at(&self, snapshot: Snapshot) -> TilesAt {
        let recent = Arc::clone(&self.recent);
        TilesAt { snapshot, recent }
    }
}

impl TilesAt {
    /// How many entries they cover, and the root over them.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.snapshot.cursor()
    }

    /// The hashes of a tile, 32 bytes each; none if there are not as many.
    pub fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, FoldError> {
        tile(&self.snapshot, id, self.cursor().size)
    }

    /// The nodes of the tree: what proofs are made of.
    #[must_use]
    pub fn nodes(&self) -> impl HashReader<Error = TileReadError<FoldError>> {
        let (build, size) = (self.snapshot.build(), self.cursor().size);
        nodes(&self.snapshot, build, size, &self.recent)
    }
}
