//! Is this record fit to enter?
//!
//! Admission is a pure function of a record, the entries below its place in the ledger, the
//! archived documents and the time at which it is recorded, so that an auditor can repeat
//! every verdict. One file a check, in the order in which they are made: shape, already
//! recorded, signatures, references, evidence, time. The first that fails is the refusal.
//!
//! [`prepare`] does what the ledger has no say in (shape, the arithmetic of signatures, the
//! search for passages) and can run in parallel; [`judge`] decides, in the ledger's order.
//! Documents cost far more than a look at the ledger, so `prepare` looks at them only for
//! records that may enter as things stand: nobody can have others wait for work on records
//! that are not his to sign. Where things change before its turn, `judge` does that work.

mod attestation;
mod below;
mod checkpoints;
mod deferred;
mod documents;
mod evidence;
mod field;
mod fold;
mod kinds;
mod references;
mod refusal;
mod shape;
mod signatures;
mod state;
mod time;

pub use below::{Below, BelowError};
pub use checkpoints::{checkpoint_keys, witness_policy};
pub use deferred::{judge_documents, judge_without_documents, version_vouched_for};
pub use documents::{Documents, DocumentsError, TextError};
pub use evidence::{Looked, evidence as evidence_of};
pub use fold::AdmissionFold;
pub use kinds::{KINDS, kind_name};
#[cfg(feature = "daemon")]
pub(crate) use refusal::reasons;
pub use refusal::{Reason, Refusal, Remedy};
pub use shape::{ADMISSION_RULES, media_type as check_media_type, origin as check_origin};
pub use signatures::prove_possession;

use std::ops::Bound;

use crate::fold::{FoldError, Order, RecentRows, Scan, Tables, TablesError};
use crate::record::envelope::record_id;
use crate::record::proto::{self, record::Kind};
use crate::record::{ContentId, Micros, decode, quoted};
use references::accept;
use state::{ArchiveRow, RecordRow, SourceRow, Table, VerifierRow};

/// What one check says.
type Step = Result<(), Refusal>;

/// A record that has passed all that can be said of it alone: its shape, with the verdicts on
/// its signatures and evidence kept until it is their turn.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its id.
    pub record_id: ContentId,
    /// The record.
    pub record: proto::Record,
    /// As it was received.
    pub envelope: proto::Envelope,
    /// Who signed, if every signature holds.
    pub signers: Result<Vec<[u8; 32]>, Refusal>,
    /// Whether its evidence stands in the sources' texts; none if nobody has looked.
    pub evidence: Option<Looked>,
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

/// The part of admission that can be done before a record's turn, for a batch: one answer an
/// envelope, in order. `state` is as the entries up to lately have left it, and decides nothing
/// but whether documents are worth a look. `randomness` weighs the batch of signatures; no
/// signer may know it.
#[must_use]
pub fn prepare(
    envelopes: Vec<proto::Envelope>,
    origin: &str,
    state: &dyn Tables,
    documents: &dyn Documents,
    randomness: impl rand_core::CryptoRng,
) -> Vec<Result<Prepared, Refusal>> {
    let lately = Lately {
        state,
        rows: RecentRows::default(),
    };
    let is_worth_a_look = |prepared: &Prepared, kind: &Kind| may_enter(&lately, prepared, kind);
    prepare_if(envelopes, origin, documents, randomness, is_worth_a_look)
}

/// As [`prepare`], for records that have entered: whoever repeats their verdicts looks at all
/// documents.
#[must_use]
pub fn prepare_entered(
    envelopes: Vec<proto::Envelope>,
    origin: &str,
    documents: &dyn Documents,
    randomness: impl rand_core::CryptoRng,
) -> Vec<Result<Prepared, Refusal>> {
    prepare_if(envelopes, origin, documents, randomness, |_, _| true)
}

/// Prepares a batch, and looks at the documents of those records that are worth a look.
fn prepare_if(
    envelopes: Vec<proto::Envelope>,
    origin: &str,
    documents: &dyn Documents,
    randomness: impl rand_core::CryptoRng,
    is_worth_a_look: impl Fn(&Prepared, &Kind) -> bool,
) -> Vec<Result<Prepared, Refusal>> {
    let records: Vec<_> = envelopes
        .iter()
        .map(|envelope| shaped(envelope, origin))
        .collect();
    let fit = std::iter::zip(&envelopes, &records);
    let fit: Vec<_> = fit
        .filter_map(|(envelope, record)| record.is_ok().then_some(envelope))
        .collect();
    let mut signers = signatures::signers(&fit, randomness).into_iter();
    let assemble = |(envelope, record): (proto::Envelope, Result<proto::Record, Refusal>)| {
        // Only fit ones have been asked for their signers.
        let record = record?;
        let mut prepared = Prepared {
            record_id: record_id(&envelope),
            signers: signers.next().unwrap_or(Ok(Vec::new())),
            record,
            envelope,
            evidence: None,
        };
        if let Some(kind) = &prepared.record.kind
            && is_worth_a_look(&prepared, kind)
        {
            prepared.evidence = Some(Looked::at(kind, documents));
        }
        Ok(prepared)
    };
    std::iter::zip(envelopes, records).map(assemble).collect()
}

/// The state as it was lately, whose rows are read once for a batch: its records are signed by
/// the same few.
struct Lately<'a> {
    state: &'a dyn Tables,
    rows: RecentRows,
}

impl Tables for Lately<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.rows.get(self.state, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.state.rows(start, order)
    }
}

/// Whether a record is not on record yet and its signers may sign it, as things stand. Where
/// that cannot be read, it is for the record's turn to say.
fn may_enter(state: &dyn Tables, prepared: &Prepared, kind: &Kind) -> bool {
    let is_new = || record_row(state, &prepared.record_id).map(|row| row.is_none());
    let may_sign = || signatures::judge(state, prepared, kind).map(|step| step.is_ok());
    is_new().unwrap_or(false) && may_sign().unwrap_or(false)
}

/// Decodes an envelope's record and checks its shape.
fn shaped(envelope: &proto::Envelope, origin: &str) -> Result<proto::Record, Refusal> {
    shape::envelope(envelope)?;
    let record = decode(&envelope.payload).or_else(|error| {
        shape::known_kind(&envelope.payload)?;
        Err(field::malformed(
            "payload",
            error.to_string(),
            "one onrecord.record.v1.Record of exactly one kind, encoded in tag order without unknown fields",
        ))
    })?;
    shape::record(&record)?;
    if record.origin != origin {
        return Err(Refusal::new(
            Reason::WrongOrigin,
            "origin",
            format!("the record was signed for {}", quoted(&record.origin)),
            format!("a record signed for {origin:?}"),
        ));
    }
    Ok(record)
}

/// Judges a prepared record for the place `index`, by the entries below it: `state` is what
/// they fold to, `below` shows them where that does not say enough.
///
/// # Errors
/// Fails if the state cannot be read; that says nothing about the record.
pub fn judge(
    state: &dyn Tables,
    documents: &dyn Documents,
    below: &dyn Below,
    prepared: &Prepared,
    index: u64,
    recorded_at: Micros,
) -> Result<Verdict, FoldError> {
    if let Some(row) = record_row(state, &prepared.record_id)? {
        return Ok(Verdict::AlreadyRecorded {
            index: row.index,
            // A signature that does not hold is nobody's.
            signatures_on_record: match &prepared.signers {
                Ok(signers) => on_record(state, &row, signers)?,
                Err(_) => false,
            },
        });
    }
    let Some(kind) = &prepared.record.kind else {
        return Ok(Verdict::Refuse(field::malformed(
            "",
            "no kind",
            "exactly one kind",
        )));
    };
    if let Err(refusal) = founding(index, kind) {
        return Ok(Verdict::Refuse(refusal.within(kind_name(kind))));
    }
    // Signatures stand beside the payload, not in it.
    if let Err(refusal) = signatures::judge(state, prepared, kind)? {
        return Ok(Verdict::Refuse(refusal));
    }
    let place = Place {
        state,
        documents,
        below,
        index,
        recorded_at,
    };
    Ok(match checks(&place, prepared, kind)? {
        Ok(()) => Verdict::Admit,
        Err(refusal) => Verdict::Refuse(refusal.within(kind_name(kind))),
    })
}

/// What a record is judged by at its place in the ledger.
struct Place<'a> {
    state: &'a dyn Tables,
    documents: &'a dyn Documents,
    below: &'a dyn Below,
    index: u64,
    recorded_at: Micros,
}

/// The checks of what the payload says, in their order: first the signatures in it.
fn checks(place: &Place<'_>, prepared: &Prepared, kind: &Kind) -> Result<Step, FoldError> {
    if let Kind::CheckpointKeySet(set) = kind {
        accept!(signatures::possession(set, &prepared.record.origin));
    }
    accept!(references::judge(place, kind)?);
    accept!(evidence::judge(place, kind, prepared.evidence.as_ref())?);
    time::judge(place, kind)
}

/// Entry 0 founds the archive, and no other entry does.
fn founding(index: u64, kind: &Kind) -> Step {
    match (index, kind) {
        (0, Kind::ArchiveFounded(_)) => Ok(()),
        (0, _) => Err(Refusal::new(
            Reason::NotFounded,
            "",
            "the archive is not founded",
            "an archiveFounded record first",
        )),
        (_, Kind::ArchiveFounded(_)) => Err(Refusal::new(
            Reason::AlreadyFounded,
            "",
            "the archive is founded",
            "any other kind",
        )),
        _ => Ok(()),
    }
}

/// The ledger index of a record; none if it is not on record.
pub fn index_of(state: &dyn Tables, record: &ContentId) -> Result<Option<u64>, FoldError> {
    Ok(record_row(state, record)?.map(|row| row.index))
}

/// The origin of the archive; none before it is founded.
pub fn origin_of(state: &dyn Tables) -> Result<Option<String>, FoldError> {
    let archive: Option<ArchiveRow> = Table::Archive.get(state, &[])?;
    Ok(archive.map(|archive| archive.origin))
}

/// How much of a source is withheld, as the newest entry of the state says; unspecified if
/// none of it is.
pub fn withheld(
    state: &dyn Tables,
    source: &ContentId,
) -> Result<proto::WithholdingScope, FoldError> {
    let row: Option<SourceRow> = Table::Source.get(state, &[source.as_bytes()])?;
    Ok(row.map_or(proto::WithholdingScope::Unspecified, |row| {
        row.withheld_scope()
    }))
}

fn record_row(state: &dyn Tables, record: &ContentId) -> Result<Option<RecordRow>, FoldError> {
    Table::Record.get(state, &[record.as_bytes()])
}

/// Whether a record that these verifiers signed has a signature of each on record.
fn on_record(state: &dyn Tables, row: &RecordRow, signers: &[[u8; 32]]) -> Result<bool, FoldError> {
    for key in signers {
        let verifier: Option<VerifierRow> = Table::Verifier.get(state, &[key])?;
        if !verifier.is_some_and(|verifier| row.is_signed_by(verifier.number)) {
            return Ok(false);
        }
    }
    Ok(!signers.is_empty())
}
