use std::cell::{Cell, RefCell};
use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::fold::{FoldError, MemoryTables, Order, Scan, Tables, TablesError};
use crate::merkle::{
    self, Hash, HashReader as _, TileId, TileReadError, consistency_proof, inclusion_proof,
    leaf_hash, new_tiles, root_of,
};
use crate::projection::fixtures::{Script, statement};

/// More than two tiles of the second level.
const LARGE: u64 = 2 * 256 * 256 + 3 * 256 + 7;

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn push(tables: &mut MemoryTables, index: u64) {
    let changes = TilesFold::push(tables, index, leaf(index)).unwrap();
    tables.apply(changes);
}

fn grown(size: u64) -> MemoryTables {
    let mut tables = MemoryTables::default();
    for index in 0..size {
        push(&mut tables, index);
    }
    tables
}

/// What a tile holds by its definition.
fn by_definition(id: TileId) -> Vec<u8> {
    let span = 256_u64.pow(u32::from(id.level()));
    let first = id.index() * 256;
    let hashes = (first..first + u64::from(id.width())).map(|hash| {
        let leaves: Vec<Hash> = (hash * span..(hash + 1) * span).map(leaf).collect();
        root_of(&leaves)
    });
    hashes.flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn the_tiles_of_a_tree_with_three_levels_are_those_of_the_definition() {
    let tables = grown(LARGE);
    let all: Vec<TileId> = new_tiles(0, LARGE).collect();
    assert_eq!(all.len(), (2 * 256 + 3 + 1) + (2 + 1) + 1);
    for id in all {
        let found = tile(&tables, id, LARGE).unwrap();
        assert_eq!(found, Some(by_definition(id)), "{id:?}");
    }
    let leaves: Vec<Hash> = (0..LARGE).map(leaf).collect();
    let (whole, recent) = (root_of(&leaves), RecentTiles::default());
    for index in (0..LARGE).step_by(4_111) {
        let mut nodes = super::nodes(&tables, 0, LARGE, &recent);
        let proof = inclusion_proof(&mut nodes, index, LARGE).unwrap();
        assert_eq!(proof.verify(index, LARGE, &leaf(index), &whole), Ok(()));
    }
}

#[test]
fn the_published_words_give_the_published_roots() {
    let words =
        "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten";
    let (mut tables, recent) = (MemoryTables::default(), RecentTiles::default());
    for (index, word) in (0..).zip(words.split(' ')) {
        let changes = TilesFold::push(&tables, index, leaf_hash(word.as_bytes())).unwrap();
        tables.apply(changes);
    }
    for (size, root) in [
        (0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        (1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek="),
        (15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
    ] {
        let mut nodes = super::nodes(&tables, 0, 15, &recent);
        assert_eq!(merkle::root(&mut nodes, size).unwrap().to_string(), root);
    }
}

#[test]
fn an_entry_costs_one_small_row_and_a_tile_every_256th_more() {
    let mut tables = MemoryTables::default();
    for index in 0..70_000_u64 {
        let changes = TilesFold::push(&tables, index, leaf(index)).unwrap();
        let completed = (index + 1).trailing_zeros() / 8;
        assert_eq!(changes.len(), 1 + completed as usize, "{index}");
        let small = changes
            .iter()
            .filter_map(|(_, row)| row)
            .filter(|row| row.len() == 32);
        assert_eq!(small.count(), 1, "{index}");
        tables.apply(changes);
    }
    let full = 273 + 1;
    let pending = tables.all().filter(|(_, row)| row.len() == 32).count();
    assert_eq!(tables.all().count(), full + pending);
    assert!(pending <= 3 * 255, "{pending}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_tile_of_every_earlier_size_is_read_however_far_the_tree_has_grown(
        size in 1..3_000_u64, earlier in 0..3_000_u64,
    ) {
        let tables = grown(size);
        let earlier = earlier % (size + 1);
        for id in new_tiles(0, earlier) {
            let found = tile(&tables, id, size).unwrap();
            prop_assert_eq!(found, Some(by_definition(id)), "{:?}", id);
        }
        // And none that the tree is too small for.
        for id in new_tiles(earlier, size) {
            prop_assert_eq!(tile(&tables, id, earlier).unwrap(), None, "{:?}", id);
        }
    }

    #[test]
    fn proofs_of_any_sizes_hold_while_the_tree_grows(
        steps in prop::collection::vec((1..400_u64, any::<[u64; 3]>()), 1..8),
    ) {
        let (mut tables, mut size) = (MemoryTables::default(), 0);
        let recent = RecentTiles::default();
        let mut frontier = merkle::Frontier::new();
        let mut roots = vec![frontier.root()];
        for (more, [index, new, old]) in steps {
            for index in size..size + more {
                push(&mut tables, index);
                frontier.push(leaf(index));
                roots.push(frontier.root());
            }
            size += more;
            let new = new % size + 1;
            let (index, old) = (index % new, old % (new + 1));
            let root = |size: u64| &roots[usize::try_from(size).unwrap()];
            let mut nodes = super::nodes(&tables, 0, size, &recent);
            prop_assert_eq!(&merkle::root(&mut nodes, new).unwrap(), root(new));
            let proof = inclusion_proof(&mut nodes, index, new).unwrap();
            prop_assert_eq!(proof.verify(index, new, &leaf(index), root(new)), Ok(()));
            let proof = consistency_proof(&mut nodes, old, new).unwrap();
            prop_assert_eq!(proof.verify(old, new, root(old), root(new)), Ok(()));
        }
    }
}

/// Tables that grow by some entries at one read of a row.
struct Growing {
    tables: RefCell<MemoryTables>,
    size: u64,
    more: u64,
    /// Before which read they grow.
    at: u64,
    reads: Cell<u64>,
}

impl Tables for Growing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        if self.reads.get() == self.at {
            for index in self.size..self.size + self.more {
                push(&mut self.tables.borrow_mut(), index);
            }
        }
        self.reads.set(self.reads.get() + 1);
        self.tables.borrow().get(key)
    }

    fn rows(&self, _: Bound<&[u8]>, _: Order) -> Scan<'_> {
        unreachable!("tiles are read row by row")
    }
}

#[test]
fn a_tile_that_is_completed_and_passed_while_it_is_read_is_still_that_tile() {
    let size = 256 + 40;
    let id = TileId::in_tree(0, 1, size).unwrap();
    for at in 0..=42 {
        for more in [1, 215, 216, 217, 300, 600] {
            let tables = Growing {
                tables: RefCell::new(grown(size)),
                size,
                more,
                at,
                reads: Cell::default(),
            };
            let found = tile(&tables, id, size).unwrap();
            assert_eq!(found, Some(by_definition(id)), "{more} more at read {at}");
        }
    }
}

#[test]
fn rows_that_are_missing_or_of_another_length_are_named_as_damage() {
    let damaged = |error: &FoldError| matches!(error, FoldError::Row { .. });
    let (size, full) = (600, TileId::new(0, 0, 256).unwrap());
    let partial = TileId::new(0, 2, 88).unwrap();
    for (key, value, id) in [
        (tile_key(0, 0), None, full),
        (tile_key(0, 0), Some(vec![0; 8_192]), full),
        (tile_key(0, 0), Some(vec![0; 8_192 + 512 + 32]), full),
        (tile_key(0, 0), Some(vec![0; 8_192 + 512 - 1]), full),
        (pending_key(0, 5), None, partial),
        (pending_key(0, 5), Some(vec![0; 31]), partial),
    ] {
        let mut tables = grown(size);
        tables.apply([(key.into_bytes(), value)].into());
        assert!(damaged(&tile(&tables, id, size).unwrap_err()));
        let recent = RecentTiles::default();
        let mut nodes = super::nodes(&tables, 0, size, &recent);
        let error = nodes.hash(0, id.index() * 256 + 5).unwrap_err();
        assert!(
            matches!(&error, TileReadError::Fetch(error) if damaged(error)),
            "{error}"
        );
    }
    let mut tables = grown(255);
    tables.apply([(pending_key(0, 3).into_bytes(), None)].into());
    assert!(damaged(
        &TilesFold::push(&tables, 255, leaf(255)).unwrap_err()
    ));
}

#[test]
fn the_leaves_are_the_entries_as_they_are_encoded() {
    let mut script = Script::default();
    for year in ["2023", "2024", "2025"] {
        script.record(statement("head", &[], year, vec![]));
    }
    let (tables, digest) = script.fold(&TilesFold, 3);
    let leaves = script.entries.iter().map(|entry| leaf_hash(&entry.encoded));
    let expected: Vec<u8> = leaves.flat_map(|hash| *hash.as_bytes()).collect();
    let id = TileId::new(0, 0, 3).unwrap();
    assert_eq!(tile(&tables, id, 3).unwrap(), Some(expected));
    assert_eq!(script.fold(&TilesFold, 3).1, digest);
    assert_ne!(script.fold(&TilesFold, 2).1, digest);
}
