//! The ledger's frames, each by itself and as the one that follows the one before.

use std::path::Path;
use std::sync::Arc;

use super::report::{Part, Report};
use crate::ledger::{Chain, DecodedFrame, Head, ReadError, Reader, compare_with_head};
use crate::record::proto::record::Kind;
use crate::storage::{
    self, ExaminedDir, FrameStore, FramesOptions, SledFrames, StoreError, StoredFrame,
};

/// How many frames are read at a time: 64 of the largest are 7.9 MB.
const FRAMES_AT_ONCE: usize = 64;

/// A ledger whose frames can be read.
pub(super) struct Opened {
    /// Reads as far as the chain of frames is unbroken.
    pub reader: Reader,
    /// Whether that is all.
    pub is_whole: bool,
}

/// Checks the frames, on a copy; as much of the ledger as is unbroken.
pub(super) fn check(
    dir: &ExaminedDir,
    scratch: &Path,
    noted: Option<storage::Head>,
    report: &mut Report,
) -> Option<Opened> {
    let mut part = Part::new("ledger");
    let copy = scratch.join("frames");
    let frames = SledFrames::open_copy_at(&dir.parts().ledger(), copy, &FramesOptions::default());
    let opened = match frames {
        Ok(frames) => walk(Arc::new(frames), noted, &mut part),
        Err(error) => {
            part.find(&error);
            None
        }
    };
    report.add(part);
    opened
}

fn walk(frames: Arc<SledFrames>, noted: Option<storage::Head>, part: &mut Part) -> Option<Opened> {
    match frames.blob_files() {
        Ok(0) => {}
        Ok(files) => part.find(&format!(
            "{files} files lie in blobs/, where nothing may be"
        )),
        Err(error) => part.find(&error),
    }
    if noted.is_some()
        && let Err(error) = compare_with_head(&*frames, noted.as_ref())
    {
        part.find(&error);
    }
    let mut followed = Followed::default();
    followed.all(&*frames, part);
    part.looked_at = format!("{} frames, {} entries", followed.frames, followed.entries);
    let origin = followed.origin?;
    let head = followed.head;
    let is_whole = head.size == frames.next_index() && part.findings_count == 0;
    Some(Opened {
        reader: Reader::new(frames, origin, head),
        is_whole,
    })
}

/// How far the frames have been followed.
struct Followed {
    chain: Chain,
    /// The head up to which the chain is unbroken.
    head: Head,
    origin: Option<String>,
    frames: u64,
    entries: u64,
    next: u64,
}

impl Default for Followed {
    fn default() -> Self {
        let empty = crate::merkle::empty_root();
        Self {
            chain: Chain::default(),
            head: Head {
                size: 0,
                root: empty,
                recorded_at: None,
            },
            origin: None,
            frames: 0,
            entries: 0,
            next: 0,
        }
    }
}

impl Followed {
    /// Takes every frame that can be read.
    fn all(&mut self, frames: &dyn FrameStore, part: &mut Part) {
        let mut at_once = FRAMES_AT_ONCE;
        while self.next < frames.next_index() {
            match frames.read_from(self.next, at_once) {
                Ok(stored) if stored.is_empty() => {
                    part.find(&ReadError::Missing { index: self.next });
                    return;
                }
                Ok(stored) => {
                    for stored in &stored {
                        self.take(stored, part);
                    }
                }
                // It may lie behind frames that can be read.
                Err(_) if at_once > 1 => at_once = 1,
                Err(error @ StoreError::Gap { found, .. }) if found > self.next => {
                    part.find(&error);
                    self.chain.skip();
                    self.next = found;
                }
                Err(error) => {
                    part.find(&format!("from entry {} on: {error}", self.next));
                    return;
                }
            }
        }
    }

    fn take(&mut self, stored: &StoredFrame, part: &mut Part) {
        self.next = stored.next_index().max(self.next.saturating_add(1));
        self.frames += 1;
        self.entries += u64::from(stored.count.get());
        match self.chain.take(stored) {
            Ok(frame) => {
                if frame.first_index == 0 {
                    self.origin = origin(&frame);
                    if self.origin.is_none() {
                        part.find(&"entry 0 does not found an archive");
                    }
                }
            }
            Err(error) => part.find(&error),
        }
        if let Some(head) = self.chain.head() {
            self.head = head;
        }
    }
}

fn origin(frame: &DecodedFrame) -> Option<String> {
    let record = &frame.entries.first()?.record;
    match record.kind {
        Some(Kind::ArchiveFounded(_)) => Some(record.origin.clone()),
        _ => None,
    }
}
