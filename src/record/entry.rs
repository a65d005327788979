//! An entry: an envelope as it stands in the ledger, with the time it was recorded.
//!
//! Its encoded bytes are the Merkle leaf, so they are kept as they are and never encoded
//! again; everything else here is derived from them.

use bytes::Bytes;
use prost::Message as _;

use super::proto;
use super::{ContentId, Micros};

/// The largest encoded entry, in bytes: tile servers frame entries by a 16-bit length.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// An entry of the ledger, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the ledger, counted from 0.
    pub index: u64,
    /// When the ledger took it (transaction time).
    pub recorded_at: Micros,
    /// The id of its record: the hash of the payload.
    pub record_id: ContentId,
    /// Its record, decoded from the payload.
    pub record: proto::Record,
    /// The payload with the signatures over it.
    pub envelope: proto::Envelope,
    /// The Merkle leaf, byte for byte.
    pub encoded: Bytes,
}

impl Entry {
    /// Makes the entry that stands at `index` for a record whose payload has been decoded.
    #[must_use]
    pub fn new(
        index: u64,
        recorded_at: Micros,
        record_id: ContentId,
        record: proto::Record,
        envelope: proto::Envelope,
    ) -> Self {
        let stored = proto::Entry {
            recorded_at: Some(recorded_at.to_timestamp()),
            envelope: Some(envelope),
        };
        let encoded = Bytes::from(stored.encode_to_vec());
        Self {
            index,
            recorded_at,
            record_id,
            record,
            envelope: stored.envelope.unwrap_or_default(),
            encoded,
        }
    }

    /// Decodes the Merkle leaf that stands at `index`.
    pub fn decode(index: u64, encoded: Bytes) -> Result<Self, EntryError> {
        let stored = proto::Entry::decode(encoded.clone())?;
        let envelope = stored.envelope.ok_or(EntryError::Incomplete("envelope"))?;
        let recorded_at = stored
            .recorded_at
            .and_then(|time| Micros::from_timestamp(&time))
            .ok_or(EntryError::Incomplete("recorded_at"))?;
        Ok(Self {
            index,
            recorded_at,
            record_id: ContentId::of(&envelope.payload),
            record: proto::Record::decode(envelope.payload.clone())?,
            envelope,
            encoded,
        })
    }
}

/// Why bytes are not an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The bytes are not the protobuf message.
    #[error("not an encoded entry: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// A field is missing or out of range.
    #[error("an entry without a valid {0}")]
    Incomplete(&'static str),
}
