//! The poisoned ledger: why it takes no more records, said once and for good.
//!
//! After a failed write or sync nobody knows what the disk holds: a kernel reports a failed
//! sync once and then forgets it (Rebello et al., "Can Applications Recover from fsync
//! Failures?", USENIX ATC 2020). So nothing is tried again. Reads go on; a restart looks at
//! what there is.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::storage::Poison;

/// Why the ledger takes no more records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Poisoned {
    /// A frame could not be written and synced.
    #[error("{0}; mend it and restart the daemon")]
    Store(Poison),
    /// Another writer has opened the ledger since.
    #[error("another writer has taken over this ledger; stop one of the two")]
    Fenced,
    /// The store holds other frames than this writer wrote.
    #[error(
        "the ledger's database ends at index {found} where this daemon wrote up to {expected}; stop whatever else writes to it and restart the daemon"
    )]
    Conflict {
        /// Where this writer's next frame begins.
        expected: u64,
        /// Where the store says that the next frame begins.
        found: u64,
    },
    /// A frame was larger than the store takes.
    #[error(
        "a frame of {bytes} bytes was larger than the store takes; restart the daemon and report this as a defect"
    )]
    FrameTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A commit did not finish.
    #[error("a commit did not finish within {} s; look at the disk and restart the daemon", .bound.as_secs_f32())]
    TimedOut {
        /// The bound.
        bound: Duration,
    },
    /// The state that admission judges by cannot be read or written.
    #[error("the admission state failed ({detail}); restart the daemon, which builds it again")]
    AdmissionState {
        /// What failed.
        detail: String,
    },
    /// `HEAD` could not be written.
    #[error("HEAD could not be written ({detail}); mend it and restart the daemon")]
    Head {
        /// What failed.
        detail: String,
    },
    /// A thread panicked.
    #[error("the {thread} thread panicked; restart the daemon and report this as a defect")]
    Panicked {
        /// Which thread.
        thread: &'static str,
    },
}

/// Where the reason stands once there is one. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub(super) struct PoisonCell(Arc<OnceLock<Poisoned>>);

impl PoisonCell {
    /// The reason, if the ledger is poisoned.
    pub fn get(&self) -> Option<&Poisoned> {
        self.0.get()
    }

    /// Poisons the ledger; the first reason stands.
    pub fn set(&self, reason: Poisoned) {
        let mut first = false;
        let reason = self.0.get_or_init(|| {
            first = true;
            reason
        });
        if first {
            tracing::error!(%reason, "the ledger takes no more records");
        }
    }
}
