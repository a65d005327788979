//! Whether an archive is what it says: every entry hashed, its signatures and its admission
//! verdict repeated at its place in the ledger, every document held against its id.
//!
//! - [`Replay`]: the core: entries in, what is wrong with them out; no disk, no network
//! - [`SourceTexts`]: the documents that it looks at, in a store that is only read
//! - [`check`](check()): a stopped data directory, all of it, without changing a byte
//! - [`remote`]: an archive that somebody else runs, over HTTP and gRPC
//!
//! The invariant: nothing passes unseen. What could not be looked at is reported as such, and an
//! archive is called whole only if everything was.

mod check;
mod documents;
pub mod remote;
mod replay;

pub use check::{CheckError, Elsewhere, KeptCheckpoint, Part, PartState, Report, check};
pub use documents::SourceTexts;
pub use replay::{
    Finding, Follower, Problem, Replay, ReplayError, ReplayParts, WRITE_AFTER_ENTRIES,
};
