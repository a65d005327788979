//! The chain of frames, followed one by one, past those that are damaged: for whoever wants to
//! know all that is wrong with a ledger, and not only that something is.
//!
//! Up to the first frame that is not right, each is held against all that went before, as at a
//! restart. From there on the root cannot be computed any more, as entries are missing: then a
//! frame is held against its own hashes, its place, and the hash of the frame before, as stored.

use super::frame::FrameHash;
use super::open_error::OpenError;
use super::reader::{DecodedFrame, Head};
use super::tail::{BrokenLink, Tail};
use crate::storage::StoredFrame;

/// See the module.
#[derive(Clone, Debug)]
pub struct Chain {
    /// None from the first frame on that is not right.
    tail: Option<Tail>,
    /// The hash of the frame before, as it is stored; none where one is missing.
    previous: Option<FrameHash>,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            tail: Some(Tail::start()),
            previous: Some(FrameHash::NONE),
        }
    }
}

impl Chain {
    /// Takes in the next frame, and says what is wrong with it.
    pub fn take(&mut self, stored: &StoredFrame) -> Result<DecodedFrame, OpenError> {
        let previous = self.previous.replace(FrameHash::of(&stored.bytes));
        let tail = self.tail.take();
        let (header, frame) = DecodedFrame::decode(stored)?;
        if let Some(tail) = tail {
            self.tail = Some(tail.after(stored, &header, &frame)?);
        } else if previous.is_some_and(|previous| previous != header.previous) {
            return Err(OpenError::Chain {
                first_index: stored.first_index,
                link: BrokenLink::Previous,
            });
        }
        Ok(frame)
    }

    /// Notes that frames are missing before the next.
    pub fn skip(&mut self) {
        self.tail = None;
        self.previous = None;
    }

    /// The head that all frames so far lead to; none once one of them was not right.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.tail.as_ref().map(Tail::head)
    }
}
