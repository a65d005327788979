//! The digest of a state: a hash chained per entry over the sorted changes that the entry
//! made. Two machines that folded equal ledgers by the same version hold equal digests. It
//! says nothing about rows that rotted after they were written.

use std::fmt;

use data_encoding::HEXLOWER;

use super::Changes;

/// What a length or an index takes.
const LENGTH_BYTES: usize = size_of::<u64>();

/// The digest of a fold's state after some number of entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a state that no entry has changed.
    #[must_use]
    pub fn start(name: &str, version: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("onrecord fold digest 1");
        hasher.update(name.as_bytes());
        hasher.update(&version.to_be_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The digest after the entry at `index` made `changes`.
    #[must_use]
    pub fn after(self, index: u64, changes: &Changes) -> Self {
        let lengths = changes
            .iter()
            .map(|(key, value)| 2 * LENGTH_BYTES + key.len() + value.map_or(0, <[u8]>::len));
        // In one piece, which is hashed faster than many small ones.
        let mut hashed = Vec::with_capacity(LENGTH_BYTES + lengths.sum::<usize>());
        hashed.extend_from_slice(&index.to_be_bytes());
        for (key, value) in changes.iter() {
            part(&mut hashed, Some(key));
            part(&mut hashed, value);
        }
        Self(*blake3::keyed_hash(&self.0, &hashed).as_bytes())
    }

    /// The raw 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Adds one length-prefixed part, so that no two lists of parts hash alike; an absent one has a
/// length that no part can have.
fn part(hashed: &mut Vec<u8>, part: Option<&[u8]>) {
    let length = part.map_or(u64::MAX, |bytes| bytes.len() as u64);
    hashed.extend_from_slice(&length.to_be_bytes());
    if let Some(bytes) = part {
        hashed.extend_from_slice(bytes);
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}
