//! The Merkle tree over the ledger's entries, in the form that the transparency ecosystem
//! speaks: RFC 6962 section 2.1 with SHA-256. A root commits to every entry and to their
//! order, so that two ledgers with equal sizes and equal roots hold equal entries.
//!
//! Pure: bytes and hashes in, hashes out. It stores nothing and signs nothing, and it has no
//! part in content ids, which are BLAKE3.

mod checkpoint;
mod cosignature;
mod decimal;
mod nodes;
mod note;
mod note_key;
mod proof;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, OpenError};
pub use cosignature::{
    CosignatureTime, CosignedBy, WITNESSES_MAX, WitnessKey, WitnessKeyError, WitnessPolicy,
    WitnessPolicyError, Witnessed, cosign,
};
pub use nodes::{HashReader, ProveError, consistency_proof, inclusion_proof, root};
pub use note::{
    BadSignature, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, NoteError, NoteSignature, NoteSigner,
    SignatureLineError, SignedNote,
};
pub use note_key::{
    KEY_NAME_BYTES_MAX, KeyName, KeyNameError, NoteKey, NoteKeyError, NoteKeyId, NoteKeyType,
};
pub use proof::{
    CONSISTENCY_HASHES_MAX, ConsistencyError, ConsistencyProof, INCLUSION_HASHES_MAX,
    InclusionError, InclusionProof, ProofTooLong,
};
pub use tree::{
    Frontier, FrontierError, Hash, HashError, empty_root, leaf_hash, node_hash, root_of,
};
