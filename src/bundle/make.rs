//! A bundle, made of the entries that an answer rests on and the proofs that they are on record.

use bytes::Bytes;
use prost::Message as _;

use super::FORMAT;
use super::closure::Gathered;
use super::proto::bundle::Question;
use super::proto::{Bundle, ProvenEntry};
use crate::merkle::{Checkpoint, HashReader, ProveError, SignedNote, inclusion_proof};

/// Makes the bundle of an answer: `note` is the signed `checkpoint`, `nodes` the hashes of its
/// tree. It has no texts.
pub fn make<R: HashReader>(
    note: &SignedNote,
    checkpoint: &Checkpoint,
    nodes: &mut R,
    gathered: &Gathered,
    question: Question,
) -> Result<Bundle, ProveError<R::Error>> {
    let mut entries = Vec::with_capacity(gathered.len());
    for (index, entry) in gathered {
        let proof = inclusion_proof(nodes, *index, checkpoint.size())?;
        let hashes = proof.hashes().iter();
        entries.push(ProvenEntry {
            index: *index,
            encoded: entry.encoded.clone(),
            hashes: hashes
                .map(|hash| Bytes::copy_from_slice(&<[u8; 32]>::from(*hash)))
                .collect(),
        });
    }
    Ok(Bundle {
        format: FORMAT.to_owned(),
        origin: checkpoint.origin().to_string(),
        checkpoint: note.to_string(),
        entries,
        texts: Vec::new(),
        documents: Vec::new(),
        question: Some(question),
    })
}

/// The bundle's file.
#[must_use]
pub fn encode(bundle: &Bundle) -> Bytes {
    bundle.encode_to_vec().into()
}
