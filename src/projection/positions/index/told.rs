//! What the index makes of a statement under a pair, as long as nobody says which number the
//! speaker has there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::Item;
use crate::position::{Authority, Bases};
use crate::projection::positions::hearing::{Coder, Coders, Given, Heard, Hearing};
use crate::projection::positions::history::{Change, Changed};
use crate::projection::positions::question::testimony;
use crate::projection::positions::reading::Reading;
use crate::projection::positions::terms::Choice;
use crate::projection::positions::verifiers::{Number, Trust};
use crate::record::Slug;

/// A statement to which nothing was done but that it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Told {
    /// The entry that recorded it.
    pub(super) statement: u64,
    /// Who signed it.
    pub(super) signers: Vec<Number>,
    /// Whether it is the same utterance as another.
    pub(super) is_tied: bool,
    /// Its testimonies.
    pub(super) testimonies: Vec<Forms>,
}

/// The forms of a testimony.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Forms {
    /// Whose word it is, if somebody's word may count.
    pub(super) speaker: Option<Slug>,
    /// Without the speaker's number.
    pub(super) items: Vec<Item>,
}

impl Told {
    /// What a statement is told as that was just recorded: of what was done to it, that alone.
    pub(in super::super) fn of(statement: u64, recorded: Change) -> Self {
        Self {
            statement,
            signers: recorded.signers().to_vec(),
            is_tied: is_tied(&recorded),
            testimonies: match recorded.readings() {
                [reading] => alone(statement, &recorded, reading).into_iter().collect(),
                _ => testimonies(statement, &Changed::from([(statement, recorded)]), u64::MAX),
            },
        }
    }
}

/// As [`testimonies`], of what was just recorded with a single reading, as nearly everything is.
fn alone(statement: u64, recorded: &Change, reading: &Reading) -> Option<Forms> {
    let heard = Heard::as_recorded(statement, recorded)?;
    let given = Given {
        entry: statement,
        reading,
        coders: BTreeSet::from([Coder::Attestor]),
    };
    forms(statement, &heard, &reading.holder, &[given], statement)
}

/// Whether it says of a statement that it is the same utterance as another.
pub(super) fn is_tied(change: &Change) -> bool {
    let version = change.version();
    version.is_some_and(|it| !it.said.same.is_empty())
}

/// The testimonies that a statement comes to by what entries did to it below K, with every
/// signature trusted.
pub(super) fn testimonies(statement: u64, changed: &Changed, known_at: u64) -> Vec<Forms> {
    let hearing = Hearing {
        changed,
        trust: &Trust::default(),
        known_at,
    };
    let Some(heard) = hearing.heard().filter(|_| hearing.bears()) else {
        return Vec::new();
    };
    let coders = Coders {
        choice: Choice::Most,
        never: &BTreeSet::new(),
    };
    let changed_by = changed.range(..known_at).next_back();
    let changed_by = changed_by.map_or(statement, |(entry, _)| *entry);
    let readings = hearing.readings(&heard, &coders).into_iter();
    let forms =
        readings.filter_map(|(holder, given)| forms(statement, &heard, holder, &given, changed_by));
    forms.collect()
}

/// The forms of what is read for a holder.
fn forms(
    statement: u64,
    heard: &Heard<'_>,
    holder: &Slug,
    given: &[Given<'_>],
    changed_by: u64,
) -> Option<Forms> {
    // Of whom nothing is known but that they may speak: see `Kind`.
    let authority = Authority::None;
    let own = Bases::OWN_WORDS;
    let testimony = testimony(statement, heard, holder, authority, given, own)?;
    let items = Item::of(&testimony, None, changed_by);
    let may_count = testimony.is_admissible();
    Some(Forms {
        speaker: testimony.speaker.filter(|_| may_count),
        items,
    })
}
