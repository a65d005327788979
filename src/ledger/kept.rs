//! Frames kept decoded, so that whoever follows the ledger neither reads nor decodes.
//!
//! Two rings, each bounded in bytes. The *tail* holds the frames that were published last, in
//! order: whoever follows the head finds them here however many follow it, and however much of
//! the past others read meanwhile. The other holds the frames that were *read* last, so that
//! those who read the same stretch of the past together read it once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::reader::DecodedFrame;

/// What the frames of the tail weigh at most, in bytes. 16 MiB: some 6,000 entries of 900
/// bytes, more than half a second of the fastest load.
const TAIL_BYTES_MAX: usize = 16 << 20;

/// What the frames that were read last weigh at most, in bytes. 16 MiB: some 60 frames of
/// the largest size.
const READ_BYTES_MAX: usize = 16 << 20;

/// What a decoded entry takes besides its bytes and its texts, about.
const ENTRY_BYTES: usize = 1 << 10;

/// What a frame weighs: its entries' encoded bytes, as much again for the texts of their
/// records, and what decoding adds.
fn weight(frame: &DecodedFrame) -> usize {
    let entries = frame.entries.iter();
    entries
        .map(|entry| 2 * entry.encoded.len() + ENTRY_BYTES)
        .sum()
}

/// The frames that are kept.
#[derive(Default)]
pub(super) struct Kept {
    tail: Tail,
    read: Read,
}

impl Kept {
    /// The frame that holds the entry at `index`, if it is kept.
    pub fn find(&mut self, index: u64) -> Option<Arc<DecodedFrame>> {
        self.tail.find(index).or_else(|| self.read.find(index))
    }

    /// Keeps a frame that follows the one published before.
    pub fn keep_published(&mut self, frame: Arc<DecodedFrame>) {
        self.tail.push(frame, TAIL_BYTES_MAX);
    }

    /// Keeps a frame that was read from the store.
    pub fn keep_read(&mut self, frame: Arc<DecodedFrame>) {
        self.read.keep(frame, READ_BYTES_MAX);
    }
}

/// The frames that were published last, in order.
#[derive(Default)]
struct Tail {
    frames: VecDeque<Arc<DecodedFrame>>,
    bytes: usize,
}

impl Tail {
    fn find(&self, index: u64) -> Option<Arc<DecodedFrame>> {
        let beyond = self
            .frames
            .partition_point(|frame| frame.first_index <= index);
        let frame = self.frames.get(beyond.checked_sub(1)?)?;
        frame.entry(index)?;
        Some(Arc::clone(frame))
    }

    /// Adds the newest frame, which is kept whatever it weighs.
    fn push(&mut self, frame: Arc<DecodedFrame>, bytes_max: usize) {
        self.bytes += weight(&frame);
        self.frames.push_back(frame);
        while self.bytes > bytes_max && self.frames.len() > 1 {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= weight(&oldest);
            }
        }
    }
}

/// The frames that were read last, by first index.
#[derive(Default)]
struct Read {
    /// Each with its use that was last.
    frames: BTreeMap<u64, (Arc<DecodedFrame>, u64)>,
    /// First indexes by last use.
    by_use: BTreeMap<u64, u64>,
    /// Counts uses, so that the least recent one can be told.
    uses: u64,
    bytes: usize,
}

impl Read {
    fn find(&mut self, index: u64) -> Option<Arc<DecodedFrame>> {
        let (first_index, (frame, used)) = self.frames.range_mut(..=index).next_back()?;
        frame.entry(index)?;
        self.uses += 1;
        self.by_use.remove(used);
        self.by_use.insert(self.uses, *first_index);
        *used = self.uses;
        Some(Arc::clone(frame))
    }

    /// Adds a frame, which is kept whatever it weighs.
    fn keep(&mut self, frame: Arc<DecodedFrame>, bytes_max: usize) {
        self.uses += 1;
        self.bytes += weight(&frame);
        let first_index = frame.first_index;
        self.by_use.insert(self.uses, first_index);
        if let Some((before, used)) = self.frames.insert(first_index, (frame, self.uses)) {
            self.bytes -= weight(&before);
            self.by_use.remove(&used);
        }
        while self.bytes > bytes_max && self.frames.len() > 1 {
            let Some((_, least)) = self.by_use.pop_first() else {
                return;
            };
            if let Some((frame, _)) = self.frames.remove(&least) {
                self.bytes -= weight(&frame);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Frontier;
    use crate::record::{ContentId, Entry, Micros, proto};

    /// Two entries a frame, the first at `first_index`.
    fn frame(first_index: u64) -> Arc<DecodedFrame> {
        let entry = |index| {
            let (record, envelope) = (proto::Record::default(), proto::Envelope::default());
            let id = ContentId::of(b"");
            Arc::new(Entry::new(index, Micros(1), id, record, envelope))
        };
        Arc::new(DecodedFrame {
            first_index,
            entries: vec![entry(first_index), entry(first_index + 1)],
            root_after: Frontier::new().root(),
            recorded_at: Micros(1),
        })
    }

    fn found(frame: Option<Arc<DecodedFrame>>) -> Option<u64> {
        frame.map(|frame| frame.first_index)
    }

    #[test]
    fn the_tail_holds_the_newest_frames_that_fit() {
        let bytes_max = 3 * weight(&frame(0));
        let mut tail = Tail::default();
        for first_index in (10..20).step_by(2) {
            tail.push(frame(first_index), bytes_max);
        }
        for (index, expected) in [(9, None), (13, None), (14, Some(14)), (15, Some(14))] {
            assert_eq!(found(tail.find(index)), expected, "{index}");
        }
        assert_eq!(found(tail.find(19)), Some(18));
        assert_eq!(found(tail.find(20)), None);
        assert_eq!(tail.bytes, bytes_max);
        tail.push(frame(20), 0);
        assert_eq!((found(tail.find(20)), tail.frames.len()), (Some(20), 1));
    }

    #[test]
    fn of_the_frames_that_were_read_the_one_not_used_for_longest_goes_first() {
        let bytes_max = 3 * weight(&frame(0));
        let mut read = Read::default();
        for first_index in [0, 2, 4] {
            read.keep(frame(first_index), bytes_max);
        }
        assert_eq!(found(read.find(1)), Some(0));
        read.keep(frame(4), bytes_max);
        read.keep(frame(6), bytes_max);
        let kept = [0, 2, 4, 6].map(|index| found(read.find(index)));
        assert_eq!(kept, [Some(0), None, Some(4), Some(6)]);
        assert_eq!(read.bytes, bytes_max);
        assert_eq!(read.by_use.len(), read.frames.len());
    }

    #[test]
    fn reading_the_past_takes_nothing_from_the_tail() {
        let mut kept = Kept::default();
        kept.keep_published(frame(1_000_000));
        let frames = READ_BYTES_MAX / weight(&frame(0)) + 10;
        for first_index in (0..).step_by(2).take(frames) {
            kept.keep_read(frame(first_index));
        }
        assert_eq!(found(kept.find(1_000_001)), Some(1_000_000));
        assert_eq!(found(kept.find(0)), None);
    }
}
