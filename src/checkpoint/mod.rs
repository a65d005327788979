//! Checkpoints: the archive's signed promises about its ledger.
//!
//! - [`Published`]: the notes that gRPC and HTTP hand out

mod published;

pub use published::{Notes, Published, PublishedNote};
