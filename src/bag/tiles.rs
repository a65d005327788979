//! Tiles and entry bundles out of a ledger's entries, in order: each is handed on once it is full,
//! and those that are not once the ledger ends. At no time is more in memory than one bundle, and
//! one tile a level.

use super::error::BagError;
use crate::merkle::{
    BundleId, Frontier, Hash, TILE_WIDTH_MAX, Tile, TileId, TilePath, encode_bundle, leaf_hash,
};

/// The most hashes of a tile, as a length.
const WIDTH_MAX: usize = TILE_WIDTH_MAX as usize;

/// The levels within a tile, from its hashes to the root over all of them.
const HEIGHT: u8 = 8;

const _: () = assert!(WIDTH_MAX == 1 << HEIGHT);

/// See the module.
#[derive(Debug, Default)]
pub struct TileWriter {
    frontier: Frontier,
    /// The entries of the bundle that is not full.
    bundle: Vec<Vec<u8>>,
    /// For each level, the hashes of the tile that is not full.
    levels: Vec<Vec<Hash>>,
}

impl TileWriter {
    /// The frontier of the entries so far.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Adds the next entry's bytes, and hands on, by path, what has become full.
    pub fn push(
        &mut self,
        entry: &[u8],
        write: &mut impl FnMut(TilePath, &[u8]) -> Result<(), BagError>,
    ) -> Result<(), BagError> {
        let hash = leaf_hash(entry);
        self.frontier.push(hash);
        self.bundle.push(entry.to_vec());
        if self.bundle.len() == WIDTH_MAX {
            self.write_bundle(write)?;
        }
        let size = self.frontier.size();
        let mut carried = hash;
        for level in 0_u8.. {
            let place = usize::from(level);
            if self.levels.len() == place {
                self.levels.push(Vec::with_capacity(WIDTH_MAX));
            }
            let Some(hashes) = self.levels.get_mut(place) else {
                break;
            };
            hashes.push(carried);
            if hashes.len() < WIDTH_MAX {
                break;
            }
            let tile = Tile::new(hashes)?;
            hashes.clear();
            let index = (size >> (u32::from(HEIGHT) * (u32::from(level) + 1))).saturating_sub(1);
            write_tile(level, index, &tile, write)?;
            match tile.subtree(HEIGHT, 0) {
                Some(root) => carried = root,
                None => break,
            }
        }
        Ok(())
    }

    /// Hands on what is not full.
    pub fn finish(
        mut self,
        write: &mut impl FnMut(TilePath, &[u8]) -> Result<(), BagError>,
    ) -> Result<Frontier, BagError> {
        if !self.bundle.is_empty() {
            self.write_bundle(write)?;
        }
        let size = self.frontier.size();
        for (level, hashes) in (0_u8..).zip(&self.levels) {
            if !hashes.is_empty() {
                let index = size >> (u32::from(HEIGHT) * (u32::from(level) + 1));
                write_tile(level, index, &Tile::new(hashes)?, write)?;
            }
        }
        Ok(self.frontier)
    }

    fn write_bundle(
        &mut self,
        write: &mut impl FnMut(TilePath, &[u8]) -> Result<(), BagError>,
    ) -> Result<(), BagError> {
        let bundle = std::mem::take(&mut self.bundle);
        let last = self.frontier.size().saturating_sub(1);
        let index = last / u64::from(TILE_WIDTH_MAX);
        // A path is there for every tree that holds these entries.
        let Some(id) = BundleId::in_tree(index, self.frontier.size()) else {
            return Err(BagError::Empty);
        };
        write(
            id.into(),
            &encode_bundle(bundle.iter().map(|entry| &entry[..]))?,
        )
    }
}

fn write_tile(
    level: u8,
    index: u64,
    tile: &Tile,
    write: &mut impl FnMut(TilePath, &[u8]) -> Result<(), BagError>,
) -> Result<(), BagError> {
    let width = u16::try_from(tile.hashes().len()).unwrap_or(TILE_WIDTH_MAX);
    let id = TileId::new(level, index, width).map_err(|_| BagError::Empty)?;
    write(id.into(), &tile.encode(width))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::{TileReader, decode_bundle, new_bundles, new_tiles, root};

    /// The tiles of `size` entries.
    fn tiles(size: u64) -> (BTreeMap<String, Vec<u8>>, Frontier) {
        let mut written = BTreeMap::new();
        let mut write = |path: TilePath, bytes: &[u8]| {
            let before = written.insert(path.to_string(), bytes.to_vec());
            assert_eq!(before, None, "{path} is written once");
            Ok(())
        };
        let mut writer = TileWriter::default();
        for index in 0..size {
            writer.push(&index.to_be_bytes(), &mut write).unwrap();
        }
        let frontier = writer.finish(&mut write).unwrap();
        (written, frontier)
    }

    #[test]
    fn every_tile_and_bundle_of_a_tree_is_written_once_and_gives_its_root() {
        for size in [
            1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000,
        ] {
            let (written, frontier) = tiles(size);
            let named = new_tiles(0, size).map(|id| TilePath::from(id).to_string());
            let bundles = new_bundles(0, size).map(|id| TilePath::from(id).to_string());
            let mut expected: Vec<String> = named.chain(bundles).collect();
            expected.sort();
            let found: Vec<&String> = written.keys().collect();
            assert!(found.iter().copied().eq(&expected), "{size}");
            let mut reader = TileReader::new(size, |id: TileId| {
                let bytes = &written[&TilePath::from(id).to_string()];
                Ok::<_, Infallible>(Tile::decode(bytes, id.width()).unwrap())
            });
            assert_eq!(root(&mut reader, size).unwrap(), frontier.root());
            let last = BundleId::in_tree((size - 1) / 256, size).unwrap();
            let bundle = &written[&TilePath::from(last).to_string()];
            let entries = decode_bundle(bundle, last.width()).unwrap();
            assert_eq!(entries.last().unwrap()[..], (size - 1).to_be_bytes());
        }
    }
}
