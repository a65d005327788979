//! Tiles that were read lately: every proof asks for those of the upper levels and of the right
//! edge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::merkle::Tile;

/// How many tiles are kept of either age, at 20 KiB with their nodes: 20 MiB for both. That
/// holds all tiles above the leaves' of a ledger of 33 million entries.
const TILES_KEPT_MAX: usize = 512;

/// Which tile: its level, and its index there.
pub(super) type Place = (u8, u64);

/// Tiles that were read lately, of one set of tables. Tables that took the place of others
/// have their tiles read anew: they may have been built because the others were damaged.
#[derive(Debug, Default)]
pub struct RecentTiles(Mutex<Kept>);

/// Two ages: what is asked for becomes young; once the young are as many as may be, they are
/// the old, and what was old goes.
#[derive(Debug, Default)]
struct Kept {
    /// Which tables they are of.
    build: u64,
    young: HashMap<Place, Arc<Tile>>,
    old: HashMap<Place, Arc<Tile>>,
}

impl RecentTiles {
    /// The tile at `place` of the tables `build`, as far as it is kept.
    pub(super) fn get(&self, build: u64, place: Place) -> Option<Arc<Tile>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.of(build);
        if let Some(tile) = kept.young.get(&place) {
            return Some(Arc::clone(tile));
        }
        let tile = kept.old.remove(&place)?;
        kept.put(place, Arc::clone(&tile));
        Some(tile)
    }

    /// Keeps a tile of the tables `build`.
    pub(super) fn put(&self, build: u64, place: Place, tile: Arc<Tile>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.of(build);
        kept.put(place, tile);
    }
}

impl Kept {
    /// Lets go of what is of other tables.
    fn of(&mut self, build: u64) {
        if self.build != build {
            *self = Self {
                build,
                ..Self::default()
            };
        }
    }

    fn put(&mut self, place: Place, tile: Arc<Tile>) {
        if self.young.len() >= TILES_KEPT_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(place, tile);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    fn tile(name: u64) -> Arc<Tile> {
        Arc::new(Tile::new(&[leaf_hash(&name.to_be_bytes())]).unwrap())
    }

    #[test]
    fn no_more_tiles_are_kept_than_the_bound_says_and_what_is_asked_for_stays() {
        let recent = RecentTiles::default();
        recent.put(0, (1, 0), tile(0));
        for index in 0..10_000 {
            recent.put(0, (0, index), tile(index));
            assert!(recent.get(0, (1, 0)).is_some(), "after {index}");
            let kept = recent.0.lock().unwrap();
            assert!(kept.young.len().max(kept.old.len()) <= TILES_KEPT_MAX);
        }
        assert!(recent.get(0, (0, 9_999)).is_some());
        assert!(recent.get(0, (0, 0)).is_none());
    }

    #[test]
    fn other_tables_do_not_answer_with_the_tiles_of_these() {
        let recent = RecentTiles::default();
        recent.put(3, (0, 0), tile(0));
        assert!(recent.get(3, (0, 0)).is_some());
        assert!(recent.get(4, (0, 0)).is_none());
        assert!(recent.get(3, (0, 0)).is_none());
    }
}
