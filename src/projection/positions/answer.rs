//! An actor's position on a topic as of a date, from as few statements as it takes: all of a
//! short history, which is read in one go, or those that the index finds in a long one.

use super::history::Pair;
use super::index::{Exact, pick};
use super::pair_rows::{Histories, PairRows};
use super::question::{Bench, Collected, Subject};
use super::terms::Terms;
use crate::fold::{FoldError, Tables};
use crate::position::{Position, Question, position};

/// The most rows of a pair that are read at once where the index does not answer. At some 3 µs
/// each to read and to hear, 200 µs.
const FEW_ROWS: usize = 64;

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

/// What can be said at once.
#[derive(Clone, Debug)]
pub enum AtOnce {
    /// The answer.
    Answered(Box<Answer>),
    /// The actor is not on record.
    Unknown,
    /// Nothing: a long history has to be read whole.
    Long,
}

/// What makes the position at the exclusive end `as_of` of valid time, as the entries below
/// `known_at` are read on these terms, each list in it of at most `page` items; none if the
/// actor is not on record.
pub fn answer(
    tables: &dyn Tables,
    subject: &Subject,
    terms: &Terms,
    known_at: u64,
    asked: (i64, usize),
) -> Result<Option<Answer>, FoldError> {
    let Some(bench) = Bench::new(tables, subject, terms, known_at)? else {
        return Ok(None);
    };
    match begin(bench, subject, asked)? {
        Begun::Answered(answer) => Ok(Some(answer)),
        Begun::Long(rest) => rest.read(asked).map(Some),
    }
}

/// As [`answer`], but for a question that needs a long history read whole: that takes up to
/// seconds, and is left to whoever has the time.
pub fn answer_at_once(
    tables: &dyn Tables,
    subject: &Subject,
    terms: &Terms,
    known_at: u64,
    asked: (i64, usize),
) -> Result<AtOnce, FoldError> {
    let Some(bench) = Bench::new(tables, subject, terms, known_at)? else {
        return Ok(AtOnce::Unknown);
    };
    Ok(match begin(bench, subject, asked)? {
        Begun::Answered(answer) => AtOnce::Answered(Box::new(answer)),
        Begun::Long(_) => AtOnce::Long,
    })
}

/// How far it is told by the index, or by few rows.
enum Begun<'a> {
    Answered(Answer),
    Long(Rest<'a>),
}

/// A question whose history is to be read whole.
struct Rest<'a> {
    bench: Bench<'a>,
    /// That of the actor alone, if no others are asked, with what was read of it.
    rows: Option<PairRows<'a>>,
}

fn begin<'a>(
    mut bench: Bench<'a>,
    subject: &Subject,
    (as_of, page): (i64, usize),
) -> Result<Begun<'a>, FoldError> {
    if bench.asked.len() > 1 {
        return Ok(Begun::Long(Rest { bench, rows: None }));
    }
    let answered = |collected, exact| {
        Begun::Answered(Answer {
            collected,
            as_of,
            page,
            exact,
        })
    };
    let pair = Pair {
        actor: subject.actor.clone(),
        topic: subject.topic.clone(),
    };
    if let Some((heard, exact)) = pick(&mut bench, &pair, (as_of, page))? {
        return Ok(answered(bench.collected(heard, 0), Some(exact)));
    }
    let mut rows = PairRows::new(bench.tables, &subject.actor, bench.topic, bench.known_at);
    if rows.read(FEW_ROWS)? {
        let mut histories = Histories::new();
        rows.note(&mut histories)?;
        return Ok(answered(bench.collect_from(&histories)?, None));
    }
    Ok(Begun::Long(Rest {
        bench,
        rows: Some(rows),
    }))
}

impl Rest<'_> {
    fn read(self, (as_of, page): (i64, usize)) -> Result<Answer, FoldError> {
        let Self { bench, rows } = self;
        let collected = match rows {
            Some(rows) => {
                let mut histories = Histories::new();
                rows.note_all(&mut histories)?;
                bench.collect_from(&histories)?
            }
            None => bench.collect()?,
        };
        Ok(Answer {
            collected,
            as_of,
            page,
            exact: None,
        })
    }
}

#[cfg(test)]
mod tests;
