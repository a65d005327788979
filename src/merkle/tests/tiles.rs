use std::cell::RefCell;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// The tile of the fixed tree that has this name.
fn tile_of(id: TileId) -> Tile {
    let row = &ROWS[usize::from(id.level()) * 8];
    let from = usize::try_from(id.index()).unwrap() * 256;
    Tile::new(&row[from..from + usize::from(id.width())]).unwrap()
}

fn tiles_at(size: u64) -> TileReader<impl FnMut(TileId) -> Result<Tile, Infallible>, Tile> {
    TileReader::new(size, |id| Ok(tile_of(id)))
}

#[test]
fn a_tree_of_70000_has_the_tiles_of_the_specification() {
    let tiles: Vec<TileId> = new_tiles(0, 70_000).collect();
    let of = |level| tiles.iter().filter(move |id| id.level() == level);
    let widths = |level| of(level).map(|id| id.width()).collect::<Vec<_>>();
    assert_eq!(widths(0), [vec![256; 273], vec![112]].concat());
    assert_eq!(widths(1), [256, 17]);
    assert_eq!(widths(2), [1]);
    assert_eq!(tiles.len(), 274 + 2 + 1);
    let bundles: Vec<BundleId> = new_bundles(0, 70_000).collect();
    assert_eq!(bundles.len(), 274);
    assert_eq!(bundles[273], BundleId::new(273, 112).unwrap());
    assert_eq!(bundles[273].first_entry(), 69_888);
}

#[test]
fn a_full_tile_of_hashes_is_one_hash_above_and_an_empty_tile_is_none() {
    let tiles: Vec<TileId> = new_tiles(0, 256).collect();
    let tile = |level, width| TileId::new(level, 0, width).unwrap();
    assert_eq!(tiles, [tile(0, 256), tile(1, 1)]);
    assert_eq!(new_tiles(0, 0).count(), 0);
    assert_eq!(TileId::in_tree(0, 1, 256), None);
    assert_eq!(TileId::in_tree(8, 0, u64::MAX), None);
    assert_eq!(TileId::in_tree(63, 0, u64::MAX), None);
    assert_eq!(BundleId::in_tree(0, 0), None);
    let top = TileId::in_tree(7, 0, Frontier::SIZE_MAX).unwrap();
    assert_eq!(top.width(), 127);
}

#[test]
fn a_tile_is_within_every_tree_that_has_its_hashes() {
    let id = TileId::new(1, 1, 17).unwrap();
    assert!(id.is_within(70_000) && id.is_within(69_888) && id.is_within(1 << 62));
    assert!(!id.is_within(69_887));
    let id = BundleId::new(273, 112).unwrap();
    assert!(id.is_within(70_000) && id.is_within(80_000) && !id.is_within(69_999));
}

#[test]
fn names_of_tiles_that_no_tree_has_are_refused() {
    let (level, index) = (64, TILE_INDEX_MAX + 1);
    assert_eq!(TileId::new(64, 0, 1), Err(TileIdError::Level { level }));
    assert_eq!(TileId::new(0, index, 1), Err(TileIdError::Index { index }));
    for width in [0, 257] {
        assert_eq!(TileId::new(0, 0, width), Err(TileIdError::Width { width }));
        assert_eq!(BundleId::new(0, width), Err(TileIdError::Width { width }));
    }
}

#[test]
fn the_bytes_of_a_tile_are_its_hashes_and_nothing_else() {
    let tile = tile_of(TileId::new(0, 3, 256).unwrap());
    let bytes = tile.encode(256);
    assert_eq!(bytes.len(), 8192);
    assert_eq!(bytes[32..64], *leaves()[3 * 256 + 1].as_bytes());
    assert_eq!(Tile::decode(&bytes, 256), Ok(tile.clone()));
    // As it was when it was not as wide.
    let narrow = Tile::decode(&tile.encode(112), 112).unwrap();
    assert_eq!(narrow.hashes(), &tile.hashes()[..112]);
    for (length, width) in [(8191, 256), (8160, 256), (8192, 255), (0, 1)] {
        let (expected, found) = (usize::from(width) * 32, length);
        let refusal = Tile::decode(&bytes[..length], width);
        assert_eq!(refusal, Err(TileError::Length { expected, found }));
    }
    let refusal = Tile::decode(&[], 0);
    assert_eq!(refusal, Err(TileError::Width { found: 0 }));
    let refusal = Tile::new(&leaves()[..257]);
    assert_eq!(refusal, Err(TileError::Width { found: 257 }));
}

#[test]
fn a_tile_knows_every_complete_subtree_within_it_and_no_other() {
    for width in [1, 2, 3, 112, 255, 256_usize] {
        let tile = Tile::new(&leaves()[..width]).unwrap();
        for height in 0..=8_u8 {
            let complete = width >> height;
            for index in 0..complete {
                let expected = ROWS[usize::from(height)][index];
                assert_eq!(tile.subtree(height, index), Some(expected));
            }
            assert_eq!(tile.subtree(height, complete), None);
        }
        assert_eq!(tile.subtree(9, 0), None);
        assert_eq!(tile.subtree(255, 0), None);
    }
}

#[test]
fn a_tile_narrower_than_the_tree_and_one_that_cannot_be_had_are_named() {
    let mut reader = TileReader::new(256, |id| {
        Ok::<_, Infallible>(tile_of(TileId::new(id.level(), id.index(), 1).unwrap()))
    });
    let id = TileId::new(0, 0, 256).unwrap();
    let narrow = TileReadError::Narrow { id, found: 1 };
    assert_eq!(
        inclusion_proof(&mut reader, 3, 256),
        Err(ProveError::Read(narrow))
    );

    let mut reader = TileReader::<_, Tile>::new(300, |_| Err("gone"));
    let gone = ProveError::Read(TileReadError::Fetch("gone"));
    assert_eq!(root(&mut reader, 300), Err(gone));

    let beyond = TileReadError::NotInTree {
        level: 0,
        index: 1,
        size: 256,
    };
    assert_eq!(root(&mut tiles_at(256), 257), Err(ProveError::Read(beyond)));
}

#[test]
fn a_tile_that_has_grown_wider_gives_the_same_proofs() {
    let grown = 70_000;
    for size in [1, 5, 255, 256, 257, 65_535, 65_536, 69_999] {
        let kept = |id: TileId| {
            let id = TileId::in_tree(id.level(), id.index(), grown).unwrap();
            Ok::<_, Infallible>(Arc::new(tile_of(id)))
        };
        let mut reader = TileReader::new(size, kept);
        let proof = inclusion_proof(&mut reader, size / 2, size).unwrap();
        assert_eq!(proof, path_of(size / 2, size));
        assert_eq!(root(&mut reader, size), Ok(root_at(size)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn proofs_from_tiles_are_those_from_nodes_and_ask_for_each_tile_once(
        size in 1..=LEAVES as u64, at in any::<u64>()
    ) {
        let index = at % size;
        let asked = RefCell::new(Vec::new());
        let fetch = |id: TileId| {
            asked.borrow_mut().push(id);
            Ok::<_, Infallible>(tile_of(id))
        };
        let proof = inclusion_proof(&mut TileReader::new(size, fetch), index, size).unwrap();
        prop_assert_eq!(proof, path_of(index, size));
        let mut tiles = asked.take();
        // Along the way of the leaf and along the right edge, on three levels of levels.
        prop_assert!(tiles.len() <= 6, "{:?}", tiles);
        prop_assert!(tiles.iter().all(|id| id.is_within(size)));
        tiles.sort();
        let before = tiles.len();
        tiles.dedup();
        prop_assert_eq!(tiles.len(), before);

        let old = index + 1;
        let proof = consistency_proof(&mut TileReader::new(size, fetch), old, size).unwrap();
        prop_assert_eq!(proof, consistency_of(old, size));
        prop_assert_eq!(root(&mut tiles_at(size), size).unwrap(), root_at(size));
    }

    #[test]
    fn whoever_writes_the_new_tiles_at_each_step_has_all_tiles(
        mut sizes in prop::collection::vec(0..=LEAVES as u64, 1..5)
    ) {
        sizes.sort_unstable();
        let mut held = std::collections::BTreeMap::new();
        let mut old = 0;
        for new in sizes {
            for id in new_tiles(old, new) {
                let narrower = held.insert((id.level(), id.index()), id.width());
                prop_assert!(narrower.unwrap_or(0) < id.width(), "nothing is written twice");
            }
            let all: Vec<_> = new_tiles(0, new).collect();
            prop_assert_eq!(held.len(), all.len());
            for id in all {
                prop_assert_eq!(held.get(&(id.level(), id.index())), Some(&id.width()));
            }
            let bundles: Vec<_> = new_bundles(old, new).map(|it| (it.index(), it.width())).collect();
            let below: Vec<_> = new_tiles(old, new).filter(|it| it.level() == 0)
                .map(|it| (it.index(), it.width())).collect();
            prop_assert_eq!(bundles, below);
            old = new;
        }
    }

    #[test]
    fn the_entries_of_a_bundle_come_back_and_no_byte_can_be_missing_or_added(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20),
        cut in any::<prop::sample::Index>()
    ) {
        let bundle = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
        let width = u16::try_from(entries.len()).unwrap();
        let read = decode_bundle(&bundle, width).unwrap();
        prop_assert!(read.iter().eq(entries.iter()));
        let short = &bundle[..cut.index(bundle.len())];
        let refusal = decode_bundle(short, width);
        let is_cut = matches!(refusal, Err(BundleError::Cut { .. }));
        prop_assert!(is_cut, "{:?}", refusal);
        let long = [&bundle[..], &[0]].concat();
        let expected = entries.len();
        let refusal = decode_bundle(&long, width);
        prop_assert_eq!(refusal, Err(BundleError::Trailing { bytes: 1, expected }));
    }

    #[test]
    fn any_bytes_are_a_bundle_in_one_way_or_not_at_all(
        bytes in prop::collection::vec(0..4_u8, 0..60), width in any::<u16>()
    ) {
        let width = width % 8;
        if let Ok(entries) = decode_bundle(&bytes, width) {
            prop_assert_eq!(encode_bundle(entries).unwrap(), bytes);
        }
    }
}

#[test]
fn a_bundle_has_1_to_256_entries_of_up_to_65535_bytes() {
    let longest = vec![7; 65_535];
    let full = encode_bundle(vec![&longest[..]; 256]).unwrap();
    assert_eq!(full.len(), BUNDLE_BYTES_MAX);
    assert_eq!(full[..2], [0xff, 0xff]);
    assert_eq!(decode_bundle(&full, 256).unwrap().len(), 256);
    let (place, bytes) = (1, 65_536);
    let refusal = encode_bundle([&[][..], &vec![7; bytes][..]]);
    assert_eq!(refusal, Err(BundleError::EntryTooLong { place, bytes }));
    let refusal = encode_bundle(vec![&[][..]; 257]);
    assert_eq!(refusal, Err(BundleError::Width { found: 257 }));
    assert_eq!(encode_bundle([]), Err(BundleError::Width { found: 0 }));
    assert_eq!(decode_bundle(&[], 0), Err(BundleError::Width { found: 0 }));
    assert_eq!(
        decode_bundle(&[], 257),
        Err(BundleError::Width { found: 257 })
    );
}
