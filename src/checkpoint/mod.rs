//! Checkpoints: the archive's signed promises about its ledger, after C2SP tlog-checkpoint.
//!
//! A thread follows the ledger and signs it, at most once in an interval, only over entries that
//! are durable. The invariant: two checkpoints that were signed never contradict each other. So
//! size and root are noted and synced, in a directory apart from the ledger and its backups,
//! before they are signed; and where nothing says what was signed, or the ledger does not begin
//! with it, nothing is signed until somebody says which checkpoint the archive continues.
//! Publishing is for the services, verifying for [`crate::merkle`].
//!
//! - [`Published`]: the notes that gRPC and HTTP hand out
//! - `signer`, `thread`, `shared`: one checkpoint after the other
//! - [`SignerHome`]: the keys, and what was last signed
//! - [`NotSigning`]: why nothing is signed
//! - `continuing`: from which checkpoint to go on
//! - `suspicion`: what a witness says that forbids to sign on
//! - `tree`: the hashes below the head
//! - the module [`witness`]: cosignatures

mod continuing;
mod home;
mod not_signing;
mod published;
mod shared;
mod signer;
mod suspicion;
mod thread;
mod tree;
pub mod witness;

pub use continuing::{ContinueError, continue_from, own_checkpoint};
pub use home::{HomeDir, SignerHome};
pub use not_signing::NotSigning;
pub use published::{Notes, Published, PublishedNote};
pub use shared::Status;
pub use thread::{Checkpoints, Parts, Settings, Signing};
pub use tree::{Tree, TreeError};

#[cfg(test)]
mod tests;
