//! Decoding a payload that means the same to everybody.
//!
//! Protobuf decoders pass over fields that they do not know, take the last of two members of
//! a oneof, and keep enum numbers without a name. Each of these would let one payload mean
//! two things, today or after the next schema. So a payload is accepted only if it encodes
//! back to the same bytes and every enum value has a name.

use bytes::Bytes;
use prost::Message as _;

use super::proto;

/// Decodes a record's payload.
pub fn decode(payload: &Bytes) -> Result<proto::Record, MalformedRecord> {
    let record = proto::Record::decode(payload.clone())?;
    let encoded = record.encode_to_vec();
    if encoded != payload[..] {
        let offset = std::iter::zip(&encoded, payload)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        return Err(MalformedRecord::NotCanonical { offset });
    }
    if record.kind.is_none() {
        return Err(MalformedRecord::NoKind);
    }
    Ok(record)
}

/// Why a payload is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRecord {
    /// Not protobuf.
    #[error("the payload is not an encoded onrecord.record.v1.Record: {0}")]
    NotProtobuf(#[from] prost::DecodeError),
    /// Decodes, but does not encode to the same bytes.
    #[error(
        "the payload does not encode back to itself: it differs at byte {offset} (an unknown field, fields out of order, or a kind given twice)"
    )]
    NotCanonical {
        /// The first byte that differs.
        offset: usize,
    },
    /// Names no kind.
    #[error("the record names no kind")]
    NoKind,
}
