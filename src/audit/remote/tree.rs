//! The Merkle tree of a checkpoint, read from a site's tiles, each held against the root before
//! anything is read from it.
//!
//! Invariant: a tile that is given out is the one that the checkpoint's root commits to. The
//! tiles of the right edge make the root by themselves, and every full tile has its own root in
//! the tile above it. So what a tree gives for a smaller size (the root, say) is what the
//! checkpoint commits to as well, and two checkpoints are consistent if and only if the root of
//! the older one comes out of the newer one's tree.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::Fault;
use super::site::{Site, SiteError};
use crate::merkle::{
    self, BundleId, Checkpoint, Hash, TILE_LEVEL_MAX, TILE_WIDTH_MAX, Tile, TileId, TilePath,
    TileReadError, TileReader, decode_bundle,
};

/// The bytes of a hash: SHA-256.
const HASH_BYTES: usize = 32;

/// How many full tiles are kept, at 16 KiB with their nodes: 16 MiB.
const TILES_KEPT_MAX: usize = 1_024;

/// The height of a tile: 2^8 hashes.
const TILE_HEIGHT: u8 = 8;

/// The tree of a checkpoint. See the module.
pub(super) struct Tree<'a> {
    site: &'a dyn Site,
    size: u64,
    root: Hash,
    /// The tiles that are not full: at most one a level.
    edge: HashMap<(u8, u64), Arc<Tile>>,
    kept: Mutex<HashMap<(u8, u64), Arc<Tile>>>,
}

impl<'a> Tree<'a> {
    /// Reads the right edge, which must make the checkpoint's root.
    pub fn open(site: &'a dyn Site, checkpoint: &Checkpoint) -> Result<Self, Fault> {
        let all = checkpoint.size();
        let mut opened = Self {
            site,
            size: all,
            root: checkpoint.root(),
            edge: HashMap::new(),
            kept: Mutex::default(),
        };
        let mut hashes = all;
        for level in 0..=TILE_LEVEL_MAX {
            if hashes == 0 {
                break;
            }
            let index = hashes >> TILE_HEIGHT;
            if let Some(id) = TileId::in_tree(level, index, all) {
                let tile = Arc::new(opened.fetch(id)?);
                opened.edge.insert((level, index), tile);
            }
            hashes = index;
        }
        let found = opened.root_at(all)?;
        if found != opened.root {
            return Err(Fault::Edge {
                size: all,
                expected: opened.root,
                found,
            });
        }
        Ok(opened)
    }

    /// How many entries it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over the first `size` entries, at most all.
    pub fn root_at(&self, size: u64) -> Result<Hash, Fault> {
        let tile = |id: TileId| self.tile(id.level(), id.index());
        let mut reader = TileReader::new(self.size, tile);
        merkle::root(&mut reader, size).map_err(|error| match error {
            merkle::ProveError::Read(TileReadError::Fetch(fault)) => fault,
            error => Fault::Tile {
                path: String::from("the right edge"),
                reason: error.to_string(),
            },
        })
    }

    /// The tile at a place of the tree.
    pub fn tile(&self, level: u8, index: u64) -> Result<Arc<Tile>, Fault> {
        let place = (level, index);
        if let Some(tile) = self.edge.get(&place) {
            return Ok(Arc::clone(tile));
        }
        if let Some(tile) = lock(&self.kept).get(&place) {
            return Ok(Arc::clone(tile));
        }
        let beyond = Fault::Beyond {
            index,
            size: self.size,
        };
        let id = TileId::in_tree(level, index, self.size).ok_or(beyond)?;
        let tile = Arc::new(self.fetch(id)?);
        // Ends: above the highest level there is nothing but the edge.
        let above = self.tile(level + 1, index >> TILE_HEIGHT)?;
        let expected = above.hashes().get(usize::from(index.to_be_bytes()[7]));
        if expected.copied() != tile.subtree(TILE_HEIGHT, 0) {
            return Err(Fault::Tile {
                path: TilePath::from(id).to_string(),
                reason: "its root is not the hash in the tile above it".to_owned(),
            });
        }
        let mut kept = lock(&self.kept);
        if kept.len() >= TILES_KEPT_MAX {
            kept.clear();
        }
        kept.insert(place, Arc::clone(&tile));
        Ok(tile)
    }

    /// The entries of the bundle at `index`, each of which hashes to its leaf.
    pub fn bundle(&self, index: u64) -> Result<Vec<bytes::Bytes>, Fault> {
        let id = BundleId::in_tree(index, self.size).ok_or(Fault::Beyond {
            index,
            size: self.size,
        })?;
        let tile = self.tile(0, index)?;
        let path = TilePath::from(id).to_string();
        let malformed = |reason: String| Fault::Tile {
            path: path.clone(),
            reason,
        };
        let full = BundleId::new(index, TILE_WIDTH_MAX).map(TilePath::from);
        let (bytes, width) = self.get(&path, id.width(), full.ok(), merkle::BUNDLE_BYTES_MAX)?;
        let bytes = bytes::Bytes::from(bytes);
        let entries = decode_bundle(&bytes, width).map_err(|error| malformed(error.to_string()))?;
        let mut checked = Vec::with_capacity(usize::from(id.width()));
        let hashes = (id.first_entry()..).zip(tile.hashes());
        for (entry, (index, expected)) in entries.into_iter().zip(hashes) {
            let found = merkle::leaf_hash(entry);
            if found != *expected {
                return Err(Fault::Entry {
                    index,
                    expected: *expected,
                    found,
                });
            }
            checked.push(bytes.slice_ref(entry));
        }
        Ok(checked)
    }

    fn fetch(&self, id: TileId) -> Result<Tile, Fault> {
        let path = TilePath::from(id).to_string();
        let bytes_max = usize::from(TILE_WIDTH_MAX) * HASH_BYTES;
        let full = TileId::new(id.level(), id.index(), TILE_WIDTH_MAX).map(TilePath::from);
        let (bytes, width) = self.get(&path, id.width(), full.ok(), bytes_max)?;
        let malformed = |error: merkle::TileError| Fault::Tile {
            path: path.clone(),
            reason: error.to_string(),
        };
        let tile = Tile::decode(&bytes, width).map_err(malformed)?;
        if width == id.width() {
            return Ok(tile);
        }
        let hashes = tile.hashes().get(..usize::from(id.width()));
        Tile::new(hashes.unwrap_or_default()).map_err(malformed)
    }

    /// What stands at `path`, `width` wide, and how wide it is: if a partial one is not there, the
    /// full one, as the partial ones may go once there is that.
    fn get(
        &self,
        path: &str,
        width: u16,
        full: Option<TilePath>,
        bytes_max: usize,
    ) -> Result<(Vec<u8>, u16), SiteError> {
        let missing = match self.site.get(path, bytes_max) {
            Err(error @ SiteError::Missing { .. }) if width < TILE_WIDTH_MAX => error,
            answer => return Ok((answer?, width)),
        };
        let Some(full) = full else {
            return Err(missing);
        };
        match self.site.get(&full.to_string(), bytes_max) {
            // It is the partial one that there has to be.
            Err(SiteError::Missing { .. }) => Err(missing),
            answer => Ok((answer?, TILE_WIDTH_MAX)),
        }
    }
}

/// What these locks guard is whole at every moment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
