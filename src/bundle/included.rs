//! The entries of a bundle: each decodes, and stands in the checkpoint's tree at its index.

use std::sync::Arc;

use super::proto::ProvenEntry;
use super::{Check, Fault, Report};
use crate::admission::kind_name;
use crate::merkle::{Checkpoint, Hash, InclusionProof, leaf_hash};
use crate::record::Entry;

/// The entries, if all of them stand in the ledger that the checkpoint commits to.
pub fn entries(
    proven: &[ProvenEntry],
    checkpoint: &Checkpoint,
    report: &mut Report,
) -> Option<Vec<Arc<Entry>>> {
    let mut entries: Vec<Arc<Entry>> = Vec::with_capacity(proven.len());
    let mut all = true;
    for it in proven {
        match entry(it, checkpoint, entries.last().map(|entry| &**entry)) {
            Ok(entry) => {
                let kind = entry.record.kind.as_ref().map_or("record", kind_name);
                let id = entry.record_id;
                let text = format!("{kind} {id} is in the ledger");
                report.yes(Check::Inclusion, Some(it.index), text);
                entries.push(Arc::new(entry));
            }
            Err(fault) => {
                report.no(Check::Inclusion, Some(it.index), fault);
                all = false;
            }
        }
    }
    if all && entries.first().is_none_or(|first| first.index != 0) {
        report.no(Check::Inclusion, None, Fault::NotFounded);
        all = false;
    }
    all.then_some(entries)
}

fn entry(
    proven: &ProvenEntry,
    checkpoint: &Checkpoint,
    below: Option<&Entry>,
) -> Result<Entry, Fault> {
    if below.is_some_and(|below| below.index >= proven.index) {
        return Err(Fault::Order);
    }
    let proof = proof(&proven.hashes)?;
    let (size, root) = (checkpoint.size(), checkpoint.root());
    proof.verify(proven.index, size, &leaf_hash(&proven.encoded), &root)?;
    let entry = Entry::decode(proven.index, proven.encoded.clone())?;
    let Entry {
        index,
        recorded_at,
        record_id,
        record,
        envelope,
        encoded,
    } = entry;
    // The same bytes again, or it would be two entries in one.
    let again = Entry::new(index, recorded_at, record_id, record, envelope);
    if again.encoded != encoded {
        return Err(Fault::EntryNotCanonical);
    }
    if below.is_some_and(|below| below.recorded_at > again.recorded_at) {
        return Err(Fault::BackInTime);
    }
    Ok(again)
}

/// Reads an inclusion proof.
fn proof(hashes: &[bytes::Bytes]) -> Result<InclusionProof, Fault> {
    let hash = |hash: &bytes::Bytes| {
        let found = hash.len();
        let hash: [u8; 32] = hash[..]
            .try_into()
            .map_err(|_| Fault::HashLength { found })?;
        Ok(Hash::from(hash))
    };
    let hashes: Vec<Hash> = hashes.iter().map(hash).collect::<Result<_, Fault>>()?;
    Ok(InclusionProof::new(hashes)?)
}
