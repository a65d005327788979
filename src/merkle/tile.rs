//! Tiles: 256 neighbouring hashes and the complete subtrees over them, and the reading of a
//! tree's nodes from them. After C2SP tlog-tiles.
//!
//! Invariant: of a [`Tile`] everything follows from its lowest hashes, which alone are written.
//! A subtree is hashed once, when it is asked for, so that whoever keeps tiles answers most
//! proofs that pass through one by looking up. A [`TileReader`] asks for each tile once. Where
//! tiles lie and which are kept is for the closure that it is given; whether they are true is
//! for whoever verifies the proofs.

use std::borrow::Borrow;
use std::sync::OnceLock;

use super::nodes::HashReader;
use super::tile_path::{TILE_HEIGHT, TILE_WIDTH_MAX, TileId};
use super::tree::{Hash, node_hash};

/// The length of a hash.
const HASH_BYTES: usize = 32;

/// The most hashes of a tile, as a length.
const WIDTH_MAX: usize = TILE_WIDTH_MAX as usize;

/// A tile's hashes, with all complete subtrees within it: up to 511 hashes, or 20 KB.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The hashes of the tile, 1 to 256.
    hashes: Vec<Hash>,
    /// What is above them, row after row: each has half as many as the one below, rounded down,
    /// until there would be none. Hashed when it is asked for.
    above: Vec<OnceLock<Hash>>,
}

impl Tile {
    /// The tile of these hashes, 1 to 256.
    pub fn new(hashes: &[Hash]) -> Result<Self, TileError> {
        let width = hashes.len();
        if width == 0 || width > WIDTH_MAX {
            return Err(TileError::Width { found: width });
        }
        Ok(Self {
            hashes: hashes.to_vec(),
            above: vec![OnceLock::new(); row(TILE_HEIGHT + 1, width)],
        })
    }

    /// The same tile, whose subtrees of `height` somebody who hashed them gives, from the first
    /// on: they are taken as they are.
    #[must_use]
    pub fn knowing(mut self, height: u8, subtrees: &[Hash]) -> Self {
        let place = row(height, self.hashes.len());
        let cells = self.above.get_mut(place..).unwrap_or_default();
        let width = self.hashes.len() >> height;
        for (cell, subtree) in cells.iter_mut().take(width).zip(subtrees) {
            *cell = OnceLock::from(*subtree);
        }
        self
    }

    /// Reads the bytes of a tile of `width` hashes.
    pub fn decode(bytes: &[u8], width: u16) -> Result<Self, TileError> {
        let expected = usize::from(width) * HASH_BYTES;
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if bytes.len() != expected || !rest.is_empty() {
            return Err(TileError::Length {
                expected,
                found: bytes.len(),
            });
        }
        let hashes: Vec<Hash> = hashes.iter().copied().map(Hash::from).collect();
        Self::new(&hashes)
    }

    /// The bytes of the first `width` hashes: those of the tile as it was when it was not wider,
    /// or all if it is not as wide.
    #[must_use]
    pub fn encode(&self, width: u16) -> Vec<u8> {
        let hashes = self.hashes().iter().take(usize::from(width));
        hashes.flat_map(|hash| *hash.as_bytes()).collect()
    }

    /// The hashes of the tile.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root over the 2^`height` hashes from `index` · 2^`height` on, if the tile has them
    /// all.
    #[must_use]
    pub fn subtree(&self, height: u8, index: usize) -> Option<Hash> {
        if height > TILE_HEIGHT || index >= self.hashes.len() >> height {
            return None;
        }
        if height == 0 {
            return self.hashes.get(index).copied();
        }
        let cell = self.above.get(row(height, self.hashes.len()) + index)?;
        if let Some(known) = cell.get() {
            return Some(*known);
        }
        let left = self.subtree(height - 1, 2 * index)?;
        let right = self.subtree(height - 1, 2 * index + 1)?;
        Some(*cell.get_or_init(|| node_hash(&left, &right)))
    }
}

/// Where the row at `height`, 1 or more, begins among those above `width` hashes.
fn row(height: u8, width: usize) -> usize {
    (1..height).map(|below| width >> below).sum()
}

impl PartialEq for Tile {
    fn eq(&self, other: &Self) -> bool {
        self.hashes == other.hashes
    }
}

impl Eq for Tile {}

/// Why some hashes or bytes are not a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Empty, or more than a full tile has.
    #[error("a tile has 1 to {TILE_WIDTH_MAX} hashes, not {found}")]
    Width {
        /// How many there are.
        found: usize,
    },
    /// Not as many bytes as the width says.
    #[error("a tile of this width has {expected} bytes, not {found}")]
    Length {
        /// How many bytes its hashes have.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

/// Reads the nodes of the tree of `size` entries from its tiles, and asks for each tile once.
///
/// The closure gets the tile's name as wide as it is in that tree, and gives the tile or a wider
/// one of the same place: a [`Tile`], or an `Arc` of one that it keeps. Worth keeping are the
/// tiles above level 0 and the last one of level 0, which every proof passes through: then a
/// proof costs the reading of one tile. The reader keeps all that it was given, at most two
/// tiles for each level of levels in one proof, so make a new one for each proof.
pub struct TileReader<F, T> {
    size: u64,
    fetch: F,
    tiles: Vec<(u8, u64, T)>,
}

impl<F, T, E> TileReader<F, T>
where
    F: FnMut(TileId) -> Result<T, E>,
    T: Borrow<Tile>,
{
    /// A reader of the tree of `size` entries that has its tiles from `fetch`.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self {
            size,
            fetch,
            tiles: Vec::new(),
        }
    }

    /// The tile at a place, from those that are kept or from the closure.
    fn tile(&mut self, level: u8, index: u64) -> Result<&T, TileReadError<E>> {
        let kept = |(l, i, _): &(u8, u64, T)| (*l, *i) == (level, index);
        let at = if let Some(at) = self.tiles.iter().position(kept) {
            at
        } else {
            let size = self.size;
            let id = TileId::in_tree(level, index, size);
            let id = id.ok_or(TileReadError::NotInTree { level, index, size })?;
            let tile = (self.fetch)(id).map_err(TileReadError::Fetch)?;
            let found = tile.borrow().hashes().len();
            if found < usize::from(id.width()) {
                return Err(TileReadError::Narrow { id, found });
            }
            self.tiles.push((level, index, tile));
            self.tiles.len() - 1
        };
        let size = self.size;
        let tile = self.tiles.get(at).map(|(_, _, tile)| tile);
        tile.ok_or(TileReadError::NotInTree { level, index, size })
    }
}

impl<F, T, E> HashReader for TileReader<F, T>
where
    F: FnMut(TileId) -> Result<T, E>,
    T: Borrow<Tile>,
{
    type Error = TileReadError<E>;

    fn hash(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        // So many subtrees of this height lie in one tile, a power of two up to 256.
        let in_tile = u64::from(TILE_WIDTH_MAX) >> height;
        let (tile_index, place) = (index / in_tile, index % in_tile);
        let size = self.size;
        let tile = self.tile(tile_level, tile_index)?;
        // Below 256.
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let subtree = tile.borrow().subtree(height, place);
        subtree.ok_or(TileReadError::NotInTree {
            level: tile_level,
            index: tile_index,
            size,
        })
    }
}

/// Why a node cannot be read from tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileReadError<E> {
    /// The tile could not be had.
    #[error("{0}")]
    Fetch(E),
    /// The tile that was given has fewer hashes than the tree has in this place.
    #[error(
        "tile {} of level {} has {found} hashes, not {}", id.index(), id.level(), id.width()
    )]
    Narrow {
        /// The tile asked for.
        id: TileId,
        /// How many hashes the one given has.
        found: usize,
    },
    /// The tree does not have this tile, or not all of the hashes asked for.
    #[error("a tree of {size} entries has no such hashes in tile {index} of level {level}")]
    NotInTree {
        /// The level of the tile.
        level: u8,
        /// The index of the tile.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
}
