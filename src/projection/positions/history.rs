//! What entries do to a statement, and where that is kept: under every actor and topic that some
//! reading of it bears on, with the readings that bear on both. Only a statement that bears on
//! nothing yet has rows of its own.
//!
//! Rows are written once. Each says how far below it the one before lies, so that a history is
//! read from its newest row down, one row after another, wherever they lie among those of other
//! statements. A statement that comes to bear on an actor and topic only later, by a coder's
//! reading or a correction, has its history up to then copied there. What comes to a statement
//! after the entry that introduced it is late, and noted under the pair by entry, so that all that
//! was done to a pair between two entries can be found.
//!
//! To add to a history takes what the statement was recorded as, the pairs that it bears on, and
//! which entry was the last, and never the entries in between, so that the thousandth piece of
//! evidence costs what the first does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Memory;
use super::reading::Reading;
use super::sources::When;
use super::touched;
use super::verifiers::Number;
use super::{HEARD, LATE, LATEST, TALLIES, TOPICS, UNREAD};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::rows::{Key, Parts, Table};
use crate::record::{ContentId, Slug};

/// What the rules ask of a statement, whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Utterance {
    pub(super) speaker: Option<Slug>,
    pub(super) said_for: Vec<Slug>,
    pub(super) relayed_by: Option<Slug>,
    pub(super) said_at: When,
    pub(super) repeated_until: Option<When>,
    /// A number of `Wording`.
    pub(super) wording: i32,
    /// The numbers of the sources of its words.
    pub(super) sources: Vec<u64>,
    /// The statements that are the same utterance, by the entries that introduced them.
    pub(super) same: Vec<u64>,
    /// The statements that it qualifies, withdraws or denies: a number of `ReferenceKind`, and
    /// the entry that introduced the other statement.
    pub(super) about: Vec<(i32, u64)>,
}

/// A statement as one entry gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// The verifiers who signed the entry.
    pub(super) signers: Vec<Number>,
    pub(super) said: Utterance,
    /// The readings that the version brings, in its order.
    pub(super) readings: Vec<Reading>,
}

/// What an entry does to a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    /// It is recorded. So many verifiers had to sign it.
    Recorded {
        id: ContentId,
        attestations_min: u32,
        version: Version,
    },
    /// It is corrected.
    Corrected(Version),
    /// It is retracted by these verifiers.
    Retracted { signers: Vec<Number> },
    /// These verifiers sign what another entry did to it.
    Attested { entry: u64, verifiers: Vec<Number> },
    /// Its words are quoted from further sources.
    Evidenced {
        signers: Vec<Number>,
        sources: Vec<u64>,
    },
    /// Coders read it.
    Read {
        coders: Vec<Number>,
        reading: Reading,
    },
    /// Coders read it as what does not bear on the pair under which this is kept.
    ReadElsewhere,
}

/// A row: what an entry did to a statement.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Step<'a> {
    /// How far the entry lies above that of the row before; 0 in the first row.
    since: u64,
    change: Cow<'a, Change>,
}

impl Step<'static> {
    pub(super) fn into_change(self) -> Change {
        self.change.into_owned()
    }
}

/// Which entry did something to a statement last.
#[derive(Debug, Serialize, Deserialize)]
struct Latest<'a> {
    entry: u64,
    /// The pairs that the statement bears on, or once did, in order; empty if they are those that
    /// it bore on at first.
    bearing: Cow<'a, [Pair]>,
}

impl Change {
    /// The statement as this gives it, if it does.
    pub(super) const fn version(&self) -> Option<&Version> {
        match self {
            Self::Recorded { version, .. } | Self::Corrected(version) => Some(version),
            _ => None,
        }
    }

    /// The verifiers who signed the entry; nobody for one that only brings signatures.
    pub(super) fn signers(&self) -> &[Number] {
        match self {
            Self::Recorded { version, .. } | Self::Corrected(version) => &version.signers,
            Self::Retracted { signers } | Self::Evidenced { signers, .. } => signers,
            Self::Read { coders, .. } => coders,
            Self::Attested { .. } | Self::ReadElsewhere => &[],
        }
    }

    /// The readings that it brings.
    pub(super) fn readings(&self) -> &[Reading] {
        match self {
            Self::Recorded { version, .. } | Self::Corrected(version) => &version.readings,
            Self::Read { reading, .. } => std::slice::from_ref(reading),
            _ => &[],
        }
    }

    /// Puts together what one entry did, as it stands under two actors.
    pub(super) fn join(&mut self, other: &Self) {
        if *self == Self::ReadElsewhere {
            *self = other.clone();
        } else if let Self::Recorded { version, .. } | Self::Corrected(version) = self {
            version.readings.extend(other.readings().iter().cloned());
            version.readings.sort_by_key(|reading| reading.place);
            version.readings.dedup_by_key(|reading| reading.place);
        }
    }

    /// What of it stands under a pair: its readings as far as they bear on it.
    fn under(&self, pair: &Pair, said: &Utterance) -> Self {
        let mut change = self.clone();
        match &mut change {
            Self::Recorded { version, .. } | Self::Corrected(version) => {
                version.readings.retain(|reading| pair.bears(reading, said));
            }
            _ => change = Self::ReadElsewhere,
        }
        change
    }
}

/// An actor and a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// The actor.
    pub actor: Slug,
    /// The topic.
    pub topic: Slug,
}

impl Pair {
    /// The key that all rows of the pair begin with.
    pub(super) fn key(actor: &Slug, topic: &Slug) -> Key {
        HEARD.key().slug(actor).slug(topic)
    }

    /// The key that all rows of what came late to the pair begin with.
    pub(super) fn late(&self) -> Key {
        LATE.key().slug(&self.actor).slug(&self.topic)
    }

    /// Whether all readings that are brought of what was said bear on it.
    fn bears_all(&self, change: &Change, said: &Utterance) -> bool {
        let mut readings = change.readings().iter();
        readings.all(|reading| self.bears(reading, said))
    }

    /// Whether a reading of what was said bears on it: whose stance it is, and if that is the
    /// speaker, whom it was said for.
    fn bears(&self, reading: &Reading, said: &Utterance) -> bool {
        reading.topic == self.topic
            && (reading.holder == self.actor
                || said.speaker.as_ref() == Some(&reading.holder)
                    && said.said_for.contains(&self.actor))
    }
}

/// What entries did to a statement, by entry.
pub(super) type Changed = BTreeMap<u64, Change>;

/// The pairs that readings of what was said bear on, in order.
fn pairs(said: &Utterance, readings: &[Reading]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(readings.len() * (1 + said.said_for.len()));
    for reading in readings {
        let pair = |actor: &Slug| Pair {
            actor: actor.clone(),
            topic: reading.topic.clone(),
        };
        pairs.push(pair(&reading.holder));
        if said.speaker.as_ref() == Some(&reading.holder) {
            pairs.extend(said.said_for.iter().map(pair));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// How much was done to a pair since its newest seal, as long as there may be another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// How many entries did something to it.
    pub(super) entries: u64,
    /// The entry of the newest seal, if there is one.
    pub(super) sealed: Option<u64>,
    /// Whether that says that it is the last.
    pub(super) closed: bool,
}

impl Tally {
    /// Where a pair's stands.
    pub(super) fn key(pair: &Pair) -> Key {
        TALLIES.key().slug(&pair.actor).slug(&pair.topic)
    }
}

/// Where a statement's rows are kept that bears on these pairs: under each of them the same.
fn kept_under(bearing: &[Pair]) -> (Table, Key) {
    match bearing.first() {
        Some(pair) => (HEARD, Pair::key(&pair.actor, &pair.topic)),
        None => (UNREAD, UNREAD.key()),
    }
}

/// The key of what an entry did, after a prefix that the statement's rows share: the
/// statement, and how far the entry lies above it, so that a plain statement's key is short.
fn at(prefix: Key, statement: u64, entry: u64) -> Result<Key, FoldError> {
    let above = entry
        .checked_sub(statement)
        .ok_or_else(|| HEARD.damaged())?;
    let above = HEARD.encode(&above)?;
    Ok(prefix.index(statement).bytes(&above))
}

/// Reads off the rest of a key the statement, and the entry that did something to it.
pub(super) fn parse(rest: &[u8]) -> Result<(u64, u64), FoldError> {
    let mut parts = Parts::new(HEARD, rest);
    let statement = parts.index()?;
    let above: u64 = HEARD.decode(parts.rest())?;
    let entry = statement.checked_add(above);
    Ok((statement, entry.ok_or_else(|| HEARD.damaged())?))
}

/// What entries did to a statement up to that of one of its rows under a pair, with the readings
/// that bear on that.
pub(super) fn heard_of(
    tables: &dyn Tables,
    pair: &Pair,
    statement: u64,
    newest: u64,
) -> Result<Changed, FoldError> {
    let prefix = Pair::key(&pair.actor, &pair.topic);
    history(HEARD, tables, &prefix, (statement, newest))
}

/// All that entries did to a statement, by the pairs under which it is kept.
pub(super) fn whole(tables: &dyn Tables, statement: u64) -> Result<Changed, FoldError> {
    let (Latest { entry: newest, .. }, bearing) = latest(tables, statement)?;
    let (table, prefix) = kept_under(&bearing);
    let mut whole = history(table, tables, &prefix, (statement, newest))?;
    for pair in bearing.iter().skip(1) {
        for (entry, change) in heard_of(tables, pair, statement, newest)? {
            whole.entry(entry).and_modify(|known| known.join(&change));
        }
    }
    Ok(whole)
}

/// Which entry did something to a statement last, and the pairs that it bears on, or once did.
fn latest(tables: &dyn Tables, statement: u64) -> Result<(Latest<'static>, Vec<Pair>), FoldError> {
    let latest: Option<Latest<'static>> = LATEST.get(tables, &LATEST.key().index(statement))?;
    let latest = latest.unwrap_or(Latest {
        entry: statement,
        bearing: Cow::default(),
    });
    let bearing = if latest.bearing.is_empty() {
        touched::at_first(tables, statement)?
    } else {
        latest.bearing.to_vec()
    };
    Ok((latest, bearing))
}

/// What entries did to a statement up to the `newest` of its rows under a prefix.
fn history(
    table: Table,
    tables: &dyn Tables,
    prefix: &Key,
    (statement, newest): (u64, u64),
) -> Result<Changed, FoldError> {
    let mut changed = Changed::new();
    let mut entry = newest;
    loop {
        let key = at(prefix.clone(), statement, entry)?;
        let step: Option<Step<'static>> = table.get(tables, &key)?;
        let step = step.ok_or_else(|| table.damaged())?;
        let before = entry.checked_sub(step.since);
        changed.insert(entry, step.into_change());
        if entry == statement {
            return Ok(changed);
        }
        let before = before.filter(|before| *before < entry);
        entry = before.ok_or_else(|| table.damaged())?;
    }
}

/// A statement's history up to the entry at hand: as much of it as it takes to add to it.
pub(super) struct History<'t> {
    state: &'t dyn Tables,
    /// The entry that introduced it.
    statement: u64,
    /// The entry that did something to it last.
    newest: u64,
    /// The pairs that it bears on, or once did, in order.
    bearing: Vec<Pair>,
    /// Whether it has come to bear on more than at first.
    is_bearing_more: bool,
    /// What it was recorded as; none if the entry at hand records it.
    recorded: Option<Change>,
}

impl<'t> History<'t> {
    /// That of a statement that an entry introduces.
    pub(super) const fn new(state: &'t dyn Tables, statement: u64) -> Self {
        Self {
            state,
            statement,
            newest: statement,
            bearing: Vec::new(),
            is_bearing_more: false,
            recorded: None,
        }
    }

    /// That of the statement that entry `statement` introduced.
    pub(super) fn load(state: &'t dyn Tables, statement: u64) -> Result<Self, FoldError> {
        let (latest, bearing) = latest(state, statement)?;
        let (table, prefix) = kept_under(&bearing);
        let recorded = history(table, state, &prefix, (statement, statement))?;
        Ok(Self {
            state,
            statement,
            newest: latest.entry,
            bearing,
            is_bearing_more: !latest.bearing.is_empty(),
            recorded: recorded.into_values().next(),
        })
    }

    /// Who said it.
    pub(super) fn speaker(&self) -> Option<&Slug> {
        let version = self.recorded.as_ref().and_then(Change::version);
        version.and_then(|it| it.said.speaker.as_ref())
    }

    /// Adds what an entry does; whether all its readings bear on each of the pairs. Speaker and
    /// capacity are those of every version.
    pub(super) fn add(
        mut self,
        entry: u64,
        change: &Change,
        memory: &Memory,
        changes: &mut Changes,
    ) -> Result<bool, FoldError> {
        let version = change
            .version()
            .or(self.recorded.as_ref().and_then(Change::version));
        let said = &version.ok_or_else(|| HEARD.damaged())?.said;
        let mut new = pairs(said, change.readings());
        new.retain(|pair| self.bearing.binary_search(pair).is_err());
        let is_late = entry != self.statement;
        if is_late {
            if !new.is_empty() {
                self.copy(&new, changes)?;
                self.is_bearing_more = true;
            }
            for pair in self.bearing.iter().chain(&new) {
                let late = pair.late().index(entry).into_bytes();
                changes.insert(late, Some(LATE.encode(&self.statement)?));
            }
        }
        self.bearing.append(&mut new);
        self.bearing.sort_unstable();
        if is_late {
            let latest = Latest {
                entry,
                bearing: if self.is_bearing_more {
                    Cow::Borrowed(&self.bearing[..])
                } else {
                    Cow::default()
                },
            };
            let key = LATEST.key().index(self.statement).into_bytes();
            changes.insert(key, Some(LATEST.encode(&latest)?));
        }
        touched::statement(self.statement, entry, change, &self.bearing, changes)?;
        let whole = self.row(entry, Cow::Borrowed(change))?;
        let mut is_alike = true;
        for pair in &self.bearing {
            let row = if pair.bears_all(change, said) {
                whole.clone()
            } else {
                is_alike = false;
                self.row(entry, Cow::Owned(change.under(pair, said)))?
            };
            let key = at(Pair::key(&pair.actor, &pair.topic), self.statement, entry)?;
            changes.insert(key.into_bytes(), Some(row));
            self.count(pair, entry, memory, changes)?;
        }
        if self.bearing.is_empty() {
            let key = at(UNREAD.key(), self.statement, entry)?;
            changes.insert(key.into_bytes(), Some(whole));
        }
        Ok(is_alike)
    }

    /// The row of what an entry did after what was done last.
    fn row(&self, entry: u64, change: Cow<'_, Change>) -> Result<Vec<u8>, FoldError> {
        let since = entry.saturating_sub(self.newest);
        HEARD.encode(&Step { since, change })
    }

    /// Copies what was done so far to pairs that it comes to bear on, on which none of it bore.
    fn copy(&self, pairs: &[Pair], changes: &mut Changes) -> Result<(), FoldError> {
        let (table, prefix) = kept_under(&self.bearing);
        let mut before = self.statement;
        let mut copies = Vec::new();
        for (entry, mut earlier) in
            history(table, self.state, &prefix, (self.statement, self.newest))?
        {
            match &mut earlier {
                Change::Recorded { version, .. } | Change::Corrected(version) => {
                    version.readings.clear();
                }
                Change::Read { .. } => earlier = Change::ReadElsewhere,
                _ => {}
            }
            let since = entry.saturating_sub(before);
            let row = HEARD.encode(&Step {
                since,
                change: Cow::Owned(earlier),
            })?;
            before = entry;
            for pair in pairs {
                let key = at(Pair::key(&pair.actor, &pair.topic), self.statement, entry)?;
                copies.push((key.into_bytes(), Some(row.clone())));
            }
        }
        // At once: one by one, each would move those of the pairs after its own.
        changes.extend(copies);
        Ok(())
    }

    /// Counts that an entry does something to a pair, for the first time perhaps.
    fn count(
        &self,
        pair: &Pair,
        entry: u64,
        memory: &Memory,
        changes: &mut Changes,
    ) -> Result<(), FoldError> {
        let key = Tally::key(pair);
        let before = match memory.tally(key.as_bytes()) {
            None => TALLIES.get(self.state, &key)?,
            known => known,
        };
        if before.is_none() {
            let topic = TOPICS.key().slug(&pair.topic).slug(&pair.actor);
            changes.insert(topic.into_bytes(), Some(TOPICS.encode(&entry)?));
        }
        let mut tally = before.unwrap_or_default();
        if tally.closed {
            return Ok(());
        }
        tally.entries = tally.entries.saturating_add(1);
        changes.insert(key.into_bytes(), Some(TALLIES.encode(&tally)?));
        Ok(())
    }
}
