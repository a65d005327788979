//! What the lines of the file tell about the archive before the archive itself can.
//!
//! Two layers, and the archive's own answers between them. Records that are signed in this run
//! are **fresh**: they build on what the archive has, so they stand above it. Records that an
//! earlier run signed are **kept**: the archive most likely has them, and newer ones by other
//! hands too, so they stand below it and count only for what it does not know.
//! What a record that was refused had told is forgotten.

use std::collections::{BTreeMap, HashMap};

use super::archive::{Archive, KnownSource, KnownStatement, Subject};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Slug, VerifierKey, proto};

/// What some records tell.
#[derive(Debug, Default)]
pub(super) struct Layer {
    newest: HashMap<Subject, ContentId>,
    statements: HashMap<ContentId, KnownStatement>,
    sources: HashMap<ContentId, KnownSource>,
    /// By mandate, with the record that told it.
    mandates: BTreeMap<String, (ContentId, proto::MandateGranted)>,
    /// The ends of mandates, likewise.
    ended: BTreeMap<String, (ContentId, String)>,
}

impl Layer {
    fn learn(&mut self, id: ContentId, kind: &Kind) {
        if let Some((subject, _)) = subject(kind) {
            self.newest.insert(subject, id);
        }
        match kind {
            Kind::MandateGranted(mandate) => {
                let told = (id, mandate.clone());
                self.ended.remove(&mandate.mandate_id);
                self.mandates.insert(mandate.mandate_id.clone(), told);
            }
            Kind::MandateEnded(ended) => {
                let told = (id, ended.end.clone());
                self.ended.insert(ended.mandate_id.clone(), told);
            }
            Kind::SourceArchived(source) => {
                if let Ok(source_id) = source.source.parse() {
                    self.sources.insert(source_id, known_source(source));
                }
            }
            Kind::StatementRecorded(statement) => {
                self.statements.insert(id, known_statement(id, statement));
            }
            Kind::StatementCorrected(correction) => {
                if let (Ok(statement), Some(corrected)) =
                    (correction.statement.parse(), &correction.corrected)
                {
                    let known = known_statement(id, corrected);
                    self.statements.insert(statement, known);
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self, id: ContentId) {
        self.newest.retain(|_, newest| *newest != id);
        self.statements.retain(|_, known| known.newest != id);
        self.mandates.retain(|_, (told_by, _)| *told_by != id);
        self.ended.retain(|_, (told_by, _)| *told_by != id);
    }

    /// Lays its mandates over those that are known otherwise.
    fn lay_over(&self, known: &mut BTreeMap<String, proto::MandateGranted>) {
        for (mandate_id, (_, mandate)) in &self.mandates {
            known.insert(mandate_id.clone(), mandate.clone());
        }
        for (mandate_id, (_, end)) in &self.ended {
            if let Some(mandate) = known.get_mut(mandate_id) {
                mandate.end.clone_from(end);
            }
        }
    }
}

/// What the file tells, and what the archive answered.
#[derive(Debug, Default)]
pub(super) struct Known {
    fresh: Layer,
    kept: Layer,
    /// The archive's mandates by person: asked for with every statement, so kept for the run.
    mandates: HashMap<String, Vec<proto::MandateGranted>>,
}

impl Known {
    /// Takes in a record that was signed in this run.
    pub(super) fn learn_fresh(&mut self, id: ContentId, kind: &Kind) {
        self.fresh.learn(id, kind);
    }

    /// Takes in a record that an earlier run signed.
    pub(super) fn learn_kept(&mut self, id: ContentId, kind: &Kind) {
        self.kept.learn(id, kind);
    }

    /// Forgets what a refused record told.
    pub(super) fn forget(&mut self, id: ContentId) {
        self.fresh.forget(id);
        self.kept.forget(id);
        self.mandates.clear();
    }

    /// The newest version of `subject`.
    pub(super) async fn newest<A: Archive>(
        &self,
        archive: &A,
        subject: &Subject,
    ) -> Result<Option<ContentId>, A::Error> {
        if let Some(id) = self.fresh.newest.get(subject) {
            return Ok(Some(*id));
        }
        let answer = archive.newest(subject).await?;
        Ok(answer.or_else(|| self.kept.newest.get(subject).copied()))
    }

    /// The statement `id`.
    pub(super) async fn statement<A: Archive>(
        &self,
        archive: &A,
        id: ContentId,
    ) -> Result<Option<KnownStatement>, A::Error> {
        if let Some(known) = self.fresh.statements.get(&id) {
            return Ok(Some(known.clone()));
        }
        let answer = archive.statement(id).await?;
        Ok(answer.or_else(|| self.kept.statements.get(&id).cloned()))
    }

    /// The source `id`.
    pub(super) async fn source<A: Archive>(
        &self,
        archive: &A,
        id: ContentId,
    ) -> Result<Option<KnownSource>, A::Error> {
        if let Some(known) = self.fresh.sources.get(&id) {
            return Ok(Some(known.clone()));
        }
        let answer = archive.source(id).await?;
        Ok(answer.or_else(|| self.kept.sources.get(&id).cloned()))
    }

    /// The slugs of the mandates that the file grants.
    pub(super) fn granted(&self) -> impl Iterator<Item = &str> {
        let layers = [&self.fresh, &self.kept];
        let slugs = layers.into_iter().flat_map(|layer| layer.mandates.keys());
        slugs.map(String::as_str)
    }

    /// The mandates of `person`.
    pub(super) async fn mandates<A: Archive>(
        &mut self,
        archive: &A,
        person: &str,
    ) -> Result<Vec<proto::MandateGranted>, A::Error> {
        if !self.mandates.contains_key(person) {
            let answer = archive.mandates(person).await?;
            self.mandates.insert(person.to_owned(), answer);
        }
        let mut known = BTreeMap::new();
        self.kept.lay_over(&mut known);
        for mandate in self.mandates.get(person).into_iter().flatten() {
            known.insert(mandate.mandate_id.clone(), mandate.clone());
        }
        self.fresh.lay_over(&mut known);
        let mandates = known.into_values();
        Ok(mandates.filter(|it| it.person == person).collect())
    }
}

/// What has versions and is given a new one by a record, and the version that the record says
/// it replaces.
pub(super) fn subject(kind: &Kind) -> Option<(Subject, &String)> {
    Some(match kind {
        Kind::ActorDefined(it) => (Subject::Actor(it.actor_id.clone()), &it.replaces),
        Kind::MandateGranted(it) => (Subject::Mandate(it.mandate_id.clone()), &it.replaces),
        Kind::MandateEnded(it) => (Subject::Mandate(it.mandate_id.clone()), &it.replaces),
        Kind::TopicDefined(it) => (Subject::Topic(it.topic_id.clone()), &it.replaces),
        Kind::MilestoneDefined(it) => (Subject::Milestone(it.milestone_id.clone()), &it.replaces),
        Kind::SourceArchived(it) => (Subject::Source(it.source.parse().ok()?), &it.replaces),
        Kind::VerifierEnrolled(it) => (Subject::Verifier(it.verifier.clone()), &it.replaces),
        _ => return None,
    })
}

/// Whether the archive can be asked for it: what goes by an unfit name is for admission to
/// refuse, where it stands.
pub(super) fn can_be_asked_for(subject: &Subject) -> bool {
    match subject {
        Subject::Actor(slug)
        | Subject::Mandate(slug)
        | Subject::Topic(slug)
        | Subject::Milestone(slug) => slug.parse::<Slug>().is_ok(),
        Subject::Source(_) => true,
        Subject::Verifier(key) => key.parse::<VerifierKey>().is_ok(),
    }
}

/// Says which version a record replaces.
pub(super) fn set_replaces(kind: &mut Kind, version: ContentId) {
    let replaces = match kind {
        Kind::ActorDefined(it) => &mut it.replaces,
        Kind::MandateGranted(it) => &mut it.replaces,
        Kind::MandateEnded(it) => &mut it.replaces,
        Kind::TopicDefined(it) => &mut it.replaces,
        Kind::MilestoneDefined(it) => &mut it.replaces,
        Kind::SourceArchived(it) => &mut it.replaces,
        Kind::VerifierEnrolled(it) => &mut it.replaces,
        _ => return,
    };
    *replaces = version.to_string();
}

fn known_source(source: &proto::SourceArchived) -> KnownSource {
    KnownSource {
        media_type: source.media_type.clone(),
        size_bytes: source.size_bytes,
        profile: source.profile.clone(),
        text_id: source.text_id.clone(),
    }
}

fn known_statement(newest: ContentId, statement: &proto::Statement) -> KnownStatement {
    KnownStatement {
        voice: statement.voice.clone(),
        said_for: statement.said_for.clone(),
        newest,
    }
}
