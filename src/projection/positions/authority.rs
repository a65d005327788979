//! How far a speaker's word is the actor's: by the mandates known at K that were in force when
//! it was said and cover the topic, the highest of them.

use std::collections::BTreeMap;

use super::VOICES;
use super::definitions::{self, Terms, Voice};
use super::history::Utterance;
use crate::fold::{FoldError, Tables};
use crate::position::Authority;
use crate::projection::rows::{Parts, visible};
use crate::record::Slug;

/// The mandates that a question has to do with, each looked up once.
pub(super) struct Mandates<'a> {
    tables: &'a dyn Tables,
    known_at: u64,
    of: BTreeMap<(Slug, Slug), Vec<Terms>>,
}

impl<'a> Mandates<'a> {
    pub(super) fn new(tables: &'a dyn Tables, known_at: u64) -> Self {
        Self {
            tables,
            known_at,
            of: BTreeMap::new(),
        }
    }

    /// The authority with which a statement's speaker spoke on what is `holder`'s stance, to a
    /// question put to `asked`: for whichever of them is the speaker, the holder, or a body that
    /// it was said for, the highest.
    pub(super) fn authority(
        &mut self,
        said: &Utterance,
        holder: &Slug,
        topic: &Slug,
        asked: &[Slug],
    ) -> Result<Authority, FoldError> {
        let Some(speaker) = &said.speaker else {
            return Ok(Authority::None);
        };
        if asked.contains(speaker) {
            return Ok(Authority::Principal);
        }
        let mut highest = None;
        let bodies = said.said_for.iter().chain([holder]);
        for body in bodies.filter(|body| asked.contains(body)) {
            let terms = self.between(speaker, body)?.iter();
            let covering = terms.filter(|it| it.cover(topic, said.said_at.interval));
            let authority = covering.map(|terms| terms.authority).max();
            // Somebody affiliated with one body may speak for another without a mandate.
            highest = highest.max(Some(authority.unwrap_or(Authority::None)));
        }
        Ok(highest.unwrap_or(Authority::None))
    }

    /// Whether somebody may be no more than affiliated with a body in what they say.
    pub(super) fn may_be_affiliated(
        &mut self,
        speaker: &Slug,
        body: &Slug,
    ) -> Result<bool, FoldError> {
        let mut terms = self.between(speaker, body)?.iter();
        Ok(terms.any(|terms| terms.authority == Authority::Affiliated))
    }

    /// The terms on which `person` speaks for `organization`.
    fn between(&mut self, person: &Slug, organization: &Slug) -> Result<&[Terms], FoldError> {
        let pair = (person.clone(), organization.clone());
        if !self.of.contains_key(&pair) {
            let mut known = Vec::new();
            let rows = definitions::voices(person).slug(organization);
            for row in VOICES.scan::<Voice>(self.tables, &rows) {
                let (key, voice) = row?;
                let mut key = Parts::new(VOICES, &key);
                let (_mandate, since) = (key.slug()?, key.index()?);
                if visible(since, voice.until, self.known_at) {
                    known.push(voice.terms);
                }
            }
            self.of.insert(pair.clone(), known);
        }
        Ok(self.of.get(&pair).map_or(&[], Vec::as_slice))
    }
}

/// The organisations that `person` speaks for, by any mandate known below `known_at`: whom to
/// ask instead of them. In order.
pub(super) fn organizations(
    tables: &dyn Tables,
    person: &Slug,
    known_at: u64,
) -> Result<Vec<Slug>, FoldError> {
    let mut organizations = Vec::new();
    for row in VOICES.scan::<Voice>(tables, &definitions::voices(person)) {
        let (key, voice) = row?;
        let mut key = Parts::new(VOICES, &key);
        let (organization, _mandate, since) = (key.slug()?, key.slug()?, key.index()?);
        if visible(since, voice.until, known_at) && voice.terms.authority > Authority::None {
            organizations.push(organization);
        }
    }
    organizations.dedup();
    Ok(organizations)
}
