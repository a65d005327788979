//! A `.tlog-proof` with its entry: an entry alone, without what it rests on.
//!
//! That shows that it is in the ledger and whose keys signed it. Whether these might sign, and
//! whether the record was admitted by the rules, takes a bundle.

use bytes::Bytes;

use super::{Check, Fault, Report, Trusted, signed};
use crate::admission::kind_name;
use crate::merkle::{TlogProof, leaf_hash};
use crate::record::Entry;
use crate::record::envelope::{RECORD_PAYLOAD_TYPE, verify};

/// How proof files begin, in every version.
const PROOF_BEGINNING: &[u8] = b"c2sp.org/tlog-proof@";

/// Whether a file says of itself that it is a proof file.
#[must_use]
pub fn is_proof(bytes: &[u8]) -> bool {
    bytes.starts_with(PROOF_BEGINNING)
}

/// Checks a proof file with the bytes of its entry.
#[must_use]
pub fn check_proof(proof: &[u8], entry: &[u8], trusted: &Trusted<'_>) -> Report {
    let mut report = Report::default();
    if steps(proof, entry, trusted, &mut report).is_some() {
        report.finish();
    }
    report
}

fn steps(proof: &[u8], entry: &[u8], trusted: &Trusted<'_>, report: &mut Report) -> Option<()> {
    let proof = match TlogProof::parse(proof) {
        Ok(proof) => proof,
        Err(error) => {
            report.no(Check::File, None, error.into());
            return None;
        }
    };
    let index = proof.index();
    let text = format!("a proof for entry {index}");
    report.yes(Check::File, Some(index), text);
    if proof.extra().is_some() {
        let text = "the proof file has extra data, which nobody signs";
        report.unchecked_line(Check::File, None, text.to_owned());
    }
    let checkpoint = signed::checkpoint(&proof.note().to_string(), trusted, report)?;
    let (size, root) = (checkpoint.size(), checkpoint.root());
    let leaf = leaf_hash(entry);
    if let Err(error) = proof.inclusion().verify(index, size, &leaf, &root) {
        report.no(Check::Inclusion, Some(index), error.into());
        return None;
    }
    let entry = match Entry::decode(index, Bytes::copy_from_slice(entry)) {
        Ok(entry) => entry,
        Err(error) => {
            report.no(Check::Inclusion, Some(index), error.into());
            return None;
        }
    };
    let kind = entry.record.kind.as_ref().map_or("record", kind_name);
    let text = format!("{kind} {} is in the ledger", entry.record_id);
    report.yes(Check::Inclusion, Some(index), text);
    signatures(&entry, report)
}

fn signatures(entry: &Entry, report: &mut Report) -> Option<()> {
    let index = Some(entry.index);
    let payload = &entry.envelope.payload;
    let mut signers = Vec::new();
    for signature in &entry.envelope.signatures {
        let key = data_encoding::HEXLOWER.encode(&signature.public_key);
        let holds = signature.public_key[..]
            .try_into()
            .is_ok_and(|bytes| verify(&bytes, RECORD_PAYLOAD_TYPE, payload, &signature.signature));
        if !holds {
            report.no(Check::Record, index, Fault::Signature { key });
            return None;
        }
        signers.push(key);
    }
    let text = format!(
        "recorded at {}, and signed by {}",
        entry.recorded_at,
        signers.join(", ")
    );
    report.yes(Check::Record, index, text);
    report.recorded_at(entry.index, entry.recorded_at);
    let text = "whether these keys were enrolled, and the record admitted by the rules, a proof of one entry does not show; an evidence bundle does";
    report.unchecked_line(Check::Record, index, text.to_owned());
    Some(())
}
