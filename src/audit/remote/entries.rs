//! The entries of a tree: all of them from an index on, read by a few threads and given in order,
//! and single ones wherever admission looks back. Each has been held against its leaf in the tree.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::fault::Fault;
use super::tree::{Tree, lock};
use crate::admission::{Below, BelowError};
use crate::record::Entry;

/// How many threads read bundles: enough for a round trip of 10 ms to cost nothing at 100,000
/// entries a second.
pub(super) const READERS: usize = 8;

/// How many bundles are on their way, each of 16 MiB at most and mostly of 100 KiB.
const BUNDLES_AHEAD: u64 = 2 * READERS as u64;

/// How many bundles are kept for looking back.
const BUNDLES_KEPT: usize = 64;

/// How many entries a bundle has: 2^8.
const BUNDLE_HEIGHT: u32 = 8;

type Bundle = Arc<Vec<Bytes>>;
type Read = (u64, Result<Bundle, Fault>);

/// Calls `take` with the entries `from..to` of a tree, in order.
pub(super) fn with_entries<R>(
    tree: &Tree<'_>,
    looked: &LookedBack<'_>,
    (from, to): (u64, u64),
    take: impl FnOnce(&mut Entries<'_>) -> R,
) -> R {
    let (ask, asked) = bounded::<u64>(READERS * 2);
    let (answer, answers) = bounded::<Read>(READERS * 2);
    thread::scope(|scope| {
        for _ in 0..READERS {
            let (asked, answer) = (asked.clone(), answer.clone());
            scope.spawn(move || {
                for bundle in asked {
                    let read = tree.bundle(bundle).map(Arc::new);
                    if answer.send((bundle, read)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((asked, answer));
        let first = from >> BUNDLE_HEIGHT;
        let mut entries = Entries {
            looked,
            ask,
            answers,
            next_asked: first,
            next_bundle: first,
            out_of_turn: BTreeMap::new(),
            bundle: Arc::default(),
            next: from,
            end: to,
            is_over: false,
        };
        let taken = take(&mut entries);
        // Has the threads end, which the scope waits for.
        drop(entries);
        taken
    })
}

/// Entries in order, read ahead.
pub(super) struct Entries<'a> {
    looked: &'a LookedBack<'a>,
    ask: Sender<u64>,
    answers: Receiver<Read>,
    next_asked: u64,
    next_bundle: u64,
    out_of_turn: BTreeMap<u64, Result<Bundle, Fault>>,
    /// The bundle before `next_bundle`.
    bundle: Bundle,
    next: u64,
    end: u64,
    is_over: bool,
}

impl Entries<'_> {
    /// Reads on to the next bundle; none if the readers are gone.
    fn turn(&mut self) -> Option<Result<(), Fault>> {
        let last = self.end.saturating_sub(1) >> BUNDLE_HEIGHT;
        while self.next_asked <= last && self.next_asked < self.next_bundle + BUNDLES_AHEAD {
            self.ask.send(self.next_asked).ok()?;
            self.next_asked += 1;
        }
        loop {
            if let Some(read) = self.out_of_turn.remove(&self.next_bundle) {
                return Some(read.map(|bundle| {
                    self.looked.keep(self.next_bundle, &bundle);
                    self.bundle = bundle;
                    self.next_bundle += 1;
                }));
            }
            let (index, read) = self.answers.recv().ok()?;
            self.out_of_turn.insert(index, read);
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Bytes, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over || self.next >= self.end {
            return None;
        }
        if self.next >> BUNDLE_HEIGHT >= self.next_bundle
            && let Err(fault) = self.turn()?
        {
            self.is_over = true;
            return Some(Err(fault));
        }
        let place = usize::from(self.next.to_be_bytes()[7]);
        let entry = self.bundle.get(place)?.clone();
        self.next += 1;
        Some(Ok(entry))
    }
}

/// Entries of a tree, wherever admission looks back. Keeps the bundles that it or the reading of
/// all entries read last.
pub(super) struct LookedBack<'a> {
    tree: &'a Tree<'a>,
    kept: Mutex<VecDeque<(u64, Bundle)>>,
}

impl<'a> LookedBack<'a> {
    pub fn at(tree: &'a Tree<'a>) -> Self {
        Self {
            tree,
            kept: Mutex::default(),
        }
    }

    fn keep(&self, index: u64, bundle: &Bundle) {
        let mut kept = lock(&self.kept);
        kept.truncate(BUNDLES_KEPT - 1);
        kept.push_front((index, Arc::clone(bundle)));
    }

    /// The bytes of the entry at `index`.
    pub fn leaf(&self, index: u64) -> Result<Bytes, Fault> {
        let number = index >> BUNDLE_HEIGHT;
        let kept = lock(&self.kept)
            .iter()
            .find(|(kept, _)| *kept == number)
            .map(|(_, bundle)| Arc::clone(bundle));
        let bundle = if let Some(bundle) = kept {
            bundle
        } else {
            let bundle = Arc::new(self.tree.bundle(number)?);
            self.keep(number, &bundle);
            bundle
        };
        let place = usize::from(index.to_be_bytes()[7]);
        bundle.get(place).cloned().ok_or(Fault::Beyond {
            index,
            size: self.tree.size(),
        })
    }
}

impl Below for LookedBack<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let leaf = self.leaf(index);
        let leaf = leaf.map_err(|fault| BelowError(fault.to_string()))?;
        let entry = Entry::decode(index, leaf);
        let entry = entry.map_err(|error| BelowError(format!("entry {index}: {error}")))?;
        Ok(Arc::new(entry))
    }
}
