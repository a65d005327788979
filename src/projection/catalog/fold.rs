//! The catalog's fold: one row a version.

use prost::Message;

use super::{
    ACTORS, ATTESTED, CHECKPOINT_KEYS, COVERAGE, ENROLMENTS, MANDATES, MANDATES_FOR, MANDATES_OF,
    MILESTONE_REVIEWS, MILESTONES, POLICIES, READ, REVOCATIONS, SOURCE_REVIEWS, SOURCES, TEXTS,
    TOPICS, Version, WITHHELD, WITNESS_POLICIES, query,
};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::projection::read::{Origin, content_id, malformed, optional, slug};
use crate::projection::rows::{Key, Table};
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::{ContentId, Entry, VerifierKey, proto};

/// The catalog, derived from the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct CatalogFold;

impl Fold for CatalogFold {
    fn name(&self) -> &'static str {
        "catalog"
    }

    fn version(&self) -> u32 {
        3
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let mut changes = Changes::new();
        match &entry.record.kind {
            Some(Kind::ArchiveFounded(founded)) => {
                for enrolled in &founded.verifiers {
                    enrolment(&mut changes, entry, enrolled)?;
                }
                let policy = founded.policy.unwrap_or_default();
                version(&mut changes, POLICIES, POLICIES.key(), entry, &policy)?;
                let set = proto::CheckpointKeySet {
                    checkpoint_key: founded.checkpoint_key.clone(),
                    ..proto::CheckpointKeySet::default()
                };
                let key = CHECKPOINT_KEYS.key();
                version(&mut changes, CHECKPOINT_KEYS, key, entry, &set)?;
            }
            Some(Kind::CheckpointKeySet(set)) => {
                let key = CHECKPOINT_KEYS.key();
                version(&mut changes, CHECKPOINT_KEYS, key, entry, set)?;
            }
            Some(Kind::WitnessPolicySet(set)) => {
                let key = WITNESS_POLICIES.key();
                version(&mut changes, WITNESS_POLICIES, key, entry, set)?;
            }
            Some(Kind::PolicySet(policy)) => {
                version(&mut changes, POLICIES, POLICIES.key(), entry, policy)?;
            }
            Some(Kind::VerifierEnrolled(enrolled)) => enrolment(&mut changes, entry, enrolled)?,
            Some(Kind::VerifierRevoked(revoked)) => {
                let key = REVOCATIONS
                    .key()
                    .bytes(&verifier(entry, &revoked.verifier)?);
                version(&mut changes, REVOCATIONS, key, entry, revoked)?;
            }
            Some(Kind::ActorDefined(defined)) => {
                named(&mut changes, ACTORS, entry, &defined.actor_id, defined)?;
            }
            Some(Kind::MandateGranted(granted)) => {
                named(&mut changes, MANDATES, entry, &granted.mandate_id, granted)?;
                mandate_of(&mut changes, entry, granted)?;
            }
            Some(Kind::MandateEnded(ended)) => {
                let mandate = ended_mandate(state, entry, ended)?;
                named(&mut changes, MANDATES, entry, &ended.mandate_id, &mandate)?;
            }
            Some(Kind::TopicDefined(defined)) => {
                named(&mut changes, TOPICS, entry, &defined.topic_id, defined)?;
            }
            Some(Kind::MilestoneDefined(defined)) => {
                let id = &defined.milestone_id;
                named(&mut changes, MILESTONES, entry, id, defined)?;
            }
            Some(Kind::SourceArchived(archived)) => {
                let source = content_id(entry, "source", &archived.source)?;
                let key = SOURCES.key().bytes(source.as_bytes());
                version(&mut changes, SOURCES, key, entry, archived)?;
                text(&mut changes, state, entry, archived)?;
            }
            Some(Kind::SourceWithheld(withheld)) => {
                let source = content_id(entry, "source", &withheld.source)?;
                let key = WITHHELD.key().bytes(source.as_bytes());
                version(&mut changes, WITHHELD, key, entry, withheld)?;
            }
            Some(Kind::SourceRead(read)) => coverage(&mut changes, state, entry, read)?,
            Some(Kind::AttestationAdded(added)) => attested(&mut changes, entry, added)?,
            Some(Kind::ReviewPublished(review)) => reviewed(&mut changes, entry, review)?,
            _ => {}
        }
        Ok(changes)
    }
}

/// Lets a mandate be found by person and by organisation.
fn mandate_of(
    changes: &mut Changes,
    entry: &Entry,
    granted: &proto::MandateGranted,
) -> Result<(), FoldError> {
    let mandate = slug(entry, "mandate_id", &granted.mandate_id)?;
    let person = slug(entry, "person", &granted.person)?;
    let organization = slug(entry, "organization", &granted.organization)?;
    for (table, actor) in [(MANDATES_OF, person), (MANDATES_FOR, organization)] {
        let key = table.key().slug(&actor).slug(&mandate).index(entry.index);
        changes.insert(key.into_bytes(), Some(Vec::new()));
    }
    Ok(())
}

/// The mandate as it stands once it has ended: what was granted, up to the end now given.
fn ended_mandate(
    state: &dyn Tables,
    entry: &Entry,
    ended: &proto::MandateEnded,
) -> Result<proto::MandateGranted, FoldError> {
    let id = slug(entry, "mandate_id", &ended.mandate_id)?;
    let granted = query::mandate(state, &id, entry.index)?
        .ok_or_else(|| malformed(entry, format!("the mandate {id} is not on record")))?;
    Ok(proto::MandateGranted {
        end: ended.end.clone(),
        replaces: ended.replaces.clone(),
        ..granted.definition
    })
}

/// Counts a source that was read. Reading it again adds nothing, save that it is read whole
/// where only a part was.
fn coverage(
    changes: &mut Changes,
    state: &dyn Tables,
    entry: &Entry,
    read: &proto::SourceRead,
) -> Result<(), FoldError> {
    let source = content_id(entry, "source", &read.source)?;
    for topic in &read.topics {
        let topic = slug(entry, "topics", topic)?;
        let key = READ.key().slug(&topic).bytes(source.as_bytes());
        let before: Option<bool> = READ.get(state, &key)?;
        if before.is_some_and(|whole| whole || !read.whole) {
            continue;
        }
        let mut count = query::coverage(state, &topic, entry.index)?;
        count.sources += u64::from(before.is_none());
        count.whole += u64::from(read.whole);
        let at = COVERAGE.key().slug(&topic).index(entry.index);
        changes.insert(at.into_bytes(), Some(COVERAGE.encode(&count)?));
        changes.insert(key.into_bytes(), Some(READ.encode(&read.whole)?));
    }
    Ok(())
}

fn attested(
    changes: &mut Changes,
    entry: &Entry,
    added: &proto::AttestationAdded,
) -> Result<(), FoldError> {
    let record = content_id(entry, "record", &added.record)?;
    let verifiers = added.verifiers.iter();
    let verifiers: Vec<[u8; 32]> = verifiers
        .map(|key| verifier(entry, key))
        .collect::<Result<_, _>>()?;
    let key = ATTESTED.key().bytes(record.as_bytes()).index(entry.index);
    changes.insert(key.into_bytes(), Some(ATTESTED.encode(&verifiers)?));
    Ok(())
}

/// Keeps a review of a source or milestone. Those of statements stand with the statements.
fn reviewed(
    changes: &mut Changes,
    entry: &Entry,
    review: &proto::ReviewPublished,
) -> Result<(), FoldError> {
    let (table, key) = match &review.target {
        Some(Target::Source(id)) => {
            let source = content_id(entry, "source", id)?;
            (
                SOURCE_REVIEWS,
                SOURCE_REVIEWS.key().bytes(source.as_bytes()),
            )
        }
        Some(Target::Milestone(id)) => {
            let milestone = slug(entry, "milestone", id)?;
            (MILESTONE_REVIEWS, MILESTONE_REVIEWS.key().slug(&milestone))
        }
        Some(Target::Statement(_)) | None => return Ok(()),
    };
    version(changes, table, key, entry, review)
}

/// Notes a text that no earlier entry named.
fn text(
    changes: &mut Changes,
    state: &dyn Tables,
    entry: &Entry,
    archived: &proto::SourceArchived,
) -> Result<(), FoldError> {
    if let Some(text) = optional::<ContentId>(entry, "text_id", &archived.text_id)? {
        let key = TEXTS.key().bytes(text.as_bytes());
        if state.get(key.as_bytes())?.is_none() {
            changes.insert(key.into_bytes(), Some(TEXTS.encode(&entry.index)?));
        }
    }
    Ok(())
}

fn enrolment(
    changes: &mut Changes,
    entry: &Entry,
    enrolled: &proto::VerifierEnrolled,
) -> Result<(), FoldError> {
    let key = ENROLMENTS
        .key()
        .bytes(&verifier(entry, &enrolled.verifier)?);
    version(changes, ENROLMENTS, key, entry, enrolled)
}

fn verifier(entry: &Entry, text: &str) -> Result<[u8; 32], FoldError> {
    let key: VerifierKey = text
        .parse()
        .map_err(|error| malformed(entry, format!("verifier: {error}")))?;
    Ok(*key.as_bytes())
}

/// Adds a version of what goes by a slug.
fn named(
    changes: &mut Changes,
    table: Table,
    entry: &Entry,
    id: &str,
    definition: &impl Message,
) -> Result<(), FoldError> {
    let key = table.key().slug(&slug(entry, table.name, id)?);
    version(changes, table, key, entry, definition)
}

/// Adds a version of what goes by `key`.
fn version(
    changes: &mut Changes,
    table: Table,
    key: Key,
    entry: &Entry,
    definition: &impl Message,
) -> Result<(), FoldError> {
    let version = Version {
        origin: Origin::of(entry)?,
        definition: definition.encode_to_vec(),
    };
    let value = table.encode(&version)?;
    changes.insert(key.index(entry.index).into_bytes(), Some(value));
    Ok(())
}
