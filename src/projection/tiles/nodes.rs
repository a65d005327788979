//! Reading tiles, and the nodes of the tree out of them.

use std::sync::Arc;

use super::fold::pending;
use super::recent::{Place, RecentTiles};
use super::{GROUP, GROUP_HEIGHT, HASH_BYTES, TILES, tile_key};
use crate::fold::{FoldError, Tables};
use crate::merkle::{Hash, TILE_WIDTH_MAX, Tile, TileId, TileReader};

/// The hashes of a full tile.
const WIDTH_MAX: usize = TILE_WIDTH_MAX as usize;

/// The hashes of a tile, 32 bytes each; none if the tree of the first `size` leaves, all of which
/// were folded, has not as many there.
pub fn tile(tables: &dyn Tables, id: TileId, size: u64) -> Result<Option<Vec<u8>>, FoldError> {
    if !id.is_within(size) {
        return Ok(None);
    }
    let tile = read(tables, (id.level(), id.index()), id.width(), &[])?;
    Ok(Some(tile.encode(id.width())))
}

/// The first `width` hashes of a tile, or more of them; `begun` are the first of these.
fn read(tables: &dyn Tables, place: Place, width: u16, begun: &[Hash]) -> Result<Tile, FoldError> {
    if let Some(tile) = full(tables, place)? {
        return Ok(tile);
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
        Some(tile) => Ok(tile),
        None => Tile::new(&[begun, &waiting?].concat()).map_err(|_| TILES.damaged()),
    }
}

/// A full tile; none if it is not full.
fn full(tables: &dyn Tables, (level, index): Place) -> Result<Option<Tile>, FoldError> {
    let Some(row) = tables.get(tile_key(level, index).as_bytes())? else {
        return Ok(None);
    };
    let (hashes, rest) = row.as_chunks::<HASH_BYTES>();
    let hashes: Vec<Hash> = hashes.iter().copied().map(Hash::from).collect();
    let (hashes, groups) = hashes
        .split_at_checked(WIDTH_MAX)
        .filter(|(_, groups)| groups.len() == WIDTH_MAX / GROUP && rest.is_empty())
        .ok_or_else(|| TILES.damaged())?;
    let tile = Tile::new(hashes).map_err(|_| TILES.damaged())?;
    Ok(Some(tile.knowing(GROUP_HEIGHT, groups)))
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
        let tile = Arc::new(read(tables, place, id.width(), begun)?);
        recent.put(build, place, Arc::clone(&tile));
        Ok(tile)
    })
}
