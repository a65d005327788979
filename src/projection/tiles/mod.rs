//! The hashes of the ledger's Merkle tree, in tiles of 256 as C2SP tlog-tiles lays them out: what
//! proofs are made of, and what is served to whoever checks the archive.
//!
//! Hash i of tile (L, N) is the root over the entries [(256·N + i)·256^L, (256·N + i + 1)·256^L).
//! A full tile is one row, written by the entry that completes it. The hashes at the right edge
//! wait in a row each, at most 255 a level, whose places the next tile's hashes take: so an
//! entry costs one small row, and what is kept is 34 bytes an entry and a 256th more.
//!
//! A tile never changes once it is there: a partial tile of any earlier size is the beginning of
//! the one that stands there. It proves nothing by itself: whoever verifies compares roots.

mod fold;
mod nodes;
mod recent;
#[cfg(feature = "daemon")]
mod served;
#[cfg(test)]
mod tests;

pub use fold::TilesFold;
pub use nodes::{nodes, tile};
pub use recent::RecentTiles;
#[cfg(feature = "daemon")]
pub use served::{Tiles, TilesAt};

use super::rows::{Key, Table};

/// The bytes of a hash: SHA-256.
const HASH_BYTES: usize = 32;

/// How many hashes of a full tile make one of the roots that stand beside them in its row: 16
/// groups of 16, so that a proof hashes 30 nodes of a tile that was not read before rather than
/// all 255.
const GROUP: usize = 1 << GROUP_HEIGHT;

/// Levels of the tree within a group.
const GROUP_HEIGHT: u8 = 4;

/// Full tiles: all hashes, one after the other, then the roots of their groups.
const TILES: Table = Table {
    byte: b'T',
    name: "tiles",
};

/// The hashes of the tile at the right edge of each level, one a row.
const PENDING: Table = Table {
    byte: b'P',
    name: "pending hashes",
};

fn tile_key(level: u8, index: u64) -> Key {
    TILES.key().bytes(&[level]).index(index)
}

fn pending_key(level: u8, slot: u8) -> Key {
    PENDING.key().bytes(&[level, slot])
}
