//! Which positions an entry can have changed, so that whoever follows positions asks for those
//! alone: for every entry that bears on positions one row, written by the fold.
//!
//! What is done to a statement touches the pairs of actor and topic that the statement bears
//! on, and those of the bodies that the actor is part of. A revocation touches what rests on the
//! signatures that it takes back, a source's new version what is quoted from it, and who is
//! part of whom or speaks for whom whatever the body at hand is asked; of these the row says
//! what it is about, and the pairs are found when it is read.
//!
//! The invariant: a pair that is not named holds the same position at the entry's index as at
//! the next. A pair that is named may.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use serde::{Deserialize, Serialize};

use super::history::{Change, Pair, Tally};
use super::question::{kind, parts};
use super::verifiers::Number;
use super::{TALLIES, TOUCHED, WHOLES};
use crate::fold::{Changes, FoldError, Order, Tables};
use crate::projection::rows::Parts;
use crate::record::Slug;
use crate::record::proto::ActorKind;

/// What an entry touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Touch<'a> {
    /// A statement.
    Statement {
        /// How far the entry lies above the one that introduced it.
        above: u64,
        /// Whose signatures the entry brings.
        signers: Cow<'a, [Number]>,
        /// The sources of the words that the entry names.
        sources: Cow<'a, [u64]>,
        /// All that the statement bears on from the entry on, or did before, in order.
        pairs: Cow<'a, [Pair]>,
    },
    /// What this verifier signed from an entry on.
    Signatures { verifier: Number, from: u64 },
    /// What is quoted from the source that goes by this number.
    Source(u64),
    /// What these bodies are asked about these topics, or about any if none is named.
    Bodies {
        bodies: Vec<Slug>,
        topics: Vec<Slug>,
    },
}

fn touch(entry: u64, touch: &Touch<'_>, changes: &mut Changes) -> Result<(), FoldError> {
    let key = TOUCHED.key().index(entry).into_bytes();
    changes.insert(key, Some(TOUCHED.encode(touch)?));
    Ok(())
}

/// An entry does something to a statement that bears on `pairs`.
pub(super) fn statement(
    statement: u64,
    entry: u64,
    change: &Change,
    pairs: &[Pair],
    changes: &mut Changes,
) -> Result<(), FoldError> {
    let signers = match change {
        Change::Attested { verifiers, .. } => verifiers,
        other => other.signers(),
    };
    let sources = match (change, change.version()) {
        (_, Some(version)) => &version.said.sources[..],
        (Change::Evidenced { sources, .. }, None) => sources,
        _ => &[],
    };
    let statement = Touch::Statement {
        above: entry.saturating_sub(statement),
        signers: signers.into(),
        sources: sources.into(),
        pairs: pairs.into(),
    };
    touch(entry, &statement, changes)
}

/// The pairs that a statement bore on when it was recorded, in order.
pub(super) fn at_first(tables: &dyn Tables, statement: u64) -> Result<Vec<Pair>, FoldError> {
    match TOUCHED.get(tables, &TOUCHED.key().index(statement))? {
        Some(Touch::Statement { pairs, .. }) => Ok(pairs.into_owned()),
        _ => Err(TOUCHED.damaged()),
    }
}

/// A verifier's signatures from the entry `from` on do not count any more.
pub(super) fn signatures(
    entry: u64,
    verifier: Number,
    from: u64,
    changes: &mut Changes,
) -> Result<(), FoldError> {
    touch(entry, &Touch::Signatures { verifier, from }, changes)
}

/// A source has another version.
pub(super) fn source(entry: u64, number: u64, changes: &mut Changes) -> Result<(), FoldError> {
    touch(entry, &Touch::Source(number), changes)
}

/// An actor was part of the first of `wholes`, and is part of the second.
pub(super) fn part(
    entry: u64,
    part: &Slug,
    wholes: [Option<&Slug>; 2],
    changes: &mut Changes,
) -> Result<(), FoldError> {
    let [was, is] = wholes;
    if was == is {
        return Ok(());
    }
    let key = WHOLES.key().slug(part).index(entry).into_bytes();
    changes.insert(key, Some(WHOLES.encode(&is)?));
    let touched = Touch::Bodies {
        bodies: wholes.into_iter().flatten().cloned().collect(),
        topics: Vec::new(),
    };
    touch(entry, &touched, changes)
}

/// Who speaks for bodies, each with the only topics that it is about, has changed.
pub(super) fn voices<'a>(
    entry: u64,
    bodies: impl Iterator<Item = (&'a Slug, &'a [Slug])> + Clone,
    changes: &mut Changes,
) -> Result<(), FoldError> {
    let on_all = bodies.clone().any(|(_, topics)| topics.is_empty());
    let topics = bodies.clone().flat_map(|(_, topics)| topics);
    let topics: BTreeSet<&Slug> = topics.filter(|_| !on_all).collect();
    let bodies: BTreeSet<&Slug> = bodies.map(|(body, _)| body).collect();
    let touched = Touch::Bodies {
        bodies: bodies.into_iter().cloned().collect(),
        topics: topics.into_iter().cloned().collect(),
    };
    touch(entry, &touched, changes)
}

/// Which positions somebody follows.
#[derive(Clone, Debug)]
pub struct TouchedScope {
    /// Only this actor's.
    pub actor: Option<Slug>,
    /// Only on this topic.
    pub topic: Option<Slug>,
    /// Whether an actor's parts speak too. Left open, a state's do, and nobody else's.
    pub with_parts: Option<bool>,
    /// Whether it matters what a statement is quoted from.
    pub by_source: bool,
}

impl TouchedScope {
    fn has_topic(&self, topic: &Slug) -> bool {
        self.topic.as_ref().is_none_or(|it| it == topic)
    }

    fn has_actor(&self, actor: &Slug) -> bool {
        self.actor.as_ref().is_none_or(|it| it == actor)
    }
}

/// The entries of a range that bear on positions, in order, each with the pairs in `scope` whose
/// position it can have changed. All of the range must have been folded.
pub fn touched<'a>(
    tables: &'a dyn Tables,
    scope: &'a TouchedScope,
    entries: Range<u64>,
) -> impl Iterator<Item = Result<(u64, BTreeSet<Pair>), FoldError>> + use<'a> {
    rows(tables, entries).map(move |row| {
        let (entry, touch) = row?;
        let mut reach = Reach {
            tables,
            scope,
            entry,
            pairs: BTreeSet::new(),
        };
        reach.take(&touch)?;
        Ok((entry, reach.pairs))
    })
}

/// What the entries of a range touch.
fn rows(
    tables: &dyn Tables,
    entries: Range<u64>,
) -> impl Iterator<Item = Result<(u64, Touch<'static>), FoldError>> + use<'_> {
    let first = TOUCHED.key().index(entries.start).into_bytes();
    let table = TOUCHED.key().into_bytes();
    let rows = tables.rows(Bound::Included(&first), Order::Ascending);
    let rows = rows.map(move |row| {
        let (key, value) = row?;
        let Some(rest) = key.strip_prefix(&table[..]) else {
            return Ok(None);
        };
        let entry = Parts::new(TOUCHED, rest).index()?;
        if entry >= entries.end {
            return Ok(None);
        }
        Ok(Some((entry, TOUCHED.decode(&value)?)))
    });
    rows.map_while(Result::transpose)
}

/// The pairs that one entry reaches.
struct Reach<'a> {
    tables: &'a dyn Tables,
    scope: &'a TouchedScope,
    entry: u64,
    pairs: BTreeSet<Pair>,
}

impl Reach<'_> {
    fn take(&mut self, touch: &Touch<'_>) -> Result<(), FoldError> {
        match touch {
            Touch::Statement { pairs, .. } => self.bearing(pairs),
            Touch::Signatures { verifier, from } => self.resting(
                *from,
                |it| matches!(it, Touch::Statement { signers, .. } if signers.contains(verifier)),
            ),
            Touch::Source(number) if self.scope.by_source => self.resting(
                *number,
                |it| matches!(it, Touch::Statement { sources, .. } if sources.contains(number)),
            ),
            Touch::Source(_) => Ok(()),
            Touch::Bodies { bodies, topics } => self.asked(bodies, topics),
        }
    }

    /// What a statement on these pairs bears on.
    fn bearing(&mut self, pairs: &[Pair]) -> Result<(), FoldError> {
        for pair in pairs.iter().filter(|it| self.scope.has_topic(&it.topic)) {
            for actor in self.asked_with(&pair.actor, self.entry)? {
                self.add(&actor, &pair.topic);
            }
        }
        Ok(())
    }

    /// What the statements bear on to which, from an entry on, something `telling` was done: of
    /// each what its newest row names, which is all that it ever bore on.
    fn resting(
        &mut self,
        from: u64,
        telling: impl Fn(&Touch<'_>) -> bool,
    ) -> Result<(), FoldError> {
        let mut resting: BTreeMap<u64, Vec<Pair>> = BTreeMap::new();
        for row in rows(self.tables, from..self.entry) {
            let (entry, touch) = row?;
            let is_telling = telling(&touch);
            let Touch::Statement { above, pairs, .. } = touch else {
                continue;
            };
            let statement = entry.saturating_sub(above);
            if is_telling || resting.contains_key(&statement) {
                resting.insert(statement, pairs.into_owned());
            }
        }
        let pairs: BTreeSet<Pair> = resting.into_values().flatten().collect();
        self.bearing(&pairs.into_iter().collect::<Vec<_>>())
    }

    /// What these bodies, and those that they are part of, are asked.
    fn asked(&mut self, bodies: &[Slug], topics: &[Slug]) -> Result<(), FoldError> {
        let mut asked = BTreeSet::new();
        for body in bodies {
            for known_at in self.around() {
                asked.extend(self.asked_with(body, known_at)?);
            }
        }
        for actor in asked.iter().filter(|actor| self.scope.has_actor(actor)) {
            let on = self.topics_of(actor)?;
            let on = on
                .iter()
                .filter(|it| topics.is_empty() || topics.contains(it));
            for topic in on.filter(|topic| self.scope.has_topic(topic)) {
                self.add(actor, topic);
            }
        }
        Ok(())
    }

    /// The sizes of the ledger before the entry and with it.
    fn around(&self) -> [u64; 2] {
        [self.entry, self.entry.saturating_add(1)]
    }

    fn add(&mut self, actor: &Slug, topic: &Slug) {
        if self.scope.has_actor(actor) && self.scope.has_topic(topic) {
            self.pairs.insert(Pair {
                actor: actor.clone(),
                topic: topic.clone(),
            });
        }
    }

    /// The topics on which something bears that `actor`, with its parts if they speak, is asked
    /// about.
    fn topics_of(&self, actor: &Slug) -> Result<BTreeSet<Slug>, FoldError> {
        let mut asked = BTreeSet::from([actor.clone()]);
        if self.has_parts(actor)? {
            for known_at in self.around() {
                asked.extend(parts(self.tables, actor, known_at)?);
            }
        }
        let mut topics = BTreeSet::new();
        for body in &asked {
            for row in TALLIES.scan::<Tally>(self.tables, &TALLIES.key().slug(body)) {
                let (key, _) = row?;
                topics.insert(Parts::new(TALLIES, &key).slug()?);
            }
        }
        Ok(topics)
    }

    /// Whose position it bears on what `actor` says: its own, and that of every body which it
    /// is part of and which is asked with its parts.
    fn asked_with(&self, actor: &Slug, known_at: u64) -> Result<Vec<Slug>, FoldError> {
        let mut asked = vec![actor.clone()];
        if self.scope.with_parts == Some(false) || self.scope.actor.as_ref() == Some(actor) {
            return Ok(asked);
        }
        let mut seen = BTreeSet::from([actor.clone()]);
        let mut next = self.whole(actor, known_at)?;
        // Each is visited once, so that even a circle of parts has an end.
        while let Some(whole) = next.filter(|whole| seen.insert(whole.clone())) {
            next = self.whole(&whole, known_at)?;
            if self.has_parts(&whole)? {
                asked.push(whole);
            }
        }
        Ok(asked)
    }

    /// What an actor is part of.
    fn whole(&self, part: &Slug, known_at: u64) -> Result<Option<Slug>, FoldError> {
        let mut rows = WHOLES.below(self.tables, &WHOLES.key().slug(part), known_at);
        let newest: Option<(_, Option<Slug>)> = rows.next().transpose()?;
        Ok(newest.and_then(|(_, whole)| whole))
    }

    /// Whether an actor is asked with its parts.
    fn has_parts(&self, actor: &Slug) -> Result<bool, FoldError> {
        match self.scope.with_parts {
            Some(with_parts) => Ok(with_parts),
            None => Ok(kind(self.tables, actor, u64::MAX)? == Some(ActorKind::State)),
        }
    }
}
