//! Reads and decodes frames ahead of a fold, on a thread of their own, so that the two go on
//! side by side.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{EntrySource, RunnerError};
use crate::ledger::{DecodedFrame, ReadError};
use crate::storage::give_way;

/// How many frames wait to be folded: at some 400 KiB each, decoded, 6 MiB.
const FRAMES_WAITING_MAX: usize = 16;

/// Frames that are read ahead. Dropping it ends the reading.
pub(super) struct ReadAhead(Receiver<Result<Arc<DecodedFrame>, ReadError>>);

impl ReadAhead {
    /// Reads the frames from the one that begins at `start` up to the entry at `end`.
    pub(super) fn start(
        name: String,
        source: Arc<dyn EntrySource>,
        start: u64,
        end: u64,
    ) -> Result<Self, RunnerError> {
        let (frames, waiting) = bounded(FRAMES_WAITING_MAX);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            give_way();
            read(&*source, start..end, &frames);
        });
        thread.map_err(RunnerError::Thread)?;
        Ok(Self(waiting))
    }

    /// The next frame; none after the last.
    pub(super) fn next(&self) -> Option<Result<Arc<DecodedFrame>, ReadError>> {
        self.0.recv().ok()
    }
}

/// Reads until the end, an error, or nobody wants more.
fn read(
    source: &dyn EntrySource,
    range: std::ops::Range<u64>,
    frames: &Sender<Result<Arc<DecodedFrame>, ReadError>>,
) {
    let mut index = range.start;
    while index < range.end {
        match source.frame_at(index) {
            Ok(Some(frame)) => {
                index = frame.next_index();
                if frames.send(Ok(frame)).is_err() {
                    return;
                }
            }
            // Whoever folds finds out by itself.
            Ok(None) => return,
            Err(error) => {
                let _ = frames.send(Err(error));
                return;
            }
        }
    }
}
