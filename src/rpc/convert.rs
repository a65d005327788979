//! From what the archive knows to what its services say. Service messages are made here and
//! nowhere else, so that one thing is said in one way by every service.

pub mod positions;

use data_encoding::HEXLOWER;

use super::proto;
use crate::admission::Refusal;
use crate::checkpoint::PublishedNote;
use crate::ledger::{Head, Outcome};
use crate::projection::{self, Cursor, catalog};
use crate::record::proto as records;
use crate::record::{ContentId, Entry};
use crate::text::Passage;

/// The newest durable state of the ledger.
pub fn head(head: &Head) -> proto::Head {
    proto::Head {
        size: head.size,
        root: root(head.root.into()),
        recorded_at: head.recorded_at.map(crate::record::Micros::to_timestamp),
    }
}

/// A Merkle root.
pub fn root(root: [u8; 32]) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(&root)
}

/// A signed checkpoint.
pub fn checkpoint(note: &PublishedNote) -> proto::GetCheckpointResponse {
    let time = crate::record::Micros::to_timestamp;
    proto::GetCheckpointResponse {
        note: note.note.clone(),
        size: note.size,
        root: root(note.root.into()),
        signed_at: Some(time(note.signed_at)),
        witnessed_at: note.witnessed_at.map(time),
    }
}

/// A projection's tables of some version, at some cursor.
pub fn projection(name: &str, version: u32, cursor: &Cursor) -> proto::ProjectionStatus {
    proto::ProjectionStatus {
        name: name.to_owned(),
        version,
        cursor: Some(proto::Head {
            size: cursor.size,
            root: root(cursor.root.into()),
            recorded_at: None,
        }),
        digest: cursor.digest.to_string(),
        ..proto::ProjectionStatus::default()
    }
}

/// What became of a record.
pub fn append_result(outcome: Outcome) -> proto::AppendResult {
    use proto::append_result::Outcome as Said;
    let outcome = match outcome {
        Outcome::Recorded {
            index,
            record_id,
            recorded_at,
            ledger_size,
            root,
        } => Said::Recorded(proto::Recorded {
            index,
            record: record_id.to_string(),
            recorded_at: Some(recorded_at.to_timestamp()),
            ledger_size,
            root: self::root(root.into()),
        }),
        Outcome::AlreadyRecorded {
            index,
            record_id,
            signatures_on_record,
        } => Said::AlreadyRecorded(proto::AlreadyRecorded {
            index,
            record: record_id.to_string(),
            signatures_on_record,
        }),
        Outcome::Refused(refused) => Said::Refusal(refusal(refused)),
    };
    proto::AppendResult {
        outcome: Some(outcome),
    }
}

fn refusal(refusal: Refusal) -> proto::Refusal {
    let remedy = refusal.reason.remedy();
    proto::Refusal {
        code: remedy.code().to_owned(),
        reason: refusal.reason.name().to_owned(),
        field: refusal.field,
        message: refusal.message,
        accepted: refusal.accepted,
        nearest: refusal.nearest.into_iter().map(passage).collect(),
        retryable: remedy == crate::admission::Remedy::Retry,
    }
}

fn passage(passage: Passage) -> proto::Passage {
    proto::Passage {
        start: passage.start,
        end: passage.end,
        text: passage.text,
    }
}

/// An entry as it stands in the ledger, with its record if `decode` says so.
pub fn ledger_entry(entry: &Entry, decode: bool) -> proto::LedgerEntry {
    proto::LedgerEntry {
        index: entry.index,
        record_id: entry.record_id.to_string(),
        recorded_at: Some(entry.recorded_at.to_timestamp()),
        verifiers: signers(entry),
        encoded: entry.encoded.clone(),
        record: decode.then(|| entry.record.clone()),
    }
}

/// Where an entry stands, and who vouched for it.
pub fn provenance_of(entry: &Entry) -> proto::Provenance {
    proto::Provenance {
        index: entry.index,
        record: entry.record_id.to_string(),
        recorded_at: Some(entry.recorded_at.to_timestamp()),
        verifiers: signers(entry),
        attestations: Vec::new(),
    }
}

/// The same, with the signatures that were added to the entry's own.
pub fn vouched(entry: &Entry, added: &[(u64, [u8; 32])]) -> proto::Provenance {
    let attestations = self::attestations(added);
    let mut provenance = provenance_of(entry);
    let verifiers = attestations.iter().map(|it| it.verifier.clone());
    provenance.verifiers.extend(verifiers);
    provenance.attestations = attestations;
    provenance
}

fn attestations(added: &[(u64, [u8; 32])]) -> Vec<proto::Attestation> {
    let attestation = |(index, verifier): &(u64, [u8; 32])| proto::Attestation {
        verifier: HEXLOWER.encode(verifier),
        index: *index,
    };
    added.iter().map(attestation).collect()
}

fn signers(entry: &Entry) -> Vec<String> {
    let signatures = entry.envelope.signatures.iter();
    signatures
        .map(|signature| HEXLOWER.encode(&signature.public_key))
        .collect()
}

fn provenance(provenance: &projection::Provenance) -> proto::Provenance {
    let verifiers = provenance.verifiers.iter();
    proto::Provenance {
        index: provenance.index,
        record: provenance.record_id.to_string(),
        recorded_at: Some(provenance.recorded_at.to_timestamp()),
        verifiers: verifiers.map(|key| HEXLOWER.encode(key)).collect(),
        attestations: attestations(&provenance.attestations),
    }
}

/// Makes the message of a definition out of the definition and where it stands.
macro_rules! defined {
    ($($function:ident: $record:ident => $message:ident;)+) => {
        $(
            #[doc = concat!("A definition as a [`proto::", stringify!($message), "`].")]
            pub fn $function(defined: catalog::Defined<records::$record>) -> proto::$message {
                proto::$message {
                    provenance: Some(provenance(&defined.provenance)),
                    definition: Some(defined.definition),
                }
            }
        )+
    };
}

defined! {
    actor: ActorDefined => Actor;
    mandate: MandateGranted => Mandate;
    topic: TopicDefined => Topic;
}

/// A source as it stands, with how much of it is withheld.
pub fn source(
    defined: catalog::Defined<records::SourceArchived>,
    withheld: Option<catalog::Defined<records::SourceWithheld>>,
    reviews: Vec<proto::Review>,
) -> proto::Source {
    let at = withheld.as_ref().map(|it| provenance(&it.provenance));
    proto::Source {
        provenance: Some(provenance(&defined.provenance)),
        definition: Some(defined.definition),
        withholding: withheld.map(|it| it.definition),
        withholding_provenance: at,
        reviews,
    }
}

/// A milestone as it stands.
pub fn milestone(
    defined: catalog::Defined<records::MilestoneDefined>,
    reviews: Vec<proto::Review>,
) -> proto::Milestone {
    proto::Milestone {
        provenance: Some(provenance(&defined.provenance)),
        definition: Some(defined.definition),
        reviews,
    }
}

/// A review of a source or milestone.
pub fn review(review: catalog::Defined<records::ReviewPublished>) -> proto::Review {
    proto::Review {
        provenance: Some(provenance(&review.provenance)),
        review: Some(review.definition),
    }
}

/// A verifier as it stands.
pub fn verifier(verifier: catalog::Verifier) -> proto::Verifier {
    let catalog::Verifier {
        enrolment,
        revocation,
    } = verifier;
    let (revocation, revocation_provenance) = match revocation {
        Some(revoked) => (
            Some(revoked.definition),
            Some(provenance(&revoked.provenance)),
        ),
        None => (None, None),
    };
    proto::Verifier {
        provenance: Some(provenance(&enrolment.provenance)),
        definition: Some(enrolment.definition),
        revocation,
        revocation_provenance,
    }
}

/// An id in its text form.
pub fn id(id: &ContentId) -> String {
    id.to_string()
}
