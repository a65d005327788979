//! Pages of overviews: what is asked on the first page is fixed for all of them, and a page does
//! no more than its share of work.
//!
//! A page's token says where the next begins and as of when, by how much of the ledger, the
//! first was answered. So an overview "now" is of one moment, however long somebody turns its
//! pages.

use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

use prost::Message;

use super::{Positions, subject};
use crate::projection::catalog;
use crate::projection::positions::{self, Collected, Scope, Subject};
use crate::record::Slug;
use crate::rpc::page::{Opened, Page, PagedRequest, SIZE_MAX};
use crate::rpc::views::{Known, KnownAt};
use crate::rpc::{Failure, Reason, blocking_in_turn, parse};

/// The most actors or topics that are looked at for one page: as many as it can have, and as
/// many again of which nothing is told.
const LOOKS_MAX: usize = 2 * SIZE_MAX;

/// The readings after which a page ends early, at some 30 µs each. A single question is answered
/// whole all the same.
const READINGS_MAX: usize = 50_000;

/// Where a page begins, and what the first page fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    /// The exclusive end of valid time.
    as_of: i64,
    /// By how much of the ledger the earlier of two positions is known.
    from_known_at: u64,
    /// The actor or topic to go on with; none if the list is about one question alone.
    next: Option<Slug>,
    /// How many of its items stand on pages before.
    skip: usize,
}

impl Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.next.as_ref().map_or("", Slug::as_str);
        let (as_of, known_at, skip) = (self.as_of, self.from_known_at, self.skip);
        write!(f, "{as_of}.{known_at}.{skip}.{next}")
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(4, '.');
        let mut part = || parts.next().ok_or("a part is missing");
        Ok(Self {
            as_of: part()?.parse().map_err(|_| "no date")?,
            from_known_at: part()?.parse().map_err(|_| "no size")?,
            skip: part()?.parse().map_err(|_| "no number")?,
            next: match part()? {
                "" => None,
                slug => Some(slug.parse().map_err(|_| "no slug")?),
            },
        })
    }
}

/// A page of an overview as it is asked for.
pub(super) struct Asked {
    /// How many items at most.
    pub(super) size: usize,
    /// The exclusive end of valid time.
    pub(super) as_of: i64,
    /// By how much of the ledger it is answered.
    pub(super) known: Known,
    /// By how much of the ledger the earlier of two positions is.
    pub(super) from_known: Known,
    /// The actor or topic that the page begins with.
    next: Option<Slug>,
    /// How many of the first question's items stand on pages before.
    skip: usize,
    opened: Opened<Cursor>,
}

impl Asked {
    /// The items of a list about one question that this page has: as many as there is room for,
    /// of `total`.
    pub(super) fn range(&self, total: usize) -> Range<usize> {
        let start = self.skip.min(total);
        start
            ..self
                .skip
                .saturating_add(self.size)
                .saturating_add(1)
                .min(total)
    }

    /// The token of the page that goes on with the item of this number.
    pub(super) fn token(&self, next: Option<(Option<Slug>, usize)>) -> String {
        let cursor = next.map(|(next, skip)| Cursor {
            as_of: self.as_of,
            from_known_at: self.from_known.known_at,
            next,
            skip,
        });
        self.opened.token(self.known.known_at, cursor.as_ref())
    }

    /// The page of a list about one question.
    pub(super) fn page<T: Message>(
        &self,
        total: usize,
        item: impl Fn(usize) -> Option<T>,
    ) -> (Vec<T>, String) {
        let mut page = Page::new(self.size);
        for number in self.range(total) {
            if let Some(item) = item(number)
                && !page.add(number, item)
            {
                break;
            }
        }
        let token = self.token(page.next.map(|next| (None, next)));
        (page.items, token)
    }
}

/// What one question adds to a page.
pub(super) struct Share<T> {
    /// Its items: those of the range that was asked for.
    pub(super) items: Vec<T>,
    /// How many readings were heard for them.
    pub(super) readings: usize,
}

/// How many statements were read to collect this.
pub(super) fn readings(collected: &Collected) -> usize {
    let besides = collected.filtered().saturating_add(collected.repeated);
    let besides = usize::try_from(besides).unwrap_or(usize::MAX);
    collected.testimonies.len().saturating_add(besides)
}

impl Positions {
    /// Reads what a page is asked for, as of the date in a field, and waits until it can be
    /// answered. `from` is by how much of the ledger the earlier of two positions is asked for;
    /// left open, it is known as the later one is.
    pub(super) async fn asked(
        &self,
        request: &impl PagedRequest,
        as_of: (&str, &str),
        known_at: KnownAt<'_>,
        from: Option<KnownAt<'_>>,
    ) -> Result<Asked, Failure> {
        let opened = Opened::<Cursor>::read(request, self.reader.origin())?;
        let size = request.at_least_size();
        let (known, from_known, cursor) = if let Some((known_at, cursor)) = &opened.resumed {
            let fixed = |size| KnownAt::size("pageToken", size);
            let known = self.known(fixed(*known_at), size).await?;
            let from = self.known(fixed(cursor.from_known_at), size).await?;
            (known, from, cursor.clone())
        } else {
            let as_of = self.end_of(as_of.0, as_of.1)?;
            let open = known_at.is_open();
            let known = self.known(known_at, size).await?;
            let from = match from {
                Some(from) if !(from.is_open() && open) => self.known(from, size).await?,
                _ => known.clone(),
            };
            let cursor = Cursor {
                as_of,
                from_known_at: from.known_at,
                next: None,
                skip: 0,
            };
            (known, from, cursor)
        };
        Ok(Asked {
            size: opened.size,
            as_of: cursor.as_of,
            known,
            from_known,
            next: cursor.next,
            skip: cursor.skip,
            opened,
        })
    }

    /// Does a page's work once it is its turn.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let service = self.clone();
        blocking_in_turn(&self.pages, move || work(&service)).await
    }

    /// Fills a page with what the questions of a scope add: `share` gives the items of a range
    /// among a question's.
    pub(super) fn fill<T: Message>(
        &self,
        asked: &Asked,
        scope: &Scope,
        mut share: impl FnMut(&Subject, Range<usize>) -> Result<Share<T>, Failure>,
    ) -> Result<(Vec<T>, String), Failure> {
        let known_at = [asked.known.known_at, asked.from_known.known_at];
        self.check(scope, &asked.known, known_at.into_iter().max().unwrap_or(0))?;
        let tables = asked.known.newer(&asked.from_known).tables();
        let walk = positions::subjects(tables, scope, asked.next.clone(), &known_at)?;
        let mut page = Page::new(asked.size);
        let mut left = READINGS_MAX;
        for (looked, passed) in walk.enumerate() {
            let (id, subject) = passed?;
            if looked >= LOOKS_MAX || left == 0 {
                page.next = Some((id, 0));
                break;
            }
            let Some(subject) = subject else {
                continue;
            };
            let skip = if looked == 0 && asked.next.as_ref() == Some(&id) {
                asked.skip
            } else {
                0
            };
            let room = asked.size - page.items.len() + 1;
            let Share { items, readings } = share(&subject, skip..skip.saturating_add(room))?;
            left = left.saturating_sub(readings);
            let mut numbered = (skip..).zip(items);
            if numbered.any(|(number, item)| !page.add((id.clone(), number), item)) {
                break;
            }
        }
        let token = asked.token(page.next.map(|(next, skip)| (Some(next), skip)));
        Ok((page.items, token))
    }

    /// Refuses a scope that names what is not on record.
    fn check(&self, scope: &Scope, known: &Known, known_at: u64) -> Result<(), Failure> {
        let tables = self.views.catalog.tables();
        let unknown = |reason, field, id: &Slug| {
            self.views
                .unknown(reason, field, id.as_str(), known_at, known.size())
        };
        if let Some(actor) = &scope.actor
            && catalog::actor(tables, actor, known_at)?.is_none()
        {
            return Err(unknown(Reason::UnknownActor, "actor", actor));
        }
        if let Some(topic) = &scope.topic
            && catalog::topic(tables, topic, known_at)?.is_none()
        {
            return Err(unknown(Reason::UnknownTopic, "topic", topic));
        }
        Ok(())
    }
}

/// Everybody on a topic, an actor on all topics, or one question.
pub(super) fn scope(actor: &str, topic: &str, with_parts: Option<bool>) -> Result<Scope, Failure> {
    if actor.is_empty() && topic.is_empty() {
        return Err(Failure::invalid(
            "topic",
            "neither a topic nor an actor is given",
            "a topic for everybody on it, an actor for all topics, or both",
        ));
    }
    if !actor.is_empty() && !topic.is_empty() {
        let one = subject(actor, topic, with_parts)?;
        return Ok(Scope {
            actor: Some(one.actor),
            topic: Some(one.topic),
            with_parts,
        });
    }
    let given = |field, text: &str| (!text.is_empty()).then(|| parse(field, text)).transpose();
    Ok(Scope {
        actor: given("actor", actor)?,
        topic: given("topic", topic)?,
        with_parts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::page::NEXT_BYTES_MAX;

    #[test]
    fn a_cursor_is_read_back_and_fits_into_a_token() {
        let longest = Cursor {
            as_of: -62_167_219_200,
            from_known_at: u64::MAX,
            next: Some("a".repeat(64).parse().unwrap()),
            skip: usize::MAX,
        };
        let plain = Cursor {
            as_of: 253_402_300_800,
            from_known_at: 7,
            next: None,
            skip: 0,
        };
        for cursor in [longest, plain] {
            let text = cursor.to_string();
            assert!(text.len() <= NEXT_BYTES_MAX, "{text}");
            assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        }
        for text in ["", "1.2.3", "x.2.3.", "1.2.3.No Slug"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
