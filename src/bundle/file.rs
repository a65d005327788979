//! A bundle as a file: what it begins with, how large it may be, and that it is written in one
//! way alone.
//!
//! A file is taken only if it encodes back to the same bytes. So there is no byte in it that a
//! reader passes over, and a bundle that was changed anywhere is another bundle.

use prost::Message as _;

use super::Fault;
use super::proto::Bundle;

/// How the file of a bundle names itself, in the first field of its message.
pub const FORMAT: &str = "onrecord-bundle/1";

/// The largest file, in bytes: 256 MiB, eight texts of the largest size and their documents.
/// A check takes a few times as much memory.
pub const BUNDLE_BYTES_MAX: usize = 256 << 20;

/// The most entries. With the smallest entries and their proofs, of about 500 bytes, so many
/// fill the 4 MiB of the largest message that a daemon sends.
pub const ENTRIES_MAX: usize = 8_192;

/// The tag of field 1, the length of [`FORMAT`], and [`FORMAT`]: how every bundle begins.
fn beginning() -> Vec<u8> {
    let mut beginning = vec![0x0a, u8::try_from(FORMAT.len()).unwrap_or(u8::MAX)];
    beginning.extend_from_slice(FORMAT.as_bytes());
    beginning
}

/// Whether a file says of itself that it is a bundle.
#[must_use]
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(&beginning())
}

/// Decodes a file.
pub fn decode(bytes: &[u8]) -> Result<Bundle, Fault> {
    if !is_bundle(bytes) {
        return Err(Fault::NotABundle);
    }
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Fault::TooLarge {
            bytes: bytes.len(),
            bytes_max: BUNDLE_BYTES_MAX,
        });
    }
    let bundle = Bundle::decode(bytes)?;
    let encoded = bundle.encode_to_vec();
    if encoded != bytes {
        let same = std::iter::zip(&encoded, bytes).take_while(|(ours, theirs)| ours == theirs);
        return Err(Fault::NotCanonical {
            offset: same.count(),
        });
    }
    if bundle.entries.len() > ENTRIES_MAX {
        return Err(Fault::TooManyEntries {
            found: bundle.entries.len(),
            most: ENTRIES_MAX,
        });
    }
    Ok(bundle)
}
