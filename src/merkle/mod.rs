//! The Merkle tree over the ledger's entries, in the form that the transparency ecosystem
//! speaks: RFC 6962 section 2.1 with SHA-256. A root commits to every entry and to their
//! order, so that two ledgers with equal sizes and equal roots hold equal entries.
//!
//! Pure: bytes and hashes in, hashes out. It stores nothing and signs nothing, and it has no
//! part in content ids, which are BLAKE3.

mod note_key;
mod tree;

pub use note_key::{NoteKey, NoteKeyError, NoteKeyType};
pub use tree::{Frontier, FrontierError, Hash, empty_root, leaf_hash, node_hash, root_of};
