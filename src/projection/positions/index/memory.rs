//! What was done to pairs since their newest seals, remembered by whoever folds entries one
//! after another, so that a seal need not read it again.
//!
//! A statement as it was recorded is remembered by what the index makes of it; one to which
//! something was done later, or whose readings do not all bear on the same pairs, by name, and is
//! read. A pair is remembered whole or not at all: what was forgotten, or was done before the
//! memory began, is read as if there were no memory.

use std::collections::{BTreeMap, HashMap};

use super::told::Told;
use crate::fold::{Changes, FoldError};
use crate::projection::positions::TALLIES;
use crate::projection::positions::history::Tally;

/// How many bytes are remembered at most; a pair for which there is no room is forgotten. A
/// statement takes some 45 under each of its pairs: there is room for 700,000.
const BYTES_MAX: usize = 32 << 20;

/// What a pair takes besides: its key, its place in the map, and what its list has in reserve.
const PAIR_BYTES: usize = 200;

/// What a statement takes that was remembered by name: two numbers, and their place in a tree.
const NAME_BYTES: usize = 32;

/// What was done to pairs since their newest seals. See the module.
#[derive(Debug, Default)]
pub struct Memory {
    /// By the key of a pair's tally.
    pairs: HashMap<Vec<u8>, Since>,
    /// What they take.
    bytes: usize,
}

/// What was done to a pair since its newest seal.
#[derive(Debug, Default)]
struct Since {
    /// Its tally after the last of them: as many as that counts are remembered.
    tally: Tally,
    /// The statements that were recorded, in order, as they are [`Told`].
    recorded: Vec<u8>,
    /// The statements that are to be read, each with the last entry that did something to it.
    unread: BTreeMap<u64, u64>,
}

/// What an entry did to the pairs that it changes the tallies of.
#[derive(Debug)]
pub(in super::super) enum Done {
    /// It recorded a statement that stands alike under each of them.
    Recorded(Told),
    /// Something else, to this statement.
    Changed { statement: u64, entry: u64 },
}

/// What was done to a pair since its newest seal, by statement.
pub(super) type Remembered = BTreeMap<u64, Known>;

/// What is remembered of a statement.
#[derive(Debug)]
pub(super) enum Known {
    /// All.
    Told(Told),
    /// It is to be read, up to this entry.
    Until(u64),
}

/// As [`Done`], on the way into a list.
struct Noted {
    statement: u64,
    /// What it is [`Told`] as, or nothing if it is to be read.
    told: Vec<u8>,
    /// The entry that did it.
    entry: u64,
}

impl Memory {
    /// Remembers what an entry did whose `changes` these are, with the seals before it.
    pub(in super::super) fn note(
        &mut self,
        done: &Done,
        changes: &Changes,
    ) -> Result<(), FoldError> {
        let noted = match done {
            Done::Recorded(told) => Noted {
                statement: told.statement,
                told: TALLIES.encode(told)?,
                entry: told.statement,
            },
            Done::Changed { statement, entry } => Noted {
                statement: *statement,
                told: Vec::new(),
                entry: *entry,
            },
        };
        for (key, tally) in super::counted(changes) {
            self.note_under(key, &tally?, &noted);
        }
        Ok(())
    }

    /// Remembers what an entry did to the pair with this tally after it.
    fn note_under(&mut self, key: &[u8], tally: &Tally, noted: &Noted) {
        let is_first = tally.entries == 1;
        let Some(since) = self.pairs.get_mut(key) else {
            let since = Since::first(*tally, noted);
            let bytes = since.bytes() + key.len() + PAIR_BYTES;
            if is_first && !tally.closed && self.bytes + bytes <= BYTES_MAX {
                self.bytes += bytes;
                self.pairs.insert(key.to_vec(), since);
            }
            return;
        };
        self.bytes -= since.bytes();
        let is_next = since.tally.entries.checked_add(1) == Some(tally.entries);
        if is_next {
            since.tally = *tally;
            since.add(noted);
        } else if is_first {
            *since = Since::first(*tally, noted);
        }
        let bytes = self.bytes + since.bytes();
        if tally.closed || !(is_next || is_first) || bytes > BYTES_MAX {
            self.bytes -= key.len() + PAIR_BYTES;
            self.pairs.remove(key);
        } else {
            self.bytes = bytes;
        }
    }

    /// The tally of the pair whose tally has this key, if the pair is remembered.
    pub(in super::super) fn tally(&self, key: &[u8]) -> Option<Tally> {
        self.pairs.get(key).map(|since| since.tally)
    }

    /// What so many entries did to the pair whose tally has this key, if all of that is
    /// remembered.
    pub(super) fn of(&self, key: &[u8], entries: u64) -> Result<Option<Remembered>, FoldError> {
        let since = self.pairs.get(key);
        let Some(since) = since.filter(|since| since.tally.entries == entries) else {
            return Ok(None);
        };
        let mut remembered = Remembered::new();
        let mut rest = &since.recorded[..];
        while !rest.is_empty() {
            let told: (Told, _) = postcard::take_from_bytes(rest).map_err(|_| TALLIES.damaged())?;
            rest = told.1;
            remembered.insert(told.0.statement, Known::Told(told.0));
        }
        let unread = since.unread.iter();
        remembered.extend(unread.map(|(statement, last)| (*statement, Known::Until(*last))));
        Ok(Some(remembered))
    }
}

impl Since {
    /// What the first entry did.
    fn first(tally: Tally, noted: &Noted) -> Self {
        let mut since = Self {
            tally,
            ..Self::default()
        };
        since.add(noted);
        since
    }

    /// Adds what an entry did.
    fn add(&mut self, noted: &Noted) {
        self.recorded.extend_from_slice(&noted.told);
        if noted.told.is_empty() {
            self.unread.insert(noted.statement, noted.entry);
        }
    }

    /// What it takes, without what every pair takes.
    fn bytes(&self) -> usize {
        self.recorded.len() + self.unread.len() * NAME_BYTES
    }
}
