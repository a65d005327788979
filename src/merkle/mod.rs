//! The Merkle tree over the ledger's entries, in the form that the transparency ecosystem
//! speaks: RFC 6962 section 2.1 with SHA-256. A root commits to every entry and to their
//! order, so that two ledgers with equal sizes and equal roots hold equal entries.
//!
//! Around the tree (`tree`, `nodes`, `proof`) lie the formats in which others check it, after
//! the C2SP specifications: tiles and entry bundles (`tile_path`, `tile`, `bundle`), signed
//! notes and their keys (`note`, `note_key`), checkpoints and cosignatures (`checkpoint`,
//! `cosignature`), and what is sent to witnesses and kept by auditors (`add_checkpoint`,
//! `tlog_proof`). Each format is read strictly: one text for one meaning.
//!
//! Pure: bytes, hashes, keys and times in, bytes and hashes out. It stores nothing and asks
//! nobody, and it has no part in content ids, which are BLAKE3.

mod add_checkpoint;
mod base64;
mod bundle;
mod checkpoint;
mod cosignature;
mod decimal;
mod nodes;
mod note;
mod note_key;
mod proof;
mod tile;
mod tile_path;
mod tlog_proof;
mod tree;

pub use add_checkpoint::{
    ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, AddCheckpointError, WITNESS_HASHES_MAX, WitnessSize,
    WitnessSizeError,
};
pub use bundle::{BUNDLE_BYTES_MAX, BundleError, decode_bundle, encode_bundle};
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
pub use tile::{Tile, TileError, TileReadError, TileReader};
pub use tile_path::{
    BundleId, TILE_INDEX_MAX, TILE_LEVEL_MAX, TILE_WIDTH_MAX, TileId, TileIdError, TilePath,
    TilePathError, new_bundles, new_tiles,
};
pub use tlog_proof::{
    Proven, TLOG_PROOF_BYTES_MAX, TLOG_PROOF_EXTRA_BYTES_MAX, TlogProof, TlogProofError,
    TlogProofRefusal,
};
pub use tree::{
    Frontier, FrontierError, Hash, HashError, empty_root, leaf_hash, node_hash, root_of,
};

#[cfg(test)]
mod tests;
