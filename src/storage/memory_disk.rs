//! A disk in memory that fails on command: what [`MemoryFrames`](super::MemoryFrames) keeps its
//! frames on. It tells what was synced from what was only written, counts both kinds of step,
//! and decides what a power cut leaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::frames::{Poison, PoisonCause, StoredFrame};

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
pub(super) struct State {
    pub frames: BTreeMap<u64, Slot>,
    pub epoch: u64,
    writes: u64,
    syncs: u64,
    pub power_cuts: u64,
    faults: Vec<(Step, Fault)>,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub frame: StoredFrame,
    pub at: Standing,
}

/// How a frame stands with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
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

    /// Sets back how often the disk was opened, as a counter from an older backup does.
    pub fn set_epoch(&self, epoch: u64) {
        self.lock().epoch = epoch;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub fn next_index(&self) -> u64 {
        let last = self.frames.last_key_value();
        last.map_or(0, |(_, slot)| slot.frame.next_index())
    }

    fn fault_at(&self, step: Step) -> Option<Fault> {
        let fault = self.faults.iter().find(|(at, _)| *at == step);
        fault.map(|(_, fault)| *fault)
    }

    /// One write: `change` reaches the cache, unless it fails.
    pub fn write(&mut self, change: impl FnOnce(&mut BTreeMap<u64, Slot>)) -> Result<(), Poison> {
        self.writes += 1;
        let fault = self.fault_at(Step::Write(self.writes));
        if fault != Some(Fault::Fail) {
            change(&mut self.frames);
        }
        self.suffer(fault, PoisonCause::Write)
    }

    /// One sync of all that is dirty.
    pub fn sync(&mut self) -> Result<(), Poison> {
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
