//! Positions as they change: for every entry, in the order of the ledger, each position that it
//! leaves other than it was, with what it was.
//!
//! A watch is a place in the ledger that moves forwards, as a subscription to entries is, and
//! shares its bounds, its line and its end. What an entry can have changed is known from the
//! projection; each of these positions is asked for at the entry's index and at the next, and
//! told if the two differ. So nothing is skipped, however much is read at once, and what is told
//! follows from the ledger and the request alone. That holds of the filter, too: a verifier that
//! it names goes by a number from its first signature on, and is looked up again for every turn.
//!
//! Work is done in turns of bounded length, one after the other and [`TURNS_MAX`] at a time.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use prost::Message as _;
use tokio::sync::Semaphore;

use super::{Evidence, Positions, terms};
use crate::position::{Question, compare, position};
use crate::projection::catalog;
use crate::projection::positions::{self, Pair, Subject, Terms, TouchedScope, touched};
use crate::record::{RecordKind, Slug};
use crate::rpc::convert::positions as convert;
use crate::rpc::proto::{
    Head, PositionFilter, WatchPositionsRequest, WatchPositionsResponse, WatchedPosition,
};
use crate::rpc::subscription::{Ended, Follow, Line, Outgoing, follow};
use crate::rpc::views::{Known, KnownAt, View};
use crate::rpc::{Failure, Reason, blocking_in_turn, parse};

/// How many watches work at a time: as many as the smallest machines have cores, so that plain
/// questions still get their share. The others wait.
const TURNS_MAX: usize = 2;

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(TURNS_MAX)));

/// A turn ends once so many positions were compared: twice a question each, some 10 ms.
const COMPARED_MAX: usize = 32;

/// A turn ends once so many entries were passed over: at 2 µs each some 8 ms.
const PASSED_MAX: usize = 4_096;

/// The most testimonies in each list of a position that is told, as the proto promises.
const LIST_MAX: usize = 10;

/// Begins to watch.
pub async fn open(
    positions: Positions,
    request: WatchPositionsRequest,
) -> Result<Outgoing<WatchPositionsResponse>, Failure> {
    let next = positions.subscriptions.beginning(request.start)?;
    let size = positions.subscriptions.ledger().head().size;
    // What the ledger held is what a request can name, wherever it begins.
    let known = positions
        .known(KnownAt::new("start", None, None), size)
        .await?;
    let question = Watched::of(positions.clone(), &request, &known)?;
    // A mistake in the filter is told at once.
    question.terms(&known)?;
    let (line, outgoing) = positions.subscriptions.line()?;
    let watch = Watch {
        question: Arc::new(question),
        place: Place {
            next,
            after: request.after.as_ref().map(pair).transpose()?,
            left: None,
        },
        behind: Some(size),
        line,
    };
    tokio::spawn(follow(watch, positions.subscriptions.stopping()));
    Ok(outgoing)
}

fn pair(watched: &WatchedPosition) -> Result<Pair, Failure> {
    Ok(Pair {
        actor: parse("after.actor", &watched.actor)?,
        topic: parse("after.topic", &watched.topic)?,
    })
}

/// Whether it matters to a filter what a statement is quoted from.
fn names_sources(filter: &PositionFilter) -> bool {
    !filter.source_roles.is_empty()
        || !filter.publishers.is_empty()
        || filter.derived_excluded
        || !filter.published_by.is_empty()
}

/// One watch.
struct Watch {
    question: Arc<Watched>,
    place: Place,
    /// The size of the ledger when it began, until that has been considered.
    behind: Option<u64>,
    line: Line<WatchPositionsResponse>,
}

/// How far the ledger has been considered.
#[derive(Clone, Default)]
struct Place {
    /// Everything below has been considered, and put on its way.
    next: u64,
    /// Of what the entry at `next` changed, the last that was.
    after: Option<Pair>,
    /// What that entry can have changed besides, if it is known.
    left: Option<VecDeque<Pair>>,
}

impl Place {
    fn at(next: u64) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }
}

impl Follow for Watch {
    type Message = WatchPositionsResponse;

    /// Takes a turn at the entries that the projections have read, or waits for one more.
    async fn go_on(&mut self) -> Result<(), Ended> {
        let known = self.question.read(self.place.next).await?;
        if self.place.next >= known.size() {
            return self.wait(&known).await;
        }
        let question = Arc::clone(&self.question);
        let left = self.place.left.take();
        let place = Place {
            left,
            ..self.place.clone()
        };
        let read = known.clone();
        let turn = blocking_in_turn(&TURNS, move || question.turn(place, &read));
        let turn = tokio::select! {
            turn = turn => turn.map_err(Ended::Failed)?,
            () = self.line.gone() => return Err(Ended::Gone),
        };
        for (index, pair, message) in turn.changes {
            let bytes = message.encoded_len();
            self.line.send(message, bytes).await?;
            self.place = Place {
                next: index,
                after: Some(pair),
                left: None,
            };
        }
        self.place = turn.place;
        if self.line.is_silent() {
            self.send_heartbeat(&known).await?;
        }
        Ok(())
    }

    fn next(&self) -> u64 {
        self.place.next
    }

    fn into_line(self) -> Line<WatchPositionsResponse> {
        self.line
    }
}

impl Watch {
    /// Waits for an entry after those that were considered.
    async fn wait(&mut self, known: &Known) -> Result<(), Ended> {
        if self.behind.is_some_and(|size| size <= self.place.next) {
            self.behind = None;
            let message = WatchPositionsResponse {
                caught_up: Some(View::head(known)),
                ..WatchPositionsResponse::default()
            };
            self.line.send(message, 0).await?;
        }
        let question = Arc::clone(&self.question);
        tokio::select! {
            read = question.read(self.place.next.saturating_add(1)) => read.map(drop),
            () = self.line.gone() => Err(Ended::Gone),
            () = self.line.silence() => self.send_heartbeat(known).await,
        }
    }

    async fn send_heartbeat(&mut self, known: &Known) -> Result<(), Ended> {
        let size = self.place.next;
        let head = if size == known.size() {
            View::head(known)
        } else {
            Head {
                size,
                ..Head::default()
            }
        };
        let message = WatchPositionsResponse {
            heartbeat: Some(head),
            ..WatchPositionsResponse::default()
        };
        self.line.send(message, 0).await
    }
}

/// What is watched, on whose terms.
struct Watched {
    positions: Positions,
    request: WatchPositionsRequest,
    scope: TouchedScope,
    /// The exclusive end of valid time, if the request has one.
    as_of: Option<i64>,
    /// How much was known when the watch began, by which the request is read. Not the tables of
    /// then, which others may replace while it lasts.
    known_at: u64,
}

/// What a turn found.
struct Turn {
    changes: Vec<(u64, Pair, WatchPositionsResponse)>,
    /// How far it came.
    place: Place,
}

impl Watched {
    fn of(
        positions: Positions,
        request: &WatchPositionsRequest,
        known: &Known,
    ) -> Result<Self, Failure> {
        let slug = |field: &str, text: &str| -> Result<Option<Slug>, Failure> {
            let given = (!text.is_empty()).then(|| parse(field, text));
            given.transpose()
        };
        let as_of = match &request.as_of[..] {
            "" => None,
            date => Some(super::date("asOf", date)?.latest),
        };
        let scope = TouchedScope {
            actor: slug("actor", &request.actor)?,
            topic: slug("topic", &request.topic)?,
            with_parts: request.with_parts,
            by_source: request.filter.as_ref().is_some_and(names_sources),
        };
        let catalog = positions.views.catalog.tables();
        let unknown = |reason, field, id: &Slug| {
            let (known_at, size) = (known.known_at, known.size());
            let views = &positions.views;
            views.unknown(reason, field, id.as_str(), known_at, size)
        };
        if let Some(actor) = &scope.actor
            && catalog::actor(catalog, actor, known.known_at)?.is_none()
        {
            return Err(unknown(Reason::UnknownActor, "actor", actor));
        }
        if let Some(topic) = &scope.topic
            && catalog::topic(catalog, topic, known.known_at)?.is_none()
        {
            return Err(unknown(Reason::UnknownTopic, "topic", topic));
        }
        Ok(Self {
            positions,
            request: request.clone(),
            scope,
            as_of,
            known_at: known.known_at,
        })
    }

    fn terms(&self, known: &Known) -> Result<Terms, Failure> {
        let filter = self.request.filter.as_ref();
        let known = known.at(self.known_at);
        terms(&self.positions.views, "filter", filter, &known)
    }

    /// How much has been read by all that a position is told from, once that is `size` entries.
    async fn read(&self, size: u64) -> Result<Known, Ended> {
        let views = &self.positions.views;
        let catalog = views.catalog.follow(size).await.map_err(Ended::Failed)?;
        let known = views.positions.follow(size).await.map_err(Ended::Failed)?;
        if catalog.size() >= known.size() {
            return Ok(known);
        }
        // Both read the same ledger.
        views
            .catalog
            .follow(known.size())
            .await
            .map_err(Ended::Failed)?;
        Ok(known)
    }

    /// Considers some of the entries from `place` on, of those that are `known`.
    fn turn(&self, place: Place, known: &Known) -> Result<Turn, Failure> {
        let terms = self.terms(known)?;
        let mut turn = Turn {
            changes: Vec::new(),
            place,
        };
        let mut compared = 0;
        if let Some(mut left) = turn.place.left.take() {
            compared += self.compare(&mut turn, &mut left, &terms, known, COMPARED_MAX)?;
            if !left.is_empty() {
                turn.place.left = Some(left);
                return Ok(turn);
            }
            turn.place = Place::at(turn.place.next.saturating_add(1));
        }
        let tables = known.tables();
        let entries = turn.place.next..known.size();
        for (passed, row) in touched(tables, &self.scope, entries).enumerate() {
            let (entry, pairs) = row?;
            if entry > turn.place.next {
                turn.place = Place::at(entry);
            }
            if passed >= PASSED_MAX || compared >= COMPARED_MAX {
                return Ok(turn);
            }
            let after = turn.place.after.as_ref();
            let left = pairs.into_iter().filter(|pair| Some(pair) > after);
            let mut left: VecDeque<Pair> = left.collect();
            let more = COMPARED_MAX.saturating_sub(compared);
            compared += self.compare(&mut turn, &mut left, &terms, known, more)?;
            if !left.is_empty() {
                turn.place.left = Some(left);
                return Ok(turn);
            }
            turn.place = Place::at(entry.saturating_add(1));
        }
        turn.place = Place::at(known.size());
        Ok(turn)
    }

    /// Compares the first of the positions that are left of what the entry at hand can have
    /// changed, at most `most`. Gives how many they were.
    fn compare(
        &self,
        turn: &mut Turn,
        left: &mut VecDeque<Pair>,
        terms: &Terms,
        known: &Known,
        most: usize,
    ) -> Result<usize, Failure> {
        let entry = turn.place.next;
        let count = left.len().min(most);
        for pair in left.drain(..count) {
            if let Some(change) = self.change(&pair, terms, entry, known)? {
                turn.changes.push((entry, pair.clone(), change));
            }
            turn.place.after = Some(pair);
        }
        Ok(count)
    }

    /// What an entry changes about a position; none if it leaves it as it was.
    fn change(
        &self,
        pair: &Pair,
        terms: &Terms,
        entry: u64,
        known: &Known,
    ) -> Result<Option<WatchPositionsResponse>, Failure> {
        let subject = Subject {
            actor: pair.actor.clone(),
            topic: pair.topic.clone(),
            with_parts: self.scope.with_parts,
        };
        let views = &self.positions.views;
        let at = |known_at| positions::collect(known.tables(), &subject, terms, known_at);
        let known = known.at(entry.saturating_add(1));
        let after = Evidence::collect(&subject, terms, &known)?;
        let Some(after) = after.filter(|it| it.collected.has_voice()) else {
            return Ok(None);
        };
        let before = at(entry)?;
        let testimonies = before.as_ref().map_or(&[][..], |it| &it.testimonies);
        let question = Question {
            as_of: self.as_of.unwrap_or(i64::MAX),
            has_voice: true,
        };
        let was = position(testimonies, question, 0);
        let is = position(&after.collected.testimonies, question, LIST_MAX);
        if !is.differs_from(&was) {
            return Ok(None);
        }
        let comparison = compare(&was.decision(), &is.decision());
        let comparison = convert::comparison(&comparison, None);
        let brief = convert::brief(before.as_ref(), &was);
        let message = WatchPositionsResponse {
            position: Some(after.message(&is, views)?),
            comparison: Some(comparison),
            basis: Some(views.positions.basis(&known, self.as_of)),
            before: Some(brief),
            ..WatchPositionsResponse::default()
        };
        self.brought(entry, message).map(Some)
    }

    /// Says by which entry a change was brought.
    fn brought(
        &self,
        index: u64,
        message: WatchPositionsResponse,
    ) -> Result<WatchPositionsResponse, Failure> {
        let entry = self.positions.subscriptions.ledger().entry(index)?;
        let entry = entry.ok_or_else(|| Failure::defect(format!("entry {index} was read")))?;
        let kind = entry.record.kind.as_ref();
        Ok(WatchPositionsResponse {
            index,
            record: entry.record_id.to_string(),
            record_kind: kind
                .map_or("", |kind| RecordKind::from(kind).name())
                .to_owned(),
            recorded_at: Some(entry.recorded_at.to_timestamp()),
            ..message
        })
    }
}
