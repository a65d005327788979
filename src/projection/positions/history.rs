//! What entries do to a statement, and where that is kept: under every actor and topic that some
//! reading of it bears on, with the readings that bear on both. Only a statement that bears on
//! nothing yet has rows of its own.
//!
//! Rows are written once. A statement that comes to bear on an actor and topic only later, by a
//! coder's reading or a correction, has its history up to then copied there. What comes to a
//! statement after the entry that introduced it is late, and noted under the pair by entry, so
//! that all that was done to a pair between two entries can be found.
//!
//! To add to a history takes what the statement was recorded as and the pairs that it bears on,
//! and never the entries in between, so that the thousandth piece of evidence costs what the
//! first does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Memory;
use super::reading::Reading;
use super::sources::When;
use super::touched;
use super::verifiers::Number;
use super::{BEARING, HEARD, LATE, TALLIES, TOPICS, UNREAD};
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
            Self::Attested { .. } => &[],
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
        if let Self::Recorded { version, .. } | Self::Corrected(version) = self {
            version.readings.extend(other.readings().iter().cloned());
            version.readings.sort_by_key(|reading| reading.place);
            version.readings.dedup_by_key(|reading| reading.place);
        }
    }

    /// The row of it under a pair: `whole`, its encoding, if all its readings bear on the pair,
    /// and else with those alone that do; none if it is a reading that does not.
    fn row(
        &self,
        pair: &Pair,
        said: &Utterance,
        whole: &[u8],
    ) -> Result<Option<Vec<u8>>, FoldError> {
        if pair.bears_all(self, said) {
            return Ok(Some(whole.to_vec()));
        }
        let mut change = self.clone();
        let (Self::Recorded { version, .. } | Self::Corrected(version)) = &mut change else {
            return Ok(None);
        };
        version.readings.retain(|reading| pair.bears(reading, said));
        HEARD.encode(&change).map(Some)
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

/// What entries below `known_at` did to a statement, with the readings that bear on a pair.
pub(super) fn heard_of(
    tables: &dyn Tables,
    pair: &Pair,
    statement: u64,
    known_at: u64,
) -> Result<Changed, FoldError> {
    let mut changed = Changed::new();
    let prefix = Pair::key(&pair.actor, &pair.topic).index(statement);
    for row in HEARD.scan::<Change>(tables, &prefix) {
        let (above, change) = row?;
        let above: u64 = HEARD.decode(&above)?;
        let entry = statement.saturating_add(above);
        if entry < known_at {
            changed.insert(entry, change);
        }
    }
    Ok(changed)
}

/// As [`heard_of`], of a statement to which nothing was done but that it was recorded.
pub(super) fn heard_once(
    tables: &dyn Tables,
    pair: &Pair,
    statement: u64,
) -> Result<Changed, FoldError> {
    let key = at(Pair::key(&pair.actor, &pair.topic), statement, statement)?;
    let change: Option<Change> = HEARD.get(tables, &key)?;
    let change = change.ok_or_else(|| HEARD.damaged())?;
    Ok(Changed::from([(statement, change)]))
}

/// All that entries did to a statement, by the pairs under which it is kept.
pub(super) fn whole(tables: &dyn Tables, statement: u64) -> Result<Changed, FoldError> {
    let bearing = bearing(tables, statement)?;
    if bearing.is_empty() {
        return under(UNREAD, tables, UNREAD.key(), statement);
    }
    let mut whole = Changed::new();
    for pair in &bearing {
        let prefix = Pair::key(&pair.actor, &pair.topic);
        for (entry, mut change) in under(HEARD, tables, prefix, statement)? {
            if let Some(known) = whole.get(&entry) {
                change.join(known);
            }
            whole.insert(entry, change);
        }
    }
    Ok(whole)
}

/// The pairs that a statement bears on, or once did, in order.
fn bearing(tables: &dyn Tables, statement: u64) -> Result<Vec<Pair>, FoldError> {
    match BEARING.get(tables, &BEARING.key().index(statement))? {
        Some(bearing) => Ok(bearing),
        None => touched::at_first(tables, statement),
    }
}

/// What entries did to a statement, as it is kept under a prefix.
fn under(
    table: Table,
    tables: &dyn Tables,
    prefix: Key,
    statement: u64,
) -> Result<Changed, FoldError> {
    let rows = table.scan::<Change>(tables, &prefix.index(statement));
    rows.map(|row| {
        let (above, change) = row?;
        let above: u64 = table.decode(&above)?;
        Ok((statement.saturating_add(above), change))
    })
    .collect()
}

/// A statement's history up to the entry at hand: as much of it as it takes to add to it.
pub(super) struct History<'t> {
    state: &'t dyn Tables,
    /// The entry that introduced it.
    statement: u64,
    /// The pairs that it bears on, or once did, in order.
    bearing: Vec<Pair>,
    /// What it was recorded as; none if the entry at hand records it.
    recorded: Option<Change>,
}

impl<'t> History<'t> {
    /// That of a statement that an entry introduces.
    pub(super) const fn new(state: &'t dyn Tables, statement: u64) -> Self {
        Self {
            state,
            statement,
            bearing: Vec::new(),
            recorded: None,
        }
    }

    /// That of the statement that entry `statement` introduced.
    pub(super) fn load(state: &'t dyn Tables, statement: u64) -> Result<Self, FoldError> {
        let bearing = bearing(state, statement)?;
        let prefix = bearing.first();
        let prefix = prefix.map_or(UNREAD.key(), |it| Pair::key(&it.actor, &it.topic));
        let recorded: Option<Change> = HEARD.get(state, &at(prefix, statement, statement)?)?;
        Ok(Self {
            state,
            statement,
            bearing,
            recorded: Some(recorded.ok_or_else(|| HEARD.damaged())?),
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
        if !new.is_empty() && is_late {
            self.copy(&new, changes)?;
        }
        let is_bearing_more = !new.is_empty();
        self.bearing.append(&mut new);
        self.bearing.sort_unstable();
        if is_late && is_bearing_more {
            let key = BEARING.key().index(self.statement).into_bytes();
            changes.insert(key, Some(BEARING.encode(&self.bearing)?));
        }
        touched::statement(self.statement, entry, change, &self.bearing, changes)?;
        let whole = HEARD.encode(change)?;
        for pair in &self.bearing {
            if let Some(row) = change.row(pair, said, &whole)? {
                let key = at(Pair::key(&pair.actor, &pair.topic), self.statement, entry)?;
                changes.insert(key.into_bytes(), Some(row));
            }
            if is_late {
                let late = pair.late().index(entry).into_bytes();
                changes.insert(late, Some(LATE.encode(&self.statement)?));
            }
            self.count(pair, entry, memory, changes)?;
        }
        if self.bearing.is_empty() {
            let key = at(UNREAD.key(), self.statement, entry)?;
            changes.insert(key.into_bytes(), Some(whole));
        }
        let mut pairs = self.bearing.iter();
        Ok(pairs.all(|pair| pair.bears_all(change, said)))
    }

    /// Copies what was done so far to pairs that it comes to bear on, on which none of it bore.
    fn copy(&self, pairs: &[Pair], changes: &mut Changes) -> Result<(), FoldError> {
        let prefix = self.bearing.first();
        let prefix = prefix.map_or(UNREAD.key(), |it| Pair::key(&it.actor, &it.topic));
        for (entry, mut earlier) in under(HEARD, self.state, prefix, self.statement)? {
            match &mut earlier {
                Change::Recorded { version, .. } | Change::Corrected(version) => {
                    version.readings.clear();
                }
                Change::Read { .. } => continue,
                _ => {}
            }
            let row = HEARD.encode(&earlier)?;
            for pair in pairs {
                let key = at(Pair::key(&pair.actor, &pair.topic), self.statement, entry)?;
                changes.insert(key.into_bytes(), Some(row.clone()));
            }
        }
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
