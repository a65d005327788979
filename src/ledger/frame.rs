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

mod error;

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::merkle::{Frontier, Hash};
use crate::record::{ENTRY_BYTES_MAX, Micros};
use crate::storage::FRAME_BYTES_MAX;

pub use error::FrameError;

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

#[cfg(test)]
mod tests;
