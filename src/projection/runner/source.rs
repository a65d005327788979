//! Where a runner reads entries from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::ledger::{DecodedFrame, Head, ReadError, Reader};

/// Where a runner reads entries from: the ledger.
pub trait EntrySource: Send + Sync {
    /// The published head.
    fn head(&self) -> Head;

    /// The frame that holds the entry at `index`; none past the head.
    fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError>;

    /// Blocks until the ledger holds more than `size` entries; none once `stop` is set.
    fn wait_beyond(&self, size: u64, stop: &AtomicBool) -> Option<Head>;

    /// Has every thread that waits look at its `stop`.
    fn wake(&self);
}

impl EntrySource for Reader {
    fn head(&self) -> Head {
        Reader::head(self)
    }

    fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError> {
        Reader::frame_at(self, index)
    }

    fn wait_beyond(&self, size: u64, stop: &AtomicBool) -> Option<Head> {
        self.wait_beyond_blocking(size, stop)
    }

    fn wake(&self) {
        Reader::wake(self);
    }
}
