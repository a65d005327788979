//! What is defined, as it stood once the entries below `known_at` were known.

use prost::Message;

use serde::{Deserialize, Serialize};

use super::{
    ACTORS, ATTESTED, CHECKPOINT_KEYS, COVERAGE, ENROLMENTS, MANDATES, MILESTONE_REVIEWS,
    MILESTONES, POLICIES, READ, REVOCATIONS, SOURCE_REVIEWS, SOURCES, TEXTS, TOPICS, Version,
    WITHHELD, WITNESS_POLICIES,
};
use crate::fold::{self, FoldError, Tables};
use crate::projection::read::Provenance;
use crate::projection::rows::{Key, Parts, SLUG_END, Table};
use crate::record::{ContentId, Slug, proto};

/// A definition, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Defined<T> {
    /// The definition.
    pub definition: T,
    /// The entry that gave this version of it.
    pub provenance: Provenance,
}

/// A verifier as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Verifier {
    /// The newest enrolment.
    pub enrolment: Defined<proto::VerifierEnrolled>,
    /// The revocation, if one followed.
    pub revocation: Option<Defined<proto::VerifierRevoked>>,
}

/// An actor; none if it is not on record.
pub fn actor(
    tables: &dyn Tables,
    id: &Slug,
    known_at: u64,
) -> Result<Option<Defined<proto::ActorDefined>>, FoldError> {
    newest(tables, ACTORS, &ACTORS.key().slug(id), known_at)
}

/// A mandate, after it has ended with the end that was given; none if it is not on record.
pub fn mandate(
    tables: &dyn Tables,
    id: &Slug,
    known_at: u64,
) -> Result<Option<Defined<proto::MandateGranted>>, FoldError> {
    newest(tables, MANDATES, &MANDATES.key().slug(id), known_at)
}

/// A topic; none if it is not on record.
pub fn topic(
    tables: &dyn Tables,
    id: &Slug,
    known_at: u64,
) -> Result<Option<Defined<proto::TopicDefined>>, FoldError> {
    newest(tables, TOPICS, &TOPICS.key().slug(id), known_at)
}

/// A milestone; none if it is not on record.
pub fn milestone(
    tables: &dyn Tables,
    id: &Slug,
    known_at: u64,
) -> Result<Option<Defined<proto::MilestoneDefined>>, FoldError> {
    newest(tables, MILESTONES, &MILESTONES.key().slug(id), known_at)
}

/// The slugs of `kind` that were on record below `known_at` and come near one that was not.
pub fn near(
    tables: &dyn Tables,
    kind: Named,
    slug: &str,
    known_at: u64,
) -> Result<Vec<String>, FoldError> {
    let table = match kind {
        Named::Actor => ACTORS,
        Named::Mandate => MANDATES,
        Named::Topic => TOPICS,
        Named::Milestone => MILESTONES,
    };
    Ok(fold::near(tables, table.key().as_bytes(), slug, |key| {
        slug_known(key, known_at)
    })?)
}

/// The slug of a version's key, if the version is known below `known_at`.
fn slug_known(key: &[u8], known_at: u64) -> Option<&str> {
    let (slug, index) = key.split_at_checked(key.len().checked_sub(size_of::<u64>())?)?;
    let index = u64::from_be_bytes(index.try_into().ok()?);
    let slug = std::str::from_utf8(slug.strip_suffix(&[SLUG_END])?).ok()?;
    (index < known_at).then_some(slug)
}

/// What goes by a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An actor.
    Actor,
    /// A mandate.
    Mandate,
    /// A topic.
    Topic,
    /// A milestone.
    Milestone,
}

/// A source's record; none if it is not archived.
pub fn source(
    tables: &dyn Tables,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<Defined<proto::SourceArchived>>, FoldError> {
    let key = SOURCES.key().bytes(id.as_bytes());
    newest(tables, SOURCES, &key, known_at)
}

/// The index of the first entry that says that a source has the text of this id; none if no
/// source on record has it, or had it in some version.
pub fn first_with_text(
    tables: &dyn Tables,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<u64>, FoldError> {
    let first: Option<u64> = TEXTS.get(tables, &TEXTS.key().bytes(id.as_bytes()))?;
    Ok(first.filter(|first| *first < known_at))
}

/// The verifier that goes by a public key; none if it was never enrolled.
pub fn verifier(
    tables: &dyn Tables,
    key: &[u8; 32],
    known_at: u64,
) -> Result<Option<Verifier>, FoldError> {
    let enrolments = ENROLMENTS.key().bytes(key);
    let Some(enrolment) = newest(tables, ENROLMENTS, &enrolments, known_at)? else {
        return Ok(None);
    };
    let enrolment: Defined<proto::VerifierEnrolled> = enrolment;
    let revocations = REVOCATIONS.key().bytes(key);
    let revocation: Option<Defined<proto::VerifierRevoked>> =
        newest(tables, REVOCATIONS, &revocations, known_at)?;
    Ok(Some(Verifier {
        revocation: revocation
            .filter(|revoked| revoked.provenance.index > enrolment.provenance.index),
        enrolment,
    }))
}

/// What it takes to enter; none before the archive is founded.
pub fn policy(
    tables: &dyn Tables,
    known_at: u64,
) -> Result<Option<Defined<proto::PolicySet>>, FoldError> {
    newest(tables, POLICIES, &POLICIES.key(), known_at)
}

/// The key that signs checkpoints, whose proof is empty where the founding set it; none before
/// the archive is founded.
pub fn checkpoint_key(
    tables: &dyn Tables,
    known_at: u64,
) -> Result<Option<Defined<proto::CheckpointKeySet>>, FoldError> {
    newest(tables, CHECKPOINT_KEYS, &CHECKPOINT_KEYS.key(), known_at)
}

/// Who must cosign checkpoints; none if that was never set.
pub fn witness_policy(
    tables: &dyn Tables,
    known_at: u64,
) -> Result<Option<Defined<proto::WitnessPolicySet>>, FoldError> {
    newest(tables, WITNESS_POLICIES, &WITNESS_POLICIES.key(), known_at)
}

/// The first record that withholds as much of a source as is withheld; none if nothing is.
pub fn withholding(
    tables: &dyn Tables,
    source: &ContentId,
    known_at: u64,
) -> Result<Option<Defined<proto::SourceWithheld>>, FoldError> {
    let key = WITHHELD.key().bytes(source.as_bytes());
    let mut widest: Option<Defined<proto::SourceWithheld>> = None;
    for row in WITHHELD.scan::<Version>(tables, &key) {
        let (key, row) = row?;
        let row: Defined<proto::SourceWithheld> = version(WITHHELD, &key, row)?;
        let wider =
            |it: &Defined<proto::SourceWithheld>| row.definition.scope > it.definition.scope;
        if row.provenance.index < known_at && widest.as_ref().is_none_or(wider) {
            widest = Some(row);
        }
    }
    widest.map(|row| vouched(tables, row, known_at)).transpose()
}

/// Reviews of a source, newest first.
pub fn source_reviews<'t>(
    tables: &'t dyn Tables,
    source: &ContentId,
    known_at: u64,
) -> Reviews<'t> {
    reviews(
        tables,
        SOURCE_REVIEWS,
        &SOURCE_REVIEWS.key().bytes(source.as_bytes()),
        known_at,
    )
}

/// Reviews of a milestone, newest first.
pub fn milestone_reviews<'t>(
    tables: &'t dyn Tables,
    milestone: &Slug,
    known_at: u64,
) -> Reviews<'t> {
    reviews(
        tables,
        MILESTONE_REVIEWS,
        &MILESTONE_REVIEWS.key().slug(milestone),
        known_at,
    )
}

/// Reviews, as they are read.
pub type Reviews<'t> =
    Box<dyn Iterator<Item = Result<Defined<proto::ReviewPublished>, FoldError>> + 't>;

fn reviews<'t>(tables: &'t dyn Tables, table: Table, id: &Key, known_at: u64) -> Reviews<'t> {
    let rows = table.below::<Version>(tables, id, known_at);
    Box::new(rows.map(move |row| {
        let (key, row) = row?;
        vouched(tables, version(table, &key, row)?, known_at)
    }))
}

/// What has versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioned<'a> {
    /// An actor.
    Actor(&'a Slug),
    /// A mandate, whose end is a version too.
    Mandate(&'a Slug),
    /// A topic.
    Topic(&'a Slug),
    /// A milestone.
    Milestone(&'a Slug),
    /// A source.
    Source(&'a ContentId),
    /// What is withheld of a source.
    Withheld(&'a ContentId),
}

/// The entries that gave the versions of something below `known_at`, oldest first.
pub fn versions(
    tables: &dyn Tables,
    of: Versioned<'_>,
    known_at: u64,
) -> Result<Vec<u64>, FoldError> {
    let (table, key) = match of {
        Versioned::Actor(id) => (ACTORS, ACTORS.key().slug(id)),
        Versioned::Mandate(id) => (MANDATES, MANDATES.key().slug(id)),
        Versioned::Topic(id) => (TOPICS, TOPICS.key().slug(id)),
        Versioned::Milestone(id) => (MILESTONES, MILESTONES.key().slug(id)),
        Versioned::Source(id) => (SOURCES, SOURCES.key().bytes(id.as_bytes())),
        Versioned::Withheld(id) => (WITHHELD, WITHHELD.key().bytes(id.as_bytes())),
    };
    let mut indexes = Vec::new();
    for row in table.scan::<Version>(tables, &key) {
        let (key, _) = row?;
        let index = Parts::new(table, &key).index()?;
        if index >= known_at {
            break;
        }
        indexes.push(index);
    }
    Ok(indexes)
}

/// How many sources were read for a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// In whole or in part.
    pub sources: u64,
    /// Of these, in whole.
    pub whole: u64,
}

/// How many sources were read for a topic.
pub fn coverage(tables: &dyn Tables, topic: &Slug, known_at: u64) -> Result<Coverage, FoldError> {
    let topic = COVERAGE.key().slug(topic);
    let newest = COVERAGE.below(tables, &topic, known_at).next();
    Ok(newest
        .transpose()?
        .map_or_else(Coverage::default, |(_, coverage)| coverage))
}

/// Whether a source was read whole for a topic, and the entry that says so; none if it was not
/// read.
pub fn read_for(
    tables: &dyn Tables,
    topic: &Slug,
    source: &ContentId,
    known_at: u64,
) -> Result<Option<(u64, bool)>, FoldError> {
    let key = READ.key().slug(topic).bytes(source.as_bytes());
    let Some((key, whole)) = READ.below(tables, &key, known_at).next().transpose()? else {
        return Ok(None);
    };
    Ok(Some((Parts::new(READ, &key).index()?, whole)))
}

/// The signatures that were added to a record's own, oldest first: each with the entry that
/// brought it.
pub fn attestations(
    tables: &dyn Tables,
    record: &ContentId,
    known_at: u64,
) -> Result<Vec<(u64, [u8; 32])>, FoldError> {
    let mut found = Vec::new();
    let key = ATTESTED.key().bytes(record.as_bytes());
    for row in ATTESTED.scan::<Vec<[u8; 32]>>(tables, &key) {
        let (key, verifiers) = row?;
        let index = Parts::new(ATTESTED, &key).index()?;
        if index >= known_at {
            break;
        }
        found.extend(verifiers.into_iter().map(|verifier| (index, verifier)));
    }
    Ok(found)
}

/// A definition, with those who vouched for its record later.
fn vouched<T>(
    tables: &dyn Tables,
    mut defined: Defined<T>,
    known_at: u64,
) -> Result<Defined<T>, FoldError> {
    let provenance = &mut defined.provenance;
    let added = attestations(tables, &provenance.record_id, known_at)?;
    provenance
        .verifiers
        .extend(added.iter().map(|(_, verifier)| verifier));
    provenance.attestations = added;
    Ok(defined)
}

/// One version of a definition, as a row has it.
fn version<T: Message + Default>(
    table: Table,
    key: &[u8],
    version: Version,
) -> Result<Defined<T>, FoldError> {
    let index = Parts::new(table, key).index()?;
    Ok(Defined {
        definition: T::decode(&version.definition[..]).map_err(|_| table.damaged())?,
        provenance: version.origin.at(index),
    })
}

/// The newest version below `known_at` of what goes by `id`.
fn newest<T: Message + Default>(
    tables: &dyn Tables,
    table: Table,
    id: &Key,
    known_at: u64,
) -> Result<Option<Defined<T>>, FoldError> {
    let row = table.below::<Version>(tables, id, known_at).next();
    let Some((key, row)) = row.transpose()? else {
        return Ok(None);
    };
    vouched(tables, version(table, &key, row)?, known_at).map(Some)
}
