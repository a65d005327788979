//! How a pair stands at an entry: the trees of the newest seal, with what has come and gone
//! since they were written.
//!
//! A seal is written once and holds for ever. From one to the next, and from the last to a
//! question's K, only what entries in between did to the pair is looked at: the statements that
//! they introduced, and those that they came late to.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::copies::{self, Place};
use super::item::{Item, Sort};
use super::memory::{Known, Remembered};
use super::told::{Forms, is_tied, testimonies};
use super::tree::{Child, Pages, Press};
use crate::fold::{FoldError, Tables};
use crate::position::Newness;
use crate::projection::positions::history::{Change, Changed, Pair, Step, Tally, heard_of, parse};
use crate::projection::positions::verifiers::{Number, Trust};
use crate::projection::positions::{HEARD, LATE, SEALS, TALLIES};
use crate::projection::rows::{Key, Parts};
use crate::record::Slug;

/// How many speakers are told apart: as many as a page has bits for.
pub(super) const SPEAKERS_MAX: usize = 64;

/// How many verifiers are told apart. Where more have signed, any may have.
const SIGNERS_MAX: usize = 64;

/// Of a statement to which more entries did something, no copies are made: so that the thousandth
/// is not a copy of all that came before.
const COPIED_ENTRIES_MAX: usize = 4;

/// How a pair stands. See the module.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The entries below this one are counted in.
    pub(super) at: u64,
    /// Items in the order of age.
    pub(super) by_age: Option<Child>,
    /// The same in the order of their beginnings.
    pub(super) by_beginning: Option<Child>,
    /// Those alone that lists go looking for, sort by sort, each in the order of age.
    pub(super) listed: BTreeMap<Sort, Child>,
    /// What stands beside the trees.
    pub(super) come: BTreeMap<Newness, Item>,
    /// What no longer stands, although it is in the trees.
    pub(super) gone: BTreeMap<Newness, Item>,
    /// Who has spoken for the actor, in the order in which they came.
    pub(super) speakers: Vec<Slug>,
    /// Who has signed anything.
    signers: BTreeSet<Number>,
    /// Whether the index does not answer for the pair from here on.
    pub(super) closed: bool,
    /// What was read since the seal of statements that lists go looking for: of it there are no
    /// copies yet.
    pub(super) fresh: BTreeMap<Place, Changed>,
}

/// A state as it stands in a row, whose key has the entry.
#[derive(Serialize, Deserialize)]
struct Seal {
    by_age: Option<Child>,
    by_beginning: Option<Child>,
    listed: BTreeMap<Sort, Child>,
    come: Vec<Item>,
    gone: Vec<Item>,
    speakers: Vec<Slug>,
    signers: BTreeSet<Number>,
    closed: bool,
}

impl State {
    /// As the newest seal has it whose entries are all known at K.
    pub(super) fn sealed(
        tables: &dyn Tables,
        pair: &Pair,
        known_at: u64,
    ) -> Result<Option<Self>, FoldError> {
        let prefix = SEALS.key().slug(&pair.actor).slug(&pair.topic);
        let mut seals = SEALS.below::<Seal>(tables, &prefix, known_at.saturating_add(1));
        let Some(row) = seals.next() else {
            return Ok(None);
        };
        let (key, seal) = row?;
        Ok(Some(Self::of(Parts::new(SEALS, &key).index()?, seal)))
    }

    /// As the seal at an entry has it.
    fn of(at: u64, seal: Seal) -> Self {
        let by_place = |items: Vec<Item>| items.into_iter().map(|it| (it.newness, it)).collect();
        Self {
            at,
            by_age: seal.by_age,
            by_beginning: seal.by_beginning,
            listed: seal.listed,
            come: by_place(seal.come),
            gone: by_place(seal.gone),
            speakers: seal.speakers,
            signers: seal.signers,
            closed: seal.closed,
            fresh: BTreeMap::new(),
        }
    }

    /// Counts in what entries did up to `known_at`.
    pub(super) fn advance(
        &mut self,
        tables: &dyn Tables,
        pair: &Pair,
        known_at: u64,
    ) -> Result<(), FoldError> {
        for (statement, changed) in touched(tables, pair, self.at, known_at)? {
            self.count(statement, &changed, known_at);
        }
        self.at = known_at;
        Ok(())
    }

    /// As [`advance`](Self::advance), by what is remembered of what they did.
    fn advance_by(
        &mut self,
        remembered: Remembered,
        tables: &dyn Tables,
        pair: &Pair,
        known_at: u64,
    ) -> Result<(), FoldError> {
        for (statement, known) in remembered {
            let told = match known {
                Known::Told(told) => told,
                Known::Until(newest) => {
                    let changed = heard_of(tables, pair, statement, newest)?;
                    self.count(statement, &changed, known_at);
                    continue;
                }
            };
            self.note(&told.signers, told.is_tied);
            let items = self.numbered(told.testimonies);
            if items.iter().any(Item::is_listed) {
                let changed = heard_of(tables, pair, statement, statement)?;
                self.show(&items, &changed);
            }
            self.replace(&[], items);
        }
        self.at = known_at;
        Ok(())
    }

    /// Counts in what was done below `known_at` to a statement.
    fn count(&mut self, statement: u64, changed: &Changed, known_at: u64) {
        for change in changed.values() {
            let attested: &[Number] = match change {
                Change::Attested { verifiers, .. } => verifiers,
                _ => &[],
            };
            self.note(change.signers(), is_tied(change));
            self.note(attested, false);
        }
        let before = if statement < self.at {
            self.numbered(testimonies(statement, changed, self.at))
        } else {
            Vec::new()
        };
        let after = self.numbered(testimonies(statement, changed, known_at));
        self.show(&after, changed);
        self.replace(&before, after);
    }

    /// Keeps what was done to a statement that lists go looking for.
    fn show(&mut self, items: &[Item], changed: &Changed) {
        if changed.len() <= COPIED_ENTRIES_MAX {
            for item in items.iter().filter(|it| it.is_listed()) {
                self.fresh.insert(Place::of(item), changed.clone());
            }
        }
    }

    /// Puts some items in the place of others.
    fn replace(&mut self, before: &[Item], after: Vec<Item>) {
        for item in before.iter().filter(|it| !after.contains(it)) {
            if self.come.remove(&item.newness).is_none() {
                self.gone.insert(item.newness, item.clone());
            }
        }
        for item in after.into_iter().filter(|it| !before.contains(it)) {
            if self.gone.get(&item.newness) == Some(&item) {
                self.gone.remove(&item.newness);
            } else {
                self.come.insert(item.newness, item);
            }
        }
    }

    /// Notes who signed, and whether there is something that the index does not follow.
    fn note(&mut self, signers: &[Number], is_tied: bool) {
        for verifier in signers {
            if self.signers.len() <= SIGNERS_MAX {
                self.signers.insert(*verifier);
            }
        }
        self.closed |= is_tied;
    }

    /// The items of testimonies, with the numbers that their speakers have here.
    fn numbered(&mut self, testimonies: Vec<Forms>) -> Vec<Item> {
        let mut items = Vec::with_capacity(testimonies.len());
        for Forms {
            speaker,
            items: forms,
        } in testimonies
        {
            let speaker = speaker.and_then(|it| self.number(&it));
            items.extend(forms.into_iter().map(|item| Item { speaker, ..item }));
        }
        items
    }

    /// The number of a speaker. None is left after [`SPEAKERS_MAX`].
    fn number(&mut self, speaker: &Slug) -> Option<u8> {
        let known = self.speakers.iter().position(|it| it == speaker);
        let number = known.unwrap_or(self.speakers.len());
        if number >= SPEAKERS_MAX {
            self.closed = true;
            return None;
        }
        if known.is_none() {
            self.speakers.push(speaker.clone());
        }
        u8::try_from(number).ok()
    }

    /// Whether somebody whose signatures do not all count has signed anything.
    pub(super) fn is_doubted(&self, trust: &Trust) -> bool {
        let mut doubted = trust.doubted();
        doubted.any(|it| self.signers.len() > SIGNERS_MAX || self.signers.contains(&it))
    }

    /// Writes a seal, and before it, once enough has come and gone, the trees.
    fn seal(
        mut self,
        pair: &Pair,
        press: &mut Press<'_>,
        pages: &mut Pages<'_>,
    ) -> Result<(), FoldError> {
        if self.come.len() + self.gone.len() > press.shape.loose_items_max {
            self.write_trees(press, pages)?;
        }
        copies::keep(pair, &self.fresh, press.changes)?;
        let seal = Seal {
            by_age: self.by_age,
            by_beginning: self.by_beginning,
            listed: self.listed,
            come: self.come.into_values().collect(),
            gone: self.gone.into_values().collect(),
            speakers: self.speakers,
            signers: self.signers,
            closed: self.closed,
        };
        let seals = &mut *press.changes;
        seals.insert(key(pair, self.at).into_bytes(), Some(SEALS.encode(&seal)?));
        // The entry at hand is the first after the seal.
        let tally = Tally {
            entries: 1,
            sealed: Some(self.at),
            closed: self.closed,
        };
        let key = Tally::key(pair).into_bytes();
        seals.insert(key, Some(TALLIES.encode(&tally)?));
        Ok(())
    }

    fn write_trees(
        &mut self,
        press: &mut Press<'_>,
        pages: &mut Pages<'_>,
    ) -> Result<(), FoldError> {
        let gone = std::mem::take(&mut self.gone).into_values();
        let come = std::mem::take(&mut self.come).into_values();
        let edits = gone.map(|it| (it, false)).chain(come.map(|it| (it, true)));
        let (mut ages, mut beginnings) = (BTreeMap::new(), BTreeMap::new());
        let mut listed: BTreeMap<Sort, BTreeMap<_, _>> = BTreeMap::new();
        for (item, stands) in edits {
            if let Some(beginning) = item.beginning() {
                beginnings.insert(beginning.newness, stands.then_some(beginning));
            }
            if item.is_listed() {
                let listed = listed.entry(item.sort()).or_default();
                listed.insert(item.newness, stands.then(|| item.clone()));
            }
            ages.insert(item.newness, stands.then_some(item));
        }
        let ages: Vec<_> = ages.into_iter().collect();
        let beginnings: Vec<_> = beginnings.into_iter().collect();
        self.by_age = press.revise(pages, self.by_age.as_ref(), &ages)?;
        self.by_beginning = press.revise(pages, self.by_beginning.as_ref(), &beginnings)?;
        for (sort, edits) in listed {
            let edits: Vec<_> = edits.into_iter().collect();
            let tree = self.listed.remove(&sort);
            if let Some(tree) = press.revise(pages, tree.as_ref(), &edits)? {
                self.listed.insert(sort, tree);
            }
        }
        Ok(())
    }
}

/// Seals a pair before an entry that does something to it, after the seal at entry `sealed`, by
/// what is remembered of what was done since, if it is.
pub(super) fn seal(
    tables: &dyn Tables,
    pair: &Pair,
    sealed: Option<u64>,
    remembered: Option<Remembered>,
    press: &mut Press<'_>,
) -> Result<(), FoldError> {
    let mut state = match sealed {
        Some(at) => {
            let seal: Option<Seal> = SEALS.get(tables, &key(pair, at))?;
            State::of(at, seal.ok_or_else(|| SEALS.damaged())?)
        }
        None => State::default(),
    };
    match remembered {
        Some(remembered) => state.advance_by(remembered, tables, pair, press.entry)?,
        None => state.advance(tables, pair, press.entry)?,
    }
    state.seal(pair, press, &mut Pages::new(tables))
}

/// The key of the seal at an entry.
fn key(pair: &Pair, at: u64) -> Key {
    SEALS.key().slug(&pair.actor).slug(&pair.topic).index(at)
}

/// What was done below `known_at` to each statement to which entries from `since` on did
/// something.
fn touched(
    tables: &dyn Tables,
    pair: &Pair,
    since: u64,
    known_at: u64,
) -> Result<BTreeMap<u64, Changed>, FoldError> {
    let mut touched: BTreeMap<u64, Changed> = BTreeMap::new();
    let prefix = Pair::key(&pair.actor, &pair.topic);
    for row in HEARD.scan_from::<Step<'static>>(tables, &prefix, since) {
        let (key, step) = row?;
        let (statement, entry) = parse(&key)?;
        if statement >= known_at {
            break;
        }
        if entry < known_at {
            let changed = touched.entry(statement).or_default();
            changed.insert(entry, step.into_change());
        }
    }
    let mut late: BTreeMap<u64, u64> = BTreeMap::new();
    for row in LATE.scan_from::<u64>(tables, &pair.late(), since) {
        let (key, statement) = row?;
        let entry = Parts::new(LATE, &key).index()?;
        if entry >= known_at {
            break;
        }
        late.insert(statement, entry);
    }
    for (statement, newest) in late {
        if let Entry::Vacant(place) = touched.entry(statement) {
            place.insert(heard_of(tables, pair, statement, newest)?);
        }
    }
    Ok(touched)
}
