//! An actor's position on a topic as of a date, from as few statements as it takes.

use super::history::Pair;
use super::index::{Exact, pick};
use super::question::{Bench, Collected, Subject};
use super::terms::Terms;
use crate::fold::{FoldError, Tables};
use crate::position::{Position, Question, position};

/// What a position is made of.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was read: everything that bears on the question, or as much of it as makes the
    /// position.
    pub collected: Collected,
    as_of: i64,
    page: usize,
    /// What the part that was read does not tell, if it is a part.
    pub exact: Option<Exact>,
}

impl Answer {
    /// The position.
    #[must_use]
    pub fn position(&self) -> Position<'_> {
        let question = Question {
            as_of: self.as_of,
            has_voice: self.collected.has_voice(),
        };
        let mut position = position(&self.collected.testimonies, question, self.page);
        if let Some(exact) = &self.exact {
            exact.complete(&mut position, &self.collected);
        }
        position
    }
}

/// What makes the position at the exclusive end `as_of` of valid time, as the entries below
/// `known_at` are read on these terms, each list in it of at most `page` items; none if the
/// actor is not on record.
pub fn answer(
    tables: &dyn Tables,
    subject: &Subject,
    terms: &Terms,
    known_at: u64,
    (as_of, page): (i64, usize),
) -> Result<Option<Answer>, FoldError> {
    let Some(mut bench) = Bench::new(tables, subject, terms, known_at)? else {
        return Ok(None);
    };
    let pair = Pair {
        actor: subject.actor.clone(),
        topic: subject.topic.clone(),
    };
    let picked = pick(&mut bench, &pair, (as_of, page))?;
    let (collected, exact) = match picked {
        Some((heard, exact)) => (bench.collected(heard, 0), Some(exact)),
        None => (bench.collect()?, None),
    };
    Ok(Some(Answer {
        collected,
        as_of,
        page,
        exact,
    }))
}
