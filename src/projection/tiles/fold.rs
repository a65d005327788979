//! The tiles' fold: one hash an entry, one tile every 256.

use super::{GROUP, HASH_BYTES, PENDING, pending_key, tile_key};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::merkle::{Hash, TILE_WIDTH_MAX, leaf_hash, root_of};
use crate::record::Entry;

/// The place of the hash that completes a tile.
const LAST_SLOT: u8 = u8::MAX;
const _: () = assert!(TILE_WIDTH_MAX == LAST_SLOT as u16 + 1);

/// The tiles of the ledger's Merkle tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct TilesFold;

impl Fold for TilesFold {
    fn name(&self) -> &'static str {
        "tiles"
    }

    fn version(&self) -> u32 {
        2
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        Self::push(state, entry.index, leaf_hash(&entry.encoded))
    }
}

impl TilesFold {
    /// What the leaf at `index` changes: it waits at the right edge, or completes a tile, whose
    /// root does the same one level up.
    pub fn push(state: &dyn Tables, mut index: u64, leaf: Hash) -> Result<Changes, FoldError> {
        let (mut level, mut hash) = (0, leaf);
        let mut changes = Changes::new();
        loop {
            // The place of the hash within its tile, which has as many as a byte has values.
            let [.., slot] = index.to_be_bytes();
            if slot < LAST_SLOT {
                let waiting = Some(hash.as_bytes().to_vec());
                changes.insert(pending_key(level, slot).into_bytes(), waiting);
                return Ok(changes);
            }
            let mut hashes = pending(state, level, 0..LAST_SLOT)?;
            hashes.push(hash);
            index /= u64::from(TILE_WIDTH_MAX);
            let groups: Vec<Hash> = hashes.chunks(GROUP).map(root_of).collect();
            hash = root_of(&groups);
            let row = tile_key(level, index).into_bytes();
            hashes.extend(groups);
            changes.insert(row, Some(bytes_of(&hashes)));
            // Ends: eight times over, no index is left that would fill another tile.
            level += 1;
        }
    }
}

/// The hashes that wait at these places of a level.
pub(super) fn pending(
    state: &dyn Tables,
    level: u8,
    slots: std::ops::Range<u8>,
) -> Result<Vec<Hash>, FoldError> {
    let hash = |slot| {
        let row = state.get(pending_key(level, slot).as_bytes())?;
        let hash = row.and_then(|row| <[u8; HASH_BYTES]>::try_from(row).ok());
        hash.map(Hash::from).ok_or_else(|| PENDING.damaged())
    };
    slots.map(hash).collect()
}

/// Hashes as they stand in a tile, one after the other.
pub(super) fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(hashes.len() * HASH_BYTES);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes
}
