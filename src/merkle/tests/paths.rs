use proptest::prelude::*;

use super::*;

fn tile(level: u8, index: u64, width: u16) -> TilePath {
    TileId::new(level, index, width).unwrap().into()
}

fn bundle(index: u64, width: u16) -> TilePath {
    BundleId::new(index, width).unwrap().into()
}

#[test]
fn paths_are_those_of_the_specification() {
    let all = [
        (tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (tile(0, 273, 112), "tile/0/273.p/112"),
        (tile(1, 0, 256), "tile/1/000"),
        (tile(2, 0, 1), "tile/2/000.p/1"),
        (tile(63, 999, 255), "tile/63/999.p/255"),
        (tile(10, 1000, 256), "tile/10/x001/000"),
        (bundle(1_234_067, 12), "tile/entries/x001/x234/067.p/12"),
        (bundle(1_000_000, 256), "tile/entries/x001/x000/000"),
        (
            bundle(TILE_INDEX_MAX, 255),
            "tile/entries/x036/x028/x797/x018/x963/967.p/255",
        ),
    ];
    for (id, path) in all {
        assert_eq!(id.to_string(), path);
        assert_eq!(path.parse(), Ok(id));
    }
}

#[test]
fn a_path_that_is_written_in_another_way_is_refused() {
    use TilePathError::{Form, Id, Index, Level, Width};
    let index = TILE_INDEX_MAX + 1;
    let all = [
        ("", Form),
        ("/tile/0/000", Form),
        ("tile/0", Form),
        ("tiles/0/000", Form),
        ("Tile/0/000", Form),
        ("tile/00/000", Level),
        ("tile/64/000", Id(TileIdError::Level { level: 64 })),
        ("tile/256/000", Level),
        ("tile/-1/000", Level),
        ("tile/+1/000", Level),
        ("tile//000", Level),
        ("tile/data/000", Level),
        ("tile/Entries/000", Level),
        ("tile/0/", Index),
        ("tile/0/0", Index),
        ("tile/0/0000", Index),
        ("tile/0/1000", Index),
        ("tile/0/x001", Index),
        ("tile/0/001/000", Index),
        ("tile/0/x000/001", Index),
        ("tile/0/x000/x001/001", Index),
        ("tile/0/X001/000", Index),
        ("tile/0/x01/000", Index),
        ("tile/0/x001//000", Index),
        ("tile/0/x001/000/", Index),
        ("tile/0/+01", Index),
        ("tile/0/\u{661}\u{661}\u{661}", Index),
        ("tile/0/000.p", Index),
        ("tile/0/000.p/", Width),
        ("tile/0/000.p/0", Width),
        ("tile/0/000.p/01", Width),
        ("tile/0/000.p/256", Width),
        ("tile/0/000.p/300", Width),
        ("tile/0/000.p/+1", Width),
        ("tile/0/000.p/1/", Width),
        ("tile/0/000.p/1.p/1", Width),
        ("tile/entries/000.p/0", Width),
        (
            "tile/entries/x036/x028/x797/x018/x963/968",
            Id(TileIdError::Index { index }),
        ),
        ("tile/entries/x001/x036/x028/x797/x018/x963/967.p/255", Form),
    ];
    for (path, error) in all {
        assert_eq!(path.parse::<TilePath>(), Err(error), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_name_has_a_path_that_is_read_back(
        level in 0..=TILE_LEVEL_MAX, index in 0..=TILE_INDEX_MAX, shift in 0..55_u32,
        width in 1..=TILE_WIDTH_MAX
    ) {
        for id in [tile(level, index >> shift, width), bundle(index >> shift, width)] {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn a_path_is_read_only_if_it_is_written_so(
        path in "tile/([0-9]{1,2}|entries)/(x?[0-9]{2,3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?"
    ) {
        if let Ok(id) = path.parse::<TilePath>() {
            prop_assert_eq!(id.to_string(), path);
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_paths_panic(path in "\\PC{0,60}", tail in "[x/.p0-9]{0,50}") {
        let _ = path.parse::<TilePath>();
        let path = format!("tile/0/{tail}");
        if let Ok(id) = path.parse::<TilePath>() {
            prop_assert_eq!(id.to_string(), path);
        }
    }
}
