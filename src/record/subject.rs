//! What an entry is about, told from the entry alone, and filters by it.
//!
//! An entry is about its kind, those who signed it, and whatever its record names that one
//! would look for it by:
//!
//! | kind | actors | topics | statements | sources | verifiers |
//! |---|---|---|---|---|---|
//! | `archive_founded` | | | | | the first ones |
//! | `verifier_enrolled`, `verifier_revoked` | | | | | it |
//! | `actor_defined` | it, what it is part of, its members | | | | |
//! | `mandate_granted` | person, organisation | those it covers | | of its evidence | |
//! | `mandate_ended` | | | | of its evidence | |
//! | `topic_defined` | | it | | | |
//! | `milestone_defined` | those it concerns | | | of its evidence | |
//! | `source_archived` | | | | it, those it derives from | |
//! | `source_withheld` | | | | it | |
//! | `source_read` | | those it was read for | | it | |
//! | `statement_recorded`, `statement_corrected` | speaker, said for, relayer, holders of its readings | of its readings | it, those it refers to | of its evidence | |
//! | `evidence_added` | speaker, said for | | it | of the evidence | |
//! | `reading_added` | speaker, said for, holder | of the reading | it | | |
//! | `statement_retracted` | speaker, said for | | it | | |
//! | `attestation_added` | | | the record, if that is a statement's | | whose signatures it carries |
//! | `review_published` | | | the one reviewed | the one reviewed | |
//!
//! The other kinds are about nobody but their signers. A `mandate_ended` names its mandate and
//! nobody else, so that it does not bear on the person; nor do verifiers' keys stand for
//! actors. Admission lets in no entry that names what is no id: such a name counts as none.

use std::collections::BTreeSet;

use super::proto::record::Kind;
use super::proto::review_published::Target;
use super::proto::statement::Voice;
use super::{ContentId, Entry, RecordKind, Slug, proto};

/// Something that an entry can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Records of a kind.
    Kind(RecordKind),
    /// An actor.
    Actor(Slug),
    /// A topic.
    Topic(Slug),
    /// A statement, by its id.
    Statement(ContentId),
    /// A source, by its id.
    Source(ContentId),
    /// A verifier, by its public key.
    Verifier([u8; 32]),
}

/// Everything that an entry is about, each once, in order.
#[must_use]
pub fn subjects(entry: &Entry) -> BTreeSet<Subject> {
    let mut about = About::default();
    for signature in &entry.envelope.signatures {
        let key = <[u8; 32]>::try_from(&signature.public_key[..]);
        about.0.extend(key.ok().map(Subject::Verifier));
    }
    if let Some(kind) = &entry.record.kind {
        about.0.insert(Subject::Kind(RecordKind::from(kind)));
        about.record(entry, kind);
    }
    about.0
}

/// Subjects as they are found.
#[derive(Default)]
struct About(BTreeSet<Subject>);

impl About {
    fn record(&mut self, entry: &Entry, kind: &Kind) {
        match kind {
            Kind::ArchiveFounded(founded) => {
                self.verifiers(founded.verifiers.iter().map(|first| &first.verifier));
            }
            Kind::VerifierEnrolled(enrolled) => self.verifiers([&enrolled.verifier]),
            Kind::VerifierRevoked(revoked) => self.verifiers([&revoked.verifier]),
            Kind::PolicySet(_) | Kind::CheckpointKeySet(_) | Kind::WitnessPolicySet(_) => {}
            Kind::ActorDefined(actor) => {
                self.actors([&actor.actor_id, &actor.part_of]);
                self.actors(&actor.members);
            }
            Kind::MandateGranted(mandate) => {
                self.actors([&mandate.person, &mandate.organization]);
                self.topics(&mandate.topics);
                self.evidence(&mandate.evidence);
            }
            Kind::MandateEnded(ended) => self.evidence(&ended.evidence),
            Kind::TopicDefined(topic) => self.topics([&topic.topic_id]),
            Kind::MilestoneDefined(milestone) => {
                self.actors(&milestone.actors);
                self.evidence(&milestone.evidence);
            }
            Kind::SourceArchived(source) => {
                self.sources([&source.source]);
                self.sources(source.derived_from.iter().map(|from| &from.source));
            }
            Kind::SourceWithheld(withheld) => self.sources([&withheld.source]),
            Kind::SourceRead(read) => {
                self.sources([&read.source]);
                self.topics(&read.topics);
            }
            Kind::StatementRecorded(statement) => {
                self.0.insert(Subject::Statement(entry.record_id));
                self.statement(statement);
            }
            Kind::EvidenceAdded(added) => {
                self.capacity(&added.statement, &added.speaker, &added.said_for);
                self.evidence(&added.evidence);
            }
            Kind::ReadingAdded(added) => {
                self.capacity(&added.statement, &added.speaker, &added.said_for);
                self.readings(&added.reading);
            }
            Kind::StatementCorrected(corrected) => {
                self.statements([&corrected.statement]);
                if let Some(statement) = &corrected.corrected {
                    self.statement(statement);
                }
            }
            Kind::StatementRetracted(retracted) => {
                self.capacity(
                    &retracted.statement,
                    &retracted.speaker,
                    &retracted.said_for,
                );
            }
            Kind::AttestationAdded(added) => {
                self.statements([&added.record]);
                self.verifiers(&added.verifiers);
            }
            Kind::ReviewPublished(review) => match &review.target {
                Some(Target::Statement(id)) => self.statements([id]),
                Some(Target::Source(id)) => self.sources([id]),
                Some(Target::Milestone(_)) | None => {}
            },
        }
    }

    fn statement(&mut self, statement: &proto::Statement) {
        if let Some(Voice::Speaker(speaker)) = &statement.voice {
            self.actors([speaker]);
        }
        self.actors(statement.said_for.iter().map(|said_for| &said_for.actor));
        self.actors([&statement.relayed_by]);
        self.readings(&statement.readings);
        self.statements(statement.refers_to.iter().map(|other| &other.statement));
        self.evidence(&statement.evidence);
    }

    /// What records about a statement repeat of it.
    fn capacity(&mut self, statement: &String, speaker: &String, said_for: &[String]) {
        self.statements([statement]);
        self.actors([speaker]);
        self.actors(said_for);
    }

    fn readings<'a>(&mut self, readings: impl IntoIterator<Item = &'a proto::Reading>) {
        for reading in readings {
            self.topics([&reading.topic]);
            self.actors([&reading.holder]);
        }
    }

    fn evidence(&mut self, evidence: &[proto::Evidence]) {
        self.sources(evidence.iter().map(|passage| &passage.source));
    }

    fn actors<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        self.named(ids, Subject::Actor);
    }

    fn topics<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        self.named(ids, Subject::Topic);
    }

    fn statements<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        self.named(ids, Subject::Statement);
    }

    fn sources<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        self.named(ids, Subject::Source);
    }

    fn verifiers<'a>(&mut self, keys: impl IntoIterator<Item = &'a String>) {
        // A key in its text form looks like a content id.
        self.named(keys, |key: ContentId| Subject::Verifier(*key.as_bytes()));
    }

    fn named<'a, T: std::str::FromStr>(
        &mut self,
        ids: impl IntoIterator<Item = &'a String>,
        subject: impl Fn(T) -> Subject,
    ) {
        let ids = ids.into_iter().filter_map(|id| id.parse().ok());
        self.0.extend(ids.map(subject));
    }
}

/// Which entries are wanted, by what they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of any of these kinds; of every kind if there is none.
    pub kinds: BTreeSet<RecordKind>,
    /// About all of these.
    pub about: BTreeSet<Subject>,
}

impl EntryFilter {
    /// Whether every entry is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.kinds.is_empty() && self.about.is_empty()
    }

    /// Whether an entry about these [`subjects`] is wanted.
    #[must_use]
    pub fn matches(&self, subjects: &BTreeSet<Subject>) -> bool {
        let of_kind = |kind: &RecordKind| subjects.contains(&Subject::Kind(*kind));
        (self.kinds.is_empty() || self.kinds.iter().any(of_kind)) && self.about.is_subset(subjects)
    }
}

#[cfg(test)]
mod tests;
