//! Entry bundles, after C2SP tlog-tiles: up to 256 neighbouring entries, each as its length in
//! two bytes, big-endian, and its bytes. The leaf hash of each stands in the same place of the
//! tile of level 0 that has the bundle's index; that they agree is for the reader to check.

use super::tile_path::TILE_WIDTH_MAX;

/// The largest bundle, in bytes: 256 entries of the largest length that two bytes can say.
pub const BUNDLE_BYTES_MAX: usize = TILE_WIDTH_MAX as usize * (2 + u16::MAX as usize);

/// The bundle of `entries`, 1 to 256 of them.
pub fn encode_bundle<'e>(
    entries: impl IntoIterator<Item = &'e [u8]>,
) -> Result<Vec<u8>, BundleError> {
    let mut bundle = Vec::new();
    let mut found = 0;
    for entry in entries {
        let length = u16::try_from(entry.len());
        let length = length.map_err(|_| BundleError::EntryTooLong {
            place: found,
            bytes: entry.len(),
        })?;
        found += 1;
        check_width(found)?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    check_width(found)?;
    Ok(bundle)
}

/// The entries of a bundle of `width` entries, which are all that it holds.
pub fn decode_bundle(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let expected = usize::from(width);
    check_width(expected)?;
    let mut entries = Vec::with_capacity(expected);
    let mut rest = bundle;
    for place in 0..expected {
        let cut = || BundleError::Cut { place, expected };
        let (length, after) = rest.split_first_chunk().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(cut)?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        let bytes = rest.len();
        return Err(BundleError::Trailing { bytes, expected });
    }
    Ok(entries)
}

const fn check_width(found: usize) -> Result<(), BundleError> {
    if found == 0 || found > TILE_WIDTH_MAX as usize {
        return Err(BundleError::Width { found });
    }
    Ok(())
}

/// Why some entries or bytes are not a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Empty, or more than a full bundle has.
    #[error("a bundle has 1 to {TILE_WIDTH_MAX} entries, not {found}")]
    Width {
        /// How many there are: of too many, the first that is.
        found: usize,
    },
    /// Two bytes cannot say its length.
    #[error("an entry has at most {} bytes; entry {place} has {bytes}", u16::MAX)]
    EntryTooLong {
        /// Which entry of the bundle, counted from 0.
        place: usize,
        /// How many bytes it has.
        bytes: usize,
    },
    /// It ends within an entry.
    #[error("the bundle ends within entry {place} of {expected}")]
    Cut {
        /// Which entry of the bundle, counted from 0.
        place: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Something stands behind the last entry.
    #[error("{bytes} bytes stand behind the {expected} entries of the bundle")]
    Trailing {
        /// How many bytes.
        bytes: usize,
        /// How many entries there should be.
        expected: usize,
    },
}
