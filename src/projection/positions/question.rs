//! What bears on a question: the readings of an actor's, and of its parts', on a topic, as it
//! stood once the entries below `known_at` were known.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::authority::{Mandates, organizations};
use super::definitions::Actor;
use super::standing::{Place, ReadingKey, Row};
use super::{ACTORS, PARTS, READINGS, TOPICS};
use crate::fold::{FoldError, Tables};
use crate::position::Testimony;
use crate::projection::rows::{Parts, visible};
use crate::record::proto::ActorKind;
use crate::record::{ContentId, Slug};

/// What bears on a question, in the order of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// What the actor is.
    pub kind: ActorKind,
    /// Who is asked: the actor, then its parts in order, if they speak too.
    pub asked: Vec<Slug>,
    /// The readings that bear on the question, each once.
    pub testimonies: Vec<Testimony>,
    /// What else is to be told of each, in the same order.
    details: Vec<Detail>,
}

/// What is told of a testimony without being weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The statement's id.
    pub statement_id: ContentId,
    /// The organisations it was said for.
    pub said_for: Vec<Slug>,
    /// When it was said, as recorded (EDTF); empty if it does not say.
    pub said_at: String,
    /// When it was last said, as recorded (EDTF), if it was said over a time.
    pub repeated_until: Option<String>,
    /// The actor who relays it, if one does.
    pub relayed_by: Option<Slug>,
}

impl Collected {
    /// Whether the actor can speak.
    #[must_use]
    pub fn has_voice(&self) -> bool {
        !matches!(self.kind, ActorKind::Group | ActorKind::Population)
    }

    /// What else is to be told of one of the testimonies.
    #[must_use]
    pub fn detail(&self, testimony: &Testimony) -> Option<&Detail> {
        let place = self
            .testimonies
            .binary_search_by_key(&order(testimony), order)
            .ok()?;
        self.details.get(place)
    }
}

/// The order of the ledger.
fn order(testimony: &Testimony) -> ReadingKey {
    ReadingKey {
        statement: testimony.statement,
        version: testimony.version,
        given_by: testimony.given_by,
        place: testimony.place,
    }
}

/// What bears on the position of `actor` on `topic`; none if the actor is not on record. Left
/// open, `with_parts` is so for a state alone.
pub fn collect(
    tables: &dyn Tables,
    actor: &Slug,
    topic: &Slug,
    with_parts: Option<bool>,
    known_at: u64,
) -> Result<Option<Collected>, FoldError> {
    let Some(kind) = kind(tables, actor, known_at)? else {
        return Ok(None);
    };
    let mut asked = vec![actor.clone()];
    if with_parts.unwrap_or(kind == ActorKind::State) {
        asked.extend(parts(tables, actor, known_at)?);
    }
    // A statement said for several parts stands under each of them, and is heard once.
    let mut heard: BTreeMap<ReadingKey, Row> = BTreeMap::new();
    for body in &asked {
        for row in READINGS.scan::<Row>(tables, &Place::prefix(body, topic)) {
            let (key, row) = row?;
            let reading = ReadingKey::parse(&key)?;
            if visible(reading.since(), row.until, known_at) {
                heard.insert(reading, row);
            }
        }
    }
    let mut mandates = Mandates::new(tables, known_at);
    let mut testimonies = Vec::with_capacity(heard.len());
    let mut details = Vec::with_capacity(heard.len());
    for (reading, row) in heard {
        let authority = mandates.authority(&row, topic, &asked)?;
        let holder = row.holder()?.clone();
        testimonies.push(Testimony {
            statement: reading.statement,
            version: reading.version,
            given_by: reading.given_by,
            place: reading.place,
            speaker: row.said.speaker,
            holder,
            authority,
            said_at: row.said.said_at.interval,
            repeated_until: row.said.repeated_until.as_ref().map(|when| when.interval),
            basis: row.basis,
            relayed: row.said.relayed_by.is_some(),
            engagement: row.engagement,
        });
        details.push(Detail {
            statement_id: row.statement_id,
            said_for: row.said.said_for,
            said_at: row.said.said_at.text,
            repeated_until: row.said.repeated_until.map(|when| when.text),
            relayed_by: row.said.relayed_by,
        });
    }
    Ok(Some(Collected {
        kind,
        asked,
        testimonies,
        details,
    }))
}

/// The organisations that a person speaks for: whom to ask instead, because a person does not
/// inherit what is said for an office. In order; mandates that have ended count.
pub fn speaks_for(
    tables: &dyn Tables,
    person: &Slug,
    known_at: u64,
) -> Result<Vec<Slug>, FoldError> {
    let actor: Option<Actor> = ACTORS.get(tables, &ACTORS.key().slug(person))?;
    if !actor.is_some_and(|actor| actor.mandated) {
        return Ok(Vec::new());
    }
    organizations(tables, person, known_at)
}

/// The actors on whom and `topic` something bears or once bore, in order.
pub fn actors_on<'a>(
    tables: &'a dyn Tables,
    topic: &Slug,
    known_at: u64,
) -> impl Iterator<Item = Result<Slug, FoldError>> + use<'a> {
    let rows = TOPICS.scan::<u64>(tables, &TOPICS.key().slug(topic));
    rows.filter_map(move |row| match row {
        Ok((key, since)) if since < known_at => Some(Parts::new(TOPICS, &key).slug()),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// What an actor is; none if it is not on record.
fn kind(tables: &dyn Tables, actor: &Slug, known_at: u64) -> Result<Option<ActorKind>, FoldError> {
    let actor: Option<Actor> = ACTORS.get(tables, &ACTORS.key().slug(actor))?;
    actor
        .filter(|actor| actor.introduced < known_at)
        .map(|actor| ActorKind::try_from(actor.kind).map_err(|_| ACTORS.damaged()))
        .transpose()
}

/// The parts of `whole`, and their parts, in order. Each is visited once, so that even a
/// circle of parts has an end.
fn parts(tables: &dyn Tables, whole: &Slug, known_at: u64) -> Result<BTreeSet<Slug>, FoldError> {
    let mut found = BTreeSet::new();
    let mut open = VecDeque::from([whole.clone()]);
    while let Some(next) = open.pop_front() {
        for row in PARTS.scan::<Option<u64>>(tables, &PARTS.key().slug(&next)) {
            let (key, until) = row?;
            let mut key = Parts::new(PARTS, &key);
            let (part, since) = (key.slug()?, key.index()?);
            let stands = visible(since, until, known_at);
            if stands && part != *whole && found.insert(part.clone()) {
                open.push_back(part);
            }
        }
    }
    Ok(found)
}
