//! The ids of what is defined, in order, from any of them on.
//!
//! A walk goes from id to id and reads one row of each, however many versions it has. It comes
//! past everything that was ever defined: whoever lists asks of each whether it stands.

use std::ops::Bound;

use super::{ACTORS, ENROLMENTS, MANDATES, MANDATES_FOR, MANDATES_OF, MILESTONES, SOURCES, TOPICS};
use crate::fold::{FoldError, Order, Tables};
use crate::projection::rows::{Key, Parts, Table};
use crate::record::{ContentId, Slug, VerifierKey};

/// Beyond everything that can follow a table's or an actor's part of a key: an id of 32 bytes,
/// or a slug, and an index.
const BEYOND: [u8; 40] = [u8::MAX; 40];

/// Ids, as they are read.
pub type Ids<'t, I> = Box<dyn Iterator<Item = Result<I, FoldError>> + 't>;

/// Actors, by slug.
pub fn actor_ids<'t>(tables: &'t dyn Tables, from: Option<&Slug>, order: Order) -> Ids<'t, Slug> {
    ids(tables, ACTORS, ACTORS.key(), from, order)
}

/// Mandates, by slug: those of a person or else those for an organisation, if one is given.
pub fn mandate_ids<'t>(
    tables: &'t dyn Tables,
    person: Option<&Slug>,
    organization: Option<&Slug>,
    from: Option<&Slug>,
    order: Order,
) -> Ids<'t, Slug> {
    let (table, prefix) = match (person, organization) {
        (Some(person), _) => (MANDATES_OF, MANDATES_OF.key().slug(person)),
        (None, Some(body)) => (MANDATES_FOR, MANDATES_FOR.key().slug(body)),
        (None, None) => (MANDATES, MANDATES.key()),
    };
    ids(tables, table, prefix, from, order)
}

/// Topics, by slug.
pub fn topic_ids<'t>(tables: &'t dyn Tables, from: Option<&Slug>, order: Order) -> Ids<'t, Slug> {
    ids(tables, TOPICS, TOPICS.key(), from, order)
}

/// Milestones, by slug.
pub fn milestone_ids<'t>(
    tables: &'t dyn Tables,
    from: Option<&Slug>,
    order: Order,
) -> Ids<'t, Slug> {
    ids(tables, MILESTONES, MILESTONES.key(), from, order)
}

/// Sources, by id.
pub fn source_ids<'t>(
    tables: &'t dyn Tables,
    from: Option<&ContentId>,
    order: Order,
) -> Ids<'t, ContentId> {
    ids(tables, SOURCES, SOURCES.key(), from, order)
}

/// Verifiers, by key.
pub fn verifier_ids<'t>(
    tables: &'t dyn Tables,
    from: Option<&VerifierKey>,
    order: Order,
) -> Ids<'t, VerifierKey> {
    ids(tables, ENROLMENTS, ENROLMENTS.key(), from, order)
}

/// What versions go by.
trait Id: Sized {
    /// A key, followed by the id.
    fn after(&self, key: Key) -> Key;

    /// The id that comes next in a key.
    fn next(parts: &mut Parts<'_>, table: Table) -> Result<Self, FoldError>;
}

impl Id for Slug {
    fn after(&self, key: Key) -> Key {
        key.slug(self)
    }

    fn next(parts: &mut Parts<'_>, _: Table) -> Result<Self, FoldError> {
        parts.slug()
    }
}

impl Id for ContentId {
    fn after(&self, key: Key) -> Key {
        key.bytes(self.as_bytes())
    }

    fn next(parts: &mut Parts<'_>, _: Table) -> Result<Self, FoldError> {
        parts.array::<32>().map(Self::from)
    }
}

impl Id for VerifierKey {
    fn after(&self, key: Key) -> Key {
        key.bytes(self.as_bytes())
    }

    fn next(parts: &mut Parts<'_>, table: Table) -> Result<Self, FoldError> {
        let bytes = parts.array::<32>()?;
        Self::check(&bytes).map_err(|_| table.damaged())
    }
}

/// The ids that follow `prefix` in the keys of a table, from one of them on.
fn ids<'t, I: Id + 't>(
    tables: &'t dyn Tables,
    table: Table,
    prefix: Key,
    from: Option<&I>,
    order: Order,
) -> Ids<'t, I> {
    let rows_of = |id: &I| id.after(prefix.clone());
    let mut start = match (from, order) {
        (None, Order::Ascending) => Bound::Included(prefix.clone()),
        (None, Order::Descending) => Bound::Excluded(prefix.clone().bytes(&BEYOND)),
        (Some(id), Order::Ascending) => Bound::Included(rows_of(id)),
        (Some(id), Order::Descending) => Bound::Excluded(rows_of(id).index(u64::MAX)),
    };
    let mut next = move || {
        let mut rows = tables.rows(start.as_ref().map(Key::as_bytes), order);
        let Some((key, _)) = rows.next().transpose()? else {
            return Ok(None);
        };
        let Some(rest) = key.strip_prefix(prefix.as_bytes()) else {
            return Ok(None);
        };
        let id = I::next(&mut Parts::new(table, rest), table)?;
        let rows_of_it = id.after(prefix.clone());
        start = Bound::Excluded(match order {
            Order::Ascending => rows_of_it.index(u64::MAX),
            Order::Descending => rows_of_it,
        });
        Ok(Some(id))
    };
    Box::new(std::iter::from_fn(move || next().transpose()))
}
