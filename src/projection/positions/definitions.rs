//! Who is part of whom, and who speaks for whom on which terms, with the entries between which
//! each of it was so.

use serde::{Deserialize, Serialize};

use super::{ACTORS, MANDATES, PARTS, VOICES, touched};
use crate::fold::{Changes, FoldError, Tables};
use crate::position::Authority;
use crate::projection::read::{date, malformed, optional, slug};
use crate::projection::rows::Key;
use crate::record::{Entry, Interval, Slug, Term, proto};

/// An actor, as its newest version has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Actor {
    /// The entry that first defined it.
    pub(super) introduced: u64,
    /// Its kind, a number of `ActorKind`. No version changes it.
    pub(super) kind: i32,
    /// What it is part of, and the entry that gave this version.
    part_of: Option<(Slug, u64)>,
    /// Whether it ever had a mandate: most actors have none, and need not be looked for among
    /// those who speak for somebody.
    pub(super) mandated: bool,
}

/// A mandate, as its newest version has it.
#[derive(Debug, Serialize, Deserialize)]
struct Mandate {
    person: Slug,
    organization: Slug,
    /// The entry that gave this version.
    version: u64,
    terms: Terms,
}

/// On which terms somebody speaks for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) authority: Authority,
    /// The only topics that are covered; empty for all.
    topics: Vec<Slug>,
    term: Term,
}

impl Terms {
    /// Whether they cover what was said on `topic` at `said_at`: certainly, in all of the time
    /// in which it may have been said.
    pub(super) fn cover(&self, topic: &Slug, said_at: Interval) -> bool {
        (self.topics.is_empty() || self.topics.contains(topic)) && self.term.covers(said_at)
    }
}

/// The terms of one version of a mandate. The key has the entry that gave it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Voice {
    /// The entry that gave the next version.
    pub(super) until: Option<u64>,
    pub(super) terms: Terms,
}

/// Defines an actor.
pub(super) fn actor(
    state: &dyn Tables,
    entry: &Entry,
    defined: &proto::ActorDefined,
) -> Result<Changes, FoldError> {
    let id = slug(entry, "actor_id", &defined.actor_id)?;
    let key = ACTORS.key().slug(&id);
    let before: Option<Actor> = ACTORS.get(state, &key)?;
    let introduced = before.as_ref().map_or(entry.index, |it| it.introduced);
    let mandated = before.as_ref().is_some_and(|it| it.mandated);
    let was = before.and_then(|actor| actor.part_of);
    let whole: Option<Slug> = optional(entry, "part_of", &defined.part_of)?;

    let mut changes = Changes::new();
    let whole_before = was.as_ref().map(|(was, _)| was);
    touched::part(
        entry.index,
        &id,
        [whole_before, whole.as_ref()],
        &mut changes,
    )?;
    if let Some((was, since)) = was {
        let row = part(&was, &id, since);
        changes.insert(row, Some(PARTS.encode(&Some(entry.index))?));
    }
    if let Some(whole) = &whole {
        let row = part(whole, &id, entry.index);
        changes.insert(row, Some(PARTS.encode(&None::<u64>)?));
    }
    let actor = Actor {
        introduced,
        kind: defined.kind,
        part_of: whole.map(|whole| (whole, entry.index)),
        mandated,
    };
    changes.insert(key.into_bytes(), Some(ACTORS.encode(&actor)?));
    Ok(changes)
}

fn part(whole: &Slug, part: &Slug, since: u64) -> Vec<u8> {
    PARTS.key().slug(whole).slug(part).index(since).into_bytes()
}

/// Grants a mandate, or changes one.
pub(super) fn granted(
    state: &dyn Tables,
    entry: &Entry,
    granted: &proto::MandateGranted,
) -> Result<Changes, FoldError> {
    let id = slug(entry, "mandate_id", &granted.mandate_id)?;
    let topics = granted.topics.iter();
    let mandate = Mandate {
        person: slug(entry, "person", &granted.person)?,
        organization: slug(entry, "organization", &granted.organization)?,
        version: entry.index,
        terms: Terms {
            authority: authority(granted.authority)
                .ok_or_else(|| malformed(entry, "a mandate without authority"))?,
            topics: topics
                .map(|topic| slug(entry, "topic", topic))
                .collect::<Result<_, _>>()?,
            term: Term {
                start: date(entry, "start", &granted.start)?.map(|date| date.interval()),
                end: date(entry, "end", &granted.end)?.map(|date| date.interval()),
            },
        },
    };
    let before = MANDATES.get(state, &MANDATES.key().slug(&id))?;
    let mut changes = replace(&id, before, &mandate)?;
    changes.extend(mandated(state, &mandate.person)?);
    Ok(changes)
}

/// Marks an actor as one who has, or had, a mandate.
fn mandated(state: &dyn Tables, person: &Slug) -> Result<Changes, FoldError> {
    let key = ACTORS.key().slug(person);
    let actor: Option<Actor> = ACTORS.get(state, &key)?;
    let Some(mut actor) = actor.filter(|actor| !actor.mandated) else {
        return Ok(Changes::new());
    };
    actor.mandated = true;
    let row = (key.into_bytes(), Some(ACTORS.encode(&actor)?));
    Ok(Changes::from([row]))
}

/// Ends a mandate.
pub(super) fn ended(
    state: &dyn Tables,
    entry: &Entry,
    ended: &proto::MandateEnded,
) -> Result<Changes, FoldError> {
    let id = slug(entry, "mandate_id", &ended.mandate_id)?;
    let before: Mandate = MANDATES
        .get(state, &MANDATES.key().slug(&id))?
        .ok_or_else(|| malformed(entry, format!("the mandate {id} is not on record")))?;
    let mandate = Mandate {
        person: before.person.clone(),
        organization: before.organization.clone(),
        version: entry.index,
        terms: Terms {
            term: Term {
                end: date(entry, "end", &ended.end)?.map(|date| date.interval()),
                ..before.terms.term
            },
            ..before.terms.clone()
        },
    };
    replace(&id, Some(before), &mandate)
}

/// Closes the version before, if there is one, and opens the next.
fn replace(id: &Slug, before: Option<Mandate>, after: &Mandate) -> Result<Changes, FoldError> {
    let mut changes = Changes::new();
    let versions = before.iter().chain([after]);
    let bodies = versions.map(|it| (&it.organization, &it.terms.topics[..]));
    touched::voices(after.version, bodies, &mut changes)?;
    if let Some(before) = before {
        let row = voice(id, &before);
        let closed = Voice {
            until: Some(after.version),
            terms: before.terms,
        };
        changes.insert(row, Some(VOICES.encode(&closed)?));
    }
    let open = Voice {
        until: None,
        terms: after.terms.clone(),
    };
    changes.insert(voice(id, after), Some(VOICES.encode(&open)?));
    let current = MANDATES.key().slug(id).into_bytes();
    changes.insert(current, Some(MANDATES.encode(after)?));
    Ok(changes)
}

fn voice(id: &Slug, mandate: &Mandate) -> Vec<u8> {
    voices(&mandate.person)
        .slug(&mandate.organization)
        .slug(id)
        .index(mandate.version)
        .into_bytes()
}

/// The key that all rows of a person's mandates begin with.
pub(super) fn voices(person: &Slug) -> Key {
    VOICES.key().slug(person)
}

fn authority(number: i32) -> Option<Authority> {
    match proto::Authority::try_from(number).ok()? {
        proto::Authority::Unspecified => None,
        proto::Authority::Principal => Some(Authority::Principal),
        proto::Authority::Spokesperson => Some(Authority::Spokesperson),
        proto::Authority::Delegate => Some(Authority::Delegate),
        proto::Authority::Affiliated => Some(Authority::Affiliated),
    }
}
