//! A statement as it stands, and the rows that follow from it. The rows are a pure function of
//! the statement and its readings by coders, so that what an entry opens and closes is the
//! difference between the rows before it and the rows after it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::dates::When;
use super::reading::Reading;
use super::{READINGS, STATEMENTS, TOPICS};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::rows::{Key, Parts};
use crate::record::{Basis, ContentId, Engagement, Slug};

/// What the rules ask of a statement, whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Utterance {
    pub(super) speaker: Option<Slug>,
    pub(super) said_for: Vec<Slug>,
    pub(super) relayed_by: Option<Slug>,
    pub(super) said_at: When,
    pub(super) repeated_until: Option<When>,
}

/// The version of a statement that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The entry that introduced the statement.
    pub(super) introduced: u64,
    /// The entry that gave this version.
    pub(super) version: u64,
    pub(super) said: Utterance,
    /// The readings that this version brings, in its order.
    pub(super) readings: Vec<Reading>,
}

/// The newest reading of a statement by a coder on one topic and holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Coded {
    /// The entry that gave it.
    pub(super) given_by: u64,
    pub(super) reading: Reading,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) actor: Slug,
    pub(super) topic: Slug,
    pub(super) reading: ReadingKey,
}

/// One reading of one version of one statement. The order of age among what was said at the
/// same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadingKey {
    pub(super) statement: u64,
    pub(super) version: u64,
    pub(super) given_by: u64,
    pub(super) place: u32,
}

impl ReadingKey {
    /// The entry from which on the row stands.
    pub(super) fn since(&self) -> u64 {
        self.version.max(self.given_by)
    }

    /// What follows actor and topic in a key: the statement's index, and how far version and
    /// reading lie above it, so that a plain statement's key is short.
    fn rest(&self) -> Result<Vec<u8>, FoldError> {
        let above = |index: u64| index.checked_sub(self.statement);
        let (Some(version), Some(given_by)) = (above(self.version), above(self.given_by)) else {
            return Err(READINGS.damaged());
        };
        let mut rest = self.statement.to_be_bytes().to_vec();
        rest.extend(READINGS.encode(&(version, given_by, self.place))?);
        Ok(rest)
    }

    /// Reads what follows actor and topic in a key.
    pub(super) fn parse(rest: &[u8]) -> Result<Self, FoldError> {
        let mut parts = Parts::new(READINGS, rest);
        let statement = parts.index()?;
        let (version, given_by, place): (u64, u64, u32) = READINGS.decode(parts.rest())?;
        let at = |above| {
            statement
                .checked_add(above)
                .ok_or_else(|| READINGS.damaged())
        };
        Ok(Self {
            statement,
            version: at(version)?,
            given_by: at(given_by)?,
            place,
        })
    }
}

impl Place {
    /// The key that all rows of an actor and topic begin with.
    pub(super) fn prefix(actor: &Slug, topic: &Slug) -> Key {
        READINGS.key().slug(actor).slug(topic)
    }

    fn key(&self) -> Result<Vec<u8>, FoldError> {
        let prefix = Self::prefix(&self.actor, &self.topic);
        Ok(prefix.bytes(&self.reading.rest()?).into_bytes())
    }
}

/// A reading that bears on an actor and topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The entry that closed it.
    pub(super) until: Option<u64>,
    pub(super) statement_id: ContentId,
    pub(super) said: Utterance,
    /// None where it is the speaker.
    holder: Option<Slug>,
    pub(super) basis: Basis,
    pub(super) engagement: Engagement,
}

impl Row {
    fn new(id: &ContentId, said: &Utterance, reading: &Reading) -> Self {
        let holder = Some(&reading.holder).filter(|holder| said.speaker.as_ref() != Some(*holder));
        Self {
            until: None,
            statement_id: *id,
            said: said.clone(),
            holder: holder.cloned(),
            basis: reading.basis,
            engagement: reading.engagement.clone(),
        }
    }

    /// Whose stance it is.
    pub(super) fn holder(&self) -> Result<&Slug, FoldError> {
        let holder = self.holder.as_ref().or(self.said.speaker.as_ref());
        holder.ok_or_else(|| READINGS.damaged())
    }
}

/// The rows of a statement, none of them closed.
pub(super) type Rows = BTreeMap<Place, Row>;

/// The row of the statement that goes by `id`.
pub(super) fn key(id: &ContentId) -> Key {
    STATEMENTS.key().bytes(id.as_bytes())
}

/// The rows that stand while `standing` does, with these readings by coders, of which there is
/// one at most on a topic and holder.
pub(super) fn rows(id: &ContentId, standing: &Standing, coded: &[Coded]) -> Rows {
    let mut rows = Rows::new();
    for (place, own) in (0..).zip(&standing.readings) {
        let outdated =
            |coded: &Coded| coded.given_by > standing.version && coded.reading.is_rival(own);
        if !coded.iter().any(outdated) {
            bear(&mut rows, id, standing, (standing.version, place), own);
        }
    }
    for coded in coded {
        let outdated =
            |own: &Reading| standing.version > coded.given_by && own.is_rival(&coded.reading);
        if !standing.readings.iter().any(outdated) {
            bear(&mut rows, id, standing, (coded.given_by, 0), &coded.reading);
        }
    }
    rows
}

/// Adds a reading's rows: one for every actor that it bears on.
fn bear(
    rows: &mut Rows,
    id: &ContentId,
    standing: &Standing,
    (given_by, place): (u64, u32),
    reading: &Reading,
) {
    let mut actors = BTreeSet::from([&reading.holder]);
    if standing.said.speaker.as_ref() == Some(&reading.holder) {
        actors.extend(&standing.said.said_for);
    }
    for actor in actors {
        let place = Place {
            actor: actor.clone(),
            topic: reading.topic.clone(),
            reading: ReadingKey {
                statement: standing.introduced,
                version: standing.version,
                given_by,
                place,
            },
        };
        rows.insert(place, Row::new(id, &standing.said, reading));
    }
}

/// Closes at entry `index` what stands in `before` alone, and opens what stands in `after`
/// alone.
pub(super) fn replace(
    state: &dyn Tables,
    index: u64,
    before: Rows,
    after: &Rows,
) -> Result<Changes, FoldError> {
    let mut changes = Changes::new();
    for (place, row) in after {
        if before.contains_key(place) {
            continue;
        }
        changes.insert(place.key()?, Some(READINGS.encode(row)?));
        let pair = TOPICS.key().slug(&place.topic).slug(&place.actor);
        if state.get(pair.as_bytes())?.is_none() {
            changes.insert(pair.into_bytes(), Some(TOPICS.encode(&index)?));
        }
    }
    for (place, mut row) in before {
        if !after.contains_key(&place) {
            row.until = Some(index);
            changes.insert(place.key()?, Some(READINGS.encode(&row)?));
        }
    }
    Ok(changes)
}
