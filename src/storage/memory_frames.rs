//! The frame store's twin in memory, for tests that need a disk to fail: it keeps frames on a
//! [`MemoryDisk`] that outlives the handles, and forgets or tears what was not synced when the
//! power is cut.
//!
//! An append is one write and one sync. Both are counted from 1 over the life of the disk, and a
//! [`Fault`] can be laid at any of them, so that a test can run a script once to count the steps
//! and again with the power cut at every single one. As on a real disk, a frame whose sync
//! failed is shown by reads and yet never reaches the disk, unless
//! [`sync_from`](FrameStore::sync_from) of a later handle writes it again.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::frames::{
    AppendOutcome, FRAME_BYTES_MAX, FRAMES_READ_MAX, FrameStore, Poison, PoisonCause, StoreError,
    StoredFrame, push_in_order,
};

/// A step of the disk, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The n-th write.
    Write(u64),
    /// The n-th sync.
    Sync(u64),
}

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails. A failed write writes nothing; a failed sync leaves its frames to be forgotten.
    Fail,
    /// It succeeds, and the power is cut before anybody is told.
    Cut(PowerCut),
}

/// What a power cut does to what was written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerCut {
    /// It is gone.
    Lost,
    /// The disk had it after all.
    Kept,
    /// The disk had a part of it.
    Torn {
        /// What became of the rest.
        tear: Tear,
        /// Where the rest begins, in bytes; modulo the frame's length.
        at: usize,
    },
}

/// What became of the rest of a torn frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// It is not there: the frame ends early.
    Prefix,
    /// It is zeros.
    Zeroed,
    /// Every bit of it is flipped.
    Flipped,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    frames: BTreeMap<u64, Slot>,
    epoch: u64,
    writes: u64,
    syncs: u64,
    power_cuts: u64,
    faults: Vec<(Step, Fault)>,
}

#[derive(Debug)]
struct Slot {
    frame: StoredFrame,
    at: Standing,
}

/// How a frame stands with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// On it.
    Synced,
    /// In the cache; the next sync writes it.
    Dirty,
    /// In the cache; a sync failed, and no later one writes it.
    Forgotten,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays `fault` at `step`.
    pub fn inject(&self, step: Step, fault: Fault) {
        self.lock().faults.push((step, fault));
    }

    /// Cuts the power: handles are dead from here on, and the disk holds what `cut` leaves.
    pub fn cut_power(&self, cut: PowerCut) {
        self.lock().cut_power(cut);
    }

    /// How many writes there were.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// How many syncs there were.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// How many times the power was cut.
    #[must_use]
    pub fn power_cuts(&self) -> u64 {
        self.lock().power_cuts
    }

    /// Changes the bytes of the frame that begins at `first_index`, synced as it is: bit rot.
    /// Whether there is such a frame.
    pub fn damage(&self, first_index: u64, damage: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.lock();
        let Some(slot) = state.frames.get_mut(&first_index) else {
            return false;
        };
        let mut bytes = slot.frame.bytes.to_vec();
        damage(&mut bytes);
        slot.frame.bytes = bytes.into();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_index(&self) -> u64 {
        let last = self.frames.last_key_value();
        last.map_or(0, |(_, slot)| slot.frame.next_index())
    }

    fn fault_at(&self, step: Step) -> Option<Fault> {
        let fault = self.faults.iter().find(|(at, _)| *at == step);
        fault.map(|(_, fault)| *fault)
    }

    /// One write: `change` reaches the cache, unless it fails.
    fn write(&mut self, change: impl FnOnce(&mut BTreeMap<u64, Slot>)) -> Result<(), Poison> {
        self.writes += 1;
        let fault = self.fault_at(Step::Write(self.writes));
        if fault != Some(Fault::Fail) {
            change(&mut self.frames);
        }
        self.suffer(fault, PoisonCause::Write)
    }

    /// One sync of all that is dirty.
    fn sync(&mut self) -> Result<(), Poison> {
        self.syncs += 1;
        let fault = self.fault_at(Step::Sync(self.syncs));
        let becomes = match fault {
            Some(Fault::Fail) => Standing::Forgotten,
            _ => Standing::Synced,
        };
        for slot in self.frames.values_mut() {
            if slot.at == Standing::Dirty {
                slot.at = becomes;
            }
        }
        self.suffer(fault, PoisonCause::Sync)
    }

    fn suffer(&mut self, fault: Option<Fault>, cause: PoisonCause) -> Result<(), Poison> {
        let (cause, detail) = match fault {
            None => return Ok(()),
            Some(Fault::Fail) => (cause, "a fault was injected"),
            Some(Fault::Cut(cut)) => {
                self.cut_power(cut);
                (PoisonCause::PowerCut, "nobody was told")
            }
        };
        let detail = detail.to_owned();
        Err(Poison { cause, detail })
    }

    fn cut_power(&mut self, cut: PowerCut) {
        self.power_cuts += 1;
        self.frames.retain(|_, slot| match (slot.at, cut) {
            (Standing::Synced, _) | (Standing::Dirty, PowerCut::Kept) => true,
            (Standing::Forgotten, _) | (Standing::Dirty, PowerCut::Lost) => false,
            (Standing::Dirty, PowerCut::Torn { tear, at }) => {
                slot.frame.bytes = torn(&slot.frame.bytes, tear, at);
                true
            }
        });
        for slot in self.frames.values_mut() {
            slot.at = Standing::Synced;
        }
    }
}

fn torn(bytes: &[u8], tear: Tear, at: usize) -> Bytes {
    let at = at % bytes.len().max(1);
    let rest = bytes.iter().skip(at);
    let mut torn: Vec<u8> = bytes.iter().take(at).copied().collect();
    match tear {
        Tear::Prefix => {}
        Tear::Zeroed => torn.extend(rest.map(|_| 0)),
        Tear::Flipped => torn.extend(rest.map(|byte| !byte)),
    }
    torn.into()
}

/// A handle on the frames of a [`MemoryDisk`]. See the module.
#[derive(Debug)]
pub struct MemoryFrames {
    disk: MemoryDisk,
    epoch: u64,
    /// How often the power had been cut when this handle was opened.
    power_cuts: u64,
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
            epoch: state.epoch,
            power_cuts: state.power_cuts,
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
            None if state.epoch != self.epoch => Err(Refusal::Fenced),
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
        self.epoch
    }

    fn next_index(&self) -> u64 {
        self.disk.lock().next_index()
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
        let expected = state.next_index();
        if first_index != expected || expected.checked_add(u64::from(count.get())).is_none() {
            return AppendOutcome::Conflict { expected };
        }
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
            Ok(()) => AppendOutcome::Durable,
            Err(poison) => AppendOutcome::Unknown(self.poisoned(poison)),
        }
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        let state = self.alive().map_err(StoreError::Poisoned)?;
        let before = state.frames.range(..=index).next_back();
        let expected = before.map_or(index, |(_, slot)| slot.frame.next_index().min(index));
        let start = match before {
            Some((first, slot)) if slot.frame.next_index() > index => *first,
            _ => match state.frames.range(index..).next() {
                Some((found, _)) => {
                    let found = *found;
                    return Err(StoreError::Gap { expected, found });
                }
                None => return Ok(Vec::new()),
            },
        };
        let mut frames = Vec::new();
        let wanted = frames_max.min(FRAMES_READ_MAX);
        for slot in state
            .frames
            .range(start..)
            .map(|(_, slot)| slot)
            .take(wanted)
        {
            push_in_order(&mut frames, slot.frame.clone())?;
        }
        Ok(frames)
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        let state = self.alive().map_err(StoreError::Poisoned)?;
        let last = state.frames.last_key_value();
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
            .map_err(|poison| StoreError::Poisoned(self.poisoned(poison)))
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
