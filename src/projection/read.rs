//! What a fold reads off an entry, in types that cannot be wrong. Admission let the entry in,
//! so that whatever does not parse here is damage, and is reported with the entry's index.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fold::FoldError;
use crate::record::{ContentId, Date, Entry, Micros, Slug, proto};

/// Where something stands in the ledger, and who vouched for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The ledger index of the entry.
    pub index: u64,
    /// The record's id.
    pub record_id: ContentId,
    /// When the ledger took it.
    pub recorded_at: Micros,
    /// The public keys of the verifiers who signed it, those of the entry first.
    pub verifiers: Vec<[u8; 32]>,
    /// The entries that added signatures, each with the verifier.
    pub attestations: Vec<(u64, [u8; 32])>,
}

/// A [`Provenance`] as it stands in a row, whose key has the index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    record_id: ContentId,
    recorded_at: Micros,
    verifiers: Vec<[u8; 32]>,
}

impl Origin {
    /// Where `entry` stands.
    pub(super) fn of(entry: &Entry) -> Result<Self, FoldError> {
        Ok(Self {
            record_id: entry.record_id,
            recorded_at: entry.recorded_at,
            verifiers: signers(entry)?,
        })
    }

    /// The same, with the index.
    pub(super) fn at(self, index: u64) -> Provenance {
        Provenance {
            index,
            record_id: self.record_id,
            recorded_at: self.recorded_at,
            verifiers: self.verifiers,
            attestations: Vec::new(),
        }
    }
}

/// The public keys under which an entry is signed, in its order.
pub(super) fn signers(entry: &Entry) -> Result<Vec<[u8; 32]>, FoldError> {
    let key = |signature: &proto::Signature| signature.public_key[..].try_into().ok();
    let keys = entry.envelope.signatures.iter().map(key);
    keys.collect::<Option<_>>()
        .ok_or_else(|| malformed(entry, "a public key is not 32 bytes long"))
}

/// A field that holds an id, a slug or a date.
pub(super) fn parsed<T: FromStr>(entry: &Entry, field: &str, text: &str) -> Result<T, FoldError> {
    text.parse()
        .map_err(|_| malformed(entry, format!("{field} cannot be read: {text:?}")))
}

/// A field that may be empty.
pub(super) fn optional<T: FromStr>(
    entry: &Entry,
    field: &str,
    text: &str,
) -> Result<Option<T>, FoldError> {
    (!text.is_empty())
        .then(|| parsed(entry, field, text))
        .transpose()
}

/// A slug.
pub(super) fn slug(entry: &Entry, field: &str, text: &str) -> Result<Slug, FoldError> {
    parsed(entry, field, text)
}

/// A content id.
pub(super) fn content_id(entry: &Entry, field: &str, text: &str) -> Result<ContentId, FoldError> {
    parsed(entry, field, text)
}

/// A date that may be left out.
pub(super) fn date(entry: &Entry, field: &str, text: &str) -> Result<Option<Date>, FoldError> {
    optional(entry, field, text)
}

/// Whose stance a reading is: the one it names, or else the statement's speaker.
pub(super) fn holder(
    entry: &Entry,
    reading: &proto::Reading,
    speaker: Option<&Slug>,
) -> Result<Slug, FoldError> {
    match (optional(entry, "holder", &reading.holder)?, speaker) {
        (Some(holder), _) => Ok(holder),
        (None, Some(speaker)) => Ok(speaker.clone()),
        (None, None) => Err(malformed(
            entry,
            "the reading of an anonymous statement names no holder",
        )),
    }
}

/// The entry is not what admission lets in.
pub(super) fn malformed(entry: &Entry, problem: impl Into<String>) -> FoldError {
    FoldError::Entry {
        index: entry.index,
        problem: problem.into(),
    }
}
