//! Proofs out of the tiles: of any size up to the head, by whatever size the ledger has now.

use super::ledger::beyond;
use super::views::View;
use super::{Failure, Reason, blocking};
use crate::checkpoint::Published;
use crate::fold::FoldError;
use crate::ledger::Reader;
use crate::merkle::{self, ConsistencyProof, InclusionProof, ProveError, TileReadError};
use crate::projection::tiles::{Tiles, TilesAt};

/// What proofs are made of. Clones share it.
#[derive(Clone)]
pub struct Proofs {
    reader: Reader,
    /// The projection of the tiles, to be waited for.
    view: View,
    tiles: Tiles,
    checkpoints: Published,
}

impl Proofs {
    /// Proofs of `reader`'s ledger, from `tiles`, whose projection is seen by `view`.
    pub const fn new(reader: Reader, view: View, tiles: Tiles, checkpoints: Published) -> Self {
        Self {
            reader,
            view,
            tiles,
            checkpoints,
        }
    }

    /// The size that a request asks for at `field`; 0 asks for the newest checkpoint's, and for
    /// the head's as long as there is none.
    pub fn size(&self, field: &str, size: u64) -> Result<u64, Failure> {
        let head = self.reader.head().size;
        match size {
            0 => Ok(self.checkpoints.newest().map_or(head, |note| note.size)),
            size if size <= head => Ok(size),
            size => Err(Failure::at(
                Reason::BeyondTheHead,
                field,
                format!("{size} lies beyond the ledger, which has {head} entries"),
                format!("at most {head}, or 0 for the newest checkpoint's"),
            )),
        }
    }

    /// Proves that the entry at `index`, which the request's `field` names, is among the first
    /// `size`.
    pub async fn inclusion(
        &self,
        field: &str,
        index: u64,
        size: u64,
    ) -> Result<InclusionProof, Failure> {
        let head = self.reader.head().size;
        if index >= head {
            return Err(beyond(field, index, head));
        }
        if index >= size {
            return Err(Failure::invalid(
                "size",
                format!("entry {index} is not among the first {size}"),
                format!("a size from {} to {head}", index + 1),
            ));
        }
        self.prove(size, move |tiles| {
            merkle::inclusion_proof(&mut tiles.nodes(), index, size)
        })
        .await
    }

    /// Proves that the ledger's first `size` entries begin with its first `old`.
    pub async fn consistency(&self, old: u64, size: u64) -> Result<ConsistencyProof, Failure> {
        if old > size {
            return Err(Failure::invalid(
                "oldSize",
                format!("{old} is larger than the size {size}"),
                format!("a size from 0 to {size}"),
            ));
        }
        self.prove(size, move |tiles| {
            merkle::consistency_proof(&mut tiles.nodes(), old, size)
        })
        .await
    }

    /// Makes a proof once the tiles have read `size` entries.
    async fn prove<T: Send + 'static>(
        &self,
        size: u64,
        prove: impl FnOnce(&TilesAt) -> Result<T, ProveError<TileReadError<FoldError>>> + Send + 'static,
    ) -> Result<T, Failure> {
        let tiles = self.tiles.at(self.view.read(size).await?);
        blocking(move || {
            prove(&tiles).map_err(|error| match error {
                ProveError::Read(TileReadError::Fetch(error)) => error.into(),
                error => Failure::defect(error.to_string()),
            })
        })
        .await
    }
}
