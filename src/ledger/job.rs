//! One call on its way through the ledger: its records, what has become of those that were
//! judged, and where it waits.

use std::collections::VecDeque;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::outcome::Outcome;
use super::reader::Head;
use crate::admission::{Prepared, Refusal};
use crate::record::{ContentId, Micros};

/// One call. Dropped before it is answered, it tells its caller to look for the reason.
pub(super) struct Job {
    /// The records that are not judged yet, in order.
    pub records: VecDeque<Result<Prepared, Refusal>>,
    /// What becomes of those that are, in order.
    pub slots: Vec<Slot>,
    reply: Reply,
}

/// What becomes of a record.
pub(super) enum Slot {
    /// This, once every frame that was begun before is durable.
    Settled(Outcome),
    /// It stands in the frame that is being made.
    Entered {
        /// Its ledger index.
        index: u64,
        /// Its record id.
        record_id: ContentId,
    },
}

/// Where a call waits, and the permits that it holds until it is answered.
pub(super) struct Reply {
    answer: oneshot::Sender<Vec<Outcome>>,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Reply {
    pub const fn new(
        answer: oneshot::Sender<Vec<Outcome>>,
        permits: [OwnedSemaphorePermit; 2],
    ) -> Self {
        Self {
            answer,
            _permits: permits,
        }
    }
}

impl Job {
    pub fn new(records: impl IntoIterator<Item = Result<Prepared, Refusal>>, reply: Reply) -> Self {
        let records: VecDeque<_> = records.into_iter().collect();
        Self {
            slots: Vec::with_capacity(records.len()),
            records,
            reply,
        }
    }

    /// The frame that its newest records entered leads to `head`.
    pub fn settle(&mut self, head: &Head, recorded_at: Micros) {
        // Earlier frames have settled what stands before.
        for slot in self.slots.iter_mut().rev() {
            match *slot {
                Slot::Entered { index, record_id } => {
                    *slot = Slot::Settled(Outcome::Recorded {
                        index,
                        record_id,
                        recorded_at,
                        ledger_size: head.size,
                        root: head.root,
                    });
                }
                Slot::Settled(Outcome::Recorded { .. }) => break,
                Slot::Settled(_) => {}
            }
        }
    }

    /// Answers the call. Whether anybody still waits is no concern of the ledger's.
    pub fn answer(self) {
        let settled = |slot| match slot {
            Slot::Settled(outcome) => Some(outcome),
            Slot::Entered { .. } => None,
        };
        // A record that is not settled is an error of this room's: better no answer than one
        // for another record.
        if let Some(outcomes) = self.slots.into_iter().map(settled).collect() {
            let _ = self.reply.answer.send(outcomes);
        }
    }
}
