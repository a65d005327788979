//! Reading tiles, and the nodes of the tree out of them.

use std::sync::Arc;

use super::fold::{bytes_of, pending};
use super::recent::{Place, RecentTiles};
use super::{HASH_BYTES, TILES, tile_key};
use crate::fold::{FoldError, Tables};
use crate::merkle::{Hash, TILE_WIDTH_MAX, Tile, TileId, TileReader};

/// The hashes of a tile, 32 bytes each; none if the tree of the first `size` leaves, all of which
/// were folded, has not as many there.
pub fn tile(tables: &dyn Tables, id: TileId, size: u64) -> Result<Option<Vec<u8>>, FoldError> {
    if !id.is_within(size) {
        return Ok(None);
    }
    let mut hashes = read(tables, (id.level(), id.index()), id.width(), &[])?;
    hashes.truncate(usize::from(id.width()));
    Ok(Some(bytes_of(&hashes)))
}

/// The first `width` hashes of a tile, or more of them; `begun` are the first of these.
fn read(
    tables: &dyn Tables,
    place: Place,
    width: u16,
    begun: &[Hash],
) -> Result<Vec<Hash>, FoldError> {
    if let Some(hashes) = full(tables, place)? {
        return Ok(hashes);
    }
    let slots = u8::try_from(begun.len()).and_then(|from| Ok(from..u8::try_from(width)?));
    let waiting = match slots {
        Ok(slots) => pending(tables, place.0, slots),
        // It must be full.
        Err(_) => Err(TILES.damaged()),
    };
    // Rows can be written between two reads: if the tile was completed since, what waits may
    // be the next one's.
    match full(tables, place)? {
        Some(hashes) => Ok(hashes),
        None => Ok([begun, &waiting?].concat()),
    }
}

/// The hashes of a full tile; none if it is not full.
fn full(tables: &dyn Tables, (level, index): Place) -> Result<Option<Vec<Hash>>, FoldError> {
    let Some(row) = tables.get(tile_key(level, index).as_bytes())? else {
        return Ok(None);
    };
    let (hashes, rest) = row.as_chunks::<HASH_BYTES>();
    if hashes.len() != usize::from(TILE_WIDTH_MAX) || !rest.is_empty() {
        return Err(TILES.damaged());
    }
    Ok(Some(hashes.iter().copied().map(Hash::from).collect()))
}

/// The nodes of the tree of the first `size` leaves, all of which were folded into `tables`: for
/// proofs of any size up to that. `recent` keeps tiles of tables that go by the number `build`.
pub fn nodes<'t>(
    tables: &'t dyn Tables,
    build: u64,
    size: u64,
    recent: &'t RecentTiles,
) -> TileReader<impl FnMut(TileId) -> Result<Arc<Tile>, FoldError>, Arc<Tile>> {
    TileReader::new(size, move |id: TileId| {
        let place = (id.level(), id.index());
        let kept = recent.get(build, place);
        let begun = match &kept {
            Some(tile) if tile.hashes().len() >= usize::from(id.width()) => {
                return Ok(Arc::clone(tile));
            }
            Some(tile) => tile.hashes(),
            None => &[],
        };
        let hashes = read(tables, place, id.width(), begun)?;
        let tile = Tile::new(&hashes).map_err(|_| TILES.damaged())?;
        let tile = Arc::new(tile);
        recent.put(build, place, Arc::clone(&tile));
        Ok(tile)
    })
}
