//! The frame store's twin in memory, for tests that need a disk to fail: it keeps frames on a
//! [`MemoryDisk`] that outlives the handles, and forgets or tears what was not synced when the
//! power is cut.
//!
//! An append is one write and one sync. Both are counted from 1 over the life of the disk, and a
//! [`Fault`](super::Fault) can be laid at any of them, so that a test can run a script once to count the steps
//! and again with the power cut at every single one. As on a real disk, a frame whose sync
//! failed is shown by the next handle and yet never reaches the disk, unless that one's
//! [`sync_from`](FrameStore::sync_from) writes it again.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{MutexGuard, OnceLock};

use bytes::Bytes;

use super::frames::{
    AppendOutcome, FRAME_BYTES_MAX, FRAMES_READ_MAX, FrameStore, Poison, PoisonCause, StoreError,
    StoredFrame, push_in_order,
};
use super::memory_disk::{MemoryDisk, Slot, Standing, State};

/// A handle on the frames of a [`MemoryDisk`]. See the module.
#[derive(Debug)]
pub struct MemoryFrames {
    disk: MemoryDisk,
    epoch: AtomicU64,
    /// How often the power had been cut when this handle was opened.
    power_cuts: u64,
    next_index: AtomicU64,
    poison: OnceLock<Poison>,
}

impl MemoryFrames {
    /// Opens the frames on `disk` and claims the next epoch: earlier handles are fenced.
    #[must_use]
    pub fn open(disk: &MemoryDisk) -> Self {
        let mut state = disk.lock();
        state.epoch += 1;
        Self {
            disk: disk.clone(),
            epoch: AtomicU64::new(state.epoch),
            power_cuts: state.power_cuts,
            next_index: AtomicU64::new(state.next_index()),
            poison: OnceLock::new(),
        }
    }

    /// The disk, unless the power was cut since this handle was opened.
    fn alive(&self) -> Result<MutexGuard<'_, State>, Poison> {
        let state = self.disk.lock();
        if state.power_cuts == self.power_cuts {
            return Ok(state);
        }
        let detail = "this handle is from before".to_owned();
        let cause = PoisonCause::PowerCut;
        Err(self.poison.get_or_init(|| Poison { cause, detail }).clone())
    }

    /// The disk, if this handle may write to it.
    fn writable(&self) -> Result<MutexGuard<'_, State>, Refusal> {
        let state = self.alive().map_err(Refusal::Poisoned)?;
        match self.poison.get() {
            Some(poison) => Err(Refusal::Poisoned(poison.clone())),
            None if state.epoch != self.epoch() => Err(Refusal::Fenced),
            None => Ok(state),
        }
    }

    fn poisoned(&self, poison: Poison) -> Poison {
        self.poison.get_or_init(|| poison).clone()
    }
}

enum Refusal {
    Fenced,
    Poisoned(Poison),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fenced => Self::Fenced,
            Refusal::Poisoned(poison) => Self::Poisoned(poison),
        }
    }
}

impl FrameStore for MemoryFrames {
    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn claim_above(&self, shown: u64) -> Result<(), StoreError> {
        let mut state = self.writable()?;
        if state.epoch <= shown {
            state.epoch = shown.checked_add(1).ok_or(StoreError::Fenced)?;
            self.epoch.store(state.epoch, Ordering::Release);
        }
        Ok(())
    }

    fn next_index(&self) -> u64 {
        self.next_index.load(Ordering::Acquire)
    }

    fn poison(&self) -> Option<Poison> {
        // A handle learns of a power cut by asking.
        drop(self.alive());
        self.poison.get().cloned()
    }

    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome {
        let mut state = match self.writable() {
            Ok(state) => state,
            Err(Refusal::Fenced) => return AppendOutcome::Fenced,
            Err(Refusal::Poisoned(poison)) => return AppendOutcome::Unknown(poison),
        };
        let expected = self.next_index();
        let next = expected.checked_add(u64::from(count.get()));
        let (true, Some(next)) = (first_index == expected, next) else {
            return AppendOutcome::Conflict { expected };
        };
        if frame.len() > FRAME_BYTES_MAX {
            return AppendOutcome::TooLarge {
                bytes: frame.len(),
                bytes_max: FRAME_BYTES_MAX,
            };
        }
        let frame = StoredFrame {
            first_index,
            count,
            bytes: Bytes::copy_from_slice(frame),
        };
        let at = Standing::Dirty;
        let written = state.write(|frames| {
            frames.insert(first_index, Slot { frame, at });
        });
        match written.and_then(|()| state.sync()) {
            Ok(()) => {
                self.next_index.store(next, Ordering::Release);
                AppendOutcome::Durable
            }
            Err(poison) => AppendOutcome::Unknown(self.poisoned(poison)),
        }
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        let state = self.alive().map_err(StoreError::Poisoned)?;
        let end = self.next_index();
        if index >= end {
            return Ok(Vec::new());
        }
        let before = state.frames.range(..=index).next_back();
        let expected = before.map_or(0, |(_, slot)| slot.frame.next_index());
        let start = match before {
            Some((first, _)) if expected > index => *first,
            _ => {
                let next = state.frames.range(index..end).next();
                let found = next.map_or(end, |(first, _)| *first);
                return Err(StoreError::Gap { expected, found });
            }
        };
        let mut frames = Vec::new();
        let wanted = frames_max.min(FRAMES_READ_MAX);
        for (_, slot) in state.frames.range(start..end).take(wanted) {
            push_in_order(&mut frames, slot.frame.clone())?;
        }
        Ok(frames)
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        let state = self.alive().map_err(StoreError::Poisoned)?;
        let last = state.frames.range(..self.next_index()).next_back();
        Ok(last.map(|(_, slot)| slot.frame.clone()))
    }

    /// One write, of every frame from the one that holds `index` on, and one sync.
    fn sync_from(&self, index: u64) -> Result<(), StoreError> {
        let mut state = self.writable()?;
        let written = state.write(|frames| {
            for slot in frames.values_mut() {
                if slot.at == Standing::Forgotten && slot.frame.next_index() > index {
                    slot.at = Standing::Dirty;
                }
            }
        });
        written
            .and_then(|()| state.sync())
            .map_err(|poison| StoreError::Poisoned(self.poisoned(poison)))
    }

    /// One write and one sync; the removal itself is never torn.
    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError> {
        let mut state = self.writable()?;
        if state.frames.last_key_value().map(|(first, _)| *first) != Some(first_index) {
            return Err(StoreError::NotTheTail { first_index });
        }
        let written = state.write(|frames| {
            frames.remove(&first_index);
        });
        written
            .and_then(|()| state.sync())
            .map_err(|poison| StoreError::Poisoned(self.poisoned(poison)))?;
        self.next_index.store(first_index, Ordering::Release);
        Ok(())
    }

    fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        let state = self.alive().map_err(StoreError::Poisoned)?;
        let bytes = state.frames.values().map(|slot| slot.frame.bytes.len());
        Ok(bytes.sum::<usize>() as u64)
    }
}

#[cfg(test)]
#[path = "memory_frames_tests.rs"]
mod tests;
