//! What is defined, as it stood once the entries below `known_at` were known.

use prost::Message;

use super::{
    ACTORS, ENROLMENTS, MANDATES, MILESTONES, POLICIES, REVOCATIONS, SOURCES, TEXTS, TOPICS,
    Version,
};
use crate::fold::{FoldError, Tables};
use crate::projection::read::Provenance;
use crate::projection::rows::{Key, Parts, Table};
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

/// A source's record; none if it is not archived.
pub fn source(
    tables: &dyn Tables,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<Defined<proto::SourceArchived>>, FoldError> {
    let key = SOURCES.key().bytes(id.as_bytes());
    newest(tables, SOURCES, &key, known_at)
}

/// Whether a source on record has, or had in some version, the text of this id.
pub fn has_text(tables: &dyn Tables, id: &ContentId, known_at: u64) -> Result<bool, FoldError> {
    let first: Option<u64> = TEXTS.get(tables, &TEXTS.key().bytes(id.as_bytes()))?;
    Ok(first.is_some_and(|first| first < known_at))
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

/// The newest version below `known_at` of what goes by `id`.
fn newest<T: Message + Default>(
    tables: &dyn Tables,
    table: Table,
    id: &Key,
    known_at: u64,
) -> Result<Option<Defined<T>>, FoldError> {
    for row in table.scan_back::<Version>(tables, id) {
        let (key, version) = row?;
        let index = Parts::new(table, &key).index()?;
        if index < known_at {
            return Ok(Some(Defined {
                definition: T::decode(&version.definition[..]).map_err(|_| table.damaged())?,
                provenance: version.origin.at(index),
            }));
        }
    }
    Ok(None)
}
