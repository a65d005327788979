//! Is this record fit to enter?

mod documents;
mod refusal;

pub use documents::{Documents, DocumentsError};
pub use refusal::{Reason, Refusal, Remedy};

use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::record::{ContentId, Entry, Micros, VerifierKey, proto};

/// A record that has passed everything that needs no ledger: its shape, with the verdicts on
/// its signatures and evidence at hand for the sequencer to give in their order.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its id.
    pub record_id: ContentId,
    /// The record.
    pub record: proto::Record,
    /// As it was received.
    pub envelope: proto::Envelope,
    /// Who signed, if every signature holds.
    pub signers: Result<Vec<VerifierKey>, Refusal>,
    /// Whether its evidence stands in the sources' texts.
    pub evidence: Result<(), Refusal>,
}

/// What becomes of a record at its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It enters.
    Admit,
    /// Its payload has entered before.
    AlreadyRecorded {
        /// Where.
        index: u64,
        /// Whether all of its signatures are on record there.
        signatures_on_record: bool,
    },
    /// It does not enter.
    Refuse(Refusal),
}

/// The pure part of admission, for a batch: decoding, shape, signatures, evidence.
#[must_use]
pub fn prepare(
    _envelopes: Vec<proto::Envelope>,
    _origin: &str,
    _documents: &dyn Documents,
    _randomness: impl rand_core::CryptoRng,
) -> Vec<Result<Prepared, Refusal>> {
    Vec::new()
}

/// Judges a prepared record for the place `index`, by the entries below it.
pub fn judge(
    _state: &dyn Tables,
    _documents: &dyn Documents,
    _prepared: &Prepared,
    _index: u64,
    _recorded_at: Micros,
) -> Result<Verdict, FoldError> {
    Ok(Verdict::Admit)
}

/// The ledger index of a record.
pub fn index_of(_state: &dyn Tables, _record: &ContentId) -> Result<Option<u64>, FoldError> {
    Ok(None)
}

/// What admission needs to know of the ledger below an entry.
pub struct AdmissionFold;

impl Fold for AdmissionFold {
    fn name(&self) -> &'static str {
        "admission"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(&self, _state: &dyn Tables, _entry: &Entry) -> Result<Changes, FoldError> {
        Ok(Changes::new())
    }
}
