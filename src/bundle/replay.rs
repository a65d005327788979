//! The entries of a bundle, judged and folded again, in their order and at their indexes.
//!
//! Nothing is numbered anew: an entry is judged as what stands at its index, by the entries of
//! the bundle below it. Where one that it refers to was left out, it is refused; one that would have
//! spoken against it, such as a revocation, is not missed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::given::Given;
use super::{Check, Fault, Report, Views};
use crate::admission::{
    self, AdmissionFold, Below, BelowError, Looked, Prepared, Refusal, Verdict, evidence_of,
    kind_name,
};
use crate::fold::{Fold, FoldError, MemoryTables};
use crate::projection::catalog::CatalogFold;
use crate::projection::positions::PositionsFold;
use crate::projection::statements::StatementsFold;
use crate::record::proto::{Evidence, VerifierEnrolled, record::Kind};
use crate::record::{Entry, quoted};

/// What the entries fold to.
#[derive(Default)]
pub struct Replayed {
    catalog: MemoryTables,
    positions: MemoryTables,
    statements: MemoryTables,
    /// The state that records are judged by.
    admission: MemoryTables,
    /// The names of the verifiers, by key.
    names: BTreeMap<String, String>,
}

/// Judges and folds all entries; none if one of them is refused.
pub fn replay(
    entries: &[Arc<Entry>],
    origin: &str,
    given: &Given<'_>,
    report: &mut Report,
) -> Option<Replayed> {
    let envelopes = entries.iter().map(|entry| entry.envelope.clone());
    // Nothing is on record there, so that no evidence is looked at beforehand.
    let nothing = MemoryTables::default();
    let prepared = admission::prepare(
        envelopes.collect(),
        origin,
        &nothing,
        given,
        Weights::of(entries),
    );
    let mut replayed = Replayed::default();
    for (place, (entry, prepared)) in entries.iter().zip(prepared).enumerate() {
        let below = entries.get(..place).unwrap_or_default();
        let admitted = replayed.admit(entry, prepared, below, given);
        match admitted.and_then(|()| replayed.take(entry)) {
            Ok(text) => {
                report.yes(Check::Record, Some(entry.index), text);
                report.recorded_at(entry.index, entry.recorded_at);
            }
            Err(fault) => {
                report.no(Check::Record, Some(entry.index), fault);
                return None;
            }
        }
    }
    Some(replayed)
}

impl Replayed {
    /// The tables that answers are read from.
    pub fn views(&self) -> Views<'_> {
        Views {
            catalog: &self.catalog,
            positions: &self.positions,
            statements: &self.statements,
        }
    }

    fn admit(
        &self,
        entry: &Entry,
        prepared: Result<Prepared, Refusal>,
        below: &[Arc<Entry>],
        given: &Given<'_>,
    ) -> Result<(), Fault> {
        let mut prepared = prepared.map_err(refused)?;
        let Some(kind) = prepared.record.kind.clone() else {
            return Err(Fault::Missing { what: "kind" });
        };
        let lacking = match &kind {
            Kind::SourceArchived(source) => !given.has_document(&source.source),
            kind => evidence_of(kind)
                .iter()
                .any(|it| !given.has_text(&it.text_id)),
        };
        if !lacking {
            prepared.evidence = Some(Looked::at(&kind, given));
            return self.judge(&prepared, entry, below, given);
        }
        prepared.evidence = Some(Looked::on_trust());
        self.judge(&prepared, entry, below, given)?;
        // What is given is held against what is quoted from it all the same.
        let Some(kind) = with_evidence(kind, |it| given.has_text(&it.text_id)) else {
            return Ok(());
        };
        prepared.evidence = Some(Looked::at(&kind, given));
        prepared.record.kind = Some(kind);
        self.judge(&prepared, entry, below, given)
    }

    fn judge(
        &self,
        prepared: &Prepared,
        entry: &Entry,
        below: &[Arc<Entry>],
        given: &Given<'_>,
    ) -> Result<(), Fault> {
        let (index, recorded_at) = (entry.index, entry.recorded_at);
        let below = Among(below);
        let verdict =
            admission::judge(&self.admission, given, &below, prepared, index, recorded_at);
        match verdict.map_err(|error| unfounded(&error))? {
            Verdict::Admit => Ok(()),
            Verdict::AlreadyRecorded { index, .. } => Err(Fault::Twice(index)),
            Verdict::Refuse(refusal) => Err(refused(refusal)),
        }
    }

    /// Folds an entry; says what it is, and who signed it.
    fn take(&mut self, entry: &Entry) -> Result<String, Fault> {
        let folds: [(&dyn Fold, &mut MemoryTables); 4] = [
            (&AdmissionFold, &mut self.admission),
            (&CatalogFold, &mut self.catalog),
            (&PositionsFold, &mut self.positions),
            (&StatementsFold, &mut self.statements),
        ];
        for (fold, tables) in folds {
            let changes = fold
                .fold(tables, entry)
                .map_err(|error| unfounded(&error))?;
            tables.apply(changes);
        }
        let kind = entry.record.kind.as_ref();
        match kind {
            Some(Kind::ArchiveFounded(founded)) => {
                founded.verifiers.iter().for_each(|it| self.name(it));
            }
            Some(Kind::VerifierEnrolled(enrolled)) => self.name(enrolled),
            _ => {}
        }
        let signers = entry.envelope.signatures.iter().map(|signature| {
            let key = data_encoding::HEXLOWER.encode(&signature.public_key);
            let short: String = key.chars().take(8).collect();
            let name = self.names.get(&key).map_or("", String::as_str);
            format!("{} ({short})", quoted(name))
        });
        let signers: Vec<String> = signers.collect();
        Ok(format!(
            "{} recorded at {} is signed by {} and was admitted by the rules, as far as the entries given tell",
            kind.map_or("record", kind_name),
            entry.recorded_at,
            signers.join(", ")
        ))
    }

    fn name(&mut self, enrolled: &VerifierEnrolled) {
        let name = enrolled.name.clone();
        self.names.insert(enrolled.verifier.clone(), name);
    }
}

/// A record with the evidence alone that `keep` keeps; none if there is none such.
fn with_evidence(mut kind: Kind, keep: impl Fn(&Evidence) -> bool) -> Option<Kind> {
    let evidence = match &mut kind {
        Kind::StatementRecorded(recorded) => &mut recorded.evidence,
        Kind::StatementCorrected(corrected) => &mut corrected.corrected.as_mut()?.evidence,
        Kind::EvidenceAdded(added) => &mut added.evidence,
        Kind::MandateGranted(mandate) => &mut mandate.evidence,
        Kind::MandateEnded(mandate) => &mut mandate.evidence,
        Kind::MilestoneDefined(milestone) => &mut milestone.evidence,
        _ => return None,
    };
    evidence.retain(keep);
    (!evidence.is_empty()).then_some(kind)
}

fn refused(refusal: Refusal) -> Fault {
    Fault::Refused(Box::new(refusal))
}

/// A fold that meets what admission would not have let in was not given what the entry rests on.
pub fn unfounded(error: &FoldError) -> Fault {
    Fault::Unfounded(error.to_string())
}

/// The entries of the bundle below a place.
struct Among<'a>(&'a [Arc<Entry>]);

impl Below for Among<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let place = self.0.binary_search_by_key(&index, |entry| entry.index);
        let found = place.ok().and_then(|place| self.0.get(place));
        found
            .cloned()
            .ok_or_else(|| BelowError(format!("entry {index} is not in the bundle")))
    }
}

/// What weighs a batch of signatures: a stream of bytes that follows from all of them, so that
/// nobody could make a signature knowing it. A check needs no other randomness, and says the
/// same of the same file every time.
struct Weights(blake3::OutputReader);

impl Weights {
    fn of(entries: &[Arc<Entry>]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("onrecord bundle batch weights v1");
        for entry in entries {
            hasher.update(&(entry.encoded.len() as u64).to_be_bytes());
            hasher.update(&entry.encoded);
        }
        Self(hasher.finalize_xof())
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl rand_core::TryRng for Weights {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Weights {}
