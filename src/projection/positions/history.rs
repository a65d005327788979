//! What entries do to a statement, and where that is kept: whole under the statement, for the
//! fold and for whoever asks how it stands, and under every actor and topic that some reading of it bears on, for questions, with
//! the readings that bear on both.
//!
//! Rows are written once. A statement that comes to bear on an actor and topic only later, by a
//! coder's reading or a correction, has its history up to then copied there. What comes to a
//! statement after the entry that introduced it is late, and noted under the pair by entry, so
//! that all that was done to a pair between two entries can be found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reading::Reading;
use super::sources::When;
use super::touched;
use super::verifiers::Number;
use super::{HEARD, HISTORIES, LATE, TOPICS};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::rows::{Key, Parts};
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

    /// The same with the readings alone that bear on a pair; none if it is a reading that does
    /// not.
    fn on(&self, pair: &Pair, said: &Utterance) -> Option<Self> {
        let mut change = self.clone();
        match &mut change {
            Self::Recorded { version, .. } | Self::Corrected(version) => {
                version.readings.retain(|reading| pair.bears(reading, said));
            }
            Self::Read { reading, .. } => {
                return pair.bears(reading, said).then_some(change);
            }
            _ => {}
        }
        Some(change)
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

/// The pairs that readings of what was said bear on.
fn pairs<'a>(said: &Utterance, readings: impl Iterator<Item = &'a Reading>) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for reading in readings {
        let pair = |actor: &Slug| Pair {
            actor: actor.clone(),
            topic: reading.topic.clone(),
        };
        pairs.insert(pair(&reading.holder));
        if said.speaker.as_ref() == Some(&reading.holder) {
            pairs.extend(said.said_for.iter().map(pair));
        }
    }
    pairs
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

/// A statement's history up to the entry at hand.
pub(super) struct History {
    /// The entry that introduced it.
    statement: u64,
    changed: Changed,
}

impl History {
    /// That of a statement that an entry introduces.
    pub(super) const fn new(statement: u64) -> Self {
        Self {
            statement,
            changed: Changed::new(),
        }
    }

    /// That of the statement that entry `statement` introduced.
    pub(super) fn load(state: &dyn Tables, statement: u64) -> Result<Self, FoldError> {
        let mut changed = Changed::new();
        for row in HISTORIES.scan::<Change>(state, &HISTORIES.key().index(statement)) {
            let (rest, change) = row?;
            let above: u64 = HISTORIES.decode(&rest)?;
            changed.insert(statement.saturating_add(above), change);
        }
        Ok(Self { statement, changed })
    }

    /// What entries did to it.
    pub(super) const fn changed(&self) -> &Changed {
        &self.changed
    }

    /// The version before the entry at hand.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.changed.values().rev().find_map(Change::version)
    }

    /// Adds what an entry does. Speaker and capacity are those of every version.
    pub(super) fn add(
        &self,
        state: &dyn Tables,
        entry: u64,
        change: &Change,
        changes: &mut Changes,
    ) -> Result<(), FoldError> {
        let said = change.version().or_else(|| self.newest());
        let said = &said.ok_or_else(|| HISTORIES.damaged())?.said;
        let readings = self.changed.values().flat_map(Change::readings);
        let before = pairs(said, readings);
        let after = pairs(said, change.readings().iter());
        for pair in after.difference(&before) {
            for (entry, earlier) in &self.changed {
                self.row(pair, *entry, earlier.on(pair, said), changes)?;
            }
            let topic = TOPICS.key().slug(&pair.topic).slug(&pair.actor);
            if state.get(topic.as_bytes())?.is_none() {
                changes.insert(topic.into_bytes(), Some(TOPICS.encode(&entry)?));
                touched::bears_on(pair, changes)?;
            }
        }
        touched::statement(self.statement, entry, change, before.union(&after), changes)?;
        for pair in before.union(&after) {
            self.row(pair, entry, change.on(pair, said), changes)?;
            if entry != self.statement {
                let late = pair.late().index(entry).into_bytes();
                changes.insert(late, Some(LATE.encode(&self.statement)?));
            }
        }
        let whole = at(HISTORIES.key(), self.statement, entry)?;
        changes.insert(whole.into_bytes(), Some(HISTORIES.encode(change)?));
        Ok(())
    }

    fn row(
        &self,
        pair: &Pair,
        entry: u64,
        change: Option<Change>,
        changes: &mut Changes,
    ) -> Result<(), FoldError> {
        if let Some(change) = change {
            let key = at(Pair::key(&pair.actor, &pair.topic), self.statement, entry)?;
            changes.insert(key.into_bytes(), Some(HEARD.encode(&change)?));
        }
        Ok(())
    }
}
