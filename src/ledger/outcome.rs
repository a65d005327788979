//! What becomes of an append: of each record, and of the call.

use std::time::Duration;

use super::poison::Poisoned;
use crate::admission::Refusal;
use crate::merkle::Hash;
use crate::record::{ContentId, Micros};

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on record from here on, durably.
    Recorded {
        /// Its ledger index.
        index: u64,
        /// Its record id.
        record_id: ContentId,
        /// When the ledger took it.
        recorded_at: Micros,
        /// The size of the ledger after the durable write that holds it.
        ledger_size: u64,
        /// The Merkle root at that size.
        root: Hash,
    },
    /// The same payload was on record, durably; nothing was added.
    AlreadyRecorded {
        /// Its ledger index.
        index: u64,
        /// Its record id.
        record_id: ContentId,
        /// Whether every signature of the envelope is on record too.
        signatures_on_record: bool,
    },
    /// It is not on record, and why.
    Refused(Refusal),
}

/// Why an append as a whole was not carried out, or its outcome is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// As much is queued as may be. Nothing was appended: try again after a while.
    #[error("the ledger is busy; try again in {} ms", .retry_after.as_millis())]
    Overloaded {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The records would never fit in the queue. Nothing was appended: send fewer at once.
    #[error("{records} records of {bytes} bytes are more than the queue takes; send fewer at once")]
    TooMuch {
        /// How many records.
        records: usize,
        /// How many bytes they have.
        bytes: usize,
    },
    /// The ledger takes no more records. Whether these were appended, a restart will tell.
    #[error("the ledger takes no more records: {reason}")]
    Poisoned {
        /// Why.
        reason: Poisoned,
    },
    /// A thread panicked over these records: a defect of the daemon. Appending them again
    /// records nothing twice.
    #[error("the daemon failed over these records; report this as a defect")]
    Panicked,
    /// The daemon is stopping. What was not answered may not have been appended; appending it
    /// again records nothing twice.
    #[error("the daemon is stopping")]
    Stopping,
}
