//! Names of tiles and entry bundles, and which of them a tree has, after C2SP tlog-tiles.
//!
//! A tile holds up to 256 neighbouring hashes of one level of levels: hash i of tile
//! (level, index) is the root over the 256^level entries from (256 · index + i) · 256^level on.
//! An entry bundle holds the entries below one tile of level 0. The last of each level is
//! partial unless it is full, and is named with its width.
//!
//! Invariant: one name for one tile. Index numbers are written in groups of three digits, all
//! but the last with an `x` before them, and no text but that is read.

use std::fmt;
use std::str::FromStr;

use super::decimal;
use super::tree::Frontier;

/// The most hashes of a tile, or entries of a bundle.
pub const TILE_WIDTH_MAX: u16 = 1 << TILE_HEIGHT;

/// How many levels of the tree lie within a tile.
pub(super) const TILE_HEIGHT: u8 = 8;

/// The highest level that can be named. Trees of up to 2^63 - 1 entries have tiles on levels
/// 0 to 7.
pub const TILE_LEVEL_MAX: u8 = 63;

/// The highest index of a tile: that of level 0 in the largest tree.
pub const TILE_INDEX_MAX: u64 = Frontier::SIZE_MAX >> TILE_HEIGHT;

/// The longest path, in bytes: `tile/entries/`, six groups of three digits (the highest index
/// has 17 digits) with five times `x` and `/` between them, and `.p/255`.
const PATH_BYTES_MAX: usize = 13 + 6 * 3 + 5 * 2 + 6;

/// The name of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

impl TileId {
    /// The tile at `index` of `level` with `width` hashes.
    pub const fn new(level: u8, index: u64, width: u16) -> Result<Self, TileIdError> {
        if level > TILE_LEVEL_MAX {
            return Err(TileIdError::Level { level });
        }
        if let Err(error) = check_place(index, width) {
            return Err(error);
        }
        Ok(Self {
            level,
            index,
            width,
        })
    }

    /// The tile at `index` of `level` as wide as it is in a tree of `size` entries, if that tree
    /// has it.
    #[must_use]
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let width = width_at(hashes(level, size), index)?;
        Self::new(level, index, width).ok()
    }

    /// The level, 0 for leaf hashes.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// The place on its level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// The number of hashes, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether the tree of `size` entries has as many hashes here. It may have more.
    #[must_use]
    pub fn is_within(self, size: u64) -> bool {
        let width = width_at(hashes(self.level, size), self.index);
        width.is_some_and(|width| width >= self.width)
    }
}

/// The name of an entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId {
    index: u64,
    width: u16,
}

impl BundleId {
    /// The bundle of the `width` entries from 256 · `index` on.
    pub const fn new(index: u64, width: u16) -> Result<Self, TileIdError> {
        match check_place(index, width) {
            Ok(()) => Ok(Self { index, width }),
            Err(error) => Err(error),
        }
    }

    /// The bundle at `index` as wide as it is in a tree of `size` entries, if that tree has it.
    #[must_use]
    pub fn in_tree(index: u64, size: u64) -> Option<Self> {
        let width = width_at(size, index)?;
        Self::new(index, width).ok()
    }

    /// The place among bundles.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// The number of entries, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// The index of its first entry.
    #[must_use]
    pub const fn first_entry(self) -> u64 {
        self.index << TILE_HEIGHT
    }

    /// Whether the tree of `size` entries has as many entries here. It may have more.
    #[must_use]
    pub fn is_within(self, size: u64) -> bool {
        width_at(size, self.index).is_some_and(|width| width >= self.width)
    }
}

/// The tiles that the tree of `new` entries has and that of its first `old` ones has not, or not
/// as wide: level by level, from left to right. `old` = 0 gives all tiles of a tree.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = TileId> {
    (0..=TILE_LEVEL_MAX)
        .take_while(move |&level| hashes(level, new) > hashes(level, old))
        .flat_map(move |level| {
            let first = hashes(level, old) >> TILE_HEIGHT;
            (first..).map_while(move |index| TileId::in_tree(level, index, new))
        })
}

/// The bundles that the ledger of `new` entries has and that of its first `old` ones has not,
/// or not as wide.
pub fn new_bundles(old: u64, new: u64) -> impl Iterator<Item = BundleId> {
    let first = if old < new {
        old >> TILE_HEIGHT
    } else {
        u64::MAX
    };
    (first..).map_while(move |index| BundleId::in_tree(index, new))
}

/// How many hashes a tree of `size` entries has on `level`.
fn hashes(level: u8, size: u64) -> u64 {
    let shift = u32::from(level) * u32::from(TILE_HEIGHT);
    size.checked_shr(shift).unwrap_or(0)
}

/// How wide the tile at `index` is if its level has `hashes` hashes; `None` if it is not there.
fn width_at(hashes: u64, index: u64) -> Option<u16> {
    let before = index.checked_mul(u64::from(TILE_WIDTH_MAX))?;
    let width = hashes.checked_sub(before)?.min(u64::from(TILE_WIDTH_MAX));
    u16::try_from(width).ok().filter(|width| *width > 0)
}

const fn check_place(index: u64, width: u16) -> Result<(), TileIdError> {
    if index > TILE_INDEX_MAX {
        return Err(TileIdError::Index { index });
    }
    if width == 0 || width > TILE_WIDTH_MAX {
        return Err(TileIdError::Width { width });
    }
    Ok(())
}

/// What stands at a path below the ledger's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TilePath {
    /// Hashes of the tree: `tile/<level>/<index>`.
    Tile(TileId),
    /// Entries: `tile/entries/<index>`.
    Bundle(BundleId),
}

impl From<TileId> for TilePath {
    fn from(id: TileId) -> Self {
        Self::Tile(id)
    }
}

impl From<BundleId> for TilePath {
    fn from(id: BundleId) -> Self {
        Self::Bundle(id)
    }
}

/// The path, without a slash before it.
impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Tile(id) => {
                write!(f, "tile/{}/", id.level)?;
                (id.index, id.width)
            }
            Self::Bundle(id) => {
                f.write_str("tile/entries/")?;
                (id.index, id.width)
            }
        };
        write_index(f, index)?;
        if width < TILE_WIDTH_MAX {
            write!(f, ".p/{width}")?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(path: &str) -> Result<Self, TilePathError> {
        if path.len() > PATH_BYTES_MAX {
            return Err(TilePathError::Form);
        }
        let (level, place) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(TilePathError::Form)?;
        let (index, width) = match place.split_once(".p/") {
            Some((index, width)) => (index, partial_width(width)?),
            None => (place, TILE_WIDTH_MAX),
        };
        let index = read_index(index).ok_or(TilePathError::Index)?;
        if level == "entries" {
            return Ok(BundleId::new(index, width)?.into());
        }
        let level = decimal::parse(level).and_then(|level| u8::try_from(level).ok());
        Ok(TileId::new(level.ok_or(TilePathError::Level)?, index, width)?.into())
    }
}

/// `index` in groups of three digits.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let before = index / 1000;
    if before > 0 {
        write_groups_before(f, before)?;
    }
    write!(f, "{:03}", index % 1000)
}

fn write_groups_before(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let before = index / 1000;
    if before > 0 {
        write_groups_before(f, before)?;
    }
    write!(f, "x{:03}/", index % 1000)
}

/// The index that `groups` stand for, if it is written as it would be here.
fn read_index(groups: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut groups = groups.split('/').peekable();
    let mut is_first = true;
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        let digits = if is_last {
            group
        } else {
            group.strip_prefix('x')?
        };
        let is_leading_zeros = is_first && !is_last && digits == "000";
        if digits.len() != 3 || !digits.bytes().all(|it| it.is_ascii_digit()) || is_leading_zeros {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        is_first = false;
    }
    Some(index)
}

/// The width after `.p/`: of a tile that is not full.
fn partial_width(text: &str) -> Result<u16, TilePathError> {
    let width = decimal::parse(text).and_then(|width| u16::try_from(width).ok());
    width
        .filter(|width| (1..TILE_WIDTH_MAX).contains(width))
        .ok_or(TilePathError::Width)
}

/// Why there is no such tile or bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileIdError {
    /// No level.
    #[error("a tile's level is 0 to {TILE_LEVEL_MAX}, not {level}")]
    Level {
        /// The level given.
        level: u8,
    },
    /// Beyond any tree.
    #[error("the index of a tile or bundle is 0 to {TILE_INDEX_MAX}, not {index}")]
    Index {
        /// The index given.
        index: u64,
    },
    /// Empty, or wider than a full tile.
    #[error("the width of a tile or bundle is 1 to {TILE_WIDTH_MAX}, not {width}")]
    Width {
        /// The width given.
        width: u16,
    },
}

/// Why a path does not name a tile or bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// Not the path of a tile at all.
    #[error("a path is tile/<level>/<index> or tile/entries/<index>, then .p/<width> if partial")]
    Form,
    /// The level cannot be read.
    #[error("the level is \"entries\" or 0 to {TILE_LEVEL_MAX} in decimal without leading zeros")]
    Level,
    /// The index cannot be read.
    #[error("the index is in groups of three digits, all but the last after an x: x001/x234/067")]
    Index,
    /// The width cannot be read.
    #[error("the width of a partial tile is 1 to 255 in decimal without leading zeros")]
    Width,
    /// It can be read and is out of range.
    #[error(transparent)]
    Id(#[from] TileIdError),
}
