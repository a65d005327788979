//! What was recorded between two states of knowledge that bears on a question: what could have
//! made its answer another.

use std::collections::BTreeSet;
use std::ops::Range;

use super::definitions::{self, Voice};
use super::history::{Change, Changed};
use super::question::{Subject, histories, kind, parts};
use super::sources;
use super::verifiers::Number;
use super::{PARTS, SOURCE_VERSIONS, UNTRUSTED, VOICES};
use crate::fold::{FoldError, Tables};
use crate::projection::rows::Parts;
use crate::record::Slug;
use crate::record::proto::ActorKind;

/// The entries in `range` that bear on a question: what was done to its statements, whose
/// mandates and membership changed, whose signatures ceased to count, and, if `by_source`, new
/// versions of sources. What is the same utterance as another statement is not followed to it.
pub fn entries_between(
    tables: &dyn Tables,
    subject: &Subject,
    by_source: bool,
    range: Range<u64>,
) -> Result<BTreeSet<u64>, FoldError> {
    let mut search = Search {
        tables,
        range,
        found: BTreeSet::new(),
    };
    let asked = search.asked(subject)?;
    let bodies: Vec<Slug> = asked.iter().cloned().collect();
    let histories = histories(tables, &bodies, &subject.topic, search.range.end)?;
    for changed in histories.values() {
        let done = changed.range(search.range.clone());
        let done = done.filter(|(_, change)| **change != Change::ReadElsewhere);
        search.found.extend(done.map(|(entry, _)| *entry));
    }
    for person in speakers(histories.values()) {
        search.mandates(person, &asked)?;
    }
    search.revocations(&signers(histories.values()))?;
    if by_source {
        for number in quoted(histories.values()) {
            search.versions(number)?;
        }
    }
    Ok(search.found)
}

struct Search<'a> {
    tables: &'a dyn Tables,
    range: Range<u64>,
    found: BTreeSet<u64>,
}

impl Search<'_> {
    fn note(&mut self, entry: u64) {
        if self.range.contains(&entry) {
            self.found.insert(entry);
        }
    }

    /// Who is asked at either end, noting what changed in that.
    fn asked(&mut self, subject: &Subject) -> Result<BTreeSet<Slug>, FoldError> {
        let mut asked = BTreeSet::from([subject.actor.clone()]);
        let kind = kind(self.tables, &subject.actor, self.range.end)?;
        if !subject.with_parts.unwrap_or(kind == Some(ActorKind::State)) {
            return Ok(asked);
        }
        for known_at in [self.range.start, self.range.end] {
            asked.extend(parts(self.tables, &subject.actor, known_at)?);
        }
        for whole in &asked {
            for row in PARTS.scan::<Option<u64>>(self.tables, &PARTS.key().slug(whole)) {
                let (key, until) = row?;
                let mut key = Parts::new(PARTS, &key);
                let (_part, since) = (key.slug()?, key.index()?);
                self.note(since);
                self.note(until.unwrap_or(since));
            }
        }
        Ok(asked)
    }

    /// Notes what changed in a person's mandates to speak for these.
    fn mandates(&mut self, person: &Slug, asked: &BTreeSet<Slug>) -> Result<(), FoldError> {
        for row in VOICES.scan::<Voice>(self.tables, &definitions::voices(person)) {
            let (key, voice) = row?;
            let mut key = Parts::new(VOICES, &key);
            let (body, _mandate, since) = (key.slug()?, key.slug()?, key.index()?);
            if asked.contains(&body) {
                self.note(since);
                self.note(voice.until.unwrap_or(since));
            }
        }
        Ok(())
    }

    /// Notes since when signatures of these do not count.
    fn revocations(&mut self, signers: &BTreeSet<Number>) -> Result<(), FoldError> {
        for row in UNTRUSTED.scan::<u64>(self.tables, &UNTRUSTED.key()) {
            let (key, _) = row?;
            let mut key = Parts::new(UNTRUSTED, &key);
            let (number, revoked) = (Number::from_be_bytes(key.array()?), key.index()?);
            if signers.contains(&number) {
                self.note(revoked);
            }
        }
        Ok(())
    }

    /// Notes the versions of a source.
    fn versions(&mut self, number: u64) -> Result<(), FoldError> {
        let key = sources::versions(number);
        for row in SOURCE_VERSIONS.below::<sources::Version>(self.tables, &key, self.range.end) {
            let index = Parts::new(SOURCE_VERSIONS, &row?.0).index()?;
            if index < self.range.start {
                break;
            }
            self.note(index);
        }
        Ok(())
    }
}

fn speakers<'a>(histories: impl Iterator<Item = &'a Changed>) -> BTreeSet<&'a Slug> {
    let versions = histories.flat_map(|it| it.values().filter_map(Change::version));
    versions.filter_map(|it| it.said.speaker.as_ref()).collect()
}

fn signers<'a>(histories: impl Iterator<Item = &'a Changed>) -> BTreeSet<Number> {
    let signed = |change: &'a Change| match change {
        Change::Attested { verifiers, .. } => &verifiers[..],
        change => change.signers(),
    };
    let changes = histories.flat_map(Changed::values);
    changes.flat_map(signed).copied().collect()
}

/// The numbers of the sources of the words.
fn quoted<'a>(histories: impl Iterator<Item = &'a Changed>) -> BTreeSet<u64> {
    let sources = |change: &'a Change| match change {
        Change::Evidenced { sources, .. } => &sources[..],
        change => change.version().map_or(&[][..], |it| &it.said.sources),
    };
    let changes = histories.flat_map(Changed::values);
    changes.flat_map(sources).copied().collect()
}
