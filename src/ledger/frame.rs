//! A frame: the entries that one durable write commits together, as bytes.
//!
//! A header of fixed size, then the body: each entry's encoded bytes after their length, in
//! order, compressed with LZ4 where that makes them fewer. The header names the frame before
//! by its hash, so that frames form a chain, and the Merkle root after its last entry. It ends
//! in a hash over itself, and holds one over the body, so that no flipped bit goes unseen.
//!
//! A pure codec. Decoding is total: whatever the bytes, it answers with a frame or with a
//! [`FrameError`], and never allocates more than [`FRAME_BODY_BYTES`] for a body. It does not
//! decode entries, does not know the frame before, and computes no root.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic, `onrecfrm` |
//! | 8 | 2 | format number, 1 |
//! | 10 | 2 | encoding of the body: 0 as it is, 1 LZ4 block |
//! | 12 | 4 | count of entries |
//! | 16 | 8 | epoch of the writer |
//! | 24 | 8 | index of the first entry |
//! | 32 | 8 | `recorded_at`, microseconds since 1970, two's complement |
//! | 40 | 4 | length of the body |
//! | 44 | 4 | length of the body as stored |
//! | 48 | 32 | BLAKE3 of the whole frame before, header and body; zeros for the first |
//! | 80 | 32 | Merkle root after the last entry |
//! | 112 | 32 | BLAKE3 of the body as stored |
//! | 144 | 32 | BLAKE3 of the 144 bytes above |
//!
//! Numbers are big-endian. Whatever later formats change, a header keeps its size, magic,
//! format number and its hash over itself: so that a frame of a later format can be told from
//! a torn one.

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::merkle::{Frontier, Hash};
use crate::record::{ENTRY_BYTES_MAX, Micros};
use crate::storage::FRAME_BYTES_MAX;

const MAGIC: &[u8; 8] = b"onrecfrm";
const FORMAT: u16 = 1;
const PLAIN: u16 = 0;
const LZ4: u16 = 1;
/// What the header's own hash covers.
const SEALED_BYTES: usize = 144;
const HASH_BYTES: usize = 32;

/// The size of a header: what is sealed, and the seal.
pub const HEADER_BYTES: usize = SEALED_BYTES + HASH_BYTES;

/// The largest body, uncompressed: 123,326 bytes that a store takes, less 176 of the header,
/// are 123,150. So a body that does not compress fits as it is.
pub const FRAME_BODY_BYTES: usize = FRAME_BYTES_MAX - HEADER_BYTES;

/// What stands before each entry in a body: its length.
const LENGTH_BYTES: usize = size_of::<u32>();

// The largest entry always fits in a frame of its own.
const _: () = assert!(LENGTH_BYTES + ENTRY_BYTES_MAX <= FRAME_BODY_BYTES);

/// The BLAKE3 hash of a whole frame: what the next one names it by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FrameHash([u8; HASH_BYTES]);

impl FrameHash {
    /// What the first frame of a ledger names.
    pub const NONE: Self = Self([0; HASH_BYTES]);

    /// The hash of an encoded frame.
    #[must_use]
    pub fn of(frame: &[u8]) -> Self {
        Self(*blake3::hash(frame).as_bytes())
    }
}

impl fmt::Display for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameHash({self})")
    }
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The epoch in which its writer opened the store.
    pub epoch: u64,
    /// The ledger index of its first entry.
    pub first_index: u64,
    /// How many entries it holds.
    pub count: NonZeroU32,
    /// When the ledger took them, all of them.
    pub recorded_at: Micros,
    /// The frame before.
    pub previous: FrameHash,
    /// The Merkle root over all entries up to its last.
    pub root_after: Hash,
}

impl FrameHeader {
    /// The index of the first entry after this frame.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.first_index.saturating_add(u64::from(self.count.get()))
    }
}

/// A frame, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it says about itself.
    pub header: FrameHeader,
    /// Its entries' encoded bytes, the Merkle leaves, in order.
    pub leaves: Vec<Bytes>,
}

/// The body of a frame that is being put together.
#[derive(Clone, Debug, Default)]
pub struct FrameBody {
    bytes: Vec<u8>,
    count: u32,
}

impl FrameBody {
    /// Whether an entry of so many encoded bytes would fit.
    #[must_use]
    pub fn has_room(&self, leaf_bytes: usize) -> bool {
        let free = FRAME_BODY_BYTES - self.bytes.len();
        free.checked_sub(LENGTH_BYTES)
            .is_some_and(|free| leaf_bytes <= free)
    }

    /// Adds an entry's encoded bytes; whether they fitted.
    #[must_use]
    pub fn push(&mut self, leaf: &[u8]) -> bool {
        let Ok(length) = u32::try_from(leaf.len()) else {
            return false;
        };
        if !self.has_room(leaf.len()) {
            return false;
        }
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(leaf);
        self.count += 1;
        true
    }

    /// How many entries it holds; none if it is empty.
    #[must_use]
    pub fn count(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.count)
    }

    /// The frame of this body under `header`, whose count must be this body's.
    #[must_use]
    pub fn seal(&self, header: &FrameHeader) -> Vec<u8> {
        let compressed = lz4_flex::block::compress(&self.bytes);
        let (encoding, stored) = if compressed.len() < self.bytes.len() {
            (LZ4, &compressed)
        } else {
            (PLAIN, &self.bytes)
        };
        let mut frame = Vec::with_capacity(HEADER_BYTES + stored.len());
        frame.extend_from_slice(MAGIC);
        frame.extend_from_slice(&FORMAT.to_be_bytes());
        frame.extend_from_slice(&encoding.to_be_bytes());
        frame.extend_from_slice(&header.count.get().to_be_bytes());
        frame.extend_from_slice(&header.epoch.to_be_bytes());
        frame.extend_from_slice(&header.first_index.to_be_bytes());
        frame.extend_from_slice(&header.recorded_at.0.to_be_bytes());
        frame.extend_from_slice(&length(&self.bytes));
        frame.extend_from_slice(&length(stored));
        frame.extend_from_slice(&header.previous.0);
        frame.extend_from_slice(header.root_after.as_bytes());
        frame.extend_from_slice(blake3::hash(stored).as_bytes());
        let seal = blake3::hash(&frame);
        frame.extend_from_slice(seal.as_bytes());
        frame.extend_from_slice(stored);
        frame
    }
}

/// A body's length as the header holds it; bodies are far shorter than 4 GiB.
fn length(body: &[u8]) -> [u8; LENGTH_BYTES] {
    u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()
}

impl Frame {
    /// Decodes a frame.
    pub fn decode(frame: &[u8]) -> Result<Self, FrameError> {
        let (sealed, rest) = frame
            .split_at_checked(SEALED_BYTES)
            .ok_or(FrameError::Short { bytes: frame.len() })?;
        let (seal, stored) = rest
            .split_at_checked(HASH_BYTES)
            .ok_or(FrameError::Short { bytes: frame.len() })?;

        if blake3::hash(sealed).as_bytes() != seal {
            return Err(FrameError::Header);
        }

        let mut fields = Fields(sealed);
        if fields.take()? != *MAGIC {
            return Err(FrameError::NotAFrame);
        }
        let format = u16::from_be_bytes(fields.take()?);
        if format != FORMAT {
            return Err(FrameError::Format { format });
        }
        let encoding = u16::from_be_bytes(fields.take()?);
        let count = u32::from_be_bytes(fields.take()?);
        let epoch = u64::from_be_bytes(fields.take()?);
        let first_index = u64::from_be_bytes(fields.take()?);
        let recorded_at = Micros(i64::from_be_bytes(fields.take()?));
        let body_bytes = u32::from_be_bytes(fields.take()?);
        let stored_bytes = u32::from_be_bytes(fields.take()?);
        let previous = FrameHash(fields.take()?);
        let root_after = Hash::from(fields.take::<HASH_BYTES>()?);
        let body_hash = blake3::Hash::from_bytes(fields.take()?);

        let count = NonZeroU32::new(count).ok_or(FrameError::Empty)?;
        if u32::try_from(stored.len()) != Ok(stored_bytes) {
            return Err(FrameError::Length {
                expected: stored_bytes,
                found: stored.len(),
            });
        }
        if blake3::hash(stored) != body_hash {
            return Err(FrameError::Body);
        }
        let header = FrameHeader {
            epoch,
            first_index,
            count,
            recorded_at,
            previous,
            root_after,
        };
        if header.next_index() > Frontier::SIZE_MAX {
            return Err(FrameError::PastTheEnd { first_index });
        }
        let body = unpack(encoding, stored, body_bytes)?;
        let leaves = split(&body, count)?;
        Ok(Self { header, leaves })
    }
}

/// The fields of a header, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(FrameError::Header)?;
        self.0 = rest;
        Ok(*field)
    }
}

/// The body behind its stored bytes.
fn unpack(encoding: u16, stored: &[u8], body_bytes: u32) -> Result<Bytes, FrameError> {
    let length = usize::try_from(body_bytes).unwrap_or(usize::MAX);
    if length > FRAME_BODY_BYTES {
        return Err(FrameError::BodyTooLarge { bytes: body_bytes });
    }
    match encoding {
        PLAIN if stored.len() == length => Ok(Bytes::copy_from_slice(stored)),
        LZ4 => {
            let mut body = vec![0; length];
            match lz4_flex::block::decompress_into(stored, &mut body) {
                Ok(written) if written == length => Ok(Bytes::from(body)),
                _ => Err(FrameError::Compression),
            }
        }
        _ => Err(FrameError::Encoding { encoding }),
    }
}

/// The `count` entries of a body.
fn split(body: &Bytes, count: NonZeroU32) -> Result<Vec<Bytes>, FrameError> {
    let expected = count.get();
    // A body holds at most one entry for each length that fits in it.
    let fit = body.len() / LENGTH_BYTES;
    if usize::try_from(expected).unwrap_or(usize::MAX) > fit {
        return Err(FrameError::Count { expected });
    }
    let mut leaves = Vec::with_capacity(fit.min(expected as usize));
    let mut rest = body.clone();
    while !rest.is_empty() {
        let length = rest
            .split_first_chunk::<LENGTH_BYTES>()
            .and_then(|(length, _)| usize::try_from(u32::from_be_bytes(*length)).ok())
            .filter(|length| *length <= rest.len() - LENGTH_BYTES)
            .ok_or(FrameError::Count { expected })?;
        let mut leaf = rest.split_to(LENGTH_BYTES + length);
        leaves.push(leaf.split_off(LENGTH_BYTES));
    }
    if u32::try_from(leaves.len()) == Ok(expected) {
        Ok(leaves)
    } else {
        Err(FrameError::Count { expected })
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Shorter than a header.
    #[error("{bytes} bytes are no frame: a header alone has {HEADER_BYTES}")]
    Short {
        /// How many bytes there are.
        bytes: usize,
    },
    /// Something else begins here.
    #[error("the bytes do not begin as a frame does")]
    NotAFrame,
    /// Written by another release.
    #[error("the frame has format {format}; this release reads format {FORMAT}")]
    Format {
        /// Its format number.
        format: u16,
    },
    /// The header's bytes changed.
    #[error("the frame's header is not what was written")]
    Header,
    /// The body's bytes changed.
    #[error("the frame's body is not what was written")]
    Body,
    /// The body was cut short, or something follows it.
    #[error("the frame's body has {found} bytes, where {expected} were written")]
    Length {
        /// What the header says.
        expected: u32,
        /// What is there.
        found: usize,
    },
    /// The body is not stored in a way that this release knows.
    #[error("the frame's body is stored in the unknown way {encoding}, or not as it says")]
    Encoding {
        /// The number of the way.
        encoding: u16,
    },
    /// The body would be larger than any that is written.
    #[error("the frame's body would have {bytes} bytes, more than {FRAME_BODY_BYTES}")]
    BodyTooLarge {
        /// What the header says.
        bytes: u32,
    },
    /// The body does not decompress to what the header says.
    #[error("the frame's body does not decompress")]
    Compression,
    /// No entry.
    #[error("the frame holds no entry")]
    Empty,
    /// The body does not fall into the entries that the header counts.
    #[error("the frame's body does not hold {expected} entries")]
    Count {
        /// What the header says.
        expected: u32,
    },
    /// Its entries would lie past the largest ledger.
    #[error("the frame at index {first_index} lies past the end of any ledger")]
    PastTheEnd {
        /// The index of its first entry.
        first_index: u64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::empty_root;

    fn frame(leaves: &[Vec<u8>]) -> (Vec<u8>, Frame) {
        let mut body = FrameBody::default();
        for leaf in leaves {
            assert!(body.push(leaf));
        }
        let header = FrameHeader {
            epoch: 7,
            first_index: 41,
            count: body.count().unwrap(),
            recorded_at: Micros(-5),
            previous: FrameHash::of(b"the frame before"),
            root_after: empty_root(),
        };
        let leaves = leaves.iter().cloned().map(Bytes::from).collect();
        (body.seal(&header), Frame { header, leaves })
    }

    fn leaves() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let leaf = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            (any::<u8>(), 0..2000_usize).prop_map(|(byte, length)| vec![byte; length]),
        ];
        prop::collection::vec(leaf, 1..20)
    }

    /// The same bytes under a header that is sealed again, so that the checks behind the seal
    /// are what judges them.
    fn resealed(mut frame: Vec<u8>) -> Vec<u8> {
        let body = blake3::hash(&frame[HEADER_BYTES..]);
        frame[112..144].copy_from_slice(body.as_bytes());
        let seal = blake3::hash(&frame[..SEALED_BYTES]);
        frame[SEALED_BYTES..HEADER_BYTES].copy_from_slice(seal.as_bytes());
        frame
    }

    proptest! {
        #[test]
        fn a_frame_decodes_to_what_was_sealed(leaves in leaves()) {
            let (bytes, frame) = frame(&leaves);
            prop_assert!(bytes.len() <= FRAME_BYTES_MAX);
            prop_assert_eq!(Frame::decode(&bytes), Ok(frame));
        }

        #[test]
        fn a_flipped_bit_is_detected(
            leaves in leaves(), at in any::<prop::sample::Index>(), bit in 0..8_u32,
        ) {
            let (mut bytes, _) = frame(&leaves);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(Frame::decode(&bytes).is_err());
        }

        #[test]
        fn a_frame_cut_short_or_run_on_is_detected(
            leaves in leaves(), at in any::<prop::sample::Index>(),
        ) {
            let (mut bytes, _) = frame(&leaves);
            prop_assert!(Frame::decode(&bytes[..at.index(bytes.len())]).is_err());
            bytes.push(0);
            prop_assert!(Frame::decode(&bytes).is_err());
        }

        #[test]
        fn hostile_bytes_under_a_good_seal_are_decoded_or_refused(
            leaves in leaves(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let (mut bytes, _) = frame(&leaves);
            for (at, byte) in edits {
                let at = at.index(bytes.len() - 10) + 10;
                bytes[at] = byte;
            }
            if let Ok(frame) = Frame::decode(&resealed(bytes)) {
                prop_assert_eq!(frame.leaves.len(), frame.header.count.get() as usize);
                let body: usize = frame.leaves.iter().map(|leaf| leaf.len() + LENGTH_BYTES).sum();
                prop_assert!(body <= FRAME_BODY_BYTES);
            }
        }
    }

    #[test]
    fn a_full_body_of_noise_fits_in_the_largest_frame() {
        let mut noise = vec![0; FRAME_BODY_BYTES - LENGTH_BYTES];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        let mut body = FrameBody::default();
        assert!(!body.push(&[&noise[..], &[0]].concat()));
        assert!(body.push(&noise));
        assert!(!body.push(&[]));
        let (bytes, frame) = frame(&[noise]);
        assert_eq!(bytes.len(), FRAME_BYTES_MAX);
        assert_eq!(Frame::decode(&bytes), Ok(frame));
    }

    #[test]
    fn a_body_is_compressed_where_that_makes_it_smaller() {
        let (repetitive, _) = frame(&[vec![7; 10_000]]);
        let (tiny, _) = frame(&[vec![7]]);
        assert!(repetitive.len() < HEADER_BYTES + 200);
        assert_eq!(tiny.len(), HEADER_BYTES + LENGTH_BYTES + 1);
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused() {
        let (bytes, _) = frame(&[vec![7; 100]]);
        let with = |at: usize, field: &[u8]| {
            let mut bytes = bytes.clone();
            bytes[at..at + field.len()].copy_from_slice(field);
            Frame::decode(&resealed(bytes)).unwrap_err()
        };
        let past = u32::try_from(FRAME_BODY_BYTES + 1).unwrap();
        assert_eq!(with(0, b"x"), FrameError::NotAFrame);
        assert_eq!(with(8, &[0, 2]), FrameError::Format { format: 2 });
        assert_eq!(with(10, &[0, 9]), FrameError::Encoding { encoding: 9 });
        assert_eq!(with(12, &[0; 4]), FrameError::Empty);
        assert_eq!(
            with(12, &[255; 4]),
            FrameError::Count { expected: u32::MAX }
        );
        assert_eq!(
            with(24, &[255; 8]),
            FrameError::PastTheEnd {
                first_index: u64::MAX
            }
        );
        assert_eq!(
            with(40, &past.to_be_bytes()),
            FrameError::BodyTooLarge { bytes: past }
        );
        assert_eq!(with(40, &[0, 0, 0, 3]), FrameError::Compression);
    }
}
