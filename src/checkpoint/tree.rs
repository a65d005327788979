//! The hashes below the head, as the signer and the witnesses need them.

use crate::fold::FoldError;
use crate::merkle::{ConsistencyProof, Hash, ProveError, TileReadError, consistency_proof, root};
use crate::projection::tiles::Tiles;

/// The ledger's Merkle tree, as far as its hashes have been stored.
pub trait Tree: Send + Sync {
    /// How many entries the stored hashes cover.
    fn size(&self) -> u64;

    /// The root over the first `size` entries, which are covered.
    fn root(&self, size: u64) -> Result<Hash, TreeError>;

    /// The proof that the first `new` entries, which are covered, begin with the first `old`.
    fn consistency_proof(&self, old: u64, new: u64) -> Result<ConsistencyProof, TreeError>;
}

impl Tree for Tiles {
    fn size(&self) -> u64 {
        self.now().map_or(0, |tiles| tiles.cursor().size)
    }

    fn root(&self, size: u64) -> Result<Hash, TreeError> {
        let tiles = self.now().ok_or(TreeError::Building)?;
        Ok(root(&mut tiles.nodes(), size)?)
    }

    fn consistency_proof(&self, old: u64, new: u64) -> Result<ConsistencyProof, TreeError> {
        let tiles = self.now().ok_or(TreeError::Building)?;
        Ok(consistency_proof(&mut tiles.nodes(), old, new)?)
    }
}

/// Why a root or a proof cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The sizes make no sense, or a tile cannot be read.
    #[error(transparent)]
    Prove(#[from] ProveError<TileReadError<FoldError>>),
    /// No tiles are there yet.
    #[error("the tiles are built for the first time")]
    Building,
}
