//! How coders read the statements on a topic, each by itself: what their agreement is computed
//! from.

use std::collections::BTreeSet;

use super::authority::Mandates;
use super::hearing::{Coders, Hearing};
use super::question::{actors_on, histories};
use super::sources::Library;
use super::terms::Terms;
use super::verifiers::Trust;
use crate::fold::{FoldError, Tables};
use crate::position::Authority;
use crate::record::{Engagement, Slug};

/// The readings of statements that two coders or more read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// By statement and holder, every coder's reading.
    pub units: Vec<Vec<Engagement>>,
    /// How many coders there are. Whoever attested what, is one.
    pub coders: usize,
}

/// How the stances of `holder`, or of everybody, on a topic are read. None if these are more
/// than `statements_max` statements, each counted for each holder.
pub fn votes(
    tables: &dyn Tables,
    topic: &Slug,
    holder: Option<&Slug>,
    terms: &Terms,
    known_at: u64,
    statements_max: usize,
) -> Result<Option<Votes>, FoldError> {
    let mut count = Count {
        tables,
        topic,
        terms,
        known_at,
        trust: Trust::at(tables, known_at)?,
        library: Library::new(tables, known_at),
        mandates: Mandates::new(tables, known_at),
        units: Vec::new(),
        coders: BTreeSet::new(),
    };
    let mut left = statements_max;
    let holders: Box<dyn Iterator<Item = _>> = match holder {
        Some(holder) => Box::new(std::iter::once(Ok(holder.clone()))),
        None => Box::new(actors_on(tables, topic, known_at)),
    };
    for holder in holders {
        match count.of(&holder?, left)? {
            Some(statements) => left = left.saturating_sub(statements),
            None => return Ok(None),
        }
    }
    Ok(Some(Votes {
        units: count.units,
        coders: count.coders.len(),
    }))
}

struct Count<'a> {
    tables: &'a dyn Tables,
    topic: &'a Slug,
    terms: &'a Terms,
    known_at: u64,
    trust: Trust,
    library: Library<'a>,
    mandates: Mandates<'a>,
    units: Vec<Vec<Engagement>>,
    coders: BTreeSet<super::hearing::Coder>,
}

impl Count<'_> {
    /// Takes in one holder's; gives how many statements these are, or none if more than `most`.
    fn of(&mut self, holder: &Slug, most: usize) -> Result<Option<usize>, FoldError> {
        let asked = [holder.clone()];
        let histories = histories(self.tables, &asked, self.topic, self.known_at)?;
        if histories.len() > most {
            return Ok(None);
        }
        let coders = Coders {
            choice: self.terms.choice,
            never: &self.terms.filter.never,
        };
        for changed in histories.values() {
            let hearing = Hearing {
                changed,
                trust: &self.trust,
                known_at: self.known_at,
            };
            let Some(heard) = hearing.heard() else {
                continue;
            };
            let votes = hearing.votes(&heard, &coders);
            let own: Vec<_> = votes.iter().filter(|((of, _), _)| *of == holder).collect();
            if own.len() < 2 {
                continue;
            }
            let filter = &self.terms.filter;
            if filter.takes(&hearing, &heard, &mut self.library)?.is_some() {
                continue;
            }
            let said = &heard.stands.said;
            if filter.mandated
                && self.mandates.authority(said, holder, self.topic, &asked)? <= Authority::None
            {
                continue;
            }
            self.coders.extend(own.iter().map(|((_, coder), _)| *coder));
            let readings = own
                .iter()
                .map(|(_, (_, reading))| reading.engagement.clone());
            self.units.push(readings.collect());
        }
        Ok(Some(histories.len()))
    }
}
