//! Copies of an archive: made while the daemon serves, and put back where it was lost.
//!
//! A backup is a data directory in the format of any other: the ledger's frames as they are, up
//! to a head that was published, and the documents that its records name. What can be computed
//! again is not in it (tables, extracted texts), nor is an upload that no record names, nor ever
//! the signer's directory: whoever holds a backup cannot sign for the archive. It carries the
//! marker [`RESTORED`](crate::storage::RESTORED), so that a daemon that is started on it, or on
//! what was restored from it, signs no checkpoint before it is told which one it continues from.
//!
//! The invariant: what says that it is a backup is whole. The directory is filled and synced,
//! the ledger opened again and its chain of frames followed to the head, every document hashed;
//! only then is it said to be an archive.
//!
//! - `create`: the copy, on a thread of its own
//! - `restore`: the way back
//! - `named`: the documents that records name
//! - `documents`: documents from one store into another, hashed on the way

mod create;
mod documents;
mod error;
mod named;
mod restore;

pub use create::{Backup, BackupStep};
pub use documents::copy_document;
pub use error::BackupError;
pub use named::Named;
pub use restore::{Restored, restore};
