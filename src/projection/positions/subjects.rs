//! What there is to ask: the actors on a topic, and the topics of an actor.
//!
//! Something bears on an actor where it bears on itself or, if its parts speak too, on any of
//! them. A walk goes in order of slugs, from any of them on, and comes past a whole none of
//! whose parts has to do with the topic: whoever lists counts what it looked at.

use std::ops::Bound;

use super::question::{Subject, kind, parts};
use super::{HEARD, PARTS, TOPICS};
use crate::fold::{FoldError, Order, Tables};
use crate::projection::rows::{Key, Parts, Table};
use crate::record::Slug;
use crate::record::proto::ActorKind;

/// Beyond everything that can follow a slug in a key: another slug, or an index and a number.
const BEYOND: [u8; 9] = [u8::MAX; 9];

/// Which questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// About this actor; if there is none, everybody on the topic.
    pub actor: Option<Slug>,
    /// On this topic; if there is none, all topics of the actor.
    pub topic: Option<Slug>,
    /// Whether the actors' parts speak too. Left open, a state's do, and nobody else's.
    pub with_parts: Option<bool>,
}

/// What a walk comes past: the actor or topic that it goes by and, if something bears on it, the
/// question.
pub type Passed = (Slug, Option<Subject>);

/// A walk over questions.
pub type Subjects<'t> = Box<dyn Iterator<Item = Result<Passed, FoldError>> + 't>;

/// The questions of a scope, in order of actor or else of topic, from one of them on, to which
/// anything bears once the entries below any of `known_at` are known.
pub fn subjects<'t>(
    tables: &'t dyn Tables,
    scope: &Scope,
    from: Option<Slug>,
    known_at: &[u64],
) -> Result<Subjects<'t>, FoldError> {
    let walk = Walk {
        tables,
        with_parts: scope.with_parts,
        known_at: known_at.to_vec(),
    };
    Ok(match (scope.actor.clone(), scope.topic.clone()) {
        (Some(actor), Some(topic)) => {
            let id = actor.clone();
            let subject = walk.subject(actor, topic);
            Box::new(std::iter::once(Ok((id, Some(subject)))))
        }
        (None, Some(topic)) => Box::new(walk.actors(topic, from)),
        (Some(actor), None) => Box::new(walk.topics(actor, from)?),
        (None, None) => Box::new(std::iter::empty()),
    })
}

struct Walk<'t> {
    tables: &'t dyn Tables,
    with_parts: Option<bool>,
    known_at: Vec<u64>,
}

impl<'t> Walk<'t> {
    fn subject(&self, actor: Slug, topic: Slug) -> Subject {
        Subject {
            actor,
            topic,
            with_parts: self.with_parts,
        }
    }

    /// Whether something bears on an actor, by itself, and a topic.
    fn bears(&self, actor: &Slug, topic: &Slug) -> Result<bool, FoldError> {
        let since: Option<u64> = TOPICS.get(self.tables, &TOPICS.key().slug(topic).slug(actor))?;
        Ok(since.is_some_and(|since| self.known_at.iter().any(|known_at| since < *known_at)))
    }

    /// The parts that speak for an actor.
    fn speaking_parts(&self, actor: &Slug) -> Result<Vec<Slug>, FoldError> {
        let mut speaking = Vec::new();
        for &known_at in &self.known_at {
            let kind = kind(self.tables, actor, known_at)?;
            let of_a_state = kind == Some(ActorKind::State);
            if kind.is_some() && self.with_parts.unwrap_or(of_a_state) {
                speaking.extend(parts(self.tables, actor, known_at)?);
            }
        }
        speaking.sort_unstable();
        speaking.dedup();
        Ok(speaking)
    }

    /// Whether something bears on an actor, or on its parts if they speak, and a topic.
    fn bears_in_all(&self, actor: &Slug, topic: &Slug) -> Result<bool, FoldError> {
        if self.bears(actor, topic)? {
            return Ok(true);
        }
        for part in self.speaking_parts(actor)? {
            if self.bears(&part, topic)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn actors(
        self,
        topic: Slug,
        from: Option<Slug>,
    ) -> impl Iterator<Item = Result<Passed, FoldError>> + use<'t> {
        let mut heads = [
            Head::new(TOPICS, TOPICS.key().slug(&topic)),
            Head::new(PARTS, PARTS.key()),
        ];
        // Without parts, only those on the topic itself.
        let tables = if self.with_parts == Some(false) { 1 } else { 2 };
        let mut from = from;
        iter(move || {
            let heads = heads.iter_mut().take(tables);
            let Some(actor) = least(self.tables, heads, from.take().as_ref())? else {
                return Ok(None);
            };
            let bears = self.bears_in_all(&actor, &topic)?;
            let subject = bears.then(|| self.subject(actor.clone(), topic.clone()));
            Ok(Some((actor, subject)))
        })
    }

    fn topics(
        self,
        actor: Slug,
        from: Option<Slug>,
    ) -> Result<impl Iterator<Item = Result<Passed, FoldError>> + use<'t>, FoldError> {
        let mut bodies = self.speaking_parts(&actor)?;
        bodies.push(actor.clone());
        let head = |body: &Slug| Head::new(HEARD, HEARD.key().slug(body));
        let mut heads: Vec<Head> = bodies.iter().map(head).collect();
        let mut from = from;
        Ok(iter(move || {
            let Some(topic) = least(self.tables, heads.iter_mut(), from.take().as_ref())? else {
                return Ok(None);
            };
            let mut bears = false;
            for body in &bodies {
                bears = bears || self.bears(body, &topic)?;
            }
            let subject = bears.then(|| self.subject(actor.clone(), topic.clone()));
            Ok(Some((topic, subject)))
        }))
    }
}

/// Where a walk over the slugs that follow a prefix in a table's keys stands.
struct Head {
    table: Table,
    prefix: Key,
    next: Next,
}

/// The slug that comes next.
#[derive(PartialEq, Eq)]
enum Next {
    /// It was not looked up yet.
    Unknown,
    None,
    Slug(Slug),
}

impl Head {
    fn new(table: Table, prefix: Key) -> Self {
        Self {
            table,
            prefix,
            next: Next::Unknown,
        }
    }

    /// Looks up the first slug from `start` on.
    fn seek(&mut self, tables: &dyn Tables, start: Bound<&Key>) -> Result<(), FoldError> {
        let mut rows = tables.rows(start.map(Key::as_bytes), Order::Ascending);
        let key = rows.next().transpose()?.map(|(key, _)| key);
        let rest = key
            .as_ref()
            .and_then(|key| key.strip_prefix(self.prefix.as_bytes()));
        let slug = rest.map(|rest| Parts::new(self.table, rest).slug());
        self.next = slug.transpose()?.map_or(Next::None, Next::Slug);
        Ok(())
    }
}

/// The least slug of all heads, which go on beyond it. Those that stand nowhere yet begin at
/// `from`.
fn least<'h>(
    tables: &dyn Tables,
    heads: impl Iterator<Item = &'h mut Head>,
    from: Option<&Slug>,
) -> Result<Option<Slug>, FoldError> {
    let mut heads: Vec<&mut Head> = heads.collect();
    for head in &mut heads {
        if head.next == Next::Unknown {
            let prefix = head.prefix.clone();
            let start = match from {
                Some(slug) => prefix.slug(slug),
                None => prefix,
            };
            head.seek(tables, Bound::Included(&start))?;
        }
    }
    let slugs = heads.iter().filter_map(|head| match &head.next {
        Next::Slug(slug) => Some(slug),
        Next::Unknown | Next::None => None,
    });
    let Some(least) = slugs.min().cloned() else {
        return Ok(None);
    };
    for head in &mut heads {
        if matches!(&head.next, Next::Slug(slug) if *slug == least) {
            let beyond = head.prefix.clone().slug(&least).bytes(&BEYOND);
            head.seek(tables, Bound::Excluded(&beyond))?;
        }
    }
    Ok(Some(least))
}

fn iter<T>(
    mut next: impl FnMut() -> Result<Option<T>, FoldError>,
) -> impl Iterator<Item = Result<T, FoldError>> {
    std::iter::from_fn(move || next().transpose())
}
