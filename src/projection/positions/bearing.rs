//! Which entries bear on a question, by index alone, for whoever gathers the evidence of an
//! answer.

use std::collections::BTreeSet;

use super::HEARD;
use super::history::{self, Pair, parse};
use super::question::{Bench, Subject};
use super::terms::Terms;
use crate::fold::{FoldError, Tables};
use crate::record::Slug;

/// The actors who are asked: the actor, then its parts if they speak too; none if the actor is
/// not on record at `known_at`.
pub fn asked(
    tables: &dyn Tables,
    subject: &Subject,
    known_at: u64,
) -> Result<Option<Vec<Slug>>, FoldError> {
    let terms = Terms::default();
    let bench = Bench::new(tables, subject, &terms, known_at)?;
    Ok(bench.map(|bench| bench.asked))
}

/// The statements that bear, or once bore, on any of these actors and a topic below `known_at`,
/// by the entries that introduced them. No further is looked than up to `most` and one of them.
pub fn statements_on(
    tables: &dyn Tables,
    asked: &[Slug],
    topic: &Slug,
    known_at: u64,
    most: usize,
) -> Result<BTreeSet<u64>, FoldError> {
    let mut found = BTreeSet::new();
    for body in asked {
        let prefix = Pair::key(body, topic);
        for row in tables.scan(prefix.as_bytes()) {
            let (key, _) = row?;
            let rest = key.get(prefix.as_bytes().len()..);
            let (statement, entry) = parse(rest.ok_or_else(|| HEARD.damaged())?)?;
            if statement >= known_at || found.len() > most {
                break;
            }
            if entry < known_at {
                found.insert(statement);
            }
        }
    }
    Ok(found)
}

/// Everything that entries below `known_at` did to the statement that entry `statement`
/// introduced, oldest first.
pub fn entries_about(
    tables: &dyn Tables,
    statement: u64,
    known_at: u64,
) -> Result<Vec<u64>, FoldError> {
    let entries = history::whole(tables, statement)?.into_keys();
    Ok(entries.take_while(|entry| *entry < known_at).collect())
}
