//! A ledger in memory, for tests of what reads it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use crate::ledger::{DecodedFrame, Head, ReadError};
use crate::merkle::{Hash, empty_root};
use crate::projection::EntrySource;
use crate::record::{Entry, Micros};

/// A ledger in memory. A frame's root stands for all entries up to its last.
#[derive(Default)]
pub(super) struct Shelf {
    frames: Mutex<Vec<Arc<DecodedFrame>>>,
    grown: Condvar,
    gate: Mutex<Gate>,
    passed: Condvar,
}

/// What keeps those who build from reading on.
#[derive(Default)]
struct Gate {
    /// From which index on nobody who builds reads.
    closed_from: Option<u64>,
    /// Somebody waits.
    is_waited_at: bool,
    /// The lowest index that was read by those who build.
    lowest: Option<u64>,
}

impl Shelf {
    /// A ledger of these entries, in frames of `length` each.
    pub(super) fn of(entries: &[Entry], length: usize) -> Arc<Self> {
        let shelf = Arc::new(Self::default());
        for frame in entries.chunks(length) {
            shelf.append(frame);
        }
        shelf
    }

    pub(super) fn append(&self, entries: &[Entry]) {
        let mut frames = self.frames.lock().unwrap();
        let mut root = frames
            .last()
            .map_or(*empty_root().as_bytes(), |it| it.root_after.into());
        for entry in entries {
            root = *blake3::keyed_hash(&root, &entry.encoded).as_bytes();
        }
        frames.push(Arc::new(DecodedFrame {
            first_index: entries[0].index,
            entries: entries.iter().cloned().map(Arc::new).collect(),
            root_after: Hash::from(root),
            recorded_at: entries[0].recorded_at,
        }));
        self.grown.notify_all();
    }

    /// Keeps those who build or verify from reading entries from `index` on.
    pub(super) fn close(&self, index: u64) {
        let mut gate = self.gate.lock().unwrap();
        gate.closed_from = Some(index);
        gate.is_waited_at = false;
    }

    pub(super) fn open(&self) {
        self.gate.lock().unwrap().closed_from = None;
        self.passed.notify_all();
    }

    /// Waits until somebody stands before the gate.
    pub(super) fn wait_for_somebody(&self) {
        let mut gate = self.gate.lock().unwrap();
        while !gate.is_waited_at {
            gate = self.passed.wait(gate).unwrap();
        }
    }

    /// The lowest index that was read by those who build.
    pub(super) fn lowest_read(&self) -> Option<u64> {
        self.gate.lock().unwrap().lowest
    }

    fn pass(&self, index: u64) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default();
        if !name.contains("-build") && !name.contains("-verify") {
            return;
        }
        let mut gate = self.gate.lock().unwrap();
        gate.lowest = Some(gate.lowest.map_or(index, |lowest| lowest.min(index)));
        while gate.closed_from.is_some_and(|closed| index >= closed) {
            gate.is_waited_at = true;
            self.passed.notify_all();
            gate = self.passed.wait(gate).unwrap();
        }
    }
}

pub(super) fn head(frames: &[Arc<DecodedFrame>]) -> Head {
    let last = frames.last();
    Head {
        size: last.map_or(0, |it| it.next_index()),
        root: last.map_or(empty_root(), |it| it.root_after),
        recorded_at: last.map(|_| Micros(0)),
    }
}

impl EntrySource for Shelf {
    fn head(&self) -> Head {
        head(&self.frames.lock().unwrap())
    }

    fn frame_at(&self, index: u64) -> Result<Option<Arc<DecodedFrame>>, ReadError> {
        self.pass(index);
        let frames = self.frames.lock().unwrap();
        let place = frames.partition_point(|frame| frame.next_index() <= index);
        let found = frames.get(place);
        Ok(found.cloned())
    }

    fn wait_beyond(&self, size: u64, stop: &AtomicBool) -> Option<Head> {
        let mut frames = self.frames.lock().unwrap();
        loop {
            if stop.load(Ordering::Acquire) {
                return None;
            }
            if head(&frames).size > size {
                return Some(head(&frames));
            }
            frames = self.grown.wait(frames).unwrap();
        }
    }

    fn wake(&self) {
        drop(self.frames.lock().unwrap());
        self.grown.notify_all();
    }
}
