//! An index of what bears on a pair of actor and topic, by which a position is answered from a
//! few statements, however many there are.
//!
//! The invariant: what the index picks, handed to [`crate::position`], gives the very answer
//! that everything gives. It is written for the archive's own terms alone, and only ever told
//! of by the fold: nothing here decides what a position is.
//!
//! - **Items** (`item.rs`) say of a testimony when it stands and what it counts as.
//! - **Trees** (`tree.rs`) hold them twice, by age and by beginning, and what the lists of an
//!   answer go looking for once more, sort by sort. They keep every version of themselves, so that a
//!   question at an early K is as fast as one at a late K.
//! - **Seals** (`state.rs`) name the trees as they were at an entry, with the few items that
//!   have come and gone since they were written. Between seals, a question works out from the
//!   rows themselves what was done up to its K.
//! - **The memory** (`memory.rs`) of whoever folds has what was done since the seals, as it is
//!   told (`told.rs`), so that a seal need not work that out from the rows.
//! - **Searches** (`search.rs`) find what a position is made of, and count the rest.
//! - **Picks** (`pick.rs`) are the statements that are then read whole; those that lists show,
//!   from copies that lie side by side (`copies.rs`).
//!
//! # Bounds
//!
//! A pair is sealed before one entry in `one_in` of those that do something to it, once
//! `entries_min` of them have come since the last seal, so that a question reads some 80 rows
//! beside the trees. One seal writes anew at most the pages that `loose_items_max`
//! items, and those of one more stretch, fall into.
//!
//! An answer reads as many statements as it shows, and beside them: the front; each voice's
//! own front; and the candidates between the last break of the unbroken run and the first that
//! takes the same stance as the position and clears the front of any other. So it grows with
//! the statements whose dates are too vague to tell which is the newest, and with those of
//! another stance that are overruled without a break; never with how long a stance is held.
//!
//! # Where everything is read instead
//!
//! - on a reader's own terms, and for several actors at once;
//! - before the pair's first seal;
//! - where a statement of the pair is the same utterance as another, and where more speakers
//!   than `SPEAKERS_MAX` have spoken for the actor: from there on;
//! - where signatures of a verifier who has signed anything on the pair do not count;
//! - where a speaker has a mandate of mere affiliation with the actor.

mod copies;
mod item;
mod memory;
mod pick;
mod search;
mod state;
#[cfg(test)]
mod tests;
mod told;
mod tree;

pub(super) use memory::Done;
pub use memory::Memory;
pub use pick::Exact;
pub(super) use pick::pick;
pub(super) use told::Told;

use super::TALLIES;
use super::history::{Pair, Tally};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::rows::Parts;
use crate::record::Entry;
use tree::Press;

/// How large the parts of an index are. Equal ledgers give equal tables by the same shape only.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// A pair is sealed before one in so many entries.
    pub(super) one_in: u64,
    /// And only if so many entries have come since the last seal.
    pub(super) entries_min: u64,
    /// A seal that would name more items beside the trees writes the trees anew.
    pub(super) loose_items_max: usize,
    /// The most items in a page.
    pub(super) leaf_items_max: usize,
    /// The most pages that a page names.
    pub(super) inner_pages_max: usize,
}

impl Shape {
    /// As the daemon has it. An item takes some 40 bytes and what is told of a page 60, so that
    /// pages take 1 to 2 KB, and a seal at most 15 KB and what one more stretch brings.
    pub const STANDARD: Self = Self {
        one_in: 16,
        entries_min: 64,
        loose_items_max: 256,
        leaf_items_max: 32,
        inner_pages_max: 24,
    };

    /// Everything is sealed as soon as may be, into the smallest pages that trees can have, so
    /// that short histories fill many of them.
    pub const SMALLEST: Self = Self {
        one_in: 1,
        entries_min: 2,
        loose_items_max: 2,
        leaf_items_max: 2,
        inner_pages_max: 2,
    };

    /// For tests of everything else.
    #[cfg(test)]
    pub(super) const NEVER: Self = Self {
        entries_min: u64::MAX,
        ..Self::STANDARD
    };

    /// Whether pairs may be sealed before an entry. Which ones, follows from the index alone,
    /// so that no writer chooses, and evenly, whatever the pace at which a pair's entries come:
    /// multiples of the golden section lie so within the circle.
    const fn chooses(&self, entry: u64) -> bool {
        entry.wrapping_mul(0x9e37_79b9_7f4a_7c15) <= u64::MAX / self.one_in
    }
}

/// Seals, before `entry`, those pairs to which its `changes` do something and for which it is
/// time.
pub(super) fn seal(
    memory: &Memory,
    tables: &dyn Tables,
    entry: &Entry,
    shape: &Shape,
    changes: &mut Changes,
) -> Result<(), FoldError> {
    if !shape.chooses(entry.index) {
        return Ok(());
    }
    let mut due = Vec::new();
    for (key, tally) in counted(changes) {
        let tally = tally?;
        // The entry at hand is counted.
        if tally.entries > shape.entries_min {
            let remembered = memory.of(key, tally.entries - 1)?;
            let mut key = Parts::new(TALLIES, key.get(1..).unwrap_or_default());
            let (actor, topic) = (key.slug()?, key.slug()?);
            due.push((Pair { actor, topic }, tally.sealed, remembered));
        }
    }
    let mut press = Press {
        entry: entry.index,
        shape,
        count: 0,
        changes,
    };
    for (pair, sealed, remembered) in due {
        state::seal(tables, &pair, sealed, remembered, &mut press)?;
    }
    Ok(())
}

/// The tallies that are changed, with their keys.
fn counted(changes: &Changes) -> impl Iterator<Item = (&[u8], Result<Tally, FoldError>)> {
    let counted = changes.starting_at(TALLIES.key().as_bytes());
    let counted = counted.take_while(|(key, _)| key.first() == Some(&TALLIES.byte));
    counted.map(|(key, tally)| {
        let tally = TALLIES.decode(tally.unwrap_or_default());
        (key, tally)
    })
}
